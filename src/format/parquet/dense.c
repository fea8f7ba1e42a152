/*
 * dense.c: gathering and turning values.
 *
 * Three steps, each skipped when there is nothing to do: say which slots
 * (places), bring their values together in Arrow's width, turn them into the
 * physical type (narrow integers widen, decimals shrink or become big-endian
 * bytes, booleans become bytes). Each loop is chosen once per batch by width
 * and type.
 */
#include "format/parquet/dense.h"
#include "base/number.h"

void dense_init(struct dense *dense, struct memory *memory)
{
    memset(dense, 0, sizeof *dense);
    buffer_init(&dense->gathered, memory);
    buffer_init(&dense->turned, memory);
    buffer_init(&dense->starts, memory);
    buffer_init(&dense->ends, memory);
    buffer_init(&dense->places, memory);
}

void dense_release(struct dense *dense)
{
    buffer_release(&dense->gathered);
    buffer_release(&dense->turned);
    buffer_release(&dense->starts);
    buffer_release(&dense->ends);
    buffer_release(&dense->places);
}

size_t dense_width(const struct node *leaf)
{
    switch (leaf->physical) {
    case PARQUET_BOOLEAN:
        return 1;
    case PARQUET_INT32:
    case PARQUET_FLOAT:
        return 4;
    case PARQUET_INT64:
    case PARQUET_DOUBLE:
        return 8;
    case PARQUET_FIXED:
        return (size_t)leaf->type_length;
    default:
        return 0;
    }
}

static enum haul_code room(struct buffer *buffer, size_t count, size_t width, struct haul_error *err)
{
    buffer_clear(buffer);
    return buffer_reserve(buffer, count * width, err);
}

/* ---- which slots ---- */

static size_t list_valid(const struct selection *selection, int32_t *out)
{
    size_t count = 0;
    for (int64_t i = selection->first; i < selection->first + selection->count; i++) {
        out[count] = (int32_t)i;
        count += bit_get(selection->validity, i);
    }
    return count;
}

static void list_all(const struct selection *selection, int32_t *out)
{
    for (int64_t i = 0; i < selection->count; i++)
        out[i] = (int32_t)(selection->first + i);
}

/* The chosen slots as a list; through a dictionary, the slots of its values. */
static enum haul_code make_places(struct dense *dense, const struct view *view,
                                  const struct selection *selection, const int32_t **places,
                                  struct haul_error *err)
{
    size_t count = (size_t)selection->count;
    enum haul_code code = room(&dense->places, count + 1, sizeof(int32_t), err);
    if (code)
        return code;
    int32_t *out = (int32_t *)(void *)dense->places.data;
    if (selection->places)
        memcpy(out, selection->places, count * sizeof *out);
    else if (selection->validity)
        count = list_valid(selection, out);
    else
        list_all(selection, out);
    for (size_t i = 0; view->indices && i < count; i++)
        out[i] = view->indices[out[i]];
    dense->count = count;
    *places = out;
    return HAUL_OK;
}

/* ---- bringing together ---- */

#define DEFINE_GATHER(bits)                                                                                  \
    static void gather_##bits(const uint8_t *values, const int32_t *places, size_t count, uint8_t *out)      \
    {                                                                                                        \
        const uint##bits##_t *from = (const uint##bits##_t *)(const void *)values;                           \
        uint##bits##_t *to = (uint##bits##_t *)(void *)out;                                                  \
        for (size_t i = 0; i < count; i++)                                                                   \
            to[i] = from[places[i]];                                                                         \
    }
DEFINE_GATHER(8)
DEFINE_GATHER(16)
DEFINE_GATHER(32)
DEFINE_GATHER(64)

static void gather_any(const uint8_t *values, const int32_t *places, size_t count, size_t width, uint8_t *out)
{
    for (size_t i = 0; i < count; i++)
        memcpy(out + i * width, values + (size_t)places[i] * width, width);
}

