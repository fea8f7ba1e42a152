/*
 * import_fit.c: may a foreign array be used as it lies?
 *
 * Yes when its layout is ours, its offset 0, its pointers aligned, and every
 * offset, text, decimal and time of it is sound. What rules of ours do not
 * allow though Arrow does (a NULL list that has items, a NULL struct, a first
 * offset that is not 0) is a no as well: building it anew makes it plain. A no
 * is never an error; the building finds and names what is wrong.
 */
#include "batch/import.h"

#include "base/unicode.h"
#include <string.h>

static bool is_aligned(const void *pointer, size_t width)
{
    size_t alignment = width & (~width + 1); /* the largest power of two in it */
    return (uintptr_t)pointer % (alignment > 16 ? 16 : alignment) == 0;
}

/* Offsets from 0, never backwards, none behind `limit`; NULL rows empty when asked. */
static bool offsets_fit(const int32_t *offsets, int64_t length, int64_t limit, const uint8_t *empty_nulls)
{
    if (offsets[0] != 0 || offsets[length] > limit)
        return false;
    bool good = true;
    for (int64_t i = 0; i < length; i++)
        good &= offsets[i] <= offsets[i + 1];
    for (int64_t i = 0; good && empty_nulls && i < length; i++)
        good = bit_get(empty_nulls, i) || offsets[i] == offsets[i + 1];
    return good;
}

/* The whole is UTF-8, and no text begins in the middle of a character. */
static bool texts_fit(const int32_t *offsets, int64_t length, const uint8_t *data)
{
    if (!unicode_is_valid(data, (size_t)offsets[length]))
        return false;
    for (int64_t i = 0; i < length; i++)
        if (offsets[i] < offsets[length] && (data[offsets[i]] & 0xc0) == 0x80)
            return false;
    return true;
}

static bool bytes_fit(const struct import_node *node, const struct ArrowArray *array, int64_t length)
{
    const int32_t *offsets = array->buffers[1];
    const uint8_t *data = array->buffers[2];
    if (node->width != 4 || !offsets || !is_aligned(offsets, 4) ||
        !offsets_fit(offsets, length, INT32_MAX, NULL))
        return false;
    if (!data)
        return offsets[length] == 0;
    return node->field->type != TYPE_UTF8 || texts_fit(offsets, length, data);
}

static bool list_fits(const struct import_node *node, const struct ArrowArray *array, int64_t length,
                      const uint8_t *validity)
{
    const int32_t *offsets = array->buffers[1];
    const struct ArrowArray *items = array->children[0];
    if (node->width != 4 || !offsets || !is_aligned(offsets, 4) || !items ||
        !offsets_fit(offsets, length, items->length, validity))
        return false;
    return items->length == offsets[length] && import_fits(&node->children[0], items, items->length);
}

static bool fixed_fits(const struct import_node *node, const struct ArrowArray *array,
                       const uint8_t *validity)
{
    struct haul_error ignored = {0};
    const uint8_t *values = array->buffers[1];
    if (node->width == 0 || (!values && array->length))
        return false;
    return is_aligned(values, (size_t)node->width) &&
           !import_check_values(node, values, array->length, validity, &ignored);
}

static bool struct_fits(const struct import_node *node, const struct ArrowArray *array, int64_t length,
                        const uint8_t *validity)
{
    if (validity && bits_count(validity, length) != length)
        return false;
    for (int i = 0; i < node->child_count; i++)
        if (!array->children[i] || !import_fits(&node->children[i], array->children[i], length))
            return false;
    return true;
}

bool import_fits(const struct import_node *node, const struct ArrowArray *array, int64_t length)
{
    static const int8_t buffer_counts[IMPORT_LAYOUT_COUNT] = {
        [IMPORT_BITS] = 2, [IMPORT_FIXED] = 2, [IMPORT_BYTES] = 3, [IMPORT_LIST] = 2, [IMPORT_STRUCT] = 1};
    int64_t buffers = buffer_counts[node->layout];
    if (!buffers || !array->release || array->offset || array->length != length || array->dictionary ||
        array->n_buffers != buffers || !array->buffers || array->n_children != node->child_count ||
        (array->n_children && !array->children))
        return false;
    const uint8_t *validity = array->null_count ? array->buffers[0] : NULL;
    if (array->null_count > 0 && (!validity || length - bits_count(validity, length) != array->null_count))
        return false;
    switch (node->layout) {
    case IMPORT_BITS:
        return array->buffers[1] != NULL;
    case IMPORT_FIXED:
        return fixed_fits(node, array, validity);
    case IMPORT_BYTES:
        return bytes_fit(node, array, length);
    case IMPORT_LIST:
        return list_fits(node, array, length, validity);
    default:
        return struct_fits(node, array, length, validity);
    }
}
