/*
 * assemble.h: nested columns: levels and dense values of some leaves become one
 * Arrow array of lists, maps and structs. Specification: section 6.
 */
#ifndef HAUL_FORMAT_PARQUET_ASSEMBLE_H
#define HAUL_FORMAT_PARQUET_ASSEMBLE_H

#include "format/parquet/column_reader.h"

/* The levels of a leaf that were read and not yet consumed. */
struct leaf_levels {
    struct buffer repetition, definition; /* a byte each */
    size_t used;                          /* from the start: consumed by the batch at hand */
    size_t taken;                         /* of these, how many had their values decoded */
};

struct nested {
    const struct node *node;
    struct column_reader *leaves; /* node->leaf_count */
    struct leaf_levels *levels;
    struct builder *builder; /* during a call */
};

void nested_init(struct nested *nested, const struct node *node, struct column_reader *leaves,
                 struct leaf_levels *levels, struct memory *memory);
void nested_release(struct nested *nested);

/* A new row group: nothing is left of the one before. */
void nested_start(struct nested *nested);

/* Appends the next `rows` rows. */
enum haul_code nested_rows(struct nested *nested, struct builder *builder, int64_t rows,
                           struct haul_error *err);

#endif
