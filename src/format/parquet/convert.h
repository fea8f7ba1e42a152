/*
 * convert.h: physical values -> the values of the Arrow field, where they are
 * not the same bytes. Specification: section 7.
 */
#ifndef HAUL_FORMAT_PARQUET_CONVERT_H
#define HAUL_FORMAT_PARQUET_CONVERT_H

#include "format/parquet/schema.h"

struct convert;

/* NULL, or what is wrong with value *at. */
typedef const char *(*convert_fn)(const struct convert *convert, const uint8_t *in, size_t count,
                                  uint8_t *out, size_t *at);

struct convert {
    convert_fn run; /* NULL: the same bytes */
    size_t width;   /* of a physical value */
    int precision;  /* decimals */
    bool micros;    /* timestamps of INT96: not nanoseconds */
};

/* For leaves of fixed width. */
struct convert convert_for(const struct node *leaf);

struct byte_values { /* one after another */
    const uint8_t *data;
    const int32_t *lengths;
    size_t count;
};

/* BYTE_ARRAY decimals. */
const char *convert_decimal_bytes(const struct byte_values *values, int precision, uint8_t *out, size_t *at);

#endif
