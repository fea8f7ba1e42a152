/*
 * reader.h: the inside of a reader, shared by read.c (blocks and batches) and
 * refuse.c (rows that cannot be taken).
 */
#ifndef HAUL_FORMAT_CSV_READER_H
#define HAUL_FORMAT_CSV_READER_H

#include "format/csv/block.h"
#include "format/csv/input.h"
#include "format/csv/parse.h"

/* Blank records in a row, and the line of the first. */
struct csv_blanks {
    uint64_t count, line;
};

/* A field that is no value of its column. */
struct csv_failure {
    uint32_t row; /* of the block's matrix */
    uint32_t column;
    uint32_t flags;
};

/* The lines of a batch's rows (number.c). */
struct csv_numbers {
    int64_t first, count; /* rows so far; while `each` is empty they follow one another from `first` */
    struct buffer each;   /* int64 per row, once they do not */
    uint64_t block_line;  /* of the block's first byte */
    uint64_t line;        /* of the block's byte `at`, when records are counted one by one */
    size_t at;
};

struct csv_reader {
    struct reader base;
    struct csv_input *input;
    struct context context;
    uint64_t part;
    struct csv_layers layers; /* of its own, when the input reopens */
    struct file_bytes text;    /* through them */
    struct window window;
    struct csv_block block;
    struct csv_parser *parsers; /* one per column of input->schema */
    struct batch_builder builder;

    int64_t expected_rows;  /* of the next batch, by the last one; 0 before the first */
    size_t *expected_bytes; /* of its strings, per column */

    size_t used;        /* bytes of the window that the block covers */
    size_t next_row;    /* of the block's matrix, */
    size_t next_misfit; /* and of its misfits */
    int64_t row;        /* place in the part of what comes next */
    int64_t skip;       /* rows to pass before the first batch */
    uint64_t line;      /* the line of the block's byte line_at */
    size_t line_at;
    struct csv_blanks due;     /* blank records that stand before the block */
    struct csv_blanks pending; /* and those behind it, if something follows */
    struct csv_numbers numbers;

    struct buffer trimmed;  /* where a column's fields end without the blanks around them */
    struct buffer flags;    /* a byte per row of a slice */
    struct buffer failures; /* struct csv_failure, of the rows being taken */
    struct buffer drop;     /* bits of rows of the batch */
    struct buffer dropped;  /* int64 places in the part that are not in the batch's columns */
};

/* What is taken from a block at a time: rows and misfits in their order. */
struct csv_range {
    size_t row, row_end;
    size_t misfit, misfit_end;
};

/* Notes that these flagged fields are refused; once per row. */
enum haul_code csv_refuse_fields(struct csv_reader *reader, const struct csv_range *range, uint32_t column,
                                 struct haul_error *err);

/* Sends the range's misfits and noted fields to the collector in row order.
 * `batch_row` is the row in the batch of the range's first row. */
enum haul_code csv_refuse_range(struct csv_reader *reader, const struct csv_range *range, int64_t batch_row,
                                struct haul_error *err);

/* Refuses the next `count` blank records that are due. */
enum haul_code csv_refuse_blanks(struct csv_reader *reader, uint64_t count, struct haul_error *err);

/* number.c: rows of the batch stand on `count` lines from `line` on; those of a
 * range on theirs; a new block was scanned; the batch gets them; a new batch begins. */
enum haul_code csv_number_run(struct csv_numbers *numbers, uint64_t line, uint64_t count,
                              struct haul_error *err);
enum haul_code csv_number_range(struct csv_reader *reader, const struct csv_range *range,
                                struct haul_error *err);
void csv_number_block(struct csv_reader *reader);
enum haul_code csv_number_give(struct csv_numbers *numbers, struct batch *batch, struct haul_error *err);
void csv_number_clear(struct csv_numbers *numbers);

/* The line of a byte of the block; offsets must not run backwards. */
uint64_t csv_reader_line(struct csv_reader *reader, size_t offset);

#endif
