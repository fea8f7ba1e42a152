/*
 * decode_hybrid.c: runs of repeated and of bit-packed values.
 *
 * A caller asks for so many values; runs are taken apart in the parent, the
 * leaves fill or unpack. A packed run whose bytes are cut short by its writer
 * counts as filled up with zeros (some writers do that at the end of a page);
 * a run that begins behind the end is an error. Empty runs are skipped; each
 * takes at least a byte, so the input bounds the loop.
 */
#include "format/parquet/decode_hybrid.h"
#include "batch/batch.h"
#include "format/parquet/bitunpack.h"

enum { BLOCK = 256 };

bool hybrid_init(struct hybrid *hybrid, struct slice bytes, unsigned width)
{
    *hybrid = (struct hybrid){.at = bytes.data, .end = bytes.data + bytes.length, .width = width};
    return width <= 32;
}

static bool varint_read(struct hybrid *h, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        if (h->at == h->end)
            return false;
        uint8_t byte = *h->at++;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

static bool run_packed(struct hybrid *h, uint64_t groups)
{
    size_t left = (size_t)(h->end - h->at);
    uint64_t bytes = groups * h->width; /* below 2^35 * 32 */
    h->packed = true;
    h->left = groups * 8;
    h->run = h->at;
    h->run_place = 0;
    h->run_bytes = bytes < left ? (size_t)bytes : left;
    h->at += h->run_bytes;
    return true;
}

static bool run_repeated(struct hybrid *h, uint64_t count)
{
    size_t bytes = (h->width + 7) / 8;
    if ((size_t)(h->end - h->at) < bytes)
        return false;
    h->packed = false;
    h->left = count;
    h->value = 0;
    memcpy(&h->value, h->at, bytes);
    h->at += bytes;
    return h->width == 32 || h->value >> h->width == 0;
}

/* Makes a run with values left. */
static bool run_next(struct hybrid *h)
{
    while (h->left == 0) {
        uint64_t head = 0;
        if (!varint_read(h, &head))
            return false;
        if (!(head & 1 ? run_packed(h, head >> 1) : run_repeated(h, head >> 1)))
            return false;
    }
    return true;
}

/* Values of the packed run that really stand there, from its place on. */
static size_t packed_present(const struct hybrid *h, size_t count)
{
    if (h->width == 0)
        return 0;
    uint64_t present = (uint64_t)h->run_bytes * 8 / h->width;
    uint64_t left = present > h->run_place ? present - h->run_place : 0;
    return left < count ? (size_t)left : count;
}

static void packed_u32(struct hybrid *h, uint32_t *out, size_t count)
{
    size_t present = packed_present(h, count);
    bitunpack_u32(h->run, h->run_place, present, h->width, out);
    memset(out + present, 0, (count - present) * sizeof *out);
    h->run_place += count;
}

bool hybrid_u32(struct hybrid *h, uint32_t *out, size_t count)
{
    while (count) {
        if (!run_next(h))
            return false;
        size_t take = h->left < count ? (size_t)h->left : count;
        if (h->packed) {
            packed_u32(h, out, take);
        } else {
            for (size_t i = 0; i < take; i++)
                out[i] = h->value;
        }
        h->left -= take;
        out += take;
        count -= take;
    }
    return true;
}

bool hybrid_u8(struct hybrid *h, uint8_t *out, size_t count)
{
    uint32_t block[BLOCK];
    while (count) {
        if (!run_next(h))
            return false;
        size_t take = h->left < count ? (size_t)h->left : count;
        if (h->packed) {
            take = take < BLOCK ? take : BLOCK;
            packed_u32(h, block, take);
            for (size_t i = 0; i < take; i++)
                out[i] = (uint8_t)block[i];
        } else {
            memset(out, (int)h->value, take);
        }
        h->left -= take;
        out += take;
        count -= take;
    }
    return true;
}

/* ---- bits ---- */

/* 1..56 bits from bit `from` of `source`. */
static uint64_t bits_load(const uint8_t *source, uint64_t from, size_t count)
{
    uint64_t word = bitunpack_load(source + (from >> 3)) >> (from & 7);
    return word & (((uint64_t)1 << count) - 1);
}

/* ORs 1..56 bits into place; bytes from `first` on are fresh. */
static void bits_store(uint8_t *bits, int64_t first, uint64_t word, size_t count)
{
    unsigned shift = (unsigned)(first & 7);
    uint8_t *at = bits + (first >> 3);
    uint64_t old = *at & ((1u << shift) - 1);
    word = word << shift | old;
    for (size_t bytes = (shift + count + 7) / 8; bytes; bytes--) {
        *at++ = (uint8_t)word;
        word >>= 8;
    }
}

static int64_t packed_bits(struct hybrid *h, uint8_t *bits, int64_t first, size_t count)
{
    size_t present = packed_present(h, count);
    int64_t ones = 0;
    for (size_t done = 0; done < count;) {
        size_t take = count - done < 56 ? count - done : 56;
        uint64_t word = 0;
        if (done < present) {
            take = present - done < take ? present - done : take;
            word = bits_load(h->run, h->run_place + done, take);
        }
        bits_store(bits, first + (int64_t)done, word, take);
        ones += __builtin_popcountll(word);
        done += take;
    }
    h->run_place += count;
    return ones;
}

static void repeated_bits(uint8_t *bits, int64_t first, size_t count, bool value)
{
    uint64_t word = value ? ((uint64_t)1 << 56) - 1 : 0;
    for (size_t done = 0; done < count;) {
        size_t take = count - done < 56 ? count - done : 56;
        bits_store(bits, first + (int64_t)done, word & (((uint64_t)1 << take) - 1), take);
        done += take;
    }
}

bool hybrid_bits(struct hybrid *h, uint8_t *bits, int64_t first, size_t count, int64_t *ones)
{
    *ones = 0;
    while (count) {
        if (!run_next(h))
            return false;
        size_t take = h->left < count ? (size_t)h->left : count;
        if (h->packed) {
            *ones += packed_bits(h, bits, first, take);
        } else {
            repeated_bits(bits, first, take, h->value != 0);
            *ones += h->value ? (int64_t)take : 0;
        }
        h->left -= take;
        first += (int64_t)take;
        count -= take;
    }
    return true;
}
