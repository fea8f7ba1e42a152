/*
 * encode_split.h: BYTE_STREAM_SPLIT: the first bytes of all values, then the
 * second bytes, and so on. Specification: section 5.6.
 */
#ifndef HAUL_FORMAT_PARQUET_ENCODE_SPLIT_H
#define HAUL_FORMAT_PARQUET_ENCODE_SPLIT_H

#include "base/buffer.h"

/* `values`: count x width bytes. */
enum haul_code encode_split(const uint8_t *values, size_t count, size_t width, struct buffer *out,
                            struct haul_error *err);

#endif
