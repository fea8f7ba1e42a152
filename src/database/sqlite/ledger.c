/*
 * ledger.c: the ledger's tables and the statements on them.
 *
 * The tables are STRICT and without rowid, so that the primary key is the
 * table and no value changes its class. 64-bit part numbers are kept as
 * int64: a plan with more than 2^63 parts does not exist.
 *
 * Limits: a run has as many receipts as it has units; recall holds them in an
 * arena of at most ARENA_BYTES_MAX.
 */
#include "database/sqlite/ledger.h"

#include "database/sqlite/dialect.h"
#include <string.h>

static const char runs_columns[] =
    "(name TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, plan TEXT NOT NULL, target TEXT NOT NULL,"
    " work TEXT NOT NULL, made INTEGER NOT NULL, finished INTEGER NOT NULL DEFAULT 0,"
    " started TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, ended TEXT) STRICT, WITHOUT ROWID";

static const char units_columns[] =
    "(run TEXT NOT NULL, part INTEGER NOT NULL, first_row INTEGER NOT NULL, rows INTEGER, rows_offered "
    "INTEGER,"
    " last INTEGER, hash TEXT, reject_count INTEGER, loss_count INTEGER, rejects TEXT, text TEXT,"
    " PRIMARY KEY (run, part, first_row)) STRICT, WITHOUT ROWID";

#define RECEIPT_COLUMNS                                                                                      \
    "part, first_row, rows, rows_offered, last, hash, reject_count, loss_count, rejects, text"

/* ---- life ---- */

static char *table_name(struct ledger *ledger, const char *stem, const char *tail, struct haul_error *err)
{
    struct sql sql = {.dialect = &sqlite_dialect};
    char *plain = arena_printf(&ledger->arena, "%s_%s", stem, tail), *name = NULL;
    if (plain)
        sql_name(&sql, plain);
    const char *text = plain ? sql_text(&sql, err) : NULL;
    if (text)
        name = arena_text(&ledger->arena, text);
    if (!plain || (text && !name))
        error_nomem(err, "the ledger's names");
    sql_release(&sql);
    return name;
}

enum haul_code sqlite_ledger_init(struct ledger *ledger, struct connection *connection, const char *option,
                                  struct haul_error *err)
{
    *ledger = (struct ledger){.connection = connection};
    if (option && !strcmp(option, "none"))
        return HAUL_OK;
    ledger->runs = table_name(ledger, option ? option : "haul", "runs", err);
    ledger->units = ledger->runs ? table_name(ledger, option ? option : "haul", "units", err) : NULL;
    if (ledger->units)
        return HAUL_OK;
    sqlite_ledger_release(ledger);
    return err->code;
}

void sqlite_ledger_release(struct ledger *ledger)
{
    sqlite3_finalize(ledger->claim);
    sqlite3_finalize(ledger->settle);
    arena_release(&ledger->arena);
    *ledger = (struct ledger){0};
}

/* ---- statements: built from a pattern, then bound in order ---- */

/* `pattern` has one %s for the table. */
static enum haul_code prepare(const struct ledger *ledger, const char *before, const char *table,
                              const char *after, sqlite3_stmt **statement, struct haul_error *err)
{
    struct sql sql = {.dialect = &sqlite_dialect};
    sql_add(&sql, "%s%s%s", before, table, after);
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? sqlite_prepare(ledger->connection, text, statement, err) : err->code;
    sql_release(&sql);
    return code;
}

static void bind_text(sqlite3_stmt *statement, int place, const char *text)
{
    sqlite3_bind_text(statement, place, text, -1, SQLITE_STATIC);
}

/* Runs a statement that gives no rows, with up to one text bound. */
static enum haul_code run(const struct ledger *ledger, const char *before, const char *table,
                          const char *after, const char *text, struct haul_error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row;
    if (prepare(ledger, before, table, after, &statement, err))
        return err->code;
    if (text)
        bind_text(statement, 1, text);
    enum haul_code code = sqlite_step(ledger->connection, statement, &row, err);
    sqlite3_finalize(statement);
    return code;
}

static const char *copy_text(struct arena *arena, sqlite3_stmt *statement, int place)
{
    const unsigned char *text = sqlite3_column_text(statement, place);
    return text ? arena_text(arena, (const char *)text) : NULL;
}

