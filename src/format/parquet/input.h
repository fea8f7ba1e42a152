/*
 * input.h: one Parquet file opened for reading: its footer, its schema, the
 * columns asked for.
 */
#ifndef HAUL_FORMAT_PARQUET_INPUT_H
#define HAUL_FORMAT_PARQUET_INPUT_H

#include "format/format.h"
#include "format/parquet/schema.h"

struct parquet_input {
    struct format_input base;
    struct input_file *file; /* borrowed */
    struct arena arena;      /* of the footer's structs */
    struct buffer bytes;     /* the footer as it stands in the file */
    int64_t data_end;        /* where it begins */
    struct file_metadata meta;
    struct schema all;      /* every column, */
    struct tree tree;       /* and their leaves */
    struct schema selected; /* those asked for, in that order */
    int *places;            /* of each selected one in `all`; in the arena */
    int64_t rows;
    enum dictionaries dictionaries; /* that batches may hold */
    size_t split_next;              /* the next row group to give away */
    bool split_done;
};

enum haul_code parquet_open_input(const struct format_request *request, struct input_file *file,
                                  struct format_input **input, struct haul_error *err);

/* Row groups first .. last (first > last: none), from row `first_row` of the first on. */
struct group_range {
    size_t first, last;
    int64_t first_row;
};

/* What a part's spec names. */
enum haul_code parquet_range(const struct parquet_input *input, const char *spec, struct group_range *range,
                             struct haul_error *err);

/* read.c */
enum haul_code parquet_open_reader(struct parquet_input *input, const struct context *context,
                                   const struct group_range *range, struct reader **reader,
                                   struct haul_error *err);

/* inspect.c */
enum haul_code parquet_inspect(struct format_input *input, struct inspection *out, struct haul_error *err);

#endif
