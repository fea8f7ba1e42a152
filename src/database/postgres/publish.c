/*
 * publish.c: the end of a run: one transaction.
 *
 * The table takes its place and the run's row says finished in the same step, so
 * that it may be asked for again: after any crash, and when the answer to the
 * COMMIT was lost. `replace` drops the old table and renames the new one.
 * `truncate` empties the table and fills it from the staging table; the table
 * itself stays, with its grants, views, triggers and keys. TRUNCATE where that
 * is allowed, DELETE where foreign keys of others point at the table.
 */
#include "database/postgres/sink.h"

#include "base/clock.h"

#include <stdlib.h>

#define FINISH_TRIES    5
#define FINISH_AFTER_MS 500

/* ---- rows ---- */

enum haul_code pg_count_rows(struct postgres_sink *sink, const char *table, int64_t *rows,
                             struct haul_error *err)
{
    struct sql sql = {.dialect = &pg_dialect};
    PGresult *result = NULL;
    sql_add(&sql, "SELECT count(*) FROM ");
    sql_table(&sql, sink->schema_name, table);
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? pg_ask(&sink->connection, text, NULL, &result, err) : err->code;
    if (!code)
        *rows = pg_number(result, 0, 0);
    PQclear(result);
    sql_release(&sql);
    return code;
}

enum haul_code pg_check_rows(struct postgres_sink *sink, const char *work, struct haul_error *err)
{
    int64_t there, known;
    if (!sink->ledger.runs)
        return HAUL_OK;
    if (pg_count_rows(sink, work, &there, err) ||
        pg_ledger_rows(&sink->ledger, &sink->connection, sink->run, &known, err))
        return err->code;
    if (there == known)
        return HAUL_OK;
    return error_set(err, HAUL_CHANGED,
                     "%s: table \"%s\" has %lld rows, but the ledger knows %lld of run %s; somebody else "
                     "changed the table: --restart begins anew",
                     sink->server.name, work, (long long)there, (long long)known, sink->run);
}

/* ---- truncate ---- */

static void add_columns(const struct postgres_sink *sink, struct sql *sql)
{
    for (int i = 0; i < sink->schema.count; i++) {
        sql_add(sql, i ? ", " : "");
        sql_name(sql, sink->columns[i].name);
    }
}

static enum haul_code may_truncate(struct postgres_sink *sink, bool *may, struct haul_error *err)
{
    PGresult *result = NULL;
    *may = false;
    if (sink->table.referenced)
        return HAUL_OK;
    if (pg_ask(&sink->connection, "SELECT pg_catalog.has_table_privilege($1::pg_catalog.oid, 'TRUNCATE')",
               &(struct pg_values){1, &sink->table.oid}, &result, err))
        return err->code;
    *may = pg_true(result, 0, 0);
    PQclear(result);
    return HAUL_OK;
}

static enum haul_code move_rows(struct postgres_sink *sink, int64_t *moved, struct haul_error *err)
{
    struct sql sql = {.dialect = &pg_dialect};
    PGresult *result = NULL;
    sql_add(&sql, "INSERT INTO ");
    sql_table(&sql, sink->schema_name, sink->target);
    sql_add(&sql, " (");
    add_columns(sink, &sql);
    sql_add(&sql, ") OVERRIDING SYSTEM VALUE SELECT ");
    add_columns(sink, &sql);
    sql_add(&sql, " FROM ");
    sql_table(&sql, sink->schema_name, sink->work);
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? pg_ask(&sink->connection, text, NULL, &result, err) : err->code;
    if (!code)
        *moved = strtoll(PQcmdTuples(result), NULL, 10);
    PQclear(result);
    sql_release(&sql);
    return code ? error_prefix(err, "filling \"%s\"", sink->target) : HAUL_OK;
}

