/*
 * catalog.c: reads information_schema; names are literals, never pasted.
 *
 * Row counts are InnoDB's estimates. A query's columns have no COLUMN_TYPE: it is
 * written from what the protocol says of them, in the same words.
 */
#include "database/mysql/catalog.h"

#include "base/settings.h"
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define NAMES_MAX     4096
#define BINARY_NUMBER 63 /* the character set "binary" */
#define UTF8_BYTES    4

#define NOT_SYSTEM                                                                                           \
    "TABLE_SCHEMA NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')"                       \
    " AND (DATABASE() IS NULL OR TABLE_SCHEMA = DATABASE())"

void my_table_release(struct table *table)
{
    arena_release(&table->arena);
    *table = (struct table){0};
}

/* ---- statements on one table ---- */

static enum haul_code ask(struct connection *connection, const char *before, const struct table_name *name,
                          MYSQL_RES **result, struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    const char *order = strstr(before, "STATISTICS") ? " AND INDEX_NAME = 'PRIMARY' ORDER BY SEQ_IN_INDEX"
                        : strstr(before, "COLUMN")   ? " ORDER BY ORDINAL_POSITION"
                                                     : "";
    sql_add(&sql, "%s WHERE TABLE_SCHEMA = ", before);
    if (name->schema)
        sql_literal(&sql, name->schema);
    else
        sql_add(&sql, "DATABASE()");
    sql_add(&sql, " AND TABLE_NAME = ");
    sql_literal(&sql, name->name);
    sql_add(&sql, "%s", order);
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? my_ask(connection, text, result, err) : err->code;
    sql_release(&sql);
    return code;
}

static enum haul_code fill_head(struct table *table, MYSQL_ROW row, struct haul_error *err)
{
    table->schema = arena_text(&table->arena, my_text(row, 0));
    table->name = arena_text(&table->arena, my_text(row, 1));
    table->is_view = strstr(my_text(row, 2), "VIEW") != NULL;
    table->engine = arena_text(&table->arena, my_text(row, 3));
    table->rows = row[4] ? my_number(row, 4) : -1;
    table->bytes = row[5] ? my_number(row, 5) : -1;
    table->created = arena_text(&table->arena, my_text(row, 6));
    table->comment = arena_text(&table->arena, my_text(row, 7));
    bool complete = table->schema && table->name && table->engine && table->created && table->comment;
    return complete ? HAUL_OK : error_nomem(err, "a table's description");
}

static enum haul_code fill_columns(struct table *table, MYSQL_RES *result, struct haul_error *err)
{
    table->columns.count = (int)mysql_num_rows(result);
    table->columns.list =
        arena_alloc_array(&table->arena, (size_t)table->columns.count + 1, sizeof *table->columns.list);
    if (!table->columns.list)
        return error_nomem(err, "a table's columns");
    for (int i = 0; i < table->columns.count; i++) {
        MYSQL_ROW row = mysql_fetch_row(result);
        const char *extra = my_text(row, 4);
        bool automatic = strcasestr(extra, "auto_increment") || strcasestr(extra, "DEFAULT_GENERATED");
        struct column *column = &table->columns.list[i];
        *column = (struct column){.name = arena_text(&table->arena, my_text(row, 0)),
                                  .declared = arena_text(&table->arena, my_text(row, 1)),
                                  .not_null = strcmp(my_text(row, 2), "NO") == 0,
                                  .has_default = row[3] || automatic,
                                  .generated = strstr(extra, "VIRTUAL") || strstr(extra, "STORED") ||
                                               strstr(extra, "PERSISTENT")};
        if (!column->name || !column->declared)
            return error_nomem(err, "a table's columns");
    }
    return HAUL_OK;
}

static void fill_key(struct table *table, MYSQL_RES *result)
{
    MYSQL_ROW row;
    while ((row = mysql_fetch_row(result))) {
        int place = columns_find(&table->columns, my_text(row, 0));
        if (place >= 0)
            table->columns.list[place].key = ++table->columns.key_count;
    }
}

