/*
 * declare.c: types as SQL Server writes them, read and written.
 *
 * A column that came from SQL Server gets the type it had, when that still means
 * what the column is: the text is read through the type table and printed anew,
 * never pasted, because a file may say anything. Text of other databases keeps a
 * declared length: twice of it, since theirs count characters and nvarchar counts
 * UTF-16 units; --measure found the length of what it read; all else of unknown length is (max), save in a
 * key, which cannot be.
 */
#include "database/mssql/types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define KEY_UNITS 450 /* nvarchar in a key: 900 bytes */
#define KEY_BYTES 900
#define BYTES_MAX 8000
#define UNITS_MAX 4000

/* ---- reading "decimal(9,2)" ---- */

struct arguments {
    int count;
    bool max;
    int numbers[2];
};

/* "", "(max)", "(3)" or "(9,2)". */
static bool read_arguments(const char *text, struct arguments *out)
{
    char *end;
    *out = (struct arguments){0};
    if (!*text)
        return true;
    if (*text++ != '(')
        return false;
    if (strcasecmp(text, "max)") == 0) {
        out->max = true;
        return true;
    }
    while (out->count < 2) {
        long number = strtol(text, &end, 10);
        if (end == text || number < 0 || number > BYTES_MAX)
            return false;
        out->numbers[out->count++] = (int)number;
        if (*end == ')')
            return end[1] == '\0';
        if (*end != ',')
            return false;
        text = end + 1;
    }
    return false;
}

static uint8_t decimal_bytes(int precision)
{
    return precision <= 9 ? 5 : precision <= 19 ? 9 : precision <= 28 ? 13 : 17;
}

static bool set_sizes(const struct arguments *given, struct ms_type *type, unsigned unit)
{
    bool fixed = type->code == MS_BIGCHAR || type->code == MS_NCHAR || type->code == MS_BIGBINARY;
    unsigned length = given->count ? (unsigned)given->numbers[0] * unit : unit;
    type->length = given->max ? MS_MAX : length;
    type->frame = given->max ? FRAME_PLP : FRAME_U16;
    return given->max ? !fixed : given->count <= 1 && length >= unit && length <= BYTES_MAX;
}

static bool set_decimal_sizes(const struct arguments *given, struct ms_type *type)
{
    int precision = given->count ? given->numbers[0] : 18, scale = given->count > 1 ? given->numbers[1] : 0;
    type->precision = (uint8_t)precision;
    type->scale = (uint8_t)scale;
    type->length = decimal_bytes(precision);
    return !given->max && precision >= 1 && precision <= 38 && scale <= precision;
}

static bool set_scale(const struct arguments *given, struct ms_type *type)
{
    int scale = given->count ? given->numbers[0] : 7;
    type->scale = (uint8_t)scale;
    return !given->max && given->count <= 1 && scale <= 7;
}

bool ms_type_parse(const char *declared, struct ms_column *out)
{
    char name[32];
    struct arguments given;
    size_t length = strcspn(declared, "(");
    if (length >= sizeof name || !read_arguments(declared + length, &given))
        return false;
    memcpy(name, declared, length);
    name[length] = '\0';
    *out = (struct ms_column){.name = "", .flags = MS_FLAG_NULLABLE};
    enum ms_args args;
    if (!ms_type_by_name(name, &out->type, &args))
        return false;
    switch (args) {
    case ARGS_DECIMAL:
        return set_decimal_sizes(&given, &out->type);
    case ARGS_SCALE:
        return set_scale(&given, &out->type);
    case ARGS_BYTES:
        return set_sizes(&given, &out->type, 1);
    case ARGS_UNITS:
        return set_sizes(&given, &out->type, 2);
    default:
        return !given.max && given.count == 0;
    }
}

/* ---- writing ---- */

/* In a key there is no (max) and no long type. */
static bool may_be_key(const struct ms_type *type)
{
    return type->frame != FRAME_PLP && type->frame != FRAME_TEXTPTR;
}

static bool is_loaded(const struct ms_type *type)
{
    return type->code != MS_VARIANT && type->code != MS_UDT && type->code != MS_JSON;
}

