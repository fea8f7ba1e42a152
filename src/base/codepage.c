/*
 * codepage.c: code pages by iconv, asked once per byte when a byte is a
 * character: then a table of 256 does the work and ASCII goes sixteen bytes at a
 * time. The East Asian pages, where two bytes may be one character, ask iconv for
 * each value.
 */
#include "base/codepage.h"

#include "base/unicode.h"
#include <iconv.h>
#include <stdio.h>
#include <string.h>

#define STEP 16

static bool is_double(int number)
{
    return number == 932 || number == 936 || number == 949 || number == 950;
}

static void fill_table(struct codepage *page, iconv_t converter)
{
    for (int i = 0; i < 256; i++) {
        char in = (char)i, out[8], *from = &in, *to = out;
        size_t in_left = 1, out_left = 3;
        (void)iconv(converter, NULL, NULL, NULL, NULL);
        if (iconv(converter, &from, &in_left, &to, &out_left) == (size_t)-1 || in_left)
            continue;
        memcpy(page->table[i], out, 3 - out_left);
        page->table[i][3] = (uint8_t)(3 - out_left);
    }
}

enum haul_code codepage_open(struct codepage *page, int number, struct haul_error *err)
{
    char name[16];
    *page = (struct codepage){.number = number};
    if (number == CODEPAGE_UTF8)
        return HAUL_OK;
    snprintf(name, sizeof name, "CP%d", number);
    iconv_t converter = iconv_open("UTF-8", name);
    if (converter == (iconv_t)-1)
        return error_set(err, HAUL_UNSUPPORTED,
                         "text of code page %d cannot be read: this machine's iconv does not know %s", number,
                         name);
    page->single = !is_double(number);
    if (!page->single) {
        page->converter = converter;
        return HAUL_OK;
    }
    fill_table(page, converter);
    iconv_close(converter);
    return HAUL_OK;
}

void codepage_release(struct codepage *page)
{
    if (page->converter)
        iconv_close(page->converter);
    *page = (struct codepage){0};
}

static bool copy_ascii(const uint8_t *in, uint8_t *out)
{
    uint64_t words[2];
    memcpy(words, in, sizeof words);
    if ((words[0] | words[1]) & 0x8080808080808080u)
        return false;
    memcpy(out, words, sizeof words);
    return true;
}

static size_t by_table(const struct codepage *page, const uint8_t *in, size_t size, uint8_t *out,
                       size_t *written)
{
    const uint8_t *start = out;
    size_t i = 0;
    while (i < size) {
        if (size - i >= STEP && copy_ascii(in + i, out)) {
            i += STEP;
            out += STEP;
            continue;
        }
        size_t stop = size - i > STEP ? i + STEP : size;
        for (; i < stop; i++) {
            const uint8_t *row = page->table[in[i]];
            if (!row[3]) {
                *written = (size_t)(out - start);
                return i;
            }
            for (int k = 0; k < row[3]; k++)
                *out++ = row[k];
        }
    }
    *written = (size_t)(out - start);
    return i;
}

static size_t by_iconv(struct codepage *page, const uint8_t *in, size_t size, uint8_t *out, size_t *written)
{
    char *from = (char *)(uintptr_t)in, *to = (char *)out;
    size_t left = size, room = CODEPAGE_GROWTH(size);
    (void)iconv(page->converter, NULL, NULL, NULL, NULL);
    (void)iconv(page->converter, &from, &left, &to, &room);
    *written = (size_t)((uint8_t *)to - out);
    return size - left;
}

size_t codepage_to_utf8(struct codepage *page, const uint8_t *in, size_t size, uint8_t *out, size_t *written)
{
    if (page->single)
        return by_table(page, in, size, out, written);
    if (page->converter)
        return by_iconv(page, in, size, out, written);
    memcpy(out, in, size);
    *written = size;
    return unicode_valid_prefix(in, size);
}
