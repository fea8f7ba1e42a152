/*
 * describe.c: what is read and as which types.
 *
 * The columns are those the server itself describes. A table is asked for no
 * rows. A query or a function that is read whole is begun, and the reader goes on
 * where the columns stand: it runs once, and its types are those of its rows.
 * For a dry run it is described with FMTONLY on (nothing runs), or, when that
 * gives no columns, begun and stopped.
 *
 * Without a snapshot the rows are those of one statement: the identity changes
 * with each run, so that nobody continues with other rows.
 */
#include "database/mssql/source.h"

#include "base/clock.h"
#include "database/column.h"
#include "database/mssql/rows.h"
#include "database/request.h"

#define SMALL_ROWS 100000 /* a counted table of so many is one unit, which can be tried again as a whole */

/* Sends the statement and reads to its columns. */
static enum haul_code begin_statement(struct mssql_source *source, const char *sql, bool *found,
                                      struct haul_error *err)
{
    enum ms_event event = MS_DONE;
    struct session *session = &source->session;
    if (ms_send_call(session, sql, &source->parameters, err))
        return err->code;
    while (event == MS_DONE)
        if (ms_next(session, &event, err))
            return err->code;
    *found = event == MS_COLUMNS;
    if (*found && ms_columns_schema(&session->columns, source->moments, &source->schema, err)) {
        ms_cancel(session);
        return err->code;
    }
    return HAUL_OK;
}

/* Then the rest is left: a described query ends at once; one that runs is stopped. */
static enum haul_code describe_by(struct mssql_source *source, const char *sql, bool *found,
                                  struct haul_error *err)
{
    enum ms_event event = MS_DONE;
    if (begin_statement(source, sql, found, err))
        return err->code;
    while (*found && event != MS_END) {
        if (event == MS_ROW || event == MS_ROW_NULLS) {
            ms_cancel(&source->session);
            break;
        }
        if (ms_next(&source->session, &event, err))
            return err->code;
    }
    return HAUL_OK;
}

static enum haul_code describe_idly(struct mssql_source *source, const char *sql, bool *found,
                                    struct haul_error *err)
{
    struct haul_error refused = {0}, ignored = {0};
    if (!ms_run(&source->session, "SET FMTONLY ON", &refused)) {
        (void)describe_by(source, sql, found, &refused);
        if (ms_is_alive(&source->session))
            (void)ms_run(&source->session, "SET FMTONLY OFF", &ignored);
    }
    if (*found && !refused.code)
        return HAUL_OK;
    schema_release(&source->schema);
    if (!ms_is_alive(&source->session) &&
        ms_connect(&source->session, &source->server, &source->context, err))
        return err->code;
    return describe_by(source, sql, found, err);
}

/* Is it read by one statement that is worth beginning now? */
static bool is_begun(const struct mssql_source *source)
{
    bool statement = source->query || source->table.kind == 'F';
    return statement && source->split == SPLIT_NONE && source->consistent == CONSISTENT_NO;
}

/* Of --columns one is not there: says which, and what is near. */
static enum haul_code fail_names(struct mssql_source *source, struct haul_error *err)
{
    struct source_request *request = &source->request;
    const char *const *names = request->columns;
    const struct ms_wanted wanted = {.none = true};
    struct sql sql = {.dialect = &ms_dialect};
    struct haul_error better = {0};
    bool found = false;
    request->columns = NULL;
    if (!ms_select(source, &wanted, &sql, &better))
        (void)describe_by(source, sql_text(&sql, &better), &found, &better);
    sql_release(&sql);
    request->columns = names;
    for (int i = 0; found && !better.code && i < request->column_count; i++) {
        struct schema one = {0};
        int place;
        if (schema_find_alike(&source->schema, names[i]) < 0)
            schema_select(&source->schema, &names[i], 1, &one, &place, &better);
        schema_release(&one);
    }
    if (better.code == HAUL_NOT_FOUND && found)
        *err = better;
    return err->code;
}

