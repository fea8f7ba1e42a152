/*
 * assemble.h: nested columns: levels and dense values of some leaves become one
 * Arrow array of lists, maps and structs. Specification: section 6.
 */
#ifndef HAUL_FORMAT_PARQUET_ASSEMBLE_H
#define HAUL_FORMAT_PARQUET_ASSEMBLE_H

#include "format/parquet/column_reader.h"

/* Levels of one leaf, a byte each. */
struct leaf_levels {
    struct buffer page_repetition, page_definition; /* of the page at hand */
    size_t place;                                   /* in it: consumed */
    struct buffer repetition, definition;           /* of the rows being assembled */
    bool inside;                                    /* a row of this group has begun */
};

struct nested {
    const struct node *node;
    struct column_reader *leaves; /* node->leaf_count of both */
    struct leaf_levels *levels;
};

void nested_init(struct nested *nested, const struct node *node, struct column_reader *leaves,
                 struct leaf_levels *levels);

/* A new row group: nothing is left of the one before. */
void nested_start(struct nested *nested);

/* Appends the next `rows` rows. */
enum haul_code nested_rows(struct nested *nested, struct builder *builder, int64_t rows,
                           struct haul_error *err);

void leaf_levels_init(struct leaf_levels *levels, struct memory *memory);
void leaf_levels_release(struct leaf_levels *levels);

#endif
