/*
 * page_cut.h: how many of the next rows of a column still go into a page. Rows
 * are never cut: a page begins with a new row, as the page index asks.
 */
#ifndef HAUL_FORMAT_PARQUET_PAGE_CUT_H
#define HAUL_FORMAT_PARQUET_PAGE_CUT_H

#include "format/parquet/dense.h"

/* Rows of a column: levels (def NULL: all at `def_max`; rep NULL: not repeated,
 * each level is a row) and the values of those that are there. */
struct feed {
    size_t levels;
    int def_max;
    const uint8_t *def, *rep;
    const struct dense *values;
};

struct feed_place { /* what was taken of it already */
    size_t level, value;
};

struct page_room {
    int64_t rows;
    size_t bytes;
    size_t value_bytes; /* what a value takes; 0: a string's plain form */
};

struct page_cut {
    int64_t rows;
    size_t levels, values;
    size_t bytes; /* by the measure of the room */
};

/* Whole rows, until the room's rows are used up or its bytes reached (the row
 * that reaches them goes in). At least one row when there is one. */
struct page_cut page_cut_take(const struct feed *feed, struct feed_place place, const struct page_room *room);

/* The rows of `cut` before the one that holds its value number `value`. */
struct page_cut page_cut_before(const struct feed *feed, struct feed_place place, const struct page_cut *cut,
                                size_t value);

#endif
