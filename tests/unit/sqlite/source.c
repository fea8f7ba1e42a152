/* source.c: tables, views and queries are read as they are, by parts that cover
 * every row once, from one snapshot, and what cannot be read is said. */
#include "database.h"

#include <sys/stat.h>

static void read_as(struct database *base, const struct source_request *request, const char *types,
                    const char *rows)
{
    struct reading reading;
    char found[1024];
    assert_ok(base, reading_all(base, &reading, request, -1));
    assert_string_equal(reading_types(&reading, found, sizeof found), types);
    assert_string_equal(reading_text(&reading), rows);
    reading_release(&reading);
}

static void reads_a_table(void **state)
{
    struct database *base = *state;
    sql(base, "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT NOT NULL, x REAL, b BLOB);"
              "INSERT INTO t VALUES(1,'one',1.5,x'00ff'),(2,'zw\xc3\xb6lf',NULL,NULL),(-3,'',-2,x'')");
    read_as(base, &(struct source_request){.table = "T"}, "int64,utf8,float64,binary",
            "-3||-2.0|\n1|one|1.5|00ff\n2|zw\xc3\xb6lf|NULL|NULL\n");
}

static void tells_key_nulls_and_origin(void **state)
{
    struct database *base = *state;
    struct reading reading;
    sql(base, "CREATE TABLE t(b INTEGER, a VARCHAR(10), c DECIMAL(10,2) NOT NULL, PRIMARY KEY(a, b));"
              "CREATE TABLE w(k TEXT, v, PRIMARY KEY(k)) WITHOUT ROWID");
    assert_ok(base, reading_describe(base, &reading, &(struct source_request){.table = "t"}));
    assert_int_equal(reading.info.key_count, 2);
    assert_string_equal(reading.info.key[0], "a");
    assert_string_equal(reading.info.key[1], "b");
    assert_true(reading.info.schema.fields[0].nullable);
    assert_false(reading.info.schema.fields[2].nullable);
    assert_string_equal(reading.info.schema.fields[2].sql_type, "sqlite:DECIMAL(10,2)");
    assert_true(reading.info.order_fixed);
    assert_true(reading.info.replayable);
    assert_int_equal(reading.info.rows, 0);
    reading_release(&reading);
    assert_ok(base, reading_describe(base, &reading, &(struct source_request){.table = "w"}));
    assert_false(reading.info.schema.fields[0].nullable);
    assert_null(reading.info.schema.fields[1].sql_type);
    reading_release(&reading);
}

static void reads_awkward_names(void **state)
{
    struct database *base = *state;
    sql(base, "CREATE TABLE \"we\"\"ird\"(\"select\" INTEGER, \"\xc3\xbcn\xc3\xaf\" TEXT, \"a b\" TEXT, "
              "\"rowid\" TEXT);"
              "INSERT INTO \"we\"\"ird\" VALUES(1,'x','y','z');"
              "CREATE TABLE \"order details\"(\"oid\", \"rowid\", \"_rowid_\");"
              "INSERT INTO \"order details\" VALUES(1,2,3)");
    read_as(base, &(struct source_request){.table = "we\"ird"}, "int64,utf8,utf8,utf8", "1|x|y|z\n");
    read_as(base, &(struct source_request){.table = "main.[order details]"}, "int64,int64,int64", "1|2|3\n");
    read_as(base, &(struct source_request){.table = "\"order details\""}, "int64,int64,int64", "1|2|3\n");
}

static void reads_columns_where_and_queries(void **state)
{
    struct database *base = *state;
    const char *const two[] = {"c", "a"}, *const typo[] = {"cc"};
    sql(base, "CREATE TABLE t(a INTEGER, b TEXT, c TEXT); CREATE VIEW v AS SELECT c, a * 2 AS twice FROM t;"
              "INSERT INTO t VALUES(1,'x','p'),(2,'y','q'),(3,'z','r')");
    read_as(base,
            &(struct source_request){.table = "t", .columns = two, .column_count = 2, .where = "a > 1 -- so"},
            "utf8,int64", "q|2\nr|3\n");
    read_as(base, &(struct source_request){.table = "v"}, "utf8,int64", "p|2\nq|4\nr|6\n");
    read_as(base, &(struct source_request){.query = "SELECT a, b, a + 0.5 AS h FROM t ORDER BY a DESC;  "},
            "int64,utf8,float64", "3|z|3.5\n2|y|2.5\n1|x|1.5\n");
    read_as(base,
            &(struct source_request){
                .query = "SELECT * FROM t", .columns = two, .column_count = 2, .where = "b = 'y'"},
            "utf8,int64", "q|2\n");
    struct reading reading;
    assert_int_equal(
        reading_describe(base, &reading,
                         &(struct source_request){.table = "t", .columns = typo, .column_count = 1}),
        HAUL_NOT_FOUND);
    assert_says(base, "c");
    reading_release(&reading);
}

