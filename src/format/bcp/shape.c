/*
 * shape.c: layouts from columns, and columns from layouts.
 *
 * A native field says its type itself; of a text field the type is what --schema,
 * the table, or an XML format file say, else it stays text. The digits of a decimal
 * are in none of a classic file's words: without a table they are decimal(38,
 * scale), the scale that its first value has (input.c looks for it).
 */
#include "format/bcp/shape.h"

#include "base/utf16.h"
#include "batch/override.h"
#include <string.h>

/* ---- a layout of columns ---- */

static enum haul_code set_end(struct bcp_layout *layout, struct bcp_field *field, const uint8_t *end,
                              size_t length, struct haul_error *err)
{
    uint8_t wide[2 * BCP_END_BYTES_MAX];
    if (field->host == HOST_NCHAR) {
        length = utf16_from_utf8(end, length, wide);
        end = wide;
    }
    char *copy = arena_text_n(&layout->arena, (const char *)end, length);
    field->end = (const uint8_t *)copy;
    field->end_length = length;
    return copy ? HAUL_OK : error_nomem(err, "a format file");
}

static enum haul_code derive_field(struct bcp_layout *layout, int i, const struct field *column,
                                   const struct bcp_options *options, struct haul_error *err)
{
    struct bcp_field *field = &layout->fields[i];
    const enum bcp_storage storage = options->storage;
    const bool text = storage == STORAGE_CHAR || storage == STORAGE_UNICODE;
    field->type = bcp_type_of(column);
    field->not_null = !column->nullable;
    field->alone = !options->format_file;
    field->column = i + 1;
    field->id = arena_printf(&layout->arena, "%d", i + 1);
    field->name = arena_text(&layout->arena, column->name);
    field->collation = bcp_sql_is_text(field->type.sql) && column->collation
                           ? arena_text(&layout->arena, column->collation)
                           : "";
    field->end = (const uint8_t *)"";
    if (!field->id || !field->name || !field->collation)
        return error_nomem(err, "a format file");
    if (text) {
        bool wide = storage == STORAGE_UNICODE;
        uint32_t chars = bcp_type_chars(&field->type);
        bool counted = field->type.sql == SQL_NCHAR || field->type.sql == SQL_NVARCHAR;
        field->host = wide ? HOST_NCHAR : HOST_CHAR;
        field->length = wide && !counted ? chars * 2 : chars;
        bool last = i + 1 == layout->count;
        return set_end(layout, field, last ? options->row_end : options->field_end,
                       last ? options->row_end_length : options->field_end_length, err);
    }
    field->host = bcp_sqls[field->type.sql].host;
    field->prefix = bcp_type_prefix(&field->type, field->not_null);
    field->length = bcp_type_bytes(&field->type);
    if (storage == STORAGE_UNICODE_NATIVE && field->host == HOST_CHAR) {
        field->host = HOST_NCHAR;
        field->length *= 2;
    }
    return HAUL_OK;
}

enum haul_code bcp_layout_derive(struct bcp_layout *layout, const struct schema *schema,
                                 const struct bcp_options *options, struct haul_error *err)
{
    memset(layout, 0, sizeof *layout);
    if (bcp_layout_init(layout, schema->count, err))
        return err->code;
    layout->xml = options->xml;
    layout->version = options->version;
    layout->columns = schema->count;
    for (int i = 0; i < schema->count; i++)
        if (derive_field(layout, i, &schema->fields[i], options, err))
            return err->code;
    return HAUL_OK;
}

/* ---- columns of a layout ---- */

