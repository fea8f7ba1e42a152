/*
 * page_writer.c: framing pages.
 *
 * A page's body is made of at most two stretches, levels and values. Version 1
 * compresses both as one, so they are brought together first (unless there are
 * no levels); version 2 leaves levels plain and keeps the values plain too when
 * compression does not make them shorter. The checksum goes over what is stored.
 * No statistics in page headers: the column index has them.
 */
#include "format/parquet/page_writer.h"
#include "format/parquet/bitpack.h"
#include "format/parquet/encode_hybrid.h"
#include <libdeflate.h>

enum haul_code page_writer_open(struct page_writer *writer, const struct context *context,
                                enum codec_id codec, int level, struct haul_error *err)
{
    memset(writer, 0, sizeof *writer);
    writer->version = 1;
    writer->codec_id = codec;
    buffer_init(&writer->values, context->memory);
    buffer_init(&writer->levels, context->memory);
    buffer_init(&writer->compressed, context->memory);
    buffer_init(&writer->scratch, context->memory);
    buffer_init(&writer->header, context->memory);
    return codec == CODEC_NONE ? HAUL_OK : codec_open(&writer->codec, codec, level, err);
}

void page_writer_close(struct page_writer *writer)
{
    if (writer->codec)
        codec_close(writer->codec);
    writer->codec = NULL;
    buffer_release(&writer->values);
    buffer_release(&writer->levels);
    buffer_release(&writer->compressed);
    buffer_release(&writer->scratch);
    buffer_release(&writer->header);
}

enum parquet_codec page_codec(enum codec_id codec)
{
    static const enum parquet_codec table[CODEC_COUNT] = {
        [CODEC_NONE] = PARQUET_UNCOMPRESSED, [CODEC_SNAPPY] = PARQUET_SNAPPY,
        [CODEC_GZIP] = PARQUET_GZIP,         [CODEC_BROTLI] = PARQUET_BROTLI,
        [CODEC_ZSTD] = PARQUET_ZSTD,         [CODEC_LZ4_RAW] = PARQUET_LZ4_RAW,
        [CODEC_LZ4_HADOOP] = PARQUET_LZ4,
    };
    return table[codec];
}

/* ---- levels ---- */

static enum haul_code put_levels(struct page_writer *writer, const struct page *page, const uint8_t *levels,
                                 int max, struct haul_error *err)
{
    int width = bitpack_width((uint64_t)max);
    if (!levels)
        return encode_hybrid_run((uint32_t)max, page->levels, width, &writer->levels, err);
    return encode_hybrid_bytes(levels, page->levels, width, &writer->scratch, &writer->levels, err);
}

/* Version 1: behind their length. */
static enum haul_code put_levels_v1(struct page_writer *writer, const struct page *page,
                                    const uint8_t *levels, int max, struct haul_error *err)
{
    uint32_t length = 0;
    size_t place = writer->levels.length;
    enum haul_code code = buffer_append(&writer->levels, &length, sizeof length, err);
    if (!code)
        code = put_levels(writer, page, levels, max, err);
    if (code)
        return code;
    length = (uint32_t)(writer->levels.length - place - sizeof length);
    memcpy(writer->levels.data + place, &length, sizeof length);
    return HAUL_OK;
}

/* ---- framing ---- */

struct frame { /* a body ready to be stored */
    struct slice first, second;
    struct buffer *own; /* the buffer that is `second`, to be used up, or NULL */
    size_t plain_length;
};

static enum haul_code frame_put(struct page_writer *writer, struct page_header *header,
                                const struct frame *frame, struct page_store *store, struct page_size *size,
                                struct haul_error *err)
{
    size_t length = frame->first.length + frame->second.length;
    if (length > INT32_MAX || frame->plain_length > INT32_MAX)
        return error_set(err, HAUL_LIMIT,
                         "a Parquet page of %zu bytes is too large: a row must stay under 2 GiB",
                         frame->plain_length);
    uint32_t crc = libdeflate_crc32(0, frame->first.data, frame->first.length);
    if (frame->second.length > 0)
        crc = libdeflate_crc32(crc, frame->second.data, frame->second.length);
    header->uncompressed_size = (int32_t)frame->plain_length;
    header->compressed_size = (int32_t)length;
    memcpy(&header->crc, &crc, sizeof crc);
    thrift_set(header, PAGE_HEADER_CRC);
    buffer_clear(&writer->header);
    enum haul_code code = page_header_write(header, &writer->header, err);
    if (!code)
        code = page_store_append(store, writer->header.data, writer->header.length, err);
    if (!code)
        code = page_store_append(store, frame->first.data, frame->first.length, err);
    if (!code && frame->own)
        code = page_store_take(store, frame->own, err);
    else if (!code)
        code = page_store_append(store, frame->second.data, frame->second.length, err);
    size->stored = (int64_t)(writer->header.length + length);
    size->plain = (int64_t)(writer->header.length + frame->plain_length);
    return code;
}

