/* decode_delta.h: DELTA_BINARY_PACKED. Specification: section 5.3. */
#ifndef HAUL_FORMAT_PARQUET_DECODE_DELTA_H
#define HAUL_FORMAT_PARQUET_DECODE_DELTA_H

#include "format/parquet/thrift.h"

struct delta {
    struct slice bytes; /* not yet read; 32 bytes behind can be read */
    bool narrow;        /* INT32: arithmetic in 32 bits */
    bool started;       /* the first value was given */
    uint32_t mini_size, mini_count;
    uint64_t left; /* values not given yet */
    uint64_t last; /* the value before */
    uint64_t min_delta;
    const uint8_t *widths; /* of the block's miniblocks */
    uint32_t mini;         /* the next miniblock */
    uint64_t ready[64];    /* unpacked deltas: a part of a miniblock */
    uint32_t ready_at, ready_count;
    uint32_t mini_left; /* values of the miniblock not in ready yet */
    const uint8_t *mini_bytes;
    unsigned width;
};

/* Reads the header. NULL, or what is wrong. */
const char *delta_open(struct delta *delta, struct slice bytes, bool narrow);

/* How many values the header tells. */
static inline uint64_t delta_left(const struct delta *delta)
{
    return delta->left;
}

/* The next `count` values, 32 or 64 bits each as `narrow` said. */
const char *delta_read(struct delta *delta, void *out, size_t count);

/* What follows the encoded values, once all have been read. */
static inline struct slice delta_rest(const struct delta *delta)
{
    return delta->bytes;
}

#endif
