/*
 * take.c: copies of chosen rows of an array, in any layout.
 *
 * The rows are given as runs, because most rows stay when a few are dropped:
 * a run of fixed width values is one memcpy, a run of strings is one memcpy of
 * their bytes and a loop over their offsets, and a run of lists is one run of
 * their items, so that nesting is the same function again on other runs.
 */
#include "batch/array.h"
#include "batch/batch.h"
#include <string.h>

struct taker {
    const struct ArrowArray *from;
    const struct run_list *list;
    struct memory *memory;
    struct haul_error *err;
};

static enum haul_code new_buffer(struct taker *taker, size_t bytes, struct buffer *out)
{
    buffer_init(out, taker->memory);
    if (buffer_reserve(out, bytes, taker->err))
        return taker->err->code;
    out->length = bytes;
    return HAUL_OK;
}

static enum haul_code take_bits(struct taker *taker, int place, struct ArrowArray *to)
{
    const uint8_t *from = taker->from->buffers[place];
    struct buffer bits;
    if (new_buffer(taker, (size_t)(taker->list->rows + 7) / 8, &bits))
        return taker->err->code;
    memset(bits.data, 0, bits.length);
    int64_t at = 0;
    for (int64_t r = 0; r < taker->list->count; r++) {
        struct run run = taker->list->runs[r];
        for (int64_t i = run.start; i < run.start + run.count; i++, at++)
            if (bit_get(from, i))
                bit_set(bits.data, at);
    }
    array_set_buffer(to, place, &bits);
    return HAUL_OK;
}

static enum haul_code take_fixed(struct taker *taker, size_t width, struct ArrowArray *to)
{
    const uint8_t *from = taker->from->buffers[1];
    struct buffer values;
    if (new_buffer(taker, (size_t)taker->list->rows * width, &values))
        return taker->err->code;
    uint8_t *at = values.data;
    for (int64_t r = 0; r < taker->list->count; r++) {
        struct run run = taker->list->runs[r];
        memcpy(at, from + (size_t)run.start * width, (size_t)run.count * width);
        at += (size_t)run.count * width;
    }
    array_set_buffer(to, 1, &values);
    return HAUL_OK;
}

/* The new offsets; *total gets the last. */
static enum haul_code take_offsets(struct taker *taker, struct ArrowArray *to, int32_t *total)
{
    const int32_t *from = taker->from->buffers[1];
    struct buffer offsets;
    if (new_buffer(taker, (size_t)(taker->list->rows + 1) * sizeof(int32_t), &offsets))
        return taker->err->code;
    int32_t *at = (int32_t *)(void *)offsets.data;
    *at = 0;
    for (int64_t r = 0; r < taker->list->count; r++) {
        struct run run = taker->list->runs[r];
        int32_t shift = *at - from[run.start];
        for (int64_t i = run.start + 1; i <= run.start + run.count; i++)
            *++at = from[i] + shift;
    }
    *total = *at;
    array_set_buffer(to, 1, &offsets);
    return HAUL_OK;
}

static enum haul_code take_bytes(struct taker *taker, struct ArrowArray *to)
{
    const int32_t *offsets = taker->from->buffers[1];
    const uint8_t *from = taker->from->buffers[2];
    int32_t total;
    struct buffer data;
    if (take_offsets(taker, to, &total) || new_buffer(taker, (size_t)total, &data))
        return taker->err->code;
    data.length = 0;
    for (int64_t r = 0; r < taker->list->count; r++) {
        struct run run = taker->list->runs[r];
        int32_t start = offsets[run.start], end = offsets[run.start + run.count];
        if (end > start)
            buffer_put(&data, from + start, (size_t)(end - start));
    }
    array_set_buffer(to, 2, &data);
    return HAUL_OK;
}

/* The items of the runs' lists, as runs again; empty ones left out. */
static enum haul_code take_items(struct taker *taker, const struct field *field, struct ArrowArray *to)
{
    const int32_t *offsets = taker->from->buffers[1];
    int32_t total;
    struct buffer runs;
    buffer_init(&runs, taker->memory);
    if (take_offsets(taker, to, &total) ||
        buffer_reserve(&runs, (size_t)taker->list->count * sizeof(struct run), taker->err))
        return taker->err->code;
    struct run *items = (struct run *)(void *)runs.data;
    struct run_list list = {items, 0, total};
    for (int64_t r = 0; r < taker->list->count; r++) {
        struct run run = taker->list->runs[r];
        int32_t start = offsets[run.start], end = offsets[run.start + run.count];
        if (end > start)
            items[list.count++] = (struct run){start, end - start};
    }
    enum haul_code code = array_take(&field->children[0], taker->from->children[0], &list, taker->memory,
                                     to->children[0], taker->err);
    buffer_release(&runs);
    return code;
}

static enum haul_code take_members(struct taker *taker, const struct field *field, struct ArrowArray *to)
{
    for (int i = 0; i < field->child_count; i++)
        if (array_take(&field->children[i], taker->from->children[i], taker->list, taker->memory,
                       to->children[i], taker->err))
            return taker->err->code;
    return HAUL_OK;
}

static enum haul_code take_values(struct taker *taker, const struct field *field, struct ArrowArray *to)
{
    if (taker->from->dictionary)
        return take_fixed(taker, sizeof(int32_t), to);
    switch (type_table[field->type].layout) {
    case LAYOUT_BITS:
        return take_bits(taker, 1, to);
    case LAYOUT_FIXED:
        return take_fixed(taker, (size_t)field_width(field), to);
    case LAYOUT_BYTES:
        return take_bytes(taker, to);
    case LAYOUT_LIST:
        return take_items(taker, field, to);
    case LAYOUT_STRUCT:
        return take_members(taker, field, to);
    default:
        return HAUL_OK;
    }
}

enum haul_code array_take(const struct field *field, const struct ArrowArray *from,
                          const struct run_list *list, struct memory *memory, struct ArrowArray *to,
                          struct haul_error *err)
{
    struct taker taker = {from, list, memory, err};
    struct ArrowArray made = {0};
    int buffers = from->dictionary ? 2 : array_buffer_count(field);
    int children = from->dictionary ? 0 : field->child_count;
    if (array_init(&made, list->rows, buffers, children, err))
        return err->code;
    enum haul_code code = HAUL_OK;
    if (buffers && from->buffers[0]) {
        code = take_bits(&taker, 0, &made);
        if (!code)
            made.null_count = list->rows - bits_count(made.buffers[0], list->rows);
    }
    if (field->type == TYPE_NULL)
        made.null_count = list->rows;
    if (!code)
        code = take_values(&taker, field, &made);
    if (!code && from->dictionary) {
        struct ArrowArray none = {0};
        code = array_add_dictionary(&made, &none, err);
    }
    if (code)
        array_release(&made);
    else
        *to = made;
    return code;
}

void array_take_dictionaries(struct ArrowArray *from, struct ArrowArray *to)
{
    if (from->dictionary)
        array_move(from->dictionary, to->dictionary);
    for (int64_t i = 0; i < to->n_children; i++)
        array_take_dictionaries(from->children[i], to->children[i]);
}
