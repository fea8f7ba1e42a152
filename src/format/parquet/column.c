/*
 * column.c: the branch between flat and nested columns, once per call. Errors
 * get the name of the leaf they are about.
 */
#include "format/parquet/column.h"
#include <stdlib.h>

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
    nested_init(&column->nested, node, column->leaves, levels, memory);
    return HAUL_OK;
}

void column_release(struct column *column)
{
    if (!column->leaves)
        return;
    for (int i = 0; i < column->node->leaf_count; i++)
        column_reader_release(&column->leaves[i]);
    nested_release(&column->nested);
    free(column->nested.levels);
    free(column->leaves);
    memset(column, 0, sizeof *column);
}

enum haul_code column_start(struct column *column, struct page_supply *supply, const struct row_group *group,
                            struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    for (int i = 0; i < column->node->leaf_count && !code; i++)
        code = column_reader_start(&column->leaves[i], supply,
                                   &group->columns.items[column->node->first_leaf + i], err);
    if (!column->flat)
        nested_start(&column->nested);
    return code;
}

enum haul_code column_within(struct column *column, int64_t rows, size_t bytes_max, int64_t *within,
                             struct haul_error *err)
{
    *within = rows;
    return column->flat ? column_reader_within(column->leaves, rows, bytes_max, within, err) : HAUL_OK;
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
