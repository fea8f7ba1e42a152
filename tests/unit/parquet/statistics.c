/* Bounds by each type's order, NaN and zero rules, cutting of long ones. */
#include "format/parquet/statistics.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define RANGE(order, type, least, greatest, ...)                                                             \
    do {                                                                                                     \
        const type values[] = {__VA_ARGS__};                                                                 \
        const type min = (least), max = (greatest);                                                          \
        struct bounds bounds = {0};                                                                          \
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) /* one by one, and merged */           \
            bounds_add_fixed(&bounds, order, (const uint8_t *)&values[i], 1, sizeof min);                    \
        struct bounds all = {0};                                                                             \
        bounds_add_fixed(&all, order, (const uint8_t *)values, sizeof values / sizeof values[0],             \
                         sizeof min);                                                                        \
        assert_true(bounds.any &&all.any);                                                                   \
        assert_int_equal(bounds.min.length, sizeof min);                                                     \
        assert_memory_equal(bounds.min.bytes, &min, sizeof min);                                             \
        assert_memory_equal(bounds.max.bytes, &max, sizeof max);                                             \
        assert_memory_equal(all.min.bytes, &min, sizeof min);                                                \
        assert_memory_equal(all.max.bytes, &max, sizeof max);                                                \
    } while (0)

static void numbers_are_ordered_by_their_type(void **state)
{
    (void)state;
    RANGE(ORDER_BOOL, uint8_t, 0, 1, 1, 0, 1);
    RANGE(ORDER_I32, int32_t, INT32_MIN, 5, 5, -1, INT32_MIN, 0);
    RANGE(ORDER_U32, uint32_t, 0, UINT32_MAX, 5, UINT32_MAX, 0);
    RANGE(ORDER_I64, int64_t, INT64_MIN, INT64_MAX, 0, INT64_MAX, INT64_MIN);
    RANGE(ORDER_U64, uint64_t, 1, UINT64_MAX, 1, UINT64_MAX, 7);
    RANGE(ORDER_F64, double, -INFINITY, 3.5, 3.5, -INFINITY, -2);
    RANGE(ORDER_F32, float, -2.0f, 3.5f, 3.5f, -2.0f, 1.0f);
}

static void zeros_are_written_with_both_signs(void **state)
{
    (void)state;
    RANGE(ORDER_F64, double, -0.0, 0.0, 0.0, 0.0);
    RANGE(ORDER_F64, double, -0.0, 0.0, -0.0);
    RANGE(ORDER_F32, float, -0.0f, 1.0f, 0.0f, 1.0f);
    RANGE(ORDER_F16, uint16_t, 0x8000, 0x3C00, 0x0000, 0x3C00); /* 0, 1 */
    RANGE(ORDER_F16, uint16_t, 0xC000, 0x0000, 0xC000, 0x8000); /* -2, -0 */
}

static void nan_is_counted_and_never_a_bound(void **state)
{
    (void)state;
    const double values[] = {NAN, 2, NAN, 1};
    struct bounds bounds = {0};
    bounds_add_fixed(&bounds, ORDER_F64, (const uint8_t *)values, 4, 8);
    double min, max;
    memcpy(&min, bounds.min.bytes, 8);
    memcpy(&max, bounds.max.bytes, 8);
    assert_true(min == 1 && max == 2 && bounds.nan_count == 2);
    struct bounds none = {0};
    bounds_add_fixed(&none, ORDER_F64, (const uint8_t *)values, 1, 8);
    assert_true(!none.any && none.nan_count == 1);
    bounds_merge(&none, &bounds, ORDER_F64);
    assert_true(none.any && none.nan_count == 3);
    const uint16_t halves[] = {0x7E00, 0xFE00, 0x7C00};
    struct bounds half = {0};
    bounds_add_fixed(&half, ORDER_F16, (const uint8_t *)halves, 3, 2);
    assert_int_equal(half.nan_count, 2);
    assert_memory_equal(half.min.bytes, &halves[2], 2); /* infinity is a value */
}

static void decimals_are_ordered_as_signed_big_endian(void **state)
{
    (void)state;
    const uint8_t values[] = {0x00, 0x05, 0xFF, 0xFE, 0x80, 0x00, 0x7F, 0xFF};
    struct bounds bounds = {0};
    bounds_add_fixed(&bounds, ORDER_DECIMAL, values, 4, 2);
    assert_memory_equal(bounds.min.bytes, values + 4, 2);
    assert_memory_equal(bounds.max.bytes, values + 6, 2);
    bounds = (struct bounds){0};
    bounds_add_fixed(&bounds, ORDER_BYTES, values, 4, 2);
    assert_memory_equal(bounds.min.bytes, values, 2);
    assert_memory_equal(bounds.max.bytes, values + 2, 2);
}

