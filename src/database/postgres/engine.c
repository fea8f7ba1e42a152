/*
 * engine.c: PostgreSQL as the shared files know it.
 *
 * The ledger's tables are logged: after a crash of the server they are as old as
 * the rows they speak of. They are made by one process at a time, under a lock.
 */
#include "database/postgres/engine.h"
#include <stdlib.h>
#include <string.h>

#define PREPARE_LOCK "7165065848958149228"

static enum haul_code run(void *connection, const char *sql, int64_t *changed, struct haul_error *err)
{
    PGresult *result = NULL;
    if (!changed)
        return pg_run(connection, sql, err);
    enum haul_code code = pg_ask(connection, sql, NULL, &result, err);
    *changed = code ? 0 : strtoll(PQcmdTuples(result), NULL, 10);
    PQclear(result);
    return code;
}

static enum haul_code ask(void *connection, const char *sql, struct answer *answer, struct haul_error *err)
{
    PGresult *result = NULL;
    enum haul_code code = pg_ask(connection, sql, NULL, &result, err);
    int rows = code ? 0 : PQntuples(result);
    answer->columns = code ? 0 : PQnfields(result);
    for (int i = 0; i < rows && !code; i++)
        for (int c = 0; c < answer->columns && !code; c++)
            code = answer_add(answer, PQgetisnull(result, i, c) ? NULL : pg_text(result, i, c), err);
    PQclear(result);
    return code;
}

static void rollback(void *connection)
{
    pg_rollback(connection);
}

static bool is_alive(const void *connection)
{
    return pg_is_alive(connection);
}

static void watch(void *connection, const struct cancel *cancel)
{
    ((struct connection *)connection)->cancel = cancel;
}

static enum unit_state claim_failed(const struct haul_error *err)
{
    if (strcmp(err->sqlstate, "23505") == 0)
        return UNIT_DONE;
    return strcmp(err->sqlstate, "55P03") == 0 ? UNIT_BUSY : UNIT_MINE;
}

static enum haul_code ledger_exists(void *connection, const char *runs, const char *units, bool *there,
                                    struct haul_error *err)
{
    const char *const texts[] = {runs, units};
    PGresult *result = NULL;
    if (pg_ask(connection,
               "SELECT pg_catalog.to_regclass($1) IS NOT NULL AND pg_catalog.to_regclass($2) IS NOT NULL",
               &(struct pg_values){2, texts}, &result, err))
        return err->code;
    *there = pg_true(result, 0, 0);
    PQclear(result);
    return HAUL_OK;
}

enum haul_code pg_ledger_allow(struct ledger *ledger, struct connection *connection, struct haul_error *err)
{
    static const char sql[] =
        "SELECT CASE WHEN pg_catalog.to_regclass($1) IS NULL OR pg_catalog.to_regclass($2) IS NULL"
        " THEN coalesce((SELECT pg_catalog.has_schema_privilege(oid, 'CREATE')"
        "  FROM pg_catalog.pg_namespace WHERE nspname = $3), false)"
        " ELSE (SELECT bool_and(pg_catalog.has_table_privilege(t::pg_catalog.regclass, p))"
        "  FROM unnest(ARRAY[$1::text, $2]) AS t, unnest(ARRAY['SELECT','INSERT','UPDATE','DELETE']) AS p) "
        "END";
    const char *const texts[] = {ledger->runs, ledger->units, ledger->schema};
    PGresult *result = NULL;
    if (pg_ask(connection, sql, &(struct pg_values){3, texts}, &result, err))
        return err->code;
    bool allowed = pg_true(result, 0, 0);
    PQclear(result);
    if (allowed)
        return HAUL_OK;
    ledger->why = arena_printf(&ledger->arena,
                               "no right to keep %s and %s (grant CREATE on schema %s, or name another with "
                               "--ledger schema.name)",
                               ledger->runs, ledger->units, ledger->schema);
    ledger->runs = ledger->units = NULL;
    return ledger->why ? HAUL_OK : error_nomem(err, "the ledger");
}

const struct engine pg_engine = {
    .dialect = &pg_dialect,
    .run = run,
    .ask = ask,
    .rollback = rollback,
    .is_alive = is_alive,
    .watch = watch,
    .claim_failed = claim_failed,
    .ledger_exists = ledger_exists,
    .begin = "BEGIN",
    .begin_prepare = "BEGIN; SELECT pg_catalog.pg_advisory_xact_lock(" PREPARE_LOCK ")",
    .savepoint = "SAVEPOINT ",
    .rollback_to = "ROLLBACK TO SAVEPOINT ",
    .release = "RELEASE SAVEPOINT ",
    .insert = "INSERT INTO ",
    .count = "COUNT(*)",
    .update = UPDATE_FROM,
    .lock_before = "LOCK TABLE",
    .lock_after = "IN SHARE ROW EXCLUSIVE MODE",
    .limit_one = " LIMIT 1",
    .top_one = "",
    .overriding = " OVERRIDING SYSTEM VALUE",
    .make_ledger = "CREATE TABLE IF NOT EXISTS ",
    .name_type = "text",
    .text_type = "text",
    .number_type = "bigint",
    .flag_type = "boolean",
    .time_type = "timestamptz",
    .ledger_tail = "",
    .yes = "true",
    .no = "false",
    .same_table = "",
    .session_id = "pg_catalog.pg_backend_pid()",
};
