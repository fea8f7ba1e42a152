/*
 * engine.c: MySQL as the shared files know it.
 *
 * The ledger's tables are InnoDB, so that a crash of the server leaves them as
 * old as the rows they speak of. DDL commits what is open: they are made in
 * prepare, before any unit.
 */
#include "database/mysql/sink.h"

#define ERROR_DUPLICATE 1062
#define ERROR_LOCK_WAIT 1205

static enum haul_code run(void *connection, const char *sql, int64_t *changed, struct haul_error *err)
{
    enum haul_code code = my_run(connection, sql, err);
    if (changed)
        *changed = code ? 0 : (int64_t)mysql_affected_rows(((struct connection *)connection)->my);
    return code;
}

static enum haul_code ask(void *connection, const char *sql, struct answer *answer, struct haul_error *err)
{
    MYSQL_RES *result = NULL;
    enum haul_code code = my_ask(connection, sql, &result, err);
    answer->columns = result ? (int)mysql_num_fields(result) : 0;
    for (MYSQL_ROW row; !code && result && (row = mysql_fetch_row(result));)
        for (int c = 0; c < answer->columns && !code; c++)
            code = answer_add(answer, row[c], err);
    mysql_free_result(result);
    return code;
}

static void rollback(void *connection)
{
    my_rollback(connection);
}

static bool is_alive(const void *connection)
{
    return my_is_alive(connection);
}

static void watch(void *connection, const struct cancel *cancel)
{
    ((struct connection *)connection)->cancel = cancel;
}

static enum unit_state claim_failed(const struct haul_error *err)
{
    if (err->vendor_code == ERROR_DUPLICATE)
        return UNIT_DONE;
    return err->vendor_code == ERROR_LOCK_WAIT ? UNIT_BUSY : UNIT_MINE;
}

static enum haul_code ledger_exists(void *connection, const char *runs, const char *units, bool *there,
                                    struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    struct haul_error missing = {0};
    sql_add(&sql, "SELECT 1 FROM %s, %s LIMIT 0", runs, units);
    *there = !engine_run(&my_engine, connection, &sql, NULL, &missing);
    if (*there || missing.code == HAUL_NOT_FOUND || missing.code == HAUL_PERMISSION)
        return HAUL_OK;
    *err = missing;
    return err->code;
}

const struct engine my_engine = {
    .dialect = &my_dialect,
    .run = run,
    .ask = ask,
    .rollback = rollback,
    .is_alive = is_alive,
    .watch = watch,
    .claim_failed = claim_failed,
    .ledger_exists = ledger_exists,
    .begin = "START TRANSACTION",
    .begin_prepare = "START TRANSACTION",
    .ddl_commits = true,
    .savepoint = "SAVEPOINT ",
    .rollback_to = "ROLLBACK TO SAVEPOINT ",
    .insert = "INSERT INTO ",
    .count = "COUNT(*)",
    .update = UPDATE_JOIN,
    .limit_one = " LIMIT 1",
    .top_one = "",
    .overriding = "",
    .make_ledger = "CREATE TABLE IF NOT EXISTS ",
    .name_type = "varchar(63) CHARACTER SET ascii COLLATE ascii_bin",
    .text_type = "longtext",
    .number_type = "bigint",
    .flag_type = "tinyint",
    .time_type = "datetime",
    .ledger_tail = " ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    .yes = "1",
    .no = "0",
    .same_table = "",
    .session_id = "CONNECTION_ID()",
};
