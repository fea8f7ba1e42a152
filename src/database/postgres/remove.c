/*
 * remove.c: taking back what an unfinished run made, and what a replacement of
 * its target would lose.
 *
 * A table the run made is dropped. Rows that `create` put into an empty table go
 * when the ledger knows all that are there. Rows appended to a table of somebody
 * else cannot be told from others: they stay, and that is said.
 */
#include "database/postgres/sink.h"

#include <stdio.h>
#include <string.h>

/* ---- what a replacement would lose ---- */

static const char dependents_sql[] =
    "SELECT what FROM ("
    " SELECT 'grants to ' || pg_catalog.string_agg(DISTINCT CASE WHEN a.grantee = 0 THEN 'PUBLIC'"
    "  ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END, ', ') AS what"
    " FROM pg_catalog.pg_class AS c, pg_catalog.aclexplode(c.relacl) AS a"
    " WHERE c.oid = $1::pg_catalog.oid AND a.grantee <> c.relowner"
    /* those that a new table of ours gets by itself are not lost */
    "  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_default_acl AS d, pg_catalog.aclexplode(d.defaclacl) AS x"
    "  WHERE d.defaclrole::pg_catalog.regrole = current_user::pg_catalog.regrole AND d.defaclobjtype = 'r'"
    "   AND d.defaclnamespace IN (0, c.relnamespace) AND x.grantee = a.grantee"
    "   AND x.privilege_type = a.privilege_type)"
    " UNION ALL SELECT 'grants on column ' || attname FROM pg_catalog.pg_attribute"
    " WHERE attrelid = $1::pg_catalog.oid AND attacl IS NOT NULL"
    " UNION ALL SELECT 'foreign key ' || conname || ' of ' || conrelid::pg_catalog.regclass"
    " FROM pg_catalog.pg_constraint WHERE contype = 'f' AND $1::pg_catalog.oid IN (conrelid, confrelid)"
    " UNION ALL SELECT 'trigger ' || tgname FROM pg_catalog.pg_trigger"
    " WHERE tgrelid = $1::pg_catalog.oid AND NOT tgisinternal"
    " UNION ALL SELECT DISTINCT CASE v.relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialised view '"
    "  ELSE 'rule of ' END || v.oid::pg_catalog.regclass"
    " FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_rewrite AS r ON r.oid = d.objid"
    " JOIN pg_catalog.pg_class AS v ON v.oid = r.ev_class"
    " WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.refobjid = $1::pg_catalog.oid"
    "  AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass"
    " UNION ALL SELECT 'policy ' || polname FROM pg_catalog.pg_policy WHERE polrelid = $1::pg_catalog.oid"
    " UNION ALL SELECT 'publication ' || p.pubname FROM pg_catalog.pg_publication_rel AS pr"
    " JOIN pg_catalog.pg_publication AS p ON p.oid = pr.prpubid WHERE pr.prrelid = $1::pg_catalog.oid"
    " UNION ALL SELECT 'inheritance of ' || inhparent::pg_catalog.regclass FROM pg_catalog.pg_inherits"
    " WHERE inhrelid = $1::pg_catalog.oid"
    " UNION ALL SELECT 'partition or child ' || inhrelid::pg_catalog.regclass FROM pg_catalog.pg_inherits"
    " WHERE inhparent = $1::pg_catalog.oid"
    " UNION ALL SELECT 'index ' || i.indexrelid::pg_catalog.regclass FROM pg_catalog.pg_index AS i"
    " WHERE i.indrelid = $1::pg_catalog.oid AND NOT i.indisprimary"
    " UNION ALL SELECT 'check ' || conname FROM pg_catalog.pg_constraint"
    " WHERE contype = 'c' AND conrelid = $1::pg_catalog.oid"
    " UNION ALL SELECT 'default or identity of column ' || attname FROM pg_catalog.pg_attribute"
    " WHERE attrelid = $1::pg_catalog.oid AND attnum > 0 AND NOT attisdropped"
    "  AND (atthasdef OR attidentity <> '')"
    ") AS lost WHERE what IS NOT NULL";

