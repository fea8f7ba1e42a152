/* output.h: writing CSV: what format.c hands to the registry. */
#ifndef HAUL_FORMAT_CSV_OUTPUT_H
#define HAUL_FORMAT_CSV_OUTPUT_H

#include "format/csv/dialect.h"
#include "format/row_output.h"

struct csv_output {
    struct row_output base;
    struct csv_dialect dialect;
};
extern const struct row_ops csv_rows; /* write.c */

enum haul_code csv_output_open(const struct format_request *request, const struct schema *schema,
                               struct format_output **output, struct haul_error *err);
enum haul_code csv_output_head(const struct row_output *output, struct buffer *text, struct haul_error *err);

#endif
