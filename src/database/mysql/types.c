/*
 * types.c: the one table of types.
 *
 * Read: by the name at the head of COLUMN_TYPE and its numbers. tinyint(1) is
 * int8, as MySQL itself has it (it holds -128 to 127 whatever its display width).
 * A decimal of more than 38 digits is its exact text. timestamp is an instant
 * (sessions run at +00:00), datetime a wall clock. TIME is a time of day: what is
 * beyond it is a reject, or all of it with --schema name:duration[us] or utf8.
 *
 * Write: new text columns are utf8mb4 with the binary collation, so that a key
 * tells apart what the source told apart. LONGTEXT and LONGBLOB hold anything;
 * a column in a key needs a length. An instant from elsewhere becomes
 * datetime(6) in UTC: timestamp ends in 2038 and begins in 1970.
 *
 * The type of a column that came from MySQL is taken over when it has the plain
 * form NAME or NAME(numbers), with or without "unsigned": it is checked, because
 * a file could say anything there. Enums and sets become text.
 */
#include "database/mysql/types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct type_row {
    const char *name;
    enum form form;
    enum type_id type, type_unsigned;
    bool kept; /* may be repeated in a new table as it was declared */
};

static const struct type_row rows[] = {
    {"tinyint", FORM_INT, TYPE_INT8, TYPE_UINT8, true},
    {"smallint", FORM_INT, TYPE_INT16, TYPE_UINT16, true},
    {"mediumint", FORM_INT, TYPE_INT32, TYPE_UINT32, true},
    {"int", FORM_INT, TYPE_INT32, TYPE_UINT32, true},
    {"bigint", FORM_INT, TYPE_INT64, TYPE_UINT64, true},
    {"year", FORM_INT, TYPE_INT16, TYPE_INT16, true},
    {"float", FORM_FLOAT, TYPE_FLOAT32, TYPE_FLOAT32, false},
    {"double", FORM_DOUBLE, TYPE_FLOAT64, TYPE_FLOAT64, false},
    {"decimal", FORM_DECIMAL, TYPE_DECIMAL, TYPE_DECIMAL, true},
    {"bit", FORM_BITS, TYPE_UINT64, TYPE_UINT64, true},
    {"date", FORM_DATE, TYPE_DATE, TYPE_DATE, true},
    {"time", FORM_TIME, TYPE_TIME, TYPE_TIME, true},
    {"datetime", FORM_MOMENT, TYPE_TIMESTAMP, TYPE_TIMESTAMP, true},
    {"timestamp", FORM_MOMENT, TYPE_TIMESTAMP, TYPE_TIMESTAMP, true},
    {"char", FORM_TEXT, TYPE_UTF8, TYPE_UTF8, true},
    {"varchar", FORM_TEXT, TYPE_UTF8, TYPE_UTF8, true},
    {"tinytext", FORM_TEXT, TYPE_UTF8, TYPE_UTF8, true},
    {"text", FORM_TEXT, TYPE_UTF8, TYPE_UTF8, true},
    {"mediumtext", FORM_TEXT, TYPE_UTF8, TYPE_UTF8, true},
    {"longtext", FORM_TEXT, TYPE_UTF8, TYPE_UTF8, true},
    {"json", FORM_TEXT, TYPE_UTF8, TYPE_UTF8, true},
    {"enum", FORM_TEXT, TYPE_UTF8, TYPE_UTF8, false},
    {"set", FORM_TEXT, TYPE_UTF8, TYPE_UTF8, false},
    {"inet4", FORM_TEXT, TYPE_UTF8, TYPE_UTF8, false},
    {"inet6", FORM_TEXT, TYPE_UTF8, TYPE_UTF8, false},
    {"uuid", FORM_UUID, TYPE_FIXED_BINARY, TYPE_FIXED_BINARY, false},
    {"binary", FORM_BYTES, TYPE_FIXED_BINARY, TYPE_FIXED_BINARY, true},
    {"varbinary", FORM_BYTES, TYPE_BINARY, TYPE_BINARY, true},
    {"tinyblob", FORM_BYTES, TYPE_BINARY, TYPE_BINARY, true},
    {"blob", FORM_BYTES, TYPE_BINARY, TYPE_BINARY, true},
    {"mediumblob", FORM_BYTES, TYPE_BINARY, TYPE_BINARY, true},
    {"longblob", FORM_BYTES, TYPE_BINARY, TYPE_BINARY, true},
    {"vector", FORM_BYTES, TYPE_BINARY, TYPE_BINARY, false},
    {"geometry", FORM_GEOMETRY, TYPE_BINARY, TYPE_BINARY, true},
    {"point", FORM_GEOMETRY, TYPE_BINARY, TYPE_BINARY, true},
    {"linestring", FORM_GEOMETRY, TYPE_BINARY, TYPE_BINARY, true},
    {"polygon", FORM_GEOMETRY, TYPE_BINARY, TYPE_BINARY, true},
    {"multipoint", FORM_GEOMETRY, TYPE_BINARY, TYPE_BINARY, true},
    {"multilinestring", FORM_GEOMETRY, TYPE_BINARY, TYPE_BINARY, true},
    {"multipolygon", FORM_GEOMETRY, TYPE_BINARY, TYPE_BINARY, true},
    {"geometrycollection", FORM_GEOMETRY, TYPE_BINARY, TYPE_BINARY, true},
    {"geomcollection", FORM_GEOMETRY, TYPE_BINARY, TYPE_BINARY, true},
};

