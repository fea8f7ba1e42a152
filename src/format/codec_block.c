/*
 * codec_block.c: snappy, LZ4 and brotli: whole blocks in, whole blocks out.
 *
 * LZ4 as old writers have it (Parquet's codec 5) comes in three forms: Hadoop's
 * framing with big-endian sizes, a plain block, and the LZ4 frame format. The
 * first is tried with strict checks; what fails them is tried as the next.
 * Specification: parquet.md section 11.
 */
#include "format/codec_library.h"
#include <brotli/decode.h>
#include <brotli/encode.h>
#include <limits.h>
#include <lz4.h>
#include <lz4frame.h>
#include <snappy-c.h>

/* ---- snappy ---- */

static enum haul_code snappy_compress_block(struct codec *codec, struct codec_bytes in, struct buffer *out,
                                            struct haul_error *err)
{
    size_t room = snappy_max_compressed_length(in.length);
    enum haul_code code = buffer_reserve(out, room, err);
    if (code)
        return code;
    if (snappy_compress((const char *)in.data, in.length, (char *)out->data + out->length, &room) !=
        SNAPPY_OK)
        return codec_malformed(codec, "it cannot be compressed", err);
    out->length += room;
    return HAUL_OK;
}

static enum haul_code snappy_decompress_block(struct codec *codec, struct codec_bytes in, uint8_t *out,
                                              size_t out_length, struct haul_error *err)
{
    size_t length = 0;
    if (snappy_uncompressed_length((const char *)in.data, in.length, &length) != SNAPPY_OK)
        return codec_malformed(codec, "no length at its start", err);
    if (length != out_length)
        return codec_malformed(codec, "its length is not the one announced", err);
    if (snappy_uncompress((const char *)in.data, in.length, (char *)out, &length) != SNAPPY_OK)
        return codec_malformed(codec, "it does not decompress", err);
    return HAUL_OK;
}

const struct codec_ops codec_snappy = {
    .compress = snappy_compress_block,
    .decompress = snappy_decompress_block,
};

/* ---- lz4 ---- */

static enum haul_code lz4_compress_block(struct codec *codec, struct codec_bytes in, struct buffer *out,
                                         struct haul_error *err)
{
    if (in.length > LZ4_MAX_INPUT_SIZE)
        return error_set(err, HAUL_LIMIT, "lz4 takes at most %d bytes at once", LZ4_MAX_INPUT_SIZE);
    int room = LZ4_compressBound((int)in.length);
    enum haul_code code = buffer_reserve(out, (size_t)room, err);
    if (code)
        return code;
    int length =
        LZ4_compress_default((const char *)in.data, (char *)out->data + out->length, (int)in.length, room);
    if (length <= 0)
        return codec_malformed(codec, "it cannot be compressed", err);
    out->length += (size_t)length;
    return HAUL_OK;
}

static bool lz4_block(struct codec_bytes in, uint8_t *out, size_t out_length)
{
    if (in.length > INT_MAX || out_length > INT_MAX)
        return false;
    int length = LZ4_decompress_safe((const char *)in.data, (char *)out, (int)in.length, (int)out_length);
    return length >= 0 && (size_t)length == out_length;
}

static enum haul_code lz4_decompress_block(struct codec *codec, struct codec_bytes in, uint8_t *out,
                                           size_t out_length, struct haul_error *err)
{
    return lz4_block(in, out, out_length) ? HAUL_OK : codec_malformed(codec, "it does not decompress", err);
}

static uint32_t big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* One inner chunk of a Hadoop frame: false when it does not fit. Its size after
 * decompression is not told; at most `left` bytes. */
static bool lz4_hadoop_chunk(struct codec_bytes *in, uint8_t *out, size_t left, size_t *made)
{
    if (in->length < 4)
        return false;
    size_t stored = big_endian(in->data);
    if (stored > in->length - 4 || stored > INT_MAX || left > INT_MAX)
        return false;
    int length = LZ4_decompress_safe((const char *)in->data + 4, (char *)out, (int)stored, (int)left);
    if (length < 0)
        return false;
    in->data += 4 + stored;
    in->length -= 4 + stored;
    *made = (size_t)length;
    return true;
}

static bool lz4_hadoop_frames(struct codec_bytes in, uint8_t *out, size_t out_length)
{
    size_t filled = 0;
    while (in.length >= 8) {
        size_t frame = big_endian(in.data);
        if (frame > out_length - filled)
            return false;
        in.data += 4;
        in.length -= 4;
        for (size_t end = filled + frame, made = 0; filled < end; filled += made)
            if (!lz4_hadoop_chunk(&in, out + filled, end - filled, &made) || made == 0)
                return false;
    }
    return filled == out_length && in.length == 0;
}

static bool lz4_frame(struct codec_bytes in, uint8_t *out, size_t out_length)
{
    LZ4F_dctx *context = NULL;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
        return false;
    size_t filled = 0, hint = 1;
    while (in.length && hint) {
        size_t room = out_length - filled, taken = in.length;
        hint = LZ4F_decompress(context, out + filled, &room, in.data, &taken, NULL);
        if (LZ4F_isError(hint) || (room == 0 && taken == 0))
            break;
        filled += room;
        in.data += taken;
        in.length -= taken;
    }
    LZ4F_freeDecompressionContext(context);
    return hint == 0 && filled == out_length && in.length == 0;
}

static enum haul_code lz4_decompress_hadoop(struct codec *codec, struct codec_bytes in, uint8_t *out,
                                            size_t out_length, struct haul_error *err)
{
    bool done = lz4_hadoop_frames(in, out, out_length) || lz4_block(in, out, out_length) ||
                lz4_frame(in, out, out_length);
    return done ? HAUL_OK : codec_malformed(codec, "it does not decompress in any of lz4's framings", err);
}

const struct codec_ops codec_lz4_raw = {.compress = lz4_compress_block, .decompress = lz4_decompress_block};
const struct codec_ops codec_lz4_hadoop = {.decompress = lz4_decompress_hadoop};

/* ---- brotli ---- */

enum { BROTLI_LEVEL_OURS = 5 }; /* the library's own, 11, takes minutes for a row group */

static enum haul_code brotli_compress_block(struct codec *codec, struct codec_bytes in, struct buffer *out,
                                            struct haul_error *err)
{
    size_t room = BrotliEncoderMaxCompressedSize(in.length);
    if (room == 0 && in.length)
        return error_set(err, HAUL_LIMIT, "brotli does not take %zu bytes at once", in.length);
    room = room < 16 ? 16 : room;
    enum haul_code code = buffer_reserve(out, room, err);
    if (code)
        return code;
    int level = codec->level < 0 ? BROTLI_LEVEL_OURS : codec->level;
    if (!BrotliEncoderCompress(level, BROTLI_DEFAULT_WINDOW, BROTLI_DEFAULT_MODE, in.length, in.data, &room,
                               out->data + out->length))
        return error_nomem(err, "brotli");
    out->length += room;
    return HAUL_OK;
}

static enum haul_code brotli_decompress_block(struct codec *codec, struct codec_bytes in, uint8_t *out,
                                              size_t out_length, struct haul_error *err)
{
    size_t length = out_length;
    BrotliDecoderResult result = BrotliDecoderDecompress(in.length, in.data, &length, out);
    if (result != BROTLI_DECODER_RESULT_SUCCESS || length != out_length)
        return codec_malformed(codec, "it does not decompress to the announced size", err);
    return HAUL_OK;
}

const struct codec_ops codec_brotli = {
    .level_min = 0,
    .level_max = 11,
    .compress = brotli_compress_block,
    .decompress = brotli_decompress_block,
};
