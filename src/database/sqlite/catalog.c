/*
 * catalog.c: reads the catalog through the pragma functions, which take names
 * as bound values.
 *
 * The rowid of a table has three names (rowid, _rowid_, oid), each hidden by a
 * column that is called so; the first that is free is used. When all are hidden
 * the table is read as if it had none.
 *
 * Limits: a database with more than NAMES_MAX tables still lists all of them;
 * only the search for near names stops there.
 */
#include "database/sqlite/catalog.h"

#include "base/settings.h"
#include "database/sqlite/dialect.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NAMES_MAX 4096

static const char table_sql[] = "SELECT l.name, l.type, l.wr, l.strict, s.sql, s.rootpage"
                                " FROM pragma_table_list AS l LEFT JOIN sqlite_schema AS s"
                                " ON s.name = l.name AND s.type IN ('table', 'view')"
                                " WHERE l.schema = 'main' AND l.name = ?1 COLLATE NOCASE";

static const char columns_sql[] = "SELECT name, type, \"notnull\", dflt_value IS NOT NULL, pk, hidden"
                                  " FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid";

static const char list_sql[] =
    "SELECT name, type FROM pragma_table_list"
    " WHERE schema = 'main' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";

void sqlite_table_release(struct table *table)
{
    arena_release(&table->arena);
    *table = (struct table){0};
}

static const char *text_at(sqlite3_stmt *statement, int place)
{
    const unsigned char *text = sqlite3_column_text(statement, place);
    return text ? (const char *)text : "";
}

/* ---- one table ---- */

static bool is_rowid_alias(const struct table *table, int place)
{
    const struct column *column = &table->columns.list[place];
    return table->columns.key_count == 1 && column->key == 1 && !table->without_rowid &&
           !strcasecmp(column->declared, "INTEGER");
}

static void find_rowid(struct table *table)
{
    static const char *const names[] = {"rowid", "_rowid_", "oid"};
    if (table->without_rowid || (strcmp(table->kind, "table") && strcmp(table->kind, "shadow")))
        return;
    for (size_t i = 0; i < sizeof names / sizeof *names && !table->rowid; i++)
        if (columns_find(&table->columns, names[i]) < 0)
            table->rowid = names[i];
}

static enum haul_code read_column(struct table *table, sqlite3_stmt *statement, struct haul_error *err)
{
    struct column *column = &table->columns.list[table->columns.count];
    column->name = arena_text(&table->arena, text_at(statement, 0));
    column->declared = arena_text(&table->arena, text_at(statement, 1));
    if (!column->name || !column->declared)
        return error_nomem(err, "a table's columns");
    column->not_null = sqlite3_column_int(statement, 2);
    column->has_default = sqlite3_column_int(statement, 3);
    column->key = sqlite3_column_int(statement, 4);
    column->generated = sqlite3_column_int(statement, 5) > 1;
    table->columns.count++;
    table->columns.key_count += column->key > 0;
    return HAUL_OK;
}

static enum haul_code read_columns(struct connection *connection, struct table *table, struct haul_error *err)
{
    int64_t count = 0;
    if (sqlite_number(connection, "SELECT count(*) FROM pragma_table_xinfo(?1)", table->name, 0, &count, err))
        return err->code;
    table->columns.list = arena_alloc_array(&table->arena, (size_t)count + 1, sizeof *table->columns.list);
    if (!table->columns.list)
        return error_nomem(err, "a table's columns");
    sqlite3_stmt *statement = NULL;
    if (sqlite_prepare(connection, columns_sql, &statement, err))
        return err->code;
    sqlite3_bind_text(statement, 1, table->name, -1, SQLITE_STATIC);
    bool row = true;
    enum haul_code code = HAUL_OK;
    while (!code && !(code = sqlite_step(connection, statement, &row, err)) && row &&
           table->columns.count < count)
        code = read_column(table, statement, err);
    sqlite3_finalize(statement);
    return code;
}

static enum haul_code read_head(struct connection *connection, const char *name, struct table *table,
                                bool *found, struct haul_error *err)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite_prepare(connection, table_sql, &statement, err))
        return err->code;
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    enum haul_code code = sqlite_step(connection, statement, found, err);
    if (!code && *found) {
        table->name = arena_text(&table->arena, text_at(statement, 0));
        table->kind = arena_text(&table->arena, text_at(statement, 1));
        table->without_rowid = sqlite3_column_int(statement, 2);
        table->strict = sqlite3_column_int(statement, 3);
        table->sql = arena_text(&table->arena, text_at(statement, 4));
        table->root_page = sqlite3_column_int64(statement, 5);
        if (!table->name || !table->kind || !table->sql)
            code = error_nomem(err, "a table's description");
    }
    sqlite3_finalize(statement);
    return code;
}

/* Keys that SQLite keeps from being NULL though nobody wrote NOT NULL. */
static void mark_keys(struct table *table)
{
    for (int i = 0; i < table->columns.count; i++)
        if (table->columns.list[i].key) {
            bool alias = is_rowid_alias(table, i);
            table->columns.list[i].has_default |= alias; /* SQLite numbers it itself */
            table->columns.list[i].not_null |= table->without_rowid || table->strict || alias;
        }
}

