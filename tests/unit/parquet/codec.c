/*
 * Codecs: what is compressed comes back; the framings only others write; sizes
 * that do not match, bytes that mean nothing, names and levels.
 */
#include "format/codec.h"

#include <lz4.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <zlib.h>

#include <cmocka.h>

#define TEXT_BYTES 100000

static uint8_t *sample(void)
{
    uint8_t *text = malloc(TEXT_BYTES);
    uint32_t seed = 7;
    assert_non_null(text);
    for (size_t i = 0; i < TEXT_BYTES; i++) {
        seed = seed * 1664525 + 1013904223;
        text[i] = i % 3 ? (uint8_t)('a' + i % 7) : (uint8_t)(seed >> 28);
    }
    return text;
}

static void round_trip(enum codec_id id, int level, const uint8_t *text, size_t length)
{
    struct codec *codec = NULL;
    struct haul_error err = {0};
    struct buffer out = {0};
    uint8_t *back = malloc(length + 1);
    assert_int_equal(codec_open(&codec, id, level, &err), HAUL_OK);
    assert_int_equal(buffer_append(&out, "head", 4, &err), HAUL_OK);
    for (int i = 0; i < 2; i++) { /* contexts are used again; output is appended */
        out.length = 4;
        assert_int_equal(codec_compress(codec, text, length, &out, &err), HAUL_OK);
        assert_int_equal(codec_decompress(codec, out.data + 4, out.length - 4, back, length, &err), HAUL_OK);
        assert_memory_equal(back, text, length);
    }
    assert_memory_equal(out.data, "head", 4);
    assert_int_equal(codec_decompress(codec, out.data + 4, out.length - 4, back, length + 1, &err),
                     HAUL_DATA);
    if (length) {
        assert_int_equal(codec_decompress(codec, out.data + 4, out.length - 4, back, length - 1, &err),
                         HAUL_DATA);
        assert_int_equal(codec_decompress(codec, out.data + 4, out.length - 5, back, length, &err),
                         HAUL_DATA);
    }
    codec_close(codec);
    buffer_release(&out);
    free(back);
}

static void test_round_trip(void **state)
{
    uint8_t *text = sample();
    (void)state;
    for (int id = CODEC_NONE; id < CODEC_LZ4_HADOOP; id++) {
        round_trip((enum codec_id)id, -1, text, TEXT_BYTES);
        round_trip((enum codec_id)id, -1, text, 1);
        round_trip((enum codec_id)id, -1, text, 0);
    }
    round_trip(CODEC_ZSTD, 9, text, TEXT_BYTES);
    round_trip(CODEC_GZIP, 1, text, TEXT_BYTES);
    free(text);
}

static enum haul_code decompress(enum codec_id id, const void *data, size_t length, void *out,
                                 size_t out_length)
{
    struct codec *codec = NULL;
    struct haul_error err = {0};
    assert_int_equal(codec_open(&codec, id, -1, &err), HAUL_OK);
    enum haul_code code = codec_decompress(codec, data, length, out, out_length, &err);
    codec_close(codec);
    return code;
}

static void test_gzip_members_and_zlib(void **state)
{
    struct codec *codec = NULL;
    struct haul_error err = {0};
    struct buffer two = {0};
    char out[12];
    uint8_t stream[64];
    uLongf length = sizeof stream;
    (void)state;
    assert_int_equal(codec_open(&codec, CODEC_GZIP, -1, &err), HAUL_OK);
    assert_int_equal(codec_compress(codec, "hello ", 6, &two, &err), HAUL_OK);
    assert_int_equal(codec_compress(codec, "world!", 6, &two, &err), HAUL_OK);
    codec_close(codec);
    assert_int_equal(decompress(CODEC_GZIP, two.data, two.length, out, 12), HAUL_OK);
    assert_memory_equal(out, "hello world!", 12);
    buffer_release(&two);
    assert_int_equal(compress(stream, &length, (const Bytef *)"hello world!", 12), Z_OK);
    memset(out, 0, sizeof out);
    assert_int_equal(decompress(CODEC_GZIP, stream, length, out, 12), HAUL_OK);
    assert_memory_equal(out, "hello world!", 12);
}

static size_t put_big_endian(uint8_t *at, size_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
    return 4;
}

static void test_lz4_hadoop(void **state)
{
    static const char text[] = "abcabcabcabcabcabcabcabcabcabcabcabc";
    char block[128], out[2 * sizeof text];
    uint8_t framed[512];
    size_t used = 0;
    int length = LZ4_compress_default(text, block, sizeof text, sizeof block);
    (void)state;
    assert_true(length > 0);
    assert_int_equal(decompress(CODEC_LZ4_HADOOP, block, (size_t)length, out, sizeof text), HAUL_OK);
    used += put_big_endian(framed, 2 * sizeof text); /* one frame of two chunks */
    for (int i = 0; i < 2; i++) {
        used += put_big_endian(framed + used, (size_t)length);
        memcpy(framed + used, block, (size_t)length);
        used += (size_t)length;
    }
    assert_int_equal(decompress(CODEC_LZ4_HADOOP, framed, used, out, sizeof out), HAUL_OK);
    assert_memory_equal(out + sizeof text, text, sizeof text);
    assert_int_equal(decompress(CODEC_LZ4_HADOOP, framed, used - 1, out, sizeof out), HAUL_DATA);
}

static void test_garbage(void **state)
{
    uint8_t noise[300], out[1000];
    (void)state;
    for (int id = CODEC_SNAPPY; id < CODEC_COUNT; id++) {
        for (uint32_t seed = 1; seed < 40; seed++) {
            uint32_t n = seed * 2654435761U;
            for (size_t i = 0; i < sizeof noise; i++)
                noise[i] = (uint8_t)((n = n * 1664525 + 1013904223) >> 24);
            assert_int_not_equal(decompress((enum codec_id)id, noise, seed * 7, out, sizeof out), HAUL_OK);
        }
        assert_int_not_equal(decompress((enum codec_id)id, noise, 0, out, 1), HAUL_OK);
    }
}

static void test_names(void **state)
{
    struct haul_error err = {0};
    enum codec_id id = CODEC_NONE;
    int level = 0;
    (void)state;
    assert_int_equal(codec_parse("ZSTD:3", &id, &level, &err), HAUL_OK);
    assert_int_equal(id, CODEC_ZSTD);
    assert_int_equal(level, 3);
    assert_int_equal(codec_parse("lz4", &id, &level, &err), HAUL_OK);
    assert_int_equal(id, CODEC_LZ4_RAW);
    assert_int_equal(level, -1);
    assert_int_equal(codec_parse("uncompressed", &id, &level, &err), HAUL_OK);
    assert_int_equal(id, CODEC_NONE);
    assert_int_equal(codec_parse("zstd:23", &id, &level, &err), HAUL_USAGE);
    assert_int_equal(codec_parse("zstd:", &id, &level, &err), HAUL_USAGE);
    assert_int_equal(codec_parse("snappy:1", &id, &level, &err), HAUL_USAGE);
    assert_int_equal(codec_parse("zst", &id, &level, &err), HAUL_USAGE);
    assert_int_equal(codec_parse("", &id, &level, &err), HAUL_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_gzip_members_and_zlib),
        cmocka_unit_test(test_lz4_hadoop), cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
