/*
 * ledger.c: the ledger's tables and the statements on them.
 *
 * Both are logged tables: after a crash of the server they are as old as the
 * rows they speak of. A run keeps the oid of the table it works on, so that one
 * that was dropped and made again is noticed.
 *
 * Limits: recall holds a run's receipts in an arena of at most ARENA_BYTES_MAX.
 */
#include "database/postgres/ledger.h"

#include <stdio.h>
#include <string.h>

#define RUNS_COLUMNS                                                                                         \
    " (name text PRIMARY KEY, fingerprint text NOT NULL, plan text NOT NULL, target text NOT NULL,"          \
    " work text NOT NULL, work_oid oid NOT NULL, mode text NOT NULL, made boolean NOT NULL,"                 \
    " finished boolean NOT NULL DEFAULT false, started timestamptz NOT NULL DEFAULT pg_catalog.now(),"       \
    " ended timestamptz)"

#define UNITS_COLUMNS                                                                                        \
    " (run text NOT NULL, part bigint NOT NULL, first_row bigint NOT NULL, rows bigint, rows_offered "       \
    "bigint,"                                                                                                \
    " last boolean, hash text, reject_count bigint, loss_count bigint, rejects text, text text,"             \
    " PRIMARY KEY (run, part, first_row))"

#define RECEIPT_COLUMNS                                                                                      \
    "part, first_row, rows, rows_offered, last, hash, reject_count, loss_count, rejects, text"

#define NUMBER_BYTES 24

/* ---- statements: before, table, after; then texts in order ---- */

struct statement {
    const char *before, *table, *after;
};

static enum haul_code ask(struct connection *connection, const struct statement *statement,
                          const struct pg_values *values, PGresult **result, struct haul_error *err)
{
    struct sql sql = {.dialect = &pg_dialect};
    sql_add(&sql, "%s%s%s", statement->before, statement->table, statement->after);
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? pg_ask(connection, text, values, result, err) : err->code;
    sql_release(&sql);
    return code;
}

static enum haul_code run(struct connection *connection, const struct statement *statement,
                          const struct pg_values *values, struct haul_error *err)
{
    PGresult *result = NULL;
    enum haul_code code = ask(connection, statement, values, &result, err);
    PQclear(result);
    return code;
}

static const char *copy_text(struct arena *arena, const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column) ? NULL : arena_text(arena, pg_text(result, row, column));
}

/* ---- names and rights ---- */

static const char *table_name(struct ledger *ledger, const char *tail, struct haul_error *err)
{
    struct sql sql = {.dialect = &pg_dialect};
    const char *plain = arena_printf(&ledger->arena, "%s_%s", ledger->stem, tail), *name = NULL;
    if (plain)
        sql_table(&sql, ledger->schema, plain);
    const char *text = plain ? sql_text(&sql, err) : NULL;
    if (text)
        name = arena_text(&ledger->arena, text);
    if (!plain || (text && !name))
        error_nomem(err, "the ledger's names");
    sql_release(&sql);
    return name;
}

/* Are the tables ours to use, or can they be made? */
static enum haul_code check_rights(struct ledger *ledger, struct connection *connection,
                                   struct haul_error *err)
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
    if (!pg_true(result, 0, 0)) {
        ledger->why = arena_printf(&ledger->arena,
                                   "no right to keep %s and %s (grant CREATE on schema %s, or name another "
                                   "with --ledger schema.name)",
                                   ledger->runs, ledger->units, ledger->schema);
        ledger->runs = ledger->units = NULL;
    }
    PQclear(result);
    return ledger->runs || ledger->why ? HAUL_OK : error_nomem(err, "the ledger");
}

enum haul_code pg_ledger_init(struct ledger *ledger, struct connection *connection, const char *option,
                              const char *schema, struct haul_error *err)
{
    struct table_name name = {.name = "haul"};
    pg_ledger_release(ledger);
    ledger->why = "--ledger none: what was committed is not remembered";
    if (option && strcmp(option, "none") == 0)
        return HAUL_OK;
    if (option && table_name_parse(&pg_dialect, option, &ledger->arena, &name, err))
        return error_prefix(err, "--ledger");
    ledger->schema = arena_text(&ledger->arena, name.schema ? name.schema : schema);
    ledger->stem = name.name;
    if (!ledger->schema)
        return error_nomem(err, "the ledger's names");
    ledger->runs = table_name(ledger, "runs", err);
    ledger->units = ledger->runs ? table_name(ledger, "units", err) : NULL;
    if (!ledger->units)
        return err->code;
    return check_rights(ledger, connection, err);
}

