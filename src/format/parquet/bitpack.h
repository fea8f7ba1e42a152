/*
 * bitpack.h: integers of `width` bits side by side, least significant bit
 * first, as the hybrid and the delta encodings have them. Values come in groups
 * of 8, so that a group ends on a byte. Specification: sections 5.2 and 5.3.
 */
#ifndef HAUL_FORMAT_PARQUET_BITPACK_H
#define HAUL_FORMAT_PARQUET_BITPACK_H

#include <stddef.h>
#include <stdint.h>

#define BITPACK_SLACK 8u /* bytes that may be written behind the last one */

/* Bits needed for `value`: 0 for 0, 1 for 1, 3 for 7. */
static inline int bitpack_width(uint64_t value)
{
    return value ? 64 - __builtin_clzll(value) : 0;
}

/* Writes groups x width bytes (and may touch BITPACK_SLACK more). Values must
 * fit in `width` bits: 0..32, and 0..64. */
void bitpack_u32(const uint32_t *values, size_t groups, int width, uint8_t *out);
void bitpack_u64(const uint64_t *values, size_t groups, int width, uint8_t *out);

#endif