static void assert_string_bounds(const char *const *texts, const size_t *lengths, size_t count, size_t least,
                                 size_t greatest)
{
    struct bounds bounds = {0};
    for (size_t i = 0; i < count; i++) {
        uint8_t *exact = malloc(lengths[i] + 1);
        memcpy(exact, texts[i], lengths[i]);
        int32_t start = 0, end = (int32_t)lengths[i];
        struct strings one = {exact, lengths[i], &start, &end};
        bounds_add_strings(&bounds, &one, 0, 1);
        free(exact);
    }
    assert_int_equal(bounds.min.length, lengths[least]);
    assert_memory_equal(bounds.min.bytes, texts[least], lengths[least]);
    assert_int_equal(bounds.max.length, lengths[greatest]);
    assert_memory_equal(bounds.max.bytes, texts[greatest], lengths[greatest]);
}

static void strings_are_ordered_bytewise(void **state)
{
    (void)state;
    const char *texts[] = {
        "b", "a", "ab", "a\0", "", "\xC3\xBC", "prefix that is the same 1", "prefix that is the same 2"};
    const size_t lengths[] = {1, 1, 2, 2, 0, 2, 25, 25};
    assert_string_bounds(texts, lengths, 4, 1, 0);
    assert_string_bounds(texts, lengths, 8, 4, 5);
    assert_string_bounds(texts + 6, lengths + 6, 2, 0, 1);
    assert_string_bounds(texts + 1, lengths + 1, 3, 0, 1);
    assert_string_bounds(texts + 3, lengths + 3, 1, 0, 0);
}

static struct bound bound_of(const void *bytes, size_t length)
{
    struct bound bound = {.length = (uint8_t)length};
    memcpy(bound.bytes, bytes, length);
    return bound;
}

static void long_bounds_are_cut_and_still_bound(void **state)
{
    (void)state;
    bool exact;
    char text[BOUND_BYTES + 1];
    memset(text, 'x', sizeof text);
    struct bound whole = bound_of(text, STATISTICS_BYTES_MAX);
    assert_true(bound_cut_max(&whole, ORDER_TEXT, &exact) && exact);
    assert_int_equal(whole.length, STATISTICS_BYTES_MAX);

    struct bound min = bound_of(text, BOUND_BYTES), max = min;
    bound_cut_min(&min, ORDER_TEXT, &exact);
    assert_true(!exact && min.length == STATISTICS_BYTES_MAX);
    assert_true(bound_cut_max(&max, ORDER_TEXT, &exact) && !exact);
    assert_int_equal(max.bytes[STATISTICS_BYTES_MAX - 1], 'y');

    memset(text, 0xFF, sizeof text);
    struct bound full = bound_of(text, BOUND_BYTES);
    assert_false(bound_cut_max(&full, ORDER_BYTES, &exact));
    text[10] = 5;
    struct bound some = bound_of(text, BOUND_BYTES);
    assert_true(bound_cut_max(&some, ORDER_BYTES, &exact));
    assert_int_equal(some.length, 11);
    assert_int_equal(some.bytes[10], 6);
}

/* The last characters of a cut text, and what stands for them. */
static void cut_texts_stay_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *tail, *cut;
    } rows[] = {
        {"\xC3\xA9", "\xC3\xAA"},                 /* é to ê */
        {"\xED\x9F\xBF", "\xEE\x80\x80"},         /* U+D7FF to U+E000 */
        {"\x7F", NULL},                           /* no one-byte character behind: the one before grows */
        {"\xDF\xBF", NULL},                       /* U+07FF: the next is longer */
        {"\xF0\x9F\x98\x80", "\xF0\x9F\x98\x81"}, /* an emoji */
        {"\xF4\x8F\xBF\xBF", NULL},               /* U+10FFFF is the last */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t tail = strlen(rows[i].tail), body = STATISTICS_BYTES_MAX - tail;
        char text[BOUND_BYTES];
        bool exact;
        memset(text, 'x', sizeof text);
        memcpy(text + body, rows[i].tail, tail);
        struct bound max = bound_of(text, BOUND_BYTES);
        assert_true(bound_cut_max(&max, ORDER_TEXT, &exact) && !exact);
        if (rows[i].cut) {
            assert_int_equal(max.length, STATISTICS_BYTES_MAX);
            assert_memory_equal(max.bytes + body, rows[i].cut, tail);
        } else {
            assert_int_equal(max.length, body);
            assert_int_equal(max.bytes[body - 1], 'y');
        }
    }
    char text[BOUND_BYTES];
    bool exact;
    memset(text, 'x', sizeof text);
    memcpy(text + STATISTICS_BYTES_MAX - 1, "\xC3\xA9", 2); /* a character over the edge */
    struct bound min = bound_of(text, BOUND_BYTES);
    bound_cut_min(&min, ORDER_TEXT, &exact);
    assert_int_equal(min.length, STATISTICS_BYTES_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_ordered_by_their_type),
        cmocka_unit_test(zeros_are_written_with_both_signs),
        cmocka_unit_test(nan_is_counted_and_never_a_bound),
        cmocka_unit_test(decimals_are_ordered_as_signed_big_endian),
        cmocka_unit_test(strings_are_ordered_bytewise),
        cmocka_unit_test(long_bounds_are_cut_and_still_bound),
        cmocka_unit_test(cut_texts_stay_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