/* ---- tables ---- */

enum haul_code sqlite_ledger_exists(const struct ledger *ledger, bool *exists, struct haul_error *err)
{
    /* ledger->runs is a quoted name: the catalog's are quoted alike to compare. */
    static const char sql[] = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND"
                              " '\"' || replace(name, '\"', '\"\"') || '\"' = ?1 COLLATE NOCASE";
    int64_t count = 0;
    *exists = false;
    if (ledger->runs && sqlite_number(ledger->connection, sql, ledger->runs, 0, &count, err))
        return err->code;
    *exists = count > 0;
    return HAUL_OK;
}

enum haul_code sqlite_ledger_create(const struct ledger *ledger, struct haul_error *err)
{
    if (!ledger->runs)
        return HAUL_OK;
    if (run(ledger, "CREATE TABLE IF NOT EXISTS ", ledger->runs, runs_columns, NULL, err) ||
        run(ledger, "CREATE TABLE IF NOT EXISTS ", ledger->units, units_columns, NULL, err))
        return error_prefix(err, "the ledger's tables");
    return HAUL_OK;
}

/* ---- runs ---- */

struct run_query {
    const char *condition, *text; /* ?1 */
    struct arena *arena;          /* for what is found */
};

static enum haul_code read_run(const struct ledger *ledger, const struct run_query *query,
                               struct ledger_run *out, bool *found, struct haul_error *err)
{
    struct arena *arena = query->arena;
    sqlite3_stmt *statement = NULL;
    bool exists;
    *found = false;
    if (sqlite_ledger_exists(ledger, &exists, err))
        return err->code;
    if (!exists)
        return HAUL_OK;
    if (prepare(ledger, "SELECT name, target, work, made, finished, fingerprint FROM ", ledger->runs,
                query->condition, &statement, err))
        return err->code;
    bind_text(statement, 1, query->text);
    enum haul_code code = sqlite_step(ledger->connection, statement, found, err);
    if (!code && *found) {
        *out = (struct ledger_run){.name = copy_text(arena, statement, 0),
                                   .target = copy_text(arena, statement, 1),
                                   .work = copy_text(arena, statement, 2),
                                   .made = sqlite3_column_int(statement, 3),
                                   .finished = sqlite3_column_int(statement, 4),
                                   .fingerprint = copy_text(arena, statement, 5)};
        if (!out->name || !out->target || !out->work || !out->fingerprint)
            code = error_nomem(err, "the ledger");
    }
    sqlite3_finalize(statement);
    return code;
}

enum haul_code sqlite_ledger_owner(const struct ledger *ledger, const char *target, struct arena *arena,
                                   struct ledger_run *owner, bool *found, struct haul_error *err)
{
    struct run_query query = {" WHERE target = ?1 COLLATE NOCASE AND NOT finished ORDER BY made DESC LIMIT 1",
                              target, arena};
    return read_run(ledger, &query, owner, found, err);
}

enum haul_code sqlite_ledger_find(const struct ledger *ledger, const char *name, struct arena *arena,
                                  struct ledger_run *out, bool *found, struct haul_error *err)
{
    struct run_query query = {" WHERE name = ?1", name, arena};
    return read_run(ledger, &query, out, found, err);
}

enum haul_code sqlite_ledger_begin(const struct ledger *ledger, const struct ledger_run *out,
                                   const char *plan, struct haul_error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row;
    if (!ledger->runs)
        return HAUL_OK;
    if (sqlite_ledger_forget(ledger, out->name, err) ||
        prepare(ledger, "INSERT INTO ", ledger->runs,
                " (name, fingerprint, plan, target, work, made) VALUES (?1, ?2, ?3, ?4, ?5, ?6)", &statement,
                err))
        return err->code;
    bind_text(statement, 1, out->name);
    bind_text(statement, 2, out->fingerprint);
    bind_text(statement, 3, plan ? plan : "");
    bind_text(statement, 4, out->target);
    bind_text(statement, 5, out->work);
    sqlite3_bind_int(statement, 6, out->made);
    enum haul_code code = sqlite_step(ledger->connection, statement, &row, err);
    sqlite3_finalize(statement);
    return code;
}

