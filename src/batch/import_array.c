/*
 * import_array.c: foreign arrays become batches.
 *
 * A column that already lies as ours do (import_fits) is moved: the foreign
 * child changes hands, as the Arrow specification allows, and is released with
 * the batch. Every other column is built anew: rows are cut into stretches of
 * valid and of null rows, and a function per layout appends a stretch. Nested
 * layouts call import_rows for the stretches of their children, so that offsets
 * and nulls are handled in one place.
 *
 * The number of rows an array may claim is bounded by its owner's buffers,
 * which are its own affair; run-end and fixed-size layouts, which can claim
 * much with little, are charged to the budget as they are written out.
 */
#include "batch/array.h"
#include "batch/import.h"
#include <string.h>

/* ---- the shape ---- */

static int64_t buffers_expected(const struct import_node *node)
{
    static const int8_t counts[IMPORT_LAYOUT_COUNT] = {
        [IMPORT_NULL] = 0,          [IMPORT_BITS] = 2,           [IMPORT_FIXED] = 2,
        [IMPORT_BYTES] = 3,         [IMPORT_BYTES_VIEW] = -3, /* at least */
        [IMPORT_DECIMAL] = 2,       [IMPORT_DATE64] = 2,         [IMPORT_INTERVAL_MONTHS] = 2,
        [IMPORT_INTERVAL_DAYS] = 2, [IMPORT_INTERVAL_NANOS] = 2, [IMPORT_LIST] = 2,
        [IMPORT_LIST_VIEW] = 3,     [IMPORT_LIST_FIXED] = 1,     [IMPORT_STRUCT] = 1,
        [IMPORT_RUN_END] = 0,       [IMPORT_DICTIONARY] = 2,
    };
    return counts[node->layout];
}

static int64_t children_expected(const struct import_node *node)
{
    if (node->layout == IMPORT_RUN_END)
        return 2;
    return node->layout == IMPORT_DICTIONARY ? 0 : node->child_count;
}

/* Alignment the values need for plain pointers. */
static size_t alignment_needed(const struct import_node *node)
{
    bool plain = node->layout == IMPORT_BYTES || node->layout == IMPORT_LIST ||
                 node->layout == IMPORT_LIST_VIEW || node->layout == IMPORT_DICTIONARY ||
                 node->layout == IMPORT_DATE64;
    return plain ? (size_t)node->width : 1;
}

static enum haul_code check_shape(const struct import_node *node, const struct ArrowArray *array,
                                  struct haul_error *err)
{
    int64_t expected = buffers_expected(node);
    if (!array->release || array->length < 0 || array->offset < 0 ||
        array->offset > INT64_MAX - array->length - 1)
        return import_malformed(node, "the array is released or of negative length", err);
    if (expected < 0 ? array->n_buffers < -expected : array->n_buffers != expected)
        return import_malformed(node, "the array has the wrong number of buffers", err);
    if (array->n_buffers && !array->buffers)
        return import_malformed(node, "the array has no buffers", err);
    if (array->n_children != children_expected(node) || (array->n_children && !array->children))
        return import_malformed(node, "the array has the wrong number of children", err);
    for (int64_t i = 0; i < array->n_children; i++)
        if (!array->children[i])
            return import_malformed(node, "a child is missing", err);
    if (node->layout == IMPORT_DICTIONARY && !array->dictionary)
        return import_malformed(node, "the dictionary is missing", err);
    if (node->layout != IMPORT_DICTIONARY && array->dictionary)
        return import_malformed(node, "an unexpected dictionary", err);
    if (array->length && array->n_buffers > 1 && !array->buffers[1])
        return import_malformed(node, "the array has no values", err);
    if (array->n_buffers > 1 && (uintptr_t)array->buffers[1] % alignment_needed(node))
        return import_malformed(node, "its offsets are not aligned", err);
    return HAUL_OK;
}

/* ---- nested layouts; all rows valid, `start` counts the array's offset ---- */

/* One list row: `count` items from `from` on. */
static enum haul_code import_items(const struct import_node *node, const struct ArrowArray *array,
                                   int64_t from, int64_t count, struct builder *builder,
                                   struct haul_error *err)
{
    const struct ArrowArray *items = array->children[0];
    if (from < 0 || count < 0 || from > items->length || count > items->length - from)
        return import_malformed(node, "a list reaches outside of its items", err);
    if (count && import_rows(&node->children[0], items, from, count, &builder->children[0], err))
        return err->code;
    return builder_append_list(builder, err);
}

static int64_t number_at(const void *numbers, int width, bool is_unsigned, int64_t i)
{
    uint64_t bits = 0;
    memcpy(&bits, (const uint8_t *)numbers + (size_t)i * (size_t)width, (size_t)width);
    if (is_unsigned)
        return bits > INT64_MAX ? -1 : (int64_t)bits;
    int shift = 64 - width * 8;
    return (int64_t)(bits << shift) >> shift;
}

