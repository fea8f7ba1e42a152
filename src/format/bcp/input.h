/*
 * input.h: one data file open for reading, shared by its readers.
 */
#ifndef HAUL_FORMAT_BCP_INPUT_H
#define HAUL_FORMAT_BCP_INPUT_H

#include "format/bcp/frame.h"
#include "format/bcp/shape.h"
#include "format/decompress.h"
#include "format/window.h"

/* Where a row begins. */
struct bcp_place {
    int64_t byte, row;
};

struct bcp_input {
    struct format_input base;
    struct context context;
    struct input_file *file;
    enum packing packing;
    struct bcp_options options;
    struct bcp_layout layout;
    struct bcp_frame frame;
    struct schema schema; /* the columns asked for */
    int *fields;          /* the field of each (in schema.arena) */
    struct arena arena;
    size_t window_bytes;    /* WINDOW_BYTES; smaller in tests */
    int64_t part_bytes;     /* of a part at least; smaller in tests */
    struct buffer head;     /* what looking took from a stream */
    struct bcp_place *cuts; /* where parts begin; NULL: not yet looked for */
    int cut_count, cut_next;
};

enum haul_code bcp_input_open(const struct format_request *request, struct input_file *file,
                              struct format_input **input, struct haul_error *err);

/* format_input_ops.open */
enum haul_code bcp_reader_open(struct format_input *input, const struct context *context,
                               const struct part *part, int64_t first_row, struct reader **reader,
                               struct haul_error *err);

/* format_input_ops.split; what a part's spec says (*to -1: the end of the file). */
enum haul_code bcp_input_split(struct format_input *input, const struct split_request *request,
                               struct arena *arena, struct part *part, bool *more, struct haul_error *err);
enum haul_code bcp_part_read(const struct bcp_input *input, const char *spec, struct bcp_place *from,
                             int64_t *to, struct haul_error *err);
bool bcp_can_split(const struct bcp_input *input);

/* The bytes before the first row: a byte order mark. It is looked for in at least
 * BCP_MARK_BYTES bytes, or in all there are. */
#define BCP_MARK_BYTES ((size_t)3)
size_t bcp_mark_bytes(const struct bcp_input *input, const uint8_t *data, size_t length);

#endif
