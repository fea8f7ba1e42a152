/*
 * row_bytes.h: how much memory rows of a batch take: what a row group's limit in
 * bytes counts. Sums of stretches are exact: bytes(a to b) + bytes(b to c) =
 * bytes(a to c), so the limit falls on the same row however batches were cut.
 */
#ifndef HAUL_FORMAT_PARQUET_ROW_BYTES_H
#define HAUL_FORMAT_PARQUET_ROW_BYTES_H

#include "batch/array.h"
#include "batch/batch.h"

int64_t row_bytes(const struct batch *batch, const struct run *rows);

/* How many of `rows` until their bytes reach `bytes`: the row that reaches them
 * included; all when they do not; at least one. */
int64_t row_bytes_fit(const struct batch *batch, const struct run *rows, int64_t bytes);

#endif
