/*
 * dense.h: the values of a leaf as Parquet stores them: NULLs left out, Arrow's
 * type turned into the physical one. When nothing has to change, they stay
 * where the batch has them.
 */
#ifndef HAUL_FORMAT_PARQUET_DENSE_H
#define HAUL_FORMAT_PARQUET_DENSE_H

#include "batch/view.h"
#include "format/parquet/encode_plain.h"
#include "format/parquet/schema.h"

/* Which slots of a column: those of `places`, or `count` from `first` on whose
 * bit in `validity` is set (NULL: all). */
struct selection {
    int64_t first, count;
    const uint8_t *validity;
    const int32_t *places;
};

/* All-zero to begin, with `memory` set; buffers are kept between calls. */
struct dense {
    size_t count;
    size_t width;         /* bytes of a value, booleans 1; 0: strings */
    const uint8_t *fixed; /* count x width */
    struct strings strings;
    const int32_t *entries; /* strings through a dictionary: of each value its place there; else NULL */
    size_t entry_count;     /* places there are */
    struct buffer gathered, turned, starts, ends, places;
};

void dense_init(struct dense *dense, struct memory *memory);
void dense_release(struct dense *dense);

/* Bytes of a stored value: booleans 1, strings 0. */
size_t dense_width(const struct node *leaf);

/* What it points to is valid until the next call, and as long as the batch. A
 * dictionary is looked up value by value; its own NULLs must not be selected. */
enum haul_code dense_make(struct dense *dense, const struct node *leaf, const struct view *view,
                          const struct selection *selection, struct haul_error *err);

#endif
