/*
 * ledger.c: the ledger's tables and the statements on them.
 *
 * Names of columns are quoted, because some (rows, last, text) are words of one
 * database or another. A unit's row also notes the session that holds it, so
 * that a session whose client is gone can be found and ended. 64-bit part
 * numbers are kept as signed: a plan with more than 2^63 parts does not exist.
 *
 * Limits: recall holds a run's receipts in an arena of at most ARENA_BYTES_MAX.
 */
#include "database/ledger.h"

#include <string.h>

enum column_kind { KIND_NAME, KIND_TEXT, KIND_NUMBER, KIND_FLAG, KIND_TIME };

struct ledger_column {
    const char *name;
    enum column_kind kind;
    bool not_null;
};

static const struct ledger_column runs_columns[] = {
    {"name", KIND_NAME, true},    {"fingerprint", KIND_TEXT, true}, {"plan", KIND_TEXT, true},
    {"target", KIND_TEXT, true},  {"work", KIND_TEXT, true},        {"work_id", KIND_TEXT, true},
    {"mode", KIND_TEXT, true},    {"made", KIND_FLAG, true},        {"finished", KIND_FLAG, true},
    {"started", KIND_TIME, true}, {"ended", KIND_TIME, false},      {"layout", KIND_NUMBER, true},
};

static const struct ledger_column units_columns[] = {
    {"run", KIND_NAME, true},           {"part", KIND_NUMBER, true},   {"first_row", KIND_NUMBER, true},
    {"session", KIND_NUMBER, false},    {"rows", KIND_NUMBER, false},  {"rows_offered", KIND_NUMBER, false},
    {"last", KIND_FLAG, false},         {"hash", KIND_TEXT, false},    {"reject_count", KIND_NUMBER, false},
    {"loss_count", KIND_NUMBER, false}, {"rejects", KIND_TEXT, false}, {"text", KIND_TEXT, false},
};

/* Of both tables. Whoever changes what their columns are or mean takes the next number; the column `layout`
 * stays. */
#define LEDGER_LAYOUT 1

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

/* Of a run: what ledger_begin writes; without the plan what ledger_find reads. */
static const char *const run_names[] = {"name",    "fingerprint", "target", "work",
                                        "work_id", "mode",        "made",   "finished"};
static const char *const receipt_names[] = {"part", "first_row",    "rows",       "rows_offered", "last",
                                            "hash", "reject_count", "loss_count", "rejects",      "text"};

static void add_names(struct sql *sql, const char *const *names, int count)
{
    for (int i = 0; i < count; i++) {
        sql_add(sql, i ? ", " : "");
        sql_name(sql, names[i]);
    }
}

/* "COLUMN = 'VALUE'" */
static void add_equal(struct sql *sql, const char *column, const char *value)
{
    sql_name(sql, column);
    sql_add(sql, " = ");
    sql_literal(sql, value);
}

void ledger_add_unit(struct sql *sql, const char *run, const struct unit *unit)
{
    sql_add(sql, " WHERE ");
    add_equal(sql, "run", run);
    sql_add(sql, " AND part = %lld AND first_row = %lld", (long long)unit->part, (long long)unit->first_row);
}

/* ---- names ---- */

static const char *name_table(struct ledger *ledger, const char *stem, const char *tail,
                              struct haul_error *err)
{
    struct sql sql = {.dialect = ledger->engine->dialect};
    const char *plain = arena_printf(&ledger->arena, "%s_%s", stem, tail);
    if (!plain) {
        error_nomem(err, "the ledger's names");
        return NULL;
    }
    sql_table(&sql, ledger->schema, plain);
    return sql_keep(&sql, &ledger->arena, err);
}

enum haul_code ledger_init(struct ledger *ledger, const struct engine *engine, const char *option,
                           const char *schema, struct haul_error *err)
{
    struct table_name name = {.name = "haul"};
    ledger_release(ledger);
    ledger->engine = engine;
    ledger->why = "--ledger none: what was committed is not remembered; rows arrive at least once";
    if (option && strcmp(option, "none") == 0)
        return HAUL_OK;
    if (option && table_name_parse(engine->dialect, option, &ledger->arena, &name, err))
        return error_prefix(err, "--ledger");
    ledger->schema = arena_text(&ledger->arena, name.schema ? name.schema : schema);
    if (!ledger->schema && schema)
        return error_nomem(err, "the ledger's names");
    const char *runs = name_table(ledger, name.name, "runs", err);
    ledger->units = runs ? name_table(ledger, name.name, "units", err) : NULL;
    ledger->runs = ledger->units ? runs : NULL;
    return ledger->runs ? HAUL_OK : err->code;
}