/* The type that a host says on its own. */
static struct bcp_type type_of_host(const struct bcp_field *field)
{
    static const enum bcp_sql types[HOST_COUNT] = {
        [HOST_CHAR] = SQL_VARCHAR,
        [HOST_NCHAR] = SQL_NVARCHAR,
        [HOST_BINARY] = SQL_VARBINARY,
        [HOST_TINYINT] = SQL_TINYINT,
        [HOST_SMALLINT] = SQL_SMALLINT,
        [HOST_INT] = SQL_INT,
        [HOST_BIGINT] = SQL_BIGINT,
        [HOST_BIT] = SQL_BIT,
        [HOST_FLT4] = SQL_REAL,
        [HOST_FLT8] = SQL_FLOAT,
        [HOST_MONEY4] = SQL_SMALLMONEY,
        [HOST_MONEY] = SQL_MONEY,
        [HOST_DECIMAL] = SQL_DECIMAL,
        [HOST_NUMERIC] = SQL_NUMERIC,
        [HOST_DATETIM4] = SQL_SMALLDATETIME,
        [HOST_DATETIME] = SQL_DATETIME,
        [HOST_DATE] = SQL_DATE,
        [HOST_TIME] = SQL_TIME,
        [HOST_DATETIME2] = SQL_DATETIME2,
        [HOST_DATETIMEOFFSET] = SQL_DATETIMEOFFSET,
        [HOST_UNIQUEID] = SQL_UNIQUEIDENTIFIER,
        [HOST_VARIANT] = SQL_VARIANT,
        [HOST_UDT] = SQL_UDT,
    };
    struct bcp_type type = {.sql = types[field->host], .scale = 7};
    if (field->host == HOST_DECIMAL || field->host == HOST_NUMERIC) {
        type.precision = 38;
        type.scale = 0;
    }
    return type;
}

/* Can a field stored so be a column of that type, without a cast? A native number is
 * what it is; text becomes anything. */
static bool type_fits(const struct bcp_field *field, const struct bcp_type *type)
{
    if (bcp_host_is_text(field->host))
        return true;
    return bcp_sqls[type->sql].host == field->host ||
           (field->host == HOST_DECIMAL && type->sql == SQL_NUMERIC) ||
           (field->host == HOST_NUMERIC && type->sql == SQL_DECIMAL);
}

static enum haul_code column_field(const struct bcp_field *stored, const struct bcp_options *options,
                                   const struct field *like, struct schema *schema, struct field *column,
                                   struct haul_error *err)
{
    struct bcp_type type = like ? bcp_type_of(like) : stored->type;
    if (!type.sql || !type_fits(stored, &type))
        type = type_of_host(stored);
    column->name = arena_text(&schema->arena, like ? like->name : stored->name);
    column->nullable = stored->prefix > 0 || !bcp_hosts[stored->host].bytes;
    if (!column->name)
        return error_nomem(err, "columns");
    /* A length that a file says is no promise about its values. */
    if (!like && !stored->type.sql && bcp_sqls[type.sql].args == ARGS_LENGTH)
        type.length = 0;
    if (type.sql == SQL_BINARY && (stored->prefix || type.length == 0))
        type.sql = SQL_VARBINARY; /* values may be shorter */
    return bcp_type_field(&type, options->moments, &schema->arena, column, err);
}

enum haul_code bcp_schema_override(const struct bcp_layout *layout, const int *fields, const char *text,
                                   struct schema *schema, struct haul_error *err)
{
    bool *forced = arena_alloc_array(&schema->arena, (size_t)schema->count, sizeof *forced);
    struct schema own = {0};
    if (!forced)
        return error_nomem(err, "--schema");
    if (schema_copy(schema, &own, err) || schema_override(text, schema, forced, err)) {
        schema_release(&own);
        return err->code;
    }
    for (int i = 0; i < schema->count; i++) {
        const struct bcp_field *stored = &layout->fields[fields[i]];
        bool decimal = own.fields[i].type == TYPE_DECIMAL && schema->fields[i].type == TYPE_DECIMAL;
        if (forced[i] && bcp_host_is_text(stored->host))
            schema->fields[i].sql_type = NULL; /* it was that of text */
        if (!forced[i] || bcp_host_is_text(stored->host) || decimal ||
            field_equal(&own.fields[i], &schema->fields[i], false))
            continue;
        error_set(err, HAUL_USAGE,
                  "--schema: column \"%s\" is %s in the file; only text and decimals take a type",
                  schema->fields[i].name, bcp_hosts[stored->host].name);
        schema_release(&own);
        return err->code;
    }
    schema_release(&own);
    return HAUL_OK;
}

/* A name for each column, no two the same: a classic file's are for people. */
static enum haul_code name_column(struct schema *schema, int i, struct haul_error *err)
{
    struct field *field = &schema->fields[i];
    bool taken = !field->name[0];
    for (int j = 0; j < i && !taken; j++)
        taken = strcmp(schema->fields[j].name, field->name) == 0;
    if (taken)
        field->name = arena_printf(&schema->arena, "%s%s%d", field->name[0] ? field->name : "column",
                                   field->name[0] ? "_" : "", i + 1);
    return field->name ? HAUL_OK : error_nomem(err, "columns");
}