void pg_ledger_release(struct ledger *ledger)
{
    arena_release(&ledger->arena);
    *ledger = (struct ledger){0};
}

static enum haul_code exists(const struct ledger *ledger, struct connection *connection, bool *there,
                             struct haul_error *err)
{
    PGresult *result = NULL;
    *there = false;
    if (!ledger->runs)
        return HAUL_OK;
    const char *const texts[] = {ledger->runs, ledger->units};
    if (pg_ask(connection,
               "SELECT pg_catalog.to_regclass($1) IS NOT NULL AND pg_catalog.to_regclass($2) IS NOT NULL",
               &(struct pg_values){2, texts}, &result, err))
        return err->code;
    *there = pg_true(result, 0, 0);
    PQclear(result);
    return HAUL_OK;
}

enum haul_code pg_ledger_create(const struct ledger *ledger, struct connection *connection,
                                struct haul_error *err)
{
    bool there;
    if (exists(ledger, connection, &there, err))
        return err->code;
    if (!ledger->runs || there)
        return HAUL_OK;
    const struct statement runs = {"CREATE TABLE IF NOT EXISTS ", ledger->runs, RUNS_COLUMNS};
    const struct statement units = {"CREATE TABLE IF NOT EXISTS ", ledger->units, UNITS_COLUMNS};
    if (run(connection, &runs, NULL, err) || run(connection, &units, NULL, err))
        return error_prefix(err, "the ledger's tables");
    return HAUL_OK;
}

/* ---- runs ---- */

static enum haul_code fill_run(const PGresult *result, struct arena *arena, struct ledger_run *out,
                               struct haul_error *err)
{
    *out = (struct ledger_run){.name = copy_text(arena, result, 0, 0),
                               .target = copy_text(arena, result, 0, 1),
                               .work = copy_text(arena, result, 0, 2),
                               .work_oid = copy_text(arena, result, 0, 3),
                               .mode = copy_text(arena, result, 0, 4),
                               .made = pg_true(result, 0, 5),
                               .finished = pg_true(result, 0, 6),
                               .fingerprint = copy_text(arena, result, 0, 7)};
    bool complete = out->name && out->target && out->work && out->work_oid && out->mode && out->fingerprint;
    return complete ? HAUL_OK : error_nomem(err, "the ledger");
}

enum haul_code pg_ledger_find(const struct ledger *ledger, struct connection *connection,
                              const struct ledger_search *search, struct ledger_run *out, bool *found,
                              struct haul_error *err)
{
    const struct statement by_name = {
        "SELECT name, target, work, work_oid, mode, made, finished, fingerprint FROM ", ledger->runs,
        " WHERE name = $1"};
    const struct statement by_target = {by_name.before, ledger->runs,
                                        " WHERE target = $1 AND NOT finished ORDER BY made DESC LIMIT 1"};
    PGresult *result = NULL;
    *found = false;
    bool there;
    if (exists(ledger, connection, &there, err))
        return err->code;
    if (!there)
        return HAUL_OK;
    const char *const texts[] = {search->name ? search->name : search->target};
    if (ask(connection, search->name ? &by_name : &by_target, &(struct pg_values){1, texts}, &result, err))
        return err->code;
    *found = PQntuples(result) > 0;
    enum haul_code code = *found ? fill_run(result, search->arena, out, err) : HAUL_OK;
    PQclear(result);
    return code;
}

enum haul_code pg_ledger_begin(const struct ledger *ledger, struct connection *connection,
                               const struct ledger_run *out, const char *plan, struct haul_error *err)
{
    const struct statement insert = {
        "INSERT INTO ", ledger->runs,
        " (name, fingerprint, plan, target, work, work_oid, mode, made)"
        " VALUES ($1, $2, $3, $4, $5, $6::pg_catalog.oid, $7, $8::pg_catalog.bool)"};
    const char *const texts[] = {out->name, out->fingerprint, plan ? plan : "", out->target,
                                 out->work, out->work_oid,    out->mode,        out->made ? "t" : "f"};
    if (!ledger->runs)
        return HAUL_OK;
    if (pg_ledger_forget(ledger, connection, out->name, err))
        return err->code;
    return run(connection, &insert, &(struct pg_values){8, texts}, err);
}

