/*
 * sink.c: SQL Server as a sink of batches: the target found, sessions opened
 * (database/table_sink.h has what all databases share).
 *
 * The run's lock is an application lock of the session; where the server has
 * none, a row of the ledger in a transaction that stays open: both die with
 * their session.
 *
 * DDL is part of transactions, so the run's table and its row in the ledger are
 * made together. A table is known by its object_id.
 */
#include "database/mssql/sink.h"

#include "database/mssql/answer.h"
#include "database/mssql/mssql.h"
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct table_name ms_sink_name(const struct mssql_sink *sink, const char *name)
{
    return (struct table_name){.schema = sink->base.schema_name, .name = name};
}

/* ---- the control connection ---- */

static enum haul_code fail_locked(const struct table_sink *base, const char *run, struct haul_error *err)
{
    return error_set(err, HAUL_BUSY, "%s: run %s is being done by another process", base->place, run);
}

/* Where the server has no application locks: a row that no unit has, in a transaction
 * that stays open as long as its session. Its key keeps everybody else waiting.
 * Before the ledger's tables are made there is nothing to go on with either: prepare
 * asks again. */
static enum haul_code lock_by_row(struct mssql_sink *sink, const char *run, struct haul_error *err)
{
    struct table_sink *base = &sink->base;
    struct session *session = &sink->holder;
    struct sql sql = {.dialect = &ms_dialect};
    bool there = false;
    if (ms_is_alive(session))
        return HAUL_OK;
    if (base->ledger.runs &&
        ms_engine.ledger_exists(&sink->control, base->ledger.runs, base->ledger.units, &there, err))
        return err->code;
    if (!there)
        return HAUL_OK;
    ms_disconnect(session);
    *session = (struct session){0};
    if (ms_connect(session, &sink->server, &base->context, err) || ms_run(session, ms_engine.begin, err))
        return err->code;
    sql_add(&sql, "INSERT INTO %s (run, part, first_row) VALUES (", base->ledger.units);
    sql_literal(&sql, arena_printf(&base->arena, "=%s", run));
    sql_add(&sql, ", -1, -1)");
    base->locked = !engine_run(&ms_engine, session, &sql, NULL, err);
    if (base->locked)
        return HAUL_OK;
    bool taken = ms_engine.claim_failed(err) != UNIT_MINE;
    ms_disconnect(session);
    return taken ? fail_locked(base, run, err) : err->code;
}

static enum haul_code take_lock(struct table_sink *base, const char *run, struct haul_error *err)
{
    struct mssql_sink *sink = (struct mssql_sink *)base;
    struct sql sql = {.dialect = &ms_dialect};
    struct haul_error refused = {0};
    int64_t status = 0;
    sql_add(&sql, "DECLARE @got int; EXEC @got = sp_getapplock @Resource = ");
    sql_literal(&sql, arena_printf(&base->arena, "haul run %s", run));
    sql_add(&sql, ", @LockMode = 'Exclusive', @LockOwner = 'Session', @LockTimeout = 0; SELECT @got AS got");
    if (engine_ask_number(&ms_engine, &sink->control, &sql, &status, &refused)) {
        if (ms_is_alive(&sink->control) && refused.code != HAUL_CANCELLED)
            return lock_by_row(sink, run, err);
        *err = refused;
        return err->code;
    }
    base->locked = status >= 0;
    return base->locked ? HAUL_OK : fail_locked(base, run, err);
}

static enum haul_code control(struct table_sink *base, bool create, struct haul_error *err)
{
    struct mssql_sink *sink = (struct mssql_sink *)base;
    (void)create;
    base->connection = &sink->control;
    if (ms_is_alive(&sink->control))
        return HAUL_OK;
    ms_disconnect(&sink->control);
    sink->control = (struct session){0};
    if (ms_connect(&sink->control, &sink->server, &base->context, err))
        return err->code;
    return base->locked ? take_lock(base, base->run, err) : HAUL_OK;
}

/* ---- what is there ---- */

