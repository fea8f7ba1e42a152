/*
 * sql_type.c: the two tables of types and what follows from them.
 *
 * Prefixes and lengths are those of Microsoft's "Specify prefix length" and
 * "Specify field length"; those of the types of 2008 are from observed files
 * (docs/bcp.md says which are in doubt).
 */
#include "format/bcp/sql_type.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const struct bcp_host_info bcp_hosts[HOST_COUNT] = {
    [HOST_CHAR] = {"SQLCHAR", 0},
    [HOST_NCHAR] = {"SQLNCHAR", 0},
    [HOST_BINARY] = {"SQLBINARY", 0},
    [HOST_TINYINT] = {"SQLTINYINT", 1},
    [HOST_SMALLINT] = {"SQLSMALLINT", 2},
    [HOST_INT] = {"SQLINT", 4},
    [HOST_BIGINT] = {"SQLBIGINT", 8},
    [HOST_BIT] = {"SQLBIT", 1},
    [HOST_FLT4] = {"SQLFLT4", 4},
    [HOST_FLT8] = {"SQLFLT8", 8},
    [HOST_MONEY4] = {"SQLMONEY4", 4},
    [HOST_MONEY] = {"SQLMONEY", 8},
    [HOST_DECIMAL] = {"SQLDECIMAL", 19},
    [HOST_NUMERIC] = {"SQLNUMERIC", 19},
    [HOST_DATETIM4] = {"SQLDATETIM4", 4},
    [HOST_DATETIME] = {"SQLDATETIME", 8},
    [HOST_DATE] = {"SQLDATE", 3},
    [HOST_TIME] = {"SQLTIME", 5},
    [HOST_DATETIME2] = {"SQLDATETIME2", 8},
    [HOST_DATETIMEOFFSET] = {"SQLDATETIMEOFFSET", 10},
    [HOST_UNIQUEID] = {"SQLUNIQUEID", 16},
    [HOST_VARIANT] = {"SQLVARIANT", 0},
    [HOST_UDT] = {"SQLUDT", 0},
};

/* Names of other versions (4.2 to 7.0 say SYB...) and of columns. */
static const struct {
    const char *name;
    enum bcp_host host;
} other_names[] = {
    {"SQLVARYCHAR", HOST_CHAR},     {"SQLVARCHAR", HOST_CHAR},     {"SQLTEXT", HOST_CHAR},
    {"SQLNVARCHAR", HOST_NCHAR},    {"SQLNTEXT", HOST_NCHAR},      {"SQLXML", HOST_NCHAR},
    {"SQLVARYBIN", HOST_BINARY},    {"SQLVARBINARY", HOST_BINARY}, {"SQLIMAGE", HOST_BINARY},
    {"SYBCHAR", HOST_CHAR},         {"SYBVARCHAR", HOST_CHAR},     {"SYBTEXT", HOST_CHAR},
    {"SYBBINARY", HOST_BINARY},     {"SYBVARBINARY", HOST_BINARY}, {"SYBIMAGE", HOST_BINARY},
    {"SYBINT1", HOST_TINYINT},      {"SYBINT2", HOST_SMALLINT},    {"SYBINT4", HOST_INT},
    {"SYBINT8", HOST_BIGINT},       {"SYBBIT", HOST_BIT},          {"SYBREAL", HOST_FLT4},
    {"SYBFLT8", HOST_FLT8},         {"SYBMONEY4", HOST_MONEY4},    {"SYBMONEY", HOST_MONEY},
    {"SYBDECIMAL", HOST_DECIMAL},   {"SYBNUMERIC", HOST_NUMERIC},  {"SYBDATETIME4", HOST_DATETIM4},
    {"SYBDATETIME", HOST_DATETIME},
};

static bool same_name(const char *text, size_t length, const char *name)
{
    return strlen(name) == length && strncasecmp(text, name, length) == 0;
}

enum bcp_host bcp_host_find(const char *name, size_t length)
{
    for (int i = 0; i < HOST_COUNT; i++)
        if (same_name(name, length, bcp_hosts[i].name))
            return (enum bcp_host)i;
    for (size_t i = 0; i < sizeof other_names / sizeof *other_names; i++)
        if (same_name(name, length, other_names[i].name))
            return other_names[i].host;
    return HOST_COUNT;
}

