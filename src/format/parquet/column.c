/*
 * column.c: the branch between flat and nested columns, once per call. Errors
 * get the name of the leaf they are about.
 */
#include "format/parquet/column.h"
#include <stdlib.h>

/* The leaves under `node`, numbered from the column's first one. */
static void leaves_init(struct column *column, const struct node *node, struct memory *memory)
{
    if (node->kind == NODE_LEAF) {
        int place = node->first_leaf - column->node->first_leaf;
        column_reader_init(&column->leaves[place], node, memory);
        if (column->nested.levels)
            leaf_levels_init(&column->nested.levels[place], memory);
    }
    for (int i = 0; i < node->child_count; i++)
        leaves_init(column, &node->children[i], memory);
}

enum haul_code column_init(struct column *column, const struct node *node, struct memory *memory,
                           struct haul_error *err)
{
    size_t count = (size_t)node->leaf_count;
    memset(column, 0, sizeof *column);
    column->node = node;
    column->flat = node->kind == NODE_LEAF;
    column->leaves = calloc(count, sizeof *column->leaves);
    struct leaf_levels *levels = column->flat ? NULL : calloc(count, sizeof *levels);
    if (!column->leaves || (!column->flat && !levels)) {
        free(column->leaves);
        free(levels);
        column->leaves = NULL;
        return error_nomem(err, "a column");
    }
    nested_init(&column->nested, node, column->leaves, levels);
    leaves_init(column, node, memory);
    return HAUL_OK;
}

void column_release(struct column *column)
{
    if (!column->leaves)
        return;
    for (int i = 0; i < column->node->leaf_count; i++)
        column_reader_release(&column->leaves[i]);
    for (int i = 0; column->nested.levels && i < column->node->leaf_count; i++)
        leaf_levels_release(&column->nested.levels[i]);
    free(column->nested.levels);
    free(column->leaves);
    memset(column, 0, sizeof *column);
}

/* What a row takes on average, as it is stored. */
static int64_t row_bytes_of(const struct column *column, const struct row_group *group)
{
    int64_t bytes = 0;
    for (int i = 0; i < column->node->leaf_count; i++) {
        int64_t size = group->columns.items[column->node->first_leaf + i].meta->total_uncompressed_size;
        if (size > 0 && __builtin_add_overflow(bytes, size, &bytes))
            return INT64_MAX;
    }
    return group->num_rows ? bytes / group->num_rows : 0;
}

enum haul_code column_start(struct column *column, struct page_supply *supply, const struct row_group *group,
                            enum dictionaries dictionaries, struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    column->leaves[0].may_index = column->flat ? dictionaries : DICTIONARIES_NONE;
    for (int i = 0; i < column->node->leaf_count && !code; i++)
        code = column_reader_start(&column->leaves[i], supply,
                                   &group->columns.items[column->node->first_leaf + i], err);
    if (!column->flat)
        nested_start(&column->nested);
    column->row_bytes = code ? 0 : row_bytes_of(column, group);
    return code;
}

enum haul_code column_within(struct column *column, int64_t rows, size_t bytes_max, int64_t *within,
                             struct haul_error *err)
{
    *within = rows;
    if (column->flat)
        return column_reader_within(column->leaves, rows, bytes_max, within, err);
    if (column->row_bytes && (int64_t)bytes_max / column->row_bytes < rows)
        *within = (int64_t)bytes_max / column->row_bytes;
    *within = *within ? *within : 1;
    return HAUL_OK;
}

bool column_indexes(const struct column *column)
{
    return column->flat && column_reader_indexes(column->leaves);
}

enum haul_code column_rows(struct column *column, struct builder *builder, int64_t rows,
                           struct haul_error *err)
{
    return column->flat ? column_reader_rows(column->leaves, builder, rows, err)
                        : nested_rows(&column->nested, builder, rows, err);
}

enum haul_code column_finish(const struct column *column, struct haul_error *err)
{
    for (int i = 0; i < column->node->leaf_count; i++) {
        const struct column_reader *leaf = &column->leaves[i];
        if (leaf->page_left || leaf->chunk_left)
            return error_set(err, HAUL_DATA, "it has more values than the row group has rows");
    }
    return HAUL_OK;
}
