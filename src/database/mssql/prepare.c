/*
 * prepare.c: the ledger, the run's table, and how it may be loaded.
 *
 * What the table's columns are is asked of the table itself once it is there, by
 * the first worker: types, collations and lengths as the wire has them. Where
 * there are hints that only make loads faster, a load without rows is tried and
 * rolled back: a server that refuses such a hint gets the statement without it.
 *
 * Without the right to make the ledger's tables the run goes on without them:
 * what was committed is not remembered, and that is said.
 */
#include "database/mssql/answer.h"
#include "database/mssql/sink.h"

#include <strings.h>

/* ---- the ledger ---- */

enum haul_code ms_allow_ledger(struct table_sink *base, struct haul_error *err)
{
    struct ledger *ledger = &base->ledger;
    struct sql sql = {.dialect = &ms_dialect};
    struct ms_answer answer;
    bool there;
    if (ms_engine.ledger_exists(base->connection, ledger->runs, ledger->units, &there, err))
        return err->code;
    sql_add(&sql, "SELECT HAS_PERMS_BY_NAME(");
    if (there) {
        sql_literal(&sql, ledger->runs);
        sql_add(&sql, ", 'OBJECT', 'INSERT') + HAS_PERMS_BY_NAME(");
        sql_literal(&sql, ledger->units);
        sql_add(&sql, ", 'OBJECT', 'DELETE')");
    } else {
        sql_add(&sql, "QUOTENAME(DB_NAME()), 'DATABASE', 'CREATE TABLE') + HAS_PERMS_BY_NAME(");
        sql_literal(&sql, ledger->schema);
        sql_add(&sql, ", 'SCHEMA', 'ALTER')");
    }
    if (ms_ask_softly(base->connection, &sql, &answer, err))
        return err->code;
    bool refused = answer.rows && *ms_answer_text(&answer, 0, 0) && ms_answer_number(&answer, 0, 0) < 2;
    ms_answer_release(&answer);
    if (!refused)
        return HAUL_OK;
    ledger->why = arena_printf(&ledger->arena,
                               "no right to keep %s and %s, so rows arrive at least once (grant CREATE TABLE "
                               "and ALTER on schema %s, or "
                               "name another with --ledger schema.name)",
                               ledger->runs, ledger->units, ledger->schema);
    ledger->runs = ledger->units = NULL;
    return ledger->why ? HAUL_OK : error_nomem(err, "the ledger");
}

/* In a transaction of its own: another run may make the tables at the same moment. */
static enum haul_code make_ledger(struct table_sink *base, struct haul_error *err)
{
    struct haul_error refused = {0};
    bool there = false;
    enum haul_code code = ms_engine.run(base->connection, ms_engine.begin_prepare, NULL, &refused);
    if (!code)
        code = ledger_create(&base->ledger, base->connection, &refused);
    if (!code)
        code = ms_engine.run(base->connection, "COMMIT TRANSACTION", NULL, &refused);
    if (!code)
        return HAUL_OK;
    ms_engine.rollback(base->connection);
    ms_engine.watch(base->connection, base->context.cancel);
    if (refused.code == HAUL_PERMISSION) {
        context_warn(&base->context, "%s: %s; without a ledger rows arrive at least once", base->place,
                     refused.message);
        base->ledger.runs = base->ledger.units = NULL;
        return HAUL_OK;
    }
    if (ms_is_alive(base->connection) &&
        ms_engine.ledger_exists(base->connection, base->ledger.runs, base->ledger.units, &there, err))
        return err->code;
    if (there)
        return HAUL_OK;
    *err = refused;
    return err->code;
}

enum haul_code ms_ready(struct table_sink *base, struct haul_error *err)
{
    struct mssql_sink *sink = (struct mssql_sink *)base;
    bool silent = base->exists && !base->staged && *sink->target.triggers && !sink->policy.fire_triggers;
    if (silent)
        context_note(&base->context, "%s: triggers of %s that will not fire: %s (--hint FIRE_TRIGGERS)",
                     base->place, base->title, sink->target.triggers);
    if (base->ledger.runs && make_ledger(base, err))
        return err->code;
    return base->ledger.runs && !base->locked ? base->ops->lock(base, base->run, err) : HAUL_OK;
}

/* Is it the statement that is refused, and not the moment or a right? */
static bool is_refusal(const struct haul_error *err)
{
    return !err->retryable && err->code != HAUL_NETWORK && err->code != HAUL_PERMISSION &&
           err->code != HAUL_CANCELLED && err->code != HAUL_NOT_FOUND;
}

/* ---- the run's table ---- */

/* Types, nullability and identity of the target; no constraints: they are held when the rows move. */
static enum haul_code make_like(struct mssql_sink *sink, struct haul_error *err)
{
    struct sql sql = {.dialect = &ms_dialect};
    sql_add(&sql, "SELECT TOP (0) ");
    table_sink_add_columns(&sink->base, &sql);
    sql_add(&sql, " INTO ");
    sql_table(&sql, sink->base.schema_name, sink->base.work);
    sql_add(&sql, " FROM ");
    sql_table(&sql, sink->base.schema_name, sink->base.target);
    return engine_run(&ms_engine, sink->base.connection, &sql, NULL, err);
}

enum haul_code ms_make(struct table_sink *base, struct haul_error *err)
{
    struct mssql_sink *sink = (struct mssql_sink *)base;
    sink->described = false;
    return base->definition ? table_sink_run_on(base, "CREATE TABLE", base->work, base->definition, err)
                            : make_like(sink, err);
}

