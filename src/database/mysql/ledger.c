/*
 * ledger.c: the ledger's tables and the statements on them.
 *
 * Both are InnoDB, so that a crash of the server leaves them as old as the rows
 * they speak of. Making them commits, as all DDL does here: it happens in
 * prepare, before any unit. Values are literals of dialect.c.
 *
 * Limits: recall holds a run's receipts in an arena of at most ARENA_BYTES_MAX.
 */
#include "database/mysql/ledger.h"

#include <stdio.h>

#define ENGINE " ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
#define RUN    "varchar(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL"

#define RUNS_COLUMNS                                                                                         \
    " (name " RUN " PRIMARY KEY, fingerprint varchar(255) NOT NULL, plan longtext NOT NULL,"                 \
    " target varchar(160) NOT NULL, work varchar(64) NOT NULL, work_id varchar(128) NOT NULL,"               \
    " mode varchar(16) NOT NULL, made tinyint NOT NULL, finished tinyint NOT NULL DEFAULT 0,"                \
    " started datetime NOT NULL DEFAULT CURRENT_TIMESTAMP, ended datetime NULL)" ENGINE

#define UNITS_COLUMNS                                                                                        \
    " (run " RUN ", part bigint NOT NULL, first_row bigint NOT NULL, row_count bigint NULL,"                 \
    " rows_offered bigint NULL, is_last tinyint NULL, hash varchar(64) NULL, reject_count bigint NULL,"      \
    " loss_count bigint NULL, rejects longtext NULL, note longtext NULL, session bigint NULL,"               \
    " PRIMARY KEY (run, part, first_row))" ENGINE

#define RECEIPT_COLUMNS                                                                                      \
    "part, first_row, row_count, rows_offered, is_last, hash, reject_count, loss_count, rejects, note"

#define ERROR_DUPLICATE 1062
#define ERROR_LOCK_WAIT 1205

/* Runs what stands in `sql` and releases it. */
static enum haul_code finish_ask(struct connection *connection, struct sql *sql, MYSQL_RES **result,
                                 struct haul_error *err)
{
    const char *text = sql_text(sql, err);
    enum haul_code code = text ? my_ask(connection, text, result, err) : err->code;
    sql_release(sql);
    return code;
}

static enum haul_code finish_run(struct connection *connection, struct sql *sql, struct haul_error *err)
{
    MYSQL_RES *result = NULL;
    enum haul_code code = finish_ask(connection, sql, &result, err);
    mysql_free_result(result);
    return code;
}

static const char *copy_text(struct arena *arena, MYSQL_ROW row, int column)
{
    return row[column] ? arena_text(arena, row[column]) : NULL;
}

/* ---- names ---- */

static const char *table_name(struct ledger *ledger, const struct table_name *name, const char *tail,
                              struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    const char *plain = arena_printf(&ledger->arena, "%s_%s", name->name, tail), *kept = NULL;
    if (plain)
        sql_table(&sql, name->schema, plain);
    const char *text = plain ? sql_text(&sql, err) : NULL;
    if (text)
        kept = arena_text(&ledger->arena, text);
    if (!plain || (text && !kept))
        error_nomem(err, "the ledger's names");
    sql_release(&sql);
    return kept;
}

enum haul_code my_ledger_init(struct ledger *ledger, const char *option, const char *schema,
                              struct haul_error *err)
{
    struct table_name name = {.name = "haul"};
    my_ledger_release(ledger);
    ledger->why = "--ledger none: what was committed is not remembered; rows arrive at least once";
    if (option && strcmp(option, "none") == 0)
        return HAUL_OK;
    if (option && table_name_parse(&my_dialect, option, &ledger->arena, &name, err))
        return error_prefix(err, "--ledger");
    name.schema = name.schema ? name.schema : schema;
    ledger->runs = table_name(ledger, &name, "runs", err);
    ledger->units = ledger->runs ? table_name(ledger, &name, "units", err) : NULL;
    if (ledger->units)
        return HAUL_OK;
    my_ledger_release(ledger);
    return err->code;
}

void my_ledger_release(struct ledger *ledger)
{
    arena_release(&ledger->arena);
    *ledger = (struct ledger){0};
}

