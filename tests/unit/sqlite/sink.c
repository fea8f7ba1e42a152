/* sink.c: units, the ledger, the run's lock, and what happens to a run that
 * dies, is continued, or is taken back. */
#include "loading.h"

#include "database/sqlite/sink.h"

#define COLUMNS "id:int64!,name:utf8"

static void loads_a_table(void **state)
{
    struct database *base = *state;
    struct loading load;
    loading_init(base, &load, SINK_CREATE, COLUMNS);
    assert_ok(base, loading_negotiate(base, &load));
    assert_string_equal(load.terms.identity, "");
    assert_int_equal(load.terms.writers_max, 1);
    assert_int_equal(load.terms.resumable, RESUME_REPLAY);
    assert_null(load.terms.state_home);
    assert_non_null(strstr(load.terms.sql, "CREATE TABLE \"t\" (\"id\" INTEGER NOT NULL, \"name\" TEXT)"));
    assert_false(path_exists(base->path));
    assert_ok(base, loading_recall(base, &load));
    assert_false(load.found);
    assert_false(path_exists(base->path));
    assert_ok(base, loading_prepare(base, &load));
    assert_ok(base, load_unit(base, &load, 0, 0, "1|one\n2|NULL\n"));
    assert_ok(base, load_unit(base, &load, 1, 0, "3|\n"));
    assert_rows(base, "SELECT part, first_row, rows, rows_offered, last, hash, text FROM haul_units",
                "0|0|2|2|1|00000000000000090000000000000007|rowid 1..2\n"
                "1|0|1|1|1|00000000000000090000000000000007|rowid 3..3\n");
    assert_rows(base, "SELECT name, fingerprint, plan, target, work, made, finished FROM haul_runs",
                "r1|f1|{}|t|t|1|0\n");
    assert_ok(base, loading_finish(base, &load));
    assert_ok(base, loading_finish(base, &load));
    loading_release(&load);
    assert_rows(base, "SELECT * FROM t", "1|one\n2|NULL\n3|\n");
    assert_rows(base, "SELECT name, finished, ended IS NOT NULL FROM haul_runs", "r1|1|1\n");
    assert_rows(base, "SELECT count(*) FROM haul_units", "0\n");
}

static void a_unit_is_claimed_once(void **state)
{
    struct database *base = *state;
    struct loading load;
    struct writer *writer;
    enum unit_state unit_state;
    struct receipt receipt;
    loading_init(base, &load, SINK_CREATE, COLUMNS);
    assert_ok(base, loading_begin(base, &load));
    assert_ok(base, load_unit(base, &load, 3, 10, "1|one\n2|two\n"));
    assert_ok(base, unit_open(base, &load, 3, 10, &writer, &unit_state, &receipt));
    assert_int_equal(unit_state, UNIT_DONE);
    assert_int_equal(receipt.rows, 2);
    assert_int_equal(receipt.hash.low, 7);
    assert_int_equal(receipt.hash.high, 9);
    assert_true(receipt.last);
    assert_ok(base, unit_open(base, &load, 3, 11, &writer, &unit_state, &receipt));
    assert_int_equal(unit_state, UNIT_MINE);
    writer->ops->abort(writer);
    assert_rows(base, "SELECT count(*) FROM haul_units", "1\n");
    loading_release(&load);
}

static void an_aborted_unit_leaves_nothing(void **state)
{
    struct database *base = *state;
    struct loading load;
    struct writer *writer;
    enum unit_state unit_state;
    struct receipt receipt;
    int64_t offered;
    loading_init(base, &load, SINK_CREATE, COLUMNS);
    assert_ok(base, loading_begin(base, &load));
    assert_ok(base, unit_open(base, &load, 0, 0, &writer, &unit_state, &receipt));
    assert_ok(base, unit_write(base, &load, writer, 0, 0, "1|a\n", &offered));
    writer->ops->abort(writer);
    assert_rows(base, "SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM haul_units)", "0|0\n");
    assert_ok(base, load_unit(base, &load, 0, 0, "1|a\n"));
    assert_rows(base, "SELECT * FROM t", "1|a\n");
    loading_release(&load);
}