/* `second` becomes its compressed form. */
static enum haul_code compress(struct page_writer *writer, struct frame *frame, struct haul_error *err)
{
    struct buffer *out = &writer->compressed;
    buffer_clear(out);
    enum haul_code code = codec_compress(writer->codec, frame->second.data, frame->second.length, out, err);
    frame->second = (struct slice){out->data, out->length};
    frame->own = out;
    return code;
}

/* `first` goes in front of `second`: in its own buffer, so that a large value is not copied once more. */
static enum haul_code join(struct page_writer *writer, struct frame *frame, struct haul_error *err)
{
    struct buffer *own = frame->own ? frame->own : &writer->levels;
    size_t length = frame->first.length;
    enum haul_code code = HAUL_OK;
    if (frame->own) {
        code = buffer_reserve(own, length, err);
        if (code)
            return code;
        memmove(own->data + length, own->data, own->length);
        memcpy(own->data, frame->first.data, length);
        own->length += length;
    } else {
        code = buffer_append(own, frame->second.data, frame->second.length, err);
    }
    frame->first.length = 0;
    frame->second = (struct slice){own->data, own->length};
    return code;
}

static enum haul_code write_v1(struct page_writer *writer, const struct page *page, struct page_store *store,
                               struct page_size *size, struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    if (page->rep_max > 0)
        code = put_levels_v1(writer, page, page->rep, page->rep_max, err);
    if (!code && page->def_max > 0)
        code = put_levels_v1(writer, page, page->def, page->def_max, err);
    if (code)
        return code;
    struct frame frame = {{writer->levels.data, writer->levels.length}, page->values, page->own, 0};
    frame.plain_length = frame.first.length + frame.second.length;
    if (writer->codec && frame.first.length > 0)
        code = join(writer, &frame, err);
    if (!code && writer->codec)
        code = compress(writer, &frame, err);
    struct data_page_header data = {.num_values = (int32_t)page->levels,
                                    .encoding = (int32_t)page->encoding,
                                    .definition_level_encoding = ENCODING_RLE,
                                    .repetition_level_encoding = ENCODING_RLE};
    struct page_header header = {.type = PAGE_DATA, .data = &data};
    thrift_set(&header, PAGE_HEADER_DATA);
    return code ? code : frame_put(writer, &header, &frame, store, size, err);
}

static enum haul_code write_v2(struct page_writer *writer, const struct page *page, struct page_store *store,
                               struct page_size *size, struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    if (page->rep_max > 0)
        code = put_levels(writer, page, page->rep, page->rep_max, err);
    size_t rep_bytes = writer->levels.length;
    if (!code && page->def_max > 0)
        code = put_levels(writer, page, page->def, page->def_max, err);
    struct frame frame = {{writer->levels.data, writer->levels.length}, page->values, page->own, 0};
    frame.plain_length = frame.first.length + frame.second.length;
    if (!code && writer->codec && frame.second.length > 0)
        code = compress(writer, &frame, err);
    bool shorter = frame.second.length < page->values.length;
    if (!shorter) {
        frame.second = page->values;
        frame.own = page->own;
    }
    struct data_page_header_v2 data = {.num_values = (int32_t)page->levels,
                                       .num_nulls = (int32_t)page->nulls,
                                       .num_rows = (int32_t)page->rows,
                                       .encoding = (int32_t)page->encoding,
                                       .definition_bytes = (int32_t)(writer->levels.length - rep_bytes),
                                       .repetition_bytes = (int32_t)rep_bytes,
                                       .is_compressed = shorter};
    thrift_set(&data, DATA_PAGE_V2_COMPRESSED);
    struct page_header header = {.type = PAGE_DATA_V2, .data_v2 = &data};
    thrift_set(&header, PAGE_HEADER_DATA_V2);
    return code ? code : frame_put(writer, &header, &frame, store, size, err);
}

enum haul_code page_write_data(struct page_writer *writer, const struct page *page, struct page_store *store,
                               struct page_size *size, struct haul_error *err)
{
    if (page->levels > INT32_MAX)
        return error_set(err, HAUL_LIMIT, "one row holds %zu list items, more than a Parquet page can",
                         page->levels);
    buffer_clear(&writer->levels);
    return writer->version == 1 ? write_v1(writer, page, store, size, err)
                                : write_v2(writer, page, store, size, err);
}

enum haul_code page_measure(struct page_writer *writer, struct slice values, size_t *length,
                            struct haul_error *err)
{
    struct buffer *out = &writer->compressed;
    buffer_clear(out);
    enum haul_code code = codec_compress(writer->codec, values.data, values.length, out, err);
    *length = out->length;
    return code;
}

enum haul_code page_write_dictionary(struct page_writer *writer, struct slice values, uint32_t count,
                                     struct page_store *store, struct page_size *size, struct haul_error *err)
{
    struct frame frame = {{NULL, 0}, values, NULL, values.length};
    enum haul_code code = writer->codec ? compress(writer, &frame, err) : HAUL_OK;
    struct dictionary_page_header data = {.num_values = (int32_t)count, .encoding = ENCODING_PLAIN};
    struct page_header header = {.type = PAGE_DICTIONARY, .dictionary = &data};
    thrift_set(&header, PAGE_HEADER_DICTIONARY);
    return code ? code : frame_put(writer, &header, &frame, store, size, err);
}
