/*
 * replace.c: rows or a table in the target's place, and what that would lose.
 *
 * `truncate` empties the table: TRUNCATE where that is allowed, DELETE where
 * foreign keys of others point at it. `replace` drops the old table and renames
 * the new one, and refuses when something hangs on the old.
 */
#include "database/postgres/sink.h"

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
        pg_ask(&sink->control, dependents_sql, &(struct pg_values){1, &sink->table.oid}, &result, err);
    for (int i = 0; !code && i < PQntuples(result); i++)
        code = buffer_printf(&list, err, "%s%s", i ? ", " : "", pg_text(result, i, 0));
    if (!code && list.length)
        code =
            error_set(err, HAUL_UNSUPPORTED,
                      "%s: replacing table %s would lose: %.*s; use --mode truncate, which keeps the table",
                      sink->server.name, sink->base.title, (int)(list.length < 600 ? list.length : 600),
                      (const char *)list.data);
    PQclear(result);
    buffer_release(&list);
    return code;
}

/* ---- truncate ---- */

static enum haul_code may_truncate(struct postgres_sink *sink, bool *may, struct haul_error *err)
{
    PGresult *result = NULL;
    *may = false;
    if (sink->table.referenced)
        return HAUL_OK;
    if (pg_ask(&sink->control, "SELECT pg_catalog.has_table_privilege($1::pg_catalog.oid, 'TRUNCATE')",
               &(struct pg_values){1, &sink->table.oid}, &result, err))
        return err->code;
    *may = pg_true(result, 0, 0);
    PQclear(result);
    return HAUL_OK;
}

enum haul_code pg_empty(struct table_sink *base, struct haul_error *err)
{
    bool truncate;
    if (may_truncate((struct postgres_sink *)base, &truncate, err) ||
        table_sink_run_on(base, pg_engine.lock_before, base->target, pg_engine.lock_after, err))
        return err->code;
    return table_sink_run_on(base, truncate ? "TRUNCATE" : "DELETE FROM", base->target, "", err);
}

/* ---- replace ---- */

enum haul_code pg_swap(struct table_sink *base, struct haul_error *err)
{
    struct postgres_sink *sink = (struct postgres_sink *)base;
    struct sql sql = {.dialect = &pg_dialect};
    if (table_sink_run_on(base, "LOCK TABLE", base->target, "IN ACCESS EXCLUSIVE MODE", err) ||
        pg_check_dependents(sink, err) || table_sink_run_on(base, "DROP TABLE", base->target, "", err))
        return err->code;
    sql_add(&sql, "ALTER TABLE ");
    sql_table(&sql, base->schema_name, base->work);
    sql_add(&sql, " RENAME TO ");
    sql_name(&sql, base->target);
    return engine_run(&pg_engine, &sink->control, &sql, NULL, err);
}