struct declared {
    const struct type_row *row; /* NULL: a type we do not know */
    long numbers[2];
    int count;
    bool plain; /* nothing but name, numbers, unsigned, zerofill */
    bool is_unsigned;
};

static struct declared parse(const char *text)
{
    struct declared out = {0};
    size_t length = strcspn(text, "( ");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strlen(rows[i].name) == length && strncmp(rows[i].name, text, length) == 0)
            out.row = &rows[i];
    const char *at = text + length;
    out.plain = true;
    if (*at == '(') {
        char *end = NULL;
        do {
            out.numbers[out.count++] = strtol(at + 1, &end, 10);
            out.plain = out.plain && end > at + 1;
            at = end;
        } while (*at == ',' && out.count < 2);
        out.plain = out.plain && *at == ')';
        at += out.plain;
    }
    /* In an enum's list such a word would be a value's. */
    out.is_unsigned = out.plain && strncmp(at, " unsigned", 9) == 0;
    at += out.is_unsigned ? 9 : 0;
    out.plain = out.plain && (!*at || strcmp(at, " zerofill") == 0);
    return out;
}

/* ---- reading ---- */

static void read_shape(const struct declared *type, struct field *field, enum form *form)
{
    bool zoned = strcmp(type->row->name, "timestamp") == 0;
    switch (*form) {
    case FORM_INT:
        *form = type->is_unsigned ? FORM_UINT : FORM_INT;
        break;
    case FORM_DECIMAL:
        field->precision = type->count ? (int)type->numbers[0] : 10;
        field->scale = type->count > 1 ? (int)type->numbers[1] : 0;
        if (field->precision > 38) {
            *form = FORM_TEXT;
            field->type = TYPE_UTF8;
            field->precision = field->scale = 0;
        }
        break;
    case FORM_BITS:
        if (!type->count || type->numbers[0] == 1) {
            *form = FORM_BOOL;
            field->type = TYPE_BOOL;
        }
        break;
    case FORM_TIME:
    case FORM_MOMENT:
        field->unit = TIME_MICRO;
        field->timezone = zoned ? "UTC" : NULL;
        break;
    case FORM_BYTES:
        field->width = field->type == TYPE_FIXED_BINARY ? (int)type->numbers[0] : 0;
        if (field->type == TYPE_FIXED_BINARY && field->width < 1)
            field->type = TYPE_BINARY;
        break;
    case FORM_UUID:
        field->width = 16;
        field->extension = "arrow.uuid";
        break;
    default:
        break;
    }
}

enum haul_code my_type_read(const char *declared, struct arena *arena, struct field *field, enum form *form,
                            struct haul_error *err)
{
    struct declared type = parse(declared);
    field->type = TYPE_UTF8;
    *form = FORM_TEXT;
    if (type.row) {
        *form = type.row->form;
        field->type = type.is_unsigned ? type.row->type_unsigned : type.row->type;
        read_shape(&type, field, form);
        if (strcmp(type.row->name, "json") == 0)
            field->extension = "arrow.json";
    }
    /* An enum's list may be long: its name says enough. */
    size_t length = strcspn(declared, type.plain ? "" : "(");
    field->sql_type = arena_printf(arena, "mysql:%.*s", (int)length, declared);
    return field->sql_type ? HAUL_OK : error_nomem(err, "a type");
}

/* ---- writing ---- */