void ledger_release(struct ledger *ledger)
{
    arena_release(&ledger->arena);
    *ledger = (struct ledger){0};
}

/* ---- tables ---- */

static enum haul_code exists(const struct ledger *ledger, void *connection, bool *there,
                             struct haul_error *err)
{
    *there = false;
    return ledger->runs ? ledger->engine->ledger_exists(connection, ledger->runs, ledger->units, there, err)
                        : HAUL_OK;
}

static enum haul_code ask_runs(const struct ledger *ledger, void *connection, const char *what,
                               int64_t *value, struct haul_error *err)
{
    struct sql sql = {.dialect = ledger->engine->dialect};
    sql_add(&sql, "SELECT %s FROM %s", what, ledger->runs);
    return engine_ask_number(ledger->engine, connection, &sql, value, err);
}

/* Each run's row says in which layout it is written. Tables that can be read and have no such column are
 * those of a haul that had none. */
static enum haul_code check_layout(const struct ledger *ledger, void *connection, struct haul_error *err)
{
    struct haul_error unread = {0};
    int64_t layout = 0, count;
    if (ask_runs(ledger, connection, "COALESCE(MAX(layout), 0)", &layout, err)) {
        bool refused = err->code == HAUL_NOT_FOUND || err->code == HAUL_DATA; /* SQLite: a bad statement */
        bool older = refused && !ask_runs(ledger, connection, ledger->engine->count, &count, &unread);
        return older
                   ? error_set(err, HAUL_CHANGED,
                               "the ledger %s is of an older haul, which did not number its layout; this one "
                               "knows layout %d. Let that haul finish what is unfinished and drop both "
                               "tables, or keep another ledger with --ledger NAME",
                               ledger->runs, LEDGER_LAYOUT)
                   : err->code;
    }
    if (layout <= LEDGER_LAYOUT)
        return HAUL_OK;
    return error_set(
        err, HAUL_CHANGED,
        "the ledger %s is of a newer haul: its layout is %lld, this one knows %d. Use that haul, "
        "or keep another ledger with --ledger NAME",
        ledger->runs, (long long)layout, LEDGER_LAYOUT);
}

static void add_column(const struct engine *engine, const struct ledger_column *column, struct sql *sql)
{
    const char *const types[] = {[KIND_NAME] = engine->name_type,
                                 [KIND_TEXT] = engine->text_type,
                                 [KIND_NUMBER] = engine->number_type,
                                 [KIND_FLAG] = engine->flag_type,
                                 [KIND_TIME] = engine->time_type};
    sql_name(sql, column->name);
    sql_add(sql, " %s%s", types[column->kind], column->not_null ? " NOT NULL" : " NULL");
    if (column->kind == KIND_TIME && column->not_null)
        sql_add(sql, " DEFAULT CURRENT_TIMESTAMP");
}

static enum haul_code create(const struct engine *engine, void *connection, const char *table, bool of_runs,
                             struct haul_error *err)
{
    const struct ledger_column *columns = of_runs ? runs_columns : units_columns;
    int count = of_runs ? COUNT(runs_columns) : COUNT(units_columns);
    struct sql sql = {.dialect = engine->dialect};
    sql_add(&sql, "%s%s (", engine->make_ledger, table);
    for (int i = 0; i < count; i++) {
        add_column(engine, &columns[i], &sql);
        sql_add(&sql, ", ");
    }
    sql_add(&sql, "PRIMARY KEY (%s))%s", of_runs ? "name" : "run, part, first_row", engine->ledger_tail);
    return engine_run(engine, connection, &sql, NULL, err);
}

enum haul_code ledger_create(const struct ledger *ledger, void *connection, struct haul_error *err)
{
    bool there;
    if (exists(ledger, connection, &there, err))
        return err->code;
    if (!ledger->runs || there)
        return HAUL_OK;
    if (create(ledger->engine, connection, ledger->runs, true, err) ||
        create(ledger->engine, connection, ledger->units, false, err))
        return error_prefix(err, "the ledger's tables (--ledger none does without)");
    return HAUL_OK;
}

/* ---- runs ---- */

static const char *copy_cell(struct arena *arena, const struct answer *answer, size_t row, int column)
{
    return arena_text(arena, answer_cell(answer, row, column));
}

