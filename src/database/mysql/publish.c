/*
 * publish.c: the end of a run.
 *
 * `truncate` is one transaction: DELETE, INSERT ... SELECT from the staging
 * table, the run's row says finished. `replace` is RENAME TABLE of both tables in
 * one statement, which is atomic but commits on its own: the run's tag in the
 * comment says afterwards whose table stands there, so that a finish that died
 * behind it is asked for again and goes on. Tags and leftovers go last.
 */
#include "database/definition.h"
#include "database/mysql/sink.h"

#include "base/clock.h"
#include <stdio.h>

#define FINISH_TRIES    5
#define FINISH_AFTER_MS 500

/* ---- rows ---- */

static enum haul_code count_rows(struct mysql_sink *sink, const char *table, int64_t *rows,
                                 struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    sql_add(&sql, "SELECT COUNT(*) FROM ");
    sql_table(&sql, sink->schema_name, table);
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? my_ask_number(&sink->connection, text, rows, err) : err->code;
    sql_release(&sql);
    return code;
}

enum haul_code my_check_rows(struct mysql_sink *sink, const char *work, struct haul_error *err)
{
    int64_t there, known;
    if (!sink->ledger.runs)
        return HAUL_OK;
    if (count_rows(sink, work, &there, err) ||
        my_ledger_rows(&sink->ledger, &sink->connection, sink->run, &known, err))
        return err->code;
    if (there == known)
        return HAUL_OK;
    return error_set(err, HAUL_CHANGED,
                     "%s: table \"%s\" has %lld rows, but the ledger knows %lld of run %s; somebody else "
                     "changed the table: --restart begins anew",
                     sink->server.name, work, (long long)there, (long long)known, sink->run);
}

/* ---- truncate ---- */

static void add_columns(const struct mysql_sink *sink, struct sql *sql)
{
    for (int i = 0; i < sink->schema.count; i++) {
        sql_add(sql, i ? ", " : "");
        sql_name(sql, sink->columns[i].name);
    }
}

static enum haul_code move_rows(struct mysql_sink *sink, int64_t *moved, struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    sql_add(&sql, "INSERT INTO ");
    sql_table(&sql, sink->schema_name, sink->target);
    sql_add(&sql, " (");
    add_columns(sink, &sql);
    sql_add(&sql, ") SELECT ");
    add_columns(sink, &sql);
    sql_add(&sql, " FROM ");
    sql_table(&sql, sink->schema_name, sink->work);
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? my_run(&sink->connection, text, err) : err->code;
    *moved = code ? 0 : (int64_t)mysql_affected_rows(sink->connection.my);
    sql_release(&sql);
    return code ? error_prefix(err, "filling \"%s\"", sink->target) : HAUL_OK;
}

static enum haul_code swap_rows(struct mysql_sink *sink, struct haul_error *err)
{
    int64_t rows = 0, moved = 0;
    if (count_rows(sink, sink->work, &rows, err) ||
        my_run_on(sink, &(struct on_table){"DELETE FROM", sink->target, ""}, err) ||
        move_rows(sink, &moved, err))
        return err->code;
    if (rows != moved)
        return error_set(err, HAUL_INTEGRITY, "%s: of %lld rows only %lld reached \"%s\"", sink->server.name,
                         (long long)rows, (long long)moved, sink->target);
    return HAUL_OK;
}

/* ---- replace ---- */

static const char *old_name(struct mysql_sink *sink, struct haul_error *err)
{
    char other[80];
    snprintf(other, sizeof other, "old %s", sink->run);
    const char *name = staging_name(&my_dialect, sink->target, other, &sink->arena);
    if (!name)
        error_nomem(err, "a table's name");
    return name;
}

