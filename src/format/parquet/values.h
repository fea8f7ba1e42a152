/*
 * values.h: the values of one page in their physical form, whatever encoding
 * they have. Nulls are not among them. Specification: section 5.
 */
#ifndef HAUL_FORMAT_PARQUET_VALUES_H
#define HAUL_FORMAT_PARQUET_VALUES_H

#include "format/parquet/decode_delta.h"
#include "format/parquet/decode_hybrid.h"
#include "format/parquet/decode_plain.h"
#include "format/parquet/decode_split.h"
#include "format/parquet/decode_strings.h"
#include "format/parquet/footer.h"

struct values {
    enum parquet_type physical;
    size_t width;                   /* bytes of a fixed width value; 0: BOOLEAN, BYTE_ARRAY */
    enum parquet_encoding encoding; /* PLAIN_DICTIONARY is told as RLE_DICTIONARY */
    struct plain plain;
    struct hybrid hybrid; /* indices, booleans */
    struct delta delta;
    struct split split;
    struct delta_strings strings; /* keeps its buffers between pages */
};

void values_init(struct values *values, enum parquet_type physical, int type_length, struct memory *memory);
void values_release(struct values *values);

/* The values of a page with `count` of them at most. */
enum haul_code values_open(struct values *values, int32_t encoding, struct slice body, size_t count,
                           struct haul_error *err);

/* The next `count` values; HAUL_DATA when there are fewer. Each is for one kind
 * of page: */
enum haul_code values_fixed(struct values *values, uint8_t *out, size_t count, struct haul_error *err);
enum haul_code values_bools(struct values *values, uint8_t *out, size_t count,
                            struct haul_error *err); /* a byte each */
enum haul_code values_indices(struct values *values, uint32_t *out, size_t count, struct haul_error *err);

/* BYTE_ARRAY: appends the bytes to `data`, and their lengths to `lengths`. */
enum haul_code values_bytes(struct values *values, int32_t *lengths, size_t count, struct buffer *data,
                            struct haul_error *err);

/* How many of the next `count` BYTE_ARRAY values have at most `bytes_max` bytes
 * in all; at least 1. */
size_t values_within(const struct values *values, size_t count, size_t bytes_max);

#endif
