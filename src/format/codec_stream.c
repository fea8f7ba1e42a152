/*
 * codec_stream.c: gzip and zstd, whose data may be several members or frames
 * one after another.
 *
 * Gzip members are taken by libdeflate, about twice as fast as zlib; what it
 * refuses (a zlib header, a member it cannot size) is tried by zlib, which also
 * detects the header. Specification: parquet.md section 11.
 */
#include "format/codec_library.h"
#include <libdeflate.h>
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

/* ---- gzip ---- */

enum { GZIP_LEVEL_OURS = 6, ZLIB_ANY_HEADER = 15 + 32 };

static enum haul_code gzip_compress(struct codec *codec, struct codec_bytes in, struct buffer *out,
                                    struct haul_error *err)
{
    if (!codec->compressor)
        codec->compressor = libdeflate_alloc_compressor(codec->level < 0 ? GZIP_LEVEL_OURS : codec->level);
    if (!codec->compressor)
        return error_nomem(err, "gzip");
    size_t room = libdeflate_gzip_compress_bound(codec->compressor, in.length);
    enum haul_code code = buffer_reserve(out, room, err);
    if (code)
        return code;
    size_t length =
        libdeflate_gzip_compress(codec->compressor, in.data, in.length, out->data + out->length, room);
    if (length == 0)
        return codec_malformed(codec, "it cannot be compressed", err);
    out->length += length;
    return HAUL_OK;
}

static bool gzip_members(struct codec *codec, struct codec_bytes in, uint8_t *out, size_t out_length)
{
    size_t filled = 0;
    while (in.length) {
        size_t taken = 0, made = 0;
        enum libdeflate_result result = libdeflate_gzip_decompress_ex(
            codec->decompressor, in.data, in.length, out + filled, out_length - filled, &taken, &made);
        if (result != LIBDEFLATE_SUCCESS || taken == 0)
            return false;
        filled += made;
        in.data += taken;
        in.length -= taken;
    }
    return filled == out_length;
}

static bool zlib_members(z_stream *stream, struct codec_bytes in, uint8_t *out, size_t out_length)
{
    if (in.length > UINT_MAX || out_length > UINT_MAX)
        return false;
    stream->next_in = (Bytef *)(uintptr_t)in.data;
    stream->avail_in = (uInt)in.length;
    stream->next_out = out;
    stream->avail_out = (uInt)out_length;
    for (;;) {
        if (inflateReset2(stream, ZLIB_ANY_HEADER) != Z_OK || inflate(stream, Z_FINISH) != Z_STREAM_END)
            return false;
        if (stream->avail_in == 0)
            return stream->avail_out == 0;
    }
}

static void *zlib_new(void)
{
    z_stream *stream = calloc(1, sizeof *stream);
    if (stream && inflateInit2(stream, ZLIB_ANY_HEADER) != Z_OK) {
        free(stream);
        stream = NULL;
    }
    return stream;
}

static enum haul_code gzip_decompress(struct codec *codec, struct codec_bytes in, uint8_t *out,
                                      size_t out_length, struct haul_error *err)
{
    if (!codec->decompressor)
        codec->decompressor = libdeflate_alloc_decompressor();
    if (!codec->decompressor)
        return error_nomem(err, "gzip");
    if (gzip_members(codec, in, out, out_length))
        return HAUL_OK;
    if (!codec->fallback)
        codec->fallback = zlib_new();
    if (!codec->fallback)
        return error_nomem(err, "gzip");
    if (zlib_members(codec->fallback, in, out, out_length))
        return HAUL_OK;
    return codec_malformed(codec, "it does not decompress to the announced size", err);
}

static void gzip_release(struct codec *codec)
{
    if (codec->compressor)
        libdeflate_free_compressor(codec->compressor);
    if (codec->decompressor)
        libdeflate_free_decompressor(codec->decompressor);
    if (codec->fallback)
        inflateEnd(codec->fallback);
    free(codec->fallback);
}

const struct codec_ops codec_gzip = {
    .level_min = 0,
    .level_max = 12,
    .compress = gzip_compress,
    .decompress = gzip_decompress,
    .release = gzip_release,
};

/* ---- zstd ---- */

enum { ZSTD_LEVEL_OURS = 1, ZSTD_LEVEL_LOW = -7, ZSTD_LEVEL_HIGH = 22 };

static enum haul_code zstd_compress(struct codec *codec, struct codec_bytes in, struct buffer *out,
                                    struct haul_error *err)
{
    if (!codec->compressor)
        codec->compressor = ZSTD_createCCtx();
    if (!codec->compressor)
        return error_nomem(err, "zstd");
    size_t room = ZSTD_compressBound(in.length);
    enum haul_code code = buffer_reserve(out, room, err);
    if (code)
        return code;
    int level = codec->level == -1 ? ZSTD_LEVEL_OURS : codec->level;
    size_t length =
        ZSTD_compressCCtx(codec->compressor, out->data + out->length, room, in.data, in.length, level);
    if (ZSTD_isError(length))
        return error_set(err, HAUL_NOMEM, "zstd: %s", ZSTD_getErrorName(length));
    out->length += length;
    return HAUL_OK;
}

static enum haul_code zstd_decompress(struct codec *codec, struct codec_bytes in, uint8_t *out,
                                      size_t out_length, struct haul_error *err)
{
    if (!codec->decompressor)
        codec->decompressor = ZSTD_createDCtx();
    if (!codec->decompressor)
        return error_nomem(err, "zstd");
    size_t length = ZSTD_decompressDCtx(codec->decompressor, out, out_length, in.data, in.length);
    if (ZSTD_isError(length))
        return codec_malformed(codec, ZSTD_getErrorName(length), err);
    return length == out_length ? HAUL_OK : codec_malformed(codec, "it is shorter than announced", err);
}

static void zstd_release(struct codec *codec)
{
    ZSTD_freeCCtx(codec->compressor);
    ZSTD_freeDCtx(codec->decompressor);
}

const struct codec_ops codec_zstd = {
    .level_min = ZSTD_LEVEL_LOW,
    .level_max = ZSTD_LEVEL_HIGH,
    .compress = zstd_compress,
    .decompress = zstd_decompress,
    .release = zstd_release,
};
