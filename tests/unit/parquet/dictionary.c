/* The dictionary: order of appearance, limits, hostile values, and back. */
#include "format/parquet/dictionary.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define COUNT 20000

static void integers(size_t width)
{
    struct haul_error err = {0};
    struct dictionary dictionary;
    struct buffer back = {0};
    static uint8_t values[COUNT * 8];
    static uint32_t indices[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        uint64_t value = (i * i) % 4099 - 17; /* 0 and negative ones, too */
        memcpy(values + i * width, &value, width);
    }
    size_t done = 0;
    dictionary_init(&dictionary, width, 1 << 20, NULL);
    assert_int_equal(dictionary_add_fixed(&dictionary, values, COUNT, indices, &done, &err), 0);
    assert_int_equal(done, COUNT);
    assert_int_equal(dictionary.values.length, dictionary.count * width);
    uint32_t known = 0;
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(indices[i] <= known);
        known += indices[i] == known;
    }
    assert_int_equal(known, dictionary.count);
    assert_int_equal(dictionary_expand(&dictionary, indices, COUNT, &back, &err), 0);
    assert_memory_equal(back.data, values, COUNT * width);
    assert_true(dictionary.steps < COUNT);
    buffer_release(&back);
    dictionary_release(&dictionary);
    dictionary_release(&dictionary);
}

static void integers_get_indices_by_appearance(void **state)
{
    (void)state;
    integers(4);
    integers(8);
    integers(3);
}

static void fixed_values_of_any_width(void **state)
{
    (void)state;
    struct haul_error err = {0};
    for (size_t width = 1; width <= 40; width++) {
        struct dictionary dictionary;
        uint8_t values[200 * 40];
        uint32_t indices[200];
        size_t done = 0;
        for (size_t i = 0; i < 200 * width; i++)
            values[i] = (uint8_t)(i / width % 50 * (i % width == width - 1)); /* differ in the last byte */
        dictionary_init(&dictionary, width, 1 << 20, NULL);
        assert_int_equal(dictionary_add_fixed(&dictionary, values, 200, indices, &done, &err), 0);
        assert_int_equal(dictionary.count, 50);
        assert_int_equal(indices[199], 49);
        dictionary_release(&dictionary);
    }
}

/* Strings that are prefixes of one another, end in zeros, or are empty. */
static void strings_differ_by_length_and_content(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct dictionary dictionary;
    struct buffer data = {0}, back = {0}, plain = {0};
    enum { LENGTHS = 60, KINDS = 3, STRINGS = LENGTHS * KINDS * 2 };
    int32_t offsets[STRINGS + 1] = {0};
    uint32_t indices[STRINGS];
    size_t at = 0, done = 0;
    for (int twice = 0; twice < 2; twice++)
        for (int length = 0; length < LENGTHS; length++)
            for (int kind = 0; kind < KINDS; kind++, at++) {
                assert_int_equal(buffer_resize(&data, data.length + (size_t)length, &err), 0);
                for (int i = 0; i < length; i++)
                    data.data[offsets[at] + i] = (uint8_t)(kind == 0   ? 0
                                                           : kind == 1 ? 'a'
                                                                       : 'a' + (i == length / 2));
                offsets[at + 1] = offsets[at] + length;
            }
    struct strings strings = {data.data, data.length, offsets, offsets + 1};
    dictionary_init(&dictionary, 0, 1 << 20, NULL);
    assert_int_equal(dictionary_add_strings(&dictionary, &strings, STRINGS, indices, &done, &err), 0);
    assert_int_equal(done, STRINGS);
    assert_int_equal(dictionary.count, LENGTHS * KINDS - 2); /* the empty one is the same thrice */
    assert_memory_equal(indices, indices + STRINGS / 2, sizeof indices / 2);
    assert_int_equal(encode_plain_strings(&strings, 0, STRINGS, &plain, &err), 0);
    assert_int_equal(dictionary_expanded_bytes(&dictionary, indices, STRINGS), plain.length);
    assert_int_equal(dictionary_expand(&dictionary, indices, STRINGS, &back, &err), 0);
    assert_memory_equal(back.data, plain.data, plain.length);
    buffer_release(&data);
    buffer_release(&back);
    buffer_release(&plain);
    dictionary_release(&dictionary);
}

/* 1600 bytes: 200 values of 8 bytes, but only 64 of them, for the table's sake. */
static void it_stops_exactly_where_it_is_full(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct dictionary dictionary;
    uint64_t values[500];
    uint32_t indices[500];
    size_t done = 0;
    for (size_t i = 0; i < 500; i++)
        values[i] = i / 2;
    dictionary_init(&dictionary, 8, 1600, NULL);
    assert_int_equal(dictionary.count_max, 64);
    assert_int_equal(dictionary_add_fixed(&dictionary, (const uint8_t *)values, 500, indices, &done, &err),
                     0);
    assert_int_equal(done, 128);
    assert_int_equal(dictionary.count, 64);
    /* known values still find their place */
    assert_int_equal(dictionary_add_fixed(&dictionary, (const uint8_t *)values, 100, indices, &done, &err),
                     0);
    assert_int_equal(done, 100);
    dictionary_clear(&dictionary);
    assert_int_equal(
        dictionary_add_fixed(&dictionary, (const uint8_t *)(values + 300), 100, indices, &done, &err), 0);
    assert_int_equal(dictionary.count, 50);
    dictionary_release(&dictionary);

    const uint8_t text[100] = {0};
    const int32_t starts[] = {0, 0, 0}, ends[] = {20, 10, 20};
    struct strings strings = {text, 100, starts, ends};
    dictionary_init(&dictionary, 0, 30, NULL); /* 24 bytes for the first, 14 needed for the second */
    assert_int_equal(dictionary_add_strings(&dictionary, &strings, 3, indices, &done, &err), 0);
    assert_int_equal(done, 1);
    dictionary_release(&dictionary);
}

/* Keys of one slot: they must be found all the same, and be seen in `steps`. */
static void colliding_values_are_counted(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct dictionary dictionary;
    uint64_t values[4000], found = 0;
    uint32_t indices[4000];
    size_t done = 0;
    for (uint64_t i = 1; found < 4000; i++) {
        uint64_t hash = (i ^ i >> 32) * UINT64_C(0x9E3779B97F4A7C15);
        if (hash >> 52 == 7)
            values[found++] = i;
    }
    dictionary_init(&dictionary, 8, 1 << 20, NULL);
    assert_int_equal(dictionary_add_fixed(&dictionary, (const uint8_t *)values, 4000, indices, &done, &err),
                     0);
    assert_int_equal(dictionary.count, 4000);
    for (uint32_t i = 0; i < 4000; i++)
        assert_int_equal(indices[i], i);
    assert_true(dictionary.steps > 32 * 4000);
    dictionary_release(&dictionary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_get_indices_by_appearance),
        cmocka_unit_test(fixed_values_of_any_width),
        cmocka_unit_test(strings_differ_by_length_and_content),
        cmocka_unit_test(it_stops_exactly_where_it_is_full),
        cmocka_unit_test(colliding_values_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