static void says_busy_when_another_writes(void **state)
{
    struct database *base = *state;
    struct loading load;
    struct writer *writer;
    enum unit_state unit_state;
    struct receipt receipt;
    sqlite3 *other;
    loading_init(base, &load, SINK_CREATE, COLUMNS);
    assert_ok(base, loading_begin(base, &load));
    assert_int_equal(sqlite3_open(base->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_ok(base, unit_open(base, &load, 0, 0, &writer, &unit_state, &receipt));
    assert_int_equal(unit_state, UNIT_BUSY);
    sqlite3_close(other);
    assert_ok(base, load_unit(base, &load, 0, 0, "1|a\n"));
    loading_release(&load);
}

static void a_count_that_differs_fails_the_unit(void **state)
{
    struct database *base = *state;
    struct loading load;
    struct writer *writer;
    enum unit_state unit_state;
    struct receipt receipt;
    int64_t offered;
    loading_init(base, &load, SINK_CREATE, COLUMNS);
    assert_ok(base, loading_begin(base, &load));
    assert_ok(base, unit_open(base, &load, 0, 0, &writer, &unit_state, &receipt));
    assert_ok(base, unit_write(base, &load, writer, 0, 0, "1|a\n", &offered));
    receipt.rows = 2;
    assert_int_equal(writer->ops->commit(writer, &receipt, &load.arena, &base->err), HAUL_INTEGRITY);
    writer->ops->abort(writer);
    assert_rows(base, "SELECT count(*) FROM t", "0\n");
    loading_release(&load);
}

/* ---- runs ---- */

static void a_dead_run_goes_on(void **state)
{
    struct database *base = *state;
    struct loading load;
    loading_init(base, &load, SINK_CREATE, COLUMNS);
    assert_ok(base, loading_begin(base, &load));
    assert_ok(base, load_unit(base, &load, 0, 0, "1|a\n2|b\n"));
    loading_release(&load);
    loading_init(base, &load, SINK_CREATE, COLUMNS);
    assert_ok(base, loading_negotiate(base, &load));
    assert_string_equal(load.terms.identity, "");
    assert_ok(base, loading_recall(base, &load));
    assert_true(load.found);
    assert_false(load.known.finished);
    assert_string_equal(load.known.plan, "{}");
    assert_string_equal(load.known.fingerprint, "f1");
    assert_int_equal(load.known.receipt_count, 1);
    assert_int_equal(load.known.receipts[0].rows, 2);
    assert_ok(base, loading_prepare(base, &load));
    assert_ok(base, load_unit(base, &load, 1, 0, "3|c\n"));
    assert_ok(base, loading_finish(base, &load));
    loading_release(&load);
    assert_rows(base, "SELECT * FROM t", "1|a\n2|b\n3|c\n");
}

static void a_finished_name_may_be_used_again(void **state)
{
    struct database *base = *state;
    struct loading load;
    load_all(base, SINK_CREATE, COLUMNS, "1|a\n");
    loading_init(base, &load, SINK_APPEND, COLUMNS);
    assert_ok(base, loading_negotiate(base, &load));
    assert_ok(base, loading_recall(base, &load));
    assert_true(load.found);
    assert_true(load.known.finished);
    load.known.receipt_count = 0;
    assert_ok(base, loading_prepare(base, &load));
    assert_ok(base, load_unit(base, &load, 0, 0, "2|b\n"));
    assert_ok(base, loading_finish(base, &load));
    loading_release(&load);
    assert_rows(base, "SELECT * FROM t", "1|a\n2|b\n");
}

static void one_run_of_a_name_at_a_time(void **state)
{
    struct database *base = *state;
    struct loading first, second;
    char lock[256];
    snprintf(lock, sizeof lock, "%s.haul-r1.lock", base->path);
    loading_init(base, &first, SINK_CREATE, COLUMNS);
    loading_init(base, &second, SINK_CREATE, COLUMNS);
    assert_ok(base, loading_begin(base, &first));
    assert_true(path_exists(lock));
    assert_ok(base, loading_negotiate(base, &second));
    assert_int_equal(loading_recall(base, &second), HAUL_BUSY);
    assert_says(base, "r1");
    loading_release(&first);
    assert_false(path_exists(lock));
    assert_ok(base, loading_recall(base, &second));
    loading_release(&second);
    assert_false(path_exists(lock));
}

static void another_job_may_not_take_the_name(void **state)
{
    struct database *base = *state;
    struct loading load;
    loading_init(base, &load, SINK_CREATE, COLUMNS);
    assert_ok(base, loading_begin(base, &load));
    loading_release(&load);
    loading_init(base, &load, SINK_CREATE, COLUMNS);
    load.run.fingerprint = "f2";
    assert_int_equal(loading_begin(base, &load), HAUL_CHANGED);
    assert_says(base, "--restart");
    loading_release(&load);
    loading_init(base, &load, SINK_CREATE, COLUMNS);
    load.run.name = "r2";
    assert_int_equal(loading_begin(base, &load), HAUL_EXISTS);
    assert_says(base, "r1");
    loading_release(&load);
}

static void rows_taken_or_added_are_noticed(void **state)
{
    struct database *base = *state;
    struct loading load;
    loading_init(base, &load, SINK_CREATE, COLUMNS);
    assert_ok(base, loading_begin(base, &load));
    assert_ok(base, load_unit(base, &load, 0, 0, "1|a\n2|b\n"));
    sql(base, "DELETE FROM t WHERE id = 1");
    assert_int_equal(loading_finish(base, &load), HAUL_CHANGED);
    loading_release(&load);
    loading_init(base, &load, SINK_CREATE, COLUMNS);
    assert_int_equal(loading_begin(base, &load), HAUL_CHANGED);
    loading_release(&load);
    sql(base, "DROP TABLE t");
    loading_init(base, &load, SINK_CREATE, COLUMNS);
    assert_int_equal(loading_begin(base, &load), HAUL_CHANGED);
    assert_says(base, "dropped");
    loading_release(&load);
}

/* ---- taking back ---- */

static enum haul_code take_back(struct database *base, enum sink_mode mode)
{
    struct loading load;
    loading_init(base, &load, mode, COLUMNS);
    assert_ok(base, loading_negotiate(base, &load));
    assert_ok(base, loading_recall(base, &load));
    enum haul_code code = load.sink->ops->remove(load.sink, &load.run, &base->err);
    if (!code) {
        load.known.receipt_count = 0;
        assert_ok(base, loading_prepare(base, &load));
        assert_ok(base, load_unit(base, &load, 0, 0, "9|z\n"));
        assert_ok(base, loading_finish(base, &load));
    }
    loading_release(&load);
    return code;
}

static void half_a_run(struct database *base, enum sink_mode mode)
{
    struct loading load;
    loading_init(base, &load, mode, COLUMNS);
    assert_ok(base, loading_begin(base, &load));
    assert_ok(base, load_unit(base, &load, 0, 0, "1|a\n2|b\n"));
    assert_ok(base, load_unit(base, &load, 1, 0, "3|c\n"));
    loading_release(&load);
}

static void a_created_table_is_taken_back(void **state)
{
    struct database *base = *state;
    half_a_run(base, SINK_CREATE);
    assert_ok(base, take_back(base, SINK_CREATE));
    assert_rows(base, "SELECT * FROM t", "9|z\n");
}

static void an_empty_table_is_emptied_again(void **state)
{
    struct database *base = *state;
    sql(base, "CREATE TABLE t(id INTEGER, name TEXT, extra TEXT DEFAULT 'e')");
    half_a_run(base, SINK_CREATE);
    assert_ok(base, take_back(base, SINK_CREATE));
    assert_rows(base, "SELECT * FROM t", "9|z|e\n");
}

static void appended_rows_are_taken_back(void **state)
{
    struct database *base = *state;
    sql(base, "CREATE TABLE t(id INTEGER, name TEXT); INSERT INTO t VALUES(1,'mine')");
    half_a_run(base, SINK_APPEND);
    sql(base, "INSERT INTO t VALUES(1,'later')");
    assert_ok(base, take_back(base, SINK_APPEND));
    assert_rows(base, "SELECT * FROM t", "1|mine\n1|later\n9|z\n");
}

static void rows_that_cannot_be_told_apart_stay(void **state)
{
    struct database *base = *state;
    sql(base,
        "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT) WITHOUT ROWID; INSERT INTO t VALUES(10,'mine')");
    half_a_run(base, SINK_APPEND);
    assert_int_equal(take_back(base, SINK_APPEND), HAUL_UNSUPPORTED);
    assert_rows(base, "SELECT count(*) FROM t", "4\n");
    assert_rows(base, "SELECT count(*) FROM haul_units", "2\n");
}

static void changed_rows_are_not_taken_back(void **state)
{
    struct database *base = *state;
    sql(base, "CREATE TABLE t(id INTEGER, name TEXT)");
    half_a_run(base, SINK_APPEND);
    sql(base, "DELETE FROM t WHERE id = 2");
    assert_int_equal(take_back(base, SINK_APPEND), HAUL_CHANGED);
    assert_rows(base, "SELECT count(*) FROM t", "2\n");
}

/* ---- without a ledger ---- */

static void without_a_ledger_there_is_no_resuming(void **state)
{
    struct database *base = *state;
    static const struct haul_option table[] = {
        {"ledger", 0, HAUL_OPTION_TEXT, HAUL_FOR_COPY, NULL, "", NULL, ""},
        {"uuid", 0, HAUL_OPTION_TEXT, HAUL_FOR_COPY, NULL, "", NULL, ""},
    };
    struct settings settings;
    struct loading load;
    assert_ok(base, settings_init(&settings, table, 2, &base->err));
    assert_ok(base, settings_set(&settings, "ledger", "none", &base->err));
    base->context.settings = &settings;
    loading_init(base, &load, SINK_CREATE, COLUMNS);
    assert_ok(base, loading_begin(base, &load));
    assert_int_equal(load.terms.resumable, RESUME_NONE);
    assert_ok(base, load_unit(base, &load, 0, 0, "1|a\n"));
    assert_ok(base, loading_finish(base, &load));
    loading_release(&load);
    assert_rows(base, "SELECT name FROM sqlite_schema", "t\n");
    assert_ok(base, settings_set(&settings, "ledger", "my \"ledger", &base->err));
    load_all(base, SINK_REPLACE, COLUMNS, "2|b\n");
    assert_rows(base, "SELECT * FROM t", "2|b\n");
    assert_rows(base, "SELECT finished FROM \"my \"\"ledger_runs\"", "1\n");
    settings_release(&settings);
}

/* ---- failures of the file ---- */

static void a_full_disk_fails_the_unit(void **state)
{
    struct database *base = *state;
    struct loading load;
    struct buffer rows = {0};
    loading_init(base, &load, SINK_CREATE, COLUMNS);
    assert_ok(base, loading_begin(base, &load));
    sqlite3 *db = ((struct sqlite_sink *)load.sink)->control.db;
    assert_int_equal(sqlite3_exec(db, "PRAGMA max_page_count=20", NULL, NULL, NULL), SQLITE_OK);
    for (int i = 0; i < 2000; i++)
        assert_ok(base, buffer_printf(&rows, &base->err, "%d|%0100d\n", i, i));
    assert_ok(base, buffer_append(&rows, "", 1, &base->err));
    assert_int_equal(load_unit(base, &load, 0, 0, (const char *)rows.data), HAUL_SPACE);
    assert_says(base, "make room");
    assert_int_equal(sqlite3_exec(db, "PRAGMA max_page_count=2000", NULL, NULL, NULL), SQLITE_OK);
    assert_ok(base, load_unit(base, &load, 0, 0, (const char *)rows.data));
    assert_rows(base, "SELECT count(*), sum(id) FROM t", "2000|1999000\n");
    buffer_release(&rows);
    loading_release(&load);
}

static void a_missing_folder_is_said(void **state)
{
    struct database *base = *state;
    struct loading load;
    snprintf(base->path, sizeof base->path, "%s/no/such.db", base->folder);
    loading_init(base, &load, SINK_CREATE, COLUMNS);
    assert_ok(base, loading_negotiate(base, &load));
    assert_int_not_equal(loading_recall(base, &load), HAUL_OK);
    assert_says(base, "no/such.db");
    loading_release(&load);
}

static int setup(void **state)
{
    *state = database_open();
    return 0;
}

static int teardown(void **state)
{
    database_close(*state);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(loads_a_table),
        TEST(a_unit_is_claimed_once),
        TEST(an_aborted_unit_leaves_nothing),
        TEST(says_busy_when_another_writes),
        TEST(a_count_that_differs_fails_the_unit),
        TEST(a_dead_run_goes_on),
        TEST(a_finished_name_may_be_used_again),
        TEST(one_run_of_a_name_at_a_time),
        TEST(another_job_may_not_take_the_name),
        TEST(rows_taken_or_added_are_noticed),
        TEST(a_created_table_is_taken_back),
        TEST(an_empty_table_is_emptied_again),
        TEST(appended_rows_are_taken_back),
        TEST(rows_that_cannot_be_told_apart_stay),
        TEST(changed_rows_are_not_taken_back),
        TEST(without_a_ledger_there_is_no_resuming),
        TEST(a_full_disk_fails_the_unit),
        TEST(a_missing_folder_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
