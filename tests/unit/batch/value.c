/* value.c: values as text into builders and out of views; NULLs; budgets. */
#include "table.h"

#include "batch/array.h"

struct example {
    const char *type;
    const char *texts[8]; /* read and printed unchanged */
};

static const struct example examples[] = {
    {"bool", {"true", "false"}},
    {"int8", {"-128", "127", "0"}},
    {"uint8", {"0", "255"}},
    {"int16", {"-32768", "32767"}},
    {"uint16", {"65535"}},
    {"int32", {"-2147483648", "2147483647"}},
    {"uint32", {"4294967295"}},
    {"int64", {"-9223372036854775808", "9223372036854775807"}},
    {"uint64", {"18446744073709551615"}},
    {"float16", {"1.5", "inf", "nan", "65504.0", "-0.0"}},
    {"float32", {"0.1", "nan", "-inf", "-0.0"}},
    {"float64", {"0.1", "1.7976931348623157e308", "5e-324", "-0.0", "nan", "inf"}},
    {"decimal(5,2)", {"999.99", "-0.01", "0.00"}},
    {"decimal(38,0)", {"99999999999999999999999999999999999999"}},
    {"date", {"0001-01-01", "9999-12-31", "1969-12-31"}},
    {"time[s]", {"23:59:59"}},
    {"time[ns]", {"00:00:00", "12:00:00.000000001"}},
    {"timestamp[us]", {"2024-02-29 23:59:59.500000", "0001-01-01 00:00:00"}},
    {"timestamp[ns, UTC]", {"1969-12-31 23:59:59.999999999Z"}},
    {"duration[us]", {"PT0S", "PT1.500000S", "-PT0.000001S", "PT3600S"}},
    {"duration[s]", {"-PT9223372036854775808S"}},
    {"utf8", {"", "a", "Grüße, 世界"}},
    {"binary", {"", "00ff10"}},
    {"fixed_binary(2)", {"abcd"}},
    {"uuid", {"00112233-4455-6677-8899-aabbccddeeff"}},
};

static void test_text_round_trip(void **state)
{
    (void)state;
    for (size_t e = 0; e < sizeof examples / sizeof *examples; e++) {
        struct schema schema = {0};
        struct batch batch = {0};
        const char *rows[16];
        int count = 0;
        for (int i = 0; i < 8 && examples[e].texts[i]; i++) {
            rows[count++] = examples[e].texts[i];
            rows[count++] = NULL;
        }
        table_schema(&schema, &examples[e].type, 1);
        table_batch(&schema, rows, count, NULL, &batch);
        assert_int_equal(batch.array.children[0]->null_count, count / 2);
        for (int i = 0; i < count; i++)
            table_expect(&schema.fields[0], batch.array.children[0], i, rows[i]);
        batch_release(&batch);
        schema_release(&schema);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"bool", "yes"},
                                           {"int8", "128"},
                                           {"int8", "-129"},
                                           {"int8", ""},
                                           {"int8", " 1"},
                                           {"int8", "1.0"},
                                           {"uint8", "256"},
                                           {"uint8", "-1"},
                                           {"int64", "9223372036854775808"},
                                           {"uint64", "18446744073709551616"},
                                           {"float32", "1e39"},
                                           {"float64", "1e309"},
                                           {"float16", "70000"},
                                           {"float64", "1x"},
                                           {"decimal(5,2)", "1000"},
                                           {"decimal(5,2)", "0.001"},
                                           {"date", "2023-02-29"},
                                           {"date", "2023-1-1"},
                                           {"time[us]", "24:00:00"},
                                           {"time[s]", "00:00:00.5"},
                                           {"timestamp[us]", "2024-01-01 00:00:00Z"},
                                           {"timestamp[us]", "2024-01-01"},
                                           {"timestamp[us, Asia/Tokyo]", "2024-01-01 00:00:00"},
                                           {"timestamp[ns]", "2500-01-01 00:00:00"},
                                           {"duration[s]", "1"},
                                           {"duration[s]", "PT0.5S"},
                                           {"duration[s]", "PTS"},
                                           {"utf8", "\xff"},
                                           {"utf8", "\xed\xa0\x80"},
                                           {"binary", "abc"},
                                           {"binary", "xx"},
                                           {"fixed_binary(2)", "ab"},
                                           {"uuid", "00112233445566778899aabbccddeef"},
                                           {"null", ""},
                                           {"list<item: int8>", "[]"},
                                           {"struct<>", "{}"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct haul_error err = {0};
        struct schema schema = {0};
        struct builder builder;
        table_schema(&schema, &pairs[i][0], 1);
        assert_ok(builder_init(&builder, &schema.fields[0], NULL, &err));
        if (builder_append_text(&builder, pairs[i][1], strlen(pairs[i][1]), &err) != HAUL_VALUE)
            fail_msg("%s took \"%s\" (%s)", pairs[i][0], pairs[i][1], err.message);
        assert_int_equal(builder.length, 0);
        builder_release(&builder);
        schema_release(&schema);
    }
}

