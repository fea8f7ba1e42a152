/*
 * remove.c: rows that a run appended to a table of somebody else go by the rowids
 * in its receipts, or the removal is refused.
 */
#include "database/sqlite/sink.h"

#include <stdio.h>

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
            sink->base.place, sink->base.run, table->name);
    snprintf(condition, sizeof condition, "WHERE %s BETWEEN %lld AND %lld", table->rowid, low, high);
    if (table_sink_run_on(&sink->base, "DELETE FROM", table->name, condition, err))
        return err->code;
    if (sqlite3_changes64(sink->control.db) != receipt->rows)
        return error_set(err, HAUL_CHANGED,
                         "%s: rows %lld to %lld of \"%s\" were changed since run %s appended them",
                         sink->base.place, low, high, table->name, sink->base.run);
    return HAUL_OK;
}

enum haul_code sqlite_take_back(struct table_sink *base, const struct ledger_run *known,
                                struct haul_error *err)
{
    struct sqlite_sink *sink = (struct sqlite_sink *)base;
    struct run_record record = {0};
    struct table table = {0};
    bool found;
    enum haul_code code =
        ledger_recall(&sink->base.ledger, &sink->control, sink->base.run, &record, &found, err);
    if (!code)
        code = sqlite_table_read(&sink->control, known->work, &table, &found, err);
    for (size_t i = 0; !code && found && i < record.receipt_count; i++)
        code = take_back_unit(sink, &table, &record.receipts[i], err);
    sqlite_table_release(&table);
    run_record_release(&record);
    return code;
}
