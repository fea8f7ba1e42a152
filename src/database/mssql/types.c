/*
 * types.c: the type table of SQL Server, read from the wire to ours.
 *
 * One row per type byte and length; `args` says what stands in parentheses
 * behind the name. time(7) is in nanoseconds, shorter ones in microseconds.
 * datetime and its like are in the unit asked for, or structs; a digit of 100 ns
 * that does not fit microseconds is a counted loss of the decoder, as are the
 * offset of a datetimeoffset and the base type of a sql_variant.
 */
#include "database/mssql/types.h"

#include <stdio.h>
#include <string.h>

struct type_row {
    uint8_t code;
    uint8_t length; /* 0: any */
    const char *name;
    enum type_id type;
    enum ms_args args;
    const char *extension;
};

static const struct type_row rows[] = {
    {MS_NULL, 0, "int", TYPE_INT32, ARGS_NONE, NULL},
    {MS_BIT, 0, "bit", TYPE_BOOL, ARGS_NONE, NULL},
    {MS_BITN, 0, "bit", TYPE_BOOL, ARGS_NONE, NULL},
    {MS_INT1, 0, "tinyint", TYPE_UINT8, ARGS_NONE, NULL},
    {MS_INT2, 0, "smallint", TYPE_INT16, ARGS_NONE, NULL},
    {MS_INT4, 0, "int", TYPE_INT32, ARGS_NONE, NULL},
    {MS_INT8, 0, "bigint", TYPE_INT64, ARGS_NONE, NULL},
    {MS_INTN, 1, "tinyint", TYPE_UINT8, ARGS_NONE, NULL},
    {MS_INTN, 2, "smallint", TYPE_INT16, ARGS_NONE, NULL},
    {MS_INTN, 4, "int", TYPE_INT32, ARGS_NONE, NULL},
    {MS_INTN, 8, "bigint", TYPE_INT64, ARGS_NONE, NULL},
    {MS_FLT4, 0, "real", TYPE_FLOAT32, ARGS_NONE, NULL},
    {MS_FLT8, 0, "float", TYPE_FLOAT64, ARGS_NONE, NULL},
    {MS_FLTN, 4, "real", TYPE_FLOAT32, ARGS_NONE, NULL},
    {MS_FLTN, 8, "float", TYPE_FLOAT64, ARGS_NONE, NULL},
    {MS_DECIMALN, 0, "decimal", TYPE_DECIMAL, ARGS_DECIMAL, NULL},
    {MS_NUMERICN, 0, "numeric", TYPE_DECIMAL, ARGS_DECIMAL, NULL},
    {MS_MONEY, 0, "money", TYPE_DECIMAL, ARGS_NONE, NULL},
    {MS_MONEY4, 0, "smallmoney", TYPE_DECIMAL, ARGS_NONE, NULL},
    {MS_MONEYN, 8, "money", TYPE_DECIMAL, ARGS_NONE, NULL},
    {MS_MONEYN, 4, "smallmoney", TYPE_DECIMAL, ARGS_NONE, NULL},
    {MS_DATETIME, 0, "datetime", TYPE_TIMESTAMP, ARGS_NONE, NULL},
    {MS_DATETIM4, 0, "smalldatetime", TYPE_TIMESTAMP, ARGS_NONE, NULL},
    {MS_DATETIMN, 8, "datetime", TYPE_TIMESTAMP, ARGS_NONE, NULL},
    {MS_DATETIMN, 4, "smalldatetime", TYPE_TIMESTAMP, ARGS_NONE, NULL},
    {MS_DATE, 0, "date", TYPE_DATE, ARGS_NONE, NULL},
    {MS_TIME, 0, "time", TYPE_TIME, ARGS_SCALE, NULL},
    {MS_DATETIME2, 0, "datetime2", TYPE_TIMESTAMP, ARGS_SCALE, NULL},
    {MS_DATETIMEOFFSET, 0, "datetimeoffset", TYPE_TIMESTAMP, ARGS_SCALE, NULL},
    {MS_BIGCHAR, 0, "char", TYPE_UTF8, ARGS_BYTES, NULL},
    {MS_BIGVARCHAR, 0, "varchar", TYPE_UTF8, ARGS_BYTES, NULL},
    {MS_NCHAR, 0, "nchar", TYPE_UTF8, ARGS_UNITS, NULL},
    {MS_NVARCHAR, 0, "nvarchar", TYPE_UTF8, ARGS_UNITS, NULL},
    {MS_TEXT, 0, "text", TYPE_UTF8, ARGS_NONE, NULL},
    {MS_NTEXT, 0, "ntext", TYPE_UTF8, ARGS_NONE, NULL},
    {MS_XML, 0, "xml", TYPE_UTF8, ARGS_NONE, NULL},
    {MS_JSON, 0, "json", TYPE_UTF8, ARGS_NONE, "arrow.json"},
    {MS_VARIANT, 0, "sql_variant", TYPE_UTF8, ARGS_NONE, NULL},
    {MS_BIGBINARY, 0, "binary", TYPE_FIXED_BINARY, ARGS_BYTES, NULL},
    {MS_BIGVARBINARY, 0, "varbinary", TYPE_BINARY, ARGS_BYTES, NULL},
    {MS_IMAGE, 0, "image", TYPE_BINARY, ARGS_NONE, NULL},
    {MS_UDT, 0, "udt", TYPE_BINARY, ARGS_NONE, NULL},
    {MS_GUID, 0, "uniqueidentifier", TYPE_FIXED_BINARY, ARGS_NONE, "arrow.uuid"},
};

static const struct type_row *find_row(const struct ms_type *type)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].code == type->code && (rows[i].length == 0 || rows[i].length == type->length))
            return &rows[i];
    return NULL;
}

