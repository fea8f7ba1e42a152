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

bool ms_append_wide(struct decoder *decoder, const uint8_t *in, size_t size, const char **why)
{
    size_t units = size / 2, written = 0;
    if (size % 2) {
        *why = "UTF-16 text with an odd number of bytes";
        return false;
    }
    if (!ms_decode_room(decoder, UTF16_GROWTH(units)))
        return false;
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