/* Where a table without a schema would be made. */
static enum haul_code default_schema(struct mssql_sink *sink, struct haul_error *err)
{
    struct ms_answer answer;
    struct sql sql = {.dialect = &ms_dialect};
    sql_add(&sql, "SELECT SCHEMA_NAME() AS name");
    if (ms_ask_softly(&sink->control, &sql, &answer, err))
        return err->code;
    const char *name = answer.rows ? ms_answer_text(&answer, 0, 0) : "";
    sink->base.schema_name = table_sink_text(&sink->base, *name ? name : "dbo", err);
    ms_answer_release(&answer);
    return sink->base.schema_name ? HAUL_OK : err->code;
}

static enum haul_code name_target(struct mssql_sink *sink, struct haul_error *err)
{
    struct table_sink *base = &sink->base;
    const struct table_name *name = &sink->target.table.name;
    base->target = table_sink_text(base, name->name, err);
    if (!base->target)
        return err->code;
    base->schema_name = name->schema ? table_sink_text(base, name->schema, err) : NULL;
    if (name->schema ? !base->schema_name : default_schema(sink, err) != HAUL_OK)
        return err->code;
    base->title = arena_printf(&base->arena, "%s.%s", base->schema_name, base->target);
    base->identity = arena_printf(&base->arena, "table %s", base->exists ? sink->target.table.object_id : "");
    base->ledger_name = base->title;
    base->columns = &sink->target.columns;
    base->doubt = NULL;
    return base->title && base->identity ? HAUL_OK : error_nomem(err, "a table's name");
}

/* The ledger stands beside the table: for a table of another database every session goes there. */
static enum haul_code enter_database(struct mssql_sink *sink, const char *wanted, struct haul_error *err)
{
    struct table_sink *base = &sink->base;
    struct target *target = &sink->target;
    sink->server.database = table_sink_text(base, target->table.name.database, err);
    target_release(target);
    ms_disconnect(&sink->control);
    if (!sink->server.database || control(base, false, err))
        return err->code;
    return ms_table_find(&sink->control, wanted, &target->table, &base->exists, err);
}

static enum haul_code find_table(struct mssql_sink *sink, const char *wanted, struct haul_error *err)
{
    struct table_sink *base = &sink->base;
    struct target *target = &sink->target;
    if (ms_table_find(&sink->control, wanted, &target->table, &base->exists, err))
        return err->code;
    const char *database = target->table.name.database;
    if (database && strcasecmp(database, sink->control.database) != 0 && enter_database(sink, wanted, err))
        return err->code;
    target->table.name.database = NULL;
    if (name_target(sink, err))
        return err->code;
    if (base->exists)
        return target_read(&sink->control, target, err);
    return ms_recovery_model(&sink->control, NULL, &target->arena, &target->recovery, err);
}

static enum haul_code find(struct table_sink *base, const struct sink_request *request,
                           struct haul_error *err)
{
    struct mssql_sink *sink = (struct mssql_sink *)base;
    struct sql quoted = {.dialect = &ms_dialect};
    target_release(&sink->target);
    sink->source = request->source;
    if (!request->table && (!request->source->table || !*request->source->table))
        return error_set(err, HAUL_USAGE, "%s: say which table to write with --table NAME", base->place);
    if (!request->table)
        sql_name(&quoted, request->source->table);
    const char *wanted = request->table ? request->table : sql_text(&quoted, err);
    enum haul_code code = wanted ? find_table(sink, wanted, err) : err->code;
    sql_release(&quoted);
    return code;
}

static enum haul_code unknown(struct table_sink *base, struct haul_error *err)
{
    return ms_table_unknown(base->connection, base->target, err);
}

static enum haul_code check(struct table_sink *base, struct haul_error *err)
{
    struct mssql_sink *sink = (struct mssql_sink *)base;
    if (sink->target.table.kind == 'V' && base->mode != SINK_APPEND)
        return error_set(err, HAUL_UNSUPPORTED, "%s: %s is a view; only --mode append writes through one",
                         base->place, base->title);
    return base->mode == SINK_REPLACE ? ms_check_dependents(sink, err) : HAUL_OK;
}