static void print_args(const struct ms_type *type, enum ms_args args, char *out, size_t size)
{
    out[0] = '\0';
    if (args == ARGS_DECIMAL)
        snprintf(out, size, "(%d,%d)", type->precision, type->scale);
    else if (args == ARGS_SCALE)
        snprintf(out, size, "(%d)", type->scale);
    else if (args != ARGS_NONE && type->length == MS_MAX)
        snprintf(out, size, "(max)");
    else if (args != ARGS_NONE)
        snprintf(out, size, "(%u)", args == ARGS_UNITS ? type->length / 2 : type->length);
}

/* The nullable form of a fixed type stands behind it in the table, with its length. */
bool ms_type_by_name(const char *name, struct ms_type *type, enum ms_args *args)
{
    const struct type_row *found = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].code != MS_NULL && strcmp(rows[i].name, name) == 0)
            found = &rows[i];
    if (!found)
        return false;
    *type = (struct ms_type){.code = found->code, .length = found->length, .frame = FRAME_U8};
    *args = found->args;
    bool stream = found->code == MS_XML || found->code == MS_JSON || found->code == MS_UDT;
    bool old = found->code == MS_TEXT || found->code == MS_NTEXT || found->code == MS_IMAGE;
    if (stream || old)
        type->frame = stream ? FRAME_PLP : FRAME_TEXTPTR;
    if (found->code == MS_GUID)
        type->length = 16;
    return true;
}

static void set_decimal(const struct ms_type *type, enum ms_args args, struct field *field)
{
    bool small = type->code == MS_MONEY4 || (type->code == MS_MONEYN && type->length == 4);
    field->precision = args == ARGS_DECIMAL ? type->precision : small ? 10 : 19;
    field->scale = args == ARGS_DECIMAL ? type->scale : 4;
}

static enum haul_code set_struct(const struct ms_type *type, struct arena *arena, struct field *field,
                                 struct haul_error *err)
{
    bool variant = type->code == MS_VARIANT, zoned = type->code == MS_DATETIMEOFFSET;
    struct field *child = arena_alloc(arena, 3 * sizeof *child);
    if (!child)
        return error_nomem(err, "columns");
    *field = (struct field){.name = field->name, .type = TYPE_STRUCT, .children = child};
    if (variant) {
        child[field->child_count++] = (struct field){.name = "type", .type = TYPE_UTF8};
        child[field->child_count++] = (struct field){.name = "value", .type = TYPE_UTF8};
        return HAUL_OK;
    }
    child[field->child_count++] = (struct field){
        .name = "timestamp", .type = TYPE_TIMESTAMP, .unit = TIME_MICRO, .timezone = zoned ? "UTC" : NULL};
    if (zoned)
        child[field->child_count++] = (struct field){.name = "offset_minutes", .type = TYPE_INT16};
    if (type->scale == 7)
        child[field->child_count++] = (struct field){.name = "nanoseconds", .type = TYPE_INT16};
    else
        field->extension = "arrow.timestamp_with_offset";
    return HAUL_OK;
}

static bool is_struct(const struct ms_type *type, enum ms_moments moments)
{
    return moments == MOMENTS_EXACT && (type->code == MS_VARIANT || type->code == MS_DATETIMEOFFSET ||
                                        (type->code == MS_DATETIME2 && type->scale == 7));
}

static void set_details(const struct ms_type *type, const struct type_row *row, enum ms_moments moments,
                        struct field *field)
{
    field->type = row->type;
    field->extension = row->extension;
    if (row->type == TYPE_DECIMAL)
        set_decimal(type, row->args, field);
    if (row->type == TYPE_TIME)
        field->unit = type->scale == 7 ? TIME_NANO : TIME_MICRO;
    if (row->type == TYPE_TIMESTAMP)
        field->unit = moments == MOMENTS_NANO ? TIME_NANO : TIME_MICRO;
    if (type->code == MS_DATETIMEOFFSET)
        field->timezone = "UTC";
    if (row->type == TYPE_FIXED_BINARY && type->length == 0)
        field->type = TYPE_BINARY;
    else if (row->type == TYPE_FIXED_BINARY)
        field->width = (int)type->length;
}

void ms_type_print(const struct ms_type *type, char *out, size_t size)
{
    const struct type_row *row = find_row(type);
    char args[32] = "";
    if (row)
        print_args(type, row->args, args, sizeof args);
    snprintf(out, size, "%s%s", row ? row->name : "unknown", args);
}

enum haul_code ms_type_field(const struct ms_column *column, enum ms_moments moments, struct arena *arena,
                             struct field *field, struct haul_error *err)
{
    const struct type_row *row = find_row(&column->type);
    char args[32];
    if (!row)
        return error_set(err, HAUL_UNSUPPORTED, "column \"%s\": haul cannot read the type 0x%02X",
                         column->name, column->type.code);
    if (is_struct(&column->type, moments)) {
        if (set_struct(&column->type, arena, field, err))
            return err->code;
    } else {
        set_details(&column->type, row, moments, field);
    }
    field->nullable = column->flags & MS_FLAG_NULLABLE;
    print_args(&column->type, row->args, args, sizeof args);
    bool version = column->user_type == MS_USER_ROWVERSION && column->type.length == 8;
    if (version && field->type == TYPE_BINARY) { /* a nullable one comes as varbinary(8) */
        field->type = TYPE_FIXED_BINARY;
        field->width = 8;
    }
    field->sql_type = version
                          ? arena_text(arena, "mssql:rowversion")
                          : arena_printf(arena, "mssql:%s%s", column->udt ? column->udt : row->name, args);
    return field->sql_type ? HAUL_OK : error_nomem(err, "columns");
}