const struct bcp_sql_info bcp_sqls[SQL_COUNT] = {
    [SQL_NONE] = {"", "", HOST_CHAR, ARGS_NONE, 0, 0, 0, TYPE_UTF8},
    [SQL_BIT] = {"bit", "SQLBIT", HOST_BIT, ARGS_NONE, 0, 1, 1, TYPE_BOOL},
    [SQL_TINYINT] = {"tinyint", "SQLTINYINT", HOST_TINYINT, ARGS_NONE, 0, 1, 5, TYPE_UINT8},
    [SQL_SMALLINT] = {"smallint", "SQLSMALLINT", HOST_SMALLINT, ARGS_NONE, 0, 1, 7, TYPE_INT16},
    [SQL_INT] = {"int", "SQLINT", HOST_INT, ARGS_NONE, 0, 1, 12, TYPE_INT32},
    [SQL_BIGINT] = {"bigint", "SQLBIGINT", HOST_BIGINT, ARGS_NONE, 0, 1, 21, TYPE_INT64},
    [SQL_REAL] = {"real", "SQLFLT4", HOST_FLT4, ARGS_NONE, 0, 1, 30, TYPE_FLOAT32},
    [SQL_FLOAT] = {"float", "SQLFLT8", HOST_FLT8, ARGS_NONE, 0, 1, 30, TYPE_FLOAT64},
    [SQL_DECIMAL] = {"decimal", "SQLDECIMAL", HOST_DECIMAL, ARGS_DECIMAL, 1, 1, 41, TYPE_DECIMAL},
    [SQL_NUMERIC] = {"numeric", "SQLNUMERIC", HOST_NUMERIC, ARGS_DECIMAL, 1, 1, 41, TYPE_DECIMAL},
    [SQL_SMALLMONEY] = {"smallmoney", "SQLMONEY4", HOST_MONEY4, ARGS_NONE, 0, 1, 30, TYPE_DECIMAL},
    [SQL_MONEY] = {"money", "SQLMONEY", HOST_MONEY, ARGS_NONE, 0, 1, 30, TYPE_DECIMAL},
    [SQL_SMALLDATETIME] = {"smalldatetime", "SQLDATETIM4", HOST_DATETIM4, ARGS_NONE, 0, 1, 24,
                           TYPE_TIMESTAMP},
    [SQL_DATETIME] = {"datetime", "SQLDATETIME", HOST_DATETIME, ARGS_NONE, 0, 1, 24, TYPE_TIMESTAMP},
    [SQL_DATE] = {"date", "SQLDATE", HOST_DATE, ARGS_NONE, 0, 1, 11, TYPE_DATE},
    [SQL_TIME] = {"time", "SQLTIME", HOST_TIME, ARGS_SCALE, 0, 1, 9, TYPE_TIME},
    [SQL_DATETIME2] = {"datetime2", "SQLDATETIME2", HOST_DATETIME2, ARGS_SCALE, 0, 1, 20, TYPE_TIMESTAMP},
    [SQL_DATETIMEOFFSET] = {"datetimeoffset", "SQLDATETIMEOFFSET", HOST_DATETIMEOFFSET, ARGS_SCALE, 0, 1, 27,
                            TYPE_TIMESTAMP},
    [SQL_UNIQUEIDENTIFIER] = {"uniqueidentifier", "SQLUNIQUEID", HOST_UNIQUEID, ARGS_NONE, 1, 1, 37,
                              TYPE_FIXED_BINARY},
    [SQL_CHAR] = {"char", "SQLCHAR", HOST_CHAR, ARGS_LENGTH, 2, 2, 0, TYPE_UTF8},
    [SQL_VARCHAR] = {"varchar", "SQLVARYCHAR", HOST_CHAR, ARGS_LENGTH, 2, 2, 0, TYPE_UTF8},
    [SQL_TEXT] = {"text", "SQLTEXT", HOST_CHAR, ARGS_NONE, 4, 4, 0, TYPE_UTF8},
    [SQL_NCHAR] = {"nchar", "SQLNCHAR", HOST_NCHAR, ARGS_LENGTH, 2, 2, 0, TYPE_UTF8},
    [SQL_NVARCHAR] = {"nvarchar", "SQLNVARCHAR", HOST_NCHAR, ARGS_LENGTH, 2, 2, 0, TYPE_UTF8},
    [SQL_NTEXT] = {"ntext", "SQLNTEXT", HOST_NCHAR, ARGS_NONE, 4, 4, 0, TYPE_UTF8},
    [SQL_BINARY] = {"binary", "SQLBINARY", HOST_BINARY, ARGS_LENGTH, 2, 2, 0, TYPE_FIXED_BINARY},
    [SQL_VARBINARY] = {"varbinary", "SQLVARYBIN", HOST_BINARY, ARGS_LENGTH, 2, 2, 0, TYPE_BINARY},
    [SQL_IMAGE] = {"image", "SQLIMAGE", HOST_BINARY, ARGS_NONE, 4, 4, 0, TYPE_BINARY},
    [SQL_ROWVERSION] = {"rowversion", "SQLBINARY", HOST_BINARY, ARGS_NONE, 1, 1, 17, TYPE_FIXED_BINARY},
    [SQL_XML] = {"xml", "SQLXML", HOST_NCHAR, ARGS_NONE, 8, 8, 0, TYPE_UTF8},
    [SQL_VARIANT] = {"sql_variant", "SQLVARIANT", HOST_VARIANT, ARGS_NONE, 8, 8, 0, TYPE_UTF8},
    [SQL_UDT] = {"udt", "SQLUDT", HOST_UDT, ARGS_NONE, 8, 8, 0, TYPE_BINARY},
    [SQL_JSON] = {"json", "SQLNVARCHAR", HOST_NCHAR, ARGS_NONE, 8, 8, 0, TYPE_UTF8},
};

