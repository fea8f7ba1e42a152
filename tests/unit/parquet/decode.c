/*
 * The decoders: the specification's examples byte by byte, edges of runs and
 * blocks, and input that is cut or impossible.
 */
#include "batch/batch.h"
#include "format/parquet/decode_delta.h"
#include "format/parquet/decode_hybrid.h"
#include "format/parquet/decode_plain.h"
#include "format/parquet/decode_split.h"
#include "format/parquet/decode_strings.h"
#include "format/parquet/spread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SLACK 32 /* readable bytes the decoders ask for behind their input */

/* A copy on the heap with exactly that slack, so that a sanitizer sees more. */
static struct slice padded(const void *bytes, size_t length)
{
    uint8_t *copy = calloc(1, length + SLACK);
    assert_non_null(copy);
    memcpy(copy, bytes, length);
    return (struct slice){copy, length};
}

static void drop(struct slice slice)
{
    free((void *)(uintptr_t)slice.data);
}

/* ---- hybrid ---- */

static void test_hybrid_packed(void **state)
{
    static const uint8_t bytes[] = {3, 0x88, 0xc6, 0xfa}; /* 0..7 with width 3 */
    struct slice input = padded(bytes, sizeof bytes);
    struct hybrid hybrid;
    uint32_t out[8];
    (void)state;
    assert_true(hybrid_init(&hybrid, input, 3));
    assert_true(hybrid_u32(&hybrid, out, 3));
    assert_true(hybrid_u32(&hybrid, out + 3, 5));
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(out[i], i);
    assert_false(hybrid_u32(&hybrid, out, 1));
    drop(input);
}

static void test_hybrid_mixed(void **state)
{
    static const uint8_t bytes[] = {20, 5,    0,   0,
                                    3,  0x88, 0xc6}; /* ten fives, an empty run, a packed run cut short */
    struct slice input = padded(bytes, sizeof bytes);
    struct hybrid hybrid;
    uint8_t out[18];
    (void)state;
    assert_true(hybrid_init(&hybrid, input, 3));
    assert_true(hybrid_u8(&hybrid, out, 18));
    for (int i = 0; i < 10; i++)
        assert_int_equal(out[i], 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(out[10 + i], i);
    assert_int_equal(out[15], 0); /* filled up with zeros */
    drop(input);
}

static void test_hybrid_refuses(void **state)
{
    static const uint8_t too_wide_value[] = {4, 8};
    static const uint8_t no_value[] = {4};
    static const uint8_t endless[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1};
    struct hybrid hybrid;
    uint32_t out[4];
    (void)state;
    struct slice a = padded(too_wide_value, sizeof too_wide_value), b = padded(no_value, sizeof no_value);
    struct slice c = padded(endless, sizeof endless);
    assert_false(hybrid_init(&hybrid, a, 33));
    assert_true(hybrid_init(&hybrid, a, 3));
    assert_false(hybrid_u32(&hybrid, out, 1));
    assert_true(hybrid_init(&hybrid, b, 3));
    assert_false(hybrid_u32(&hybrid, out, 1));
    assert_true(hybrid_init(&hybrid, c, 3));
    assert_false(hybrid_u32(&hybrid, out, 1));
    drop(a);
    drop(b);
    drop(c);
}

static void test_hybrid_bits(void **state)
{
    /* 100 ones, 16 packed bits 1011.., 50 zeros: at every starting bit */
    static const uint8_t bytes[] = {0xc8, 1, 1, 5, 0xdd, 0xdd, 100, 0};
    struct slice input = padded(bytes, sizeof bytes);
    (void)state;
    for (int64_t first = 0; first < 9; first++) {
        uint8_t bits[64];
        int64_t ones = 0, more = 0;
        struct hybrid hybrid;
        memset(bits, 0xff, sizeof bits);
        bit_clear(bits, first ? first - 1 : 60 * 8);
        assert_true(hybrid_init(&hybrid, input, 1));
        assert_true(hybrid_bits(&hybrid, bits, first, 107, &ones));
        assert_true(hybrid_bits(&hybrid, bits, first + 107, 59, &more));
        assert_int_equal(ones + more, 112);
        for (int64_t i = 0; i < 166; i++)
            assert_int_equal(bit_get(bits, first + i), i < 100 || (i < 116 && i % 4 != 1));
        for (int64_t i = 0; i < first; i++)
            assert_int_equal(bit_get(bits, i), i != first - 1); /* what stood before is kept */
    }
    drop(input);
}

/* ---- delta ---- */

static void check_delta(const uint8_t *bytes, size_t length, const int32_t *expected, size_t count)
{
    struct slice input = padded(bytes, length);
    struct delta delta;
    int32_t narrow[16];
    int64_t wide[16];
    assert_null(delta_open(&delta, input, true));
    assert_int_equal(delta_left(&delta), count);
    assert_null(delta_read(&delta, narrow, 2));
    assert_null(delta_read(&delta, narrow + 2, count - 2));
    assert_int_equal(delta_rest(&delta).length, 0);
    assert_non_null(delta_read(&delta, narrow, 1));
    assert_null(delta_open(&delta, input, false));
    assert_null(delta_read(&delta, wide, count));
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(narrow[i], expected[i]);
        assert_int_equal(wide[i], expected[i]);
    }
    drop(input);
}

