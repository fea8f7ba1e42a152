/* The encoders: known bytes of the specification, and back through the decoders. */
#include "format/parquet/bitpack.h"
#include "format/parquet/decode_delta.h"
#include "format/parquet/decode_hybrid.h"
#include "format/parquet/decode_plain.h"
#include "format/parquet/decode_split.h"
#include "format/parquet/decode_strings.h"
#include "format/parquet/encode_delta.h"
#include "format/parquet/encode_hybrid.h"
#include "format/parquet/encode_plain.h"
#include "format/parquet/encode_split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t seed;

static uint64_t next_random(void)
{
    uint64_t z = seed += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    return z ^ (z >> 29);
}

static void assert_bytes(const struct buffer *out, const char *hex)
{
    size_t length = strlen(hex) / 2;
    assert_int_equal(out->length, length);
    for (size_t i = 0; i < length; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], 0};
        assert_int_equal(out->data[i], strtoul(pair, NULL, 16));
    }
}

/* ---- bit packing ---- */

static bool packed_bit(const uint8_t *bytes, size_t bit)
{
    return bytes[bit / 8] >> (bit % 8) & 1;
}

static void every_width_packs_bit_by_bit(void **state)
{
    (void)state;
    seed = 1;
    for (int width = 0; width <= 64; width++) {
        uint64_t wide[32], mask = width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
        uint32_t narrow[32];
        uint8_t out[32 * 8 + BITPACK_SLACK];
        for (size_t i = 0; i < 32; i++) {
            wide[i] = next_random() & mask;
            narrow[i] = (uint32_t)wide[i];
        }
        for (int use_narrow = 0; use_narrow <= (width <= 32); use_narrow++) {
            memset(out, 0xEE, sizeof out);
            if (use_narrow)
                bitpack_u32(narrow, 4, width, out);
            else
                bitpack_u64(wide, 4, width, out);
            for (size_t bit = 0; bit < 32 * (size_t)width; bit++)
                assert_int_equal(packed_bit(out, bit),
                                 wide[bit / (size_t)width] >> (bit % (size_t)width) & 1);
        }
    }
    assert_int_equal(bitpack_width(0), 0);
    assert_int_equal(bitpack_width(1), 1);
    assert_int_equal(bitpack_width(255), 8);
    assert_int_equal(bitpack_width(UINT64_MAX), 64);
}

/* ---- hybrid ---- */

static void hybrid_has_the_bytes_of_the_specification(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct buffer out = {0}, scratch = {0};
    const uint32_t eight[] = {0, 1, 2, 3, 4, 5, 6, 7};
    assert_int_equal(encode_hybrid(eight, 8, 3, &out, &err), 0);
    assert_bytes(&out, "0388c6fa");
    buffer_clear(&out);
    const uint8_t bools[] = {1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1};
    assert_int_equal(encode_hybrid_bytes(bools, 16, 1, &scratch, &out, &err), 0);
    assert_bytes(&out, "05dddd");
    buffer_clear(&out);
    const uint8_t levels[] = {1, 0, 1};
    assert_int_equal(encode_hybrid_bytes(levels, 3, 1, &scratch, &out, &err), 0);
    assert_bytes(&out, "0305");
    buffer_clear(&out);
    assert_int_equal(encode_hybrid_run(5, 300, 9, &out, &err), 0);
    assert_bytes(&out, "d8040500");
    buffer_clear(&out);
    assert_int_equal(encode_hybrid(NULL, 0, 4, &out, &err), 0);
    assert_bytes(&out, "");
    buffer_release(&out);
    buffer_release(&scratch);
}

static void hybrid_uses_runs_where_they_are_shorter(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct buffer out = {0};
    uint32_t values[1000];
    for (size_t i = 0; i < 1000; i++)
        values[i] = i < 500 ? 3 : 4;
    assert_int_equal(encode_hybrid(values, 1000, 3, &out, &err), 0);
    assert_true(out.length < 10);
    buffer_clear(&out);
    for (size_t i = 0; i < 1000; i++)
        values[i] = i / 8 % 2; /* runs of 8 bits are no gain */
    assert_int_equal(encode_hybrid(values, 1000, 1, &out, &err), 0);
    assert_int_equal(out.length, 2 + 125);
    buffer_release(&out);
}

