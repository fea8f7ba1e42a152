/*
 * bound_text.c: which statistics are believed, and how they are shown.
 *
 * min_value and max_value count when the footer gives the leaf an order we know;
 * the deprecated min and max only for types whose old order was never in
 * doubt (signed numbers). A bound of another length than its type, or NaN, says
 * nothing. One row group without bounds, unless it is all null, and the file
 * has none. Shown is the value as `haul` prints it anywhere else; long ones are
 * cut to BOUND_BYTES.
 */
#include "format/parquet/bound_text.h"
#include "base/unicode.h"
#include "batch/builder.h"
#include "format/parquet/convert.h"
#include "format/parquet/statistics.h"

struct found {
    bool any;
    struct bound min, max;
};

/* ---- what is believed ---- */

static bool order_known(const struct parquet_input *input, int leaf)
{
    if ((size_t)leaf >= input->meta.column_orders.count)
        return false;
    const struct column_order *order = &input->meta.column_orders.items[leaf];
    return thrift_has(order, COLUMN_ORDER_TYPE) || thrift_has(order, COLUMN_ORDER_IEEE754);
}

static bool order_is_signed(enum order order)
{
    return order == ORDER_I32 || order == ORDER_I64 || order_is_float(order);
}

static size_t plain_width(const struct node *leaf)
{
    static const uint8_t widths[PARQUET_TYPE_COUNT] = {
        [PARQUET_BOOLEAN] = 1, [PARQUET_INT32] = 4, [PARQUET_INT64] = 8,
        [PARQUET_INT96] = 12,  [PARQUET_FLOAT] = 4, [PARQUET_DOUBLE] = 8};
    return leaf->physical == PARQUET_FIXED ? (size_t)leaf->type_length : widths[leaf->physical];
}

static bool bound_is_nan(enum order order, const struct bound *bound)
{
    float narrow = 0;
    double wide = 0;
    if (order == ORDER_F32)
        memcpy(&narrow, bound->bytes, sizeof narrow);
    if (order == ORDER_F64)
        memcpy(&wide, bound->bytes, sizeof wide);
    return __builtin_isnan(narrow) || __builtin_isnan(wide);
}

static bool bound_take(const struct node *leaf, enum order order, struct slice bytes, struct bound *bound)
{
    size_t width = plain_width(leaf);
    if (width && (bytes.length != width || width > BOUND_BYTES))
        return false;
    size_t length = bytes.length < BOUND_BYTES ? bytes.length : BOUND_BYTES;
    if (order == ORDER_TEXT)
        length = unicode_valid_prefix(bytes.data, length);
    bound->length = (uint8_t)length;
    if (length)
        memcpy(bound->bytes, bytes.data, length);
    return !bound_is_nan(order, bound);
}

struct range {
    struct slice min, max;
};

/* The two bounds of a chunk that count; false when none do. `ordered`: the
 * footer gives the leaf an order we know. */
static bool range_of(const struct statistics *statistics, bool ordered, enum order order, struct range *range)
{
    if (ordered && thrift_has(statistics, STATISTICS_MIN) && thrift_has(statistics, STATISTICS_MAX)) {
        *range = (struct range){statistics->min, statistics->max};
        return true;
    }
    *range = (struct range){statistics->min_old, statistics->max_old};
    return order_is_signed(order) && thrift_has(statistics, STATISTICS_MIN_OLD) &&
           thrift_has(statistics, STATISTICS_MAX_OLD);
}

static bool chunk_all_null(const struct column_metadata *meta)
{
    const struct statistics *s = thrift_has(meta, COLUMN_META_STATISTICS) ? meta->statistics : NULL;
    return meta->num_values == 0 ||
           (s && thrift_has(s, STATISTICS_NULL_COUNT) && s->null_count == meta->num_values);
}

