/*
 * sink.c: PostgreSQL as a sink of batches: the target found, the run's table
 * made, sessions opened (database/table_sink.h has what all databases share).
 *
 * The run's lock is a session advisory lock on a hash of its name, held by the
 * sink's own connection; it dies with that. DDL is part of transactions, so the
 * run's table and its row in the ledger are made together. A table is known by
 * its oid. An unlogged table is emptied by a crash of the server, while the
 * ledger stays: such a target is not resumable, and is said so.
 */
#include "database/postgres/postgres.h"

#include "database/postgres/sink.h"
#include <stdio.h>
#include <stdlib.h>

/* ---- the control connection ---- */

/* FNV-1a over "haul run NAME" as a signed 64-bit number. */
static int64_t lock_key(const char *run)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (const char *at = "haul run "; *at; at++)
        hash = (hash ^ (uint8_t)*at) * 0x100000001b3u;
    for (; *run; run++)
        hash = (hash ^ (uint8_t)*run) * 0x100000001b3u;
    return (int64_t)hash;
}

static enum haul_code take_lock(struct table_sink *base, const char *run, struct haul_error *err)
{
    struct sql sql = {.dialect = &pg_dialect};
    struct answer answer;
    sql_add(&sql, "SELECT pg_catalog.pg_try_advisory_lock(%lld)", (long long)lock_key(run));
    enum haul_code code = engine_ask(&pg_engine, base->connection, &sql, &answer, err);
    base->locked = !code && answer_yes(&answer, 0, 0);
    answer_release(&answer);
    if (code || base->locked)
        return code;
    return error_set(err, HAUL_BUSY, "%s: run %s is being done by another process", base->place, run);
}

static enum haul_code control(struct table_sink *base, bool create, struct haul_error *err)
{
    struct postgres_sink *sink = (struct postgres_sink *)base;
    (void)create;
    base->connection = &sink->control;
    if (pg_is_alive(&sink->control))
        return HAUL_OK;
    pg_disconnect(&sink->control);
    if (pg_connect_first(&sink->control, &sink->server, SESSION_TARGET, &base->context, err))
        return err->code;
    return base->locked ? take_lock(base, base->run, err) : HAUL_OK;
}

/* ---- what is there ---- */

/* Where a table without a schema would be made. */
static enum haul_code default_schema(struct postgres_sink *sink, struct haul_error *err)
{
    PGresult *result = NULL;
    if (pg_ask(&sink->control, "SELECT pg_catalog.current_schema()", NULL, &result, err))
        return err->code;
    bool none = PQgetisnull(result, 0, 0);
    sink->base.schema_name = none ? NULL : table_sink_text(&sink->base, pg_text(result, 0, 0), err);
    PQclear(result);
    if (none)
        return error_set(err, HAUL_NOT_FOUND,
                         "%s: the session's search_path has no schema; write --table schema.name",
                         sink->base.place);
    return sink->base.schema_name ? HAUL_OK : err->code;
}

static enum haul_code name_target(struct postgres_sink *sink, const struct table_name *asked,
                                  struct haul_error *err)
{
    struct table_sink *base = &sink->base;
    bool exists = base->exists;
    base->target = table_sink_text(base, exists ? sink->table.name : asked->name, err);
    if (!base->target)
        return err->code;
    const char *schema = exists ? sink->table.schema : asked->schema;
    base->schema_name = schema ? table_sink_text(base, schema, err) : NULL;
    if (schema ? !base->schema_name : default_schema(sink, err) != HAUL_OK)
        return err->code;
    base->title = arena_printf(&base->arena, "%s.%s", base->schema_name, base->target);
    base->identity = arena_printf(&base->arena, "table %s", exists ? sink->table.oid : "");
    base->ledger_name = base->title;
    base->columns = &sink->table.columns;
    base->doubt =
        exists && sink->table.unlogged ? "the target is unlogged: a crash of the server empties it" : NULL;
    return base->title && base->identity ? HAUL_OK : error_nomem(err, "a table's name");
}