static enum haul_code delete_units(const struct ledger *ledger, struct connection *connection,
                                   const char *name, struct haul_error *err)
{
    const struct statement units = {"DELETE FROM ", ledger->units, " WHERE run = $1"};
    return run(connection, &units, &(struct pg_values){1, &name}, err);
}

enum haul_code pg_ledger_finish(const struct ledger *ledger, struct connection *connection, const char *name,
                                struct haul_error *err)
{
    const struct statement finished = {"UPDATE ", ledger->runs,
                                       " SET finished = true, ended = pg_catalog.now() WHERE name = $1"};
    if (!ledger->runs)
        return HAUL_OK;
    if (delete_units(ledger, connection, name, err))
        return err->code;
    return run(connection, &finished, &(struct pg_values){1, &name}, err);
}

enum haul_code pg_ledger_forget(const struct ledger *ledger, struct connection *connection, const char *name,
                                struct haul_error *err)
{
    const struct statement runs = {"DELETE FROM ", ledger->runs, " WHERE name = $1"};
    if (!ledger->runs)
        return HAUL_OK;
    if (delete_units(ledger, connection, name, err))
        return err->code;
    return run(connection, &runs, &(struct pg_values){1, &name}, err);
}

enum haul_code pg_ledger_rows(const struct ledger *ledger, struct connection *connection, const char *name,
                              int64_t *rows, struct haul_error *err)
{
    const struct statement sum = {"SELECT coalesce(sum(rows), 0) FROM ", ledger->units, " WHERE run = $1"};
    PGresult *result = NULL;
    if (ask(connection, &sum, &(struct pg_values){1, &name}, &result, err))
        return err->code;
    *rows = pg_number(result, 0, 0);
    PQclear(result);
    return HAUL_OK;
}

/* ---- receipts ---- */

static enum haul_code fill_receipt(const PGresult *result, int row, struct arena *arena,
                                   struct receipt *receipt, struct haul_error *err)
{
    *receipt = (struct receipt){
        .unit = {.part = (uint64_t)pg_number(result, row, 0), .first_row = pg_number(result, row, 1)},
        .rows = pg_number(result, row, 2),
        .rows_offered = pg_number(result, row, 3),
        .last = pg_true(result, row, 4),
        .reject_count = pg_number(result, row, 6),
        .loss_count = pg_number(result, row, 7),
        .rejects = copy_text(arena, result, row, 8),
        .text = copy_text(arena, result, row, 9)};
    if (!hash_parse(pg_text(result, row, 5), &receipt->hash))
        return error_set(err, HAUL_INTEGRITY, "the ledger's row of part %llu, row %lld is damaged; --restart",
                         (unsigned long long)receipt->unit.part, (long long)receipt->unit.first_row);
    bool lost = (!receipt->rejects && !PQgetisnull(result, row, 8)) ||
                (!receipt->text && !PQgetisnull(result, row, 9));
    return lost ? error_nomem(err, "the ledger") : HAUL_OK;
}

static enum haul_code read_receipts(const struct ledger *ledger, struct connection *connection,
                                    struct run_record *record, struct haul_error *err)
{
    const struct statement units = {"SELECT " RECEIPT_COLUMNS " FROM ", ledger->units,
                                    " WHERE run = $1 ORDER BY part, first_row"};
    PGresult *result = NULL;
    if (ask(connection, &units, &(struct pg_values){1, &record->name}, &result, err))
        return err->code;
    int count = PQntuples(result);
    struct receipt *receipts = arena_alloc_array(&record->arena, (size_t)count + 1, sizeof *receipts);
    enum haul_code code = receipts ? HAUL_OK : error_nomem(err, "the ledger");
    for (int i = 0; i < count && !code; i++)
        code = fill_receipt(result, i, &record->arena, &receipts[i], err);
    PQclear(result);
    record->receipts = receipts;
    record->receipt_count = code ? 0 : (size_t)count;
    return code;
}

static enum haul_code read_plan(const struct ledger *ledger, struct connection *connection,
                                struct run_record *record, struct haul_error *err)
{
    const struct statement plan = {"SELECT plan FROM ", ledger->runs, " WHERE name = $1"};
    PGresult *result = NULL;
    if (ask(connection, &plan, &(struct pg_values){1, &record->name}, &result, err))
        return err->code;
    record->plan = PQntuples(result) ? arena_text(&record->arena, pg_text(result, 0, 0)) : "";
    PQclear(result);
    return record->plan ? HAUL_OK : error_nomem(err, "the ledger");
}

