/*
 * replace.c: rows or a table in the target's place, inside the transaction that
 * ends the run.
 *
 * `replace` drops the old table and renames the new one, then makes the old one's
 * indexes again. `truncate` empties the table; foreign keys are looked at when
 * the transaction commits, so that rows may point at rows that are back.
 */
#include "database/sqlite/sink.h"

enum haul_code sqlite_empty(struct table_sink *base, struct haul_error *err)
{
    struct sqlite_sink *sink = (struct sqlite_sink *)base;
    if (sqlite_check_dependents(sink, err) || sqlite_run(&sink->control, "PRAGMA defer_foreign_keys=ON", err))
        return err->code;
    return table_sink_run_on(base, "DELETE FROM", base->target, "", err);
}

/* The statements of the table's own indexes, one after another. */
static enum haul_code collect_indexes(struct sqlite_sink *sink, struct buffer *statements,
                                      struct haul_error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = true;
    if (sqlite_prepare(&sink->control,
                       "SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
                       " AND tbl_name = ?1 COLLATE NOCASE ORDER BY rowid",
                       &statement, err))
        return err->code;
    sqlite3_bind_text(statement, 1, sink->base.target, -1, SQLITE_STATIC);
    enum haul_code code = HAUL_OK;
    while (!code && !(code = sqlite_step(&sink->control, statement, &row, err)) && row)
        code = buffer_printf(statements, err, "%s;\n", sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return code;
}

static enum haul_code rename_work(struct table_sink *base, struct haul_error *err)
{
    struct sql sql = {.dialect = &sqlite_dialect};
    sql_add(&sql, "ALTER TABLE ");
    sql_name(&sql, base->work);
    sql_add(&sql, " RENAME TO ");
    sql_name(&sql, base->target);
    return engine_run(&sqlite_engine, base->connection, &sql, NULL, err);
}

enum haul_code sqlite_swap(struct table_sink *base, struct haul_error *err)
{
    struct sqlite_sink *sink = (struct sqlite_sink *)base;
    struct buffer indexes = {0};
    enum haul_code code = sqlite_check_dependents(sink, err);
    if (!code)
        code = collect_indexes(sink, &indexes, err);
    if (!code)
        code = table_sink_run_on(base, "DROP TABLE", base->target, "", err);
    if (!code)
        code = rename_work(base, err);
    if (!code && indexes.length && sqlite_run(&sink->control, (const char *)indexes.data, err))
        code = error_prefix(
            err, "an index of the old table does not fit the new one (drop it, or use --mode truncate)");
    buffer_release(&indexes);
    return code;
}
