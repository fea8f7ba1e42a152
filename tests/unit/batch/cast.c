/* cast.c: exact, rejected or counted: every kind of pair at its edges. */
#include "table.h"

#include "batch/array.h"
#include "batch/cast.h"

struct bench {
    struct context context;
    struct collector collector;
    struct reject_limit limit;
    struct schema from, to;
    struct cast *cast;
    struct batch batch;
};

static void bench_open(struct bench *bench, const char *from, const char *to, const char *const *texts,
                       int rows)
{
    struct haul_error err = {0};
    memset(bench, 0, sizeof *bench);
    bench->limit.max = -1;
    bench->collector.limit = &bench->limit;
    bench->context.collector = &bench->collector;
    table_schema(&bench->from, &from, 1);
    table_schema(&bench->to, &to, 1);
    table_batch(&bench->from, texts, rows, NULL, &bench->batch);
    assert_ok(cast_open(&bench->from, &bench->to, &bench->cast, &err));
}

static void bench_close(struct bench *bench)
{
    batch_release(&bench->batch);
    cast_close(bench->cast);
    collector_release(&bench->collector);
    schema_release(&bench->from);
    schema_release(&bench->to);
}

#define REJECT "\1"

/* Each pair is one value in and what comes out; REJECT when it must not. */
struct example {
    const char *from, *to;
    const char *values[8][2];
    int64_t losses;
    const char *loss;
};

static const struct example examples[] = {
    {"int64",
     "int8",
     {{"127", "127"}, {"-128", "-128"}, {"128", REJECT}, {"-129", REJECT}, {NULL, NULL}},
     0,
     NULL},
    {"int8", "int64", {{"-128", "-128"}, {NULL, NULL}}, 0, NULL},
    {"int64", "uint64", {{"-1", REJECT}, {"9223372036854775807", "9223372036854775807"}}, 0, NULL},
    {"uint64", "int64", {{"9223372036854775808", REJECT}, {"1", "1"}}, 0, NULL},
    {"bool", "int8", {{"true", "1"}, {"false", "0"}}, 0, NULL},
    {"int8", "bool", {{"1", "true"}, {"0", "false"}, {"2", REJECT}, {"-1", REJECT}}, 0, NULL},
    {"uint64", "decimal(20,0)", {{"18446744073709551615", "18446744073709551615"}}, 0, NULL},
    {"int32", "decimal(5,2)", {{"999", "999.00"}, {"1000", REJECT}, {"-999", "-999.00"}}, 0, NULL},
    {"decimal(5,2)", "decimal(5,1)", {{"1.50", "1.5"}, {"1.55", REJECT}}, 0, NULL},
    {"decimal(38,0)",
     "decimal(38,1)",
     {{"99999999999999999999999999999999999999", REJECT}, {"1", "1.0"}},
     0,
     NULL},
    {"decimal(5,2)", "int8", {{"127.00", "127"}, {"128.00", REJECT}, {"0.50", REJECT}}, 0, NULL},
    {"decimal(20,2)",
     "float64",
     {{"0.10", "0.1"}, {"123456789012345678.91", "1.2345678901234568e17"}},
     1,
     "float precision"},
    {"int64",
     "float64",
     {{"9007199254740992", "9007199254740992.0"}, {"9007199254740993", "9007199254740992.0"}},
     1,
     "float precision"},
    {"int32", "float64", {{"2147483647", "2147483647.0"}}, 0, NULL},
    {"float64",
     "int32",
     {{"5.0", "5"}, {"5.5", REJECT}, {"nan", REJECT}, {"1e300", REJECT}, {"-0.0", REJECT}},
     0,
     NULL},
    {"float64",
     "float32",
     {{"0.5", "0.5"}, {"0.1", "0.1"}, {"1e300", REJECT}, {"inf", "inf"}, {"nan", "nan"}},
     1,
     "float precision"},
    {"float32", "float64", {{"0.5", "0.5"}}, 0, NULL},
    {"timestamp[us]",
     "timestamp[ns]",
     {{"2262-01-01 00:00:00", "2262-01-01 00:00:00"}, {"2263-01-01 00:00:00", REJECT}},
     0,
     NULL},
    {"timestamp[ns]",
     "timestamp[us]",
     {{"1969-12-31 23:59:59.999999999", "1969-12-31 23:59:59.999999"},
      {"2000-01-01 00:00:00.000001", "2000-01-01 00:00:00.000001"}},
     1,
     "digits beyond microseconds"},
    {"timestamp[us, UTC]",
     "timestamp[us]",
     {{"2000-01-01 00:00:00Z", "2000-01-01 00:00:00"}},
     1,
     "time zone"},
    {"timestamp[us]",
     "timestamp[us, UTC]",
     {{"2000-01-01 00:00:00", "2000-01-01 00:00:00Z"}, {NULL, NULL}},
     1,
     "taken as UTC"},
    {"time[ns]",
     "time[s]",
     {{"01:02:03", "01:02:03"}, {"01:02:03.5", "01:02:03"}},
     1,
     "digits beyond seconds"},
    {"time[s]", "time[ns]", {{"23:59:59", "23:59:59"}}, 0, NULL},
    {"date", "timestamp[us]", {{"2024-02-29", "2024-02-29 00:00:00"}}, 0, NULL},
    {"date", "timestamp[ns]", {{"9999-12-31", REJECT}}, 0, NULL},
    {"int64", "utf8", {{"-5", "-5"}, {NULL, NULL}}, 0, NULL},
    {"decimal(5,2)", "utf8", {{"1.50", "1.50"}}, 0, NULL},
    {"list<item: int8>", "utf8", {{"[\"1\", null]", "[1,null]"}}, 0, NULL},
    {"utf8", "int8", {{"5", "5"}, {"x", REJECT}, {"128", REJECT}, {"", REJECT}}, 0, NULL},
    {"utf8",
     "timestamp[us, UTC]",
     {{"2000-01-01 02:00:00+02:00", "2000-01-01 00:00:00Z"},
      {"2000-01-01 00:00:00Z", "2000-01-01 00:00:00Z"}},
     1,
     "offset"},
    {"utf8",
     "uuid",
     {{"00112233-4455-6677-8899-AABBCCDDEEFF", "00112233-4455-6677-8899-aabbccddeeff"}, {"x", REJECT}},
     0,
     NULL},
    {"uuid",
     "utf8",
     {{"00112233-4455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-aabbccddeeff"}},
     0,
     NULL},
    {"utf8", "binary", {{"ab", "6162"}, {"", ""}}, 0, NULL},
    {"binary", "utf8", {{"6162", "ab"}, {"ff", REJECT}}, 0, NULL},
    {"binary", "fixed_binary(2)", {{"6162", "6162"}, {"61", REJECT}}, 0, NULL},
    {"fixed_binary(2)", "binary", {{"6162", "6162"}}, 0, NULL},
    {"null", "int32", {{NULL, NULL}}, 0, NULL},
};

