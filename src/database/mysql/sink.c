/*
 * sink.c: MySQL and MariaDB as a sink of batches.
 *
 * Order of calls: open, negotiate, recall, prepare, then units from several
 * threads, each with a session of its own; finish, close. A unit is a
 * transaction:
 *
 *     START TRANSACTION; INSERT its ledger row; LOAD DATA; UPDATE the ledger row; COMMIT
 *
 * so that claim and data become visible in one step (docs/unit.md). When the
 * answer to COMMIT is lost the unit is opened again: the insert waits for the old
 * transaction if that still lives, and then says done or mine. It is never
 * decided by reading.
 *
 * DDL commits whatever is open, so the run's row goes into the ledger first and
 * its table is made after; the table bears the run's name as its comment, by
 * which a run that died between the two knows it again.
 *
 * The run's lock is GET_LOCK on a hash of database and name, held by the sink's
 * own connection; it dies with that.
 */
#include "database/mysql/mysql_wing.h"

#include "base/settings.h"
#include "database/definition.h"
#include "database/mysql/sink.h"
#include <stdio.h>
#include <stdlib.h>

/* ---- the control connection ---- */

/* FNV-1a */
static uint64_t lock_key(const char *base, const char *run)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *base; base++)
        hash = (hash ^ (uint8_t)*base) * 0x100000001b3u;
    hash = (hash ^ 0xff) * 0x100000001b3u;
    for (; *run; run++)
        hash = (hash ^ (uint8_t)*run) * 0x100000001b3u;
    return hash;
}

static enum haul_code take_lock(struct mysql_sink *sink, const char *run, struct haul_error *err)
{
    char text[96];
    int64_t taken = 0;
    snprintf(text, sizeof text, "SELECT GET_LOCK('haul_%016llx', 0)",
             (unsigned long long)lock_key(sink->schema_name ? sink->schema_name : "", run));
    if (my_ask_number(&sink->connection, text, &taken, err))
        return err->code;
    sink->locked = taken == 1;
    if (sink->locked)
        return HAUL_OK;
    return error_set(err, HAUL_BUSY, "%s: run %s is being done by another process", sink->server.name, run);
}

enum haul_code my_sink_control(struct mysql_sink *sink, struct haul_error *err)
{
    if (my_is_alive(&sink->connection))
        return HAUL_OK;
    my_disconnect(&sink->connection);
    if (my_connect_first(&sink->connection, &sink->server, SESSION_TARGET, &sink->context, err) ||
        my_run(&sink->connection, "SET SESSION wait_timeout = 86400", err))
        return err->code;
    return sink->locked ? take_lock(sink, sink->run, err) : HAUL_OK;
}

static enum haul_code sink_recall(struct sink *base, const char *name, struct run_record *record, bool *found,
                                  struct haul_error *err)
{
    struct mysql_sink *sink = (struct mysql_sink *)base;
    *found = false;
    snprintf(sink->run, sizeof sink->run, "%s", name);
    if (my_sink_control(sink, err) || (!sink->locked && take_lock(sink, name, err)) ||
        my_ledger_recall(&sink->ledger, &sink->connection, name, record, found, err))
        return err->code;
    if (!*found || !record->finished)
        return HAUL_OK;
    sink->work = staging_name(&my_dialect, sink->target, sink->run, &sink->arena);
    return sink->work ? my_sink_tidy(sink, err) : error_nomem(err, "a table's name");
}

/* ---- prepare ---- */

enum haul_code my_table_owner(struct mysql_sink *sink, const char *name, enum table_owner *owner,
                              struct haul_error *err)
{
    struct table table = {0};
    const struct table_name full = {.schema = sink->schema_name, .name = name};
    char tag[RUN_TAG_BYTES];
    bool found;
    if (my_table_find(&sink->connection, &full, &table, &found, err))
        return err->code;
    my_run_tag(sink->run, tag);
    *owner = !found ? TABLE_ABSENT : strcmp(table.comment, tag) == 0 ? TABLE_OURS : TABLE_FOREIGN;
    my_table_release(&table);
    return HAUL_OK;
}

static enum haul_code make_work(struct mysql_sink *sink, struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    char tag[RUN_TAG_BYTES];
    my_run_tag(sink->run, tag);
    sql_add(&sql, "CREATE TABLE ");
    sql_table(&sql, sink->schema_name, sink->work);
    if (sink->definition) {
        sql_add(&sql, " %s COMMENT=", sink->definition);
        sql_literal(&sql, tag);
    } else {
        sql_add(&sql, " LIKE ");
        sql_table(&sql, sink->schema_name, sink->target);
    }
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? my_run(&sink->connection, text, err) : err->code;
    if (!code && !sink->definition) {
        sql_clear(&sql);
        sql_add(&sql, "COMMENT=");
        sql_literal(&sql, tag);
        text = sql_text(&sql, err);
        code = text ? my_run_on(sink, &(struct on_table){"ALTER TABLE", sink->work, text}, err) : err->code;
    }
    sql_release(&sql);
    return code ? error_prefix(err, "making table \"%s\"", sink->work) : HAUL_OK;
}

