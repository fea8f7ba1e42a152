/* modes.c: create, append, truncate and replace: what each accepts, what it
 * refuses before anything is written, and what it leaves behind. */
#include "loading.h"

#define COLUMNS "id:int64!,name:utf8"

static void refused(struct database *base, enum sink_mode mode, const char *columns, enum haul_code code,
                    const char *says)
{
    struct loading load;
    loading_init(base, &load, mode, columns);
    assert_int_equal(loading_negotiate(base, &load), code);
    assert_says(base, says);
    loading_release(&load);
}

static void create_wants_it_absent_or_empty(void **state)
{
    struct database *base = *state;
    struct loading load;
    load_all(base, SINK_CREATE, COLUMNS, "1|a\n");
    refused(base, SINK_CREATE, COLUMNS, HAUL_EXISTS, "--mode append");
    loading_init(base, &load, SINK_CREATE, COLUMNS);
    assert_int_equal(loading_negotiate(base, &load), HAUL_EXISTS);
    assert_int_equal(load.terms.schema.count,
                     2); /* the terms are told all the same: the run may be finished */
    loading_release(&load);
    sql(base, "DELETE FROM t; ALTER TABLE t ADD COLUMN more DEFAULT 5");
    load_all(base, SINK_CREATE, "NAME:utf8,ID:int64", "x|7\n");
    assert_rows(base, "SELECT id, name, more FROM t", "7|x|5\n");
}

static void append_wants_a_table(void **state)
{
    struct database *base = *state;
    refused(base, SINK_APPEND, COLUMNS, HAUL_NOT_FOUND, "--mode create");
    refused(base, SINK_TRUNCATE, COLUMNS, HAUL_NOT_FOUND, "--mode create");
    sql(base, "CREATE TABLE tt(a); CREATE VIEW t AS SELECT * FROM tt");
    refused(base, SINK_APPEND, COLUMNS, HAUL_UNSUPPORTED, "view");
    refused(base, SINK_REPLACE, COLUMNS, HAUL_UNSUPPORTED, "view");
    refused(base, SINK_MERGE, COLUMNS, HAUL_UNSUPPORTED, "view");
}

static void append_lists_all_that_does_not_fit(void **state)
{
    struct database *base = *state;
    sql(base,
        "CREATE TABLE t(Id INTEGER, need TEXT NOT NULL, given TEXT NOT NULL DEFAULT 'x', two AS (id * 2),"
        " own INTEGER PRIMARY KEY)");
    refused(base, SINK_APPEND, "id:int64,missing:utf8,two:int64", HAUL_UNSUPPORTED,
            "\"missing\" is not in the table");
    assert_says(base, "\"two\" is generated");
    assert_says(base, "\"need\" is NOT NULL");
    assert_null(strstr(base->err.message, "given"));
    assert_null(strstr(base->err.message, "own"));
    load_all(base, SINK_APPEND, "ID:int64,Need:utf8", "4|n\n");
    assert_rows(base, "SELECT * FROM t", "4|n|x|8|1\n");
}

static void more_columns_than_a_table_has(void **state)
{
    struct database *base = *state;
    struct loading load = {0};
    assert_ok(base, schema_init(&load.info.schema, 2001, &base->err));
    for (int i = 0; i < 2001; i++) {
        load.info.schema.fields[i].type = TYPE_INT64;
        load.info.schema.fields[i].name = arena_printf(&load.info.schema.arena, "c%d", i);
    }
    load.info.table = "t";
    load.request = (struct sink_request){.mode = SINK_CREATE, .source = &load.info};
    assert_ok(base, sqlite_sink_open(base->path, &base->context, &load.sink, &base->err));
    assert_int_equal(loading_negotiate(base, &load), HAUL_UNSUPPORTED);
    assert_says(base, "2000");
    loading_release(&load);
}

static void names_that_differ_by_case(void **state)
{
    refused(*state, SINK_CREATE, "a:int64,A:int64", HAUL_UNSUPPORTED, "one to SQLite");
    refused(*state, SINK_CREATE, "a:int64", HAUL_OK, "");
}

