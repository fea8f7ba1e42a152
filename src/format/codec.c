/*
 * codec.c: what all codecs share: names, opening, dispatch. The libraries are in
 * codec_block.c (snappy, lz4, brotli) and codec_stream.c (gzip, zstd), behind
 * one table of functions.
 *
 * A codec belongs to one worker. Library contexts are made at the first use and
 * kept. Decompression is told the exact size of the result and fills it exactly;
 * a stream that wants to give more or less is HAUL_DATA. Specification of the
 * framings: parquet.md section 11.
 */
#include "base/number.h"
#include "format/codec_library.h"
#include <stdlib.h>
#include <strings.h>

const char *const codec_names[CODEC_COUNT] = {"none", "snappy", "gzip", "brotli", "zstd", "lz4_raw", "lz4"};

static const struct codec_ops none_ops = {0};

static const struct codec_ops *const ops_table[CODEC_COUNT] = {
    [CODEC_NONE] = &none_ops,
    [CODEC_SNAPPY] = &codec_snappy,
    [CODEC_GZIP] = &codec_gzip,
    [CODEC_BROTLI] = &codec_brotli,
    [CODEC_ZSTD] = &codec_zstd,
    [CODEC_LZ4_RAW] = &codec_lz4_raw,
    [CODEC_LZ4_HADOOP] = &codec_lz4_hadoop,
};

static bool name_find(const char *name, size_t length, enum codec_id *codec)
{
    static const struct {
        const char *name;
        enum codec_id id;
    } names[] = {{"none", CODEC_NONE},   {"uncompressed", CODEC_NONE}, {"snappy", CODEC_SNAPPY},
                 {"gzip", CODEC_GZIP},   {"brotli", CODEC_BROTLI},     {"zstd", CODEC_ZSTD},
                 {"lz4", CODEC_LZ4_RAW}, {"lz4_raw", CODEC_LZ4_RAW}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i].name) == length && !strncasecmp(name, names[i].name, length)) {
            *codec = names[i].id;
            return true;
        }
    }
    return false;
}

enum haul_code codec_parse(const char *text, enum codec_id *codec, int *level, struct haul_error *err)
{
    const char *colon = strchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : strlen(text);
    int64_t number = -1;
    enum codec_id found = CODEC_NONE;
    if (!name_find(text, length, &found))
        return error_set(
            err, HAUL_USAGE,
            "compression \"%s\" is not known; there are zstd, snappy, gzip, lz4, brotli and none", text);
    if (colon && !number_parse_i64(colon + 1, strlen(colon + 1), &number))
        return error_set(err, HAUL_USAGE, "compression \"%s\": the level is not a number; write %.*s:3", text,
                         (int)length, text);
    const struct codec_ops *ops = ops_table[found];
    if (colon && ops->level_max == 0)
        return error_set(err, HAUL_USAGE, "compression \"%s\": %s has no levels", text, codec_names[found]);
    if (colon && (number < ops->level_min || number > ops->level_max))
        return error_set(err, HAUL_USAGE, "compression \"%s\": the levels of %s are %d to %d", text,
                         codec_names[found], ops->level_min, ops->level_max);
    *codec = found;
    *level = (int)number;
    return HAUL_OK;
}

enum haul_code codec_open(struct codec **codec, enum codec_id id, int level, struct haul_error *err)
{
    struct codec *made = calloc(1, sizeof *made);
    if (!made)
        return error_nomem(err, "a codec");
    made->id = id;
    made->ops = ops_table[id];
    made->level = level;
    *codec = made;
    return HAUL_OK;
}

void codec_close(struct codec *codec)
{
    if (!codec)
        return;
    if (codec->ops->release)
        codec->ops->release(codec);
    free(codec);
}

enum haul_code codec_compress(struct codec *codec, const void *data, size_t length, struct buffer *out,
                              struct haul_error *err)
{
    if (codec->id == CODEC_NONE)
        return buffer_append(out, data, length, err);
    if (!codec->ops->compress)
        return error_set(err, HAUL_UNSUPPORTED, "haul does not write %s", codec_names[codec->id]);
    return codec->ops->compress(codec, (struct codec_bytes){data, length}, out, err);
}

enum haul_code codec_decompress(struct codec *codec, const void *data, size_t length, void *out,
                                size_t out_length, struct haul_error *err)
{
    if (codec->id != CODEC_NONE)
        return codec->ops->decompress(codec, (struct codec_bytes){data, length}, out, out_length, err);
    if (length != out_length)
        return error_set(err, HAUL_DATA, "%zu bytes stand where %zu should", length, out_length);
    if (length)
        memcpy(out, data, length);
    return HAUL_OK;
}

enum haul_code codec_malformed(const struct codec *codec, const char *what, struct haul_error *err)
{
    return error_set(err, HAUL_DATA, "the %s data is malformed: %s", codec_names[codec->id], what);
}
