/* output.h: writing CSV: what format.c hands to the registry. */
#ifndef HAUL_FORMAT_CSV_OUTPUT_H
#define HAUL_FORMAT_CSV_OUTPUT_H

#include "format/csv/dialect.h"
#include "format/decompress.h"
#include "format/format.h"

struct csv_output {
    struct format_output base;
    struct context context;
    struct csv_dialect dialect;
    enum packing packing;
    struct schema schema;
};

enum haul_code csv_output_open(const struct format_request *request, const struct schema *schema,
                               struct format_output **output, struct haul_error *err);
void csv_piece_size(const struct format_request *request, int64_t *rows, int64_t *bytes);

/* format_output_ops.piece */
enum haul_code csv_piece_open(struct format_output *output, const struct context *context,
                              const char *spill_folder, struct piece **piece, struct haul_error *err);

/* Appends the bytes the piece has and takes them out of it. */
enum haul_code csv_piece_drain(struct piece *piece, struct output_file *file, struct haul_error *err);

#endif
