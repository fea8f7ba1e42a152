/*
 * row_bytes.c: by arithmetic on offsets; no value is looked at. A boolean counts
 * as a byte, a dictionary as its indices, validity not at all.
 */
#include "format/parquet/row_bytes.h"

static int64_t field_bytes(const struct field *field, const struct ArrowArray *array, struct run rows);

static int64_t offsets_bytes(const struct field *field, const struct ArrowArray *array, struct run rows)
{
    const int32_t *offsets = array->buffers[1];
    int64_t bytes = rows.count * (int64_t)sizeof(int32_t);
    if (!offsets)
        return bytes;
    struct run items = {offsets[rows.start], offsets[rows.start + rows.count] - offsets[rows.start]};
    if (type_table[field->type].layout == LAYOUT_BYTES)
        return bytes + items.count;
    return bytes + field_bytes(&field->children[0], array->children[0], items);
}

/* The recursion is as deep as the schema. */
static int64_t field_bytes(const struct field *field, const struct ArrowArray *array, struct run rows)
{
    int64_t bytes = 0;
    if (array->dictionary)
        return rows.count * (int64_t)sizeof(int32_t);
    switch (type_table[field->type].layout) {
    case LAYOUT_BITS:
        return rows.count;
    case LAYOUT_FIXED:
        return rows.count * field_width(field);
    case LAYOUT_BYTES:
    case LAYOUT_LIST:
        return offsets_bytes(field, array, rows);
    case LAYOUT_STRUCT:
        for (int i = 0; i < field->child_count; i++)
            bytes += field_bytes(&field->children[i], array->children[i], rows);
        return bytes;
    default:
        return 0;
    }
}

int64_t row_bytes(const struct batch *batch, const struct run *rows)
{
    int64_t bytes = 0;
    for (int i = 0; i < batch->schema->count; i++)
        bytes += field_bytes(&batch->schema->fields[i], batch->array.children[i], *rows);
    return bytes;
}

int64_t row_bytes_fit(const struct batch *batch, const struct run *rows, int64_t bytes)
{
    if (row_bytes(batch, rows) < bytes)
        return rows->count;
    int64_t low = 1, high = rows->count; /* the answer is within */
    while (low < high) {
        struct run half = {rows->start, low + (high - low) / 2};
        if (row_bytes(batch, &half) >= bytes)
            high = half.count;
        else
            low = half.count + 1;
    }
    return high;
}