enum haul_code sqlite_ledger_finish(const struct ledger *ledger, const char *name, struct haul_error *err)
{
    if (!ledger->runs)
        return HAUL_OK;
    if (run(ledger, "DELETE FROM ", ledger->units, " WHERE run = ?1", name, err))
        return err->code;
    return run(ledger, "UPDATE ", ledger->runs,
               " SET finished = 1, ended = CURRENT_TIMESTAMP WHERE name = ?1", name, err);
}

enum haul_code sqlite_ledger_forget(const struct ledger *ledger, const char *name, struct haul_error *err)
{
    if (!ledger->runs)
        return HAUL_OK;
    if (run(ledger, "DELETE FROM ", ledger->units, " WHERE run = ?1", name, err))
        return err->code;
    return run(ledger, "DELETE FROM ", ledger->runs, " WHERE name = ?1", name, err);
}

enum haul_code sqlite_ledger_rows(const struct ledger *ledger, const char *name, int64_t *rows,
                                  struct haul_error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row;
    if (prepare(ledger, "SELECT coalesce(sum(rows), 0) FROM ", ledger->units, " WHERE run = ?1", &statement,
                err))
        return err->code;
    bind_text(statement, 1, name);
    enum haul_code code = sqlite_step(ledger->connection, statement, &row, err);
    *rows = code ? 0 : sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return code;
}

/* ---- receipts ---- */

static enum haul_code read_receipt(sqlite3_stmt *statement, struct arena *arena, struct receipt *receipt,
                                   struct haul_error *err)
{
    const char *hash = (const char *)sqlite3_column_text(statement, 5);
    *receipt = (struct receipt){.unit.part = (uint64_t)sqlite3_column_int64(statement, 0),
                                .unit.first_row = sqlite3_column_int64(statement, 1),
                                .rows = sqlite3_column_int64(statement, 2),
                                .rows_offered = sqlite3_column_int64(statement, 3),
                                .last = sqlite3_column_int(statement, 4),
                                .reject_count = sqlite3_column_int64(statement, 6),
                                .loss_count = sqlite3_column_int64(statement, 7),
                                .rejects = copy_text(arena, statement, 8),
                                .text = copy_text(arena, statement, 9)};
    if (!hash || !hash_parse(hash, &receipt->hash))
        return error_set(err, HAUL_INTEGRITY, "the ledger's row of part %llu, row %lld is damaged; --restart",
                         (unsigned long long)receipt->unit.part, (long long)receipt->unit.first_row);
    bool lost = (!receipt->rejects && sqlite3_column_type(statement, 8) != SQLITE_NULL) ||
                (!receipt->text && sqlite3_column_type(statement, 9) != SQLITE_NULL);
    return lost ? error_nomem(err, "the ledger") : HAUL_OK;
}

static enum haul_code read_receipts(const struct ledger *ledger, struct run_record *record,
                                    struct haul_error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = true;
    int64_t count = 0;
    if (prepare(ledger, "SELECT " RECEIPT_COLUMNS ", count(*) OVER () FROM ", ledger->units,
                " WHERE run = ?1 ORDER BY part, first_row", &statement, err))
        return err->code;
    bind_text(statement, 1, record->name);
    enum haul_code code = sqlite_step(ledger->connection, statement, &row, err);
    if (!code && row)
        count = sqlite3_column_int64(statement, 10);
    struct receipt *receipts = arena_alloc_array(&record->arena, (size_t)count + 1, sizeof *receipts);
    if (!code && !receipts)
        code = error_nomem(err, "the ledger");
    while (!code && row && record->receipt_count < (size_t)count) {
        code = read_receipt(statement, &record->arena, &receipts[record->receipt_count++], err);
        if (!code)
            code = sqlite_step(ledger->connection, statement, &row, err);
    }
    record->receipts = receipts;
    sqlite3_finalize(statement);
    return code;
}