enum haul_code pg_ledger_recall(const struct ledger *ledger, struct connection *connection, const char *name,
                                struct run_record *record, bool *found, struct haul_error *err)
{
    struct ledger_run known = {0};
    const struct ledger_search search = {.name = name, .arena = &record->arena};
    if (pg_ledger_find(ledger, connection, &search, &known, found, err))
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

/* ---- units ---- */

struct unit_texts {
    char part[NUMBER_BYTES], first_row[NUMBER_BYTES];
};

static void print_unit(const struct unit *unit, struct unit_texts *texts)
{
    snprintf(texts->part, NUMBER_BYTES, "%lld", (long long)unit->part);
    snprintf(texts->first_row, NUMBER_BYTES, "%lld", (long long)unit->first_row);
}

enum haul_code pg_ledger_receipt(const struct ledger *ledger, struct connection *connection, const char *name,
                                 struct arena *arena, struct receipt *receipt, struct haul_error *err)
{
    const struct statement select = {"SELECT " RECEIPT_COLUMNS " FROM ", ledger->units,
                                     " WHERE run = $1 AND part = $2::int8 AND first_row = $3::int8"};
    struct unit unit = receipt->unit;
    struct unit_texts places;
    PGresult *result = NULL;
    print_unit(&unit, &places);
    const char *const texts[] = {name, places.part, places.first_row};
    if (ask(connection, &select, &(struct pg_values){3, texts}, &result, err))
        return err->code;
    enum haul_code code =
        PQntuples(result) ? fill_receipt(result, 0, arena, receipt, err)
                          : error_set(err, HAUL_CHANGED, "the ledger's row of part %llu, row %lld went away",
                                      (unsigned long long)unit.part, (long long)unit.first_row);
    PQclear(result);
    receipt->unit.parts = unit.parts;
    return code;
}

enum haul_code pg_ledger_claim(const struct ledger *ledger, struct connection *connection, const char *name,
                               const struct unit *unit, enum unit_state *state, struct haul_error *err)
{
    const struct statement insert = {"INSERT INTO ", ledger->units,
                                     " (run, part, first_row) VALUES ($1, $2::int8, $3::int8)"};
    struct unit_texts places;
    *state = UNIT_MINE;
    if (!ledger->units)
        return HAUL_OK;
    print_unit(unit, &places);
    const char *const texts[] = {name, places.part, places.first_row};
    if (!run(connection, &insert, &(struct pg_values){3, texts}, err))
        return HAUL_OK;
    if (strcmp(err->sqlstate, "23505") == 0)
        *state = UNIT_DONE;
    else if (strcmp(err->sqlstate, "55P03") == 0)
        *state = UNIT_BUSY;
    else
        return err->code;
    *err = (struct haul_error){0};
    return HAUL_OK;
}

enum haul_code pg_ledger_settle(const struct ledger *ledger, struct connection *connection, const char *name,
                                const struct receipt *receipt, struct haul_error *err)
{
    const struct statement update = {
        "UPDATE ", ledger->units,
        " SET rows = $4::int8, rows_offered = $5::int8, last = $6::bool, hash = $7, reject_count = $8::int8,"
        " loss_count = $9::int8, rejects = $10, text = $11"
        " WHERE run = $1 AND part = $2::int8 AND first_row = $3::int8"};
    char hash[HASH_TEXT_BYTES], numbers[4][NUMBER_BYTES];
    const int64_t values[] = {receipt->rows, receipt->rows_offered, receipt->reject_count,
                              receipt->loss_count};
    struct unit_texts places;
    if (!ledger->units)
        return HAUL_OK;
    print_unit(&receipt->unit, &places);
    hash_print(receipt->hash, hash);
    for (int i = 0; i < 4; i++)
        snprintf(numbers[i], NUMBER_BYTES, "%lld", (long long)values[i]);
    const char *const texts[] = {
        name, places.part, places.first_row, numbers[0],       numbers[1],   receipt->last ? "t" : "f",
        hash, numbers[2],  numbers[3],       receipt->rejects, receipt->text};
    return run(connection, &update, &(struct pg_values){11, texts}, err);
}