/* The type the column had in SQL Server, when it still means this field. */
static const char *origin(const struct field *field, bool key, struct arena *arena)
{
    static const char engine[] = "mssql:";
    struct arena scratch = {0};
    struct haul_error unused = {0};
    struct field meant = {0};
    struct ms_column column;
    const char *text = field->sql_type, *kept = NULL;
    enum ms_moments moments = field->type == TYPE_STRUCT                                  ? MOMENTS_EXACT
                              : field->type == TYPE_TIMESTAMP && field->unit == TIME_NANO ? MOMENTS_NANO
                                                                                          : MOMENTS_MICRO;
    if (!text || strncmp(text, engine, sizeof engine - 1) != 0 ||
        !ms_type_parse(text + sizeof engine - 1, &column) || !is_loaded(&column.type) ||
        (key && !may_be_key(&column.type)))
        return NULL;
    if (!ms_type_field(&column, moments, &scratch, &meant, &unused) && field_equal(field, &meant, false))
        kept = arena_text(arena, meant.sql_type + sizeof engine - 1);
    arena_release(&scratch);
    return kept;
}

/* --measure: "measured:nvarchar(20)"; 0: nobody has measured it. */
static int measured_length(const struct field *field)
{
    static const char prefix[] = "measured:";
    const char *text = field->sql_type;
    struct arguments given;
    if (!text || strncmp(text, prefix, sizeof prefix - 1) != 0)
        return 0;
    return read_arguments(text + strcspn(text, "("), &given) && given.count == 1 ? given.numbers[0] : 0;
}

/* What stands in parentheses behind another database's char or varchar; 0 nothing. */
static int declared_length(const char *sql_type)
{
    static const char *const names[] = {"varchar", "char",  "character varying", "character", "nvarchar",
                                        "nchar",   "bpchar"};
    const char *text = sql_type ? strchr(sql_type, ':') : NULL;
    struct arguments given;
    if (!text)
        return 0;
    size_t length = strcspn(++text, "(");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == length && strncasecmp(text, names[i], length) == 0 &&
            read_arguments(text + length, &given) && given.count == 1)
            return given.numbers[0];
    return 0;
}

static const char *text_type(const struct field *field, bool key, struct arena *arena)
{
    int measured = measured_length(field), most = key ? KEY_UNITS : UNITS_MAX;
    int length = measured ? measured : declared_length(field->sql_type) * 2;
    if (length > 0 && length <= most)
        return arena_printf(arena, "nvarchar(%d)", length);
    return key ? arena_printf(arena, "nvarchar(%d)", KEY_UNITS) : "nvarchar(max)";
}

static const char *binary_type(const struct field *field, bool key, struct arena *arena)
{
    if (field->extension && strcmp(field->extension, "arrow.uuid") == 0 && field->width == 16)
        return "uniqueidentifier";
    if (field->type == TYPE_FIXED_BINARY && field->width > 0 && field->width <= (key ? KEY_BYTES : BYTES_MAX))
        return arena_printf(arena, "binary(%d)", field->width);
    int measured = measured_length(field), most = key ? KEY_BYTES : BYTES_MAX;
    if (measured > 0 && measured <= most)
        return arena_printf(arena, "varbinary(%d)", measured);
    return key ? arena_printf(arena, "varbinary(%d)", KEY_BYTES) : "varbinary(max)";
}

static const char *plain_type(enum type_id type)
{
    static const char *const names[TYPE_COUNT] = {
        [TYPE_BOOL] = "bit",     [TYPE_INT8] = "smallint", [TYPE_INT16] = "smallint",
        [TYPE_INT32] = "int",    [TYPE_INT64] = "bigint",  [TYPE_UINT8] = "tinyint",
        [TYPE_UINT16] = "int",   [TYPE_UINT32] = "bigint", [TYPE_UINT64] = "decimal(20,0)",
        [TYPE_FLOAT16] = "real", [TYPE_FLOAT32] = "real",  [TYPE_FLOAT64] = "float",
        [TYPE_DATE] = "date",
    };
    return names[type];
}

const char *ms_type_declare(const struct field *field, bool key, struct arena *arena)
{
    static const int digits[] = {[TIME_SECOND] = 0, [TIME_MILLI] = 3, [TIME_MICRO] = 6, [TIME_NANO] = 7};
    const char *kept = origin(field, key, arena);
    if (kept)
        return kept;
    switch (field->type) {
    case TYPE_DECIMAL:
        return arena_printf(arena, "decimal(%d,%d)", field->precision, field->scale);
    case TYPE_TIME:
        return arena_printf(arena, "time(%d)", digits[field->unit]);
    case TYPE_TIMESTAMP:
        return arena_printf(arena, field->timezone ? "datetimeoffset(%d)" : "datetime2(%d)",
                            digits[field->unit]);
    case TYPE_BINARY:
    case TYPE_FIXED_BINARY:
        return binary_type(field, key, arena);
    default:
        return plain_type(field->type) ? plain_type(field->type) : text_type(field, key, arena);
    }
}