static enum haul_code make_staging(struct table_sink *base, const struct staging *staging, bool columnstore,
                                   struct haul_error *err)
{
    struct sql full = {.dialect = &ms_dialect}, sql = {.dialect = &ms_dialect};
    sql_table(&full, staging->name.schema, staging->name.name);
    const char *name = sql_text(&full, err);
    if (!name)
        return err->code;
    sql_add(&sql, "IF OBJECT_ID(");
    sql_literal(&sql, name);
    sql_add(&sql, ") IS NULL BEGIN SELECT TOP (0) * INTO %s FROM ", name);
    sql_table(&sql, staging->model.schema, staging->model.name);
    if (columnstore)
        sql_add(&sql, "; CREATE CLUSTERED COLUMNSTORE INDEX haul_columnstore ON %s", name);
    sql_add(&sql, " END");
    sql_release(&full);
    return engine_run(&ms_engine, base->connection, &sql, NULL, err);
}

/* Staging tables of import. A columnstore keeps what is loaded small, and is read fast; not every server
 * has such, and not every type may be in one. */
enum haul_code ms_make_staging(struct table_sink *base, const struct staging *staging, struct haul_error *err)
{
    struct haul_error refused = {0};
    if (!staging->columnstore)
        return make_staging(base, staging, false, err);
    if (!make_staging(base, staging, true, &refused))
        return HAUL_OK;
    if (!is_refusal(&refused) || !ms_is_alive(base->connection)) {
        *err = refused;
        return err->code;
    }
    context_note(&base->context, "%s: no columnstore for %s: %s", base->place, staging->name.name,
                 refused.message);
    return make_staging(base, staging, false, err);
}

/* ---- how it may be loaded ---- */

/* Exactly; or but for its case, where the server keeps names in small letters and no other is alike. */
static bool same_name(const struct ms_columns *served, int place, const char *name)
{
    bool exact = strcmp(served->columns[place].name, name) == 0;
    if (exact || strcasecmp(served->columns[place].name, name) != 0)
        return exact;
    for (int i = 0; i < served->count; i++)
        if (i != place && strcasecmp(served->columns[i].name, name) == 0)
            return false;
    return true;
}

static enum haul_code match_served(struct mssql_sink *sink, const struct ms_columns *served,
                                   struct haul_error *err)
{
    struct table_sink *base = &sink->base;
    for (int i = 0; i < base->schema.count; i++) {
        int place = 0;
        while (place < served->count && !same_name(served, place, base->schema.fields[i].name))
            place++;
        if (place == served->count)
            return error_set(err, HAUL_CHANGED, "%s: table \"%s\" has no column \"%s\" any more; --restart",
                             base->place, base->work, base->schema.fields[i].name);
        if (ms_bulk_column(&served->columns[place], &base->arena, &sink->columns[i], err))
            return err->code;
        sink->columns[i].column.name = base->schema.fields[i].name; /* the other dies with `served` */
    }
    return HAUL_OK;
}

static enum haul_code write_statement(struct mssql_sink *sink, struct haul_error *err)
{
    struct sql sql = {.dialect = &ms_dialect};
    const struct table_name name = ms_sink_name(sink, sink->base.work);
    ms_bulk_statement(&name, sink->columns, sink->base.schema.count, &sql);
    policy_add_hints(&sink->policy, &sql);
    sink->bulk_sql = sql_keep(&sql, &sink->base.arena, err);
    return sink->bulk_sql ? HAUL_OK : err->code;
}

/* A load without rows. */
static enum haul_code try_statement(struct mssql_sink *sink, struct haul_error *err)
{
    struct session *session = &sink->control;
    struct bulk bulk;
    int64_t rows;
    if (ms_run(session, ms_engine.begin, err) ||
        ms_bulk_open(&bulk, &sink->base.schema, sink->columns, NULL, err))
        return err->code;
    enum haul_code code = ms_bulk_begin(&bulk, session, sink->bulk_sql, err);
    if (!code)
        code = ms_bulk_end(&bulk, &rows, err);
    ms_bulk_close(&bulk);
    ms_engine.rollback(session);
    ms_engine.watch(session, sink->base.context.cancel);
    return code;
}

static enum haul_code settle_statement(struct mssql_sink *sink, struct haul_error *err)
{
    for (;;) {
        struct haul_error refused = {0};
        if (write_statement(sink, err))
            return err->code;
        if (!policy_has_optional(&sink->policy) || !try_statement(sink, &refused))
            return HAUL_OK;
        if (!is_refusal(&refused) || !ms_is_alive(&sink->control)) {
            *err = refused;
            return error_prefix(err, "loading into \"%s\"", sink->base.work);
        }
        if (sink->policy.order)
            sink->policy.order = NULL;
        else
            sink->policy.dropped_optional = true;
    }
}

static enum haul_code describe(struct mssql_sink *sink, struct haul_error *err)
{
    struct ms_columns served = {0};
    const struct table_name name = ms_sink_name(sink, sink->base.work);
    if (sink->base.ops->control(&sink->base, false, err))
        return err->code;
    enum haul_code code = target_describe(&sink->control, &name, &served, err);
    if (!code)
        code = match_served(sink, &served, err);
    ms_columns_release(&served);
    if (!code)
        code = settle_statement(sink, err);
    sink->described = !code;
    return code;
}

enum haul_code ms_describe_work(struct mssql_sink *sink, struct haul_error *err)
{
    pthread_mutex_lock(&sink->base.mutex);
    enum haul_code code = sink->described ? HAUL_OK : describe(sink, err);
    pthread_mutex_unlock(&sink->base.mutex);
    return code;
}