static enum haul_code fill_run(const struct answer *answer, struct arena *arena, struct ledger_run *out,
                               struct haul_error *err)
{
    *out = (struct ledger_run){.name = copy_cell(arena, answer, 0, 0),
                               .fingerprint = copy_cell(arena, answer, 0, 1),
                               .target = copy_cell(arena, answer, 0, 2),
                               .work = copy_cell(arena, answer, 0, 3),
                               .work_id = copy_cell(arena, answer, 0, 4),
                               .mode = copy_cell(arena, answer, 0, 5),
                               .made = answer_yes(answer, 0, 6),
                               .finished = answer_yes(answer, 0, 7)};
    bool complete = out->name && out->target && out->work && out->work_id && out->mode && out->fingerprint;
    return complete ? HAUL_OK : error_nomem(err, "the ledger");
}

enum haul_code ledger_find(const struct ledger *ledger, void *connection, const struct ledger_search *search,
                           struct ledger_run *run, bool *found, struct haul_error *err)
{
    const struct engine *engine = ledger->engine;
    struct sql sql = {.dialect = engine ? engine->dialect : NULL};
    struct answer answer;
    bool there;
    *found = false;
    if (exists(ledger, connection, &there, err))
        return err->code;
    if (!there)
        return HAUL_OK;
    sql_add(&sql, "SELECT ");
    add_names(&sql, run_names, COUNT(run_names));
    sql_add(&sql, " FROM %s WHERE ", ledger->runs);
    add_equal(&sql, search->name ? "name" : "target", search->name ? search->name : search->target);
    if (!search->name)
        sql_add(&sql, "%s AND finished = %s ORDER BY made DESC", engine->same_table, engine->no);
    enum haul_code code = engine_ask(engine, connection, &sql, &answer, err);
    *found = !code && answer_rows(&answer) > 0;
    if (*found)
        code = fill_run(&answer, search->arena, run, err);
    answer_release(&answer);
    return code;
}

enum haul_code ledger_begin(const struct ledger *ledger, void *connection, const struct ledger_run *run,
                            const char *plan, struct haul_error *err)
{
    struct sql sql = {.dialect = ledger->engine->dialect};
    const char *const values[] = {run->name, run->fingerprint, run->target,
                                  run->work, run->work_id,     run->mode};
    if (!ledger->runs)
        return HAUL_OK;
    if (ledger_forget(ledger, connection, run->name, err))
        return err->code;
    sql_add(&sql, "INSERT INTO %s (", ledger->runs);
    add_names(&sql, run_names, COUNT(run_names));
    sql_add(&sql, ", ");
    sql_name(&sql, "plan");
    sql_add(&sql, ", ");
    sql_name(&sql, "layout");
    sql_add(&sql, ") VALUES (");
    for (int i = 0; i < COUNT(values); i++) {
        sql_literal(&sql, values[i]);
        sql_add(&sql, ", ");
    }
    sql_add(&sql, "%s, %s, ", run->made ? ledger->engine->yes : ledger->engine->no, ledger->engine->no);
    sql_literal(&sql, plan ? plan : "");
    sql_add(&sql, ", %d)", LEDGER_LAYOUT);
    return engine_run(ledger->engine, connection, &sql, NULL, err);
}

static enum haul_code delete_where(const struct ledger *ledger, void *connection, bool of_runs,
                                   const char *name, struct haul_error *err)
{
    struct sql sql = {.dialect = ledger->engine->dialect};
    sql_add(&sql, "DELETE FROM %s WHERE ", of_runs ? ledger->runs : ledger->units);
    add_equal(&sql, of_runs ? "name" : "run", name);
    return engine_run(ledger->engine, connection, &sql, NULL, err);
}

enum haul_code ledger_finish(const struct ledger *ledger, void *connection, const char *name,
                             struct haul_error *err)
{
    struct sql sql = {.dialect = ledger->engine->dialect};
    if (!ledger->runs)
        return HAUL_OK;
    if (delete_where(ledger, connection, false, name, err))
        return err->code;
    sql_add(&sql, "UPDATE %s SET finished = %s, ended = CURRENT_TIMESTAMP WHERE ", ledger->runs,
            ledger->engine->yes);
    add_equal(&sql, "name", name);
    return engine_run(ledger->engine, connection, &sql, NULL, err);
}