/* A ledger that is not there remembers nothing. */
static enum haul_code exists(const struct ledger *ledger, struct connection *connection, bool *there,
                             struct haul_error *err)
{
    struct haul_error missing = {0};
    struct sql sql = {.dialect = &my_dialect};
    *there = false;
    if (!ledger->runs)
        return HAUL_OK;
    sql_add(&sql, "SELECT 1 FROM %s, %s LIMIT 0", ledger->runs, ledger->units);
    if (!finish_run(connection, &sql, &missing)) {
        *there = true;
        return HAUL_OK;
    }
    bool denied = missing.code == HAUL_PERMISSION;
    if (missing.code == HAUL_NOT_FOUND || denied)
        return HAUL_OK;
    *err = missing;
    return err->code;
}

enum haul_code my_ledger_create(const struct ledger *ledger, struct connection *connection,
                                struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    bool there;
    if (exists(ledger, connection, &there, err))
        return err->code;
    if (!ledger->runs || there)
        return HAUL_OK;
    sql_add(&sql, "CREATE TABLE IF NOT EXISTS %s%s", ledger->runs, RUNS_COLUMNS);
    if (!finish_run(connection, &sql, err)) {
        sql_add(&sql, "CREATE TABLE IF NOT EXISTS %s%s", ledger->units, UNITS_COLUMNS);
        if (!finish_run(connection, &sql, err))
            return HAUL_OK;
    }
    return error_prefix(err, "the ledger's tables (--ledger none does without)");
}

/* ---- runs ---- */

static enum haul_code fill_run(MYSQL_ROW row, struct arena *arena, struct ledger_run *out,
                               struct haul_error *err)
{
    *out = (struct ledger_run){.name = copy_text(arena, row, 0),
                               .target = copy_text(arena, row, 1),
                               .work = copy_text(arena, row, 2),
                               .work_id = copy_text(arena, row, 3),
                               .mode = copy_text(arena, row, 4),
                               .made = my_number(row, 5) != 0,
                               .finished = my_number(row, 6) != 0,
                               .fingerprint = copy_text(arena, row, 7)};
    bool complete = out->name && out->target && out->work && out->work_id && out->mode && out->fingerprint;
    return complete ? HAUL_OK : error_nomem(err, "the ledger");
}

enum haul_code my_ledger_find(const struct ledger *ledger, struct connection *connection,
                              const struct ledger_search *search, struct ledger_run *out, bool *found,
                              struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    MYSQL_RES *result = NULL;
    bool there;
    *found = false;
    if (exists(ledger, connection, &there, err))
        return err->code;
    if (!there)
        return HAUL_OK;
    sql_add(&sql, "SELECT name, target, work, work_id, mode, made, finished, fingerprint FROM %s WHERE %s = ",
            ledger->runs, search->name ? "name" : "target");
    sql_literal(&sql, search->name ? search->name : search->target);
    sql_add(&sql, search->name ? "" : " AND finished = 0 ORDER BY made DESC LIMIT 1");
    if (finish_ask(connection, &sql, &result, err))
        return err->code;
    MYSQL_ROW row = mysql_fetch_row(result);
    *found = row != NULL;
    enum haul_code code = row ? fill_run(row, search->arena, out, err) : HAUL_OK;
    mysql_free_result(result);
    return code;
}

static void add_values(struct sql *sql, const char *const *values, int count)
{
    for (int i = 0; i < count; i++) {
        sql_add(sql, i ? ", " : "");
        sql_literal(sql, values[i]);
    }
}

enum haul_code my_ledger_begin(const struct ledger *ledger, struct connection *connection,
                               const struct ledger_run *out, const char *plan, struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    const char *const values[] = {out->name, out->fingerprint, plan ? plan : "", out->target,
                                  out->work, out->work_id,     out->mode};
    if (!ledger->runs)
        return HAUL_OK;
    if (my_run(connection, "START TRANSACTION", err) || my_ledger_forget(ledger, connection, out->name, err))
        return err->code;
    sql_add(&sql, "INSERT INTO %s (name, fingerprint, plan, target, work, work_id, mode, made) VALUES (",
            ledger->runs);
    add_values(&sql, values, 7);
    sql_add(&sql, ", %d)", out->made);
    return finish_run(connection, &sql, err) ? err->code : my_run(connection, "COMMIT", err);
}