/* ---- names ---- */

static const struct {
    const char *name;
    struct bcp_type type;
} synonyms[] = {
    {"integer", {.sql = SQL_INT}},
    {"dec", {.sql = SQL_DECIMAL}},
    {"sysname", {.sql = SQL_NVARCHAR, .length = 128}},
    {"timestamp", {.sql = SQL_ROWVERSION}},
    {"hierarchyid", {.sql = SQL_UDT}},
    {"geometry", {.sql = SQL_UDT}},
    {"geography", {.sql = SQL_UDT}},
    {"character varying", {.sql = SQL_VARCHAR, .length = 1}},
    {"national character varying", {.sql = SQL_NVARCHAR, .length = 1}},
};

static struct bcp_type type_preset(enum bcp_sql sql)
{
    struct bcp_type type = {.sql = sql};
    if (bcp_sqls[sql].args == ARGS_LENGTH)
        type.length = 1;
    if (bcp_sqls[sql].args == ARGS_DECIMAL)
        type.precision = 18;
    if (bcp_sqls[sql].args == ARGS_SCALE)
        type.scale = 7;
    return type;
}

static struct bcp_type type_named(const char *name, size_t length)
{
    for (int i = SQL_NONE + 1; i < SQL_COUNT; i++)
        if (same_name(name, length, bcp_sqls[i].name))
            return type_preset((enum bcp_sql)i);
    for (size_t i = 0; i < sizeof synonyms / sizeof *synonyms; i++)
        if (same_name(name, length, synonyms[i].name))
            return synonyms[i].type;
    return (struct bcp_type){.sql = SQL_NONE};
}

static bool parse_args(const char *text, struct bcp_type *type)
{
    char *end;
    const enum bcp_args args = bcp_sqls[type->sql].args;
    if (args == ARGS_LENGTH && strncasecmp(text, "max", 3) == 0) {
        type->length = 0;
        return true;
    }
    long first = strtol(text, &end, 10), second = 0;
    if (end == text || first < 0 || first > 1000000)
        return false;
    end += strspn(end, " ");
    if (*end == ',')
        second = strtol(end + 1, &end, 10);
    if (args == ARGS_LENGTH)
        type->length = (uint32_t)first;
    if (args == ARGS_SCALE && first <= 7)
        type->scale = (int)first;
    if (args == ARGS_DECIMAL && first >= 1 && first <= 38 && second >= 0 && second <= first) {
        type->precision = (int)first;
        type->scale = (int)second;
    }
    if (type->sql == SQL_FLOAT && first <= 24)
        type->sql = SQL_REAL;
    return true;
}

struct bcp_type bcp_type_parse(const char *text)
{
    const struct bcp_type none = {.sql = SQL_NONE};
    const char *paren = strchr(text, '(');
    size_t length = paren ? (size_t)(paren - text) : strlen(text);
    while (length && (isspace((unsigned char)text[length - 1]) || text[length - 1] == ']'))
        length--;
    while (length && (*text == '[' || *text == ' ')) {
        text++;
        length--;
    }
    struct bcp_type type = type_named(text, length);
    if (type.sql && paren && !parse_args(paren + 1, &type))
        return none;
    return type;
}

