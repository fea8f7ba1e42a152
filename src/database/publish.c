/*
 * publish.c: the end of a run: one transaction.
 *
 * The table takes its place and the run's row says finished in the same step, so
 * that it may be asked for again: after any crash, and when the answer to the
 * COMMIT was lost. `truncate` empties the target and fills it from the staging
 * table; the table itself stays, with its grants, views, triggers and keys.
 * `replace` puts the staging table in its place, `merge` is merge.c's. Where DDL commits the swap goes
 * before the transaction: the run's mark says afterwards whose table stands there.
 */
#include "base/clock.h"
#include "database/table_sink.h"
#include <string.h>

#define FINISH_TRIES    5
#define FINISH_AFTER_MS 500

/* ---- rows ---- */

static enum haul_code count_rows(struct table_sink *sink, const char *table, int64_t *rows,
                                 struct haul_error *err)
{
    struct sql sql = {.dialect = sink->engine->dialect};
    sql_add(&sql, "SELECT %s FROM ", sink->engine->count);
    sql_table(&sql, sink->schema_name, table);
    return engine_ask_number(sink->engine, sink->connection, &sql, rows, err);
}

enum haul_code table_sink_check_rows(struct table_sink *sink, const char *table, struct haul_error *err)
{
    int64_t there, known;
    if (!sink->ledger.runs)
        return HAUL_OK;
    if (count_rows(sink, table, &there, err) ||
        ledger_rows(&sink->ledger, sink->connection, sink->run, &known, err))
        return err->code;
    if (there == known)
        return HAUL_OK;
    return error_set(err, HAUL_CHANGED,
                     "%s: table \"%s\" has %lld rows, but the ledger knows %lld of run %s; somebody else "
                     "changed the table: --restart begins anew",
                     sink->place, table, (long long)there, (long long)known, sink->run);
}

/* ---- truncate ---- */

static enum haul_code insert_rows(struct table_sink *sink, int64_t *moved, struct haul_error *err)
{
    struct sql sql = {.dialect = sink->engine->dialect};
    sql_add(&sql, "%s", sink->engine->insert);
    sql_table(&sql, sink->schema_name, sink->target);
    sql_add(&sql, " (");
    table_sink_add_columns(sink, &sql);
    sql_add(&sql, ")%s SELECT ", sink->engine->overriding);
    table_sink_add_columns(sink, &sql);
    sql_add(&sql, " FROM ");
    sql_table(&sql, sink->schema_name, sink->work);
    if (engine_run(sink->engine, sink->connection, &sql, moved, err))
        return error_prefix(err, "filling \"%s\"", sink->target);
    return HAUL_OK;
}

static enum haul_code move_rows(struct table_sink *sink, struct haul_error *err)
{
    int64_t rows = 0, moved = 0;
    if (sink->ops->empty(sink, err) || insert_rows(sink, &moved, err) ||
        count_rows(sink, sink->work, &rows, err))
        return err->code;
    if (rows != moved)
        return error_set(err, HAUL_INTEGRITY,
                         "%s: of %lld rows only %lld reached \"%s\"; a trigger left some out", sink->place,
                         (long long)rows, (long long)moved, sink->target);
    return HAUL_OK;
}

static enum haul_code settle_rows(struct table_sink *sink, struct haul_error *err)
{
    if ((sink->ops->filling && sink->ops->filling(sink, err)) ||
        (sink->mode == SINK_MERGE ? table_sink_merge(sink, err) : move_rows(sink, err)) ||
        (sink->ops->filled && sink->ops->filled(sink, err)))
        return err->code;
    return sink->engine->ddl_commits ? HAUL_OK /* tidy does it */
                                     : table_sink_run_on(sink, "DROP TABLE", sink->work, "", err);
}

/* ---- finish ---- */

/* Where DDL commits a finish that died behind its swap left no staging table. */
static enum haul_code check_work(struct table_sink *sink, struct haul_error *err)
{
    const char *id = "there";
    if (!sink->made)
        return HAUL_OK;
    if (sink->engine->ddl_commits && sink->ops->work_id(sink, sink->work, &id, err))
        return err->code;
    return *id ? table_sink_check_rows(sink, sink->work, err) : HAUL_OK;
}

static enum haul_code publish(struct table_sink *sink, struct haul_error *err)
{
    const struct engine *engine = sink->engine;
    bool swap = sink->staged && sink->mode == SINK_REPLACE;
    if (check_work(sink, err) || (swap && sink->ops->swap(sink, err)) ||
        (engine->ddl_commits && engine->run(sink->connection, engine->begin, NULL, err)) ||
        (sink->staged && !swap && settle_rows(sink, err)))
        return err->code;
    return ledger_finish(&sink->ledger, sink->connection, sink->run, err);
}

static enum haul_code finish(struct table_sink *sink, const char *run, struct haul_error *err)
{
    const struct engine *engine = sink->engine;
    struct ledger_run known = {0};
    const struct ledger_search search = {.name = run, .arena = &sink->arena};
    bool found = false;
    if ((!engine->ddl_commits && engine->run(sink->connection, engine->begin, NULL, err)) ||
        ledger_find(&sink->ledger, sink->connection, &search, &known, &found, err))
        return err->code;
    if (sink->ledger.runs && !found)
        return error_set(err, HAUL_CHANGED, "%s: the ledger's row of run %s went away; --restart begins anew",
                         sink->place, run);
    if (!known.finished && publish(sink, err))
        return err->code;
    if ((!known.finished || !engine->ddl_commits) && engine->run(sink->connection, "COMMIT", NULL, err))
        return err->code;
    return sink->ops->tidy ? sink->ops->tidy(sink, err) : HAUL_OK;
}

static enum haul_code try_finish(struct table_sink *sink, const char *run, struct haul_error *err)
{
    if (sink->ops->control(sink, false, err))
        return err->code;
    sink->engine->watch(sink->connection, sink->context.cancel);
    enum haul_code code = finish(sink, run, err);
    if (code)
        sink->engine->rollback(sink->connection);
    return code;
}

enum haul_code table_sink_finish(struct sink *base, const struct run_record *run, const char *manifest,
                                 struct haul_error *err)
{
    struct table_sink *sink = (struct table_sink *)base;
    (void)manifest;
    for (int i = 1; try_finish(sink, run->name, err); i++) {
        if (!err->retryable || !sink->ledger.runs || i == FINISH_TRIES || context_check(&sink->context, err))
            return err->code;
        context_warn(&sink->context, "%s; trying to finish again", err->message);
        clock_sleep_ms(FINISH_AFTER_MS * i, sink->context.cancel);
        *err = (struct haul_error){0};
    }
    return HAUL_OK;
}