static void query_that_fails(struct database *base, const char *query, enum haul_code code, const char *says)
{
    struct reading reading;
    assert_int_equal(reading_describe(base, &reading, &(struct source_request){.query = query}), code);
    assert_says(base, says);
    reading_release(&reading);
}

static void refuses_queries_that_are_none(void **state)
{
    struct database *base = *state;
    sql(base, "CREATE TABLE t(a); INSERT INTO t VALUES(1)");
    query_that_fails(base, "SELEC 1", HAUL_USAGE, "--query");
    query_that_fails(base, "SELECT a FROM t; DROP TABLE t", HAUL_USAGE, "more than one");
    query_that_fails(base, "DELETE FROM t RETURNING a", HAUL_USAGE, "change");
    query_that_fails(base, "CREATE TABLE x(a)", HAUL_USAGE, "");
    query_that_fails(base, "SELECT ?1", HAUL_USAGE, "parameters");
    query_that_fails(base, "SELECT a, a FROM t", HAUL_USAGE, "two columns");
    query_that_fails(base, "", HAUL_USAGE, "no columns");
    assert_rows(base, "SELECT count(*) FROM t", "1\n");
}

static void a_condition_stays_inside(void **state)
{
    struct database *base = *state;
    static const char *const bad[] = {"1) OR (1", "1); DROP TABLE t; --", "(1",
                                      "1;",       "1 /* ) */ )",          "'(' = ')' ) OR (1"};
    static const char *const good[] = {"a IN (1, 2)", "b <> ')'", "b <> 'it''s )' /* :) */ -- ;)",
                                       "\"b\" <> '(('", "[b] <> ']'"};
    sql(base, "CREATE TABLE t(a INTEGER, b TEXT); INSERT INTO t VALUES(1,'x')");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct reading reading;
        struct source_request request = {.table = "t", .where = bad[i]};
        assert_int_equal(reading_describe(base, &reading, &request), HAUL_USAGE);
        reading_release(&reading);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        read_as(base, &(struct source_request){.table = "t", .where = good[i]}, "int64,utf8", "1|x\n");
}

static void names_near_tables(void **state)
{
    struct database *base = *state;
    struct reading reading;
    sql(base, "CREATE TABLE orders(a)");
    assert_int_equal(reading_describe(base, &reading, &(struct source_request){.table = "order"}),
                     HAUL_NOT_FOUND);
    assert_says(base, "orders");
    reading_release(&reading);
    assert_int_equal(reading_describe(base, &reading, &(struct source_request){0}), HAUL_USAGE);
    assert_says(base, "--table");
    reading_release(&reading);
}

/* ---- what is no database ---- */

static void opens_nothing(struct database *base, const char *path, enum haul_code code, const char *says)
{
    struct source *source = NULL;
    assert_int_equal(
        sqlite_source_open(path, &base->context, &(struct source_request){.table = "t"}, &source, &base->err),
        code);
    assert_null(source);
    assert_says(base, says);
}

static void write_file(const char *path, const char *text, size_t length)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    fclose(file);
}

static void says_what_is_no_database(void **state)
{
    struct database *base = *state;
    char text[5000];
    memset(text, 'x', sizeof text);
    opens_nothing(base, base->path, HAUL_NOT_FOUND, "t.db");
    assert_false(path_exists(base->path));
    opens_nothing(base, base->folder, HAUL_USAGE, "folder");
    write_file(base->path, text, sizeof text);
    opens_nothing(base, base->path, HAUL_DATA, "no SQLite database");
}

static void opens_names_that_look_like_uris(void **state)
{
    struct database *base = *state;
    snprintf(base->path, sizeof base->path, "%s/a%%20b?mode=rwc&x#y.db", base->folder);
    sql(base, "CREATE TABLE t(a); INSERT INTO t VALUES(7)");
    read_as(base, &(struct source_request){.table = "t"}, "int64", "7\n");
}

static void says_what_is_damaged(void **state)
{
    struct database *base = *state;
    struct reading reading;
    sql(base, "CREATE TABLE t(a TEXT); WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE "
              "i < 2000)"
              " INSERT INTO t SELECT hex(randomblob(50)) FROM n");
    FILE *file = fopen(base->path, "r+b");
    assert_non_null(file);
    char zeros[4096];
    memset(zeros, 0x55, sizeof zeros);
    fseek(file, 5 * 4096, SEEK_SET);
    fwrite(zeros, 1, sizeof zeros, file);
    fclose(file);
    enum haul_code code = reading_all(base, &reading, &(struct source_request){.table = "t"}, -1);
    assert_int_equal(code, HAUL_DATA);
    assert_says(base, "malformed");
    reading_release(&reading);
}

