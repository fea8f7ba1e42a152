/*
 * sample.h: looks at values before a declared type is believed.
 */
#ifndef HAUL_DATABASE_SQLITE_SAMPLE_H
#define HAUL_DATABASE_SQLITE_SAMPLE_H

#include "database/sqlite/source.h"
#include "database/sqlite/types.h"

#define SAMPLE_ROWS_FIRST  1000               /* from the beginning */
#define SAMPLE_SPREAD      16                 /* places further on, evenly over the rowids */
#define SAMPLE_ROWS_SPREAD 64                 /* at each */
#define SAMPLE_BYTES       ((int64_t)4 << 20) /* it ends there */

/* Reads a bounded sample through source->connection, gives each field of
 * source->schema that is not forced the type its values have when that of
 * `certainty` does not fit them, and sets source->row_bytes. */
enum haul_code sqlite_sample(struct sqlite_source *source, const enum certainty *certainty,
                             struct haul_error *err);

#endif