static enum haul_code swap_rows(struct postgres_sink *sink, struct haul_error *err)
{
    int64_t rows = 0, moved = 0;
    bool truncate;
    if (may_truncate(sink, &truncate, err) ||
        pg_run_on(sink, &(struct on_table){"LOCK TABLE", sink->target, "IN SHARE ROW EXCLUSIVE MODE"}, err) ||
        pg_run_on(sink, &(struct on_table){truncate ? "TRUNCATE" : "DELETE FROM", sink->target, ""}, err) ||
        move_rows(sink, &moved, err) || pg_count_rows(sink, sink->work, &rows, err))
        return err->code;
    if (rows != moved)
        return error_set(err, HAUL_INTEGRITY,
                         "%s: of %lld rows only %lld reached \"%s\"; a trigger left some out",
                         sink->server.name, (long long)rows, (long long)moved, sink->target);
    return pg_run_on(sink, &(struct on_table){"DROP TABLE", sink->work, ""}, err);
}

/* ---- replace ---- */

static enum haul_code swap_tables(struct postgres_sink *sink, struct haul_error *err)
{
    struct sql sql = {.dialect = &pg_dialect};
    sql_add(&sql, "RENAME TO ");
    sql_name(&sql, sink->target);
    const char *rename = sql_text(&sql, err);
    enum haul_code code = rename ? HAUL_OK : err->code;
    if (!code)
        code =
            pg_run_on(sink, &(struct on_table){"LOCK TABLE", sink->target, "IN ACCESS EXCLUSIVE MODE"}, err);
    if (!code)
        code = pg_check_dependents(sink, err);
    if (!code)
        code = pg_run_on(sink, &(struct on_table){"DROP TABLE", sink->target, ""}, err);
    if (!code)
        code = pg_run_on(sink, &(struct on_table){"ALTER TABLE", sink->work, rename}, err);
    sql_release(&sql);
    return code;
}

/* ---- finish ---- */

static enum haul_code publish(struct postgres_sink *sink, struct haul_error *err)
{
    if (sink->made && pg_check_rows(sink, sink->work, err))
        return err->code;
    if (sink->staged && (sink->mode == SINK_REPLACE ? swap_tables(sink, err) : swap_rows(sink, err)))
        return err->code;
    return pg_ledger_finish(&sink->ledger, &sink->connection, sink->run, err);
}

static enum haul_code try_finish(struct postgres_sink *sink, const char *run, struct haul_error *err)
{
    struct ledger_run known = {0};
    const struct ledger_search search = {.name = run, .arena = &sink->arena};
    bool found = false;
    if (pg_sink_control(sink, err))
        return err->code;
    sink->connection.cancel = sink->context.cancel;
    enum haul_code code = pg_run(&sink->connection, "BEGIN", err);
    if (!code)
        code = pg_ledger_find(&sink->ledger, &sink->connection, &search, &known, &found, err);
    if (!code && sink->ledger.runs && !found)
        code = error_set(err, HAUL_CHANGED, "%s: the ledger's row of run %s went away; --restart begins anew",
                         sink->server.name, run);
    if (!code && !known.finished)
        code = publish(sink, err);
    if (!code)
        code = pg_run(&sink->connection, "COMMIT", err);
    if (code)
        pg_rollback(&sink->connection);
    return code;
}

enum haul_code pg_sink_finish(struct sink *base, const struct run_record *run, const char *manifest,
                              struct haul_error *err)
{
    struct postgres_sink *sink = (struct postgres_sink *)base;
    enum haul_code code = HAUL_OK;
    (void)manifest;
    for (int i = 1; i <= FINISH_TRIES; i++) {
        code = try_finish(sink, run->name, err);
        bool again = code && err->retryable && sink->ledger.runs && i < FINISH_TRIES;
        if (!again || context_check(&sink->context, err))
            break;
        context_warn(&sink->context, "%s; trying to finish again", err->message);
        clock_sleep_ms(FINISH_AFTER_MS * i, sink->context.cancel);
        *err = (struct haul_error){0};
    }
    return code;
}
