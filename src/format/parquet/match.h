/*
 * match.h: can row groups of two Parquet files stand in one file as they are?
 */
#ifndef HAUL_FORMAT_PARQUET_MATCH_H
#define HAUL_FORMAT_PARQUET_MATCH_H

#include "format/parquet/input.h"

/* HAUL_UNSUPPORTED when the file has something that cannot be carried over. */
enum haul_code parquet_adoptable(const struct parquet_input *input, struct haul_error *err);

/* HAUL_DATA names the first column that differs, and how. That names and Arrow
 * types agree was found before. */
enum haul_code parquet_match(struct format_input *input, struct format_input *first, struct haul_error *err);

#endif
