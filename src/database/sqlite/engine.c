/*
 * engine.c: SQLite as the shared files know it.
 *
 * The ledger's tables are STRICT and without rowid, so that the primary key is
 * the table and no value changes its class. Tables' names are compared without
 * regard to case, as SQLite does.
 */
#include "database/sqlite/sink.h"

static enum haul_code run(void *connection, const char *sql, int64_t *changed, struct haul_error *err)
{
    struct connection *sqlite = connection;
    enum haul_code code = sqlite_run(sqlite, sql, err);
    if (changed)
        *changed = code ? 0 : sqlite3_changes64(sqlite->db);
    return code;
}

static enum haul_code ask(void *connection, const char *sql, struct answer *answer, struct haul_error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = true;
    if (sqlite_prepare(connection, sql, &statement, err))
        return err->code;
    answer->columns = sqlite3_column_count(statement);
    enum haul_code code = HAUL_OK;
    while (!code && !(code = sqlite_step(connection, statement, &row, err)) && row)
        for (int c = 0; c < answer->columns && !code; c++) {
            const char *text = (const char *)sqlite3_column_text(statement, c);
            code = !text && sqlite3_column_type(statement, c) != SQLITE_NULL ? error_nomem(err, "an answer")
                                                                             : answer_add(answer, text, err);
        }
    sqlite3_finalize(statement);
    return code;
}

static void rollback(void *connection)
{
    sqlite_rollback(connection);
}

static bool is_alive(const void *connection)
{
    return ((const struct connection *)connection)->db != NULL;
}

static void watch(void *connection, const struct cancel *cancel)
{
    ((struct connection *)connection)->cancel = cancel;
}

/* BEGIN IMMEDIATE waits for the one writer there may be. */
static enum unit_state claim_failed(const struct haul_error *err)
{
    if (err->vendor_code == SQLITE_CONSTRAINT_PRIMARYKEY)
        return UNIT_DONE;
    return err->code == HAUL_BUSY ? UNIT_BUSY : UNIT_MINE;
}

/* `runs` is a quoted name: the catalog's are quoted alike to compare. */
static enum haul_code ledger_exists(void *connection, const char *runs, const char *units, bool *there,
                                    struct haul_error *err)
{
    static const char sql[] = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND"
                              " '\"' || replace(name, '\"', '\"\"') || '\"' = ?1 COLLATE NOCASE";
    int64_t count = 0;
    (void)units;
    if (sqlite_number(connection, sql, runs, 0, &count, err))
        return err->code;
    *there = count > 0;
    return HAUL_OK;
}

const struct engine sqlite_engine = {
    .dialect = &sqlite_dialect,
    .run = run,
    .ask = ask,
    .rollback = rollback,
    .is_alive = is_alive,
    .watch = watch,
    .claim_failed = claim_failed,
    .ledger_exists = ledger_exists,
    .begin = "BEGIN IMMEDIATE",
    .begin_prepare = "BEGIN IMMEDIATE",
    .insert = "INSERT OR ABORT INTO ",
    .count = "COUNT(*)",
    .update = UPDATE_FROM,
    .limit_one = " LIMIT 1",
    .top_one = "",
    .overriding = "",
    .make_ledger = "CREATE TABLE IF NOT EXISTS ",
    .name_type = "TEXT",
    .text_type = "TEXT",
    .number_type = "INTEGER",
    .flag_type = "INTEGER",
    .time_type = "TEXT",
    .ledger_tail = " STRICT, WITHOUT ROWID",
    .yes = "1",
    .no = "0",
    .same_table = " COLLATE NOCASE",
    .session_id = "NULL",
};