static enum haul_code read_rest(struct connection *connection, struct table *table, struct haul_error *err)
{
    const struct table_name name = {.schema = table->schema, .name = table->name};
    MYSQL_RES *columns = NULL, *key = NULL;
    if (ask(connection,
            "SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, EXTRA FROM "
            "information_schema.COLUMNS",
            &name, &columns, err))
        return err->code;
    enum haul_code code = fill_columns(table, columns, err);
    mysql_free_result(columns);
    if (!code)
        code = ask(connection, "SELECT COLUMN_NAME FROM information_schema.STATISTICS", &name, &key, err);
    if (!code)
        fill_key(table, key);
    mysql_free_result(key);
    return code;
}

enum haul_code my_table_find(struct connection *connection, const struct table_name *name,
                             struct table *table, bool *found, struct haul_error *err)
{
    MYSQL_RES *result = NULL;
    *table = (struct table){0};
    *found = false;
    if (ask(connection,
            "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_ROWS, DATA_LENGTH, CREATE_TIME,"
            " TABLE_COMMENT FROM information_schema.TABLES",
            name, &result, err))
        return err->code;
    MYSQL_ROW row = mysql_fetch_row(result);
    *found = row != NULL;
    enum haul_code code = row ? fill_head(table, row, err) : HAUL_OK;
    mysql_free_result(result);
    if (!code && *found)
        code = read_rest(connection, table, err);
    if (code)
        my_table_release(table);
    return code;
}

enum haul_code my_table_read(struct connection *connection, const char *name, struct table *table,
                             bool *found, struct haul_error *err)
{
    struct arena arena = {0};
    struct table_name parsed;
    *table = (struct table){0};
    *found = false;
    enum haul_code code = table_name_parse(&my_dialect, name, &arena, &parsed, err);
    if (!code && !parsed.schema && !connection->server->database)
        code =
            error_set(err, HAUL_USAGE, "%s: which database? mysql://user@host/database, or --table db.table",
                      connection->server->name);
    if (!code)
        code = my_table_find(connection, &parsed, table, found, err);
    arena_release(&arena);
    return code;
}

/* ---- a query ---- */

static void print_sized(const char *name, unsigned long size, char *out, size_t room)
{
    if (size)
        snprintf(out, room, "%s(%lu)", name, size);
    else
        snprintf(out, room, "%s", name);
}

static void print_text(const MYSQL_FIELD *field, char *out, size_t room)
{
    bool binary = field->charsetnr == BINARY_NUMBER;
    if (field->flags & (ENUM_FLAG | SET_FLAG))
        snprintf(out, room, field->flags & ENUM_FLAG ? "enum()" : "set()");
    else if (field->type == MYSQL_TYPE_STRING && binary && field->length <= 255)
        print_sized("binary", field->length, out, room);
    else
        snprintf(out, room, binary ? "longblob" : "longtext");
}

static void print_type(const MYSQL_FIELD *field, char *out, size_t room)
{
    static const struct {
        enum enum_field_types type;
        const char *name;
    } names[] = {{MYSQL_TYPE_TINY, "tinyint"},        {MYSQL_TYPE_SHORT, "smallint"},
                 {MYSQL_TYPE_INT24, "mediumint"},     {MYSQL_TYPE_LONG, "int"},
                 {MYSQL_TYPE_LONGLONG, "bigint"},     {MYSQL_TYPE_YEAR, "year"},
                 {MYSQL_TYPE_FLOAT, "float"},         {MYSQL_TYPE_DOUBLE, "double"},
                 {MYSQL_TYPE_DATE, "date"},           {MYSQL_TYPE_NEWDATE, "date"},
                 {MYSQL_TYPE_TIME, "time"},           {MYSQL_TYPE_DATETIME, "datetime"},
                 {MYSQL_TYPE_TIMESTAMP, "timestamp"}, {MYSQL_TYPE_JSON, "json"},
                 {MYSQL_TYPE_GEOMETRY, "geometry"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].type == field->type) {
            bool is_unsigned = field->flags & UNSIGNED_FLAG && field->type != MYSQL_TYPE_YEAR;
            bool moment = field->type == MYSQL_TYPE_TIME || field->type == MYSQL_TYPE_DATETIME ||
                          field->type == MYSQL_TYPE_TIMESTAMP;
            print_sized(names[i].name, moment && field->decimals <= 6 ? field->decimals : 0, out, room);
            strncat(out, is_unsigned && !moment ? " unsigned" : "", room - strlen(out) - 1);
            return;
        }
    if (field->type == MYSQL_TYPE_BIT) {
        print_sized("bit", field->length, out, room);
    } else if (field->type == MYSQL_TYPE_NEWDECIMAL || field->type == MYSQL_TYPE_DECIMAL) {
        unsigned long sign = !(field->flags & UNSIGNED_FLAG), point = field->decimals > 0;
        snprintf(out, room, "decimal(%lu,%u)", field->length - sign - point, field->decimals);
    } else {
        print_text(field, out, room);
    }
}