static enum haul_code read_exact(struct connection *connection, const char *name, struct table *table,
                                 bool *found, struct haul_error *err)
{
    if (read_head(connection, name, table, found, err))
        return err->code;
    if (!*found)
        return HAUL_OK;
    if (read_columns(connection, table, err))
        return err->code;
    mark_keys(table);
    find_rowid(table);
    return HAUL_OK;
}

const char *sqlite_table_plain(const char *name, struct arena *arena)
{
    const char *from = strncasecmp(name, "main.", 5) ? name : name + 5;
    size_t length = strlen(from);
    bool quoted = length > 2 && ((from[0] == '"' && from[length - 1] == '"') ||
                                 (from[0] == '[' && from[length - 1] == ']'));
    return quoted ? arena_text_n(arena, from + 1, length - 2) : arena_text(arena, from);
}

enum haul_code sqlite_table_read(struct connection *connection, const char *name, struct table *table,
                                 bool *found, struct haul_error *err)
{
    *table = (struct table){0};
    *found = false;
    enum haul_code code = read_exact(connection, name, table, found, err);
    const char *plain = code || *found ? "" : sqlite_table_plain(name, &table->arena);
    if (!plain)
        code = error_nomem(err, "a table's name");
    else if (*plain && strcmp(plain, name))
        code = read_exact(connection, plain, table, found, err);
    if (code || !*found)
        sqlite_table_release(table);
    return code;
}

/* ---- all tables ---- */

struct name_list {
    const char **names;
    size_t count;
    struct arena arena;
};

static enum haul_code collect_names(struct connection *connection, struct name_list *list,
                                    struct haul_error *err)
{
    sqlite3_stmt *statement = NULL;
    list->names = arena_alloc_array(&list->arena, NAMES_MAX, sizeof *list->names);
    if (!list->names)
        return error_nomem(err, "table names");
    if (sqlite_prepare(connection, list_sql, &statement, err))
        return err->code;
    bool row = true;
    enum haul_code code = HAUL_OK;
    while (!code && !(code = sqlite_step(connection, statement, &row, err)) && row &&
           list->count < NAMES_MAX) {
        list->names[list->count] = arena_text(&list->arena, text_at(statement, 0));
        if (!list->names[list->count++])
            code = error_nomem(err, "table names");
    }
    sqlite3_finalize(statement);
    return code;
}

enum haul_code sqlite_table_unknown(struct connection *connection, const char *name, struct haul_error *err)
{
    struct name_list list = {0};
    char near[256] = "";
    if (!collect_names(connection, &list, err)) {
        settings_near(name, list.names, list.count, near, sizeof near);
        if (!list.count)
            error_set(err, HAUL_NOT_FOUND, "%s: there is no table \"%s\": the database is empty",
                      connection->path, name);
        else
            error_set(err, HAUL_NOT_FOUND, "%s: there is no table \"%s\"; %s%s", connection->path, name,
                      near[0] ? "near to it: " : "\"haul list\" shows those that are there", near);
    }
    arena_release(&list.arena);
    return err->code;
}

enum haul_code sqlite_table_number(struct connection *connection, const char *select, const char *name,
                                   int64_t *value, struct haul_error *err)
{
    struct sql sql = {.dialect = &sqlite_dialect};
    sql_add(&sql, "%s", select);
    sql_name(&sql, name);
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? sqlite_number(connection, text, NULL, 0, value, err) : err->code;
    sql_release(&sql);
    return code;
}

/* A view may be broken (its table is gone) and a virtual table's module
 * missing: then the count is unknown, which is no reason to list nothing. */
static enum haul_code count_rows(struct connection *connection, const char *name, int64_t *rows,
                                 struct haul_error *err)
{
    struct haul_error failed = {0};
    if (!sqlite_table_number(connection, "SELECT count(*) FROM ", name, rows, &failed))
        return HAUL_OK;
    *rows = -1;
    if ((failed.vendor_code & 0xff) == SQLITE_ERROR)
        return HAUL_OK;
    *err = failed;
    return err->code;
}

/* Pages of the table itself, from the dbstat table when SQLite was built with it. */
static int64_t table_bytes(struct connection *connection, const char *name)
{
    struct haul_error without_dbstat = {0};
    int64_t bytes = -1;
    if (sqlite_number(connection, "SELECT coalesce(sum(pgsize), -1) FROM dbstat WHERE name = ?1", name, -1,
                      &bytes, &without_dbstat))
        return -1;
    return bytes;
}

static enum haul_code tell_table(struct connection *connection, sqlite3_stmt *statement, haul_table_fn each,
                                 void *user, struct haul_error *err)
{
    struct haul_table table = {.name = text_at(statement, 0), .kind = text_at(statement, 1)};
    if (count_rows(connection, table.name, &table.rows, err))
        return err->code;
    table.rows_exact = table.rows >= 0;
    table.bytes = strcmp(table.kind, "view") ? table_bytes(connection, table.name) : -1;
    each(user, &table);
    return HAUL_OK;
}

enum haul_code sqlite_catalog_list(struct connection *connection, haul_table_fn each, void *user,
                                   struct haul_error *err)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite_prepare(connection, list_sql, &statement, err))
        return err->code;
    bool row = true;
    enum haul_code code = HAUL_OK;
    while (!code && !(code = sqlite_step(connection, statement, &row, err)) && row)
        code = tell_table(connection, statement, each, user, err);
    sqlite3_finalize(statement);
    return code;
}