static void gather(const uint8_t *values, const int32_t *places, size_t count, size_t width, uint8_t *out)
{
    if (width == 4)
        gather_32(values, places, count, out);
    else if (width == 8)
        gather_64(values, places, count, out);
    else if (width == 2)
        gather_16(values, places, count, out);
    else if (width == 1)
        gather_8(values, places, count, out);
    else
        gather_any(values, places, count, width, out);
}

/* Fixed-width values in Arrow's width, one after another. */
static enum haul_code gather_fixed(struct dense *dense, const struct view *view, const struct view *values,
                                   const struct selection *selection, struct haul_error *err)
{
    size_t width = (size_t)field_width(view->field);
    if (!view->indices && !selection->places && !selection->validity) {
        dense->count = (size_t)selection->count;
        dense->fixed = values->values ? values->values + (size_t)selection->first * width : NULL;
        return HAUL_OK;
    }
    const int32_t *places = NULL;
    enum haul_code code = make_places(dense, view, selection, &places, err);
    if (!code)
        code = room(&dense->gathered, dense->count, width, err);
    if (code)
        return code;
    gather(values->values, places, dense->count, width, dense->gathered.data);
    dense->fixed = dense->gathered.data;
    return HAUL_OK;
}

static enum haul_code gather_bools(struct dense *dense, const struct view *view, const struct view *values,
                                   const struct selection *selection, struct haul_error *err)
{
    const int32_t *places = NULL;
    enum haul_code code = make_places(dense, view, selection, &places, err);
    if (!code)
        code = room(&dense->gathered, dense->count, 1, err);
    if (code)
        return code;
    for (size_t i = 0; i < dense->count; i++)
        dense->gathered.data[i] = bit_get(values->values, places[i]);
    dense->fixed = dense->gathered.data;
    return HAUL_OK;
}

static enum haul_code gather_strings(struct dense *dense, const struct view *view, const struct view *values,
                                     const struct selection *selection, struct haul_error *err)
{
    struct strings *strings = &dense->strings;
    strings->data = values->data;
    strings->data_length = (size_t)values->offsets[values->length];
    if (!view->indices && !selection->places && !selection->validity) {
        dense->count = (size_t)selection->count;
        strings->starts = values->offsets + selection->first;
        strings->ends = strings->starts + 1;
        return HAUL_OK;
    }
    const int32_t *places = NULL;
    enum haul_code code = make_places(dense, view, selection, &places, err);
    if (!code)
        code = room(&dense->starts, dense->count, sizeof(int32_t), err);
    if (!code)
        code = room(&dense->ends, dense->count, sizeof(int32_t), err);
    if (code)
        return code;
    int32_t *starts = (int32_t *)(void *)dense->starts.data, *ends = (int32_t *)(void *)dense->ends.data;
    for (size_t i = 0; i < dense->count; i++) {
        starts[i] = values->offsets[places[i]];
        ends[i] = values->offsets[places[i] + 1];
    }
    strings->starts = starts;
    strings->ends = ends;
    if (view->indices) {
        dense->entries = places;
        dense->entry_count = (size_t)values->length;
    }
    return HAUL_OK;
}

/* ---- turning ---- */

#define DEFINE_WIDEN(name, type)                                                                             \
    static void widen_##name(const uint8_t *in, size_t count, uint8_t *out)                                  \
    {                                                                                                        \
        const type *from = (const type *)(const void *)in;                                                   \
        int32_t *to = (int32_t *)(void *)out;                                                                \
        for (size_t i = 0; i < count; i++)                                                                   \
            to[i] = from[i];                                                                                 \
    }
DEFINE_WIDEN(i8, int8_t)
DEFINE_WIDEN(u8, uint8_t)
DEFINE_WIDEN(i16, int16_t)
DEFINE_WIDEN(u16, uint16_t)

/* The lowest `width` (4 or 8) bytes of each 16: a decimal that fits there. */
static void shrink_decimals(const uint8_t *in, size_t count, size_t width, uint8_t *out)
{
    if (width == 4)
        for (size_t i = 0; i < count; i++)
            memcpy(out + 4 * i, in + 16 * i, 4);
    else
        for (size_t i = 0; i < count; i++)
            memcpy(out + 8 * i, in + 16 * i, 8);
}

