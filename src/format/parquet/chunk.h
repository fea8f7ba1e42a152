/*
 * chunk.h: a finished column chunk, still without a place in a file: its pages
 * and what the footer and the page index will say of them.
 */
#ifndef HAUL_FORMAT_PARQUET_CHUNK_H
#define HAUL_FORMAT_PARQUET_CHUNK_H

#include "format/parquet/page_store.h"
#include "format/parquet/statistics.h"

struct page_note {     /* of one data page */
    int64_t stored;    /* bytes with the header */
    int64_t first_row; /* in the row group */
    int64_t null_count, nan_count;
    uint64_t place; /* its bounds in `bounds`: least, then greatest, already cut */
    uint8_t min_length, max_length;
    bool any;     /* has values that are neither NULL nor NaN */
    bool bounded; /* its bounds are known */
};

struct chunk {
    struct page_store dictionary; /* the dictionary page; empty: none */
    struct page_store pages;
    struct page_store bloom;   /* stands behind the row group's pages; empty: none */
    struct buffer notes;       /* struct page_note each */
    struct buffer note_bounds; /* bytes */
    struct bounds bounds;      /* of all values */
    int64_t values;            /* levels: NULLs and empty lists too */
    int64_t null_count;
    int64_t plain_bytes;             /* of all pages, headers too */
    int32_t encoded[ENCODING_COUNT]; /* data pages by encoding */
    bool sorted; /* the rows are in the order of these values: no NULLs, not all the same */
};

void chunk_init(struct chunk *chunk, struct memory *memory);
void chunk_release(struct chunk *chunk);

/* Notes a page of `bounds`, just appended to chunk->pages. */
enum haul_code chunk_note(struct chunk *chunk, const struct page_note *note, const struct bounds *bounds,
                          enum order order, struct haul_error *err);

static inline int64_t chunk_bytes(const struct chunk *chunk)
{
    return chunk->dictionary.length + chunk->pages.length;
}

#endif