static void awkward_names(void **state)
{
    struct database *base = *state;
    struct loading load;
    loading_init(base, &load, SINK_REPLACE, "we\"ird:int64,select:utf8,\xc3\xbcn\xc3\xaf:utf8");
    load.request.table = "order \"x\"; DROP TABLE y";
    for (int i = 0; i < 2; i++) {
        load.run.name = i ? "r2" : "r1";
        assert_ok(base, loading_begin(base, &load));
        assert_ok(base, load_unit(base, &load, 0, 0, "1|a|b\n"));
        assert_ok(base, loading_finish(base, &load));
        loading_release(&load);
        loading_init(base, &load, SINK_REPLACE, "we\"ird:int64,select:utf8,\xc3\xbcn\xc3\xaf:utf8");
        load.request.table = "order \"x\"; DROP TABLE y";
    }
    loading_release(&load);
    assert_rows(
        base,
        "SELECT \"we\"\"ird\", \"select\", \"\xc3\xbcn\xc3\xaf\" FROM \"order \"\"x\"\"; DROP TABLE y\"",
        "1|a|b\n");
}

/* ---- truncate ---- */

static void truncate_keeps_the_table(void **state)
{
    struct database *base = *state;
    struct loading load;
    sql(base, "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT UNIQUE CHECK(name <> 'bad'), n DEFAULT 3);"
              "CREATE INDEX t_n ON t(n); CREATE VIEW v AS SELECT * FROM t;"
              "INSERT INTO t VALUES(1,'old',1),(2,'older',1)");
    loading_init(base, &load, SINK_TRUNCATE, COLUMNS);
    allow_rejects(base);
    assert_ok(base, loading_begin(base, &load));
    assert_ok(base, load_unit(base, &load, 0, 0, "2|x\n3|bad\n4|y\n"));
    assert_ok(base, load_unit(base, &load, 1, 0, "5|x\n1|z\n"));
    assert_int_equal(base->collector.reject_count, 2);
    assert_rows(base, "SELECT id, name FROM t", "1|old\n2|older\n");
    loading_release(&load);
    loading_init(base, &load, SINK_TRUNCATE, COLUMNS);
    assert_ok(base, loading_begin(base, &load));
    assert_int_equal(load.known.receipt_count, 2);
    assert_ok(base, loading_finish(base, &load));
    loading_release(&load);
    assert_rows(base, "SELECT * FROM v", "1|z|3\n2|x|3\n4|y|3\n");
    assert_rows(base, "SELECT count(*) FROM sqlite_schema WHERE name LIKE '%haul_r1'", "0\n");
    assert_rows(base, "SELECT count(*) FROM sqlite_schema WHERE name = 't_n'", "1\n");
}

static void truncate_heeds_foreign_keys(void **state)
{
    struct database *base = *state;
    struct loading load;
    sql(base, "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT); INSERT INTO t VALUES(1,'a'),(2,'b');"
              "CREATE TABLE child(t_id REFERENCES t); INSERT INTO child VALUES(1)");
    loading_init(base, &load, SINK_TRUNCATE, COLUMNS);
    assert_ok(base, loading_begin(base, &load));
    assert_ok(base, load_unit(base, &load, 0, 0, "2|new\n"));
    assert_int_equal(loading_finish(base, &load), HAUL_CONSTRAINT);
    assert_rows(base, "SELECT * FROM t", "1|a\n2|b\n");
    assert_ok(base, load_unit(base, &load, 1, 0, "1|newer\n"));
    assert_ok(base, loading_finish(base, &load));
    loading_release(&load);
    assert_rows(base, "SELECT * FROM t", "1|newer\n2|new\n");
    sql(base, "DROP TABLE child; CREATE TABLE child(t_id REFERENCES t ON DELETE CASCADE)");
    refused(base, SINK_TRUNCATE, COLUMNS, HAUL_UNSUPPORTED, "child");
}

/* ---- replace ---- */

static void replace_swaps(void **state)
{
    struct database *base = *state;
    struct loading load;
    sql(base,
        "CREATE TABLE t(id TEXT, gone TEXT); INSERT INTO t VALUES('old','x'); CREATE INDEX \"t i\" ON t(id);"
        "CREATE TABLE other(tt TEXT); CREATE VIEW broken AS SELECT * FROM nowhere");
    loading_init(base, &load, SINK_REPLACE, COLUMNS);
    assert_ok(base, loading_begin(base, &load));
    assert_ok(base, load_unit(base, &load, 0, 0, "1|a\n"));
    assert_rows(base, "SELECT * FROM t", "old|x\n");
    loading_release(&load);
    loading_init(base, &load, SINK_REPLACE, COLUMNS);
    assert_ok(base, loading_begin(base, &load));
    assert_true(load.found);
    assert_ok(base, load_unit(base, &load, 1, 0, "2|b\n"));
    assert_ok(base, loading_finish(base, &load));
    assert_ok(base, loading_finish(base, &load));
    loading_release(&load);
    assert_rows(base, "SELECT * FROM t", "1|a\n2|b\n");
    assert_rows(base, "SELECT name, tbl_name FROM sqlite_schema WHERE type = 'index' AND sql NOT NULL",
                "t i|t\n");
    assert_rows(base, "SELECT sql FROM sqlite_schema WHERE name = 't'",
                "CREATE TABLE \"t\" (\"id\" INTEGER NOT NULL, \"name\" TEXT)\n");
    assert_rows(base, "SELECT count(*) FROM sqlite_schema WHERE name LIKE '%haul_r1'", "0\n");
}