static enum haul_code import_list(const struct import_node *node, const struct ArrowArray *array,
                                  int64_t start, int64_t count, struct builder *builder,
                                  struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    for (int64_t i = start; !code && i < start + count; i++) {
        int64_t from = number_at(array->buffers[1], node->width, false, i);
        int64_t to = number_at(array->buffers[1], node->width, false, i + 1);
        if (from < 0 || to < from)
            return import_malformed(node, "its offsets run backwards", err);
        code = import_items(node, array, from, to - from, builder, err);
    }
    return code;
}

static enum haul_code import_list_view(const struct import_node *node, const struct ArrowArray *array,
                                       int64_t start, int64_t count, struct builder *builder,
                                       struct haul_error *err)
{
    if (!array->buffers[2])
        return import_malformed(node, "the array has no sizes", err);
    enum haul_code code = HAUL_OK;
    for (int64_t i = start; !code && i < start + count; i++)
        code = import_items(node, array, number_at(array->buffers[1], node->width, false, i),
                            number_at(array->buffers[2], node->width, false, i), builder, err);
    return code;
}

static enum haul_code import_list_fixed(const struct import_node *node, const struct ArrowArray *array,
                                        int64_t start, int64_t count, struct builder *builder,
                                        struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    for (int64_t i = start; !code && i < start + count; i++) {
        int64_t from;
        if (__builtin_mul_overflow(i, (int64_t)node->width, &from))
            return import_malformed(node, "a list reaches outside of its items", err);
        code = import_items(node, array, from, node->width, builder, err);
    }
    return code;
}

static enum haul_code import_struct(const struct import_node *node, const struct ArrowArray *array,
                                    int64_t start, int64_t count, struct builder *builder,
                                    struct haul_error *err)
{
    for (int c = 0; c < node->child_count; c++)
        if (import_rows(&node->children[c], array->children[c], start, count, &builder->children[c], err))
            return err->code;
    if (builder->room - builder->length < count && builder_reserve(builder, count, 0, err))
        return err->code;
    for (int64_t i = builder->length; builder->validity.length && i < builder->length + count; i++) {
        if (i % 8 == 0)
            builder->validity.data[i / 8] = 0;
        bit_set(builder->validity.data, i);
    }
    builder->length += count;
    return HAUL_OK;
}