static void test_nested_prints_json(void **state)
{
    (void)state;
    static const char *const types[] = {"list<item: utf8>",
                                        "struct<a: int32, \"b\"\"c\": list<item: float64>>",
                                        "map<utf8, int32>", "map<int32, date>"};
    static const char *const rows[] = {"[\"a\", null, \"q\\\"\\\\\\n\\u0001\"]",
                                       "[\"1\", [\"1.5\", \"nan\"]]",
                                       "[[\"k\", \"1\"], [\"k\", null]]",
                                       "[[\"1\", \"2024-01-02\"]]",
                                       NULL,
                                       NULL,
                                       NULL,
                                       NULL,
                                       "[]",
                                       "[null, null]",
                                       "[]",
                                       "[]"};
    static const char *const printed[] = {"[\"a\",null,\"q\\\"\\\\\\n\\u0001\"]",
                                          "{\"a\":1,\"b\\\"c\":[1.5,\"nan\"]}",
                                          "{\"k\":1,\"k\":null}",
                                          "[[1,\"2024-01-02\"]]",
                                          NULL,
                                          NULL,
                                          NULL,
                                          NULL,
                                          "[]",
                                          "{\"a\":null,\"b\\\"c\":null}",
                                          "{}",
                                          "[]"};
    struct schema schema = {0};
    struct batch batch = {0};
    table_schema(&schema, types, 4);
    table_batch(&schema, rows, 3, NULL, &batch);
    for (int i = 0; i < 12; i++)
        table_expect(&schema.fields[i % 4], batch.array.children[i % 4], i / 4, printed[i]);
    batch_release(&batch);
    schema_release(&schema);
}

static void test_bulk(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct field field = {.name = "x", .type = TYPE_INT32};
    struct builder builder;
    struct ArrowArray array = {0};
    assert_ok(builder_init(&builder, &field, NULL, &err));
    for (int round = 0; round < 2; round++) { /* a finished builder is used again */
        assert_ok(builder_reserve(&builder, 100, 0, &err));
        for (int i = 0; i < 100; i++)
            ((int32_t *)(void *)builder.values.data)[i] = i * (round + 1);
        builder.length = 100;
        assert_ok(builder_append_null(&builder, &err));
        assert_ok(builder_reserve(&builder, 20, 0, &err));
        assert_int_equal(builder.validity.data[101 / 8] >> (101 % 8), 0);
        for (int i = 101; i < 121; i++) {
            ((int32_t *)(void *)builder.values.data)[i] = i;
            bit_set(builder.validity.data, i);
        }
        builder.length = 121;
        assert_ok(builder_append_i64(&builder, -7, &err));
        assert_ok(builder_finish(&builder, &array, &err));
        assert_int_equal(array.length, 122);
        assert_int_equal(array.null_count, 1);
        table_expect(&field, &array, 99, round ? "198" : "99");
        table_expect(&field, &array, 100, NULL);
        table_expect(&field, &array, 120, "120");
        table_expect(&field, &array, 121, "-7");
        array_release(&array);
        assert_null(array.release);
    }
    builder_release(&builder);
    builder_release(&builder);
}

