/*
 * bitunpack.h: integers of `width` bits side by side, least significant bit
 * first, as plain integers again. Reads up to 8 bytes behind the last value.
 */
#ifndef HAUL_FORMAT_PARQUET_BITUNPACK_H
#define HAUL_FORMAT_PARQUET_BITUNPACK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t bitunpack_load(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* Values first .. first + count - 1 of the packed bytes; width 0..32. */
static inline void bitunpack_u32(const uint8_t *bytes, size_t first, size_t count, unsigned width,
                                 uint32_t *out)
{
    const uint64_t mask = ((uint64_t)1 << width) - 1;
    for (size_t i = 0; i < count; i++) {
        size_t bit = (first + i) * width;
        out[i] = (uint32_t)(bitunpack_load(bytes + (bit >> 3)) >> (bit & 7) & mask);
    }
}

/* Width 0..64; reads up to 16 bytes behind the last value. */
static inline void bitunpack_u64(const uint8_t *bytes, size_t count, unsigned width, uint64_t *out)
{
    const uint64_t mask = width == 64 ? UINT64_MAX : ((uint64_t)1 << width) - 1;
    for (size_t i = 0; i < count; i++) {
        size_t bit = i * width;
        uint64_t low = bitunpack_load(bytes + (bit >> 3)) >> (bit & 7);
        uint64_t high = bitunpack_load(bytes + (bit >> 3) + 8) << 1 << (63 - (bit & 7));
        out[i] = (low | high) & mask;
    }
}

#endif