static enum haul_code find(struct table_sink *base, const struct sink_request *request,
                           struct haul_error *err)
{
    struct postgres_sink *sink = (struct postgres_sink *)base;
    struct table_name name = {.name = request->source->table};
    struct sql quoted = {.dialect = &pg_dialect};
    pg_table_release(&sink->table);
    if (!request->table && (!name.name || !*name.name))
        return error_set(err, HAUL_USAGE, "%s: say which table to write with --table NAME", base->place);
    if (request->table && table_name_parse(&pg_dialect, request->table, &base->arena, &name, err))
        return err->code;
    if (!request->table)
        sql_name(&quoted, name.name);
    const char *wanted = request->table ? request->table : sql_text(&quoted, err);
    enum haul_code code =
        wanted ? pg_table_read(&sink->control, wanted, &sink->table, &base->exists, err) : err->code;
    sql_release(&quoted);
    return code ? code : name_target(sink, &name, err);
}

static enum haul_code unknown(struct table_sink *base, struct haul_error *err)
{
    return pg_table_unknown(base->connection, base->title, err);
}

static enum haul_code check(struct table_sink *base, struct haul_error *err)
{
    struct postgres_sink *sink = (struct postgres_sink *)base;
    if (sink->table.kind != TABLE_PLAIN && sink->table.kind != TABLE_PARTITIONED)
        return error_set(err, HAUL_UNSUPPORTED, "%s: %s is a %s; haul writes to tables only", base->place,
                         base->title, pg_kind_name(sink->table.kind));
    return base->mode == SINK_REPLACE ? pg_check_dependents(sink, err) : HAUL_OK;
}

static enum haul_code allow_ledger(struct table_sink *base, struct haul_error *err)
{
    return pg_ledger_allow(&base->ledger, base->connection, err);
}

static void list_unique(const struct table_sink *base, struct sql *sql)
{
    const struct postgres_sink *sink = (const struct postgres_sink *)base;
    sql_add(sql,
            "SELECT i.indexrelid, a.attname FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_attribute AS a"
            " ON a.attrelid = i.indrelid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])"
            " WHERE i.indrelid = %s AND i.indisunique AND i.indisvalid AND i.indpred IS NULL"
            " AND i.indexprs IS NULL ORDER BY 1",
            sink->table.oid);
}

static void show(const struct table_sink *base, struct sql *sql)
{
    const struct postgres_sink *sink = (const struct postgres_sink *)base;
    table_sink_show_make(base, " (LIKE ", sql);
    sql_add(sql, "COPY ");
    table_sink_show_name(base, true, sql);
    sql_add(sql, " (");
    table_sink_add_columns(base, sql);
    sql_add(sql, ") FROM STDIN (FORMAT %s);\n", sink->text_format ? "text" : "binary");
    table_sink_show_finish(base, "TRUNCATE ", sql);
}

/* ---- prepare ---- */

static enum haul_code ready(struct table_sink *base, struct haul_error *err)
{
    struct postgres_sink *sink = (struct postgres_sink *)base;
    struct haul_error unnamed = {0};
    pg_session_name(&sink->control, base->run, &unnamed);
    sink->copy_sql = pg_copy_statement(sink, err);
    return sink->copy_sql ? HAUL_OK : err->code;
}

static enum haul_code make(struct table_sink *base, struct haul_error *err)
{
    struct sql sql = {.dialect = &pg_dialect};
    if (base->definition)
        return table_sink_run_on(base, "CREATE TABLE", base->work, base->definition, err);
    pg_staging_like((struct postgres_sink *)base, &sql);
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? pg_run(base->connection, text, err) : err->code;
    sql_release(&sql);
    return code;
}

static enum haul_code work_id(struct table_sink *base, const char *name, const char **id,
                              struct haul_error *err)
{
    const char *const texts[] = {base->schema_name, name};
    PGresult *result = NULL;
    if (pg_ask(base->connection,
               "SELECT c.oid FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n"
               " ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2",
               &(struct pg_values){2, texts}, &result, err))
        return err->code;
    *id = table_sink_text(base, PQntuples(result) ? pg_text(result, 0, 0) : "", err);
    PQclear(result);
    return *id ? HAUL_OK : err->code;
}

