/*
 * encode_delta.h: DELTA_BINARY_PACKED: each integer as its distance from the
 * one before it, in blocks of 128 with 4 miniblocks. Specification: section 5.3.
 */
#ifndef HAUL_FORMAT_PARQUET_ENCODE_DELTA_H
#define HAUL_FORMAT_PARQUET_ENCODE_DELTA_H

#include "base/buffer.h"

enum haul_code encode_delta_i32(const uint32_t *values, size_t count, struct buffer *out,
                                struct haul_error *err);
enum haul_code encode_delta_i64(const uint64_t *values, size_t count, struct buffer *out,
                                struct haul_error *err);

/* Bytes the encoded form takes, without making it. */
size_t encode_delta_measure_i32(const uint32_t *values, size_t count);
size_t encode_delta_measure_i64(const uint64_t *values, size_t count);

#endif
