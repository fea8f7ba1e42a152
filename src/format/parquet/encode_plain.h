/*
 * encode_plain.h: PLAIN, for the types whose plain form is not simply their
 * bytes in memory: strings and booleans; and DELTA_LENGTH_BYTE_ARRAY, made from
 * plain strings. Specification: sections 5.1 and 5.4.
 */
#ifndef HAUL_FORMAT_PARQUET_ENCODE_PLAIN_H
#define HAUL_FORMAT_PARQUET_ENCODE_PLAIN_H

#include "base/buffer.h"

/* Strings where they lie: value i is data[starts[i]] up to data[ends[i]]. At
 * least `data_length` bytes may be read. */
struct strings {
    const uint8_t *data;
    size_t data_length;
    const int32_t *starts, *ends;
};

/* Those from `first` on. */
static inline struct strings strings_from(const struct strings *strings, size_t first)
{
    return (struct strings){strings->data, strings->data_length, strings->starts + first,
                            strings->ends + first};
}

/* Appends `count` strings from `first` on, each after its length (u32). */
enum haul_code encode_plain_strings(const struct strings *strings, size_t first, size_t count,
                                    struct buffer *out, struct haul_error *err);

/* Bytes their plain form takes. */
size_t encode_plain_strings_bytes(const struct strings *strings, size_t first, size_t count);

/* Appends booleans given as bytes 0 and 1, eight to a byte. */
enum haul_code encode_plain_bools(const uint8_t *values, size_t count, struct buffer *out,
                                  struct haul_error *err);

/* DELTA_LENGTH_BYTE_ARRAY of `count` strings given in plain form. */
enum haul_code encode_delta_length(const uint8_t *plain, size_t count, struct buffer *scratch,
                                   struct buffer *out, struct haul_error *err);

#endif
