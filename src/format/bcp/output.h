/* output.h: writing BCP files: what format.c hands to the registry. */
#ifndef HAUL_FORMAT_BCP_OUTPUT_H
#define HAUL_FORMAT_BCP_OUTPUT_H

#include "format/bcp/shape.h"
#include "format/row_output.h"

struct bcp_output {
    struct row_output base;
    struct bcp_options options;
    struct bcp_layout layout;
    bool marked; /* begins with the mark of UTF-16 */
};
extern const struct row_ops bcp_rows; /* write.c */

enum haul_code bcp_negotiate(const struct format_request *request, struct schema *to, struct haul_error *err);
enum haul_code bcp_output_open(const struct format_request *request, const struct schema *schema,
                               struct format_output **output, struct haul_error *err);
enum haul_code bcp_output_head(const struct row_output *output, struct buffer *text, struct haul_error *err);
void bcp_output_close(struct row_output *output);

#endif
