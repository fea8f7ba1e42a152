/*
 * types.c: the type table of SQLite.
 *
 * Reading: a declared type whose name is in the table has the table's meaning;
 * any other follows its affinity (SQLite's five rules, "Determination Of Column
 * Affinity" in datatype3.html). Writing: for each type of ours the first row of
 * that type whose `made` is set.
 *
 * Names that we write were chosen by what the affinity would do to the value:
 *  - dates and times are ISO text; NUMERIC affinity leaves text alone that does
 *    not look like a number.
 *  - decimals are text in a name with TEXT in it, for NUMERIC affinity would
 *    turn long ones into doubles. A column that comes from DECIMAL(p,s) with
 *    p <= 15 keeps that name: a double holds 15 digits exactly.
 *  - uint64 is text too: what is beyond int64 would become a double.
 *  - small integers have names nobody else uses, so that they come back as they
 *    were, while INT and SMALLINT, which hold anything in the wild, are int64.
 */
#include "database/sqlite/types.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NAME_BYTES       32
#define DOUBLE_DIGITS    15
#define FIXED_BINARY_MAX 1048576

struct type_row {
    const char *name;
    enum type_id type;
    enum certainty certainty;
    bool made;        /* the sink declares columns of this type so */
    int args_max;     /* how many numbers in parentheses it may have */
    const char *note; /* extension of a UTF8 or FIXED_BINARY, timezone of a TIMESTAMP */
};

static const struct type_row rows[] = {
    {"INTEGER", TYPE_INT64, TYPE_CERTAIN, true, 1, NULL},
    {"INT", TYPE_INT64, TYPE_CERTAIN, false, 1, NULL},
    {"BIGINT", TYPE_INT64, TYPE_CERTAIN, false, 1, NULL},
    {"MEDIUMINT", TYPE_INT64, TYPE_CERTAIN, false, 1, NULL},
    {"SMALLINT", TYPE_INT64, TYPE_CERTAIN, false, 1, NULL},
    {"TINYINT", TYPE_INT64, TYPE_CERTAIN, false, 1, NULL},
    {"INT2", TYPE_INT64, TYPE_CERTAIN, false, 0, NULL},
    {"INT4", TYPE_INT64, TYPE_CERTAIN, false, 0, NULL},
    {"INT8", TYPE_INT64, TYPE_CERTAIN, false, 0, NULL},
    {"UNSIGNED BIG INT", TYPE_INT64, TYPE_CERTAIN, false, 0, NULL},
    {"INT_8", TYPE_INT8, TYPE_LIKELY, true, 0, NULL},
    {"INT_16", TYPE_INT16, TYPE_LIKELY, true, 0, NULL},
    {"INT_32", TYPE_INT32, TYPE_LIKELY, true, 0, NULL},
    {"UINT_8", TYPE_UINT8, TYPE_LIKELY, true, 0, NULL},
    {"UINT_16", TYPE_UINT16, TYPE_LIKELY, true, 0, NULL},
    {"UINT_32", TYPE_UINT32, TYPE_LIKELY, true, 0, NULL},
    {"UNSIGNED_TEXT", TYPE_UINT64, TYPE_LIKELY, true, 0, NULL},
    {"REAL", TYPE_FLOAT64, TYPE_CERTAIN, true, 0, NULL},
    {"DOUBLE", TYPE_FLOAT64, TYPE_CERTAIN, false, 2, NULL},
    {"DOUBLE PRECISION", TYPE_FLOAT64, TYPE_CERTAIN, false, 0, NULL},
    {"FLOAT", TYPE_FLOAT64, TYPE_CERTAIN, false, 2, NULL},
    {"FLOAT_32", TYPE_FLOAT32, TYPE_LIKELY, true, 0, NULL},
    {"BOOLEAN", TYPE_BOOL, TYPE_LIKELY, true, 0, NULL},
    {"BOOL", TYPE_BOOL, TYPE_LIKELY, false, 0, NULL},
    {"DECIMAL_TEXT", TYPE_DECIMAL, TYPE_LIKELY, true, 2, NULL},
    {"DECIMAL", TYPE_DECIMAL, TYPE_LIKELY, false, 2, NULL},
    {"NUMERIC", TYPE_DECIMAL, TYPE_LIKELY, false, 2, NULL},
    {"DATE", TYPE_DATE, TYPE_LIKELY, true, 0, NULL},
    {"TIME", TYPE_TIME, TYPE_LIKELY, true, 1, NULL},
    {"TIMESTAMP", TYPE_TIMESTAMP, TYPE_LIKELY, true, 1, NULL},
    {"DATETIME", TYPE_TIMESTAMP, TYPE_LIKELY, false, 1, NULL},
    {"TIMESTAMPTZ", TYPE_TIMESTAMP, TYPE_LIKELY, true, 1, "UTC"},
    {"DURATION", TYPE_DURATION, TYPE_LIKELY, true, 1, NULL},
    {"TEXT", TYPE_UTF8, TYPE_CERTAIN, true, 1, NULL},
    {"VARCHAR", TYPE_UTF8, TYPE_CERTAIN, false, 1, NULL},
    {"NVARCHAR", TYPE_UTF8, TYPE_CERTAIN, false, 1, NULL},
    {"CHAR", TYPE_UTF8, TYPE_CERTAIN, false, 1, NULL},
    {"NCHAR", TYPE_UTF8, TYPE_CERTAIN, false, 1, NULL},
    {"CHARACTER", TYPE_UTF8, TYPE_CERTAIN, false, 1, NULL},
    {"VARYING CHARACTER", TYPE_UTF8, TYPE_CERTAIN, false, 1, NULL},
    {"NATIVE CHARACTER", TYPE_UTF8, TYPE_CERTAIN, false, 1, NULL},
    {"CLOB", TYPE_UTF8, TYPE_CERTAIN, false, 1, NULL},
    {"JSON_TEXT", TYPE_UTF8, TYPE_LIKELY, true, 0, "arrow.json"},
    {"JSON", TYPE_UTF8, TYPE_LIKELY, false, 0, "arrow.json"},
    {"BLOB", TYPE_BINARY, TYPE_CERTAIN, true, 1, NULL},
    {"VARBINARY", TYPE_BINARY, TYPE_LIKELY, false, 1, NULL},
    {"BYTEA", TYPE_BINARY, TYPE_LIKELY, false, 0, NULL},
    {"IMAGE", TYPE_BINARY, TYPE_LIKELY, false, 0, NULL},
    {"BINARY", TYPE_FIXED_BINARY, TYPE_LIKELY, true, 1, NULL},
    {"UUID", TYPE_FIXED_BINARY, TYPE_LIKELY, true, 0, "arrow.uuid"},
    {"UNIQUEIDENTIFIER", TYPE_FIXED_BINARY, TYPE_LIKELY, false, 0, "arrow.uuid"},
    {"GUID", TYPE_FIXED_BINARY, TYPE_LIKELY, false, 0, "arrow.uuid"},
};
#define ROW_COUNT (sizeof rows / sizeof *rows)

