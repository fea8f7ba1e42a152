/*
 * codec.h: page and stream compression, one table over the libraries.
 */
#ifndef HAUL_FORMAT_CODEC_H
#define HAUL_FORMAT_CODEC_H

#include "base/buffer.h"

enum codec_id { CODEC_NONE, CODEC_SNAPPY, CODEC_GZIP, CODEC_BROTLI, CODEC_ZSTD, CODEC_LZ4_RAW, CODEC_LZ4_HADOOP, CODEC_COUNT };

extern const char *const codec_names[CODEC_COUNT]; /* "none", "snappy", "gzip", "brotli", "zstd", "lz4_raw", "lz4" */

/* "zstd", "zstd:3", "none", "uncompressed", "lz4" (means lz4_raw when writing). *level gets -1 when not said. */
enum haul_code codec_parse(const char *text, enum codec_id *codec, int *level, struct haul_error *err);

/* A worker's compressor/decompressor: keeps library contexts between calls. */
struct codec;
enum haul_code codec_open(struct codec **codec, enum codec_id id, int level, struct haul_error *err);
void codec_close(struct codec *codec);

/* Appends the compressed form of `data` to `out`. */
enum haul_code codec_compress(struct codec *codec, const void *data, size_t length, struct buffer *out,
                              struct haul_error *err);

/* Fills exactly `out_length` bytes; anything else is HAUL_DATA. Never reads or
 * writes outside; libraries never allocate more than the input justifies. */
enum haul_code codec_decompress(struct codec *codec, const void *data, size_t length, void *out, size_t out_length,
                                struct haul_error *err);

#endif
