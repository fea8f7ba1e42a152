/*
 * bound_text.h: the least and greatest value of a leaf in a whole file, as text,
 * when the statistics of all row groups can be believed. Specification: section 8.
 */
#ifndef HAUL_FORMAT_PARQUET_BOUND_TEXT_H
#define HAUL_FORMAT_PARQUET_BOUND_TEXT_H

#include "format/parquet/input.h"

/* Texts in `arena`; NULL when they are not known. */
enum haul_code bound_texts(const struct parquet_input *input, int leaf, struct arena *arena, const char **min,
                           const char **max, struct haul_error *err);

#endif