static void hybrid_round(size_t count, int width, unsigned repeat)
{
    struct haul_error err = {0};
    struct buffer out = {0};
    static uint32_t values[5000], back[5000];
    uint64_t mask = (UINT64_C(1) << width) - 1;
    for (size_t i = 0; i < count; i++)
        values[i] = i > 0 && next_random() % 100 < repeat ? values[i - 1] : (uint32_t)(next_random() & mask);
    assert_int_equal(encode_hybrid(values, count, width, &out, &err), 0);
    struct hybrid hybrid;
    assert_true(hybrid_init(&hybrid, (struct slice){out.data, out.length}, (unsigned)width));
    assert_true(hybrid_u32(&hybrid, back, count));
    assert_memory_equal(values, back, count * sizeof values[0]);
    buffer_release(&out);
}

static void hybrid_comes_back(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 7, 8, 9, 63, 64, 65, 1000, 4999};
    static const unsigned repeats[] = {0, 60, 90, 99, 100};
    seed = 2;
    for (int width = 1; width <= 32; width++)
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++)
            for (size_t r = 0; r < sizeof repeats / sizeof repeats[0]; r++)
                hybrid_round(counts[c], width, repeats[r]);
}

/* ---- delta ---- */

static void delta_has_the_bytes_of_the_specification(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct buffer out = {0};
    const uint32_t rising[] = {1, 2, 3, 4, 5}, mixed[] = {7, 5, 3, 1, 2, 3, 4, 5};
    assert_int_equal(encode_delta_i32(rising, 5, &out, &err), 0);
    assert_bytes(&out, "80010405020200000000");
    buffer_clear(&out);
    assert_int_equal(encode_delta_i32(mixed, 8, &out, &err), 0);
    assert_bytes(&out, "80010408"
                       "0e"
                       "0302000000"
                       "c03f000000000000");
    buffer_clear(&out);
    assert_int_equal(encode_delta_i64(NULL, 0, &out, &err), 0);
    assert_bytes(&out, "8001040000");
    buffer_release(&out);
}

static void delta_round_i32(const uint32_t *values, size_t count)
{
    struct haul_error err = {0};
    struct buffer out = {0};
    static uint32_t back[1000];
    assert_int_equal(encode_delta_i32(values, count, &out, &err), 0);
    assert_int_equal(out.length, encode_delta_measure_i32(values, count));
    struct delta delta;
    assert_null(delta_open(&delta, (struct slice){out.data, out.length}, true));
    assert_int_equal(delta_left(&delta), count);
    assert_null(delta_read(&delta, back, count));
    assert_memory_equal(values, back, count * sizeof values[0]);
    buffer_release(&out);
}

static void delta_round_i64(const uint64_t *values, size_t count)
{
    struct haul_error err = {0};
    struct buffer out = {0};
    static uint64_t back[1000];
    assert_int_equal(encode_delta_i64(values, count, &out, &err), 0);
    assert_int_equal(out.length, encode_delta_measure_i64(values, count));
    struct delta delta;
    assert_null(delta_open(&delta, (struct slice){out.data, out.length}, false));
    assert_null(delta_read(&delta, back, count));
    assert_memory_equal(values, back, count * sizeof values[0]);
    buffer_release(&out);
}

static void delta_comes_back(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 2, 32, 33, 34, 128, 129, 130, 257, 1000};
    static uint32_t narrow[1000];
    static uint64_t wide[1000];
    seed = 3;
    for (int bits = 0; bits <= 64; bits++) {
        for (size_t i = 0; i < 1000; i++) {
            wide[i] = bits ? next_random() >> (64 - bits) : 42;
            wide[i] = next_random() % 7 ? wide[i] : (uint64_t)INT64_MIN;
            narrow[i] = (uint32_t)wide[i] ^ (i % 97 ? 0 : 0x80000000u);
        }
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
            delta_round_i64(wide, counts[c]);
            delta_round_i32(narrow, counts[c]);
        }
    }
}

/* ---- strings, booleans, streams ---- */

static const uint8_t words[] = "HelloWorldFoobarABCDEF";
static const int32_t word_offsets[] = {0, 5, 10, 16, 22};
static const struct strings word_strings = {words, 22, word_offsets, word_offsets + 1};