static void replace_refuses_to_lose_things(void **state)
{
    struct database *base = *state;
    sql(base,
        "CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE t(id INTEGER PRIMARY KEY REFERENCES p, name);"
        "CREATE VIEW tv AS SELECT name FROM T; CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1; END;"
        "CREATE TABLE child(x REFERENCES t); CREATE VIEW fine AS SELECT 1 AS tt");
    refused(base, SINK_REPLACE, COLUMNS, HAUL_UNSUPPORTED, "view \"tv\"");
    assert_says(base, "trigger \"tr\"");
    assert_says(base, "foreign key of \"child\"");
    assert_says(base, "foreign key of \"t\"");
    assert_says(base, "--mode truncate");
    assert_null(strstr(base->err.message, "fine"));
}

static void replace_says_which_index_does_not_fit(void **state)
{
    struct database *base = *state;
    struct loading load;
    sql(base, "CREATE TABLE t(id INTEGER, gone TEXT); CREATE INDEX on_gone ON t(gone); INSERT INTO t "
              "VALUES(1,'x')");
    loading_init(base, &load, SINK_REPLACE, COLUMNS);
    assert_ok(base, loading_begin(base, &load));
    assert_ok(base, load_unit(base, &load, 0, 0, "1|a\n"));
    assert_int_not_equal(loading_finish(base, &load), HAUL_OK);
    assert_says(base, "index");
    assert_rows(base, "SELECT * FROM t", "1|x\n");
    assert_ok(base, load.sink->ops->remove(load.sink, &load.run, &base->err));
    loading_release(&load);
    assert_rows(base, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'haul%'", "t\n");
}

static void replace_of_nothing_creates(void **state)
{
    struct database *base = *state;
    struct loading load;
    loading_init(base, &load, SINK_REPLACE, COLUMNS);
    assert_ok(base, loading_begin(base, &load));
    assert_ok(base, load_unit(base, &load, 0, 0, "1|a\n"));
    loading_release(&load);
    loading_init(base, &load, SINK_REPLACE, COLUMNS);
    assert_ok(base, loading_begin(base, &load));
    assert_ok(base, load_unit(base, &load, 1, 0, "2|b\n"));
    assert_ok(base, loading_finish(base, &load));
    loading_release(&load);
    assert_rows(base, "SELECT * FROM t", "1|a\n2|b\n");
}

/* ---- constraints ---- */

static void refused_rows_are_set_aside(void **state)
{
    struct database *base = *state;
    struct loading load;
    sql(base, "CREATE TABLE t(id INTEGER UNIQUE ON CONFLICT REPLACE, name TEXT NOT NULL ON CONFLICT IGNORE,"
              " CHECK(id < 100) ON CONFLICT IGNORE) STRICT; INSERT INTO t VALUES(1,'there')");
    loading_init(base, &load, SINK_APPEND, COLUMNS);
    allow_rejects(base);
    assert_ok(base, loading_begin(base, &load));
    assert_ok(base, load_unit(base, &load, 4, 100, "1|again\n2|NULL\n3|good\n100|big\n3|twice\n5|end\n"));
    assert_rows(base, "SELECT * FROM t", "1|there\n3|good\n5|end\n");
    assert_int_equal(base->collector.reject_count, 4);
    const struct reject_node *node = base->collector.rejects;
    assert_int_equal(node->reject.part, 4);
    assert_int_equal(node->reject.row, 100);
    assert_string_equal(node->reject.reason, "UNIQUE constraint failed: t.id");
    assert_string_equal(node->next->reject.reason, "NOT NULL constraint failed: t.name");
    assert_int_equal(node->next->next->reject.row, 103);
    assert_ok(base, loading_finish(base, &load));
    loading_release(&load);
}

static void a_refused_row_is_an_error_when_none_are_allowed(void **state)
{
    struct database *base = *state;
    struct loading load;
    sql(base, "CREATE TABLE t(id INTEGER UNIQUE, name TEXT); INSERT INTO t VALUES(1,'there')");
    loading_init(base, &load, SINK_APPEND, COLUMNS);
    assert_ok(base, loading_begin(base, &load));
    assert_int_equal(load_unit(base, &load, 0, 0, "3|x\n1|again\n"), HAUL_CONSTRAINT);
    assert_says(base, "UNIQUE");
    assert_rows(base, "SELECT * FROM t", "1|there\n");
    loading_release(&load);
}

static void with_trigger(struct database *base, const char *trigger, enum haul_code code, const char *says,
                         const char *rows)
{
    struct loading load;
    char text[512];
    snprintf(text, sizeof text,
             "DROP TABLE IF EXISTS t; DROP TABLE IF EXISTS haul_runs; DROP TABLE IF EXISTS haul_units;"
             "CREATE TABLE t(id INTEGER, name TEXT); CREATE TRIGGER r %s INSERT ON t WHEN new.id = 2 BEGIN "
             "SELECT %s; END",
             strstr(trigger, "FAIL") ? "AFTER" : "BEFORE", trigger);
    sql(base, text);
    loading_init(base, &load, SINK_APPEND, COLUMNS);
    allow_rejects(base);
    collector_reset(&base->collector);
    assert_ok(base, loading_begin(base, &load));
    assert_int_equal(load_unit(base, &load, 0, 0, "1|a\n2|b\n3|c\n"), code);
    if (code)
        assert_says(base, says);
    else
        assert_non_null(strstr(base->collector.rejects->reject.reason, says));
    loading_release(&load);
    assert_rows(base, "SELECT * FROM t", rows);
}

static void triggers_do_not_lose_rows_silently(void **state)
{
    with_trigger(*state, "RAISE(IGNORE)", HAUL_OK, "trigger", "1|a\n3|c\n");
    with_trigger(*state, "RAISE(ABORT, 'no twos')", HAUL_OK, "no twos", "1|a\n3|c\n");
    with_trigger(*state, "RAISE(FAIL, 'no twos')", HAUL_CONSTRAINT, "kept it", "");
    with_trigger(*state, "RAISE(ROLLBACK, 'no twos')", HAUL_CONSTRAINT, "undid", "");
}

static void foreign_keys_are_enforced(void **state)
{
    struct database *base = *state;
    struct loading load;
    sql(base, "CREATE TABLE p(id INTEGER PRIMARY KEY); INSERT INTO p VALUES(1);"
              "CREATE TABLE t(id INTEGER REFERENCES p, name TEXT)");
    loading_init(base, &load, SINK_APPEND, COLUMNS);
    allow_rejects(base);
    assert_ok(base, loading_begin(base, &load));
    assert_ok(base, load_unit(base, &load, 0, 0, "1|a\n2|b\n"));
    assert_int_equal(base->collector.reject_count, 1);
    loading_release(&load);
    sql(base, "DROP TABLE t; DELETE FROM haul_runs; DELETE FROM haul_units;"
              "CREATE TABLE t(id INTEGER REFERENCES p DEFERRABLE INITIALLY DEFERRED, name TEXT)");
    loading_init(base, &load, SINK_APPEND, COLUMNS);
    assert_ok(base, loading_begin(base, &load));
    assert_int_equal(load_unit(base, &load, 0, 0, "1|a\n2|b\n"), HAUL_CONSTRAINT);
    assert_says(base, "foreign key");
    assert_rows(base, "SELECT count(*) FROM t", "0\n");
    assert_ok(base, load_unit(base, &load, 0, 0, "1|a\n"));
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
        TEST(create_wants_it_absent_or_empty),
        TEST(append_wants_a_table),
        TEST(append_lists_all_that_does_not_fit),
        TEST(more_columns_than_a_table_has),
        TEST(names_that_differ_by_case),
        TEST(awkward_names),
        TEST(truncate_keeps_the_table),
        TEST(truncate_heeds_foreign_keys),
        TEST(replace_swaps),
        TEST(replace_refuses_to_lose_things),
        TEST(replace_says_which_index_does_not_fit),
        TEST(replace_of_nothing_creates),
        TEST(refused_rows_are_set_aside),
        TEST(a_refused_row_is_an_error_when_none_are_allowed),
        TEST(triggers_do_not_lose_rows_silently),
        TEST(foreign_keys_are_enforced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