enum haul_code ledger_forget(const struct ledger *ledger, void *connection, const char *name,
                             struct haul_error *err)
{
    if (!ledger->runs)
        return HAUL_OK;
    if (delete_where(ledger, connection, false, name, err))
        return err->code;
    return delete_where(ledger, connection, true, name, err);
}

enum haul_code ledger_rows(const struct ledger *ledger, void *connection, const char *name, int64_t *rows,
                           struct haul_error *err)
{
    struct sql sql = {.dialect = ledger->engine->dialect};
    sql_add(&sql, "SELECT COALESCE(SUM(");
    sql_name(&sql, "rows");
    sql_add(&sql, "), 0) FROM %s WHERE ", ledger->units);
    add_equal(&sql, "run", name);
    return engine_ask_number(ledger->engine, connection, &sql, rows, err);
}

enum haul_code ledger_drop_claims(const struct ledger *ledger, void *connection, const char *name,
                                  int64_t *dropped, struct haul_error *err)
{
    struct sql sql = {.dialect = ledger->engine->dialect};
    sql_add(&sql, "DELETE FROM %s WHERE ", ledger->units);
    add_equal(&sql, "run", name);
    sql_add(&sql, " AND ");
    sql_name(&sql, "hash");
    sql_add(&sql, " IS NULL");
    return engine_run(ledger->engine, connection, &sql, dropped, err);
}

/* ---- receipts ---- */

static enum haul_code fill_receipt(const struct answer *answer, size_t row, struct arena *arena,
                                   struct receipt *receipt, struct haul_error *err)
{
    const struct unit unit = {.part = (uint64_t)answer_number(answer, row, 0),
                              .first_row = answer_number(answer, row, 1)};
    *receipt = (struct receipt){.unit = unit,
                                .rows = answer_number(answer, row, 2),
                                .rows_offered = answer_number(answer, row, 3),
                                .last = answer_yes(answer, row, 4),
                                .reject_count = answer_number(answer, row, 6),
                                .loss_count = answer_number(answer, row, 7),
                                .rejects = copy_cell(arena, answer, row, 8),
                                .text = copy_cell(arena, answer, row, 9)};
    if (!hash_parse(answer_text(answer, row, 5), &receipt->hash))
        return error_set(
            err, HAUL_INTEGRITY,
            "the ledger's row of part %llu, row %lld holds no receipt: it was not committed with "
            "its unit, or was changed; run the same command again",
            (unsigned long long)unit.part, (long long)unit.first_row);
    bool lost =
        (!receipt->rejects && answer_cell(answer, row, 8)) || (!receipt->text && answer_cell(answer, row, 9));
    return lost ? error_nomem(err, "the ledger") : HAUL_OK;
}

static void add_select(const struct ledger *ledger, struct sql *sql)
{
    sql_add(sql, "SELECT ");
    add_names(sql, receipt_names, COUNT(receipt_names));
    sql_add(sql, " FROM %s", ledger->units);
}

static enum haul_code read_receipts(const struct ledger *ledger, void *connection, struct run_record *record,
                                    struct haul_error *err)
{
    struct sql sql = {.dialect = ledger->engine->dialect};
    struct answer answer;
    add_select(ledger, &sql);
    sql_add(&sql, " WHERE ");
    add_equal(&sql, "run", record->name);
    sql_add(&sql, " ORDER BY part, first_row");
    enum haul_code code = engine_ask(ledger->engine, connection, &sql, &answer, err);
    size_t count = answer_rows(&answer);
    size_t filled = 0;
    struct receipt *receipts = arena_alloc_array(&record->arena, count + 1, sizeof *receipts);
    if (!code && !receipts)
        code = error_nomem(err, "the ledger");
    for (size_t i = 0; i < count && !code; i++) {
        code = fill_receipt(&answer, i, &record->arena, &receipts[filled], err);
        if (code == HAUL_INTEGRITY) {
            if (record->unsettled++ == 0)
                record->unsettled_unit = receipts[filled].unit;
            *err = (struct haul_error){0};
            code = HAUL_OK;
        } else {
            filled++;
        }
    }
    answer_release(&answer);
    record->receipts = receipts;
    record->receipt_count = code ? 0 : filled;
    return code;
}

