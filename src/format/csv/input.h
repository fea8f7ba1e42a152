/*
 * input.h: one CSV file open for reading, shared by its readers. After
 * csv_input_open only split changes it, and only one thread splits.
 */
#ifndef HAUL_FORMAT_CSV_INPUT_H
#define HAUL_FORMAT_CSV_INPUT_H

#include "format/csv/layers.h"
#include "format/csv/scan.h"
#include "format/csv/shape.h"
#include "format/window.h"
#include "format/format.h"

struct csv_split;

struct csv_input {
    struct format_input base;
    struct context context;
    struct input_file *file;  /* as it lies there */
    struct csv_layers layers; /* what is between it and its text */
    struct file_bytes bytes;   /* its text */
    struct input_file again;  /* in place of a text with layers that each reader opens for itself */
    struct csv_shape shape;
    struct schema schema; /* the columns asked for */
    int *places;          /* where they stand in the file (in schema.arena) */
    struct csv_scan scan;
    size_t window_bytes;     /* WINDOW_BYTES; smaller in tests */
    struct csv_split *split; /* NULL until the first part */
};

/* Does each reader open the text from the start for itself? */
static inline bool csv_input_reopens(const struct csv_input *input)
{
    return csv_layers_any(&input->layers) && input->file->size >= 0;
}

/* More than a delimiter, whatever a test wishes: a window must get on. */
static inline size_t csv_input_window(const struct csv_input *input)
{
    return input->window_bytes > 2 * CSV_DELIMITER_BYTES_MAX ? input->window_bytes
                                                             : 2 * CSV_DELIMITER_BYTES_MAX;
}

enum haul_code csv_input_open(const struct format_request *request, struct input_file *file,
                              struct format_input **input, struct haul_error *err);

/* A piece of the file: "bytes A-B line L row R", or "all". */
struct csv_part {
    int64_t from, to; /* offsets; to -1: the end */
    uint64_t line;    /* of the first record, from 1 */
    int64_t row;      /* of the first record in the file, from 0 */
};

#define CSV_PART_SPEC_BYTES 120
void csv_part_print(const struct csv_part *part, char out[CSV_PART_SPEC_BYTES]);
enum haul_code csv_part_parse(const struct csv_input *input, const char *spec, struct csv_part *part,
                              struct haul_error *err);

/* format_input_ops.split and what it keeps. */
enum haul_code csv_input_split(struct format_input *input, const struct split_request *request,
                               struct arena *arena, struct part *part, bool *more, struct haul_error *err);
void csv_split_free(struct csv_split *split);

/* format_input_ops.open */
enum haul_code csv_reader_open(struct format_input *input, const struct context *context,
                               const struct part *part, int64_t first_row, struct reader **reader,
                               struct haul_error *err);

#endif
