/*
 * bitpack.c: packing integers.
 *
 * Each width has a leaf of its own, made from one inline function: with the
 * width a constant, the eight steps of a group unroll to shifts and ors without
 * a branch, about one cycle per value. Widths above 32 occur only in wide deltas
 * and take a plain loop.
 */
#include "format/parquet/bitpack.h"
#include <assert.h>
#include <string.h>

#define GROUP 8

static inline __attribute__((always_inline)) void pack_groups(const uint32_t *values, size_t groups,
                                                              int width, uint8_t *out)
{
    for (size_t g = 0; g < groups; g++, values += GROUP, out += width) {
        uint64_t bits = 0;
        int fill = 0;
        uint8_t *to = out;
        for (int i = 0; i < GROUP; i++) {
            bits |= (uint64_t)values[i] << fill;
            fill += width;
            if (fill >= 32) {
                uint32_t word = (uint32_t)bits;
                memcpy(to, &word, sizeof word);
                to += sizeof word;
                bits >>= 32;
                fill -= 32;
            }
        }
        uint32_t rest = (uint32_t)bits;
        if (fill > 0)
            memcpy(to, &rest, sizeof rest);
    }
}

#define LEAF(width)                                                                                          \
    static void pack_##width(const uint32_t *values, size_t groups, uint8_t *out)                            \
    {                                                                                                        \
        pack_groups(values, groups, width, out);                                                             \
    }
LEAF(1)
LEAF(2) LEAF(3) LEAF(4) LEAF(5) LEAF(6) LEAF(7) LEAF(8) LEAF(9) LEAF(10) LEAF(11) LEAF(12) LEAF(13) LEAF(14)
    LEAF(15) LEAF(16) LEAF(17) LEAF(18) LEAF(19) LEAF(20) LEAF(21) LEAF(22) LEAF(23) LEAF(24) LEAF(25)
        LEAF(26) LEAF(27) LEAF(28) LEAF(29) LEAF(30) LEAF(31) LEAF(32)

            typedef void (*pack_fn)(const uint32_t *values, size_t groups, uint8_t *out);

static const pack_fn packers[33] = {
    NULL,    pack_1,  pack_2,  pack_3,  pack_4,  pack_5,  pack_6,  pack_7,  pack_8,  pack_9,  pack_10,
    pack_11, pack_12, pack_13, pack_14, pack_15, pack_16, pack_17, pack_18, pack_19, pack_20, pack_21,
    pack_22, pack_23, pack_24, pack_25, pack_26, pack_27, pack_28, pack_29, pack_30, pack_31, pack_32};

void bitpack_u32(const uint32_t *values, size_t groups, int width, uint8_t *out)
{
    assert(width >= 0 && width <= 32);
    if (width > 0)
        packers[width](values, groups, out);
}

static void pack_narrowed(const uint64_t *values, size_t groups, int width, uint8_t *out)
{
    for (size_t g = 0; g < groups; g++) {
        uint32_t narrow[GROUP];
        for (int i = 0; i < GROUP; i++)
            narrow[i] = (uint32_t)values[g * GROUP + (size_t)i];
        packers[width](narrow, 1, out + g * (size_t)width);
    }
}

void bitpack_u64(const uint64_t *values, size_t groups, int width, uint8_t *out)
{
    assert(width >= 0 && width <= 64);
    if (width == 0)
        return;
    if (width <= 32) {
        pack_narrowed(values, groups, width, out);
        return;
    }
    uint64_t bits = 0;
    int fill = 0;
    for (size_t i = 0; i < groups * GROUP; i++) {
        bits |= values[i] << fill;
        fill += width;
        if (fill < 64)
            continue;
        memcpy(out, &bits, sizeof bits);
        out += sizeof bits;
        fill -= 64;
        bits = fill > 0 ? values[i] >> (width - fill) : 0;
    }
    if (fill > 0)
        memcpy(out, &bits, (size_t)fill / 8);
}