static enum haul_code describe_columns(struct mssql_source *source, struct haul_error *err)
{
    struct sql sql = {.dialect = &ms_dialect};
    bool begun = is_begun(source), found = false;
    struct ms_wanted wanted = {.none = !begun && !(source->query && source->split == SPLIT_NONE)};
    enum haul_code code = ms_select(source, &wanted, &sql, err);
    const char *text = code ? NULL : sql_text(&sql, err);
    if (text && begun && !source->dry)
        code = begin_statement(source, text, &found, err);
    else if (text)
        code = begun || !wanted.none ? describe_idly(source, text, &found, err)
                                     : describe_by(source, text, &found, err);
    source->running = !code && found && begun && !source->dry;
    sql_release(&sql);
    if (code == HAUL_NOT_FOUND && source->request.columns && ms_is_alive(&source->session))
        return fail_names(source, err);
    if (code)
        return source->query ? error_prefix(err, "--query") : code;
    if (found)
        return HAUL_OK;
    return source->query ? error_set(err, HAUL_USAGE, "--query: the statement gives no rows")
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

static enum haul_code fill_consistency(const struct mssql_source *source, struct source_info *info,
                                       struct haul_error *err)
{
    if (source->consistent != CONSISTENT_NO) {
        info->consistency = "snapshot";
        return HAUL_OK;
    }
    info->consistency = "none";
    info->consistency_note =
        source->split == SPLIT_NONE
            ? "rows changed while they are read may be missing or read twice; --consistent reads one moment"
            : "parts are read at different moments: rows changed meanwhile may be missing or read twice; "
              "--consistent reads one moment";
    (void)err;
    return HAUL_OK;
}

/* The key's names as the rows have them: a catalog may have them in small letters. */
static enum haul_code fill_key(const struct mssql_source *source, struct source_info *info,
                               struct haul_error *err)
{
    const struct ms_key *key = &source->table.primary;
    const char **names = arena_alloc_array(&info->arena, (size_t)key->count + 1, sizeof *names);
    for (int i = 0; names && i < key->count; i++) {
        int at = schema_find_alike(&source->schema, key->names[i]);
        names[i] = at < 0 ? key->names[i] : source->schema.fields[at].name;
    }
    return names ? info_set_key(info, names, key->count, err) : error_nomem(err, "a key");
}

static enum haul_code fill_info(struct mssql_source *source, struct source_info *info, struct haul_error *err)
{
    const struct ms_table *table = &source->table;
    bool whole = table->name.name && !source->request.where;
    bool small = whole && table->rows_exact && table->rows <= SMALL_ROWS;
    if (schema_copy(&source->schema, &info->schema, err) || fill_key(source, info, err))
        return err->code;
    info->table = arena_text(&info->arena, table->name.name ? table->name.name : "query");
    info->table_schema = arena_text(&info->arena, table->name.schema);
    info->identity = arena_printf(&info->arena, "database %s object %s at %lld", source->session.database,
                                  table->object_id ? table->object_id : "-", (long long)clock_wall_us());
    if (!info->table || !info->identity || (table->name.schema && !info->table_schema))
        return error_nomem(err, "a description");
    info->rows = whole ? table->rows : -1;
    info->rows_exact = whole && table->rows_exact;
    info->bytes = whole ? table->bytes : -1;
    info->order_fixed = source->ordered;
    info->replayable = info->fleeting = info->remote = true;
    info->splits_max = source->split == SPLIT_NONE && !small ? 1 : 0;
    if (source->consistent == CONSISTENT_SESSION)
        info->splits_max = 1;
    return fill_consistency(source, info, err);
}

/* What is asked for may be impossible in ways that are seen before anything is asked. */
static enum haul_code check_wishes(const struct mssql_source *source, struct haul_error *err)
{
    if (!source->query && !source->request.table)
        return request_no_table(source->server.name, err);
    if (source->parameters.count && source->split_wish != SPLIT_AUTO && source->split_wish != SPLIT_NONE)
        return error_set(err, HAUL_USAGE,
                         "--parameters and --split: what has parameters is read in one part");
    if (source->query && source->split_wish == SPLIT_PARTITION)
        return error_set(err, HAUL_USAGE, "--split partition is for tables, not for a --query");
    return HAUL_OK;
}

enum haul_code ms_source_describe(struct source *base, struct source_info *info, struct haul_error *err)
{
    struct mssql_source *source = (struct mssql_source *)base;
    ms_table_release(&source->table);
    schema_release(&source->schema);
    if (check_wishes(source, err))
        return err->code;
    if (!source->query && ms_table_read(&source->session, source->request.table, &source->table, err))
        return err->code;
    if (source->parameters.count && !source->query && source->table.kind != 'F')
        return error_set(err, HAUL_USAGE, "--parameters: \"%s\" is no function that gives rows",
                         source->table.name.name);
    if (ms_split_choose(source, err) || ms_consistent_choose(source, err) || describe_columns(source, err) ||
        check_names(source, err))
        return err->code;
    return fill_info(source, info, err);
}
