/*
 * types.c: the type table of PostgreSQL.
 *
 * Reading: an oid of the table has the table's meaning. An array of such a type
 * that is declared with one dimension is a list. All else (ranges, composites,
 * extensions' types, ...) is its exact text, by a cast in the query; an enum's
 * binary form is its text already. numeric without precision, or with more than
 * 38 digits, is text too: it may hold 1,000 digits, NaN and infinity, and a
 * decimal or a double would have to lie.
 *
 * Writing: for each type of ours the first row of that type that is `made`.
 * A column that came from PostgreSQL gets its old type back when that type's
 * name parses by this table and means the same field; text that came from a
 * cast type (inet, interval) gets that type, and is then copied in text format.
 *
 * The oids are those of pg_type.dat, fixed for ever.
 */
#include "database/postgres/types.h"

#include <stdio.h>
#include <string.h>

#define NUMERIC_OID 1700
#define TEXT_OID    25

struct type_row {
    Oid oid, array;
    const char *name; /* as format_type says it; what follows a '(' goes between its words */
    enum type_id type;
    enum wire wire;
    bool made;         /* new columns of this type are declared so */
    const char *note;  /* extension of UTF8 and FIXED_BINARY, timezone of TIMESTAMP */
    const char *after; /* words behind the parentheses */
};

static const struct type_row rows[] = {
    {16, 1000, "boolean", TYPE_BOOL, WIRE_BOOL, true, NULL, NULL},
    {21, 1005, "smallint", TYPE_INT16, WIRE_INT2, true, NULL, NULL},
    {23, 1007, "integer", TYPE_INT32, WIRE_INT4, true, NULL, NULL},
    {20, 1016, "bigint", TYPE_INT64, WIRE_INT8, true, NULL, NULL},
    {26, 1028, "oid", TYPE_UINT32, WIRE_OID, false, NULL, NULL},
    {700, 1021, "real", TYPE_FLOAT32, WIRE_FLOAT4, true, NULL, NULL},
    {701, 1022, "double precision", TYPE_FLOAT64, WIRE_FLOAT8, true, NULL, NULL},
    {NUMERIC_OID, 1231, "numeric", TYPE_DECIMAL, WIRE_NUMERIC, true, NULL, NULL},
    {TEXT_OID, 1009, "text", TYPE_UTF8, WIRE_TEXT, true, NULL, NULL},
    {1043, 1015, "character varying", TYPE_UTF8, WIRE_TEXT, false, NULL, NULL},
    {1042, 1014, "character", TYPE_UTF8, WIRE_TEXT, false, NULL, NULL},
    {19, 1003, "name", TYPE_UTF8, WIRE_TEXT, false, NULL, NULL},
    {114, 199, "json", TYPE_UTF8, WIRE_TEXT, true, "arrow.json", NULL},
    {3802, 3807, "jsonb", TYPE_UTF8, WIRE_JSONB, false, "arrow.json", NULL},
    {142, 0, "xml", TYPE_UTF8, WIRE_CAST, false, NULL, NULL},
    {17, 1001, "bytea", TYPE_BINARY, WIRE_BYTES, true, NULL, NULL},
    {2950, 2951, "uuid", TYPE_FIXED_BINARY, WIRE_UUID, true, "arrow.uuid", NULL},
    {1082, 1182, "date", TYPE_DATE, WIRE_DATE, true, NULL, NULL},
    {1083, 1183, "time", TYPE_TIME, WIRE_TIME, true, NULL, " without time zone"},
    {1114, 1115, "timestamp", TYPE_TIMESTAMP, WIRE_TIMESTAMP, true, NULL, " without time zone"},
    {1184, 1185, "timestamp", TYPE_TIMESTAMP, WIRE_TIMESTAMPTZ, true, "UTC", " with time zone"},
    {1186, 0, "interval", TYPE_UTF8, WIRE_CAST, false, NULL, NULL},
    {1266, 0, "time", TYPE_UTF8, WIRE_CAST, false, NULL, " with time zone"},
    {869, 0, "inet", TYPE_UTF8, WIRE_CAST, false, NULL, NULL},
    {650, 0, "cidr", TYPE_UTF8, WIRE_CAST, false, NULL, NULL},
    {829, 0, "macaddr", TYPE_UTF8, WIRE_CAST, false, NULL, NULL},
    {774, 0, "macaddr8", TYPE_UTF8, WIRE_CAST, false, NULL, NULL},
    {790, 0, "money", TYPE_UTF8, WIRE_CAST, false, NULL, NULL},
    {1560, 0, "bit", TYPE_UTF8, WIRE_CAST, false, NULL, NULL},
    {1562, 0, "bit varying", TYPE_UTF8, WIRE_CAST, false, NULL, NULL},
    {600, 0, "point", TYPE_UTF8, WIRE_CAST, false, NULL, NULL},
    {628, 0, "line", TYPE_UTF8, WIRE_CAST, false, NULL, NULL},
    {601, 0, "lseg", TYPE_UTF8, WIRE_CAST, false, NULL, NULL},
    {603, 0, "box", TYPE_UTF8, WIRE_CAST, false, NULL, NULL},
    {602, 0, "path", TYPE_UTF8, WIRE_CAST, false, NULL, NULL},
    {604, 0, "polygon", TYPE_UTF8, WIRE_CAST, false, NULL, NULL},
    {718, 0, "circle", TYPE_UTF8, WIRE_CAST, false, NULL, NULL},
    {3904, 0, "int4range", TYPE_UTF8, WIRE_CAST, false, NULL, NULL},
    {3926, 0, "int8range", TYPE_UTF8, WIRE_CAST, false, NULL, NULL},
    {3906, 0, "numrange", TYPE_UTF8, WIRE_CAST, false, NULL, NULL},
    {3908, 0, "tsrange", TYPE_UTF8, WIRE_CAST, false, NULL, NULL},
    {3910, 0, "tstzrange", TYPE_UTF8, WIRE_CAST, false, NULL, NULL},
    {3912, 0, "daterange", TYPE_UTF8, WIRE_CAST, false, NULL, NULL},
    {3614, 0, "tsvector", TYPE_UTF8, WIRE_CAST, false, NULL, NULL},
    {3615, 0, "tsquery", TYPE_UTF8, WIRE_CAST, false, NULL, NULL},
    {3220, 0, "pg_lsn", TYPE_UTF8, WIRE_CAST, false, NULL, NULL},
};
#define ROW_COUNT (sizeof rows / sizeof *rows)

