/*
 * hash_value.h: the inner half of the hash: every value of a column as 64 bits,
 * the same for equal values whatever their width, unit or layout
 * (docs/canonical.md, "The value"). hash.c makes row hashes of them.
 */
#ifndef HAUL_BATCH_HASH_VALUE_H
#define HAUL_BATCH_HASH_VALUE_H

#include "base/number.h"
#include "batch/view.h"

/* The first fractional digits of pi in base 16: numbers without a purpose. */
#define HASH_P0 UINT64_C(0x243f6a8885a308d3)
#define HASH_P1 UINT64_C(0x13198a2e03707344)
#define HASH_P2 UINT64_C(0xa4093822299f31d0)
#define HASH_P3 UINT64_C(0x082efa98ec4e6c89)
#define HASH_P4 UINT64_C(0x452821e638d01377)
#define HASH_P5 UINT64_C(0xbe5466cf34e90c6c)
#define HASH_P6 UINT64_C(0xc0ac29b7c97c50dd)
#define HASH_P7 UINT64_C(0x3f84d5b5b5470917)

static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
    uint128_t product = (uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* What kind of value a column holds: class, and for decimals the scale, in 16 bits. */
uint64_t hash_tag(const struct field *field);

/* Fills out[0..count) for the first `count` rows; rows that are NULL get anything. */
enum haul_code hash_values(const struct view *view, int64_t count, struct memory *memory, uint64_t *out,
                           struct haul_error *err);

#endif
