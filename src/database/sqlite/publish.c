/*
 * publish.c: the end of a run: finish and remove, each one transaction.
 *
 * finish: the table takes its place and the run's row says finished in the same
 * step, so that it may be asked for again after any crash. `replace` drops the
 * old table and renames the new one, then makes the old one's indexes again.
 * `truncate` empties the table and fills it from the staging table; foreign keys
 * are looked at when it commits, so that rows may point at rows that are back.
 *
 * remove: drops what the run made; rows that it appended to a table of somebody
 * else go by the rowids in its receipts, or the removal is refused.
 */
#include "database/sqlite/sink.h"

#include <stdio.h>
#include <string.h>

enum haul_code sqlite_run_on(struct sqlite_sink *sink, const char *before, const char *name,
                             const char *after, struct haul_error *err)
{
    struct sql sql = {.dialect = &sqlite_dialect};
    sql_add(&sql, "%s ", before);
    sql_name(&sql, name);
    sql_add(&sql, " %s", after);
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? sqlite_run(&sink->connection, text, err) : err->code;
    sql_release(&sql);
    return code;
}

/* ---- rows ---- */

static enum haul_code count_rows(struct sqlite_sink *sink, const char *table, int64_t *rows,
                                 struct haul_error *err)
{
    return sqlite_table_number(&sink->connection, "SELECT count(*) FROM ", table, rows, err);
}

enum haul_code sqlite_check_rows(struct sqlite_sink *sink, const char *work, bool all_ours,
                                 struct haul_error *err)
{
    int64_t there, known;
    if (!all_ours || !sink->ledger.runs)
        return HAUL_OK;
    if (count_rows(sink, work, &there, err) || sqlite_ledger_rows(&sink->ledger, sink->run, &known, err))
        return err->code;
    if (there != known)
        return error_set(
            err, HAUL_CHANGED,
            "%s: table \"%s\" has %lld rows, but the ledger knows %lld of run %s; somebody else changed "
            "the table: --restart begins anew",
            sink->path, work, (long long)there, (long long)known, sink->run);
    return HAUL_OK;
}

/* ---- finish ---- */

static void add_columns(struct sqlite_sink *sink, struct sql *sql)
{
    bool first = true;
    for (int i = 0; i < sink->table.columns.count; i++) {
        if (sink->table.columns.list[i].generated)
            continue;
        sql_add(sql, first ? "" : ", ");
        sql_name(sql, sink->table.columns.list[i].name);
        first = false;
    }
}

static enum haul_code move_rows(struct sqlite_sink *sink, struct haul_error *err)
{
    struct sql sql = {.dialect = &sqlite_dialect};
    int64_t rows;
    sql_add(&sql, "INSERT OR ABORT INTO ");
    sql_name(&sql, sink->target);
    sql_add(&sql, " (");
    add_columns(sink, &sql);
    sql_add(&sql, ") SELECT ");
    add_columns(sink, &sql);
    sql_add(&sql, " FROM ");
    sql_name(&sql, sink->work);
    if (sink->table.rowid)
        sql_add(&sql, " ORDER BY %s", sink->table.rowid);
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? sqlite_run(&sink->connection, text, err) : err->code;
    int64_t moved = sqlite3_changes64(sink->connection.db);
    sql_release(&sql);
    if (code)
        return error_prefix(err, "filling \"%s\"", sink->target);
    if (count_rows(sink, sink->work, &rows, err))
        return err->code;
    return rows == moved ? HAUL_OK
                         : error_set(err, HAUL_INTEGRITY,
                                     "%s: of %lld rows only %lld reached \"%s\"; a trigger left "
                                     "some out",
                                     sink->path, (long long)rows, (long long)moved, sink->target);
}

static enum haul_code swap_rows(struct sqlite_sink *sink, struct haul_error *err)
{
    if (sqlite_check_dependents(sink, err) ||
        sqlite_run(&sink->connection, "PRAGMA defer_foreign_keys=ON", err) ||
        sqlite_run_on(sink, "DELETE FROM", sink->target, "", err) || move_rows(sink, err))
        return err->code;
    return sqlite_run_on(sink, "DROP TABLE", sink->work, "", err);
}

