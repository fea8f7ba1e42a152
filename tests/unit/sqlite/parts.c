/* parts.c: parts cover every row exactly once, in order, whatever the rowids or
 * keys are, and a part can be read from any of its rows. */
#include "database.h"

/* The first column of all rows in key order, beside what the parts gave. */
static void covers(struct database *base, const char *table, const char *order, int64_t part_rows,
                   int parts_least)
{
    struct reading reading;
    char query[128];
    snprintf(query, sizeof query, "SELECT * FROM %s ORDER BY %s", table, order);
    char *expected = ask(base, query);
    assert_ok(base, reading_all(base, &reading, &(struct source_request){.table = table}, part_rows));
    assert_string_equal(reading_text(&reading), expected);
    assert_true(reading.part_count >= parts_least);
    int64_t rows = 0;
    for (int i = 0; i < reading.part_count; i++) {
        assert_int_equal(reading.parts[i].index, i);
        rows += reading.parts[i].rows;
    }
    assert_int_equal(rows, reading.rows);
    reading_release(&reading);
    free(expected);
}

static void covers_extreme_rowids(void **state)
{
    struct database *base = *state;
    sql(base, "CREATE TABLE t(id INTEGER PRIMARY KEY, x TEXT);"
              "INSERT INTO t VALUES(-9223372036854775808,'min'),(-5,'a'),(0,'b'),(1,'c'),(1000000000000,'d'),"
              "(9223372036854775806,'e'),(9223372036854775807,'max')");
    for (int64_t part_rows = 1; part_rows <= 8; part_rows++)
        covers(base, "t", "id", part_rows, part_rows < 7 ? 2 : 1);
}

static void covers_sparse_and_skewed_rowids(void **state)
{
    struct database *base = *state;
    sql(base, "CREATE TABLE t(id INTEGER PRIMARY KEY);"
              "WITH RECURSIVE n(i) AS (VALUES(0) UNION ALL SELECT i + 1 FROM n WHERE i < 4999)"
              " INSERT INTO t SELECT CASE WHEN i < 4000 THEN i ELSE i * i * 1000 END FROM n;"
              "DELETE FROM t WHERE id BETWEEN 500 AND 3000");
    covers(base, "t", "id", 100, 25);
    covers(base, "t", "id", 10, 250);
}

static void even_parts(void **state)
{
    struct database *base = *state;
    struct reading reading;
    sql(base,
        "CREATE TABLE t(a); WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 1001)"
        " INSERT INTO t SELECT i FROM n");
    assert_ok(base, reading_describe(base, &reading, &(struct source_request){.table = "t"}));
    assert_ok(base, reading_split(base, &reading, 1000));
    assert_int_equal(reading.part_count, 2);
    assert_int_equal(reading.parts[0].rows, 501);
    assert_int_equal(reading.parts[1].rows, 500);
    reading_release(&reading);
}

static void an_empty_table_is_one_part(void **state)
{
    struct database *base = *state;
    struct reading reading;
    sql(base, "CREATE TABLE t(a INTEGER); CREATE TABLE w(k INTEGER PRIMARY KEY) WITHOUT ROWID");
    const char *const tables[] = {"t", "w"};
    for (int i = 0; i < 2; i++) {
        assert_ok(base, reading_all(base, &reading, &(struct source_request){.table = tables[i]}, 10));
        assert_int_equal(reading.part_count, 1);
        assert_int_equal(reading.parts[0].rows, 0);
        assert_int_equal(reading.rows, 0);
        reading_release(&reading);
    }
}

static void covers_keys_that_are_no_integers(void **state)
{
    struct database *base = *state;
    sql(base, "CREATE TABLE w(k INTEGER PRIMARY KEY, x) WITHOUT ROWID;"
              "INSERT INTO w VALUES(-9223372036854775808,1),(-1.5,1),(1,1),(1.5,1),(2,1),(2.5,1),(3,1),"
              "(9223372036854775807,1),(1e300,1),(-1e300,1),('x',1),(x'00',1)");
    allow_rejects(base);
    for (int64_t part_rows = 1; part_rows < 14; part_rows++) {
        struct reading reading;
        assert_ok(base, reading_all(base, &reading, &(struct source_request){.table = "w"}, part_rows));
        assert_int_equal(reading.offered, 12);
        assert_string_equal(reading_text(&reading),
                            "-9223372036854775808|1\n1|1\n2|1\n3|1\n9223372036854775807|1\n");
        assert_int_equal(base->collector.reject_count, 7);
        collector_reset(&base->collector);
        reading_release(&reading);
    }
}

