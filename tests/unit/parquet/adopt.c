/*
 * What combine decides by itself: whose statistics are believed, which keys of
 * many footers stay, and that a head survives its receipt. Whole files are
 * combined in tests/e2e/test_combine.py.
 */
#include "format/parquet/distrust.h"
#include "format/parquet/head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct slice text(const char *text)
{
    return (struct slice){(const uint8_t *)text, strlen(text)};
}

static void created_by_is_judged(void **state)
{
    (void)state;
    static const struct {
        const char *created_by;
        bool unsigned_wrong, chunks_short;
    } cases[] = {
        {"parquet-mr version 1.9.9 (build x)", true, false},
        {"parquet-mr version 1.10.0 (build x)", false, false},
        {"parquet-mr version 1.2.8", true, true},
        {"parquet-mr version 1.2.9", true, false},
        {"parquet-mr", true, true},
        {"parquet-mr version 2.0", false, false},
        {"parquet-cpp version 1.2.9", true, false},
        {"parquet-cpp version 1.3.0", false, false},
        {"parquet-cpp-arrow version 0.1.0", false, false},
        {"", false, false},
        {"DuckDB version v1.0.0 (build 1)", false, false},
        {"parquet-mr version ", true, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct file_metadata meta = {.created_by = text(cases[i].created_by)};
        struct distrust distrust = distrust_of(&meta);
        assert_int_equal(distrust.unsigned_wrong, cases[i].unsigned_wrong);
        assert_int_equal(distrust.chunks_short, cases[i].chunks_short);
    }
}

static void bounds_go_by_order(void **state)
{
    (void)state;
    struct column_order order = {.has = 1u << COLUMN_ORDER_TYPE};
    struct file_metadata meta = {.created_by = text("other version 1.0.0")};
    struct field number = {.name = "n", .type = TYPE_INT32}, words = {.name = "s", .type = TYPE_UTF8};
    struct node leaf = {.field = &number, .physical = PARQUET_INT32};
    struct node string = {.field = &words, .physical = PARQUET_BYTE_ARRAY};
    uint32_t all = 1u << STATISTICS_MIN | 1u << STATISTICS_MAX | 1u << STATISTICS_MIN_OLD |
                   1u << STATISTICS_MAX_OLD | 1u << STATISTICS_NULL_COUNT;
    struct distrust distrust = distrust_of(&meta);
    struct statistics statistics = {.has = all};
    distrust_clean(&distrust, &leaf, 0, &statistics); /* no order stated */
    assert_false(thrift_has(&statistics, STATISTICS_MIN));
    assert_true(thrift_has(&statistics, STATISTICS_MIN_OLD) &&
                thrift_has(&statistics, STATISTICS_NULL_COUNT));
    meta.column_orders.items = &order;
    meta.column_orders.count = 1;
    statistics.has = all;
    distrust_clean(&distrust, &leaf, 0, &statistics);
    assert_int_equal(statistics.has, all);
    distrust_clean(&distrust, &string, 0, &statistics);
    assert_true(thrift_has(&statistics, STATISTICS_MAX));
    assert_false(thrift_has(&statistics, STATISTICS_MAX_OLD));
    float nan = __builtin_nanf("");
    struct field real = {.name = "f", .type = TYPE_FLOAT32};
    struct node floats = {.field = &real, .physical = PARQUET_FLOAT};
    statistics = (struct statistics){.has = all, .max = {(const uint8_t *)&nan, sizeof nan}};
    distrust_clean(&distrust, &floats, 0, &statistics);
    assert_false(thrift_has(&statistics, STATISTICS_MIN));
    leaf.physical = PARQUET_INT96;
    assert_false(distrust_allows(&distrust, &leaf, 0));
}

static struct key_value pair(const char *key, const char *value)
{
    return (struct key_value){.has = 1u << KEY_VALUE_VALUE, .key = text(key), .value = text(value)};
}

static void heads_keep_what_agrees(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct schema_element root = {.name = text("schema")};
    struct key_value one[] = {pair("a", "1"), pair("b", "2")}, two[] = {pair("b", "other"), pair("a", "1")};
    struct file_metadata first = {.version = 1, .has = 1u << FILE_KEY_VALUES}, second = first;
    first.schema.items = second.schema.items = &root;
    first.schema.count = second.schema.count = 1;
    first.key_values.items = one;
    second.key_values.items = two;
    first.key_values.count = second.key_values.count = 2;
    struct head head = {0}, again = {0};
    char dropped[HEAD_KEY_BYTES];
    bool changed = false;
    assert_int_equal(head_merge(&head, &first, &changed, dropped, &err), HAUL_OK);
    assert_true(changed && !dropped[0]);
    assert_int_equal(head_merge(&head, &first, &changed, dropped, &err), HAUL_OK);
    assert_false(changed);
    assert_int_equal(head_merge(&head, &second, &changed, dropped, &err), HAUL_OK);
    assert_true(changed);
    assert_string_equal(dropped, "b");
    assert_int_equal(head.meta.key_values.count, 1);

    struct buffer record = {0};
    size_t used = 0;
    assert_int_equal(head_write(&head, &record, &err), HAUL_OK);
    struct slice data = {record.data, record.length};
    assert_true(head_is_next(data) && head_skip(data) == record.length);
    assert_int_equal(head_read(&again, data, &used, &err), HAUL_OK);
    assert_int_equal(used, record.length);
    assert_int_equal(again.bytes.length, head.bytes.length);
    assert_memory_equal(again.bytes.data, head.bytes.data, head.bytes.length);
    for (size_t cut = 0; cut < record.length; cut++) {
        struct head broken = {0};
        assert_int_not_equal(head_read(&broken, (struct slice){record.data, cut}, &used, &err), HAUL_OK);
        head_release(&broken);
    }
    buffer_release(&record);
    head_release(&again);
    head_release(&again);
    head_release(&head);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(created_by_is_judged),
        cmocka_unit_test(bounds_go_by_order),
        cmocka_unit_test(heads_keep_what_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
