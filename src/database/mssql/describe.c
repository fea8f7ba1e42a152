/*
 * describe.c: what is read and as which types.
 *
 * The columns are those the server itself describes: of a table by a SELECT of
 * no rows, of a query with FMTONLY on (nothing runs), or, when that gives no
 * columns, by beginning to run it and stopping at once.
 *
 * Without a snapshot the rows are those of one statement: the identity changes
 * with each run, so that nobody continues with other rows.
 */
#include "database/mssql/source.h"

#include "base/clock.h"
#include "database/column.h"
#include "database/mssql/rows.h"
#include "database/request.h"

/* Sends the statement and reads to its columns; then the rest is left. */
static enum haul_code describe_by(struct mssql_source *source, const char *sql, bool *found,
                                  struct haul_error *err)
{
    enum ms_event event = MS_DONE;
    struct session *session = &source->session;
    if (ms_send_batch(session, sql, err))
        return err->code;
    while (event == MS_DONE)
        if (ms_next(session, &event, err))
            return err->code;
    *found = event == MS_COLUMNS;
    if (*found && ms_columns_schema(&session->columns, source->moments, &source->schema, err)) {
        ms_cancel(session);
        return err->code;
    }
    while (*found && event != MS_END) { /* a described query ends at once; one that runs is stopped */
        if (event == MS_ROW || event == MS_ROW_NULLS) {
            ms_cancel(session);
            break;
        }
        if (ms_next(session, &event, err))
            return err->code;
    }
    return HAUL_OK;
}

static enum haul_code describe_query(struct mssql_source *source, const char *sql, struct haul_error *err)
{
    struct haul_error refused = {0}, ignored = {0};
    bool found = false;
    if (!ms_run(&source->session, "SET FMTONLY ON", &refused)) {
        (void)describe_by(source, sql, &found, &refused);
        if (ms_is_alive(&source->session))
            (void)ms_run(&source->session, "SET FMTONLY OFF", &ignored);
    }
    if (found && !refused.code)
        return HAUL_OK;
    schema_release(&source->schema);
    if (!ms_is_alive(&source->session) &&
        ms_connect(&source->session, &source->server, &source->context, err))
        return err->code;
    if (describe_by(source, sql, &found, err))
        return error_prefix(err, "--query");
    return found ? HAUL_OK : error_set(err, HAUL_USAGE, "--query: the statement gives no rows");
}

static enum haul_code describe_table(struct mssql_source *source, const char *sql, struct haul_error *err)
{
    bool found = false;
    if (describe_by(source, sql, &found, err))
        return err->code;
    return found ? HAUL_OK
                 : error_set(err, HAUL_DATA, "%s: the server described no columns of \"%s\"",
                             source->server.name, source->table.name.name);
}

static enum haul_code check_names(const struct mssql_source *source, struct haul_error *err)
{
    for (int i = 0; i < source->schema.count; i++)
        if (!*source->schema.fields[i].name)
            return error_set(err, HAUL_USAGE, "--query: column %d has no name; give it one: ... AS name",
                             i + 1);
    return HAUL_OK;
}

static enum haul_code fill_info(struct mssql_source *source, struct source_info *info, struct haul_error *err)
{
    const struct ms_table *table = &source->table;
    bool whole = table->name.name && !source->request.where;
    if (schema_copy(&source->schema, &info->schema, err) ||
        info_set_key(info, table->key, table->key_count, err))
        return err->code;
    info->table = arena_text(&info->arena, table->name.name ? table->name.name : "query");
    info->table_schema = arena_text(&info->arena, table->name.schema);
    info->identity = arena_printf(&info->arena, "database %s object %s at %lld", source->session.database,
                                  table->object_id ? table->object_id : "-", (long long)clock_wall_us());
    if (!info->table || !info->identity || (table->name.schema && !info->table_schema))
        return error_nomem(err, "a description");
    info->rows = whole ? table->rows : -1;
    info->bytes = whole ? table->bytes : -1;
    info->order_fixed = false;
    info->replayable = true;
    info->splits_max = 1;
    info->consistency = "none";
    return HAUL_OK;
}

enum haul_code ms_source_describe(struct source *base, struct source_info *info, struct haul_error *err)
{
    struct mssql_source *source = (struct mssql_source *)base;
    struct sql sql = {.dialect = &ms_dialect};
    ms_table_release(&source->table);
    schema_release(&source->schema);
    if (!source->query && !source->request.table)
        return request_no_table(source->server.name, err);
    if (!source->query && ms_table_read(&source->session, source->request.table, &source->table, err))
        return err->code;
    enum haul_code code = ms_select(source, true, &sql, err);
    const char *text = code ? NULL : sql_text(&sql, err);
    if (text)
        code = source->query ? describe_query(source, text, err) : describe_table(source, text, err);
    sql_release(&sql);
    if (code || check_names(source, err))
        return err->code;
    return fill_info(source, info, err);
}
