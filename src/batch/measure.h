/* measure.h: how long texts and binaries are, by reading them all (--measure). */
#ifndef HAUL_BATCH_MEASURE_H
#define HAUL_BATCH_MEASURE_H

#include "batch/source.h"

/* Reads the described source once, by the calling thread. Columns of text and binaries whose length nobody
 * has declared get the sql_type "measured:nvarchar(n)" or "measured:varbinary(n)", n in UTF-16 units or
 * bytes, at least 1. `info` is the source's. */
enum haul_code measure_texts(const struct context *context, struct source *source, struct source_info *info,
                             struct haul_error *err);

#endif
