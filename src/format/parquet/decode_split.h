/* decode_split.h: BYTE_STREAM_SPLIT. Specification: section 5.6. */
#ifndef HAUL_FORMAT_PARQUET_DECODE_SPLIT_H
#define HAUL_FORMAT_PARQUET_DECODE_SPLIT_H

#include "format/parquet/thrift.h"

struct split {
    const uint8_t *streams;
    size_t width, count, place;
};

/* False when the bytes are no whole number of values. */
bool split_open(struct split *split, struct slice bytes, size_t width);
bool split_read(struct split *split, uint8_t *out, size_t count); /* false: there are fewer */

#endif