static enum haul_code delete_where(const char *table, const char *column, struct connection *connection,
                                   const char *name, struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    sql_add(&sql, "DELETE FROM %s WHERE %s = ", table, column);
    sql_literal(&sql, name);
    return finish_run(connection, &sql, err);
}

enum haul_code my_ledger_finish(const struct ledger *ledger, struct connection *connection, const char *name,
                                struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    if (!ledger->runs)
        return HAUL_OK;
    if (delete_where(ledger->units, "run", connection, name, err))
        return err->code;
    sql_add(&sql, "UPDATE %s SET finished = 1, ended = CURRENT_TIMESTAMP WHERE name = ", ledger->runs);
    sql_literal(&sql, name);
    return finish_run(connection, &sql, err);
}

enum haul_code my_ledger_forget(const struct ledger *ledger, struct connection *connection, const char *name,
                                struct haul_error *err)
{
    if (!ledger->runs)
        return HAUL_OK;
    if (delete_where(ledger->units, "run", connection, name, err))
        return err->code;
    return delete_where(ledger->runs, "name", connection, name, err);
}

enum haul_code my_ledger_rows(const struct ledger *ledger, struct connection *connection, const char *name,
                              int64_t *rows, struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    sql_add(&sql, "SELECT COALESCE(SUM(row_count), 0) FROM %s WHERE run = ", ledger->units);
    sql_literal(&sql, name);
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? my_ask_number(connection, text, rows, err) : err->code;
    sql_release(&sql);
    return code;
}

/* ---- receipts ---- */

static enum haul_code fill_receipt(MYSQL_ROW row, struct arena *arena, struct receipt *receipt,
                                   struct haul_error *err)
{
    *receipt = (struct receipt){.unit = {.part = (uint64_t)my_number(row, 0), .first_row = my_number(row, 1)},
                                .rows = my_number(row, 2),
                                .rows_offered = my_number(row, 3),
                                .last = my_number(row, 4) != 0,
                                .reject_count = my_number(row, 6),
                                .loss_count = my_number(row, 7),
                                .rejects = copy_text(arena, row, 8),
                                .text = copy_text(arena, row, 9)};
    if (!hash_parse(my_text(row, 5), &receipt->hash))
        return error_set(err, HAUL_INTEGRITY, "the ledger's row of part %llu, row %lld is damaged; --restart",
                         (unsigned long long)receipt->unit.part, (long long)receipt->unit.first_row);
    bool lost = (!receipt->rejects && row[8]) || (!receipt->text && row[9]);
    return lost ? error_nomem(err, "the ledger") : HAUL_OK;
}

static enum haul_code read_receipts(const struct ledger *ledger, struct connection *connection,
                                    struct run_record *record, struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    MYSQL_RES *result = NULL;
    sql_add(&sql, "SELECT " RECEIPT_COLUMNS " FROM %s WHERE run = ", ledger->units);
    sql_literal(&sql, record->name);
    sql_add(&sql, " ORDER BY part, first_row");
    if (finish_ask(connection, &sql, &result, err))
        return err->code;
    size_t count = (size_t)mysql_num_rows(result);
    struct receipt *receipts = arena_alloc_array(&record->arena, count + 1, sizeof *receipts);
    enum haul_code code = receipts ? HAUL_OK : error_nomem(err, "the ledger");
    for (size_t i = 0; i < count && !code; i++)
        code = fill_receipt(mysql_fetch_row(result), &record->arena, &receipts[i], err);
    mysql_free_result(result);
    record->receipts = receipts;
    record->receipt_count = code ? 0 : count;
    return code;
}

static enum haul_code read_plan(const struct ledger *ledger, struct connection *connection,
                                struct run_record *record, struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    MYSQL_RES *result = NULL;
    sql_add(&sql, "SELECT plan FROM %s WHERE name = ", ledger->runs);
    sql_literal(&sql, record->name);
    if (finish_ask(connection, &sql, &result, err))
        return err->code;
    MYSQL_ROW row = mysql_fetch_row(result);
    record->plan = arena_text(&record->arena, row ? my_text(row, 0) : "");
    mysql_free_result(result);
    return record->plan ? HAUL_OK : error_nomem(err, "the ledger");
}

