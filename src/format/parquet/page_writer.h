/*
 * page_writer.h: from encoded values and levels to the bytes of a page: levels
 * first, compressed, with its checksum, behind its header. Specification:
 * section 4.
 *
 * One per piece, used by all its columns in turn, so that the compressor and the
 * working buffers exist once.
 */
#ifndef HAUL_FORMAT_PARQUET_PAGE_WRITER_H
#define HAUL_FORMAT_PARQUET_PAGE_WRITER_H

#include "base/context.h"
#include "format/codec.h"
#include "format/parquet/page_header.h"
#include "format/parquet/page_store.h"

struct page_writer {
    int version; /* of data pages: 1 or 2 */
    enum codec_id codec_id;
    struct codec *codec;  /* NULL: not compressed */
    struct buffer values; /* for the caller: to encode values in */
    struct buffer levels, compressed, scratch, header;
};

enum haul_code page_writer_open(struct page_writer *writer, const struct context *context,
                                enum codec_id codec, int level, struct haul_error *err);
void page_writer_close(struct page_writer *writer);

struct page {
    size_t levels, nulls; /* values and NULLs; levels = values + nulls */
    int64_t rows;
    int def_max, rep_max;
    const uint8_t *def, *rep; /* one byte per level; def NULL: all are def_max */
    enum parquet_encoding encoding;
    struct slice values; /* encoded */
    struct buffer *own;  /* the buffer that is `values`, to be used up; NULL: they are only lent */
};

struct page_size {
    int64_t stored, plain; /* both with the header */
};

/* Appends a data page to `store`. */
enum haul_code page_write_data(struct page_writer *writer, const struct page *page, struct page_store *store,
                               struct page_size *size, struct haul_error *err);

/* Appends a dictionary page of `count` plain values. */
enum haul_code page_write_dictionary(struct page_writer *writer, struct slice values, uint32_t count,
                                     struct page_store *store, struct page_size *size,
                                     struct haul_error *err);

/* How many bytes `values` have when compressed; there must be a codec. */
enum haul_code page_measure(struct page_writer *writer, struct slice values, size_t *length,
                            struct haul_error *err);

/* The number the footer has for a codec. */
enum parquet_codec page_codec(enum codec_id codec);

#endif