enum haul_code pg_check_dependents(struct postgres_sink *sink, struct haul_error *err)
{
    struct buffer list = {0};
    PGresult *result = NULL;
    enum haul_code code =
        pg_ask(&sink->connection, dependents_sql, &(struct pg_values){1, &sink->table.oid}, &result, err);
    for (int i = 0; !code && i < PQntuples(result); i++)
        code = buffer_printf(&list, err, "%s%s", i ? ", " : "", pg_text(result, i, 0));
    if (!code && list.length)
        code =
            error_set(err, HAUL_UNSUPPORTED,
                      "%s: replacing table %s would lose: %.*s; use --mode truncate, which keeps the table",
                      sink->server.name, sink->title, (int)(list.length < 600 ? list.length : 600),
                      (const char *)list.data);
    PQclear(result);
    buffer_release(&list);
    return code;
}

/* ---- remove ---- */

static enum haul_code take_back_rows(struct postgres_sink *sink, const struct ledger_run *known,
                                     struct haul_error *err)
{
    int64_t rows = 0;
    if (pg_ledger_rows(&sink->ledger, &sink->connection, sink->run, &rows, err))
        return err->code;
    if (rows == 0)
        return HAUL_OK;
    if (strcmp(known->mode, "create") == 0) {
        if (pg_check_rows(sink, known->work, err))
            return err->code;
        return pg_run_on(sink, &(struct on_table){"DELETE FROM", known->work, ""}, err);
    }
    context_warn(&sink->context, "%s: the %lld rows that run %s appended to %s stay there", sink->server.name,
                 (long long)rows, sink->run, known->target);
    return HAUL_OK;
}

static enum haul_code undo_run(struct postgres_sink *sink, const struct ledger_run *known,
                               struct haul_error *err)
{
    if (strcmp(known->target, sink->title) != 0)
        return error_set(err, HAUL_CHANGED, "%s: run %s is about %s, not %s; discard it with that target",
                         sink->server.name, sink->run, known->target, sink->title);
    if (known->made ? pg_run_on(sink, &(struct on_table){"DROP TABLE IF EXISTS", known->work, ""}, err)
                    : take_back_rows(sink, known, err))
        return err->code;
    return pg_ledger_forget(&sink->ledger, &sink->connection, sink->run, err);
}

/* Without a ledger only a staging table is known to be the run's own. */
static enum haul_code drop_unnoted(struct postgres_sink *sink, struct haul_error *err)
{
    if (sink->ledger.runs || !sink->made || !sink->work)
        return HAUL_OK;
    return pg_run_on(sink, &(struct on_table){"DROP TABLE IF EXISTS", sink->work, ""}, err);
}

enum haul_code pg_sink_remove(struct sink *base, const struct run_record *run, struct haul_error *err)
{
    struct postgres_sink *sink = (struct postgres_sink *)base;
    struct ledger_run known = {0};
    const struct ledger_search search = {.name = run->name, .arena = &sink->arena};
    bool found = false;
    snprintf(sink->run, sizeof sink->run, "%s", run->name);
    sink->connection.cancel = NULL; /* a cancelled run is removed all the same */
    if (pg_sink_control(sink, err))
        return err->code;
    sink->connection.cancel = NULL;
    enum haul_code code = pg_run(&sink->connection, "BEGIN", err);
    if (!code)
        code = pg_ledger_find(&sink->ledger, &sink->connection, &search, &known, &found, err);
    if (!code && found && !known.finished)
        code = undo_run(sink, &known, err);
    if (!code)
        code = drop_unnoted(sink, err);
    if (!code)
        code = pg_run(&sink->connection, "COMMIT", err);
    if (code)
        pg_rollback(&sink->connection);
    sink->connection.cancel = sink->context.cancel;
    return code;
}
