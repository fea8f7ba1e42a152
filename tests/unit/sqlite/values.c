/* values.c: which type a column gets, and that each value is exact or a reject
 * that names its place and the way out. */
#include "database.h"

/* Reads table t: types, rows and how many rejects. */
static void reads(struct database *base, const char *schema, const char *types, const char *rows, int rejects)
{
    struct reading reading;
    char found[2048];
    collector_reset(&base->collector);
    allow_rejects(base);
    assert_ok(base,
              reading_all(base, &reading, &(struct source_request){.table = "t", .schema = schema}, -1));
    assert_string_equal(reading_types(&reading, found, sizeof found), types);
    assert_string_equal(reading_text(&reading), rows);
    assert_int_equal(base->collector.reject_count, rejects);
    assert_int_equal(reading.offered, reading.rows + rejects);
    reading_release(&reading);
}

/* One column of `declared` with `values`. */
static void column(struct database *base, const char *declared, const char *values, const char *type,
                   const char *rows, int rejects)
{
    char text[2048];
    snprintf(text, sizeof text, "DROP TABLE IF EXISTS t; CREATE TABLE t(c %s); INSERT INTO t VALUES%s",
             declared, values);
    sql(base, text);
    reads(base, NULL, type, rows, rejects);
}

static void declared_types(void **state)
{
    struct database *base = *state;
    sql(base,
        "CREATE TABLE t(a TINYINT, b UNSIGNED BIG INT, c DOUBLE PRECISION, d NVARCHAR(20), e CLOB,"
        " f BOOLEAN, g DECIMAL(10,2), h DATE, i DATETIME, j TIMESTAMP(3), k TIME, l UUID, m JSON, n BLOB,"
        " o NUMERIC, p, q BINARY(4), r TIMESTAMPTZ, s INT_16, t UNSIGNED_TEXT, u FLOAT_32, v MONEY)");
    reads(base, NULL,
          "int64,int64,float64,utf8,utf8,bool,decimal(10,2),date,timestamp[us],timestamp[ms],time[us],uuid,"
          "json,binary,"
          "float64,utf8,fixed_binary(4),timestamp[us, UTC],int16,uint64,float32,float64",
          "", 0);
}

static void strict_tables(void **state)
{
    struct database *base = *state;
    sql(base,
        "CREATE TABLE t(a INT, b REAL, c TEXT, d BLOB, e ANY) STRICT; INSERT INTO t VALUES(1,2,'3',x'04',5)");
    reads(base, NULL, "int64,float64,utf8,binary,int64", "1|2.0|3|04|5\n", 0);
}

static void integers(void **state)
{
    struct database *base = *state;
    column(base, "INTEGER", "(1),('abc'),(1.5),(NULL),(x'31'),(-9223372036854775808),(9223372036854775807)",
           "int64", "1\nNULL\n-9223372036854775808\n9223372036854775807\n", 3);
    const struct reject *reject = &base->collector.rejects->reject;
    assert_string_equal(reject->place, "rowid 2");
    assert_string_equal(reject->column, "c");
    assert_non_null(strstr(reject->reason, "--schema 'c:utf8'"));
    assert_memory_equal(reject->value, "abc", 3);
    assert_int_equal(reject->row, 1);
    column(base, "INT_8", "(127),(128),(-128),(-129)", "int64", "127\n128\n-128\n-129\n", 0);
    column(base, "INT_8", "(127),('x'),(-128),(-129)", "int8", "127\n-128\n", 2);
    column(base, "UINT_32", "(4294967295),(-1),('x')", "uint32", "4294967295\n", 2);
    column(base, "UNSIGNED_TEXT", "('18446744073709551615'),('0')", "uint64", "18446744073709551615\n0\n", 0);
    column(base, "", "(1),(2.0)", "float64", "1.0\n2.0\n", 0);
}

static void rejects_stop_when_none_are_allowed(void **state)
{
    struct database *base = *state;
    struct reading reading;
    sql(base, "CREATE TABLE t(c INTEGER); INSERT INTO t VALUES(1),('abc')");
    assert_int_equal(reading_all(base, &reading, &(struct source_request){.table = "t"}, -1), HAUL_VALUE);
    assert_says(base, "rowid 2");
    assert_says(base, "--schema 'c:utf8'");
    reading_release(&reading);
}

static void reals(void **state)
{
    struct database *base = *state;
    column(base, "REAL", "(1),(0.1),(1e999),(-1e999),('x'),(9007199254740993)", "float64",
           "1.0\n0.1\ninf\n-inf\n9007199254740992.0\n", 1);
    column(base, "", "(9007199254740993),(0.5)", "utf8", "", 2);
    column(base, "FLOAT_32", "(0.5),(0.1),('x')", "float32", "0.5\n", 2);
}

static void booleans(void **state)
{
    struct database *base = *state;
    column(base, "BOOLEAN", "(0),(1),(NULL)", "bool", "false\ntrue\nNULL\n", 0);
    column(base, "BOOLEAN", "(0),(1),(2)", "int64", "0\n1\n2\n", 0);
    column(base, "BOOLEAN", "('true'),('false')", "utf8", "true\nfalse\n", 0);
    column(base, "BOOL", "(0),('true')", "bool", "false\n", 1);
}