static bool chunk_add(const struct parquet_input *input, int leaf, const struct column_chunk *chunk,
                      struct found *found)
{
    const struct node *node = input->tree.leaves[leaf];
    enum order order = statistics_order(node);
    struct range range;
    struct bound low, high;
    if (!chunk->meta)
        return false;
    if (chunk_all_null(chunk->meta))
        return true;
    if (!thrift_has(chunk->meta, COLUMN_META_STATISTICS) ||
        !range_of(chunk->meta->statistics, order_known(input, leaf), order, &range) ||
        !bound_take(node, order, range.min, &low) || !bound_take(node, order, range.max, &high))
        return false;
    if (!found->any || bound_compare(order, &low, &found->min) < 0)
        found->min = low;
    if (!found->any || bound_compare(order, &high, &found->max) > 0)
        found->max = high;
    found->any = true;
    return true;
}

/* ---- how it is shown ---- */

/* One value in plain form, appended to a builder of the leaf's field. */
static enum haul_code value_append(const struct node *leaf, const struct bound *bound,
                                   struct builder *builder, struct haul_error *err)
{
    enum type_layout layout = type_table[leaf->field->type].layout;
    struct convert convert = convert_for(leaf);
    _Alignas(16) uint8_t plain[BOUND_BYTES];
    size_t at = 0;
    memcpy(plain, bound->bytes, bound->length);
    if (layout == LAYOUT_BITS)
        return builder_append_bool(builder, bound->bytes[0] != 0, err);
    if (layout == LAYOUT_BYTES)
        return builder_append_bytes(builder, bound->bytes, bound->length, err);
    enum haul_code code = builder_reserve(builder, 1, 0, err);
    if (code)
        return code;
    if (!convert.run)
        memcpy(builder->values.data, plain, bound->length);
    else if (convert.run(&convert, plain, 1, builder->values.data, &at))
        return HAUL_OK; /* not a value of the type: no row */
    builder->length = 1;
    return HAUL_OK;
}

static enum haul_code row_print(const struct field *field, const struct ArrowArray *array,
                                struct arena *arena, const char **text, struct haul_error *err)
{
    struct view view;
    struct buffer out = {0};
    enum haul_code code = view_init(&view, field, array, err);
    if (!code && array->length)
        code = view_print(&view, 0, &out, err);
    if (!code && array->length) {
        *text = arena_text_n(arena, (const char *)out.data, out.length);
        code = *text ? HAUL_OK : error_nomem(err, "statistics");
    }
    buffer_release(&out);
    return code;
}

static enum haul_code bound_print(const struct node *leaf, const struct bound *bound, struct arena *arena,
                                  const char **text, struct haul_error *err)
{
    struct builder builder = {0};
    struct ArrowArray array = {0};
    enum haul_code code = builder_init(&builder, leaf->field, NULL, err);
    if (!code)
        code = value_append(leaf, bound, &builder, err);
    if (!code)
        code = builder_finish(&builder, &array, err);
    if (!code)
        code = row_print(leaf->field, &array, arena, text, err);
    if (array.release)
        array.release(&array);
    builder_release(&builder);
    return code;
}

enum haul_code bound_texts(const struct parquet_input *input, int leaf, struct arena *arena, const char **min,
                           const char **max, struct haul_error *err)
{
    const struct node *node = input->tree.leaves[leaf];
    struct found found = {0};
    *min = *max = NULL;
    bool decimal_bytes = node->field->type == TYPE_DECIMAL && node->physical == PARQUET_BYTE_ARRAY;
    if (node->refusal || decimal_bytes || statistics_order(node) == ORDER_NONE)
        return HAUL_OK;
    for (size_t i = 0; i < input->meta.row_groups.count; i++)
        if (!chunk_add(input, leaf, &input->meta.row_groups.items[i].columns.items[leaf], &found))
            return HAUL_OK;
    if (!found.any)
        return HAUL_OK;
    enum haul_code code = bound_print(node, &found.min, arena, min, err);
    return code ? code : bound_print(node, &found.max, arena, max, err);
}
