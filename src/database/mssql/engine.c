/*
 * engine.c: SQL Server as the shared files see it.
 *
 * A claim waits for three seconds; everything else in a transaction for a minute.
 * XACT_ABORT is on: whatever fails takes its transaction with it. A name is taken
 * by its case in the ledger, whatever the database's collation says.
 */
#include "database/mssql/answer.h"
#include "database/mssql/sink.h"

#define DUPLICATE_KEY   2627
#define DUPLICATE_INDEX 2601
#define LOCK_TIMEOUT    1222

static enum haul_code run(void *connection, const char *sql, int64_t *changed, struct haul_error *err)
{
    struct session *session = connection;
    if (ms_run(session, sql, err))
        return err->code;
    if (changed)
        *changed = session->done_status & DONE_COUNT ? (int64_t)session->done_rows : 0;
    return HAUL_OK;
}

static enum haul_code ask(void *connection, const char *sql, struct answer *answer, struct haul_error *err)
{
    struct ms_answer given;
    if (ms_ask(connection, sql, &given, err))
        return err->code;
    enum haul_code code = HAUL_OK;
    answer->columns = given.columns;
    for (int64_t i = 0; i < given.rows * given.columns && !code; i++)
        code = answer_add(answer, given.cells[i], err);
    ms_answer_release(&given);
    return code;
}

static void rollback(void *connection)
{
    struct session *session = connection;
    struct haul_error ignored = {0};
    if (!ms_is_alive(session))
        return;
    ms_watch(session, NULL); /* a cancelled run is rolled back all the same */
    if (ms_run(session, "IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION", &ignored))
        ms_disconnect(session);
}

static bool is_alive(const void *connection)
{
    return ms_is_alive(connection);
}

static void watch(void *connection, const struct cancel *cancel)
{
    ms_watch(connection, cancel);
}

static enum unit_state claim_failed(const struct haul_error *err)
{
    if (err->vendor_code == DUPLICATE_KEY || err->vendor_code == DUPLICATE_INDEX)
        return UNIT_DONE;
    return err->vendor_code == LOCK_TIMEOUT ? UNIT_BUSY : UNIT_MINE;
}

/* On a server without OBJECT_ID: can both be read? */
static enum haul_code both_are_read(struct session *session, const char *runs, const char *units, bool *there,
                                    struct haul_error *err)
{
    const char *const tables[] = {runs, units};
    *there = true;
    for (int i = 0; i < 2 && *there; i++) {
        struct sql sql = {.dialect = &ms_dialect};
        struct ms_answer answer;
        sql_add(&sql, "SELECT TOP (0) 1 AS a FROM %s", tables[i]);
        if (ms_ask_softly(session, &sql, &answer, err))
            return err->code;
        *there = answer.columns == 1;
        ms_answer_release(&answer);
    }
    return HAUL_OK;
}

static enum haul_code ledger_exists(void *connection, const char *runs, const char *units, bool *there,
                                    struct haul_error *err)
{
    struct sql sql = {.dialect = &ms_dialect};
    struct ms_answer answer;
    sql_add(&sql, "SELECT CASE WHEN OBJECT_ID(");
    sql_literal(&sql, runs);
    sql_add(&sql, ") IS NULL OR OBJECT_ID(");
    sql_literal(&sql, units);
    sql_add(&sql, ") IS NULL THEN 0 ELSE 1 END");
    if (ms_ask_softly(connection, &sql, &answer, err))
        return err->code;
    bool told = answer.columns == 1;
    *there = ms_answer_number(&answer, 0, 0) > 0;
    ms_answer_release(&answer);
    return told ? HAUL_OK : both_are_read(connection, runs, units, there, err);
}

const struct engine ms_engine = {
    .dialect = &ms_dialect,
    .run = run,
    .ask = ask,
    .rollback = rollback,
    .is_alive = is_alive,
    .watch = watch,
    .claim_failed = claim_failed,
    .ledger_exists = ledger_exists,
    .begin = "SET XACT_ABORT ON; SET LOCK_TIMEOUT 3000; BEGIN TRANSACTION",
    .begin_prepare = "SET XACT_ABORT ON; SET LOCK_TIMEOUT 60000; BEGIN TRANSACTION",
    .savepoint = "SAVE TRANSACTION ",
    .rollback_to = "ROLLBACK TRANSACTION ",
    .insert = "INSERT INTO ",
    .count = "COUNT_BIG(*)",
    .update = UPDATE_ALIASED,
    .lock_before = "SELECT TOP (1) 1 AS held FROM",
    .lock_after = "WITH (TABLOCKX, HOLDLOCK)",
    .limit_one = "",
    .top_one = "TOP (1) ",
    .overriding = "",
    .make_ledger = "CREATE TABLE ",
    .name_type = "nvarchar(64) COLLATE Latin1_General_BIN2",
    .text_type = "nvarchar(max)",
    .number_type = "bigint",
    .flag_type = "bit",
    .time_type = "datetime2(3)",
    .ledger_tail = "",
    .yes = "1",
    .no = "0",
    .same_table = "",
    .session_id = "@@SPID",
};
