/*
 * describe.c: what will be read: columns, types, rows, order, identity.
 *
 * Everything is found inside one read transaction of the main connection, so
 * that the parts of the answer agree. The steps: find the table or prepare the
 * query; list its columns; take those that --columns names; give each its type:
 * --schema's, else the declared type's, confirmed by a sample (sample.c) when
 * the declared type is not enough.
 *
 * A query runs as the user wrote it, so that its ORDER BY counts; only with
 * --where it becomes a subquery. It must be one statement that returns rows and
 * changes nothing.
 */
#include "database/sqlite/source.h"

#include "base/unicode.h"
#include "batch/override.h"
#include "database/request.h"
#include "database/sqlite/condition.h"
#include "database/sqlite/sample.h"
#include <ctype.h>
#include <string.h>
#include <strings.h>

/* ---- columns ---- */

static enum haul_code set_column(struct schema *schema, int place, const char *name, const char *declared,
                                 struct haul_error *err)
{
    struct field *field = &schema->fields[place];
    if (!unicode_is_valid((const uint8_t *)name, strlen(name)))
        return error_set(err, HAUL_DATA, "column %d: its name is not UTF-8", place + 1);
    field->name = arena_text(&schema->arena, name);
    field->nullable = true;
    bool shown = *declared && unicode_is_valid((const uint8_t *)declared, strlen(declared));
    field->sql_type = shown ? arena_printf(&schema->arena, "sqlite:%s", declared) : NULL;
    return field->name && (field->sql_type || !shown) ? HAUL_OK : error_nomem(err, "columns");
}

static enum haul_code list_table(const struct table *table, struct schema *schema, struct haul_error *err)
{
    if (schema_init(schema, table->columns.count, err))
        return err->code;
    for (int i = 0; i < table->columns.count; i++) {
        if (set_column(schema, i, table->columns.list[i].name, table->columns.list[i].declared, err))
            return err->code;
        schema->fields[i].nullable = !table->columns.list[i].not_null;
    }
    return HAUL_OK;
}

static enum haul_code check_query(sqlite3_stmt *statement, const char *tail, struct haul_error *err)
{
    while (isspace((unsigned char)*tail) || *tail == ';')
        tail++;
    if (*tail)
        return error_set(err, HAUL_USAGE,
                         "--query holds more than one statement; the second begins at \"%s\"", tail);
    if (!statement || !sqlite3_column_count(statement))
        return error_set(err, HAUL_USAGE, "--query returns no columns; it must be a SELECT");
    if (!sqlite3_stmt_readonly(statement))
        return error_set(err, HAUL_USAGE, "--query would change the database; it must only read");
    if (sqlite3_bind_parameter_count(statement))
        return error_set(err, HAUL_USAGE, "--query (or --where) has parameters; write the values into it");
    return HAUL_OK;
}

static enum haul_code list_statement(sqlite3_stmt *statement, struct schema *schema, struct haul_error *err)
{
    int count = sqlite3_column_count(statement);
    if (schema_init(schema, count, err))
        return err->code;
    for (int i = 0; i < count; i++) {
        const char *name = sqlite3_column_name(statement, i),
                   *declared = sqlite3_column_decltype(statement, i);
        if (!name)
            return error_nomem(err, "columns");
        if (set_column(schema, i, name, declared ? declared : "", err))
            return err->code;
        for (int j = 0; j < i; j++)
            if (!strcmp(schema->fields[j].name, name))
                return error_set(err, HAUL_USAGE,
                                 "--query gives two columns the name \"%s\"; name them with AS", name);
    }
    return HAUL_OK;
}

/* Prepares without the flags of sqlite_prepare, because the tail is wanted. */
static enum haul_code list_query(struct sqlite_source *source, struct schema *schema, struct haul_error *err)
{
    sqlite3_stmt *statement = NULL;
    const char *tail = "";
    int rc = sqlite3_prepare_v2(source->connection.db, source->request.query, -1, &statement, &tail);
    enum haul_code code = HAUL_OK;
    if (rc) {
        code = sqlite_fail(&source->connection, rc, err);
        if ((rc & 0xff) == SQLITE_ERROR)
            err->code = code = HAUL_USAGE;
        error_prefix(err, "--query");
    }
    if (!code)
        code = check_query(statement, tail, err);
    if (!code)
        code = list_statement(statement, schema, err);
    sqlite3_finalize(statement);
    return code;
}

/* ---- what is read, and how ---- */

static enum access choose_access(const struct table *table)
{
    if (table->rowid)
        return ACCESS_ROWID;
    if (!table->without_rowid)
        return ACCESS_PLAIN;
    for (int i = 0; i < table->columns.count && table->columns.key_count == 1; i++)
        if (table->columns.list[i].key &&
            sqlite_affinity(table->columns.list[i].declared) == AFFINITY_INTEGER)
            return ACCESS_KEY;
    return ACCESS_ORDER;
}