/* The statements of the table's own indexes, one after another. */
static enum haul_code collect_indexes(struct sqlite_sink *sink, struct buffer *statements,
                                      struct haul_error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = true;
    if (sqlite_prepare(&sink->connection,
                       "SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
                       " AND tbl_name = ?1 COLLATE NOCASE ORDER BY rowid",
                       &statement, err))
        return err->code;
    sqlite3_bind_text(statement, 1, sink->target, -1, SQLITE_STATIC);
    enum haul_code code = HAUL_OK;
    while (!code && !(code = sqlite_step(&sink->connection, statement, &row, err)) && row)
        code = buffer_printf(statements, err, "%s;\n", sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return code;
}

static enum haul_code swap_tables(struct sqlite_sink *sink, struct haul_error *err)
{
    struct buffer indexes = {0};
    struct sql sql = {.dialect = &sqlite_dialect};
    sql_add(&sql, "RENAME TO ");
    sql_name(&sql, sink->target);
    const char *rename = sql_text(&sql, err);
    enum haul_code code = rename ? sqlite_check_dependents(sink, err) : err->code;
    if (!code)
        code = collect_indexes(sink, &indexes, err);
    if (!code)
        code = sqlite_run_on(sink, "DROP TABLE", sink->target, "", err);
    if (!code)
        code = sqlite_run_on(sink, "ALTER TABLE", sink->work, rename, err);
    if (!code && indexes.length && sqlite_run(&sink->connection, (const char *)indexes.data, err))
        code = error_prefix(
            err, "an index of the old table does not fit the new one (drop it, or use --mode truncate)");
    buffer_release(&indexes);
    sql_release(&sql);
    return code;
}

static enum haul_code publish(struct sqlite_sink *sink, struct haul_error *err)
{
    if (sqlite_check_rows(sink, sink->work, sink->made, err))
        return err->code;
    if (sink->staged && (sink->mode == SINK_REPLACE ? swap_tables(sink, err) : swap_rows(sink, err)))
        return err->code;
    if (sqlite_ledger_finish(&sink->ledger, sink->run, err))
        return err->code;
    return sqlite_run(&sink->connection, "COMMIT", err);
}

enum haul_code sqlite_sink_finish(struct sink *base, const struct run_record *run, const char *manifest,
                                  struct haul_error *err)
{
    struct sqlite_sink *sink = (struct sqlite_sink *)base;
    struct ledger_run known = {0};
    bool found = false;
    (void)manifest;
    if (sqlite_run(&sink->connection, "BEGIN IMMEDIATE", err))
        return err->code;
    enum haul_code code = sqlite_ledger_find(&sink->ledger, run->name, &sink->arena, &known, &found, err);
    if (!code && sink->ledger.runs && !found)
        code = error_set(err, HAUL_CHANGED, "%s: the ledger's row of run %s went away; --restart begins anew",
                         sink->path, run->name);
    if (!code && !known.finished)
        code = publish(sink, err);
    sqlite_rollback(&sink->connection); /* nothing is open after success */
    if (!code)
        sqlite_lock_release(&sink->lock);
    return code;
}

/* ---- remove ---- */

static enum haul_code take_back_unit(struct sqlite_sink *sink, const struct table *table,
                                     const struct receipt *receipt, struct haul_error *err)
{
    long long low, high;
    char condition[128];
    if (!receipt->rows)
        return HAUL_OK;
    if (!table->rowid || !receipt->text || sscanf(receipt->text, "rowid %lld..%lld", &low, &high) != 2)
        return error_set(
            err, HAUL_UNSUPPORTED,
            "%s: run %s has appended rows to \"%s\" that cannot be told from others; run it again to the "
            "end, or delete them yourself",
            sink->path, sink->run, table->name);
    snprintf(condition, sizeof condition, "WHERE %s BETWEEN %lld AND %lld", table->rowid, low, high);
    if (sqlite_run_on(sink, "DELETE FROM", table->name, condition, err))
        return err->code;
    if (sqlite3_changes64(sink->connection.db) != receipt->rows)
        return error_set(err, HAUL_CHANGED,
                         "%s: rows %lld to %lld of \"%s\" were changed since run %s appended them",
                         sink->path, low, high, table->name, sink->run);
    return HAUL_OK;
}

static enum haul_code take_back_rows(struct sqlite_sink *sink, const char *work, struct haul_error *err)
{
    struct run_record record = {0};
    struct table table = {0};
    bool found;
    enum haul_code code = sqlite_ledger_recall(&sink->ledger, sink->run, &record, &found, err);
    if (!code)
        code = sqlite_table_read(&sink->connection, work, &table, &found, err);
    for (size_t i = 0; !code && found && i < record.receipt_count; i++)
        code = take_back_unit(sink, &table, &record.receipts[i], err);
    sqlite_table_release(&table);
    run_record_release(&record);
    return code;
}

static enum haul_code undo_run(struct sqlite_sink *sink, const struct ledger_run *known,
                               struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    if (known->made)
        code = sqlite_run_on(sink, "DROP TABLE IF EXISTS", known->work, "", err);
    else
        code = take_back_rows(sink, known->work, err);
    if (code || sqlite_ledger_forget(&sink->ledger, sink->run, err))
        return err->code;
    return sqlite_run(&sink->connection, "COMMIT", err);
}

enum haul_code sqlite_sink_remove(struct sink *base, const struct run_record *run, struct haul_error *err)
{
    struct sqlite_sink *sink = (struct sqlite_sink *)base;
    struct ledger_run known = {0};
    bool found = false;
    snprintf(sink->run, sizeof sink->run, "%s", run->name);
    if (sqlite_sink_connect(sink, CONNECT_WRITE, err))
        return err->code;
    if (!sink->connection.db)
        return HAUL_OK;
    sqlite3_finalize(sink->insert);
    sink->insert = NULL;
    if (sqlite_run(&sink->connection, "BEGIN IMMEDIATE", err))
        return err->code;
    enum haul_code code = sqlite_ledger_find(&sink->ledger, run->name, &sink->arena, &known, &found, err);
    if (!code && found && !known.finished)
        code = undo_run(sink, &known, err);
    sqlite_rollback(&sink->connection);
    return code;
}
