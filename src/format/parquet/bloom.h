/*
 * bloom.h: the Bloom filter of a column chunk whose values are all in its
 * dictionary: split blocks, XXH64, about one false positive in a hundred or fewer.
 */
#ifndef HAUL_FORMAT_PARQUET_BLOOM_H
#define HAUL_FORMAT_PARQUET_BLOOM_H

#include "format/parquet/dictionary.h"

/* Appends header and bits to `out`. */
enum haul_code bloom_write(const struct dictionary *dictionary, struct buffer *out, struct haul_error *err);

#endif
