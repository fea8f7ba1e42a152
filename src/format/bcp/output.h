/* output.h: writing BCP files: what format.c hands to the registry. */
#ifndef HAUL_FORMAT_BCP_OUTPUT_H
#define HAUL_FORMAT_BCP_OUTPUT_H

#include "format/bcp/shape.h"
#include "format/decompress.h"

struct bcp_output {
    struct format_output base;
    struct context context;
    struct bcp_options options;
    struct bcp_layout layout;
    enum packing packing;
    struct schema schema;
    bool marked; /* begins with the mark of UTF-16 */
};

enum haul_code bcp_negotiate(const struct format_request *request, struct schema *to, struct haul_error *err);
enum haul_code bcp_output_open(const struct format_request *request, const struct schema *schema,
                               struct format_output **output, struct haul_error *err);
void bcp_piece_size(const struct format_request *request, int64_t *rows, int64_t *bytes);

/* format_output_ops.piece */
enum haul_code bcp_piece_open(struct format_output *output, const struct context *context,
                              const char *spill_folder, struct piece **piece, struct haul_error *err);

/* Appends the bytes the piece has and takes them out of it. */
enum haul_code bcp_piece_drain(struct piece *piece, struct output_file *file, struct haul_error *err);

#endif