enum bcp_sql bcp_sql_by_xml(const char *name)
{
    static const struct {
        const char *name;
        enum bcp_sql sql;
    } others[] = {{"CharLOB", SQL_TEXT}, {"SQLVARBINARY", SQL_VARBINARY}, {"SQLVARCHAR", SQL_VARCHAR}};
    for (int i = SQL_NONE + 1; i < SQL_COUNT; i++)
        if (strcmp(bcp_sqls[i].xml, name) == 0)
            return (enum bcp_sql)i;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(others[i].name, name) == 0)
            return others[i].sql;
    return SQL_NONE;
}

/* ---- from Arrow ---- */

static const int unit_digits[] = {[TIME_SECOND] = 0, [TIME_MILLI] = 3, [TIME_MICRO] = 6, [TIME_NANO] = 7};

static struct bcp_type type_of_arrow(const struct field *field)
{
    static const enum bcp_sql plain[TYPE_COUNT] = {
        [TYPE_BOOL] = SQL_BIT,         [TYPE_INT8] = SQL_SMALLINT, [TYPE_INT16] = SQL_SMALLINT,
        [TYPE_INT32] = SQL_INT,        [TYPE_INT64] = SQL_BIGINT,  [TYPE_UINT8] = SQL_TINYINT,
        [TYPE_UINT16] = SQL_INT,       [TYPE_UINT32] = SQL_BIGINT, [TYPE_FLOAT16] = SQL_REAL,
        [TYPE_FLOAT32] = SQL_REAL,     [TYPE_FLOAT64] = SQL_FLOAT, [TYPE_DATE] = SQL_DATE,
        [TYPE_BINARY] = SQL_VARBINARY,
    };
    if (field->type == TYPE_UINT64)
        return (struct bcp_type){.sql = SQL_DECIMAL, .precision = 20};
    if (field->type == TYPE_DECIMAL)
        return (struct bcp_type){.sql = SQL_DECIMAL, .precision = field->precision, .scale = field->scale};
    if (field->type == TYPE_TIME)
        return (struct bcp_type){.sql = SQL_TIME, .scale = unit_digits[field->unit]};
    if (field->type == TYPE_TIMESTAMP)
        return (struct bcp_type){.sql = field->timezone ? SQL_DATETIMEOFFSET : SQL_DATETIME2,
                                 .scale = unit_digits[field->unit]};
    if (field->type == TYPE_FIXED_BINARY && field->width == 16 && field->extension &&
        strcmp(field->extension, "arrow.uuid") == 0)
        return (struct bcp_type){.sql = SQL_UNIQUEIDENTIFIER};
    if (field->type == TYPE_FIXED_BINARY)
        return (struct bcp_type){.sql = field->width <= 8000 ? SQL_BINARY : SQL_VARBINARY,
                                 .length = field->width <= 8000 ? (uint32_t)field->width : 0};
    enum bcp_sql sql = plain[field->type];
    return (struct bcp_type){.sql = sql ? sql : SQL_NVARCHAR};
}

/* A column that was cast has the origin's sql_type still. */
static bool still_is(const struct bcp_type *type, const struct field *field)
{
    enum type_id wanted = bcp_sqls[type->sql].type;
    if (field->type == TYPE_STRUCT)
        return (type->sql == SQL_DATETIME2 || type->sql == SQL_DATETIMEOFFSET || type->sql == SQL_VARIANT) &&
               field->child_count;
    if (wanted == TYPE_FIXED_BINARY || wanted == TYPE_BINARY)
        return field->type == TYPE_FIXED_BINARY || field->type == TYPE_BINARY;
    return field->type == wanted;
}

struct bcp_type bcp_type_of(const struct field *field)
{
    if (field->sql_type && strncmp(field->sql_type, "mssql:", 6) == 0) {
        struct bcp_type type = bcp_type_parse(field->sql_type + 6);
        if (type.sql && still_is(&type, field))
            return type;
    }
    return type_of_arrow(field);
}

/* ---- to Arrow ---- */

static void print_type(const struct bcp_type *type, char *out, size_t size)
{
    const struct bcp_sql_info *info = &bcp_sqls[type->sql];
    char args[32] = "";
    if (info->args == ARGS_DECIMAL)
        snprintf(args, sizeof args, "(%d,%d)", type->precision, type->scale);
    else if (info->args == ARGS_SCALE)
        snprintf(args, sizeof args, "(%d)", type->scale);
    else if (info->args == ARGS_LENGTH && type->length == 0)
        snprintf(args, sizeof args, "(max)");
    else if (info->args == ARGS_LENGTH)
        snprintf(args, sizeof args, "(%u)", type->length);
    snprintf(out, size, "mssql:%s%s", info->name, args);
}

