/*
 * codepage.c: code pages by iconv, asked once per byte when a byte is a
 * character: then a table of 256 does the work and ASCII goes sixteen bytes at a
 * time. The East Asian pages, where two bytes may be one character, ask iconv for
 * each value.
 *
 * The way back is the same table turned around, so that what is written reads
 * back as it was. iconv gives some characters of the East Asian pages the bytes
 * of others (a yen sign those of a backslash): there each value is read back and
 * compared.
 */
#include "base/codepage.h"

#include "base/unicode.h"
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
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
        (void)iconv(converter, NULL, NULL, &to, &out_left); /* 1258 holds letters back for a mark */
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
    if (page->back)
        iconv_close(page->back);
    free(page->reverse);
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

/* ---- back ---- */

static uint32_t code_of(const uint8_t *row)
{
    return unicode_character_at(row, row[3]).code;
}

static bool has_meaning(const struct codepage *page, int byte)
{
    return page->table[byte][3] && code_of(page->table[byte]) < 0x10000;
}

/* A character that two bytes mean is written as the first of them. */
static enum haul_code turn_table(struct codepage *page, struct haul_error *err)
{
    int count = 1;
    for (int i = 0; i < 256; i++) {
        unsigned high = has_meaning(page, i) ? code_of(page->table[i]) >> 8 : 0;
        if (has_meaning(page, i) && !page->blocks[high])
            page->blocks[high] = (uint8_t)count++;
        if (count == 256)
            break; /* no page has so many */
    }
    page->reverse = calloc((size_t)count, sizeof *page->reverse);
    if (!page->reverse)
        return error_nomem(err, "a code page");
    for (int i = 255; i >= 0; i--) {
        uint32_t code = has_meaning(page, i) ? code_of(page->table[i]) : 0;
        if (code)
            page->reverse[page->blocks[code >> 8]][code & 0xff] = (uint8_t)i;
    }
    return HAUL_OK;
}

enum haul_code codepage_add_reverse(struct codepage *page, struct haul_error *err)
{
    char name[16];
    if (page->number == CODEPAGE_UTF8 || page->reverse || page->back)
        return HAUL_OK;
    if (page->single)
        return turn_table(page, err);
    snprintf(name, sizeof name, "CP%d", page->number);
    iconv_t back = iconv_open(name, "UTF-8");
    if (back == (iconv_t)-1)
        return error_set(err, HAUL_UNSUPPORTED,
                         "text of code page %d cannot be written: this machine's iconv does not know %s",
                         page->number, name);
    page->back = back;
    return HAUL_OK;
}

static size_t back_by_table(const struct codepage *page, const uint8_t *in, size_t size, uint8_t *out,
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
        while (i < stop) {
            struct unicode_character c = unicode_character_at(in + i, size - i);
            uint8_t byte =
                c.bytes && c.code < 0x10000 ? page->reverse[page->blocks[c.code >> 8]][c.code & 0xff] : 0;
            if (!byte && (c.code || !c.bytes)) {
                *written = (size_t)(out - start);
                return i;
            }
            *out++ = byte;
            i += c.bytes;
        }
    }
    *written = (size_t)(out - start);
    return i;
}

/* One character after the other: what stands in `out` must mean what stood in `in`. */
static size_t back_by_iconv(struct codepage *page, const uint8_t *in, size_t size, uint8_t *out,
                            size_t *written)
{
    size_t i = 0, used = 0, read = 0;
    (void)iconv(page->back, NULL, NULL, NULL, NULL);
    while (i < size) {
        uint8_t again[CODEPAGE_GROWTH(4)];
        struct unicode_character c = unicode_character_at(in + i, size - i);
        char *from = (char *)(uintptr_t)(in + i), *to = (char *)out + used;
        size_t left = c.bytes, room = size - used;
        if (!c.bytes || iconv(page->back, &from, &left, &to, &room) == (size_t)-1)
            break;
        size_t step = (size_t)((uint8_t *)to - out) - used;
        if (step > 4 || by_iconv(page, out + used, step, again, &read) != step || read != c.bytes ||
            memcmp(again, in + i, read) != 0)
            break;
        used += step;
        i += c.bytes;
    }
    *written = used;
    return i;
}

#define HIGH_BITS 0x8080808080808080u

static inline uint64_t copy_8(const uint8_t *in, uint8_t *out)
{
    uint64_t word;
    memcpy(&word, in, sizeof word);
    memcpy(out, &word, sizeof word);
    return word;
}

static inline uint32_t copy_4(const uint8_t *in, uint8_t *out)
{
    uint32_t word;
    memcpy(&word, in, sizeof word);
    memcpy(out, &word, sizeof word);
    return word;
}

/* Copies; true when all was ASCII. The last word overlaps the one before it, so
 * that short texts cost no loop over their bytes. */
static inline bool copy_all_ascii(const uint8_t *in, size_t size, uint8_t *out)
{
    uint64_t seen = 0;
    if (size >= 8) {
        for (size_t i = 0; i + 8 <= size; i += 8)
            seen |= copy_8(in + i, out + i);
        seen |= copy_8(in + size - 8, out + size - 8);
    } else if (size >= 4) {
        seen = copy_4(in, out) | copy_4(in + size - 4, out + size - 4);
    } else {
        for (size_t i = 0; i < size; i++)
            seen |= out[i] = in[i];
    }
    return (seen & HIGH_BITS) == 0;
}

size_t codepage_from_utf8(struct codepage *page, const uint8_t *in, size_t size, uint8_t *out,
                          size_t *written)
{
    *written = size;
    if (page->single && copy_all_ascii(in, size, out))
        return size;
    if (page->single)
        return back_by_table(page, in, size, out, written);
    if (page->back)
        return back_by_iconv(page, in, size, out, written);
    memcpy(out, in, size);
    *written = size;
    return unicode_valid_prefix(in, size);
}