static int64_t losses_of(const struct collector *collector, const char *what)
{
    int64_t count = 0;
    for (const struct loss *loss = collector->losses; loss; loss = loss->next) {
        assert_string_equal(loss->what, what);
        count += loss->count;
    }
    return count;
}

static void check_example(const struct example *example)
{
    struct haul_error err = {0};
    struct bench bench;
    const char *in[8], *out[8], *rejected[8];
    int rows = 0, kept = 0, rejects = 0;
    for (; rows < 8 && (example->values[rows][0] || example->values[rows][1] || rows == 0); rows++)
        in[rows] = example->values[rows][0];
    if (rows < 8 && rows > 1 && !example->values[rows][0])
        in[rows++] = NULL; /* a NULL at the end, always */
    for (int i = 0; i < rows; i++) {
        const char *value = example->values[i][1];
        if (value && !strcmp(value, REJECT))
            rejected[rejects++] = in[i];
        else
            out[kept++] = value;
    }
    bench_open(&bench, example->from, example->to, in, rows);
    const char *loss = cast_loss(bench.cast, 0);
    assert_true(!example->loss || (loss && !strcmp(loss, example->loss)));
    assert_ok(cast_apply(bench.cast, &bench.context, &bench.batch, &err));
    assert_ptr_equal(bench.batch.schema, &bench.to);
    assert_int_equal(bench.batch.array.length, kept);
    for (int i = 0; i < kept; i++)
        table_expect(&bench.to.fields[0], bench.batch.array.children[0], i, out[i]);
    assert_int_equal(bench.collector.reject_count, rejects);
    int at = 0;
    for (const struct reject_node *node = bench.collector.rejects; node; node = node->next, at++) {
        assert_string_equal(node->reject.column, "c0");
        assert_int_equal(node->reject.value_length, strlen(rejected[at]));
        assert_memory_equal(node->reject.value, rejected[at], node->reject.value_length);
    }
    if (losses_of(&bench.collector, example->loss) != example->losses)
        fail_msg("%s to %s: wrong number of losses", example->from, example->to);
    bench_close(&bench);
}

static void test_pairs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
        check_example(&examples[i]);
}

