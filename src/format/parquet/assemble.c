#include "format/parquet/assemble.h"
void nested_init(struct nested *nested, const struct node *node, struct column_reader *leaves,
                 struct leaf_levels *levels, struct memory *memory)
{
    *nested = (struct nested){.node = node, .leaves = leaves, .levels = levels};
    for (int i = 0; i < node->leaf_count; i++)
        column_reader_init(&leaves[i], node, memory);
}
void nested_release(struct nested *nested) { (void)nested; }
void nested_start(struct nested *nested) { (void)nested; }
enum haul_code nested_rows(struct nested *nested, struct builder *builder, int64_t rows, struct haul_error *err)
{
    (void)nested; (void)builder; (void)rows;
    return error_set(err, HAUL_UNSUPPORTED, "nested");
}