static enum haul_code find_table(struct sqlite_source *source, struct haul_error *err)
{
    const char *name = source->request.table;
    bool found;
    if (!name)
        return request_no_table(source->path, err);
    if (sqlite_table_read(&source->connection, name, &source->table, &found, err))
        return err->code;
    if (!found)
        return sqlite_table_unknown(&source->connection, name, err);
    source->access = choose_access(&source->table);
    return HAUL_OK;
}

static enum haul_code list_columns(struct sqlite_source *source, struct schema *all, struct haul_error *err)
{
    source->access = ACCESS_PLAIN;
    if (source->request.where && sqlite_condition_check(source->request.where, err))
        return err->code;
    if (source->request.query)
        return list_query(source, all, err);
    if (find_table(source, err))
        return err->code;
    return list_table(&source->table, all, err);
}

/* From all columns to those asked for; `place` in the statement of each. */
static enum haul_code choose_columns(struct sqlite_source *source, const struct schema *all,
                                     struct haul_error *err)
{
    const struct source_request *request = &source->request;
    int count = request->columns ? request->column_count : all->count;
    int *places = arena_alloc_array(&source->arena, (size_t)count + 1, sizeof *places);
    source->columns = arena_alloc_array(&source->arena, (size_t)count + 1, sizeof *source->columns);
    if (!places || !source->columns)
        return error_nomem(err, "columns");
    for (int i = 0; i < count; i++)
        places[i] = i;
    if (request->columns ? schema_select(all, request->columns, count, &source->schema, places, err)
                         : schema_copy(all, &source->schema, err))
        return error_prefix(err, "%s", source->path);
    for (int i = 0; i < count; i++)
        source->columns[i].place = request->query ? places[i] : i;
    return HAUL_OK;
}

/* ---- types ---- */

static enum haul_code apply_request(struct sqlite_source *source, struct haul_error *err)
{
    bool *forced = arena_alloc_array(&source->arena, (size_t)source->schema.count + 1, sizeof *forced);
    if (!forced)
        return error_nomem(err, "columns");
    if (source->request.schema && schema_override(source->request.schema, &source->schema, forced, err))
        return err->code;
    for (int i = 0; i < source->schema.count; i++)
        source->columns[i].forced = forced[i];
    return HAUL_OK;
}

static enum haul_code find_types(struct sqlite_source *source, struct haul_error *err)
{
    int64_t encoding = 0;
    int count = source->schema.count;
    enum certainty *certainty = arena_alloc_array(&source->arena, (size_t)count + 1, sizeof *certainty);
    if (!certainty)
        return error_nomem(err, "columns");
    for (int i = 0; i < count; i++) {
        struct field *field = &source->schema.fields[i];
        certainty[i] = sqlite_type_read(field->sql_type ? field->sql_type + strlen("sqlite:") : "", field);
    }
    if (apply_request(source, err) ||
        sqlite_number(&source->connection, "SELECT encoding <> 'UTF-8' FROM pragma_encoding", NULL, 0,
                      &encoding, err))
        return err->code;
    source->wide = encoding;
    return sqlite_sample(source, certainty, err);
}

/* ---- the answer ---- */

static enum haul_code count_rows(struct sqlite_source *source, struct source_info *info,
                                 struct haul_error *err)
{
    info->rows = info->bytes = -1;
    if (source->access == ACCESS_PLAIN || source->request.where)
        return HAUL_OK;
    if (sqlite_table_number(&source->connection, "SELECT count(*) FROM ", source->table.name, &info->rows,
                            err))
        return err->code;
    info->rows_exact = true;
    info->bytes = (int64_t)((double)info->rows * source->row_bytes);
    return HAUL_OK;
}

static enum haul_code fill_info(struct sqlite_source *source, struct source_info *info,
                                struct haul_error *err)
{
    bool ordered = source->access != ACCESS_PLAIN;
    if (count_rows(source, info, err) || schema_copy(&source->schema, &info->schema, err) ||
        columns_set_key(&source->table.columns, info, err) ||
        sqlite_identity(&source->connection, &info->arena, &info->identity, err))
        return err->code;
    info->table = arena_text(&info->arena, source->table.name ? source->table.name : "query");
    if (!info->table)
        return error_nomem(err, "a description");
    info->order_fixed = ordered;
    info->replayable = true;
    info->splits_max = source->access == ACCESS_ROWID || source->access == ACCESS_KEY ? 0 : 1;
    info->consistency = "snapshot";
    return HAUL_OK;
}

static enum haul_code describe(struct sqlite_source *source, struct source_info *info, struct haul_error *err)
{
    struct schema all = {0};
    enum haul_code code = list_columns(source, &all, err);
    if (!code)
        code = choose_columns(source, &all, err);
    schema_release(&all);
    if (!code)
        code = find_types(source, err);
    return code ? code : fill_info(source, info, err);
}

enum haul_code sqlite_source_describe(struct source *base, struct source_info *info, struct haul_error *err)
{
    struct sqlite_source *source = (struct sqlite_source *)base;
    sqlite_table_release(&source->table);
    schema_release(&source->schema);
    if (sqlite_run(&source->connection, "BEGIN", err))
        return err->code;
    enum haul_code code = describe(source, info, err);
    sqlite_rollback(&source->connection);
    return code;
}