/* The fields that are columns, by their column's number. */
static enum haul_code order_fields(const struct bcp_layout *layout, struct schema *schema, int *fields,
                                   struct haul_error *err)
{
    int *by_column = arena_alloc_array(&schema->arena, BCP_FIELDS_MAX + 1, sizeof *by_column);
    int count = 0;
    if (!by_column)
        return error_nomem(err, "columns");
    for (int i = 0; i < layout->count; i++)
        by_column[layout->fields[i].column] = i + 1;
    for (int column = 1; column <= BCP_FIELDS_MAX; column++)
        if (by_column[column])
            fields[count++] = by_column[column] - 1;
    return HAUL_OK;
}

enum haul_code bcp_layout_schema(const struct bcp_layout *layout, const struct bcp_options *options,
                                 const struct schema *like, struct schema *schema, int **fields,
                                 struct haul_error *err)
{
    if (schema_init(schema, layout->columns, err))
        return err->code;
    *fields = arena_alloc_array(&schema->arena, (size_t)layout->columns, sizeof **fields);
    if (!*fields)
        return error_nomem(err, "columns");
    if (order_fields(layout, schema, *fields, err))
        return err->code;
    for (int i = 0; i < schema->count; i++) {
        const struct bcp_field *stored = &layout->fields[(*fields)[i]];
        const struct field *known = NULL;
        if (like && stored->column > like->count)
            return error_set(err, HAUL_DATA, "field %s is server column %d, and the table has %d columns",
                             stored->id, stored->column, like->count);
        if (like)
            known = &like->fields[stored->column - 1];
        if (column_field(stored, options, known, schema, &schema->fields[i], err) ||
            name_column(schema, i, err))
            return err->code;
    }
    return HAUL_OK;
}

/* ---- writing ---- */

/* Types that print.c and encode.c know as they are. */
static bool prints(const struct field *field)
{
    switch (field->type) {
    case TYPE_NULL:
    case TYPE_FLOAT16:
    case TYPE_DURATION:
    case TYPE_LIST:
    case TYPE_STRUCT:
    case TYPE_MAP:
        return false;
    default:
        return true;
    }
}

/* A struct of --timestamps exact, which is written as the moment, or the variant's value, that it is. */
static bool is_exact(const struct field *field)
{
    const enum bcp_sql sql = bcp_type_of(field).sql;
    return field->type == TYPE_STRUCT && (bcp_sqls[sql].type == TYPE_TIMESTAMP || sql == SQL_VARIANT);
}

enum haul_code bcp_field_negotiate(const struct bcp_field *stored, struct arena *arena, struct field *to,
                                   struct haul_error *err)
{
    struct bcp_type type = stored->type;
    const char *name = to->name, *sql_type = to->sql_type;
    const bool nullable = to->nullable;
    if (bcp_host_is_text(stored->host)) {
        if (prints(to) || is_exact(to))
            return HAUL_OK;
        *to = (struct field){.name = name, .nullable = nullable, .type = TYPE_UTF8, .sql_type = sql_type};
        return HAUL_OK;
    }
    if (!type.sql || !type_fits(stored, &type))
        type = bcp_type_of(to);
    if (!type_fits(stored, &type))
        type = type_of_host(stored);
    if ((stored->host == HOST_DECIMAL || stored->host == HOST_NUMERIC) && to->type == TYPE_DECIMAL) {
        type.precision = to->precision;
        type.scale = to->scale;
    }
    const bool nanos = to->type == TYPE_TIMESTAMP && to->unit == TIME_NANO;
    const struct bcp_type own = bcp_type_of(to);
    if (is_exact(to) && bcp_sqls[own.sql].host == stored->host)
        return HAUL_OK;
    if (stored->host == HOST_BINARY && to->type == TYPE_FIXED_BINARY)
        return HAUL_OK;
    *to = (struct field){.name = name, .nullable = nullable};
    if (bcp_type_field(&type, nanos ? MOMENTS_NANO : MOMENTS_MICRO, arena, to, err))
        return err->code;
    to->sql_type = sql_type ? sql_type : to->sql_type;
    return HAUL_OK;
}
