/*
 * replace.c: rows or a table in the target's place, and what that would lose.
 *
 * `replace` is RENAME TABLE of both tables in one statement, which is atomic but
 * commits on its own: the run's mark in the comment says afterwards whose table
 * stands there, so that a finish that died behind it is asked for again and goes
 * on. Marks and leftovers go last.
 */
#include "database/definition.h"
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

static enum haul_code add_dependents(struct table_sink *base, size_t which, struct buffer *list,
                                     struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    MYSQL_RES *result = NULL;
    sql_add(&sql, "%s WHERE %s = ", dependents[which].select, dependents[which].schema);
    sql_literal(&sql, base->schema_name);
    sql_add(&sql, " AND %s = ", dependents[which].table);
    sql_literal(&sql, base->target);
    sql_add(&sql, "%s", dependents[which].rest);
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? my_ask(base->connection, text, &result, err) : err->code;
    for (MYSQL_ROW row; !code && (row = mysql_fetch_row(result));)
        code = buffer_printf(list, err, "%s%s", list->length ? ", " : "", my_text(row, 0));
    mysql_free_result(result);
    sql_release(&sql);
    return code;
}

enum haul_code my_check_dependents(struct table_sink *base, struct haul_error *err)
{
    struct buffer list = {0};
    enum haul_code code = HAUL_OK;
    for (size_t i = 0; i < sizeof dependents / sizeof *dependents && !code; i++)
        code = add_dependents(base, i, &list, err);
    if (!code && list.length)
        code = error_set(
            err, HAUL_UNSUPPORTED,
            "%s: replacing table %s would lose: %.*s; use --mode truncate, which keeps the table",
            base->place, base->title, (int)(list.length < 600 ? list.length : 600), (const char *)list.data);
    buffer_release(&list);
    return code;
}

/* ---- truncate ---- */

enum haul_code my_empty(struct table_sink *base, struct haul_error *err)
{
    return table_sink_run_on(base, "DELETE FROM", base->target, "", err);
}

/* ---- replace ---- */

static const char *old_name(struct table_sink *base, struct haul_error *err)
{
    char other[80];
    snprintf(other, sizeof other, "old %s", base->run);
    const char *name = staging_name(&my_dialect, base->target, other, &base->arena);
    if (!name)
        error_nomem(err, "a table's name");
    return name;
}

static enum haul_code rename_tables(struct table_sink *base, const char *old, struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    sql_add(&sql, "RENAME TABLE ");
    sql_table(&sql, base->schema_name, base->target);
    sql_add(&sql, " TO ");
    sql_table(&sql, base->schema_name, old);
    sql_add(&sql, ", ");
    sql_table(&sql, base->schema_name, base->work);
    sql_add(&sql, " TO ");
    sql_table(&sql, base->schema_name, base->target);
    return engine_run(&my_engine, base->connection, &sql, NULL, err);
}

enum haul_code my_swap(struct table_sink *base, struct haul_error *err)
{
    char mark[RUN_MARK_BYTES];
    const char *work, *target = "", *old = old_name(base, err);
    table_sink_mark(base, mark);
    if (!old || my_work_id(base, base->work, &work, err) || my_work_id(base, base->target, &target, err))
        return err->code;
    if (!*work && strcmp(target, mark) != 0)
        return error_set(err, HAUL_CHANGED, "%s: the staging table \"%s\" went away; --restart begins anew",
                         base->place, base->work);
    if (*work && (my_check_dependents(base, err) || rename_tables(base, old, err)))
        return err->code;
    return table_sink_run_on(base, "DROP TABLE IF EXISTS", old, "", err);
}

/* ---- what is left ---- */

static enum haul_code is_marked(struct table_sink *base, const char *name, bool *marked,
                                struct haul_error *err)
{
    char mark[RUN_MARK_BYTES];
    const char *id;
    table_sink_mark(base, mark);
    if (my_work_id(base, name, &id, err))
        return err->code;
    *marked = strcmp(id, mark) == 0;
    return HAUL_OK;
}

enum haul_code my_tidy(struct table_sink *base, struct haul_error *err)
{
    bool work = false, target = false;
    if (strcmp(base->work, base->target) != 0 && is_marked(base, base->work, &work, err))
        return err->code;
    if ((work && table_sink_run_on(base, "DROP TABLE", base->work, "", err)) ||
        is_marked(base, base->target, &target, err))
        return err->code;
    return target ? table_sink_run_on(base, "ALTER TABLE", base->target, "COMMENT=''", err) : HAUL_OK;
}
