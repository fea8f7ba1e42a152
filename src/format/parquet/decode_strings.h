/*
 * decode_strings.h: DELTA_LENGTH_BYTE_ARRAY and DELTA_BYTE_ARRAY.
 * Specification: sections 5.4 and 5.5.
 */
#ifndef HAUL_FORMAT_PARQUET_DECODE_STRINGS_H
#define HAUL_FORMAT_PARQUET_DECODE_STRINGS_H

#include "base/buffer.h"
#include "format/parquet/thrift.h"

struct delta_strings {
    struct buffer prefixes; /* int32; DELTA_BYTE_ARRAY only */
    struct buffer lengths;  /* int32, of the suffixes */
    struct buffer previous; /* the last value given */
    struct slice bytes;     /* of the values not given yet */
    size_t place, count;
    bool front_coded; /* DELTA_BYTE_ARRAY */
};

void delta_strings_init(struct delta_strings *strings, struct memory *memory);
void delta_strings_release(struct delta_strings *strings);

/* Reads all lengths of a page that has at most `count` values. */
enum haul_code delta_strings_open(struct delta_strings *strings, struct slice bytes, size_t count, bool front_coded,
                            struct haul_error *err);

/* Appends the next `count` values to `data`. */
enum haul_code delta_strings_read(struct delta_strings *strings, int32_t *lengths, size_t count, struct buffer *data,
                            struct haul_error *err);

/* How many of the next `count` have at most `bytes_max` bytes in all. */
size_t delta_strings_within(const struct delta_strings *strings, size_t count, size_t bytes_max);

#endif
