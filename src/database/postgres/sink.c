/*
 * sink.c: PostgreSQL as a sink of batches.
 *
 * Order of calls: open, negotiate, recall, prepare, then units from several
 * threads, each with a session of its own; finish, close. A unit is a
 * transaction:
 *
 *     BEGIN; INSERT its ledger row; COPY rows; UPDATE the ledger row; COMMIT
 *
 * so that claim and data become visible in one step (docs/unit.md). When the
 * answer to COMMIT is lost the unit is opened again: the insert waits for the old
 * transaction if that still lives, and then says done or mine. It is never
 * decided by reading.
 *
 * A claim that stays busy because the session of a dead client still holds it is
 * freed by ending that session, our own old one and no other.
 *
 * The run's lock is a session advisory lock on a hash of its name, held by the
 * sink's own connection; it dies with that.
 */
#include "database/postgres/postgres.h"

#include "base/settings.h"
#include "database/definition.h"
#include "database/postgres/sink.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREPARE_LOCK "7165065848958149228" /* makes the ledger's tables one at a time */

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

static enum haul_code take_lock(struct postgres_sink *sink, const char *run, struct haul_error *err)
{
    char key[32];
    const char *const texts[] = {key};
    PGresult *result = NULL;
    snprintf(key, sizeof key, "%lld", (long long)lock_key(run));
    if (pg_ask(&sink->connection, "SELECT pg_catalog.pg_try_advisory_lock($1::int8)",
               &(struct pg_values){1, texts}, &result, err))
        return err->code;
    sink->locked = pg_true(result, 0, 0);
    PQclear(result);
    if (sink->locked)
        return HAUL_OK;
    return error_set(err, HAUL_BUSY, "%s: run %s is being done by another process", sink->server.name, run);
}

enum haul_code pg_sink_control(struct postgres_sink *sink, struct haul_error *err)
{
    if (pg_is_alive(&sink->connection))
        return HAUL_OK;
    pg_disconnect(&sink->connection);
    if (pg_connect_first(&sink->connection, &sink->server, SESSION_TARGET, &sink->context, err))
        return err->code;
    return sink->locked ? take_lock(sink, sink->run, err) : HAUL_OK;
}

static enum haul_code sink_recall(struct sink *base, const char *name, struct run_record *record, bool *found,
                                  struct haul_error *err)
{
    struct postgres_sink *sink = (struct postgres_sink *)base;
    *found = false;
    snprintf(sink->run, sizeof sink->run, "%s", name);
    if (pg_sink_control(sink, err) || (!sink->locked && take_lock(sink, name, err)))
        return err->code;
    return pg_ledger_recall(&sink->ledger, &sink->connection, name, record, found, err);
}

/* ---- prepare ---- */

static enum haul_code table_oid(struct postgres_sink *sink, const char *name, const char **oid,
                                struct haul_error *err)
{
    const char *const texts[] = {sink->schema_name, name};
    PGresult *result = NULL;
    *oid = NULL;
    if (pg_ask(&sink->connection,
               "SELECT c.oid FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n"
               " ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2",
               &(struct pg_values){2, texts}, &result, err))
        return err->code;
    *oid = PQntuples(result) ? arena_text(&sink->arena, pg_text(result, 0, 0)) : "";
    PQclear(result);
    return *oid ? HAUL_OK : error_nomem(err, "a table's name");
}

/* Goes on with what the run left. */
static enum haul_code continue_run(struct postgres_sink *sink, const struct ledger_run *known,
                                   const struct run_record *run, struct haul_error *err)
{
    const char *oid;
    if (strcmp(known->fingerprint, run->fingerprint ? run->fingerprint : "") != 0 ||
        strcmp(known->work, sink->work) != 0 || strcmp(known->target, sink->title) != 0)
        return error_set(err, HAUL_CHANGED,
                         "%s: an unfinished run %s is about something else; --restart discards it",
                         sink->server.name, sink->run);
    sink->made = known->made;
    if (table_oid(sink, sink->work, &oid, err))
        return err->code;
    if (strcmp(oid, known->work_oid) != 0)
        return error_set(err, HAUL_CHANGED,
                         "%s: table \"%s\" of the unfinished run %s was dropped%s; --restart begins anew",
                         sink->server.name, sink->work, sink->run, *oid ? " and made again" : "");
    return sink->made ? pg_check_rows(sink, sink->work, err) : HAUL_OK;
}

/* Nobody else may be at work on a table that is to be ours alone. */
static enum haul_code check_owner(struct postgres_sink *sink, struct haul_error *err)
{
    struct ledger_run owner = {0};
    const struct ledger_search search = {.target = sink->title, .arena = &sink->arena};
    bool owned;
    if (pg_ledger_find(&sink->ledger, &sink->connection, &search, &owner, &owned, err))
        return err->code;
    bool alone = sink->mode == SINK_CREATE || (owned && owner.made && !sink->staged);
    if (!owned || strcmp(owner.name, sink->run) == 0 || !alone)
        return HAUL_OK;
    return error_set(err, HAUL_EXISTS,
                     "%s: table %s belongs to the unfinished run %s; run that again to the end, or discard "
                     "it with --restart --run %s",
                     sink->server.name, sink->title, owner.name, owner.name);
}