static void strings_have_the_bytes_of_the_specification(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct buffer plain = {0}, out = {0}, scratch = {0};
    assert_int_equal(encode_plain_strings_bytes(&word_strings, 1, 2), 8 + 11);
    assert_int_equal(encode_plain_strings(&word_strings, 0, 2, &plain, &err), 0);
    assert_bytes(&plain, "0500000048656c6c6f05000000576f726c64");
    assert_int_equal(encode_plain_strings(&word_strings, 2, 2, &plain, &err), 0);
    assert_int_equal(encode_delta_length(plain.data, 4, &scratch, &out, &err), 0);
    assert_int_equal(out.length, 14 + 22);
    assert_memory_equal(out.data + 14, words, 22);
    out.length = 14;
    assert_bytes(&out, "800104040a0001000000"
                       "02000000");
    buffer_release(&plain);
    buffer_release(&out);
    buffer_release(&scratch);
}

static void strings_of_all_lengths_come_back(void **state)
{
    (void)state;
    enum { COUNT = 200 };
    struct haul_error err = {0};
    struct buffer out = {0}, tight = {0};
    int32_t offsets[COUNT + 1] = {0}, lengths[COUNT];
    for (int i = 0; i < COUNT; i++)
        offsets[i + 1] = offsets[i] + i % 70;
    size_t total = (size_t)offsets[COUNT], told = 0;
    assert_int_equal(buffer_resize(&tight, total, &err), 0);
    for (size_t i = 0; i < total; i++)
        tight.data[i] = (uint8_t)(i * 7);
    uint8_t *exact = malloc(total); /* so that a byte read too many is seen */
    memcpy(exact, tight.data, total);
    struct strings strings = {exact, total, offsets, offsets + 1};
    assert_int_equal(encode_plain_strings(&strings, 0, COUNT, &out, &err), 0);
    assert_int_equal(out.length, total + 4 * COUNT);
    struct plain plain = {.bytes = {out.data, out.length}};
    uint8_t *back = malloc(total + 32);
    assert_true(plain_lengths(&plain, lengths, COUNT, &told));
    assert_int_equal(told, total);
    plain_copy(&plain, lengths, COUNT, back);
    assert_memory_equal(back, exact, total);
    free(back);
    free(exact);
    buffer_release(&out);
    buffer_release(&tight);
}

static void bools_fill_bits_from_the_lowest(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct buffer out = {0};
    const uint8_t values[] = {1, 0, 1, 1, 0, 0, 0, 1, 1, 1};
    assert_int_equal(encode_plain_bools(values, 10, &out, &err), 0);
    assert_bytes(&out, "8d03");
    buffer_release(&out);
}

static void streams_are_split_by_byte(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct buffer out = {0};
    const float floats[] = {1.0f, 2.0f};
    assert_int_equal(encode_split((const uint8_t *)floats, 2, 4, &out, &err), 0);
    assert_bytes(&out, "000000008000"
                       "3f40");
    seed = 4;
    for (size_t width = 1; width <= 16; width++) {
        uint8_t values[100 * 16], back[100 * 16];
        for (size_t i = 0; i < 100 * width; i++)
            values[i] = (uint8_t)next_random();
        buffer_clear(&out);
        assert_int_equal(encode_split(values, 100, width, &out, &err), 0);
        struct split split;
        assert_true(split_open(&split, (struct slice){out.data, out.length}, width));
        assert_true(split_read(&split, back, 100));
        assert_memory_equal(values, back, 100 * width);
    }
    buffer_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_width_packs_bit_by_bit),
        cmocka_unit_test(hybrid_has_the_bytes_of_the_specification),
        cmocka_unit_test(hybrid_uses_runs_where_they_are_shorter),
        cmocka_unit_test(hybrid_comes_back),
        cmocka_unit_test(delta_has_the_bytes_of_the_specification),
        cmocka_unit_test(delta_comes_back),
        cmocka_unit_test(strings_have_the_bytes_of_the_specification),
        cmocka_unit_test(strings_of_all_lengths_come_back),
        cmocka_unit_test(bools_fill_bits_from_the_lowest),
        cmocka_unit_test(streams_are_split_by_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
