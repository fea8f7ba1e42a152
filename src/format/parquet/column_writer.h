/*
 * column_writer.h: one leaf column of a row group: takes values as they come,
 * chooses encodings, makes pages of them.
 *
 * Where a page or a dictionary ends depends only on the values since the row
 * group began, never on how they were cut into batches.
 */
#ifndef HAUL_FORMAT_PARQUET_COLUMN_WRITER_H
#define HAUL_FORMAT_PARQUET_COLUMN_WRITER_H

#include "format/parquet/chunk.h"
#include "format/parquet/dense.h"
#include "format/parquet/dictionary.h"
#include "format/parquet/page_cut.h"
#include "format/parquet/page_writer.h"

enum encoding_wish { WISH_AUTO, WISH_PLAIN, WISH_DICTIONARY, WISH_DELTA, WISH_SPLIT };

/* The same for all columns of a piece. */
struct column_plan {
    struct memory *memory;
    enum encoding_wish wish;
    bool bloom;              /* Bloom filters of chunks that are all dictionary */
    int64_t page_rows;       /* a page is full with so many rows, */
    size_t page_bytes;       /* or so many bytes in memory */
    size_t dictionary_bytes; /* of values */
};

/* What becomes of values now. */
enum column_state {
    COLUMN_UNDECIDED, /* first page: indices, perhaps turned back into values */
    COLUMN_DICTIONARY,
    COLUMN_DIRECT /* by `direct` */
};

struct column_writer {
    const struct node *leaf;
    struct page_writer *pages;
    const struct column_plan *plan;
    enum order order;
    size_t width; /* of a value; 0: strings */

    struct chunk chunk; /* so far */
    int64_t rows;       /* of the row group in finished pages */
    enum column_state state;
    enum parquet_encoding direct;
    bool direct_chosen;
    bool sorted, looked_at; /* no integer so far was smaller than the one before; there was one */
    int64_t first_value, last_value;
    struct dictionary dictionary;
    uint64_t looked_up;      /* values the dictionary was asked for */
    uint32_t known_at_start; /* its count when the page began */

    /* the page being filled */
    int64_t page_rows;
    size_t page_levels, page_values;
    size_t page_filled;     /* bytes towards plan->page_bytes */
    size_t page_plain;      /* bytes its values have in plain form */
    struct buffer def, rep; /* a byte per level; def stays empty while all are the greatest */
    struct buffer values;   /* plain form, booleans as bytes; */
    struct buffer indices;  /* or u32 into the dictionary */
    struct buffer
        known; /* u32: of each entry of a batch's dictionary its index in ours, from 1; 0: not asked yet */
    struct bounds bounds;
};

/* `leaf`, `plan` and `pages` stay borrowed. */
void column_writer_init(struct column_writer *writer, const struct node *leaf, const struct column_plan *plan,
                        struct page_writer *pages);
void column_writer_release(struct column_writer *writer);

/* Takes all rows of `feed`. */
enum haul_code column_writer_add(struct column_writer *writer, const struct feed *feed,
                                 struct haul_error *err);

/* Bytes held by the page and the dictionary. */
size_t column_writer_memory(const struct column_writer *writer);

/* Ends the page and gives up the dictionary, so that nothing but finished pages
 * is in memory: for when memory runs out. */
enum haul_code column_writer_shrink(struct column_writer *writer, struct haul_error *err);

/* The row group ends: moves the chunk out; the writer can begin the next. */
enum haul_code column_writer_finish(struct column_writer *writer, struct chunk *chunk,
                                    struct haul_error *err);

#endif
