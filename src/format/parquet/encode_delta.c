/*
 * encode_delta.c: DELTA_BINARY_PACKED for both integer widths.
 *
 * A block is made in four plain loops: distances, their minimum, distances
 * above the minimum, and the bits of each miniblock by an or over its values.
 * Arithmetic wraps in the type's own width, as the format asks; so values are
 * taken as unsigned and compared as signed. Unused miniblocks of the last block
 * have width 0 and no body.
 */
#include "format/parquet/encode_delta.h"
#include "format/parquet/bitpack.h"

#define BLOCK        128u
#define MINIBLOCKS   4u
#define MINIBLOCK    (BLOCK / MINIBLOCKS)
#define VARINT_BYTES 10u

static uint64_t zigzag(int64_t value)
{
    return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

static size_t varint_bytes(uint64_t value)
{
    size_t bytes = 1;
    while (value >= 0x80) {
        value >>= 7;
        bytes++;
    }
    return bytes;
}

static void put_varint(struct buffer *out, uint64_t value)
{
    while (value >= 0x80) {
        out->data[out->length++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    out->data[out->length++] = (uint8_t)value;
}

static void put_start(struct buffer *out, size_t count, int64_t first)
{
    put_varint(out, BLOCK);
    put_varint(out, MINIBLOCKS);
    put_varint(out, count);
    put_varint(out, zigzag(first));
}

static size_t start_bytes(size_t count, int64_t first)
{
    return varint_bytes(BLOCK) + 1 + varint_bytes(count) + varint_bytes(zigzag(first));
}

/* One block for each width: fills `deltas` (the rest with zeros) and `widths`, and says
 * the least distance. */
#define DEFINE_BLOCK(bits, unsigned_type, signed_type)                                                       \
    static int64_t block_##bits(const unsigned_type *values, size_t count, unsigned_type deltas[BLOCK],      \
                                int widths[MINIBLOCKS])                                                      \
    {                                                                                                        \
        for (size_t i = 0; i < count; i++)                                                                   \
            deltas[i] = values[i] - (values - 1)[i];                                                         \
        signed_type least = (signed_type)deltas[0];                                                          \
        for (size_t i = 1; i < count; i++)                                                                   \
            least = (signed_type)deltas[i] < least ? (signed_type)deltas[i] : least;                         \
        for (size_t i = 0; i < count; i++)                                                                   \
            deltas[i] -= (unsigned_type)least;                                                               \
        for (size_t i = count; i < BLOCK; i++)                                                               \
            deltas[i] = 0;                                                                                   \
        for (size_t m = 0; m < MINIBLOCKS; m++) {                                                            \
            unsigned_type any = 0;                                                                           \
            for (size_t i = 0; i < MINIBLOCK; i++)                                                           \
                any |= deltas[m * MINIBLOCK + i];                                                            \
            widths[m] = bitpack_width(any);                                                                  \
        }                                                                                                    \
        return least;                                                                                        \
    }
DEFINE_BLOCK(32, uint32_t, int32_t)
DEFINE_BLOCK(64, uint64_t, int64_t)

static size_t miniblocks_used(size_t count)
{
    return (count + MINIBLOCK - 1) / MINIBLOCK;
}

static void put_block_start(struct buffer *out, int64_t least, const int widths[MINIBLOCKS])
{
    put_varint(out, zigzag(least));
    for (size_t m = 0; m < MINIBLOCKS; m++)
        out->data[out->length++] = (uint8_t)widths[m];
}

static size_t block_bytes(int64_t least, const int widths[MINIBLOCKS])
{
    size_t bits = 0;
    for (size_t m = 0; m < MINIBLOCKS; m++)
        bits += (size_t)widths[m];
    return varint_bytes(zigzag(least)) + MINIBLOCKS + bits * (MINIBLOCK / 8);
}

static size_t bytes_max(size_t count, size_t width)
{
    size_t blocks = count / BLOCK + 1;
    return 4 * VARINT_BYTES + blocks * (VARINT_BYTES + MINIBLOCKS + BLOCK * width) + BITPACK_SLACK;
}

#define DEFINE_ENCODE(bits, unsigned_type, signed_type, pack)                                                \
    enum haul_code encode_delta_i##bits(const unsigned_type *values, size_t count, struct buffer *out,       \
                                        struct haul_error *err)                                              \
    {                                                                                                        \
        enum haul_code code = buffer_reserve(out, bytes_max(count, sizeof values[0]), err);                  \
        if (code)                                                                                            \
            return code;                                                                                     \
        put_start(out, count, count > 0 ? (signed_type)values[0] : 0);                                       \
        for (size_t at = 1; at < count; at += BLOCK) {                                                       \
            unsigned_type deltas[BLOCK];                                                                     \
            int widths[MINIBLOCKS];                                                                          \
            size_t part = count - at < BLOCK ? count - at : BLOCK;                                           \
            int64_t least = block_##bits(values + at, part, deltas, widths);                                 \
            put_block_start(out, least, widths);                                                             \
            for (size_t m = 0; m < miniblocks_used(part); m++) {                                             \
                pack(deltas + m * MINIBLOCK, MINIBLOCK / 8, widths[m], out->data + out->length);             \
                out->length += MINIBLOCK / 8 * (size_t)widths[m];                                            \
            }                                                                                                \
        }                                                                                                    \
        return HAUL_OK;                                                                                      \
    }                                                                                                        \
    size_t encode_delta_measure_i##bits(const unsigned_type *values, size_t count)                           \
    {                                                                                                        \
        size_t bytes = start_bytes(count, count > 0 ? (signed_type)values[0] : 0);                           \
        for (size_t at = 1; at < count; at += BLOCK) {                                                       \
            unsigned_type deltas[BLOCK];                                                                     \
            int widths[MINIBLOCKS];                                                                          \
            size_t part = count - at < BLOCK ? count - at : BLOCK;                                           \
            int64_t least = block_##bits(values + at, part, deltas, widths);                                 \
            bytes += block_bytes(least, widths);                                                             \
        }                                                                                                    \
        return bytes;                                                                                        \
    }
DEFINE_ENCODE(32, uint32_t, int32_t, bitpack_u32)
DEFINE_ENCODE(64, uint64_t, int64_t, bitpack_u64)