static void test_delta_examples(void **state)
{
    static const uint8_t even[] = {0x80, 1, 4, 5, 2, 2, 0, 0, 0, 0};
    static const uint8_t mixed[] = {0x80, 1, 4, 8, 0x0e, 3, 2, 0, 0, 0, 0xc0, 0x3f, 0, 0, 0, 0, 0, 0};
    (void)state;
    check_delta(even, sizeof even, (const int32_t[]){1, 2, 3, 4, 5}, 5);
    check_delta(mixed, sizeof mixed, (const int32_t[]){7, 5, 3, 1, 2, 3, 4, 5}, 8);
}

static void test_delta_refuses(void **state)
{
    static const uint8_t zero_block[] = {0, 4, 5, 2};
    static const uint8_t odd_block[] = {0x81, 1, 4, 5, 2};
    static const uint8_t no_minis[] = {0x80, 1, 0, 5, 2};
    static const uint8_t small_minis[] = {0x80, 1, 8, 5, 2};
    static const uint8_t cut_header[] = {0x80, 1, 4};
    static const uint8_t cut_block[] = {0x80, 1, 4, 5, 2, 2, 0, 0};
    static const uint8_t wide[] = {0x80, 1, 4, 5, 2, 2, 65, 0, 0, 0};
    const struct slice inputs[] = {{zero_block, sizeof zero_block},
                                   {odd_block, sizeof odd_block},
                                   {no_minis, sizeof no_minis},
                                   {small_minis, sizeof small_minis},
                                   {cut_header, sizeof cut_header},
                                   {cut_block, sizeof cut_block},
                                   {wide, sizeof wide}};
    (void)state;
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        struct slice input = padded(inputs[i].data, inputs[i].length);
        struct delta delta;
        int64_t out[5];
        const char *problem = delta_open(&delta, input, false);
        if (!problem)
            problem = delta_read(&delta, out, 5);
        assert_non_null(problem);
        drop(input);
    }
}

/* ---- strings ---- */

static void read_strings(const uint8_t *bytes, size_t length, bool front_coded, const char *expected,
                         size_t count)
{
    struct slice input = padded(bytes, length);
    struct delta_strings strings;
    struct buffer data = {0};
    struct haul_error err = {0};
    int32_t lengths[8];
    delta_strings_init(&strings, NULL);
    assert_int_equal(delta_strings_open(&strings, input, count, front_coded, &err), HAUL_OK);
    assert_int_equal(delta_strings_within(&strings, count, 0), 0);
    assert_int_equal(delta_strings_within(&strings, count, SIZE_MAX), count);
    for (size_t i = 0; i < count; i++) /* one by one: the chain goes on between calls */
        assert_int_equal(delta_strings_read(&strings, lengths + i, 1, &data, &err), HAUL_OK);
    assert_int_equal(data.length, strlen(expected));
    assert_memory_equal(data.data, expected, data.length);
    assert_int_equal(delta_strings_read(&strings, lengths, 1, &data, &err), HAUL_DATA);
    buffer_release(&data);
    delta_strings_release(&strings);
    drop(input);
}

static void test_strings_examples(void **state)
{
    static const uint8_t plain[] =
        "\x80\x01\x04\x04\x0a\x00\x01\x00\x00\x00\x02\x00\x00\x00HelloWorldFoobarABCDEF";
    /* prefixes 0 2 0 3, suffix lengths 4 2 6 5: deltas 2 -2 3 and -2 4 -1, bit-packed by hand */
    static const uint8_t front[] =
        "\x80\x01\x04\x04\x00\x03\x03\x00\x00\x00\x44\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
        "\x80\x01\x04\x04\x08\x03\x03\x00\x00\x00\x70\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
        "axislebabbleyhood";
    (void)state;
    read_strings(plain, sizeof plain - 1, false, "HelloWorldFoobarABCDEF", 4);
    read_strings(front, sizeof front - 1, true, "axisaxlebabblebabyhood", 4);
}

