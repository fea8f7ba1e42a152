/*
 * page_reader.h: the pages of one column chunk, one after another, their bodies
 * checked and decompressed. Memory: one page and what is read ahead.
 */
#ifndef HAUL_FORMAT_PARQUET_PAGE_READER_H
#define HAUL_FORMAT_PARQUET_PAGE_READER_H

#include "base/context.h"
#include "format/codec.h"
#include "format/parquet/page_header.h"
#include "store/store.h"

/* What the columns of one reader share. */
struct page_supply {
    struct input_file *file;
    const struct context *context;
    struct codec *codecs[CODEC_COUNT]; /* opened when a chunk needs them */
    size_t ahead_bytes;                /* how much to read at once */
    int64_t data_end;                  /* where the footer begins: no page reaches it */
    struct buffer scratch, indices;    /* of whichever column is being read */
};
void page_supply_release(struct page_supply *supply);

/* A page; its bytes are valid until the next one is asked for, and 32 bytes
 * behind them can be read. */
struct page {
    int32_t type;        /* PAGE_DATA, PAGE_DATA_V2 or PAGE_DICTIONARY */
    int32_t value_count; /* of a data page: levels */
    int32_t encoding;
    int32_t definition_encoding, repetition_encoding; /* v1 */
    struct slice repetition, definition;              /* v2 */
    struct slice body;                                /* v1: levels, then values; v2 and dictionary: values */
    int64_t offset;                                   /* in the file, for messages */
};

struct page_reader {
    struct page_supply *supply;
    struct codec *codec;
    enum parquet_codec codec_number;
    int64_t offset, end;  /* of the file: what has not been read into `window` */
    struct buffer window; /* stored bytes */
    size_t position;      /* in the window */
    struct buffer plain;  /* a decompressed body */
};

/* Checks the chunk's place in the file and its codec. */
enum haul_code page_reader_open(struct page_reader *reader, struct page_supply *supply,
                                const struct column_metadata *meta, struct haul_error *err);
void page_reader_close(struct page_reader *reader);

/* The next data or dictionary page. HAUL_DATA when the chunk ends before it. */
enum haul_code page_reader_next(struct page_reader *reader, struct page *page, struct haul_error *err);

/* The page is used up: gives the room of a large one back now, not with the next page. */
enum haul_code page_reader_done(struct page_reader *reader, struct haul_error *err);

#endif