/* The place of the run that holds logical row `row`, by halving. */
static int64_t find_run(const void *ends, int width, int64_t run_count, int64_t row)
{
    int64_t low = 0, high = run_count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (number_at(ends, width, false, middle) > row)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static enum haul_code import_run_end(const struct import_node *node, const struct ArrowArray *array,
                                     int64_t start, int64_t count, struct builder *builder,
                                     struct haul_error *err)
{
    const struct ArrowArray *ends = array->children[0], *values = array->children[1];
    if (check_shape(node->index, ends, err))
        return err->code;
    const uint8_t *numbers = ends->length ? (const uint8_t *)ends->buffers[1] : NULL;
    int width = node->index->width;
    if (numbers)
        numbers += (size_t)ends->offset * (size_t)width;
    int64_t row = start, run = numbers ? find_run(numbers, width, ends->length, start) : 0;
    for (; row < start + count; run++) {
        if (run >= ends->length || run >= values->length)
            return import_malformed(node, "its runs end before its rows", err);
        int64_t end = number_at(numbers, width, false, run);
        if (end <= row)
            return import_malformed(node, "its run ends do not ascend", err);
        for (; row < end && row < start + count; row++)
            if (import_rows(&node->children[0], values, run, 1, builder, err))
                return err->code;
    }
    return HAUL_OK;
}

static enum haul_code import_dictionary(const struct import_node *node, const struct ArrowArray *array,
                                        int64_t start, int64_t count, struct builder *builder,
                                        struct haul_error *err)
{
    for (int64_t i = start; i < start + count; i++) {
        int64_t index = number_at(array->buffers[1], node->width, node->is_unsigned, i);
        if (index < 0 || index >= array->dictionary->length)
            return import_malformed(node, "an index points outside of its dictionary", err);
        if (import_rows(&node->children[0], array->dictionary, index, 1, builder, err))
            return err->code;
    }
    return HAUL_OK;
}

static const import_fn importers[IMPORT_LAYOUT_COUNT] = {
    [IMPORT_NULL] = import_null,
    [IMPORT_BITS] = import_bits,
    [IMPORT_FIXED] = import_fixed,
    [IMPORT_BYTES] = import_bytes,
    [IMPORT_BYTES_VIEW] = import_bytes_view,
    [IMPORT_DECIMAL] = import_decimal,
    [IMPORT_DATE64] = import_date64,
    [IMPORT_INTERVAL_MONTHS] = import_interval,
    [IMPORT_INTERVAL_DAYS] = import_interval,
    [IMPORT_INTERVAL_NANOS] = import_interval,
    [IMPORT_LIST] = import_list,
    [IMPORT_LIST_VIEW] = import_list_view,
    [IMPORT_LIST_FIXED] = import_list_fixed,
    [IMPORT_STRUCT] = import_struct,
    [IMPORT_RUN_END] = import_run_end,
    [IMPORT_DICTIONARY] = import_dictionary,
};

enum haul_code import_rows(const struct import_node *node, const struct ArrowArray *array, int64_t start,
                           int64_t count, struct builder *builder, struct haul_error *err)
{
    if (check_shape(node, array, err))
        return err->code;
    if (start < 0 || start > array->length || count > array->length - start)
        return import_malformed(node, "the array is shorter than its parent says", err);
    const uint8_t *validity = array->n_buffers && array->null_count ? array->buffers[0] : NULL;
    if (array->n_buffers && array->null_count > 0 && !validity)
        return import_malformed(node, "nulls but no validity", err);
    int64_t at = start + array->offset, end = at + count;
    while (at < end) {
        int64_t from = at;
        while (at < end && (!validity || bit_get(validity, at)))
            at = validity ? at + 1 : end;
        if (at > from && importers[node->layout](node, array, from, at - from, builder, err))
            return err->code;
        for (; at < end && validity && !bit_get(validity, at); at++)
            if (builder_append_null(builder, err))
                return err->code;
    }
    return HAUL_OK;
}

/* ---- whole batches ---- */

static enum haul_code check_root(const struct import *import, const struct ArrowArray *array,
                                 struct haul_error *err)
{
    if (!array->release || array->length < 0 || array->offset < 0 ||
        array->offset > INT64_MAX - array->length - 1 || array->n_buffers != 1 ||
        array->n_children != import->schema.count || (array->n_children && !array->children) ||
        array->dictionary)
        return error_set(err, HAUL_DATA, "the Arrow array does not have the shape of its schema (%d columns)",
                         import->schema.count);
    for (int i = 0; i < import->schema.count; i++)
        if (!array->children[i])
            return error_set(err, HAUL_DATA, "the Arrow array has no column %d", i);
    const uint8_t *validity = array->buffers ? array->buffers[0] : NULL;
    for (int64_t i = 0; validity && array->null_count && i < array->length; i++)
        if (!bit_get(validity, array->offset + i))
            return error_set(err, HAUL_DATA, "the Arrow array has a NULL where a row should be");
    if (array->length > INT32_MAX - 1)
        return error_set(err, HAUL_LIMIT, "an Arrow array of more than 2147483646 rows");
    return HAUL_OK;
}

static enum haul_code build_column(const struct import *import, const struct context *context, int i,
                                   const struct ArrowArray *array, struct ArrowArray *out,
                                   struct haul_error *err)
{
    struct builder builder;
    if (builder_init(&builder, &import->schema.fields[i], context->memory, err))
        return err->code;
    enum haul_code code =
        import_rows(&import->columns[i], array->children[i], array->offset, array->length, &builder, err);
    if (!code)
        code = builder_finish(&builder, out, err);
    builder_release(&builder);
    return code;
}

/* Builds what must be built; a column that can be moved stays empty. */
static enum haul_code build_columns(const struct import *import, const struct context *context,
                                    const struct ArrowArray *array, bool may_move, struct ArrowArray *out,
                                    struct haul_error *err)
{
    struct ArrowArray made = {0};
    if (check_root(import, array, err) || array_init(&made, array->length, 1, import->schema.count, err))
        return err->code;
    for (int i = 0; i < import->schema.count; i++) {
        bool moves = may_move && array->offset == 0 &&
                     import_fits(&import->columns[i], array->children[i], array->length);
        if (!moves && build_column(import, context, i, array, made.children[i], err)) {
            array_release(&made);
            return err->code;
        }
    }
    *out = made;
    return HAUL_OK;
}

static void fill_batch(const struct import *import, const struct ArrowArray *made, struct batch *batch)
{
    *batch = (struct batch){.array = *made, .schema = &import->schema, .rows_offered = made->length};
}

enum haul_code import_array(struct import *import, const struct context *context, struct ArrowArray *array,
                            struct batch *batch, struct haul_error *err)
{
    struct ArrowArray made = {0};
    if (build_columns(import, context, array, true, &made, err))
        return err->code;
    for (int i = 0; i < import->schema.count; i++)
        if (!made.children[i]->release) {
            array_move(array->children[i], made.children[i]);
            made.children[i]->null_count = array_null_count(&import->schema.fields[i], made.children[i]);
        }
    array->release(array);
    array->release = NULL;
    fill_batch(import, &made, batch);
    return HAUL_OK;
}

enum haul_code import_copy(struct import *import, const struct context *context,
                           const struct ArrowArray *array, struct batch *batch, struct haul_error *err)
{
    struct ArrowArray made = {0};
    if (build_columns(import, context, array, false, &made, err))
        return err->code;
    fill_batch(import, &made, batch);
    return HAUL_OK;
}