static enum haul_code fail_changed(struct mysql_sink *sink, struct haul_error *err)
{
    return error_set(
        err, HAUL_CHANGED,
        "%s: table \"%s\" of the unfinished run %s was dropped or made again; --restart begins anew",
        sink->server.name, sink->work, sink->run);
}

/* Goes on with what the run left. A finish that died after its swap left no staging table. */
static enum haul_code continue_run(struct mysql_sink *sink, const struct ledger_run *known,
                                   const struct run_record *run, struct haul_error *err)
{
    enum table_owner work, target;
    if (strcmp(known->fingerprint, run->fingerprint ? run->fingerprint : "") != 0 ||
        strcmp(known->work, sink->work) != 0 || strcmp(known->target, sink->title) != 0)
        return error_set(err, HAUL_CHANGED,
                         "%s: an unfinished run %s is about something else; --restart discards it",
                         sink->server.name, sink->run);
    sink->made = known->made;
    if (!sink->made)
        return strcmp(known->work_id, sink->table.created ? sink->table.created : "")
                   ? fail_changed(sink, err)
                   : HAUL_OK;
    if (my_table_owner(sink, sink->work, &work, err) || my_table_owner(sink, sink->target, &target, err))
        return err->code;
    if (work == TABLE_ABSENT && sink->staged && target == TABLE_OURS)
        return my_check_rows(sink, sink->target, err);
    if (work == TABLE_ABSENT && run->receipt_count == 0)
        return make_work(sink, err);
    return work == TABLE_OURS ? my_check_rows(sink, sink->work, err) : fail_changed(sink, err);
}

/* Nobody else may be at work on a table that is to be ours alone. */
static enum haul_code check_owner(struct mysql_sink *sink, struct haul_error *err)
{
    struct ledger_run owner = {0};
    const struct ledger_search search = {.target = sink->title, .arena = &sink->arena};
    bool owned;
    if (my_ledger_find(&sink->ledger, &sink->connection, &search, &owner, &owned, err))
        return err->code;
    bool alone = sink->mode == SINK_CREATE || (owned && owner.made && !sink->staged);
    if (!owned || strcmp(owner.name, sink->run) == 0 || !alone)
        return HAUL_OK;
    return error_set(err, HAUL_EXISTS,
                     "%s: table %s belongs to the unfinished run %s; run that again to the end, or discard "
                     "it with --restart --run %s",
                     sink->server.name, sink->title, owner.name, owner.name);
}

static enum haul_code begin_run(struct mysql_sink *sink, const struct run_record *run, struct haul_error *err)
{
    static const char *const modes[] = {[SINK_CREATE] = "create",
                                        [SINK_APPEND] = "append",
                                        [SINK_TRUNCATE] = "truncate",
                                        [SINK_REPLACE] = "replace",
                                        [SINK_MERGE] = "merge"};
    sink->made = sink->definition || sink->staged;
    struct ledger_run entry = {.name = sink->run,
                               .target = sink->title,
                               .work = sink->work,
                               .work_id = sink->made ? "" : sink->table.created,
                               .mode = modes[sink->mode],
                               .made = sink->made,
                               .fingerprint = run->fingerprint ? run->fingerprint : ""};
    if (check_owner(sink, err) ||
        (sink->staged && my_run_on(sink, &(struct on_table){"DROP TABLE IF EXISTS", sink->work, ""}, err)) ||
        my_ledger_begin(&sink->ledger, &sink->connection, &entry, run->plan, err))
        return err->code;
    if (!sink->made || !make_work(sink, err))
        return HAUL_OK;
    struct haul_error unused = {0};
    my_ledger_forget(&sink->ledger, &sink->connection, sink->run, &unused);
    return err->code;
}

static enum haul_code prepare_run(struct mysql_sink *sink, const struct run_record *run,
                                  struct haul_error *err)
{
    struct ledger_run known = {0};
    const struct ledger_search search = {.name = sink->run, .arena = &sink->arena};
    bool found = false;
    if (my_ledger_create(&sink->ledger, &sink->connection, err) ||
        my_ledger_find(&sink->ledger, &sink->connection, &search, &known, &found, err))
        return err->code;
    return found && !known.finished ? continue_run(sink, &known, run, err) : begin_run(sink, run, err);
}

static enum haul_code sink_prepare(struct sink *base, const struct context *context,
                                   const struct run_record *run, struct haul_error *err)
{
    struct mysql_sink *sink = (struct mysql_sink *)base;
    sink->context = *context;
    snprintf(sink->run, sizeof sink->run, "%s", run->name);
    sink->work =
        sink->staged ? staging_name(&my_dialect, sink->target, sink->run, &sink->arena) : sink->target;
    if (!sink->work)
        return error_nomem(err, "a table's name");
    sink->load_sql = my_load_statement(sink, sink->work, err);
    if (!sink->load_sql || my_sink_control(sink, err))
        return err->code;
    sink->connection.cancel = context->cancel;
    enum haul_code code = prepare_run(sink, run, err);
    if (code)
        my_rollback(&sink->connection);
    return code;
}

