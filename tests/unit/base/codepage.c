/* Code pages: every byte there and back, and what a page does not have. */
#include "base/codepage.h"
#include "base/unicode.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static const int pages[] = {437,  850,  874,  932,  936,  949,  950,  1250,         1251,
                            1252, 1253, 1254, 1255, 1256, 1257, 1258, CODEPAGE_UTF8};

static size_t put_code(uint32_t code, uint8_t *out)
{
    size_t bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = bytes - 1; i > 0; i--, code >>= 6)
        out[i] = (uint8_t)(0x80 | (code & 0x3f));
    out[0] = (uint8_t)(bytes == 1 ? code : (0xf00 >> bytes & 0xff) | code);
    return bytes;
}

/* Every character: what is written reads back as itself, all else is refused. */
static void every_character(void **state)
{
    (void)state;
    for (size_t p = 0; p < sizeof pages / sizeof *pages; p++) {
        struct codepage page;
        struct haul_error err = {0};
        size_t kept = 0;
        assert_int_equal(codepage_open(&page, pages[p], &err), HAUL_OK);
        assert_int_equal(codepage_add_reverse(&page, &err), HAUL_OK);
        assert_int_equal(codepage_add_reverse(&page, &err), HAUL_OK);
        for (uint32_t code = 0; code < 0x20000; code++) {
            uint8_t in[4], out[4], again[CODEPAGE_GROWTH(4)];
            size_t size = put_code(code, in), written = 99, read = 99;
            if (code >= 0xd800 && code < 0xe000)
                continue;
            size_t taken = codepage_from_utf8(&page, in, size, out, &written);
            if (taken == 0)
                continue;
            kept++;
            assert_int_equal(taken, size);
            assert_int_equal(codepage_to_utf8(&page, out, written, again, &read), written);
            assert_int_equal(read, size);
            assert_memory_equal(again, in, size);
        }
        if (kept < (page.single ? 128u : 1000u))
            fail_msg("page %d has %zu characters", pages[p], kept);
        codepage_release(&page);
    }
}

/* A byte that has a meaning alone is written as itself (or another with the same meaning). */
static void every_byte(void **state)
{
    (void)state;
    for (size_t p = 0; p < sizeof pages / sizeof *pages; p++) {
        struct codepage page;
        struct haul_error err = {0};
        assert_int_equal(codepage_open(&page, pages[p], &err), HAUL_OK);
        assert_int_equal(codepage_add_reverse(&page, &err), HAUL_OK);
        for (int i = 0; i < 256 && page.single; i++) {
            uint8_t in = (uint8_t)i, text[CODEPAGE_GROWTH(1)], out[4];
            size_t size, written;
            if (!codepage_to_utf8(&page, &in, 1, text, &size))
                continue;
            assert_int_equal(codepage_from_utf8(&page, text, size, out, &written), size);
            assert_int_equal(written, 1);
            assert_int_equal(out[0], i);
        }
        codepage_release(&page);
    }
}

static void at_every_place_of_a_block(void **state)
{
    (void)state;
    struct codepage page;
    struct haul_error err = {0};
    assert_int_equal(codepage_open(&page, 1252, &err), HAUL_OK);
    assert_int_equal(codepage_add_reverse(&page, &err), HAUL_OK);
    for (size_t at = 0; at < 40; at++) {
        uint8_t text[64], out[64];
        size_t written;
        memset(text, 'a', sizeof text);
        memcpy(text + at, "\xe2\x82\xac", 3);
        assert_int_equal(codepage_from_utf8(&page, text, 43, out, &written), 43);
        assert_int_equal(written, 41);
        assert_int_equal(out[at], 0x80);
        text[at + 2] = 'x'; /* no UTF-8 any more */
        assert_int_equal(codepage_from_utf8(&page, text, 43, out, &written), at);
        memcpy(text + at, "\xe6\xbc\xa2", 3);
        assert_int_equal(codepage_from_utf8(&page, text, 43, out, &written), at);
        assert_int_equal(codepage_from_utf8(&page, text, at + 2, out, &written), at); /* cut */
    }
    codepage_release(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character),
        cmocka_unit_test(every_byte),
        cmocka_unit_test(at_every_place_of_a_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
