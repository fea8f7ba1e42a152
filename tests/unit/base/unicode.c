/* UTF-8: every kind of malformed text, at every place of a block. */
#include "base/unicode.h"
#include "trials.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define GOOD(text) assert_true(unicode_is_valid((const uint8_t *)(text), sizeof(text) - 1))
#define BAD(text, prefix)                                                                                    \
    assert_int_equal(unicode_valid_prefix((const uint8_t *)(text), sizeof(text) - 1), prefix)

static void good_and_bad(void **state)
{
    (void)state;
    GOOD("");
    GOOD("a\0b");
    GOOD("\x7f");
    GOOD("\xc2\x80\xdf\xbf");
    GOOD("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf");
    GOOD("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
    BAD("\x80", 0); /* a continuation alone */
    BAD("ab\xbf", 2);
    BAD("\xc0\x80", 0); /* overlong */
    BAD("\xc1\xbf", 0);
    BAD("\xe0\x9f\xbf", 0);
    BAD("\xf0\x8f\xbf\xbf", 0);
    BAD("\xed\xa0\x80", 0); /* surrogates */
    BAD("\xed\xbf\xbf", 0);
    BAD("\xf4\x90\x80\x80", 0); /* above U+10FFFF */
    BAD("\xf5\x80\x80\x80", 0);
    BAD("\xff", 0);
    BAD("\xfe", 0);
    BAD("a\xc3", 1); /* cut */
    BAD("a\xe2\x82", 1);
    BAD("a\xf0\x9f\x98", 1);
    BAD("\xc3(", 0); /* no continuation */
    BAD("\xe2(\xa1", 0);
    BAD("\xe2\x82(", 0);
    BAD("\xf0(\x8c\xbc", 0);
    BAD("\xf0\x90(\xbc", 0);
    BAD("\xf0\x90\x8c(", 0);
    BAD("\xc3\xa9\xc3\xa9\xe9", 4);
}

/* One character at a time, as the RFC's grammar has it. */
static size_t prefix_by_decoding(const uint8_t *text, size_t length)
{
    size_t at = 0;
    while (at < length) {
        uint32_t first = text[at], code;
        size_t bytes = first < 0x80       ? 1
                       : first >> 5 == 6  ? 2
                       : first >> 4 == 14 ? 3
                       : first >> 3 == 30 ? 4
                                          : 0;
        if (bytes == 0 || at + bytes > length)
            return at;
        code = bytes == 1 ? first : first & (0x7fu >> bytes);
        for (size_t i = 1; i < bytes; i++) {
            if (text[at + i] >> 6 != 2)
                return at;
            code = code << 6 | (text[at + i] & 0x3fu);
        }
        static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        if (code < least[bytes] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
            return at;
        at += bytes;
    }
    return at;
}

static void one_character(uint8_t *out, size_t *bytes)
{
    static const char *const pieces[] = {"a",
                                         "\xc2\x80",
                                         "\xdf\xbf",
                                         "\xe0\xa0\x80",
                                         "\xed\x9f\xbf",
                                         "\xef\xbf\xbf",
                                         "\xf0\x90\x80\x80",
                                         "\xf4\x8f\xbf\xbf",
                                         "abcdefghijklmnopqrstuvwxyz0123456789abcd"};
    const char *piece = pieces[trials_random() % 9];
    *bytes = strlen(piece);
    memcpy(out, piece, *bytes);
}

static void same_as_decoding(void **state)
{
    (void)state;
    uint8_t text[300];
    int trials = trials_begin("utf-8", 50000);
    for (int i = 0; i < trials; i++) {
        size_t length = 0, bytes;
        for (size_t wanted = trials_random() % 200; length < wanted; length += bytes)
            one_character(text + length, &bytes);
        if (length > 0 && i % 3)
            text[trials_random() % length] = (uint8_t)trials_random();
        if (length > 0 && i % 5 == 0)
            length = trials_random() % length;
        assert_int_equal(unicode_valid_prefix(text, length), prefix_by_decoding(text, length));
    }
}

static void cuts(void **state)
{
    (void)state;
    const uint8_t *text = (const uint8_t *)"a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z"; /* 1 2 3 4 1 */
    static const size_t kept[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
    for (size_t max = 0; max < sizeof kept / sizeof kept[0]; max++)
        assert_int_equal(unicode_cut(text, 11, max), kept[max]);
    assert_int_equal(unicode_cut((const uint8_t *)"\x80\x80\x80\x80\x80\x80", 6, 5), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_and_bad),
        cmocka_unit_test(same_as_decoding),
        cmocka_unit_test(cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