static void decimals(void **state)
{
    struct database *base = *state;
    column(base, "DECIMAL(10,2)", "(0.99),(1),(-12345678.25),('7'),(1e3)", "decimal(10,2)",
           "0.99\n1.00\n-12345678.25\n7.00\n1000.00\n", 0);
    column(base, "DECIMAL(10,2)", "(0.99),('x'),(0.999),(123456789)", "decimal(10,2)", "0.99\n", 3);
    column(base, "DECIMAL(10,2)", "(0.99),(0.123)", "float64", "0.99\n0.123\n", 0);
    column(base, "NUMERIC", "(1),(2)", "int64", "1\n2\n", 0);
    column(base, "NUMERIC", "('x'),('y')", "utf8", "x\ny\n", 0);
    column(base, "DECIMAL_TEXT(38,2)", "('123456789012345678901234567890123456.78'),('-0.01')",
           "decimal(38,2)", "123456789012345678901234567890123456.78\n-0.01\n", 0);
}

static void dates_and_times(void **state)
{
    struct database *base = *state;
    column(base, "DATE", "('2024-02-29'),('0001-01-01'),('9999-12-31')", "date",
           "2024-02-29\n0001-01-01\n9999-12-31\n", 0);
    column(base, "DATE", "('2024-02-29'),('2023-02-29'),(5)", "date", "2024-02-29\n", 2);
    column(base, "DATE", "(1700000000),(1800000000)", "int64", "1700000000\n1800000000\n", 0);
    column(base, "DATE", "('12 May'),('13 May')", "utf8", "12 May\n13 May\n", 0);
    column(base, "DATETIME", "('2024-02-29 23:59:59'),('2024-02-29T00:00:00.5'),('2024-01-01 00:00:00.000')",
           "timestamp[us]", "2024-02-29 23:59:59\n2024-02-29 00:00:00.500000\n2024-01-01 00:00:00\n", 0);
    column(base, "DATETIME", "('2024-02-29'),('2024-02-29 00:00:00')", "utf8",
           "2024-02-29\n2024-02-29 00:00:00\n", 0);
    column(base, "DATETIME", "('2024-02-29 00:00:00'),('2024-02-29 00:00:00Z'),(1)", "timestamp[us]",
           "2024-02-29 00:00:00\n", 2);
    column(base, "TIMESTAMP",
           "('2024-02-29 24:00:00'),('2024-02-29 00:00:00.1234567'),('2024-02-29 00:00:01'),(0)",
           "timestamp[us]", "2024-02-29 00:00:01\n", 3);
    column(base, "TIMESTAMP(9)", "('2262-04-11 23:47:16.854775807')", "timestamp[ns]",
           "2262-04-11 23:47:16.854775807\n", 0);
    column(base, "TIMESTAMPTZ", "('2024-02-29 00:00:00Z')", "timestamp[us, UTC]", "2024-02-29 00:00:00Z\n",
           0);
    column(base, "TIME", "('23:59:59.999999'),('00:00:00')", "time[us]", "23:59:59.999999\n00:00:00\n", 0);
}

static void text_and_blobs(void **state)
{
    struct database *base = *state;
    column(base, "TEXT", "('a'),(1),(x'41'),('')", "utf8", "a\n1\n\n", 1);
    column(base, "TEXT", "('a'),(CAST(x'ff41' AS TEXT)),(CAST(x'eda080' AS TEXT))", "utf8", "a\n", 2);
    assert_non_null(strstr(base->collector.rejects->reject.reason, "--schema 'c:binary'"));
    column(base, "BLOB", "(x''),(x'00'),('text'),(1)", "binary", "\n00\n", 2);
    column(base, "", "('a'),(1)", "utf8", "a\n", 1);
    column(base, "", "(x'01'),(x'02')", "binary", "01\n02\n", 0);
    column(base, "BINARY(2)", "(x'0102'),(x'0304')", "fixed_binary(2)", "0102\n0304\n", 0);
    column(base, "BINARY(2)", "(x'0102'),(x'03')", "binary", "0102\n03\n", 0);
    column(base, "JSON", "('{\"a\":1}'),('[1]'),(1),(1.5),(x'00')", "json", "{\"a\":1}\n[1]\n1\n1.5\n", 1);
}

static void uuids(void **state)
{
    struct database *base = *state;
    column(base, "UUID", "('01234567-89ab-cdef-0123-456789abcdef'),(x'0123456789abcdef0123456789abcdef')",
           "uuid", "01234567-89ab-cdef-0123-456789abcdef\n01234567-89ab-cdef-0123-456789abcdef\n", 0);
    column(base, "UUID", "('01234567-89AB-cdef-0123-456789abcdef')", "utf8",
           "01234567-89AB-cdef-0123-456789abcdef\n", 0);
}

static void nuls_in_text_stay(void **state)
{
    struct database *base = *state;
    struct reading reading;
    sql(base, "CREATE TABLE t(c TEXT); INSERT INTO t VALUES('a' || char(0) || 'b')");
    assert_ok(base, reading_all(base, &reading, &(struct source_request){.table = "t"}, -1));
    assert_int_equal(reading.text.length, 5);
    assert_memory_equal(reading.text.data, "a\0b\n", 4);
    reading_release(&reading);
}