/* ---- affinity ---- */

static bool holds(const char *text, const char *word)
{
    size_t length = strlen(word);
    for (; *text; text++)
        if (!strncasecmp(text, word, length))
            return true;
    return false;
}

enum affinity sqlite_affinity(const char *declared)
{
    if (holds(declared, "INT"))
        return AFFINITY_INTEGER;
    if (holds(declared, "CHAR") || holds(declared, "CLOB") || holds(declared, "TEXT"))
        return AFFINITY_TEXT;
    if (!*declared || holds(declared, "BLOB"))
        return AFFINITY_BLOB;
    if (holds(declared, "REAL") || holds(declared, "FLOA") || holds(declared, "DOUB"))
        return AFFINITY_REAL;
    return AFFINITY_NUMERIC;
}

/* ---- reading ---- */

struct declared {
    const struct type_row *row; /* NULL: not in the table */
    int args[2];
    int arg_count;
};

static const char *skip_blanks(const char *at)
{
    while (isspace((unsigned char)*at))
        at++;
    return at;
}

/* "(10, 2)": false when it is anything else. */
static bool parse_args(const char *at, struct declared *declared)
{
    do {
        at = skip_blanks(at + 1);
        int value = 0, digits = 0;
        for (; isdigit((unsigned char)*at) && digits < 7; digits++)
            value = value * 10 + (*at++ - '0');
        if (!digits || declared->arg_count == 2)
            return false;
        declared->args[declared->arg_count++] = value;
        at = skip_blanks(at);
    } while (*at == ',');
    return *at == ')' && !*skip_blanks(at + 1);
}

static struct declared parse_declared(const char *text)
{
    struct declared declared = {0};
    text = skip_blanks(text);
    size_t length = strcspn(text, "(");
    const char *args = text + length;
    while (length && isspace((unsigned char)text[length - 1]))
        length--;
    if (*args && !parse_args(args, &declared))
        return declared;
    for (size_t i = 0; i < ROW_COUNT && !declared.row; i++)
        if (strlen(rows[i].name) == length && !strncasecmp(rows[i].name, text, length))
            declared.row = &rows[i];
    if (declared.row && declared.arg_count > declared.row->args_max)
        declared.row = NULL;
    return declared;
}

static enum time_unit unit_of_digits(int digits)
{
    return digits == 0 ? TIME_SECOND : digits <= 3 ? TIME_MILLI : digits <= 6 ? TIME_MICRO : TIME_NANO;
}

static bool set_decimal(const struct declared *declared, struct field *field)
{
    field->precision = declared->args[0];
    field->scale = declared->arg_count > 1 ? declared->args[1] : 0;
    return declared->arg_count && field->precision >= 1 && field->precision <= 38 &&
           field->scale <= field->precision;
}

