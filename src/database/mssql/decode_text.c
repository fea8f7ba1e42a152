/*
 * decode_text.c: text and binaries whose length stands before them in two bytes.
 *
 * Wide text is UTF-16; a surrogate without its other half is a misfit. Narrow
 * text is of the column's code page; a byte without meaning there is a misfit,
 * never a question mark. char(n) keeps its blanks: they are part of the value.
 */
#include "database/mssql/decode.h"

#include "base/utf16.h"

#define IS_NULL 0xffffu

#define ASCII_BYTES     0x8080808080808080u
#define ASCII_UNITS     0xff80ff80ff80ff80u
#define COPIED_TOO_MUCH 8  /* by copy_ascii, at most */
#define SHORT_UNITS     64 /* utf16_to_utf8 is faster from there on */

static inline uint64_t load_word(const uint8_t *in)
{
    uint64_t word;
    memcpy(&word, in, sizeof word);
    return word;
}

/* The first `bytes` of a word, 1 to 7; the others 0. */
static inline uint64_t head_of(uint64_t word, size_t bytes)
{
    return word & (((uint64_t)1 << bytes * 8) - 1);
}

/* Most texts are short and ASCII, which is itself in every page and in UTF-8. Copies up to
 * 7 bytes too many: both sides are padded. False: it is not ASCII. */
static inline bool copy_ascii(const uint8_t *in, size_t size, uint8_t *out)
{
    uint64_t seen = 0, word;
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        word = load_word(in + i);
        seen |= word;
        memcpy(out + i, &word, sizeof word);
    }
    if (i < size) {
        word = load_word(in + i);
        seen |= head_of(word, size - i);
        memcpy(out + i, &word, sizeof word);
    }
    return !(seen & ASCII_BYTES);
}

/* The same for UTF-16, four units at a time. */
static inline bool narrow_ascii(const uint8_t *in, size_t units, uint8_t *out)
{
    uint64_t seen = 0;
    for (size_t i = 0; i < units; i += 4) {
        uint64_t word = load_word(in + i * 2);
        if (units - i < 4)
            word = head_of(word, (units - i) * 2);
        seen |= word;
        word = (word | word >> 8) & 0x0000ffff0000ffffu;
        uint32_t four = (uint32_t)(word | word >> 16);
        memcpy(out + i, &four, sizeof four);
    }
    return !(seen & ASCII_UNITS);
}

bool ms_append_wide(struct decoder *decoder, const uint8_t *in, size_t size, const char **why)
{
    size_t units = size / 2, written = 0;
    if (size % 2) {
        *why = "UTF-16 text with an odd number of bytes";
        return false;
    }
    if (!ms_decode_room(decoder, UTF16_GROWTH(units)))
        return false;
    if (units < SHORT_UNITS && narrow_ascii(in, units, decoder->data + decoder->data_used)) {
        decoder->data_used += units;
        return true;
    }
    size_t taken = utf16_to_utf8(in, units, decoder->data + decoder->data_used, &written);
    decoder->data_used += written;
    if (taken == units)
        return true;
    *why = "text with half of a surrogate pair, which no UTF-8 can hold";
    return false;
}

bool ms_append_narrow(struct decoder *decoder, const uint8_t *in, size_t size, const char **why)
{
    size_t written = 0;
    if (!ms_decode_room(decoder, CODEPAGE_GROWTH(size)))
        return false;
    if (copy_ascii(in, size, decoder->data + decoder->data_used)) {
        decoder->data_used += size;
        return true;
    }
    size_t taken = codepage_to_utf8(decoder->page, in, size, decoder->data + decoder->data_used, &written);
    decoder->data_used += written;
    if (taken == size)
        return true;
    *why = "a byte that means nothing in the column's code page";
    return false;
}

/* The value's bytes, when they are all here: *next is behind them. */
static inline bool take(struct decoder *decoder, const uint8_t *at, const uint8_t *end, size_t *size)
{
    size_t here = (size_t)(end - at);
    if (here < 2)
        return ms_decode_wants(decoder, 2);
    *size = at[0] | (size_t)at[1] << 8;
    if (*size == IS_NULL)
        return true;
    if (*size > decoder->bytes)
        return ms_decode_malformed(decoder, "longer than its type");
    return here - 2 >= *size || ms_decode_wants(decoder, *size + 2);
}

static const uint8_t *finish(struct decoder *decoder, const uint8_t *next, int64_t row, const char *why)
{
    if (!why)
        return NULL; /* state->err is set */
    ms_decode_misfit(decoder, row, why);
    return next;
}

const uint8_t *ms_decode_wide(struct decoder *decoder, const uint8_t *at, const uint8_t *end, int64_t row)
{
    size_t size;
    const char *why = NULL;
    if (!take(decoder, at, end, &size))
        return NULL;
    if (size == IS_NULL)
        return ms_decode_null_value(decoder, at + 2, row);
    if (!ms_append_wide(decoder, at + 2, size, &why))
        return finish(decoder, at + 2 + size, row, why);
    ms_decode_close(decoder, row);
    return at + 2 + size;
}

const uint8_t *ms_decode_narrow(struct decoder *decoder, const uint8_t *at, const uint8_t *end, int64_t row)
{
    size_t size;
    const char *why = NULL;
    if (!take(decoder, at, end, &size))
        return NULL;
    if (size == IS_NULL)
        return ms_decode_null_value(decoder, at + 2, row);
    if (decoder->data_room - decoder->data_used > size + COPIED_TOO_MUCH &&
        copy_ascii(at + 2, size, decoder->data + decoder->data_used)) {
        decoder->data_used += size;
        ms_decode_close(decoder, row);
        return at + 2 + size;
    }
    if (!ms_append_narrow(decoder, at + 2, size, &why))
        return finish(decoder, at + 2 + size, row, why);
    ms_decode_close(decoder, row);
    return at + 2 + size;
}

const uint8_t *ms_decode_bytes(struct decoder *decoder, const uint8_t *at, const uint8_t *end, int64_t row)
{
    size_t size;
    if (!take(decoder, at, end, &size))
        return NULL;
    if (size == IS_NULL)
        return ms_decode_null_value(decoder, at + 2, row);
    if (!ms_decode_room(decoder, size))
        return NULL;
    memcpy(decoder->data + decoder->data_used, at + 2, size);
    decoder->data_used += size;
    ms_decode_close(decoder, row);
    return at + 2 + size;
}

/* binary(n), rowversion: always n bytes; the server pads, but a shorter one is taken as it was meant. */
const uint8_t *ms_decode_binary(struct decoder *decoder, const uint8_t *at, const uint8_t *end, int64_t row)
{
    size_t size, width = decoder->builder->width;
    if (!take(decoder, at, end, &size))
        return NULL;
    if (size == IS_NULL)
        return ms_decode_null_value(decoder, at + 2, row);
    if (size > width)
        return ms_decode_malformed(decoder, "longer than its type");
    uint8_t *out = decoder->values + (size_t)row * width;
    memcpy(out, at + 2, size);
    memset(out + size, 0, width - size);
    return at + 2 + size;
}
