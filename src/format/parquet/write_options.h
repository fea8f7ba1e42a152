/*
 * write_options.h: the job's options that shape a Parquet file, and the types
 * it can hold.
 */
#ifndef HAUL_FORMAT_PARQUET_WRITE_OPTIONS_H
#define HAUL_FORMAT_PARQUET_WRITE_OPTIONS_H

#include "format/parquet/piece.h"

/* Fills all of `plan` but schema and tree. HAUL_USAGE names an option whose
 * value makes no sense. */
enum haul_code write_options_read(const struct context *context, struct write_plan *plan,
                                  struct haul_error *err);

#endif
