/*
 * replace.c: rows or a table in the target's place, and what that would lose.
 *
 * `truncate` empties the table: TRUNCATE TABLE where that is allowed, DELETE
 * where foreign keys of others point at it or the right is missing. Rows then
 * move by an INSERT, which fires triggers: those that are on are switched off and
 * on again in that transaction unless FIRE_TRIGGERS was asked for.
 *
 * `replace` drops the old table and renames the new one, and refuses when
 * something hangs on the old. It is asked twice, the second time inside the
 * transaction: there only what the server answered the first time, because a
 * question that fails would take the transaction with it.
 */
#include "database/mssql/answer.h"
#include "database/mssql/sink.h"

struct dependent {
    const char *what, *from; /* "SELECT what FROM from = object_id" */
};

static const struct dependent dependents[] = {
    {"DISTINCT 'grants to ' + USER_NAME(grantee_principal_id)",
     "sys.database_permissions WHERE class = 1 AND major_id"},
    {"'foreign key ' + name", "sys.foreign_keys WHERE parent_object_id"},
    {"'foreign key ' + name",
     "sys.foreign_keys WHERE parent_object_id <> referenced_object_id AND referenced_object_id"},
    {"'trigger ' + name", "sys.triggers WHERE parent_id"},
    {"DISTINCT 'what refers to it: ' + OBJECT_NAME(referencing_id)",
     "sys.sql_expression_dependencies WHERE referencing_id <> referenced_id AND referenced_id"},
    {"'index ' + name", "sys.indexes WHERE is_primary_key = 0 AND name IS NOT NULL AND object_id"},
    {"'check ' + name", "sys.check_constraints WHERE parent_object_id"},
    {"'default of column ' + name", "sys.columns WHERE default_object_id <> 0 AND object_id"},
    {"'identity of column ' + name", "sys.columns WHERE is_identity = 1 AND object_id"},
    {"'computed column ' + name", "sys.columns WHERE is_computed = 1 AND object_id"},
};
#define DEPENDENT_COUNT (sizeof dependents / sizeof *dependents)

static enum haul_code ask_dependent(struct mssql_sink *sink, size_t i, struct buffer *list,
                                    struct haul_error *err)
{
    struct sql sql = {.dialect = &ms_dialect};
    struct ms_answer answer;
    sql_add(&sql, "SELECT %s FROM %s = %s", dependents[i].what, dependents[i].from,
            sink->target.table.object_id);
    if (ms_ask_softly(&sink->control, &sql, &answer, err))
        return err->code;
    enum haul_code code = HAUL_OK;
    if (!answer.columns)
        sink->unanswered |= 1u << i;
    for (int64_t k = 0; k < answer.rows && !code; k++)
        code = buffer_printf(list, err, "%s%s", list->length ? ", " : "", ms_answer_text(&answer, k, 0));
    ms_answer_release(&answer);
    return code;
}

enum haul_code ms_check_dependents(struct mssql_sink *sink, struct haul_error *err)
{
    struct buffer list = {0};
    enum haul_code code = HAUL_OK;
    for (size_t i = 0; i < DEPENDENT_COUNT && !code && *sink->target.table.object_id; i++)
        if (!(sink->unanswered >> i & 1))
            code = ask_dependent(sink, i, &list, err);
    if (!code && list.length)
        code =
            error_set(err, HAUL_UNSUPPORTED,
                      "%s: replacing table %s would lose: %.*s; use --mode truncate, which keeps the table",
                      sink->base.place, sink->base.title, (int)(list.length < 600 ? list.length : 600),
                      (const char *)list.data);
    buffer_release(&list);
    return code;
}

/* ---- truncate ---- */

static bool loads_identity(const struct mssql_sink *sink)
{
    for (int i = 0; i < sink->target.served.count; i++)
        if ((sink->target.served.columns[i].flags & MS_FLAG_IDENTITY) &&
            schema_find(&sink->base.schema, sink->target.served.columns[i].name) >= 0)
            return true;
    return false;
}

/* Those that were enabled, and no others. */
static enum haul_code switch_triggers(struct mssql_sink *sink, const char *word, struct haul_error *err)
{
    struct sql sql = {.dialect = &ms_dialect};
    const struct target *target = &sink->target;
    if (!target->trigger_count || sink->policy.fire_triggers)
        return HAUL_OK;
    sql_add(&sql, "ALTER TABLE ");
    sql_table(&sql, sink->base.schema_name, sink->base.target);
    sql_add(&sql, " %s TRIGGER ", word);
    for (int i = 0; i < target->trigger_count; i++) {
        sql_add(&sql, i ? ", " : "");
        sql_name(&sql, target->trigger_names[i]);
    }
    return engine_run(&ms_engine, sink->base.connection, &sql, NULL, err);
}

enum haul_code ms_empty(struct table_sink *base, struct haul_error *err)
{
    const struct target *target = &((struct mssql_sink *)base)->target;
    bool truncate = target->may_alter && !target->referenced;
    return table_sink_run_on(base, truncate ? "TRUNCATE TABLE" : "DELETE FROM", base->target, "", err);
}

enum haul_code ms_filling(struct table_sink *base, struct haul_error *err)
{
    struct mssql_sink *sink = (struct mssql_sink *)base;
    if (loads_identity(sink) && table_sink_run_on(base, "SET IDENTITY_INSERT", base->target, "ON", err))
        return err->code;
    return switch_triggers(sink, "DISABLE", err);
}

enum haul_code ms_filled(struct table_sink *base, struct haul_error *err)
{
    struct mssql_sink *sink = (struct mssql_sink *)base;
    if (loads_identity(sink) && table_sink_run_on(base, "SET IDENTITY_INSERT", base->target, "OFF", err))
        return err->code;
    return switch_triggers(sink, "ENABLE", err);
}

/* ---- replace ---- */

enum haul_code ms_swap(struct table_sink *base, struct haul_error *err)
{
    struct mssql_sink *sink = (struct mssql_sink *)base;
    struct sql full = {.dialect = &ms_dialect}, sql = {.dialect = &ms_dialect};
    if (ms_check_dependents(sink, err) || table_sink_run_on(base, "DROP TABLE", base->target, "", err))
        return err->code;
    sql_table(&full, base->schema_name, base->work);
    const char *text = sql_text(&full, err);
    sql_add(&sql, "EXEC sp_rename ");
    sql_literal(&sql, text ? text : "");
    sql_add(&sql, ", ");
    sql_literal(&sql, base->target);
    sql_add(&sql, ", N'OBJECT'"); /* some servers want to be told */
    enum haul_code code = text ? engine_run(&ms_engine, base->connection, &sql, NULL, err) : err->code;
    sql_release(&full);
    return code;
}