static enum haul_code make_work(struct postgres_sink *sink, struct haul_error *err)
{
    struct sql sql = {.dialect = &pg_dialect};
    if (sink->staged && pg_run_on(sink, &(struct on_table){"DROP TABLE IF EXISTS", sink->work, ""}, err))
        return err->code;
    enum haul_code code = HAUL_OK;
    if (sink->definition) {
        code = pg_run_on(sink, &(struct on_table){"CREATE TABLE", sink->work, sink->definition}, err);
    } else if (sink->staged) {
        code = pg_staging_like(sink, &sql, err);
        if (!code)
            code = pg_run(&sink->connection, sql_text(&sql, err), err);
    }
    sql_release(&sql);
    return code ? error_prefix(err, "making table \"%s\"", sink->work) : HAUL_OK;
}

static enum haul_code begin_run(struct postgres_sink *sink, const struct run_record *run,
                                struct haul_error *err)
{
    static const char *const modes[] = {[SINK_CREATE] = "create",
                                        [SINK_APPEND] = "append",
                                        [SINK_TRUNCATE] = "truncate",
                                        [SINK_REPLACE] = "replace",
                                        [SINK_MERGE] = "merge"};
    const char *oid;
    sink->made = sink->definition || sink->staged;
    if (check_owner(sink, err) || make_work(sink, err) || table_oid(sink, sink->work, &oid, err))
        return err->code;
    struct ledger_run entry = {.name = sink->run,
                               .target = sink->title,
                               .work = sink->work,
                               .work_oid = oid,
                               .mode = modes[sink->mode],
                               .made = sink->made,
                               .fingerprint = run->fingerprint ? run->fingerprint : ""};
    return pg_ledger_begin(&sink->ledger, &sink->connection, &entry, run->plan, err);
}

static enum haul_code prepare_run(struct postgres_sink *sink, const struct run_record *run,
                                  struct haul_error *err)
{
    struct ledger_run known = {0};
    const struct ledger_search search = {.name = sink->run, .arena = &sink->arena};
    bool found = false;
    if (pg_run(&sink->connection, "BEGIN; SELECT pg_catalog.pg_advisory_xact_lock(" PREPARE_LOCK ")", err))
        return err->code;
    enum haul_code code = pg_ledger_create(&sink->ledger, &sink->connection, err);
    if (!code)
        code = pg_ledger_find(&sink->ledger, &sink->connection, &search, &known, &found, err);
    if (!code)
        code = found && !known.finished ? continue_run(sink, &known, run, err) : begin_run(sink, run, err);
    if (!code)
        code = pg_run(&sink->connection, "COMMIT", err);
    if (code)
        pg_rollback(&sink->connection);
    return code;
}

static enum haul_code sink_prepare(struct sink *base, const struct context *context,
                                   const struct run_record *run, struct haul_error *err)
{
    struct postgres_sink *sink = (struct postgres_sink *)base;
    struct haul_error unnamed = {0};
    sink->context = *context;
    snprintf(sink->run, sizeof sink->run, "%s", run->name);
    sink->work =
        sink->staged ? staging_name(&pg_dialect, sink->target, sink->run, &sink->arena) : sink->target;
    if (!sink->work)
        return error_nomem(err, "a table's name");
    sink->copy_sql = pg_copy_statement(sink, sink->work, err);
    if (!sink->copy_sql || pg_sink_control(sink, err))
        return err->code;
    sink->connection.cancel = context->cancel;
    pg_session_name(&sink->connection, sink->run, &unnamed);
    return prepare_run(sink, run, err);
}

/* ---- sessions ---- */

static void live_add(struct postgres_sink *sink, int pid)
{
    pthread_mutex_lock(&sink->mutex);
    if (sink->live_count < SESSIONS_MAX)
        sink->live[sink->live_count++] = pid;
    pthread_mutex_unlock(&sink->mutex);
}

static void live_remove(struct postgres_sink *sink, int pid)
{
    pthread_mutex_lock(&sink->mutex);
    for (int i = 0; i < sink->live_count; i++)
        if (sink->live[i] == pid)
            sink->live[i] = sink->live[--sink->live_count];
    pthread_mutex_unlock(&sink->mutex);
}

static enum haul_code print_live(struct postgres_sink *sink, struct buffer *list, struct haul_error *err)
{
    enum haul_code code = buffer_printf(list, err, "{%d", sink->connection.pid);
    pthread_mutex_lock(&sink->mutex);
    for (int i = 0; i < sink->live_count && !code; i++)
        code = buffer_printf(list, err, ",%d", sink->live[i]);
    pthread_mutex_unlock(&sink->mutex);
    return code ? code : buffer_append(list, "}", 2, err);
}

/* Sessions of this run that are not ours any more: their client is gone, but the
 * server has not noticed. We hold the run's lock, so nobody else has such. What
 * cannot be ended dies by its own timers. */