/* --timestamps exact: what no single column holds is a struct, as when it is read from
 * the server. */
static enum haul_code set_exact(const struct bcp_type *type, struct arena *arena, struct field *field,
                                struct haul_error *err)
{
    const bool zoned = type->sql == SQL_DATETIMEOFFSET, finer = type->scale == 7;
    if (!zoned && !(type->sql == SQL_DATETIME2 && finer))
        return HAUL_OK;
    struct field *child = arena_alloc_array(arena, 3, sizeof *child);
    if (!child)
        return error_nomem(err, "columns");
    *field = (struct field){
        .name = field->name, .nullable = field->nullable, .type = TYPE_STRUCT, .children = child};
    child[field->child_count++] = (struct field){
        .name = "timestamp", .type = TYPE_TIMESTAMP, .unit = TIME_MICRO, .timezone = zoned ? "UTC" : NULL};
    if (zoned)
        child[field->child_count++] = (struct field){.name = "offset_minutes", .type = TYPE_INT16};
    if (finer)
        child[field->child_count++] = (struct field){.name = "nanoseconds", .type = TYPE_INT16};
    else
        field->extension = "arrow.timestamp_with_offset";
    return HAUL_OK;
}

enum haul_code bcp_type_field(const struct bcp_type *type, enum bcp_moments_as moments, struct arena *arena,
                              struct field *field, struct haul_error *err)
{
    char text[64];
    field->type = bcp_sqls[type->sql].type;
    field->extension = type->sql == SQL_UNIQUEIDENTIFIER ? "arrow.uuid"
                       : type->sql == SQL_JSON           ? "arrow.json"
                                                         : NULL;
    field->timezone = type->sql == SQL_DATETIMEOFFSET ? "UTC" : NULL;
    if (field->type == TYPE_TIMESTAMP)
        field->unit = moments == MOMENTS_NANO ? TIME_NANO : TIME_MICRO;
    if (field->type == TYPE_TIME)
        field->unit = type->scale == 7 ? TIME_NANO : TIME_MICRO;
    if (field->type == TYPE_DECIMAL) {
        bool money = type->sql == SQL_MONEY || type->sql == SQL_SMALLMONEY;
        field->precision = money ? (type->sql == SQL_MONEY ? 19 : 10) : type->precision;
        field->scale = money ? 4 : type->scale;
    }
    if (field->type == TYPE_FIXED_BINARY)
        field->width = type->sql == SQL_UNIQUEIDENTIFIER ? 16
                       : type->sql == SQL_ROWVERSION     ? 8
                                                         : (int)type->length;
    if (field->type == TYPE_FIXED_BINARY && field->width == 0)
        field->type = TYPE_BINARY;
    if (type->sql == SQL_NONE)
        return HAUL_OK;
    if (moments == MOMENTS_EXACT && set_exact(type, arena, field, err))
        return err->code;
    print_type(type, text, sizeof text);
    field->sql_type = arena_text(arena, text);
    return field->sql_type ? HAUL_OK : error_nomem(err, "columns");
}

/* ---- lengths ---- */

uint32_t bcp_type_chars(const struct bcp_type *type)
{
    const struct bcp_sql_info *info = &bcp_sqls[type->sql];
    if (info->args == ARGS_SCALE)
        return info->chars + (type->scale ? (uint32_t)type->scale + 1 : 0);
    if (info->chars || info->args != ARGS_LENGTH)
        return info->chars;
    return type->sql == SQL_CHAR || type->sql == SQL_VARCHAR ? type->length : type->length * 2;
}

uint32_t bcp_type_bytes(const struct bcp_type *type)
{
    const struct bcp_sql_info *info = &bcp_sqls[type->sql];
    if (bcp_hosts[info->host].bytes)
        return bcp_hosts[info->host].bytes;
    if (type->sql == SQL_ROWVERSION)
        return 8;
    return info->args == ARGS_LENGTH ? type->length * (info->host == HOST_NCHAR ? 2 : 1) : 0;
}

int bcp_type_prefix(const struct bcp_type *type, bool not_null)
{
    const struct bcp_sql_info *info = &bcp_sqls[type->sql];
    if (info->args == ARGS_LENGTH && type->length == 0)
        return 8;
    return not_null ? info->prefix : info->prefix_null;
}