static const struct type_row *row_of_oid(Oid oid)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (rows[i].oid == oid)
            return &rows[i];
    return NULL;
}

static const struct type_row *row_of_array(Oid oid)
{
    for (size_t i = 0; oid && i < ROW_COUNT; i++)
        if (rows[i].array == oid)
            return &rows[i];
    return NULL;
}

Oid pg_element_oid(Oid array)
{
    const struct type_row *row = row_of_array(array);
    return row ? row->oid : 0;
}

enum wire pg_element_wire(Oid array)
{
    const struct type_row *row = row_of_array(array);
    return row ? row->wire : WIRE_CAST;
}

/* ---- reading ---- */

/* numeric(p,s): the modifier is ((p << 16) | s) + 4, s in 11 bits with a sign. */
static bool decimal_of(int modifier, struct field *field)
{
    if (modifier < 4)
        return false;
    int bits = modifier - 4;
    field->precision = (bits >> 16) & 0xffff;
    field->scale = ((bits & 0x7ff) ^ 1024) - 1024;
    if (field->scale < 0) { /* numeric(3,-2) holds 99900: five digits before the point */
        field->precision -= field->scale;
        field->scale = 0;
    }
    if (field->scale > field->precision)
        field->precision = field->scale;
    return field->precision >= 1 && field->precision <= 38;
}

static void set_text(struct field *field)
{
    field->type = TYPE_UTF8;
    field->precision = field->scale = 0;
}

/* False: the row's type cannot hold it, its text can. */
static bool set_field(const struct type_row *row, int modifier, struct field *field)
{
    field->type = row->type;
    if (row->type == TYPE_DECIMAL && !decimal_of(modifier, field))
        return false;
    if (row->type == TYPE_TIME || row->type == TYPE_TIMESTAMP) {
        field->unit = TIME_MICRO;
        field->timezone = row->note;
    }
    if (row->type == TYPE_UTF8 || row->type == TYPE_FIXED_BINARY)
        field->extension = row->note;
    if (row->type == TYPE_FIXED_BINARY)
        field->width = 16;
    return true;
}