enum haul_code my_ledger_recall(const struct ledger *ledger, struct connection *connection, const char *name,
                                struct run_record *record, bool *found, struct haul_error *err)
{
    struct ledger_run known = {0};
    const struct ledger_search search = {.name = name, .arena = &record->arena};
    if (my_ledger_find(ledger, connection, &search, &known, found, err))
        return err->code;
    if (!*found)
        return HAUL_OK;
    record->name = known.name;
    record->fingerprint = known.fingerprint;
    record->finished = known.finished;
    if (read_plan(ledger, connection, record, err))
        return err->code;
    return read_receipts(ledger, connection, record, err);
}

static void add_unit(struct sql *sql, const char *run, const struct unit *unit)
{
    sql_add(sql, " WHERE run = ");
    sql_literal(sql, run);
    sql_add(sql, " AND part = %lld AND first_row = %lld", (long long)unit->part, (long long)unit->first_row);
}

enum haul_code my_ledger_receipt(const struct ledger *ledger, struct connection *connection, const char *run,
                                 struct arena *arena, struct receipt *receipt, struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    MYSQL_RES *result = NULL;
    sql_add(&sql, "SELECT " RECEIPT_COLUMNS " FROM %s", ledger->units);
    add_unit(&sql, run, &receipt->unit);
    if (finish_ask(connection, &sql, &result, err))
        return err->code;
    MYSQL_ROW row = mysql_fetch_row(result);
    enum haul_code code =
        row ? fill_receipt(row, arena, receipt, err)
            : error_set(err, HAUL_CHANGED, "the ledger's row of part %llu went away; --restart begins anew",
                        (unsigned long long)receipt->unit.part);
    mysql_free_result(result);
    return code;
}

enum haul_code my_ledger_claim(const struct ledger *ledger, struct connection *connection, const char *run,
                               const struct unit *unit, enum unit_state *state, struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    *state = UNIT_MINE;
    if (!ledger->units)
        return HAUL_OK;
    sql_add(&sql, "INSERT INTO %s (run, part, first_row, session) VALUES (", ledger->units);
    sql_literal(&sql, run);
    sql_add(&sql, ", %lld, %lld, CONNECTION_ID())", (long long)unit->part, (long long)unit->first_row);
    if (!finish_run(connection, &sql, err))
        return HAUL_OK;
    if (err->vendor_code == ERROR_DUPLICATE)
        *state = UNIT_DONE;
    else if (err->vendor_code == ERROR_LOCK_WAIT)
        *state = UNIT_BUSY;
    else
        return err->code;
    *err = (struct haul_error){0};
    return HAUL_OK;
}

/* Its row is not committed: it can be seen by a dirty read alone. */
enum haul_code my_ledger_evict(const struct ledger *ledger, struct connection *connection, const char *run,
                               const struct unit *unit, struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    char text[64];
    int64_t holder = 0;
    sql_add(&sql, "SELECT session FROM %s", ledger->units);
    add_unit(&sql, run, unit);
    sql_add(&sql, " AND session <> CONNECTION_ID()");
    const char *ask = sql_text(&sql, err);
    enum haul_code code =
        ask ? my_run(connection, "SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED", err) : err->code;
    if (!code)
        code = my_ask_number(connection, ask, &holder, err);
    sql_release(&sql);
    if (code || holder <= 0)
        return code;
    snprintf(text, sizeof text, "KILL %lld", (long long)holder);
    return my_run(connection, text, err);
}

enum haul_code my_ledger_settle(const struct ledger *ledger, struct connection *connection, const char *run,
                                const struct receipt *receipt, struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    char hash[HASH_TEXT_BYTES];
    if (!ledger->units)
        return HAUL_OK;
    hash_print(receipt->hash, hash);
    sql_add(&sql,
            "UPDATE %s SET row_count = %lld, rows_offered = %lld, is_last = %d, reject_count = %lld,"
            " loss_count = %lld, hash = ",
            ledger->units, (long long)receipt->rows, (long long)receipt->rows_offered, receipt->last,
            (long long)receipt->reject_count, (long long)receipt->loss_count);
    sql_literal(&sql, hash);
    sql_add(&sql, ", rejects = ");
    sql_literal(&sql, receipt->rejects);
    sql_add(&sql, ", note = ");
    sql_literal(&sql, receipt->text);
    add_unit(&sql, run, &receipt->unit);
    return finish_run(connection, &sql, err);
}
