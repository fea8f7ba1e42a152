/*
 * decode_hybrid.h: the RLE / bit-packing hybrid: levels, dictionary indices and
 * booleans. Specification: section 5.2.
 */
#ifndef HAUL_FORMAT_PARQUET_DECODE_HYBRID_H
#define HAUL_FORMAT_PARQUET_DECODE_HYBRID_H

#include "format/parquet/thrift.h"

struct hybrid {
    const uint8_t *at, *end;
    unsigned width; /* 0..32 */
    uint64_t left;  /* values left of the run */
    uint32_t value; /* of a repeated run */
    bool packed;
    const uint8_t *run; /* of a packed run: its first byte, */
    size_t run_bytes;   /* how many stand there, */
    uint64_t run_place; /* and how many values of it were taken */
};

/* False when the width is beyond 32. The bytes need 16 readable ones behind. */
bool hybrid_init(struct hybrid *hybrid, struct slice bytes, unsigned width);

/* Fill `count` values; false when the bytes end before. */
bool hybrid_u32(struct hybrid *hybrid, uint32_t *out, size_t count);
bool hybrid_u8(struct hybrid *hybrid, uint8_t *out, size_t count); /* width <= 8 */

/* Width 1: `count` bits into `bits` from bit `first` on, where bits up to there
 * are kept and later ones of the last byte cleared. *ones gets how many are set. */
bool hybrid_bits(struct hybrid *hybrid, uint8_t *bits, int64_t first, size_t count, int64_t *ones);

#endif