static bool set_unit(const struct declared *declared, struct field *field)
{
    field->unit = declared->arg_count ? unit_of_digits(declared->args[0]) : TIME_MICRO;
    field->timezone = declared->row->note;
    return !declared->arg_count || declared->args[0] <= 9;
}

static bool set_width(const struct declared *declared, struct field *field)
{
    field->extension = declared->row->note;
    field->width = field->extension ? 16 : declared->args[0];
    return field->width > 0 && field->width <= FIXED_BINARY_MAX;
}

/* What the row and its numbers mean; false: they mean nothing together. */
static bool set_field(const struct declared *declared, struct field *field)
{
    field->type = declared->row->type;
    switch (field->type) {
    case TYPE_DECIMAL:
        return set_decimal(declared, field);
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_DURATION:
        return set_unit(declared, field);
    case TYPE_FIXED_BINARY:
        return set_width(declared, field);
    case TYPE_UTF8:
        field->extension = declared->row->note;
        return true;
    default:
        return true;
    }
}

static void clear_type(struct field *field, enum type_id type)
{
    field->type = type;
    field->precision = field->scale = field->width = 0;
    field->unit = TIME_SECOND;
    field->timezone = field->extension = NULL;
}

enum certainty sqlite_type_read(const char *declared, struct field *field)
{
    struct declared parsed = parse_declared(declared);
    clear_type(field, TYPE_UTF8);
    if (parsed.row && set_field(&parsed, field))
        return parsed.row->certainty;
    switch (sqlite_affinity(declared)) {
    case AFFINITY_INTEGER:
        clear_type(field, TYPE_INT64); /* "POINT" and "FLOATING POINT" too, hence only likely */
        return TYPE_LIKELY;
    case AFFINITY_REAL:
        clear_type(field, TYPE_FLOAT64);
        return TYPE_LIKELY;
    case AFFINITY_TEXT:
        clear_type(field, TYPE_UTF8);
        return TYPE_CERTAIN;
    case AFFINITY_NUMERIC:
        clear_type(field, TYPE_FLOAT64);
        return TYPE_OPEN;
    default:
        clear_type(field, *declared ? TYPE_BINARY : TYPE_UTF8);
        return *declared ? TYPE_CERTAIN : TYPE_OPEN;
    }
}

/* ---- writing ---- */

/* The origin's declared type, when it is one of the table and holds this field. */
static bool find_origin(const struct field *field, struct declared *declared)
{
    static const char engine[] = "sqlite:";
    if (!field->sql_type || strncmp(field->sql_type, engine, sizeof engine - 1))
        return false;
    struct field meant = {0};
    *declared = parse_declared(field->sql_type + sizeof engine - 1);
    if (!declared->row || !set_field(declared, &meant) || !field_equal(&meant, field, false))
        return false;
    bool as_double = field->type == TYPE_DECIMAL && !declared->row->made;
    bool as_number = field->type == TYPE_UTF8 && declared->row->note && !declared->row->made; /* JSON */
    return !as_number && (!as_double || field->precision <= DOUBLE_DIGITS);
}

static bool same_note(const struct type_row *row, const struct field *field)
{
    if (field->type == TYPE_TIMESTAMP)
        return !row->note == !field->timezone;
    return !row->note == !field->extension && (!row->note || !strcmp(row->note, field->extension));
}

static struct declared choose(const struct field *field)
{
    static const int digits[] = {[TIME_SECOND] = 0, [TIME_MILLI] = 3, [TIME_MICRO] = 6, [TIME_NANO] = 9};
    struct declared declared = {0};
    for (size_t i = 0; i < ROW_COUNT && !declared.row; i++)
        if (rows[i].type == field->type && rows[i].made && same_note(&rows[i], field))
            declared.row = &rows[i];
    if (!declared.row)
        declared.row =
            field->type == TYPE_FIXED_BINARY ? parse_declared("BINARY").row : parse_declared("TEXT").row;
    if (field->type == TYPE_DECIMAL) {
        declared.args[0] = field->precision;
        declared.args[1] = field->scale;
        declared.arg_count = 2;
    } else if (declared.row->type == TYPE_FIXED_BINARY && !declared.row->note) {
        declared.args[0] = field->width;
        declared.arg_count = 1;
    } else if (declared.row->args_max == 1 && field->unit != TIME_MICRO &&
               (field->type == TYPE_TIME || field->type == TYPE_TIMESTAMP || field->type == TYPE_DURATION)) {
        declared.args[0] = digits[field->unit];
        declared.arg_count = 1;
    }
    return declared;
}

const char *sqlite_type_write(const struct field *field, struct arena *arena)
{
    struct declared declared;
    if (!find_origin(field, &declared))
        declared = choose(field);
    if (!declared.arg_count)
        return arena_text(arena, declared.row->name);
    if (declared.arg_count == 1)
        return arena_printf(arena, "%s(%d)", declared.row->name, declared.args[0]);
    return arena_printf(arena, "%s(%d,%d)", declared.row->name, declared.args[0], declared.args[1]);
}