static enum haul_code read_array(const struct pg_type *type, struct arena *arena, struct field *field,
                                 enum wire *wire, struct haul_error *err)
{
    const struct type_row *row = row_of_array(type->oid);
    struct field *item = arena_alloc(arena, sizeof *item);
    if (!item)
        return error_nomem(err, "a column");
    item->name = "item";
    item->nullable = true;
    if (!row || type->dimensions > 1 || !set_field(row, type->modifier, item)) {
        set_text(field);
        *wire = WIRE_CAST;
        return HAUL_OK;
    }
    field->type = TYPE_LIST;
    field->children = item;
    field->child_count = 1;
    *wire = WIRE_ARRAY;
    return HAUL_OK;
}

enum haul_code pg_type_read(const struct pg_type *type, struct arena *arena, struct field *field,
                            enum wire *wire, struct haul_error *err)
{
    const struct type_row *row = row_of_oid(type->oid);
    field->sql_type = arena_printf(arena, "postgres:%s", type->text);
    if (!field->sql_type)
        return error_nomem(err, "a column");
    if (!row && row_of_array(type->oid))
        return read_array(type, arena, field, wire, err);
    set_text(field);
    *wire = type->is_enum ? WIRE_TEXT : WIRE_CAST;
    if (!row)
        return HAUL_OK;
    *wire = row->wire;
    if (!set_field(row, type->modifier, field)) {
        set_text(field);
        *wire = WIRE_CAST;
    }
    return HAUL_OK;
}

/* ---- names ---- */

struct declared {
    const struct type_row *row; /* NULL: not in the table */
    int args[2];
    int arg_count;
    bool array;
};

/* "(10,-2)": *at goes behind it; false when it is anything else. */
static bool parse_args(const char **at, struct declared *declared)
{
    int end = 0;
    if (sscanf(*at, "(%6d,%6d)%n", &declared->args[0], &declared->args[1], &end) == 2 && end)
        declared->arg_count = 2;
    else if (sscanf(*at, "(%6d)%n", &declared->args[0], &end) == 1 && end)
        declared->arg_count = 1;
    else
        return false;
    *at += end;
    return true;
}

static bool row_matches(const struct type_row *row, const char *text, struct declared *declared)
{
    size_t length = strlen(row->name);
    const char *at = text + length;
    if (strncmp(text, row->name, length) != 0)
        return false;
    *declared = (struct declared){.row = row};
    if (*at == '(' && !parse_args(&at, declared))
        return false;
    if (row->after && strncmp(at, row->after, strlen(row->after)) != 0)
        return false;
    at += row->after ? strlen(row->after) : 0;
    declared->array = strcmp(at, "[]") == 0;
    return !*at || (declared->array && row->array);
}

static struct declared parse_declared(const char *text)
{
    struct declared declared = {0};
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (row_matches(&rows[i], text, &declared))
            return declared;
    return (struct declared){0};
}

static int modifier_of(const struct declared *declared)
{
    if (!declared->arg_count)
        return -1;
    if (declared->row->oid == NUMERIC_OID)
        return ((declared->args[0] << 16) | ((declared->arg_count > 1 ? declared->args[1] : 0) & 0x7ff)) + 4;
    return declared->args[0];
}

struct pg_type pg_type_of_name(const char *name)
{
    struct declared declared = parse_declared(name);
    if (!declared.row)
        return (struct pg_type){.oid = TEXT_OID, .modifier = -1, .text = "text"};
    return (struct pg_type){.oid = declared.array ? declared.row->array : declared.row->oid,
                            .modifier = modifier_of(&declared),
                            .dimensions = declared.array,
                            .text = name};
}

static const char *print_declared(const struct declared *declared, struct arena *arena)
{
    const char *after = declared->row->after ? declared->row->after : "",
               *array = declared->array ? "[]" : "";
    if (declared->arg_count == 2)
        return arena_printf(arena, "%s(%d,%d)%s%s", declared->row->name, declared->args[0], declared->args[1],
                            after, array);
    if (declared->arg_count == 1)
        return arena_printf(arena, "%s(%d)%s%s", declared->row->name, declared->args[0], after, array);
    return arena_printf(arena, "%s%s%s", declared->row->name, after, array);
}

/* ---- writing ---- */

static bool args_make_sense(const struct declared *declared)
{
    if (!declared->arg_count)
        return true;
    if (declared->row->oid == NUMERIC_OID)
        return declared->args[0] >= 1 && declared->args[0] <= 1000 && declared->args[1] >= -1000 &&
               declared->args[1] <= 1000;
    return declared->arg_count == 1 && declared->args[0] >= (declared->row->after ? 0 : 1) &&
           declared->args[0] <= 10485760;
}