enum haul_code sqlite_ledger_recall(const struct ledger *ledger, const char *name, struct run_record *record,
                                    bool *found, struct haul_error *err)
{
    struct ledger_run known = {0};
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum haul_code code = sqlite_ledger_find(ledger, name, &record->arena, &known, found, err);
    if (code || !*found)
        return code;
    record->name = known.name;
    record->fingerprint = known.fingerprint;
    record->finished = known.finished;
    code = prepare(ledger, "SELECT plan FROM ", ledger->runs, " WHERE name = ?1", &statement, err);
    if (!code) {
        bind_text(statement, 1, name);
        code = sqlite_step(ledger->connection, statement, &row, err);
    }
    if (!code)
        record->plan = copy_text(&record->arena, statement, 0);
    sqlite3_finalize(statement);
    if (!code && !record->plan)
        code = error_nomem(err, "the ledger");
    return code ? code : read_receipts(ledger, record, err);
}

enum haul_code sqlite_ledger_receipt(const struct ledger *ledger, const char *name, const struct unit *unit,
                                     struct arena *arena, struct receipt *receipt, struct haul_error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row;
    if (prepare(ledger, "SELECT " RECEIPT_COLUMNS " FROM ", ledger->units,
                " WHERE run = ?1 AND part = ?2 AND first_row = ?3", &statement, err))
        return err->code;
    bind_text(statement, 1, name);
    sqlite3_bind_int64(statement, 2, (int64_t)unit->part);
    sqlite3_bind_int64(statement, 3, unit->first_row);
    enum haul_code code = sqlite_step(ledger->connection, statement, &row, err);
    if (!code && !row)
        code = error_set(err, HAUL_CHANGED, "the ledger's row of part %llu, row %lld went away",
                         (unsigned long long)unit->part, (long long)unit->first_row);
    if (!code)
        code = read_receipt(statement, arena, receipt, err);
    sqlite3_finalize(statement);
    if (!code)
        receipt->unit.parts = unit->parts;
    return code;
}

/* ---- units ---- */

enum haul_code sqlite_ledger_claim(struct ledger *ledger, const char *name, const struct unit *unit,
                                   bool *mine, struct haul_error *err)
{
    *mine = true;
    if (!ledger->units)
        return HAUL_OK;
    if (!ledger->claim && prepare(ledger, "INSERT INTO ", ledger->units,
                                  " (run, part, first_row) VALUES (?1, ?2, ?3)", &ledger->claim, err))
        return err->code;
    bind_text(ledger->claim, 1, name);
    sqlite3_bind_int64(ledger->claim, 2, (int64_t)unit->part);
    sqlite3_bind_int64(ledger->claim, 3, unit->first_row);
    int rc = sqlite3_step(ledger->claim);
    enum haul_code code = HAUL_OK;
    if (rc == SQLITE_CONSTRAINT_PRIMARYKEY)
        *mine = false;
    else if (rc != SQLITE_DONE)
        code = sqlite_fail(ledger->connection, rc, err);
    sqlite3_reset(ledger->claim);
    return code;
}

enum haul_code sqlite_ledger_settle(struct ledger *ledger, const char *name, const struct receipt *receipt,
                                    struct haul_error *err)
{
    char hash[HASH_TEXT_BYTES];
    if (!ledger->units)
        return HAUL_OK;
    if (!ledger->settle &&
        prepare(ledger, "UPDATE ", ledger->units,
                " SET rows = ?4, rows_offered = ?5, last = ?6, hash = ?7, reject_count = ?8, loss_count = ?9,"
                " rejects = ?10, text = ?11 WHERE run = ?1 AND part = ?2 AND first_row = ?3",
                &ledger->settle, err))
        return err->code;
    hash_print(receipt->hash, hash);
    sqlite3_stmt *statement = ledger->settle;
    bind_text(statement, 1, name);
    sqlite3_bind_int64(statement, 2, (int64_t)receipt->unit.part);
    sqlite3_bind_int64(statement, 3, receipt->unit.first_row);
    sqlite3_bind_int64(statement, 4, receipt->rows);
    sqlite3_bind_int64(statement, 5, receipt->rows_offered);
    sqlite3_bind_int(statement, 6, receipt->last);
    bind_text(statement, 7, hash);
    sqlite3_bind_int64(statement, 8, receipt->reject_count);
    sqlite3_bind_int64(statement, 9, receipt->loss_count);
    bind_text(statement, 10, receipt->rejects);
    bind_text(statement, 11, receipt->text);
    bool row;
    enum haul_code code = sqlite_step(ledger->connection, statement, &row, err);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return code;
}
