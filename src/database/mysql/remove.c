/*
 * remove.c: taking back what an unfinished run made, and what a replacement of
 * its target would lose.
 *
 * A table the run made, known by its tag, is dropped. Rows that `create` put into
 * an empty table go when the ledger knows all that are there. Rows appended to a
 * table of somebody else cannot be told from others: they stay, and that is said.
 */
#include "database/mysql/sink.h"

#include <stdio.h>

/* ---- what a replacement would lose ---- */

/* Each has the place for schema and table once, in this order. */
static const struct {
    const char *select, *schema, *table, *rest;
} dependents[] = {
    {"SELECT DISTINCT CONCAT('foreign key ', CONSTRAINT_NAME) FROM "
     "information_schema.REFERENTIAL_CONSTRAINTS",
     "CONSTRAINT_SCHEMA", "TABLE_NAME", ""},
    {"SELECT DISTINCT CONCAT('foreign key ', CONSTRAINT_NAME, ' of ', TABLE_NAME)"
     " FROM information_schema.KEY_COLUMN_USAGE",
     "REFERENCED_TABLE_SCHEMA", "REFERENCED_TABLE_NAME", ""},
    {"SELECT CONCAT('trigger ', TRIGGER_NAME) FROM information_schema.TRIGGERS", "EVENT_OBJECT_SCHEMA",
     "EVENT_OBJECT_TABLE", ""},
    {"SELECT DISTINCT CONCAT('index ', INDEX_NAME) FROM information_schema.STATISTICS", "TABLE_SCHEMA",
     "TABLE_NAME", " AND INDEX_NAME <> 'PRIMARY'"},
    {"SELECT CONCAT('auto_increment of ', COLUMN_NAME) FROM information_schema.COLUMNS", "TABLE_SCHEMA",
     "TABLE_NAME", " AND EXTRA LIKE '%auto_increment%'"},
    {"SELECT DISTINCT 'its partitions' FROM information_schema.PARTITIONS", "TABLE_SCHEMA", "TABLE_NAME",
     " AND PARTITION_NAME IS NOT NULL"},
};

static enum haul_code add_dependents(struct mysql_sink *sink, size_t which, struct buffer *list,
                                     struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    MYSQL_RES *result = NULL;
    sql_add(&sql, "%s WHERE %s = ", dependents[which].select, dependents[which].schema);
    sql_literal(&sql, sink->schema_name);
    sql_add(&sql, " AND %s = ", dependents[which].table);
    sql_literal(&sql, sink->target);
    sql_add(&sql, "%s", dependents[which].rest);
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? my_ask(&sink->connection, text, &result, err) : err->code;
    for (MYSQL_ROW row; !code && (row = mysql_fetch_row(result));)
        code = buffer_printf(list, err, "%s%s", list->length ? ", " : "", my_text(row, 0));
    mysql_free_result(result);
    sql_release(&sql);
    return code;
}

enum haul_code my_check_dependents(struct mysql_sink *sink, struct haul_error *err)
{
    struct buffer list = {0};
    enum haul_code code = HAUL_OK;
    for (size_t i = 0; i < sizeof dependents / sizeof *dependents && !code; i++)
        code = add_dependents(sink, i, &list, err);
    if (!code && list.length)
        code =
            error_set(err, HAUL_UNSUPPORTED,
                      "%s: replacing table %s would lose: %.*s; use --mode truncate, which keeps the table",
                      sink->server.name, sink->title, (int)(list.length < 600 ? list.length : 600),
                      (const char *)list.data);
    buffer_release(&list);
    return code;
}

/* ---- remove ---- */

enum haul_code my_run_on(struct mysql_sink *sink, const struct on_table *statement, struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    sql_add(&sql, "%s ", statement->before);
    sql_table(&sql, sink->schema_name, statement->name);
    sql_add(&sql, " %s", statement->after);
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? my_run(&sink->connection, text, err) : err->code;
    sql_release(&sql);
    return code;
}

static enum haul_code take_back_rows(struct mysql_sink *sink, const struct ledger_run *known,
                                     struct haul_error *err)
{
    int64_t rows = 0;
    if (my_ledger_rows(&sink->ledger, &sink->connection, sink->run, &rows, err))
        return err->code;
    if (rows == 0)
        return HAUL_OK;
    if (strcmp(known->mode, "create") == 0) {
        if (my_check_rows(sink, known->work, err))
            return err->code;
        return my_run_on(sink, &(struct on_table){"DELETE FROM", known->work, ""}, err);
    }
    context_warn(&sink->context, "%s: the %lld rows that run %s appended to %s stay there", sink->server.name,
                 (long long)rows, sink->run, known->target);
    return HAUL_OK;
}

static enum haul_code drop_ours(struct mysql_sink *sink, const char *name, struct haul_error *err)
{
    enum table_owner owner;
    if (my_table_owner(sink, name, &owner, err))
        return err->code;
    return owner == TABLE_OURS ? my_run_on(sink, &(struct on_table){"DROP TABLE", name, ""}, err) : HAUL_OK;
}

/* Rows and ledger in one transaction; a table is dropped before, which may be repeated. */
static enum haul_code undo_run(struct mysql_sink *sink, const struct ledger_run *known,
                               struct haul_error *err)
{
    if (strcmp(known->target, sink->title) != 0)
        return error_set(err, HAUL_CHANGED, "%s: run %s is about %s, not %s; discard it with that target",
                         sink->server.name, sink->run, known->target, sink->title);
    if ((known->made && drop_ours(sink, known->work, err)) ||
        my_run(&sink->connection, "START TRANSACTION", err) ||
        (!known->made && take_back_rows(sink, known, err)) ||
        my_ledger_forget(&sink->ledger, &sink->connection, sink->run, err))
        return err->code;
    return my_run(&sink->connection, "COMMIT", err);
}

enum haul_code my_sink_remove(struct sink *base, const struct run_record *run, struct haul_error *err)
{
    struct mysql_sink *sink = (struct mysql_sink *)base;
    struct ledger_run known = {0};
    const struct ledger_search search = {.name = run->name, .arena = &sink->arena};
    bool found = false;
    snprintf(sink->run, sizeof sink->run, "%s", run->name);
    struct cancel *cancel = sink->context.cancel;
    sink->context.cancel = NULL; /* a cancelled run is removed all the same */
    sink->connection.cancel = NULL;
    enum haul_code code = my_sink_control(sink, err);
    if (!code)
        code = my_ledger_find(&sink->ledger, &sink->connection, &search, &known, &found, err);
    if (!code && found && !known.finished)
        code = undo_run(sink, &known, err);
    if (!code && !sink->ledger.runs && sink->made && sink->work) /* without a ledger the tag alone says it */
        code = drop_ours(sink, sink->work, err);
    if (code)
        my_rollback(&sink->connection);
    sink->context.cancel = cancel;
    sink->connection.cancel = cancel;
    return code;
}