static void test_identity_moves(void **state)
{
    (void)state;
    static const char *const texts[] = {"a", NULL};
    struct haul_error err = {0};
    struct bench bench;
    bench_open(&bench, "utf8", "utf8", texts, 2);
    const void *data = bench.batch.array.children[0]->buffers[2];
    assert_true(cast_is_identity(bench.cast));
    assert_ok(cast_apply(bench.cast, &bench.context, &bench.batch, &err));
    assert_ptr_equal(bench.batch.array.children[0]->buffers[2], data);
    assert_ptr_equal(bench.batch.schema, &bench.to);
    bench_close(&bench);
}

static void test_no_way(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"utf8", "list<item: int8>"}, {"date", "int32"},
                                           {"float64", "decimal(5,2)"},  {"int8", "null"},
                                           {"timestamp[us]", "date"},    {"int32", "binary"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct haul_error err = {0};
        struct schema from = {0}, to = {0};
        struct cast *cast = NULL;
        table_schema(&from, &pairs[i][0], 1);
        table_schema(&to, &pairs[i][1], 1);
        assert_int_equal(cast_open(&from, &to, &cast, &err), HAUL_UNSUPPORTED);
        assert_non_null(strstr(err.message, "c0"));
        schema_release(&from);
        schema_release(&to);
    }
}

/* Two columns; a row is given up once, and places count it. */
static void test_rows_and_places(void **state)
{
    (void)state;
    static const char *const from[] = {"int32", "utf8", "utf8"}, *const to[] = {"int8", "int32", "utf8"};
    static const char *const texts[] = {"1", "10", "a", "1000", "x", "b", "3", "y", "c", "4", "40", "d"};
    struct haul_error err = {0};
    struct bench bench;
    memset(&bench, 0, sizeof bench);
    bench.limit.max = -1;
    bench.collector.limit = &bench.limit;
    bench.context.collector = &bench.collector;
    table_schema(&bench.from, from, 3);
    table_schema(&bench.to, to, 3);
    table_batch(&bench.from, texts, 4, NULL, &bench.batch);
    bench.batch.part = 5;
    bench.batch.first_row = 100;
    assert_ok(cast_open(&bench.from, &bench.to, &bench.cast, &err));
    assert_ok(cast_apply(bench.cast, &bench.context, &bench.batch, &err));
    assert_int_equal(bench.collector.reject_count, 2);
    const struct reject *first = &bench.collector.rejects->reject,
                        *second = &bench.collector.rejects->next->reject;
    assert_int_equal(first->row, 101);
    assert_int_equal(second->row, 102);
    assert_int_equal(second->part, 5);
    assert_string_equal(second->column, "c1");
    assert_int_equal(bench.batch.array.length, 2);
    assert_int_equal(batch_place(&bench.batch, 1), 103);
    table_expect(&bench.to.fields[2], bench.batch.array.children[2], 1, "d");
    bench_close(&bench);
}

static void test_no_rejects_allowed(void **state)
{
    (void)state;
    static const char *const texts[] = {"1", "1000"};
    struct haul_error err = {0};
    struct bench bench;
    bench_open(&bench, "int32", "int8", texts, 2);
    bench.limit.max = 0;
    assert_int_equal(cast_apply(bench.cast, &bench.context, &bench.batch, &err), HAUL_VALUE);
    assert_non_null(strstr(err.message, "1000"));
    assert_non_null(strstr(err.message, "c0"));
    assert_int_equal(bench.batch.array.length, 2);
    bench_close(&bench);
}

static void test_small_budgets(void **state)
{
    (void)state;
    static const char *const texts[] = {"1", "1000", NULL, "x"};
    int failures = 0;
    for (size_t bytes = 16; bytes < 8192; bytes += 48) {
        struct haul_error err = {0};
        struct memory *memory = NULL;
        struct bench bench;
        bench_open(&bench, "utf8", "int32", texts, 4);
        assert_ok(memory_open(&memory, bytes, 1, &err));
        bench.context.memory = memory;
        bool failed = cast_apply(bench.cast, &bench.context, &bench.batch, &err) != HAUL_OK;
        failures += failed;
        assert_true(failed || bench.batch.array.length == 3);
        batch_release(&bench.batch);
        assert_int_equal(memory_used(memory), 0);
        bench_close(&bench);
        memory_close(memory);
    }
    assert_true(failures > 3 && failures < 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_identity_moves),
        cmocka_unit_test(test_no_way),
        cmocka_unit_test(test_rows_and_places),
        cmocka_unit_test(test_no_rejects_allowed),
        cmocka_unit_test(test_small_budgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
