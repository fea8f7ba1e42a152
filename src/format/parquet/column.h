/*
 * column.h: one column of the table as the reader sees it: flat, with one leaf,
 * or nested, with several and their levels.
 */
#ifndef HAUL_FORMAT_PARQUET_COLUMN_H
#define HAUL_FORMAT_PARQUET_COLUMN_H

#include "format/parquet/assemble.h"

struct column {
    const struct node *node;
    struct column_reader *leaves;
    bool flat;
    bool indexed; /* the batch at hand has indices of it */
    struct nested nested;
    int64_t row_bytes; /* of the group, on average */
};

enum haul_code column_init(struct column *column, const struct node *node, struct memory *memory,
                           struct haul_error *err);
void column_release(struct column *column);

/* Begins a row group; `dictionaries`: its values may be given as indices. */
enum haul_code column_start(struct column *column, struct page_supply *supply, const struct row_group *group,
                            enum dictionaries dictionaries, struct haul_error *err);

/* Are the next rows better given as indices? column_within was called. */
bool column_indexes(const struct column *column);

/* How many of the next `rows` rows surely (flat) or probably (nested) fit in
 * `bytes_max`; at least 1. */
enum haul_code column_within(struct column *column, int64_t rows, size_t bytes_max, int64_t *within,
                             struct haul_error *err);

enum haul_code column_rows(struct column *column, struct builder *builder, int64_t rows,
                           struct haul_error *err);

/* After the last row of a group: HAUL_DATA when it has values left. */
enum haul_code column_finish(const struct column *column, struct haul_error *err);

#endif