/* The lowest `width` bytes, the highest first. Each value is stored as 16 bytes,
 * of which the next value covers what is too much: `out` has padding. */
static void reverse_decimals(const uint8_t *in, size_t count, size_t width, uint8_t *out)
{
    uint64_t turned[4] = {0};
    for (size_t i = 0; i < count; i++) {
        uint64_t words[2];
        memcpy(words, in + 16 * i, sizeof words);
        turned[0] = __builtin_bswap64(words[1]);
        turned[1] = __builtin_bswap64(words[0]);
        memcpy(out + i * width, (const uint8_t *)turned + 16 - width, 16);
    }
}

/* A decimal wider than its precision would be cut: it must not come so far. */
static enum haul_code check_decimals(const struct node *leaf, const uint8_t *in, size_t count,
                                     struct haul_error *err)
{
    const int128_t limit = number_power10(leaf->field->precision);
    bool fits = true;
    for (size_t i = 0; i < count; i++) {
        int128_t value;
        memcpy(&value, in + 16 * i, sizeof value);
        fits &= (value < limit) & (value > -limit);
    }
    return fits ? HAUL_OK
                : error_set(err, HAUL_VALUE, "column \"%s\": a value has more than %d digits",
                            leaf->field->name, leaf->field->precision);
}

static enum haul_code turn_decimals(struct dense *dense, const struct node *leaf, struct haul_error *err)
{
    enum haul_code code = check_decimals(leaf, dense->fixed, dense->count, err);
    if (!code)
        code = room(&dense->turned, dense->count, dense->width, err);
    if (code)
        return code;
    if (leaf->physical == PARQUET_FIXED)
        reverse_decimals(dense->fixed, dense->count, dense->width, dense->turned.data);
    else
        shrink_decimals(dense->fixed, dense->count, dense->width, dense->turned.data);
    dense->fixed = dense->turned.data;
    return HAUL_OK;
}

typedef void (*widen_fn)(const uint8_t *in, size_t count, uint8_t *out);

static enum haul_code turn_narrow(struct dense *dense, widen_fn widen, struct haul_error *err)
{
    enum haul_code code = room(&dense->turned, dense->count, sizeof(int32_t), err);
    if (code)
        return code;
    widen(dense->fixed, dense->count, dense->turned.data);
    dense->fixed = dense->turned.data;
    return HAUL_OK;
}

static enum haul_code turn(struct dense *dense, const struct node *leaf, struct haul_error *err)
{
    switch (leaf->field->type) {
    case TYPE_INT8:
        return turn_narrow(dense, widen_i8, err);
    case TYPE_UINT8:
        return turn_narrow(dense, widen_u8, err);
    case TYPE_INT16:
        return turn_narrow(dense, widen_i16, err);
    case TYPE_UINT16:
        return turn_narrow(dense, widen_u16, err);
    case TYPE_DECIMAL:
        return turn_decimals(dense, leaf, err);
    default:
        return HAUL_OK;
    }
}

enum haul_code dense_make(struct dense *dense, const struct node *leaf, const struct view *view,
                          const struct selection *selection, struct haul_error *err)
{
    struct view values = *view;
    enum haul_code code = HAUL_OK;
    dense->count = 0;
    dense->entries = NULL;
    dense->width = dense_width(leaf);
    if (leaf->field->type == TYPE_NULL || selection->count == 0)
        return HAUL_OK;
    if (view->indices)
        code = view_dictionary(view, &values, err);
    if (code)
        return code;
    if (leaf->physical == PARQUET_BYTE_ARRAY)
        return gather_strings(dense, view, &values, selection, err);
    if (leaf->physical == PARQUET_BOOLEAN)
        return gather_bools(dense, view, &values, selection, err);
    code = gather_fixed(dense, view, &values, selection, err);
    return code || dense->count == 0 ? code : turn(dense, leaf, err);
}