static void list_unique(const struct table_sink *base, struct sql *sql)
{
    const struct mssql_sink *sink = (const struct mssql_sink *)base;
    const char *id = sink->target.table.object_id;
    if (!sink->target.indexes_told) {
        sql_add(sql, "SELECT c.CONSTRAINT_NAME, k.COLUMN_NAME FROM INFORMATION_SCHEMA.TABLE_CONSTRAINTS AS c"
                     " JOIN INFORMATION_SCHEMA.KEY_COLUMN_USAGE AS k ON k.CONSTRAINT_SCHEMA ="
                     " c.CONSTRAINT_SCHEMA AND k.CONSTRAINT_NAME = c.CONSTRAINT_NAME"
                     " WHERE c.CONSTRAINT_TYPE IN ('PRIMARY KEY', 'UNIQUE') AND c.TABLE_NAME = ");
        sql_literal(sql, base->target);
        sql_add(sql, " AND c.TABLE_SCHEMA = ");
        sql_literal(sql, base->schema_name);
        sql_add(sql, " ORDER BY c.CONSTRAINT_NAME");
        return;
    }
    sql_add(
        sql,
        "SELECT i.index_id, c.name FROM sys.indexes AS i JOIN sys.index_columns AS k ON k.object_id = "
        "i.object_id"
        " AND k.index_id = i.index_id JOIN sys.columns AS c ON c.object_id = k.object_id AND c.column_id ="
        " k.column_id WHERE i.is_unique = 1 AND i.has_filter = 0 AND i.is_disabled = 0 AND k.key_ordinal > 0"
        " AND i.object_id = %s ORDER BY i.index_id",
        *id ? id : "0");
}

/* ---- what --dry-run shows ---- */

static void show(const struct table_sink *base, struct sql *sql)
{
    const struct mssql_sink *sink = (const struct mssql_sink *)base;
    bool triggers = base->exists && *sink->target.triggers && !base->staged;
    sql_add(sql, "-- %s\n-- %s\n", sink->policy.table, sink->policy.logging);
    if (triggers)
        sql_add(sql, "-- triggers that %s fire: %s\n", sink->policy.fire_triggers ? "will" : "will not",
                sink->target.triggers);
    if (!sink->policy.check_constraints)
        sql_add(sql,
                "-- CHECK and FOREIGN KEY constraints are not checked, and are not trusted afterwards\n");
    table_sink_show_make(base, " (LIKE ", sql);
    sql_add(sql, "INSERT BULK ");
    table_sink_show_name(base, true, sql);
    for (int i = 0; i < base->schema.count; i++) {
        sql_add(sql, i ? ", " : " (");
        sql_name(sql, base->schema.fields[i].name);
        sql_add(sql, " %s", sink->columns[i].declared);
    }
    sql_add(sql, ")");
    policy_add_hints(&sink->policy, sql);
    sql_add(sql, ";\n");
    table_sink_show_finish(base, "TRUNCATE TABLE ", sql);
}

static enum haul_code work_id(struct table_sink *base, const char *name, const char **id,
                              struct haul_error *err)
{
    struct sql full = {.dialect = &ms_dialect}, sql = {.dialect = &ms_dialect};
    struct answer answer;
    sql_table(&full, base->schema_name, name);
    const char *text = sql_text(&full, err);
    sql_add(&sql, "SELECT OBJECT_ID(");
    sql_literal(&sql, text ? text : "");
    sql_add(&sql, ")");
    enum haul_code code = text ? engine_ask(&ms_engine, base->connection, &sql, &answer, err) : err->code;
    sql_release(&full);
    if (code) {
        sql_release(&sql);
        return code;
    }
    *id = table_sink_text(base, answer_rows(&answer) ? answer_text(&answer, 0, 0) : "", err);
    answer_release(&answer);
    return *id ? HAUL_OK : err->code;
}

/* ---- sessions ---- */

static enum haul_code connect(struct table_sink *base, const struct context *context, void **out,
                              struct haul_error *err)
{
    struct mssql_sink *sink = (struct mssql_sink *)base;
    struct session *session = calloc(1, sizeof *session);
    if (!session)
        return error_nomem(err, "a session");
    if (ms_connect(session, &sink->server, context, err)) {
        ms_disconnect(session);
        free(session);
        return err->code;
    }
    *out = session;
    return HAUL_OK;
}

