/*
 * encode_hybrid.h: levels, booleans and dictionary indices as runs: bit-packed
 * groups of 8, or one value repeated. Specification: section 5.2. No length
 * prefix: the caller writes one where the page has it.
 */
#ifndef HAUL_FORMAT_PARQUET_ENCODE_HYBRID_H
#define HAUL_FORMAT_PARQUET_ENCODE_HYBRID_H

#include "base/buffer.h"

/* `width` 0..32; every value fits in it. */
enum haul_code encode_hybrid(const uint32_t *values, size_t count, int width, struct buffer *out,
                             struct haul_error *err);

/* `count` times the same value. */
enum haul_code encode_hybrid_run(uint32_t value, size_t count, int width, struct buffer *out,
                                 struct haul_error *err);

/* The same for bytes (levels, booleans as 0 and 1), widened in `scratch`. */
enum haul_code encode_hybrid_bytes(const uint8_t *values, size_t count, int width, struct buffer *scratch,
                                   struct buffer *out, struct haul_error *err);

#endif