/* ---- sessions ---- */

static enum haul_code connect(struct table_sink *base, const struct context *context, void **out,
                              struct haul_error *err)
{
    struct postgres_sink *sink = (struct postgres_sink *)base;
    struct connection *session = calloc(1, sizeof *session);
    if (!session)
        return error_nomem(err, "a session");
    if (pg_connect(session, &sink->server, SESSION_TARGET, context, err)) {
        pg_disconnect(session);
        free(session);
        return err->code;
    }
    *out = session;
    return HAUL_OK;
}

static void disconnect(void *session)
{
    pg_disconnect(session);
    free(session);
}

static enum haul_code print_live(struct table_sink *base, struct buffer *list, struct haul_error *err)
{
    struct connection *own = base->connection;
    enum haul_code code = buffer_printf(list, err, "{%d", own->pid);
    pthread_mutex_lock(&base->mutex);
    for (int i = 0; i < base->session_count && !code; i++) {
        const struct connection *session = base->sessions[i];
        code = buffer_printf(list, err, ",%d", session->pid);
    }
    pthread_mutex_unlock(&base->mutex);
    return code ? code : buffer_append(list, "}", 2, err);
}

/* Sessions of this run that are not ours any more: their client is gone, but the
 * server has not noticed. We hold the run's lock, so nobody else has such. What
 * cannot be ended dies by its own timers. */
static void evict(struct table_sink *base, void *session, const struct unit *unit)
{
    static const char sql[] =
        "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity"
        " WHERE application_name = pg_catalog.current_setting('application_name')"
        " AND usename = current_user AND datname = pg_catalog.current_database()"
        " AND pid <> ALL ($1::int4[]) AND xact_start < pg_catalog.now() - interval '4 seconds'";
    struct buffer list = {0};
    struct haul_error unused = {0};
    PGresult *result = NULL;
    (void)unit;
    if (base->locked && pg_is_alive(base->connection) && !print_live(base, &list, &unused)) {
        const char *const texts[] = {(const char *)list.data};
        (void)pg_ask(session, sql, &(struct pg_values){1, texts}, &result, &unused);
    }
    PQclear(result);
    buffer_release(&list);
}

/* ---- life ---- */

static void release(struct table_sink *base)
{
    struct postgres_sink *sink = (struct postgres_sink *)base;
    pg_disconnect(&sink->control);
    pg_server_release(&sink->server);
    pg_table_release(&sink->table);
    free(sink);
}

static enum haul_code like(struct table_sink *base, const struct staging *staging, struct haul_error *err)
{
    return table_sink_like(base, staging, "(LIKE ", ")", err);
}

static const struct table_sink_ops own_ops = {
    .control = control,
    .lock = take_lock,
    .find = find,
    .unknown = unknown,
    .allow_ledger = allow_ledger,
    .check = check,
    .list_unique = list_unique,
    .begin_columns = pg_begin_columns,
    .define = pg_define_column,
    .match = pg_match_column,
    .show = show,
    .ready = ready,
    .make = make,
    .work_id = work_id,
    .connect = connect,
    .disconnect = disconnect,
    .open = pg_writer_open,
    .evict = evict,
    .empty = pg_empty,
    .swap = pg_swap,
    .like = like,
    .close = release,
};

enum haul_code postgres_sink_open(const char *uri, const struct context *context, struct sink **out,
                                  struct haul_error *err)
{
    struct postgres_sink *sink = calloc(1, sizeof *sink);
    if (!sink)
        return error_nomem(err, "a sink");
    table_sink_init(&sink->base, &own_ops, &pg_engine, context);
    enum haul_code code = pg_server_parse(&sink->server, uri, context->login, err);
    sink->base.place = sink->server.name;
    if (!code)
        code = control(&sink->base, false, err);
    if (code) {
        table_sink_close(&sink->base.base);
        return code;
    }
    *out = &sink->base.base;
    return HAUL_OK;
}
