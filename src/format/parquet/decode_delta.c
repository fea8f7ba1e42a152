/*
 * decode_delta.c: differences, bit-packed in miniblocks.
 *
 * Values come out in pieces of up to 64 unpacked deltas, so that a hostile
 * block size costs nothing. Sums wrap around in two's complement, in 32 bits
 * for INT32 (the low half of the 64-bit sum is the same). The last miniblock may
 * be cut short by its writer as long as the values in use are there.
 */
#include "format/parquet/decode_delta.h"
#include "format/parquet/bitunpack.h"

enum { READY_MAX = 64 };

static bool varint_read(struct slice *bytes, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 64 && bytes->length; shift += 7) {
        uint8_t byte = *bytes->data++;
        bytes->length--;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

static bool zigzag_read(struct slice *bytes, uint64_t *value)
{
    uint64_t n = 0;
    bool found = varint_read(bytes, &n);
    *value = (n >> 1) ^ (0 - (n & 1));
    return found;
}

const char *delta_open(struct delta *d, struct slice bytes, bool narrow)
{
    uint64_t block = 0, minis = 0, total = 0;
    d->bytes = bytes;
    d->narrow = narrow;
    d->started = false;
    d->ready_at = d->ready_count = d->mini_left = 0;
    if (!varint_read(&d->bytes, &block) || !varint_read(&d->bytes, &minis) ||
        !varint_read(&d->bytes, &total) || !zigzag_read(&d->bytes, &d->last))
        return "its delta header is cut short";
    if (block == 0 || block > INT32_MAX || block % 128 || minis == 0 || minis > block || block % minis ||
        block / minis % 32)
        return "its delta header has sizes that are not possible";
    if (total > INT32_MAX)
        return "its delta header announces too many values";
    d->mini_size = (uint32_t)(block / minis);
    d->mini_count = (uint32_t)minis;
    d->mini = d->mini_count;
    d->left = total;
    return NULL;
}

static const char *block_begin(struct delta *d)
{
    if (!zigzag_read(&d->bytes, &d->min_delta) || d->bytes.length < d->mini_count)
        return "a delta block is cut short";
    d->widths = d->bytes.data;
    d->bytes.data += d->mini_count;
    d->bytes.length -= d->mini_count;
    d->mini = 0;
    return NULL;
}

static const char *mini_begin(struct delta *d)
{
    const char *problem = d->mini == d->mini_count ? block_begin(d) : NULL;
    if (problem)
        return problem;
    d->width = d->widths[d->mini++];
    if (d->width > (d->narrow ? 32u : 64u))
        return "a delta is wider than its type";
    uint64_t used = d->left < d->mini_size ? d->left : d->mini_size;
    uint64_t need = (used * d->width + 7) / 8, whole = (uint64_t)d->mini_size / 8 * d->width;
    if (need > d->bytes.length)
        return "a delta block is cut short";
    whole = whole < d->bytes.length ? whole : d->bytes.length;
    d->mini_bytes = d->bytes.data;
    d->mini_left = (uint32_t)used;
    d->bytes.data += whole;
    d->bytes.length -= (size_t)whole;
    return NULL;
}

/* Unpacks the next deltas of the miniblock; a piece of 64 ends on a byte. */
static const char *ready_fill(struct delta *d)
{
    const char *problem = d->mini_left ? NULL : mini_begin(d);
    if (problem)
        return problem;
    uint32_t count = d->mini_left < READY_MAX ? d->mini_left : READY_MAX;
    bitunpack_u64(d->mini_bytes, count, d->width, d->ready);
    d->mini_bytes += (size_t)count * d->width / 8;
    d->mini_left -= count;
    d->ready_at = 0;
    d->ready_count = count;
    return NULL;
}

static void sum_narrow(struct delta *d, uint32_t *out, size_t count)
{
    uint64_t last = d->last;
    for (size_t i = 0; i < count; i++) {
        last += d->min_delta + d->ready[d->ready_at + i];
        out[i] = (uint32_t)last;
    }
    d->last = last;
}

static void sum_wide(struct delta *d, uint64_t *out, size_t count)
{
    uint64_t last = d->last;
    for (size_t i = 0; i < count; i++) {
        last += d->min_delta + d->ready[d->ready_at + i];
        out[i] = last;
    }
    d->last = last;
}

static void first_give(struct delta *d, uint8_t *out)
{
    uint32_t narrow = (uint32_t)d->last;
    if (d->narrow)
        memcpy(out, &narrow, sizeof narrow);
    else
        memcpy(out, &d->last, sizeof d->last);
    d->started = true;
    d->left--;
}

const char *delta_read(struct delta *d, void *out, size_t count)
{
    size_t size = d->narrow ? 4 : 8, done = 0;
    uint8_t *at = out;
    if (count > d->left)
        return "it holds fewer values than it should";
    if (count && !d->started) {
        first_give(d, at);
        done = 1;
    }
    while (done < count) {
        const char *problem = d->ready_at == d->ready_count ? ready_fill(d) : NULL;
        if (problem)
            return problem;
        size_t take = d->ready_count - d->ready_at;
        take = take < count - done ? take : count - done;
        if (d->narrow)
            sum_narrow(d, (void *)(at + done * size), take);
        else
            sum_wide(d, (void *)(at + done * size), take);
        d->ready_at += (uint32_t)take;
        d->left -= take;
        done += take;
    }
    return NULL;
}