static enum haul_code fill_described(struct table *table, MYSQL_RES *result, struct haul_error *err)
{
    table->columns.count = (int)mysql_num_fields(result);
    table->columns.list =
        arena_alloc_array(&table->arena, (size_t)table->columns.count + 1, sizeof *table->columns.list);
    if (!table->columns.list)
        return error_nomem(err, "columns");
    for (int i = 0; i < table->columns.count; i++) {
        const MYSQL_FIELD *field = mysql_fetch_field_direct(result, (unsigned)i);
        char declared[128];
        print_type(field, declared, sizeof declared);
        table->columns.list[i] = (struct column){.name = arena_text(&table->arena, field->name),
                                                 .declared = arena_text(&table->arena, declared),
                                                 .not_null = field->flags & NOT_NULL_FLAG};
        if (!table->columns.list[i].name || !table->columns.list[i].declared)
            return error_nomem(err, "columns");
    }
    return HAUL_OK;
}

enum haul_code my_query_columns(struct connection *connection, const char *sql, struct table *table,
                                struct haul_error *err)
{
    MYSQL_RES *result = NULL;
    *table = (struct table){.rows = -1, .bytes = -1};
    if (my_ask(connection, sql, &result, err))
        return err->code;
    enum haul_code code = result
                              ? fill_described(table, result, err)
                              : error_set(err, HAUL_USAGE, "--query returns no columns; it must be a SELECT");
    mysql_free_result(result);
    if (code)
        my_table_release(table);
    return code;
}

/* ---- all tables ---- */

enum haul_code my_table_unknown(struct connection *connection, const char *name, struct haul_error *err)
{
    MYSQL_RES *result = NULL;
    char near[256] = "";
    const char **names = calloc(NAMES_MAX, sizeof *names);
    if (!names)
        return error_nomem(err, "table names");
    if (!my_ask(connection,
                "SELECT TABLE_NAME FROM information_schema.TABLES WHERE " NOT_SYSTEM " LIMIT 4096", &result,
                err)) {
        size_t count = 0;
        for (MYSQL_ROW row; count < NAMES_MAX && (row = mysql_fetch_row(result));)
            names[count++] = my_text(row, 0);
        settings_near(name, names, count, near, sizeof near);
        error_set(err, HAUL_NOT_FOUND, "%s: there is no table \"%s\"%s%s", connection->server->name, name,
                  !count    ? ": the database has none that you can see"
                  : near[0] ? "; near to it: "
                            : "; \"haul list\" shows those that are there",
                  near);
    }
    mysql_free_result(result);
    free(names);
    return err->code;
}

enum haul_code my_catalog_list(struct connection *connection, haul_table_fn each, void *user,
                               struct haul_error *err)
{
    MYSQL_RES *result = NULL;
    if (my_ask(connection,
               "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, TABLE_ROWS, DATA_LENGTH + INDEX_LENGTH"
               " FROM information_schema.TABLES WHERE " NOT_SYSTEM " ORDER BY 1, 2",
               &result, err))
        return err->code;
    for (MYSQL_ROW row; (row = mysql_fetch_row(result));) {
        bool view = strstr(my_text(row, 2), "VIEW") != NULL;
        struct haul_table table = {.schema = my_text(row, 0),
                                   .name = my_text(row, 1),
                                   .kind = view ? "view" : "table",
                                   .rows = row[3] && !view ? my_number(row, 3) : -1,
                                   .bytes = row[4] && !view ? my_number(row, 4) : -1};
        each(user, &table);
    }
    mysql_free_result(result);
    return HAUL_OK;
}