static void disconnect(void *session)
{
    ms_disconnect(session);
    free(session);
}

static bool is_ours(struct mssql_sink *sink, int64_t spid)
{
    struct table_sink *base = &sink->base;
    bool ours = spid == sink->control.spid || spid == sink->holder.spid;
    pthread_mutex_lock(&base->mutex);
    for (int i = 0; i < base->session_count && !ours; i++)
        ours = spid == ((const struct session *)base->sessions[i])->spid;
    pthread_mutex_unlock(&base->mutex);
    return ours;
}

/* Sessions that bear the run's name and are not ours any more: their client is
 * gone, but the server has not noticed. We hold the run's lock, so nobody else
 * has such. Without the right to see or to end them they are waited for. */
static void evict(struct table_sink *base, void *session, const struct unit *unit)
{
    struct mssql_sink *sink = (struct mssql_sink *)base;
    struct sql sql = {.dialect = &ms_dialect};
    struct haul_error unused = {0};
    struct ms_answer answer = {0};
    char name[80], kill[32];
    (void)unit;
    snprintf(name, sizeof name, "haul %s", base->run);
    if (!base->locked)
        return;
    sql_add(&sql, "SELECT session_id FROM sys.dm_exec_sessions WHERE program_name = ");
    sql_literal(&sql, name);
    const char *text = sql_text(&sql, &unused);
    if (text && !ms_ask(session, text, &answer, &unused))
        for (int64_t i = 0; i < answer.rows; i++) {
            int64_t spid = ms_answer_number(&answer, i, 0);
            snprintf(kill, sizeof kill, "KILL %lld", (long long)spid);
            if (!is_ours(sink, spid) && ms_run(session, kill, &unused))
                break;
        }
    ms_answer_release(&answer);
    sql_release(&sql);
}

/* ---- life ---- */

/* Constraints that were not checked are named at the end. */
static enum haul_code tidy(struct table_sink *base, struct haul_error *err)
{
    struct mssql_sink *sink = (struct mssql_sink *)base;
    const char *names = "";
    if (sink->policy.check_constraints || base->staged || !base->exists)
        return HAUL_OK;
    if (target_untrusted(&sink->control, &sink->target.table, &base->arena, &names, err))
        return err->code;
    if (*names)
        context_warn(
            &base->context,
            "%s: constraints of %s that are not trusted: %s; ALTER TABLE ... WITH CHECK CHECK CONSTRAINT "
            "checks them",
            base->place, base->title, names);
    return HAUL_OK;
}

static void release(struct table_sink *base)
{
    struct mssql_sink *sink = (struct mssql_sink *)base;
    ms_disconnect(&sink->control);
    ms_disconnect(&sink->holder);
    ms_server_release(&sink->server);
    target_release(&sink->target);
    free(sink);
}

static const struct table_sink_ops own_ops = {
    .control = control,
    .lock = take_lock,
    .find = find,
    .unknown = unknown,
    .allow_ledger = ms_allow_ledger,
    .check = check,
    .begin_columns = ms_begin_columns,
    .list_unique = list_unique,
    .define = ms_define_column,
    .match = ms_match_column,
    .show = show,
    .ready = ms_ready,
    .make = ms_make,
    .work_id = work_id,
    .connect = connect,
    .disconnect = disconnect,
    .open = ms_writer_open,
    .evict = evict,
    .empty = ms_empty,
    .filling = ms_filling,
    .filled = ms_filled,
    .like = ms_make_staging,
    .swap = ms_swap,
    .tidy = tidy,
    .close = release,
};

enum haul_code mssql_sink_open(const char *uri, const struct context *context, struct sink **out,
                               struct haul_error *err)
{
    struct mssql_sink *sink = calloc(1, sizeof *sink);
    if (!sink)
        return error_nomem(err, "a sink");
    table_sink_init(&sink->base, &own_ops, &ms_engine, context);
    if (!ms_server_open(&sink->server, uri, context, err)) {
        sink->base.place = sink->server.name;
        control(&sink->base, false, err);
    }
    if (err->code) {
        table_sink_close(&sink->base.base);
        return err->code;
    }
    *out = &sink->base.base;
    return HAUL_OK;
}
