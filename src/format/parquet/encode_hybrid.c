/*
 * encode_hybrid.c: the RLE and bit-packing hybrid.
 *
 * Values are looked at in groups of 8. A group of equal values that goes on for
 * long enough becomes a repeated run; everything between such runs is packed as
 * one stretch of groups. Long enough depends on the width: the header and the
 * end of a packed stretch cost about six bytes, so narrow values need longer
 * runs. Only the last group is padded (with zeros), because a packed stretch
 * in the middle has no way to say that it holds fewer values.
 */
#include "format/parquet/encode_hybrid.h"
#include "format/parquet/bitpack.h"
#include <assert.h>

#define GROUP         8u
#define HEADER_BYTES  10u
#define RUN_COUNT_MAX ((size_t)1 << 30)

static void put_header(struct buffer *out, uint64_t header)
{
    while (header >= 0x80) {
        out->data[out->length++] = (uint8_t)(header | 0x80);
        header >>= 7;
    }
    out->data[out->length++] = (uint8_t)header;
}

static void put_repeated(struct buffer *out, uint32_t value, size_t count, int width)
{
    while (count > 0) {
        size_t part = count < RUN_COUNT_MAX ? count : RUN_COUNT_MAX;
        put_header(out, (uint64_t)part << 1);
        buffer_put(out, &value, (size_t)(width + 7) / 8);
        count -= part;
    }
}

static void put_packed(struct buffer *out, const uint32_t *values, size_t count, int width)
{
    if (count == 0)
        return;
    size_t whole = count / GROUP, rest = count % GROUP;
    put_header(out, (uint64_t)(whole + (rest > 0)) << 1 | 1);
    bitpack_u32(values, whole, width, out->data + out->length);
    out->length += whole * (size_t)width;
    if (rest > 0) {
        uint32_t last[GROUP] = {0};
        memcpy(last, values + whole * GROUP, rest * sizeof last[0]);
        bitpack_u32(last, 1, width, out->data + out->length);
        out->length += (size_t)width;
    }
}

static inline bool group_is_equal(const uint32_t *values)
{
    uint32_t differ = 0;
    for (unsigned i = 1; i < GROUP; i++)
        differ |= values[i] ^ values[0];
    return differ == 0;
}

static size_t run_length(const uint32_t *values, size_t count)
{
    size_t length = 1;
    while (length < count && values[length] == values[0])
        length++;
    return length;
}

/* The least run that is shorter as a run: 8 for wide values, 64 for bits. */
static size_t run_worth(int width)
{
    return width >= 8 ? GROUP : (64 / (size_t)width + GROUP - 1) / GROUP * GROUP;
}

/* Each run covers at least 8 values and has one header; BITPACK_SLACK is within the padding of a buffer. */
static size_t bytes_max(size_t count, int width)
{
    size_t runs = count / GROUP + 2;
    size_t group_bytes = (size_t)width > sizeof(uint32_t) ? (size_t)width : sizeof(uint32_t);
    return runs * (group_bytes + HEADER_BYTES / 2) + HEADER_BYTES + BITPACK_SLACK;
}

enum haul_code encode_hybrid_run(uint32_t value, size_t count, int width, struct buffer *out,
                                 struct haul_error *err)
{
    enum haul_code code = buffer_reserve(out, (count / RUN_COUNT_MAX + 1) * 16, err);
    if (!code)
        put_repeated(out, value, count, width);
    return code;
}

enum haul_code encode_hybrid(const uint32_t *values, size_t count, int width, struct buffer *out,
                             struct haul_error *err)
{
    assert(width >= 0 && width <= 32);
    if (width == 0)
        return encode_hybrid_run(0, count, 0, out, err);
    enum haul_code code = buffer_reserve(out, bytes_max(count, width), err);
    if (code)
        return code;
    size_t worth = run_worth(width), start = 0, at = 0;
    while (at + GROUP <= count) {
        if (!group_is_equal(values + at)) {
            at += GROUP;
            continue;
        }
        size_t run = run_length(values + at, count - at);
        if (run < worth) {
            at += run / GROUP * GROUP;
            continue;
        }
        put_packed(out, values + start, at - start, width);
        put_repeated(out, values[at], run, width);
        at += run;
        start = at;
    }
    put_packed(out, values + start, count - start, width);
    return HAUL_OK;
}

enum haul_code encode_hybrid_bytes(const uint8_t *values, size_t count, int width, struct buffer *scratch,
                                   struct buffer *out, struct haul_error *err)
{
    buffer_clear(scratch);
    enum haul_code code = buffer_reserve(scratch, count * sizeof(uint32_t), err);
    if (code)
        return code;
    uint32_t *wide = (uint32_t *)(void *)scratch->data;
    for (size_t i = 0; i < count; i++)
        wide[i] = values[i];
    return encode_hybrid(wide, count, width, out, err);
}