static enum haul_code rename_tables(struct mysql_sink *sink, const char *old, struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    sql_add(&sql, "RENAME TABLE ");
    sql_table(&sql, sink->schema_name, sink->target);
    sql_add(&sql, " TO ");
    sql_table(&sql, sink->schema_name, old);
    sql_add(&sql, ", ");
    sql_table(&sql, sink->schema_name, sink->work);
    sql_add(&sql, " TO ");
    sql_table(&sql, sink->schema_name, sink->target);
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? my_run(&sink->connection, text, err) : err->code;
    sql_release(&sql);
    return code;
}

static enum haul_code swap_tables(struct mysql_sink *sink, struct haul_error *err)
{
    enum table_owner work, target;
    const char *old = old_name(sink, err);
    if (!old || my_table_owner(sink, sink->work, &work, err) ||
        my_table_owner(sink, sink->target, &target, err))
        return err->code;
    if (work == TABLE_ABSENT && target != TABLE_OURS)
        return error_set(err, HAUL_CHANGED, "%s: the staging table \"%s\" went away; --restart begins anew",
                         sink->server.name, sink->work);
    if (work != TABLE_ABSENT && (my_check_dependents(sink, err) || rename_tables(sink, old, err)))
        return err->code;
    return my_run_on(sink, &(struct on_table){"DROP TABLE IF EXISTS", old, ""}, err);
}

/* ---- finish ---- */

static enum haul_code drop_tagged(struct mysql_sink *sink, const char *name, struct haul_error *err)
{
    enum table_owner owner;
    if (my_table_owner(sink, name, &owner, err))
        return err->code;
    return owner == TABLE_OURS ? my_run_on(sink, &(struct on_table){"DROP TABLE", name, ""}, err) : HAUL_OK;
}

/* May be done again and again behind the commit. */
enum haul_code my_sink_tidy(struct mysql_sink *sink, struct haul_error *err)
{
    enum table_owner target;
    bool apart = strcmp(sink->work, sink->target) != 0;
    if ((apart && drop_tagged(sink, sink->work, err)) || my_table_owner(sink, sink->target, &target, err))
        return err->code;
    return target == TABLE_OURS
               ? my_run_on(sink, &(struct on_table){"ALTER TABLE", sink->target, "COMMENT=''"}, err)
               : HAUL_OK;
}

static enum haul_code publish(struct mysql_sink *sink, struct haul_error *err)
{
    bool replace = sink->staged && sink->mode == SINK_REPLACE;
    enum table_owner work = TABLE_OURS;
    if (sink->made && my_table_owner(sink, sink->work, &work, err))
        return err->code;
    if (sink->made && work != TABLE_ABSENT && my_check_rows(sink, sink->work, err))
        return err->code;
    if ((replace && swap_tables(sink, err)) || my_run(&sink->connection, "START TRANSACTION", err) ||
        (sink->staged && !replace && swap_rows(sink, err)) ||
        my_ledger_finish(&sink->ledger, &sink->connection, sink->run, err))
        return err->code;
    return my_run(&sink->connection, "COMMIT", err);
}

static enum haul_code try_finish(struct mysql_sink *sink, const char *run, struct haul_error *err)
{
    struct ledger_run known = {0};
    const struct ledger_search search = {.name = run, .arena = &sink->arena};
    bool found = false;
    if (my_sink_control(sink, err))
        return err->code;
    sink->connection.cancel = sink->context.cancel;
    enum haul_code code = my_ledger_find(&sink->ledger, &sink->connection, &search, &known, &found, err);
    if (!code && sink->ledger.runs && !found)
        code = error_set(err, HAUL_CHANGED, "%s: the ledger's row of run %s went away; --restart begins anew",
                         sink->server.name, run);
    if (!code && !known.finished)
        code = publish(sink, err);
    if (!code)
        code = my_sink_tidy(sink, err);
    if (code)
        my_rollback(&sink->connection);
    return code;
}

enum haul_code my_sink_finish(struct sink *base, const struct run_record *run, const char *manifest,
                              struct haul_error *err)
{
    struct mysql_sink *sink = (struct mysql_sink *)base;
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
