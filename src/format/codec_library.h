/* codec_library.h: what codec.c asks of each compression library. */
#ifndef HAUL_FORMAT_CODEC_LIBRARY_H
#define HAUL_FORMAT_CODEC_LIBRARY_H

#include "format/codec.h"

struct codec_bytes {
    const uint8_t *data;
    size_t length;
};

struct codec_ops {
    int level_min, level_max; /* 0 0: no levels */
    enum haul_code (*compress)(struct codec *codec, struct codec_bytes in, struct buffer *out,
                               struct haul_error *err);
    enum haul_code (*decompress)(struct codec *codec, struct codec_bytes in, uint8_t *out, size_t out_length,
                                 struct haul_error *err);
    void (*release)(struct codec *codec);
};

struct codec {
    const struct codec_ops *ops;
    enum codec_id id;
    int level;        /* -1: the library's own */
    void *compressor; /* made at the first use */
    void *decompressor;
    void *fallback; /* gzip: the zlib stream for what libdeflate does not take */
};

extern const struct codec_ops codec_snappy, codec_gzip, codec_brotli, codec_zstd, codec_lz4_raw,
    codec_lz4_hadoop;

/* HAUL_DATA, "the zstd data is malformed: WHAT". */
enum haul_code codec_malformed(const struct codec *codec, const char *what, struct haul_error *err);

#endif