static void end_orphans(struct postgres_sink *sink, struct connection *session)
{
    static const char sql[] =
        "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity"
        " WHERE application_name = pg_catalog.current_setting('application_name')"
        " AND usename = current_user AND datname = pg_catalog.current_database()"
        " AND pid <> ALL ($1::int4[]) AND xact_start < pg_catalog.now() - interval '4 seconds'";
    struct buffer list = {0};
    struct haul_error unused = {0};
    PGresult *result = NULL;
    pg_rollback(session);
    if (sink->locked && pg_is_alive(&sink->connection) && !print_live(sink, &list, &unused)) {
        const char *const texts[] = {(const char *)list.data};
        (void)pg_ask(session, sql, &(struct pg_values){1, texts}, &result, &unused);
    }
    PQclear(result);
    buffer_release(&list);
}

enum haul_code pg_session_take(struct postgres_sink *sink, const struct context *context,
                               struct connection *session, struct haul_error *err)
{
    *session = (struct connection){0};
    pthread_mutex_lock(&sink->mutex);
    if (sink->session_count)
        *session = sink->sessions[--sink->session_count];
    pthread_mutex_unlock(&sink->mutex);
    session->cancel = context->cancel;
    if (pg_is_alive(session))
        return HAUL_OK;
    if (session->pg)
        live_remove(sink, session->pid);
    pg_disconnect(session);
    if (pg_connect(session, &sink->server, SESSION_TARGET, context, err))
        return err->code;
    live_add(sink, session->pid);
    return HAUL_OK;
}

void pg_session_return(struct postgres_sink *sink, struct connection *session)
{
    int pid = session->pg ? session->pid : 0;
    pg_rollback(session);
    if (!pg_is_alive(session)) {
        live_remove(sink, pid);
        pg_disconnect(session);
        return;
    }
    session->cancel = NULL;
    pthread_mutex_lock(&sink->mutex);
    bool kept = sink->session_count < SESSIONS_MAX;
    if (kept)
        sink->sessions[sink->session_count++] = *session;
    pthread_mutex_unlock(&sink->mutex);
    if (!kept) {
        live_remove(sink, pid);
        pg_disconnect(session);
    }
    *session = (struct connection){0};
}

/* ---- units ---- */

static enum haul_code read_receipt(struct postgres_sink *sink, struct connection *session,
                                   const struct unit *unit, struct receipt *receipt, struct haul_error *err)
{
    pg_rollback(session);
    receipt->unit = *unit;
    pthread_mutex_lock(&sink->mutex); /* the arena */
    enum haul_code code = pg_ledger_receipt(&sink->ledger, session, sink->run, &sink->arena, receipt, err);
    pthread_mutex_unlock(&sink->mutex);
    return code;
}

static enum haul_code sink_open(struct sink *base, const struct context *context, const struct unit *unit,
                                struct writer **writer, enum unit_state *state, struct receipt *receipt,
                                struct haul_error *err)
{
    struct postgres_sink *sink = (struct postgres_sink *)base;
    struct connection session;
    if (pg_session_take(sink, context, &session, err))
        return err->code;
    enum haul_code code = pg_run(&session, "BEGIN", err);
    if (!code)
        code = pg_ledger_claim(&sink->ledger, &session, sink->run, unit, state, err);
    if (!code && *state == UNIT_MINE)
        code = pg_writer_open(sink, context, &session, writer, err);
    else if (!code && *state == UNIT_DONE)
        code = read_receipt(sink, &session, unit, receipt, err);
    else if (!code)
        end_orphans(sink, &session);
    pg_session_return(sink, &session);
    return code;
}

/* ---- life ---- */

static void sink_close(struct sink *base)
{
    struct postgres_sink *sink = (struct postgres_sink *)base;
    for (int i = 0; i < sink->session_count; i++)
        pg_disconnect(&sink->sessions[i]);
    pg_disconnect(&sink->connection);
    pg_ledger_release(&sink->ledger);
    pg_server_release(&sink->server);
    pg_table_release(&sink->table);
    schema_release(&sink->schema);
    arena_release(&sink->arena);
    pthread_mutex_destroy(&sink->mutex);
    free(sink);
}

static const struct sink_ops sink_ops = {
    .name = "postgres",
    .negotiate = pg_sink_negotiate,
    .recall = sink_recall,
    .prepare = sink_prepare,
    .open = sink_open,
    .finish = pg_sink_finish,
    .remove = pg_sink_remove,
    .close = sink_close,
};

enum haul_code postgres_sink_open(const char *uri, const struct context *context, struct sink **out,
                                  struct haul_error *err)
{
    const struct settings *settings = context->settings;
    struct postgres_sink *sink = calloc(1, sizeof *sink);
    if (!sink)
        return error_nomem(err, "a sink");
    sink->base.ops = &sink_ops;
    sink->context = *context;
    pthread_mutex_init(&sink->mutex, NULL);
    const char *uuid = settings ? settings_text(settings, "uuid") : NULL;
    sink->uuid_text = uuid && strcmp(uuid, "text") == 0;
    if (pg_server_parse(&sink->server, uri, context->login, err) || pg_sink_control(sink, err)) {
        sink_close(&sink->base);
        return err->code;
    }
    *out = &sink->base;
    return HAUL_OK;
}
