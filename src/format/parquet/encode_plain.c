/*
 * encode_plain.c: PLAIN strings and booleans, and DELTA_LENGTH_BYTE_ARRAY.
 *
 * Most strings are short, and a call of memcpy costs more than their bytes. So
 * up to 16 bytes are copied as one fixed-size move when both sides have room for
 * it: the target has BUFFER_PADDING, the source knows how far it may be read.
 */
#include "format/parquet/encode_plain.h"
#include "format/parquet/encode_delta.h"

#define MOVE 48u

size_t encode_plain_strings_bytes(const struct strings *strings, size_t first, size_t count)
{
    size_t bytes = count * sizeof(uint32_t);
    for (size_t i = first; i < first + count; i++)
        bytes += (size_t)(strings->ends[i] - strings->starts[i]);
    return bytes;
}

enum haul_code encode_plain_strings(const struct strings *strings, size_t first, size_t count,
                                    struct buffer *out, struct haul_error *err)
{
    size_t bytes = encode_plain_strings_bytes(strings, first, count);
    enum haul_code code = buffer_reserve(out, bytes + MOVE, err);
    if (code)
        return code;
    uint8_t *to = out->data + out->length;
    for (size_t i = first; i < first + count; i++) {
        size_t start = (size_t)strings->starts[i];
        uint32_t length = (uint32_t)(strings->ends[i] - strings->starts[i]);
        memcpy(to, &length, sizeof length);
        to += sizeof length;
        if (length <= MOVE && start + MOVE <= strings->data_length)
            memcpy(to, strings->data + start, MOVE);
        else if (length > 0)
            memcpy(to, strings->data + start, length);
        to += length;
    }
    out->length += bytes;
    return HAUL_OK;
}

enum haul_code encode_plain_bools(const uint8_t *values, size_t count, struct buffer *out,
                                  struct haul_error *err)
{
    enum haul_code code = buffer_reserve(out, count / 8 + 1, err);
    if (code)
        return code;
    uint8_t *to = out->data + out->length;
    out->length += (count + 7) / 8;
    for (; count >= 8; count -= 8, values += 8) {
        uint64_t bytes;
        memcpy(&bytes, values, sizeof bytes);
        *to++ = (uint8_t)((bytes * UINT64_C(0x0102040810204080)) >> 56);
    }
    if (count > 0) {
        unsigned bits = 0;
        for (size_t i = 0; i < count; i++)
            bits |= (unsigned)values[i] << i;
        *to = (uint8_t)bits;
    }
    return HAUL_OK;
}

static enum haul_code gather_lengths(const uint8_t *plain, size_t count, struct buffer *lengths,
                                     size_t *total, struct haul_error *err)
{
    buffer_clear(lengths);
    enum haul_code code = buffer_reserve(lengths, count * sizeof(uint32_t), err);
    if (code)
        return code;
    uint32_t *to = (uint32_t *)(void *)lengths->data;
    *total = 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(&to[i], plain, sizeof to[i]);
        plain += sizeof to[i] + to[i];
        *total += to[i];
    }
    lengths->length = count * sizeof to[0];
    return HAUL_OK;
}

enum haul_code encode_delta_length(const uint8_t *plain, size_t count, struct buffer *scratch,
                                   struct buffer *out, struct haul_error *err)
{
    size_t total = 0;
    enum haul_code code = gather_lengths(plain, count, scratch, &total, err);
    const uint32_t *lengths = (const uint32_t *)(const void *)scratch->data;
    if (!code)
        code = encode_delta_i32(lengths, count, out, err);
    if (!code)
        code = buffer_reserve(out, total, err);
    for (size_t i = 0; !code && i < count; i++) {
        plain += sizeof lengths[i];
        buffer_put(out, plain, lengths[i]);
        plain += lengths[i];
    }
    return code;
}
