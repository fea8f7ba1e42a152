/*
 * remove.c: taking back what an unfinished run made.
 *
 * A table the run made is dropped. Rows that `create` put into an empty table go
 * when the ledger knows all that are there. Rows appended to a table of somebody
 * else cannot be told from others in most databases: they stay, and that is said.
 */
#include "database/table_sink.h"

#include <stdio.h>
#include <string.h>

static enum haul_code take_back_rows(struct table_sink *sink, const struct ledger_run *known,
                                     struct haul_error *err)
{
    int64_t rows = 0;
    if (ledger_rows(&sink->ledger, sink->connection, sink->run, &rows, err))
        return err->code;
    if (rows == 0)
        return HAUL_OK;
    if (sink->ops->take_back)
        return sink->ops->take_back(sink, known, err);
    if (strcmp(known->mode, "create") == 0) {
        if (table_sink_check_rows(sink, known->work, err))
            return err->code;
        return table_sink_run_on(sink, "DELETE FROM", known->work, "", err);
    }
    context_warn(&sink->context, "%s: the %lld rows that run %s appended to %s stay there", sink->place,
                 (long long)rows, sink->run, known->target);
    return HAUL_OK;
}

/* Where DDL commits only a table with the run's mark is its own. */
static enum haul_code drop_work(struct table_sink *sink, const char *name, struct haul_error *err)
{
    char mark[RUN_MARK_BYTES];
    const char *id = mark;
    table_sink_mark(sink, mark);
    if (sink->engine->ddl_commits && sink->ops->work_id(sink, name, &id, err))
        return err->code;
    if (strcmp(id, mark) != 0)
        return HAUL_OK;
    return table_sink_run_on(sink, "DROP TABLE IF EXISTS", name, "", err);
}

/* A table is dropped before rows and ledger change: where that commits it may be repeated. */
static enum haul_code undo_run(struct table_sink *sink, const struct ledger_run *known,
                               struct haul_error *err)
{
    const struct engine *engine = sink->engine;
    if (strcmp(known->target, sink->ledger_name) != 0)
        return error_set(err, HAUL_CHANGED, "%s: run %s is about %s, not %s; discard it with that target",
                         sink->place, sink->run, known->target, sink->title);
    if (sink->in_doubt && !known->made) /* what is in doubt must not be forgotten by the run that found it */
        return error_set(err, HAUL_INTEGRITY, "%s: run %s is kept", sink->place, sink->run);
    if ((known->made && drop_work(sink, known->work, err)) ||
        (engine->ddl_commits && engine->run(sink->connection, engine->begin, NULL, err)) ||
        (!known->made && take_back_rows(sink, known, err)))
        return err->code;
    return ledger_forget(&sink->ledger, sink->connection, sink->run, err);
}

static enum haul_code undo(struct table_sink *sink, struct haul_error *err)
{
    const struct engine *engine = sink->engine;
    struct ledger_run known = {0};
    const struct ledger_search search = {.name = sink->run, .arena = &sink->arena};
    bool found = false;
    if ((!engine->ddl_commits && engine->run(sink->connection, engine->begin, NULL, err)) ||
        ledger_find(&sink->ledger, sink->connection, &search, &known, &found, err) ||
        (found && !known.finished && undo_run(sink, &known, err)))
        return err->code;
    /* without a ledger only a table this run made is known to be its own */
    if (!sink->ledger.runs && sink->made && sink->work && drop_work(sink, sink->work, err))
        return err->code;
    return engine->run(sink->connection, "COMMIT", NULL, err);
}

/* A cancelled run is removed all the same: nothing watches the signal here. */
enum haul_code table_sink_remove(struct sink *base, const struct run_record *run, struct haul_error *err)
{
    struct table_sink *sink = (struct table_sink *)base;
    struct cancel *cancel = sink->context.cancel;
    snprintf(sink->run, sizeof sink->run, "%s", run->name);
    sink->context.cancel = NULL;
    if (sink->connection)
        sink->engine->watch(sink->connection, NULL);
    enum haul_code code = sink->ops->control(sink, false, err);
    if (!code && sink->connection) {
        sink->engine->watch(sink->connection, NULL);
        code = undo(sink, err);
        if (code)
            sink->engine->rollback(sink->connection);
        sink->engine->watch(sink->connection, cancel);
    }
    sink->context.cancel = cancel;
    return code;
}