static enum haul_code read_plan(const struct ledger *ledger, void *connection, struct run_record *record,
                                struct haul_error *err)
{
    struct sql sql = {.dialect = ledger->engine->dialect};
    struct answer answer;
    sql_add(&sql, "SELECT ");
    sql_name(&sql, "plan");
    sql_add(&sql, " FROM %s WHERE ", ledger->runs);
    add_equal(&sql, "name", record->name);
    enum haul_code code = engine_ask(ledger->engine, connection, &sql, &answer, err);
    record->plan =
        arena_text(&record->arena, !code && answer_rows(&answer) ? answer_text(&answer, 0, 0) : "");
    answer_release(&answer);
    return code || record->plan ? code : error_nomem(err, "the ledger");
}

enum haul_code ledger_recall(const struct ledger *ledger, void *connection, const char *name,
                             struct run_record *record, bool *found, struct haul_error *err)
{
    struct ledger_run known = {0};
    const struct ledger_search search = {.name = name, .arena = &record->arena};
    bool there;
    *found = false;
    if (exists(ledger, connection, &there, err) || (there && check_layout(ledger, connection, err)))
        return err->code;
    if (ledger_find(ledger, connection, &search, &known, found, err))
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

enum haul_code ledger_receipt(const struct ledger *ledger, void *connection, const char *run,
                              struct arena *arena, struct receipt *receipt, struct haul_error *err)
{
    struct sql sql = {.dialect = ledger->engine->dialect};
    const struct unit unit = receipt->unit;
    struct answer answer;
    add_select(ledger, &sql);
    ledger_add_unit(&sql, run, &unit);
    enum haul_code code = engine_ask(ledger->engine, connection, &sql, &answer, err);
    if (!code && answer_rows(&answer) == 0)
        code = error_set(err, HAUL_CHANGED,
                         "the ledger's row of part %llu, row %lld went away; --restart begins anew",
                         (unsigned long long)unit.part, (long long)unit.first_row);
    if (!code)
        code = fill_receipt(&answer, 0, arena, receipt, err);
    answer_release(&answer);
    receipt->unit.parts = unit.parts;
    return code;
}

/* ---- units ---- */

enum haul_code ledger_claim(const struct ledger *ledger, void *connection, const char *run,
                            const struct unit *unit, enum unit_state *state, struct haul_error *err)
{
    const struct engine *engine = ledger->engine;
    struct sql sql = {.dialect = engine->dialect};
    *state = UNIT_MINE;
    if (!ledger->units)
        return HAUL_OK;
    sql_add(&sql, "INSERT INTO %s (run, part, first_row, session) VALUES (", ledger->units);
    sql_literal(&sql, run);
    sql_add(&sql, ", %lld, %lld, %s)", (long long)unit->part, (long long)unit->first_row, engine->session_id);
    if (!engine_run(engine, connection, &sql, NULL, err))
        return HAUL_OK;
    *state = engine->claim_failed(err);
    if (*state == UNIT_MINE)
        return err->code;
    *err = (struct haul_error){0};
    return HAUL_OK;
}

enum haul_code ledger_settle(const struct ledger *ledger, void *connection, const char *run,
                             const struct receipt *receipt, struct haul_error *err)
{
    const struct engine *engine = ledger->engine;
    struct sql sql = {.dialect = engine->dialect};
    char hash[HASH_TEXT_BYTES];
    int64_t changed = 0;
    if (!ledger->units)
        return HAUL_OK;
    hash_print(receipt->hash, hash);
    sql_add(&sql, "UPDATE %s SET rows_offered = %lld, reject_count = %lld, loss_count = %lld, ",
            ledger->units, (long long)receipt->rows_offered, (long long)receipt->reject_count,
            (long long)receipt->loss_count);
    sql_name(&sql, "rows");
    sql_add(&sql, " = %lld, ", (long long)receipt->rows);
    sql_name(&sql, "last");
    sql_add(&sql, " = %s, ", receipt->last ? engine->yes : engine->no);
    add_equal(&sql, "hash", hash);
    sql_add(&sql, ", ");
    add_equal(&sql, "rejects", receipt->rejects);
    sql_add(&sql, ", ");
    add_equal(&sql, "text", receipt->text);
    ledger_add_unit(&sql, run, &receipt->unit);
    if (engine_run(engine, connection, &sql, &changed, err))
        return err->code;
    if (changed == 1)
        return HAUL_OK;
    return error_set(err, HAUL_INTEGRITY,
                     "the ledger's row of part %llu, row %lld is not there any more: the unit is taken back",
                     (unsigned long long)receipt->unit.part, (long long)receipt->unit.first_row);
}