static void nulls_where_none_may_be(void **state)
{
    struct database *base = *state;
    sql(base, "CREATE TABLE t(c INTEGER); INSERT INTO t VALUES(1),(NULL);"
              "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql='CREATE TABLE t(c INTEGER NOT NULL)'");
    reads(base, NULL, "int64", "1\n", 1);
    assert_non_null(strstr(base->collector.rejects->reject.reason, "NOT NULL"));
}

static void utf16_databases(void **state)
{
    struct database *base = *state;
    sql(base, "PRAGMA encoding='UTF-16le'; CREATE TABLE t(c TEXT);"
              "INSERT INTO t VALUES('gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80'),(CAST(x'00d84100' AS "
              "TEXT)),(CAST(x'41003dd8' AS TEXT))");
    reads(base, NULL, "utf8", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\n", 2);
}

/* ---- --schema ---- */

static void the_user_names_types(void **state)
{
    struct database *base = *state;
    sql(base, "CREATE TABLE t(a INTEGER, b TEXT, \"c:d\", e); CREATE TABLE s(amount);"
              "INSERT INTO t "
              "VALUES('abc','12','2024-01-01','1.50'),(1,'007','x','2'),(1.5,'13','2024-01-02',1e999)");
    reads(base, "a:utf8,b:int64,\"c:d\":date,e:decimal(5,2)", "utf8,int64,date,decimal(5,2)",
          "abc|12|2024-01-01|1.50\n", 2);
    reads(base, "e:utf8,a:utf8", "utf8,utf8,utf8,utf8", "abc|12|2024-01-01|1.50\n1|007|x|2\n", 1);
    struct reading reading;
    assert_int_equal(
        reading_describe(base, &reading, &(struct source_request){.table = "s", .schema = "amonut:utf8"}),
        HAUL_NOT_FOUND);
    assert_says(base, "amount");
    reading_release(&reading);
    assert_int_equal(
        reading_describe(base, &reading, &(struct source_request){.table = "t", .schema = "a:list<int32>"}),
        HAUL_UNSUPPORTED);
    reading_release(&reading);
    assert_int_equal(reading_describe(base, &reading, &(struct source_request){.table = "t", .schema = "a"}),
                     HAUL_USAGE);
    reading_release(&reading);
    assert_int_equal(
        reading_describe(base, &reading, &(struct source_request){.table = "t", .schema = "a:utf9"}),
        HAUL_USAGE);
    reading_release(&reading);
}

static void looks_far_into_the_table(void **state)
{
    struct database *base = *state;
    sql(base, "CREATE TABLE t(c DATE); WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE "
              "i < 20000)"
              " INSERT INTO t SELECT NULL FROM n; UPDATE t SET c = rowid WHERE rowid > 19000");
    struct reading reading;
    assert_ok(base, reading_describe(base, &reading, &(struct source_request){.table = "t"}));
    assert_int_equal(reading.info.schema.fields[0].type, TYPE_DATE); /* none of the places looked at */
    reading_release(&reading);
    sql(base, "UPDATE t SET c = rowid WHERE rowid > 15000");
    assert_ok(base, reading_describe(base, &reading, &(struct source_request){.table = "t"}));
    assert_int_equal(reading.info.schema.fields[0].type, TYPE_INT64);
    reading_release(&reading);
}

static void refuses_values_beyond_the_memory(void **state)
{
    struct database *base = *state;
    struct reading reading;
    sql(base, "CREATE TABLE t(c BLOB); INSERT INTO t VALUES(zeroblob(30000000))");
    memory_close(base->memory);
    assert_int_equal(memory_open(&base->memory, (size_t)16 << 20, 1, &base->err), HAUL_OK);
    base->context.memory = base->memory;
    assert_int_equal(reading_all(base, &reading, &(struct source_request){.table = "t"}, -1), HAUL_LIMIT);
    assert_says(base, "--memory");
    reading_release(&reading);
}

static void stops_when_cancelled(void **state)
{
    struct database *base = *state;
    struct reading reading;
    sql(base, "CREATE TABLE t(c)");
    atomic_store(&base->cancel.asked, 1);
    assert_int_equal(
        reading_describe(base, &reading,
                         &(struct source_request){.query = "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL "
                                                           "SELECT i + 1 FROM n) SELECT count(*) FROM n"}),
        HAUL_CANCELLED);
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
        TEST(declared_types),
        TEST(strict_tables),
        TEST(integers),
        TEST(rejects_stop_when_none_are_allowed),
        TEST(reals),
        TEST(booleans),
        TEST(decimals),
        TEST(dates_and_times),
        TEST(text_and_blobs),
        TEST(uuids),
        TEST(nuls_in_text_stay),
        TEST(nulls_where_none_may_be),
        TEST(utf16_databases),
        TEST(the_user_names_types),
        TEST(looks_far_into_the_table),
        TEST(refuses_values_beyond_the_memory),
        TEST(stops_when_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
