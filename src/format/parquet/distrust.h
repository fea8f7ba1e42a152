/*
 * distrust.h: which statistics of another writer's file may be carried over into
 * a file of ours. Specification: section 8.
 */
#ifndef HAUL_FORMAT_PARQUET_DISTRUST_H
#define HAUL_FORMAT_PARQUET_DISTRUST_H

#include "format/parquet/schema.h"

struct distrust {
    const struct file_metadata *meta;
    bool unsigned_wrong; /* the writer compared bytes and unsigned numbers as if they were signed */
    bool chunks_short;   /* the writer left a dictionary's header out of the size of its chunk */
};

/* What `created_by` and the column orders of the file say; `meta` stays borrowed. */
struct distrust distrust_of(const struct file_metadata *meta);

/* May min_value, max_value and the column index of this leaf be believed? */
bool distrust_allows(const struct distrust *distrust, const struct node *leaf, int index);

/* Takes out of `statistics` what must not be believed; counts stay. */
void distrust_clean(const struct distrust *distrust, const struct node *leaf, int index,
                    struct statistics *statistics);

#endif