static void test_strings_refuse(void **state)
{
    static const uint8_t beyond[] = "\x80\x01\x04\x02\x0a\x00\x00\x00\x00\x00Hello"; /* 5 and 5 */
    static const uint8_t first_prefix[] = "\x80\x01\x04\x01\x02\x80\x01\x04\x01\x02x";
    struct delta_strings strings;
    struct haul_error err = {0};
    (void)state;
    delta_strings_init(&strings, NULL);
    struct slice a = padded(beyond, sizeof beyond - 1), b = padded(first_prefix, sizeof first_prefix - 1);
    assert_int_equal(delta_strings_open(&strings, a, 2, false, &err), HAUL_DATA);
    assert_int_equal(delta_strings_open(&strings, a, 1, false, &err), HAUL_DATA); /* more than the page has */
    assert_int_equal(delta_strings_open(&strings, b, 1, true, &err), HAUL_DATA);
    delta_strings_release(&strings);
    drop(a);
    drop(b);
}

/* ---- the others ---- */

static void test_split(void **state)
{
    static const uint8_t bytes[] = {0, 0, 0, 0, 0x80, 0, 0x3f, 0x40};
    struct split split;
    float out[2];
    (void)state;
    assert_true(split_open(&split, (struct slice){bytes, sizeof bytes}, 4));
    assert_true(split_read(&split, (uint8_t *)out, 1));
    assert_true(split_read(&split, (uint8_t *)(out + 1), 1));
    assert_true(out[0] == 1.0F && out[1] == 2.0F);
    assert_false(split_read(&split, (uint8_t *)out, 1));
    assert_false(split_open(&split, (struct slice){bytes, 7}, 4));
}

static void test_plain_strings(void **state)
{
    static const uint8_t bytes[] = "\x03\0\0\0abc\0\0\0\0\x14\0\0\0twenty bytes of text\xff\xff\xff\xff";
    struct slice input = padded(bytes, sizeof bytes - 1);
    struct plain plain = {.bytes = input};
    int32_t lengths[4];
    size_t total = 0;
    uint8_t out[23 + SLACK];
    (void)state;
    assert_false(plain_lengths(&plain, lengths, 4, &total));
    assert_true(plain_lengths(&plain, lengths, 3, &total));
    assert_int_equal(total, 23);
    assert_int_equal(plain_within(&plain, 3, 5), 2);
    plain_copy(&plain, lengths, 3, out);
    assert_memory_equal(out, "abctwenty bytes of text", 23);
    assert_int_equal(plain.bytes.length, 4);
    drop(input);
}

static void spread_check(size_t width)
{
    uint8_t bits[8] = {0}, values[8 * 16 + SLACK] = {0}, expected[8 * 16] = {0};
    bit_set(bits, 4);
    bit_set(bits, 6);
    bit_set(bits, 9);
    for (size_t i = 0; i < 3; i++) { /* slots 1, 3 and 6 of eight, from bit 3 on */
        static const size_t slots[] = {1, 3, 6};
        memset(values + (5 + i) * width, (int)i + 1, width);
        memset(expected + slots[i] * width, (int)i + 1, width);
    }
    spread_fixed(values, width, &(struct slots){bits, 3, 8, 3});
    assert_memory_equal(values, expected, 8 * width);
}

static void test_spread(void **state)
{
    int32_t offsets[6] = {10, 0, 0, 0, 2, 5};
    uint8_t bits = 0x12;
    (void)state;
    spread_check(1);
    spread_check(2);
    spread_check(4);
    spread_check(8);
    spread_check(12);
    spread_check(16);
    spread_offsets(offsets, &(struct slots){&bits, 0, 5, 2});
    static const int32_t expected[6] = {10, 10, 12, 12, 12, 17};
    assert_memory_equal(offsets, expected, sizeof expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hybrid_packed),
        cmocka_unit_test(test_hybrid_mixed),
        cmocka_unit_test(test_hybrid_refuses),
        cmocka_unit_test(test_hybrid_bits),
        cmocka_unit_test(test_delta_examples),
        cmocka_unit_test(test_delta_refuses),
        cmocka_unit_test(test_strings_examples),
        cmocka_unit_test(test_strings_refuse),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_plain_strings),
        cmocka_unit_test(test_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