#define TEXT_TAIL       "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
#define KEY_LENGTH      255
#define BINARY_BYTES    255
#define TEXT_KEY_LENGTH "varchar(255)"

/* The type the column had in MySQL, when it still means this field. */
static const char *origin(const struct field *field, bool key, struct arena *arena)
{
    struct arena scratch = {0};
    struct haul_error unused = {0};
    struct field meant = {0};
    enum form form;
    const char *text = field->sql_type;
    if (!text || strncmp(text, "mysql:", 6) != 0)
        return NULL;
    struct declared type = parse(text + 6);
    bool good = type.row && type.row->kept && type.plain &&
                !my_type_read(text + 6, &scratch, &meant, &form, &unused) &&
                field_equal(field, &meant, false);
    arena_release(&scratch);
    bool sized = type.count > 0 || type.row == NULL || type.row->form < FORM_TEXT;
    if (!good || (key && !sized))
        return NULL;
    bool latin = form == FORM_TEXT && strcmp(type.row->name, "json") != 0 && field->type == TYPE_UTF8 &&
                 type.row->form == FORM_TEXT;
    return arena_printf(arena, "%s%s", text + 6, latin ? " " TEXT_TAIL : "");
}

static const char *plain_type(enum type_id type)
{
    static const char *const names[TYPE_COUNT] = {
        [TYPE_BOOL] = "tinyint(1)",
        [TYPE_INT8] = "tinyint",
        [TYPE_INT16] = "smallint",
        [TYPE_INT32] = "int",
        [TYPE_INT64] = "bigint",
        [TYPE_UINT8] = "tinyint unsigned",
        [TYPE_UINT16] = "smallint unsigned",
        [TYPE_UINT32] = "int unsigned",
        [TYPE_UINT64] = "bigint unsigned",
        [TYPE_FLOAT16] = "float",
        [TYPE_FLOAT32] = "float",
        [TYPE_FLOAT64] = "double",
        [TYPE_DATE] = "date",
        [TYPE_TIME] = "time(6)",
        [TYPE_TIMESTAMP] = "datetime(6)",
    };
    return names[type];
}

const char *my_type_write(const struct field *field, bool key, struct arena *arena)
{
    const char *kept = origin(field, key, arena);
    if (kept)
        return kept;
    if (field->type == TYPE_DECIMAL)
        return arena_printf(arena, "decimal(%d,%d)", field->precision, field->scale);
    if (field->type == TYPE_FIXED_BINARY && field->width <= BINARY_BYTES)
        return arena_printf(arena, "binary(%d)", field->width);
    if (field->type == TYPE_BINARY || field->type == TYPE_FIXED_BINARY)
        return key ? "varbinary(255)" : "longblob";
    if (field->type == TYPE_UTF8)
        return key ? TEXT_KEY_LENGTH " " TEXT_TAIL : "longtext " TEXT_TAIL;
    return plain_type(field->type);
}

static void store_scalar(struct field *field)
{
    bool decimal_fits = field->type == TYPE_DECIMAL && field->scale >= 0 && field->scale <= 30;
    switch (field->type) {
    case TYPE_BOOL:
        if (!field->sql_type || strncmp(field->sql_type, "mysql:bit", 9) != 0)
            field->type = TYPE_INT8;
        break;
    case TYPE_FLOAT16:
        field->type = TYPE_FLOAT32;
        break;
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
        field->unit = TIME_MICRO;
        if (field->timezone && (!field->sql_type || strncmp(field->sql_type, "mysql:timestamp", 15) != 0))
            field->timezone = NULL;
        break;
    case TYPE_NULL:
    case TYPE_DURATION:
        field->type = TYPE_UTF8;
        break;
    case TYPE_DECIMAL:
        if (!decimal_fits)
            field->type = TYPE_UTF8;
        break;
    default:
        break;
    }
    if (field->type == TYPE_UTF8)
        field->precision = field->scale = field->width = 0;
}

enum haul_code my_stored_field(const struct field *from, struct arena *arena, struct field *to,
                               struct haul_error *err)
{
    if (field_copy(from, arena, to, err))
        return err->code;
    if (to->type == TYPE_LIST || to->type == TYPE_STRUCT || to->type == TYPE_MAP)
        *to = (struct field){
            .name = to->name, .nullable = to->nullable, .type = TYPE_UTF8, .extension = "arrow.json"};
    else
        store_scalar(to);
    return HAUL_OK;
}
