/*
 * block.h: the complete records at the front of a window, arranged as a matrix.
 *
 * Records with the right number of fields are the matrix's rows: row r, column c
 * ends at ends[r * columns + c]. The others are *misfits*, listed in order with
 * the number of rows before them. Blank records at the end of the block are left
 * out and counted apart: whether they matter is known only when something
 * follows. (With one column a blank record is a row like any other.)
 */
#ifndef HAUL_FORMAT_CSV_BLOCK_H
#define HAUL_FORMAT_CSV_BLOCK_H

#include "base/buffer.h"
#include "format/csv/scan.h"

struct csv_misfit {
    uint32_t start, end; /* of the record in the block, without its line end */
    uint32_t fields;
    uint32_t rows_before;
};

struct csv_text {
    const uint8_t *data;
    size_t length;
    bool final; /* nothing follows */
};

struct csv_block {
    const uint8_t *data;
    size_t bytes;    /* of complete records, those left out included */
    uint64_t lines;  /* line ends in them */
    bool utf8;       /* all of it is valid, and so is every field */
    bool quoted;     /* the record behind them is not complete: open quotes, */
    size_t quote_at; /* which began here */

    uint32_t *starts; /* of rows */
    uint32_t *ends;   /* columns per row */
    size_t rows;
    struct csv_misfit *misfits;
    size_t misfit_count;
    size_t comments;    /* records left out */
    size_t blanks;      /* blank records at the end, left out; */
    size_t blank_start; /* where they begin */

    struct buffer end_buffer, record_buffer, start_buffer, misfit_buffer;
    size_t capacity;
    int comment;
};

void csv_block_init(struct csv_block *block, struct memory *memory);
void csv_block_release(struct csv_block *block);

/* Finds and arranges the complete records of data[0, length), which starts with
 * a record; BUFFER_PADDING bytes behind it are readable. `bytes` is 0 when there
 * is none. It may stop early when there are very many fields: go on behind `bytes`. */
enum haul_code csv_block_scan(struct csv_block *block, const struct csv_scan *scan, size_t columns,
                              const struct csv_text *text, struct haul_error *err);

#define CSV_COLUMNS_UNKNOWN SIZE_MAX /* every record is a misfit then, and says how many it has */

/* Where the record behind a line end at `end` (or behind the last) starts. */
static inline size_t csv_next_record(const uint8_t *data, size_t length, size_t end)
{
    bool two = end + 1 < length && data[end] == '\r' && data[end + 1] == '\n';
    return end < length ? end + (two ? 2 : 1) : length;
}

#endif
