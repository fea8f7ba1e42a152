/*
 * write.h: writing Parquet, for format.c: the operations of struct format.
 */
#ifndef HAUL_FORMAT_PARQUET_WRITE_H
#define HAUL_FORMAT_PARQUET_WRITE_H

#include "format/format.h"

enum haul_code parquet_open_output(const struct format_request *request, const struct schema *schema,
                                   struct format_output **output, struct haul_error *err);

enum haul_code parquet_negotiate(const struct format_request *request, struct schema *to,
                                 struct haul_error *err);

void parquet_piece_size(const struct format_request *request, int64_t *rows, int64_t *bytes);

#endif