static void waits_for_a_lock_then_says_so(void **state)
{
    struct database *base = *state;
    sqlite3 *holder;
    sql(base, "CREATE TABLE t(a)");
    assert_int_equal(sqlite3_open(base->path, &holder), SQLITE_OK);
    assert_int_equal(sqlite3_exec(holder, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    opens_nothing(base, base->path, HAUL_BUSY, "locked");
    assert_true(base->err.retryable);
    sqlite3_close(holder);
}

/* ---- snapshot and identity ---- */

static void readers_share_a_snapshot(void **state)
{
    struct database *base = *state;
    struct reading reading;
    sql(base, "PRAGMA journal_mode=WAL; CREATE TABLE t(a); INSERT INTO t VALUES(1),(2),(3),(4)");
    assert_ok(base, reading_describe(base, &reading, &(struct source_request){.table = "t"}));
    assert_ok(base, reading_split(base, &reading, 2));
    assert_int_equal(reading.part_count, 2);
    assert_ok(base, reading.source->ops->begin(reading.source, 2, &base->err));
    sql(base, "DELETE FROM t WHERE a > 1; INSERT INTO t VALUES(9)");
    assert_ok(base, reading_part(base, &reading, 0, 0));
    assert_ok(base, reading_part(base, &reading, 1, 1));
    assert_ok(base, buffer_append(&reading.text, "", 1, &base->err));
    assert_string_equal(reading_text(&reading), "1\n2\n4\n");
    reading_release(&reading);
}

static char *identity_now(struct database *base)
{
    struct reading reading;
    assert_ok(base, reading_describe(base, &reading, &(struct source_request){.table = "t"}));
    char *identity = strdup(reading.info.identity);
    reading_release(&reading);
    return identity;
}

static void knows_a_changed_file(struct database *base, const char *mode)
{
    char text[128];
    snprintf(text, sizeof text, "PRAGMA journal_mode=%s; CREATE TABLE t(a); INSERT INTO t VALUES(1)", mode);
    sql(base, text);
    char *first = identity_now(base), *again = identity_now(base);
    assert_string_equal(first, again);
    sql(base, "UPDATE t SET a = 2");
    char *changed = identity_now(base);
    assert_string_not_equal(first, changed);
    free(first);
    free(again);
    free(changed);
}

static void knows_a_changed_journal_file(void **state)
{
    knows_a_changed_file(*state, "DELETE");
}

static void knows_a_changed_wal_file(void **state)
{
    knows_a_changed_file(*state, "WAL");
}

/* ---- list ---- */

static void note_table(void *user, const struct haul_table *table)
{
    char *at = (char *)user + strlen(user);
    sprintf(at, "%s %s %lld;", table->kind, table->name, (long long)table->rows);
    assert_true(!strcmp(table->kind, "view") || table->bytes != 0);
}

static void lists_tables(void **state)
{
    struct database *base = *state;
    struct source *source;
    char list[2000] = "";
    sql(base,
        "CREATE TABLE b(id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO b VALUES(NULL),(NULL);"
        "CREATE TABLE a(k PRIMARY KEY) WITHOUT ROWID; CREATE VIEW v AS SELECT * FROM b;"
        "CREATE VIEW w AS SELECT * FROM b; CREATE TABLE gone(x); CREATE VIEW broken AS SELECT * FROM gone;"
        "PRAGMA legacy_alter_table=ON; DROP TABLE gone");
    assert_ok(base, sqlite_source_open(base->path, &base->context, &(struct source_request){0}, &source,
                                       &base->err));
    assert_ok(base, source->ops->list(source, note_table, list, &base->err));
    assert_string_equal(list, "table a 0;table b 2;view broken -1;view v 2;view w 2;");
    source->ops->close(source);
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
        TEST(reads_a_table),
        TEST(tells_key_nulls_and_origin),
        TEST(reads_awkward_names),
        TEST(reads_columns_where_and_queries),
        TEST(refuses_queries_that_are_none),
        TEST(a_condition_stays_inside),
        TEST(names_near_tables),
        TEST(says_what_is_no_database),
        TEST(opens_names_that_look_like_uris),
        TEST(says_what_is_damaged),
        TEST(waits_for_a_lock_then_says_so),
        TEST(readers_share_a_snapshot),
        TEST(knows_a_changed_journal_file),
        TEST(knows_a_changed_wal_file),
        TEST(lists_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
