/*
 * hash_value.c: one leaf loop per physical type, chosen once per column.
 *
 * Integers of every width are their value, floats their double, moments
 * nanoseconds in 128 bits, strings XXH3. A dictionary's values are hashed once
 * and gathered. Nested values chain the hashes of their parts; the recursion is
 * as deep as the type, and its scratch space is charged to the budget.
 */
#include "batch/hash_value.h"
#include "batch/hash.h"

#include "batch/float16.h"
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

enum hash_class {
    CLASS_NULL = 0,
    CLASS_BOOL = 1,
    CLASS_INTEGER = 2,
    CLASS_FLOAT = 3,
    CLASS_DECIMAL = 4,
    CLASS_DATE = 5,
    CLASS_TIME = 6,
    CLASS_LOCAL = 7,
    CLASS_INSTANT = 8,
    CLASS_DURATION = 9,
    CLASS_BYTES = 10,
    CLASS_LIST = 11,
    CLASS_STRUCT = 12,
    CLASS_MAP = 13
};

static const uint8_t classes[TYPE_COUNT] = {
    [TYPE_NULL] = CLASS_NULL,      [TYPE_BOOL] = CLASS_BOOL,       [TYPE_INT8] = CLASS_INTEGER,
    [TYPE_INT16] = CLASS_INTEGER,  [TYPE_INT32] = CLASS_INTEGER,   [TYPE_INT64] = CLASS_INTEGER,
    [TYPE_UINT8] = CLASS_INTEGER,  [TYPE_UINT16] = CLASS_INTEGER,  [TYPE_UINT32] = CLASS_INTEGER,
    [TYPE_UINT64] = CLASS_INTEGER, [TYPE_FLOAT16] = CLASS_FLOAT,   [TYPE_FLOAT32] = CLASS_FLOAT,
    [TYPE_FLOAT64] = CLASS_FLOAT,  [TYPE_DECIMAL] = CLASS_DECIMAL, [TYPE_DATE] = CLASS_DATE,
    [TYPE_TIME] = CLASS_TIME,      [TYPE_TIMESTAMP] = CLASS_LOCAL, [TYPE_DURATION] = CLASS_DURATION,
    [TYPE_UTF8] = CLASS_BYTES,     [TYPE_BINARY] = CLASS_BYTES,    [TYPE_FIXED_BINARY] = CLASS_BYTES,
    [TYPE_LIST] = CLASS_LIST,      [TYPE_STRUCT] = CLASS_STRUCT,   [TYPE_MAP] = CLASS_MAP,
};

uint64_t hash_tag(const struct field *field)
{
    if (field->type == TYPE_DECIMAL)
        return CLASS_DECIMAL | (uint64_t)field->scale << 8;
    if (field->type == TYPE_TIMESTAMP && field->timezone)
        return CLASS_INSTANT;
    return classes[field->type];
}

uint64_t hash_xxh64(const void *data, size_t length)
{
    return XXH64(data, length, 0);
}

static inline uint64_t wide(uint64_t low, uint64_t high)
{
    return low ^ hash_fold(high ^ HASH_P0, HASH_P3);
}