/* The origin's type, when it is one of the table and holds this field. */
static bool find_origin(const struct field *field, struct declared *declared)
{
    static const char engine[] = "postgres:";
    if (!field->sql_type || strncmp(field->sql_type, engine, sizeof engine - 1) != 0)
        return false;
    *declared = parse_declared(field->sql_type + sizeof engine - 1);
    if (!declared->row || !args_make_sense(declared))
        return false;
    struct field meant = {0};
    if (!set_field(declared->row, modifier_of(declared), &meant))
        set_text(&meant);
    if (declared->array)
        return field->type == TYPE_LIST && field_equal(&meant, &field->children[0], false);
    return field_equal(&meant, field, false);
}

static bool same_note(const struct type_row *row, const struct field *field)
{
    if (field->type == TYPE_TIMESTAMP)
        return !row->note == !field->timezone;
    return !row->note == !field->extension && (!row->note || strcmp(row->note, field->extension) == 0);
}

static struct declared choose(const struct field *field)
{
    struct declared declared = {0};
    for (size_t i = 0; i < ROW_COUNT && !declared.row; i++)
        if (rows[i].type == field->type && rows[i].made && same_note(&rows[i], field))
            declared.row = &rows[i];
    if (!declared.row)
        declared.row = row_of_oid(TEXT_OID);
    if (field->type == TYPE_DECIMAL) {
        declared.args[0] = field->precision;
        declared.args[1] = field->scale;
        declared.arg_count = 2;
    }
    return declared;
}

const char *pg_type_write(const struct field *field, struct arena *arena)
{
    struct declared declared;
    if (find_origin(field, &declared))
        return print_declared(&declared, arena);
    if (field->type == TYPE_DURATION)
        return "interval";
    declared = choose(field->type == TYPE_LIST ? &field->children[0] : field);
    declared.array = field->type == TYPE_LIST;
    return print_declared(&declared, arena);
}

/* ---- what can be stored ---- */

static enum type_id widened(enum type_id type)
{
    switch (type) {
    case TYPE_INT8:
    case TYPE_UINT8:
        return TYPE_INT16;
    case TYPE_UINT16:
        return TYPE_INT32;
    case TYPE_UINT32:
        return TYPE_INT64;
    case TYPE_FLOAT16:
        return TYPE_FLOAT32;
    case TYPE_NULL:
        return TYPE_UTF8;
    case TYPE_UINT64:
        return TYPE_DECIMAL;
    default:
        return type;
    }
}

static void store_scalar(struct field *field)
{
    if (field->type == TYPE_UINT64) {
        field->precision = 20;
        field->scale = 0;
    }
    bool uuid = field->extension && strcmp(field->extension, "arrow.uuid") == 0;
    if (field->type == TYPE_UINT32 && field->sql_type && strcmp(field->sql_type, "postgres:oid") == 0)
        return;
    field->type = widened(field->type);
    if (field->type == TYPE_TIME || field->type == TYPE_TIMESTAMP || field->type == TYPE_DURATION)
        field->unit = TIME_MICRO;
    if (field->type == TYPE_TIMESTAMP && field->timezone)
        field->timezone = "UTC";
    if (field->type == TYPE_FIXED_BINARY && !uuid)
        field->type = TYPE_BINARY;
    if (field->type != TYPE_UTF8 && field->type != TYPE_FIXED_BINARY)
        field->extension = NULL;
}

static bool is_nested(const struct field *field)
{
    return field->type == TYPE_LIST || field->type == TYPE_STRUCT || field->type == TYPE_MAP;
}

enum haul_code pg_stored_field(const struct field *from, struct arena *arena, struct field *to,
                               struct haul_error *err)
{
    if (field_copy(from, arena, to, err))
        return err->code;
    struct field *item = to->type == TYPE_LIST ? &to->children[0] : NULL;
    bool array = item && !is_nested(item) && item->type != TYPE_DURATION && item->type != TYPE_NULL;
    if (!is_nested(to)) {
        store_scalar(to);
        return HAUL_OK;
    }
    if (array)
        store_scalar(item);
    if (!array || !field_equal(item, &from->children[0], false)) { /* as JSON text */
        *to = (struct field){
            .name = to->name, .nullable = to->nullable, .type = TYPE_UTF8, .extension = "arrow.json"};
    }
    return HAUL_OK;
}
