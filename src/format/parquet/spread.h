/*
 * spread.h: leaf loops that put dense values where the bits of a bitmap say,
 * and that gather values of a dictionary.
 */
#ifndef HAUL_FORMAT_PARQUET_SPREAD_H
#define HAUL_FORMAT_PARQUET_SPREAD_H

#include <stddef.h>
#include <stdint.h>

/* `count` slots, of which those are there whose bit, from bit `first` on, is set. */
struct slots {
    const uint8_t *bits;
    int64_t first;
    size_t count, present;
};

/* The last `present` of the slots at `values` hold dense values: they move to
 * the slots that are there; the others become zero. May read one value behind
 * the last slot, up to 16 bytes. */
void spread_fixed(uint8_t *values, size_t width, const struct slots *slots);

/* offsets[0] is set; the last `present` of offsets[1..count] hold lengths. They
 * become offsets, with empty values where none is there. */
void spread_offsets(int32_t *offsets, const struct slots *slots);

/* The same when all are there: lengths in offsets[1..count] become offsets. */
void offsets_from_lengths(int32_t *offsets, size_t count);

/* `present` bytes of 0 or 1 become bits of `out` from bit `first` on. bits NULL:
 * all slots are there. */
void spread_bools(const uint8_t *bools, size_t count, const uint8_t *bits, int64_t first, uint8_t *out);

/* out[i] = dictionary[indices[i]]. */
void gather_fixed(const uint8_t *dictionary, size_t width, const uint32_t *indices, size_t count,
                  uint8_t *out);

/* lengths[i] of the dictionary's entries; returns their sum. */
uint64_t gather_lengths(const int32_t *offsets, const uint32_t *indices, size_t count, int32_t *lengths);

/* The entries' bytes one after another; reads and writes up to 16 bytes more. */
void gather_bytes(const uint8_t *data, const int32_t *offsets, const uint32_t *indices, size_t count,
                  uint8_t *out);

uint32_t indices_highest(const uint32_t *indices, size_t count);

#endif