static inline uint64_t double_bits(double value)
{
    if (__builtin_expect(value != value, 0))
        return UINT64_C(0x7ff8000000000000);
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* ---- leaves ---- */

typedef void (*leaf_fn)(const struct view *view, int64_t count, uint64_t *out);

/* Widened by the C rules of the type: sign or zero extended. */
#define INTEGER_LEAF(name, type)                                                                             \
    static void name(const struct view *view, int64_t count, uint64_t *out)                                  \
    {                                                                                                        \
        const type *values = (const type *)(const void *)view->values;                                       \
        for (int64_t i = 0; i < count; i++)                                                                  \
            out[i] = (uint64_t)(int64_t)values[i];                                                           \
    }
INTEGER_LEAF(leaf_i8, int8_t)
INTEGER_LEAF(leaf_i16, int16_t)
INTEGER_LEAF(leaf_i32, int32_t)
INTEGER_LEAF(leaf_u8, uint8_t)
INTEGER_LEAF(leaf_u16, uint16_t)
INTEGER_LEAF(leaf_u32, uint32_t)

static void leaf_64(const struct view *view, int64_t count, uint64_t *out)
{
    if (count)
        memcpy(out, view->values, (size_t)count * sizeof *out);
}

/* The one overlap: an int64 of -1 and a uint64 of 2^64 - 1 are different values. */
static void leaf_u64(const struct view *view, int64_t count, uint64_t *out)
{
    const uint64_t *values = (const uint64_t *)(const void *)view->values;
    for (int64_t i = 0; i < count; i++)
        out[i] = values[i] >> 63 ? values[i] ^ HASH_P1 : values[i];
}

static void leaf_bool(const struct view *view, int64_t count, uint64_t *out)
{
    for (int64_t i = 0; i < count; i++)
        out[i] = bit_get(view->values, i);
}

static void leaf_f16(const struct view *view, int64_t count, uint64_t *out)
{
    const uint16_t *values = (const uint16_t *)(const void *)view->values;
    for (int64_t i = 0; i < count; i++)
        out[i] = double_bits(float16_to(values[i]));
}

static void leaf_f32(const struct view *view, int64_t count, uint64_t *out)
{
    const float *values = (const float *)(const void *)view->values;
    for (int64_t i = 0; i < count; i++)
        out[i] = double_bits((double)values[i]);
}

static void leaf_f64(const struct view *view, int64_t count, uint64_t *out)
{
    const double *values = (const double *)(const void *)view->values;
    for (int64_t i = 0; i < count; i++)
        out[i] = double_bits(values[i]);
}

static void leaf_decimal(const struct view *view, int64_t count, uint64_t *out)
{
    const uint64_t *words = (const uint64_t *)(const void *)view->values;
    for (int64_t i = 0; i < count; i++)
        out[i] = wide(words[2 * i], words[2 * i + 1]);
}

static void leaf_time(const struct view *view, int64_t count, uint64_t *out)
{
    uint64_t factor = 1000000000u / (uint64_t)calendar_units_per_second(view->field->unit);
    if (field_width(view->field) == 4)
        leaf_i32(view, count, out);
    else
        leaf_64(view, count, out);
    for (int64_t i = 0; i < count; i++)
        out[i] *= factor;
}

static void leaf_moment(const struct view *view, int64_t count, uint64_t *out)
{
    const int64_t *values = (const int64_t *)(const void *)view->values;
    int64_t factor = 1000000000 / calendar_units_per_second(view->field->unit);
    for (int64_t i = 0; i < count; i++) {
        int128_t nanos = (int128_t)values[i] * factor;
        out[i] = wide((uint64_t)nanos, (uint64_t)(nanos >> 64));
    }
}

static void leaf_bytes(const struct view *view, int64_t count, uint64_t *out)
{
    const int32_t *offsets = view->offsets;
    for (int64_t i = 0; i < count; i++)
        out[i] = XXH3_64bits(view->data + offsets[i], (size_t)(offsets[i + 1] - offsets[i]));
}

static void leaf_fixed(const struct view *view, int64_t count, uint64_t *out)
{
    size_t width = (size_t)view->field->width;
    for (int64_t i = 0; i < count; i++)
        out[i] = XXH3_64bits(view->values + (size_t)i * width, width);
}

static const leaf_fn leaves[TYPE_COUNT] = {
    [TYPE_BOOL] = leaf_bool,       [TYPE_INT8] = leaf_i8,
    [TYPE_INT16] = leaf_i16,       [TYPE_INT32] = leaf_i32,
    [TYPE_INT64] = leaf_64,        [TYPE_UINT8] = leaf_u8,
    [TYPE_UINT16] = leaf_u16,      [TYPE_UINT32] = leaf_u32,
    [TYPE_UINT64] = leaf_u64,      [TYPE_FLOAT16] = leaf_f16,
    [TYPE_FLOAT32] = leaf_f32,     [TYPE_FLOAT64] = leaf_f64,
    [TYPE_DECIMAL] = leaf_decimal, [TYPE_DATE] = leaf_i32,
    [TYPE_TIME] = leaf_time,       [TYPE_TIMESTAMP] = leaf_moment,
    [TYPE_DURATION] = leaf_moment, [TYPE_UTF8] = leaf_bytes,
    [TYPE_BINARY] = leaf_bytes,    [TYPE_FIXED_BINARY] = leaf_fixed,
};

/* ---- nested ---- */

/* Values of `view`'s first `count` rows in a new buffer. */
static enum haul_code child_values(const struct view *view, int64_t count, struct memory *memory,
                                   struct buffer *buffer, struct haul_error *err)
{
    buffer_init(buffer, memory);
    if (buffer_reserve(buffer, (size_t)count * sizeof(uint64_t), err) ||
        hash_values(view, count, memory, (uint64_t *)(void *)buffer->data, err)) {
        buffer_release(buffer);
        return err->code;
    }
    return HAUL_OK;
}

static inline uint64_t step(uint64_t hash, uint64_t value, uint64_t tag)
{
    return hash_fold(hash ^ value, HASH_P4 ^ tag);
}

static inline uint64_t step_null(uint64_t hash)
{
    return hash_fold(hash ^ HASH_P5, HASH_P6);
}

static enum haul_code list_values(const struct view *view, int64_t count, struct memory *memory,
                                  uint64_t *out, struct haul_error *err)
{
    struct view items;
    struct buffer buffer;
    const int32_t *offsets = view->offsets;
    if (view_child(view, 0, &items, err) || child_values(&items, offsets[count], memory, &buffer, err))
        return err->code;
    const uint64_t *values = (const uint64_t *)(const void *)buffer.data;
    uint64_t tag = hash_tag(items.field);
    for (int64_t i = 0; i < count; i++) {
        uint64_t hash = HASH_P7 ^ (uint64_t)(offsets[i + 1] - offsets[i]);
        for (int64_t j = offsets[i]; j < offsets[i + 1]; j++)
            hash = view_is_null(&items, j) ? step_null(hash) : step(hash, values[j], tag);
        out[i] = hash;
    }
    buffer_release(&buffer);
    return HAUL_OK;
}

static enum haul_code struct_values(const struct view *view, int64_t count, struct memory *memory,
                                    uint64_t *out, struct haul_error *err)
{
    for (int64_t i = 0; i < count; i++)
        out[i] = HASH_P2 ^ (uint64_t)view->field->child_count;
    for (int c = 0; c < view->field->child_count; c++) {
        struct view member;
        struct buffer buffer;
        if (view_child(view, c, &member, err) || child_values(&member, count, memory, &buffer, err))
            return err->code;
        const uint64_t *values = (const uint64_t *)(const void *)buffer.data;
        uint64_t tag = hash_tag(member.field);
        for (int64_t i = 0; i < count; i++)
            out[i] = view_is_null(&member, i) ? step_null(out[i]) : step(out[i], values[i], tag);
        buffer_release(&buffer);
    }
    return HAUL_OK;
}

static enum haul_code dictionary_values(const struct view *view, int64_t count, struct memory *memory,
                                        uint64_t *out, struct haul_error *err)
{
    struct view entries;
    struct buffer buffer;
    if (view_dictionary(view, &entries, err) || child_values(&entries, entries.length, memory, &buffer, err))
        return err->code;
    const uint64_t *values = (const uint64_t *)(const void *)buffer.data;
    for (int64_t i = 0; i < count && !view->validity; i++)
        out[i] = values[view->indices[i]];
    for (int64_t i = 0; i < count && view->validity; i++)
        out[i] = view_is_null(view, i) ? 0 : values[view->indices[i]];
    buffer_release(&buffer);
    return HAUL_OK;
}

enum haul_code hash_values(const struct view *view, int64_t count, struct memory *memory, uint64_t *out,
                           struct haul_error *err)
{
    if (!count)
        return HAUL_OK;
    if (view->indices)
        return dictionary_values(view, count, memory, out, err);
    switch (type_table[view->field->type].layout) {
    case LAYOUT_NONE:
        return HAUL_OK;
    case LAYOUT_LIST:
        return list_values(view, count, memory, out, err);
    case LAYOUT_STRUCT:
        return struct_values(view, count, memory, out, err);
    default:
        leaves[view->field->type](view, count, out);
        return HAUL_OK;
    }
}
