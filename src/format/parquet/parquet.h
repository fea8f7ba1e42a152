/* parquet.h: the Parquet format, for the registry. */
#ifndef HAUL_FORMAT_PARQUET_PARQUET_H
#define HAUL_FORMAT_PARQUET_PARQUET_H

#include "format/format.h"

extern const struct format format_parquet;

#endif