static void test_finish_checks_children(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct schema schema = {0};
    struct builder builder;
    struct ArrowArray array = {0};
    static const char *const type = "struct<a: int8, b: int8>";
    table_schema(&schema, &type, 1);
    assert_ok(builder_init(&builder, &schema.fields[0], NULL, &err));
    assert_ok(builder_append_i64(&builder.children[0], 1, &err));
    assert_int_equal(builder_finish(&builder, &array, &err), HAUL_INTERNAL);
    assert_null(array.release);
    builder_release(&builder);
    schema_release(&schema);
}

/* With every budget the batch is whole or there is an error and nothing is held. */
static void test_small_budgets(void **state)
{
    (void)state;
    static const char *const types[] = {"int64", "utf8", "list<item: struct<a: utf8, b: bool>>"};
    struct schema schema = {0};
    int failures = 0;
    table_schema(&schema, types, 3);
    for (size_t bytes = 64; bytes < 65536; bytes += bytes / 4) {
        struct haul_error err = {0};
        struct memory *memory = NULL;
        struct batch_builder builder = {0};
        struct batch batch = {0};
        assert_ok(memory_open(&memory, bytes, 1, &err));
        enum haul_code code = batch_builder_init(&builder, &schema, memory, &err);
        for (int i = 0; !code && i < 200; i++) {
            struct builder *items = &builder.columns[2].children[0];
            code = builder_append_i64(&builder.columns[0], i, &err);
            code = code ? code : builder_append_bytes(&builder.columns[1], "some text", 9, &err);
            code = code ? code : builder_append_bytes(&items->children[0], "more", 4, &err);
            code = code ? code : builder_append_bool(&items->children[1], i % 2, &err);
            code = code ? code : builder_append_struct(items, &err);
            code = code ? code : builder_append_list(&builder.columns[2], &err);
        }
        if (!code)
            code = batch_builder_finish(&builder, &batch, &err);
        assert_int_equal(code, err.code);
        failures += code != HAUL_OK;
        assert_true(code || batch.array.length == 200);
        batch_release(&batch);
        batch_builder_release(&builder);
        assert_int_equal(memory_used(memory), 0);
        memory_close(memory);
    }
    assert_true(failures > 3);
    schema_release(&schema);
}

static void test_view_checks_shape(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct field field = {.name = "x", .type = TYPE_UTF8};
    struct builder builder;
    struct ArrowArray array = {0};
    struct view view;
    assert_ok(builder_init(&builder, &field, NULL, &err));
    assert_ok(builder_append_bytes(&builder, "abc", 3, &err));
    assert_ok(builder_finish(&builder, &array, &err));
    builder_release(&builder);
    array.offset = 1;
    assert_int_equal(view_init(&view, &field, &array, &err), HAUL_DATA);
    array.offset = 0;
    array.n_buffers = 2;
    assert_int_equal(view_init(&view, &field, &array, &err), HAUL_DATA);
    array.n_buffers = 3;
    array.null_count = 1;
    assert_int_equal(view_init(&view, &field, &array, &err), HAUL_DATA);
    array.null_count = 0;
    const void *kept = array.buffers[2];
    array.buffers[2] = NULL;
    assert_int_equal(view_init(&view, &field, &array, &err), HAUL_DATA);
    array.buffers[2] = kept;
    field.type = TYPE_INT32;
    assert_int_equal(view_init(&view, &field, &array, &err), HAUL_DATA);
    array_release(&array);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_round_trip),        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_nested_prints_json),     cmocka_unit_test(test_bulk),
        cmocka_unit_test(test_finish_checks_children), cmocka_unit_test(test_small_budgets),
        cmocka_unit_test(test_view_checks_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
