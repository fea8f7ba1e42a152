/* decode_plain.h: PLAIN. Specification: section 5.1. */
#ifndef HAUL_FORMAT_PARQUET_DECODE_PLAIN_H
#define HAUL_FORMAT_PARQUET_DECODE_PLAIN_H

#include "format/parquet/thrift.h"

struct plain {
    struct slice bytes; /* what is left; 32 bytes behind it can be read */
    size_t bit;         /* booleans: the next one */
};

/* False when there are fewer than `count`. */
bool plain_fixed(struct plain *plain, size_t width, uint8_t *out, size_t count);
bool plain_bools(struct plain *plain, uint8_t *out, size_t count);

/* The lengths of the next `count` byte arrays without moving on; *total gets
 * their sum. False when one reaches beyond the end. */
bool plain_lengths(const struct plain *plain, int32_t *lengths, size_t count, size_t *total);

/* Copies what plain_lengths told; `out` needs 32 bytes more than their total. */
void plain_copy(struct plain *plain, const int32_t *lengths, size_t count, uint8_t *out);

/* How many of the next `count` byte arrays have at most `bytes_max` bytes in all. */
size_t plain_within(const struct plain *plain, size_t count, size_t bytes_max);

#endif