/* ---- sessions ---- */

static enum haul_code session_take(struct mysql_sink *sink, const struct context *context,
                                   struct connection *session, struct haul_error *err)
{
    *session = (struct connection){0};
    pthread_mutex_lock(&sink->mutex);
    if (sink->session_count)
        *session = sink->sessions[--sink->session_count];
    pthread_mutex_unlock(&sink->mutex);
    session->cancel = context->cancel;
    if (my_is_alive(session))
        return HAUL_OK;
    my_disconnect(session);
    return my_connect(session, &sink->server, SESSION_TARGET, context, err);
}

void my_session_return(struct mysql_sink *sink, struct connection *session)
{
    my_rollback(session);
    if (!my_is_alive(session)) {
        my_disconnect(session);
        return;
    }
    session->cancel = NULL;
    pthread_mutex_lock(&sink->mutex);
    bool kept = sink->session_count < SESSIONS_MAX;
    if (kept)
        sink->sessions[sink->session_count++] = *session;
    pthread_mutex_unlock(&sink->mutex);
    if (!kept)
        my_disconnect(session);
    *session = (struct connection){0};
}

/* ---- units ---- */

static enum haul_code read_receipt(struct mysql_sink *sink, struct connection *session,
                                   const struct unit *unit, struct receipt *receipt, struct haul_error *err)
{
    my_rollback(session);
    receipt->unit = *unit;
    pthread_mutex_lock(&sink->mutex); /* the arena */
    enum haul_code code = my_ledger_receipt(&sink->ledger, session, sink->run, &sink->arena, receipt, err);
    pthread_mutex_unlock(&sink->mutex);
    return code;
}

/* The claim is asked for again anyway: what this meets is no error. */
static void evict(struct mysql_sink *sink, struct connection *session, const struct unit *unit)
{
    struct haul_error unused = {0};
    my_rollback(session);
    if (sink->locked && my_ledger_evict(&sink->ledger, session, sink->run, unit, &unused))
        context_warn(&sink->context, "ending the session that holds a unit: %s", unused.message);
}

static enum haul_code sink_open(struct sink *base, const struct context *context, const struct unit *unit,
                                struct writer **writer, enum unit_state *state, struct receipt *receipt,
                                struct haul_error *err)
{
    struct mysql_sink *sink = (struct mysql_sink *)base;
    struct connection session;
    if (session_take(sink, context, &session, err))
        return err->code;
    enum haul_code code = my_run(&session, "START TRANSACTION", err);
    if (!code)
        code = my_ledger_claim(&sink->ledger, &session, sink->run, unit, state, err);
    if (!code && *state == UNIT_MINE)
        code = my_writer_open(sink, context, &session, writer, err);
    else if (!code && *state == UNIT_DONE)
        code = read_receipt(sink, &session, unit, receipt, err);
    else if (!code)
        evict(sink, &session, unit);
    if (session.my)
        my_session_return(sink, &session);
    return code;
}

/* ---- life ---- */

static void sink_close(struct sink *base)
{
    struct mysql_sink *sink = (struct mysql_sink *)base;
    for (int i = 0; i < sink->session_count; i++)
        my_disconnect(&sink->sessions[i]);
    my_disconnect(&sink->connection);
    my_ledger_release(&sink->ledger);
    my_server_release(&sink->server);
    my_table_release(&sink->table);
    schema_release(&sink->schema);
    arena_release(&sink->arena);
    pthread_mutex_destroy(&sink->mutex);
    free(sink);
}

static const struct sink_ops sink_ops = {
    .name = "mysql",
    .negotiate = my_sink_negotiate,
    .recall = sink_recall,
    .prepare = sink_prepare,
    .open = sink_open,
    .finish = my_sink_finish,
    .remove = my_sink_remove,
    .close = sink_close,
};

enum haul_code mysql_sink_open(const char *uri, const struct context *context, struct sink **out,
                               struct haul_error *err)
{
    const struct settings *settings = context->settings;
    struct mysql_sink *sink = calloc(1, sizeof *sink);
    if (!sink)
        return error_nomem(err, "a sink");
    sink->base.ops = &sink_ops;
    sink->context = *context;
    pthread_mutex_init(&sink->mutex, NULL);
    const char *uuid = settings ? settings_text(settings, "uuid") : NULL;
    sink->uuid_text = uuid && strcmp(uuid, "text") == 0;
    if (my_server_parse(&sink->server, uri, context->login, err) || my_sink_control(sink, err)) {
        sink_close(&sink->base);
        return err->code;
    }
    *out = &sink->base;
    return HAUL_OK;
}