static void covers_integer_keys_in_parts(void **state)
{
    struct database *base = *state;
    sql(base, "CREATE TABLE w(k INTEGER PRIMARY KEY) WITHOUT ROWID;"
              "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
              " INSERT INTO w SELECT i * i - 200 FROM n");
    covers(base, "w", "k", 90, 11);
}

static void other_keys_are_one_part_in_order(void **state)
{
    struct database *base = *state;
    struct reading reading;
    sql(base, "CREATE TABLE w(b INTEGER, a TEXT COLLATE NOCASE, PRIMARY KEY(a, b)) WITHOUT ROWID;"
              "INSERT INTO w VALUES(2,'b'),(1,'B'),(3,'a')");
    assert_ok(base, reading_all(base, &reading, &(struct source_request){.table = "w"}, 1));
    assert_int_equal(reading.part_count, 1);
    assert_true(reading.info.order_fixed);
    assert_string_equal(reading_text(&reading), "3|a\n1|B\n2|b\n");
    reading_release(&reading);
}

static void reads_from_any_row(void **state)
{
    struct database *base = *state;
    struct reading reading;
    sql(base,
        "CREATE TABLE t(a); INSERT INTO t VALUES(1),(2),(3),(4),(5),(6); CREATE VIEW v AS SELECT a FROM t");
    assert_ok(base,
              reading_describe(base, &reading, &(struct source_request){.table = "t", .where = "a <> 2"}));
    assert_ok(base, reading_split(base, &reading, 3));
    assert_int_equal(reading.part_count, 2);
    assert_int_equal(reading.parts[0].rows, -1);
    assert_ok(base, reading.source->ops->begin(reading.source, 1, &base->err));
    assert_ok(base, reading_part(base, &reading, 0, 1));
    assert_ok(base, reading_part(base, &reading, 1, 2));
    assert_ok(base, reading_part(base, &reading, 1, 3));
    assert_ok(base, buffer_append(&reading.text, "", 1, &base->err));
    assert_string_equal(reading_text(&reading), "3\n6\n");
    reading_release(&reading);
    assert_ok(base, reading_describe(base, &reading, &(struct source_request){.table = "v"}));
    assert_ok(base, reading_split(base, &reading, 1));
    assert_int_equal(reading.part_count, 1);
    assert_false(reading.info.order_fixed);
    assert_ok(base, reading.source->ops->begin(reading.source, 1, &base->err));
    assert_ok(base, reading_part(base, &reading, 0, 5));
    assert_int_equal(reading.rows, 1);
    reading_release(&reading);
}

static void refuses_a_part_of_something_else(void **state)
{
    struct database *base = *state;
    struct reading reading;
    static char *const specs[] = {"all", "key 1..2", "rowid 1", "rowid 1..2x", "rowid ..", ""};
    sql(base, "CREATE TABLE t(a)");
    assert_ok(base, reading_describe(base, &reading, &(struct source_request){.table = "t"}));
    assert_ok(base, reading.source->ops->begin(reading.source, 1, &base->err));
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        reading.parts[0].spec = specs[i];
        assert_int_equal(reading_part(base, &reading, 0, 0), HAUL_CHANGED);
    }
    reading_release(&reading);
}

static void cuts_by_bytes(void **state)
{
    struct database *base = *state;
    struct reading reading;
    sql(base, "CREATE TABLE t(a TEXT); WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE "
              "i < 100)"
              " INSERT INTO t SELECT printf('%.*c', 1000, 'x') FROM n");
    assert_ok(base, reading_describe(base, &reading, &(struct source_request){.table = "t"}));
    struct split_request wish = {-1, 10000};
    bool more = true;
    int parts = 0;
    for (; more && parts < 100; parts += more)
        assert_ok(base, reading.source->ops->split(reading.source, &wish, &reading.arena, &reading.parts[0],
                                                   &more, &base->err));
    assert_int_equal(parts, 10);
    reading_release(&reading);
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
        TEST(covers_extreme_rowids),
        TEST(covers_sparse_and_skewed_rowids),
        TEST(even_parts),
        TEST(an_empty_table_is_one_part),
        TEST(covers_keys_that_are_no_integers),
        TEST(covers_integer_keys_in_parts),
        TEST(other_keys_are_one_part_in_order),
        TEST(reads_from_any_row),
        TEST(refuses_a_part_of_something_else),
        TEST(cuts_by_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
