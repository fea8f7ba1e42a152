/*
 * array.c: Arrow arrays that own their buffers.
 *
 * The buffers a builder filled are moved into a small store behind the array's
 * private_data, so that nothing is copied; release gives them back to the budget
 * they were charged to. The stores themselves, and the pointer tables of
 * children, are small and not charged.
 */
#include "batch/array.h"

#include "batch/batch.h"
#include <string.h>

struct store {
    const void *pointers[ARRAY_BUFFERS_MAX];
    struct buffer buffers[ARRAY_BUFFERS_MAX];
};

static void release_store(struct ArrowArray *array)
{
    struct store *store = array->private_data;
    for (int64_t i = 0; i < array->n_children; i++) {
        array_release(array->children[i]);
        memory_free(NULL, array->children[i], sizeof *array->children[i]);
    }
    if (array->children)
        memory_free(NULL, array->children, (size_t)array->n_children * sizeof *array->children);
    if (array->dictionary) {
        array_release(array->dictionary);
        memory_free(NULL, array->dictionary, sizeof *array->dictionary);
    }
    for (int i = 0; i < ARRAY_BUFFERS_MAX; i++)
        buffer_release(&store->buffers[i]);
    memory_free(NULL, store, sizeof *store);
    memset(array, 0, sizeof *array);
}

static void *alloc_zero(size_t size)
{
    void *block = memory_alloc(NULL, size);
    if (block)
        memset(block, 0, size);
    return block;
}

/* Fills made.children one by one, so that a release in between is right. */
static enum haul_code add_children(struct ArrowArray *made, int count)
{
    if (!count)
        return HAUL_OK;
    struct ArrowArray **children = alloc_zero((size_t)count * sizeof *children);
    if (!children)
        return HAUL_NOMEM;
    for (int i = 0; i < count; i++) {
        children[i] = alloc_zero(sizeof **children);
        if (children[i])
            continue;
        for (int j = 0; j < i; j++)
            memory_free(NULL, children[j], sizeof **children);
        memory_free(NULL, children, (size_t)count * sizeof *children);
        return HAUL_NOMEM;
    }
    made->children = children;
    made->n_children = count;
    return HAUL_OK;
}

enum haul_code array_init(struct ArrowArray *array, int64_t length, int buffer_count, int child_count,
                          struct haul_error *err)
{
    struct store *store = alloc_zero(sizeof *store);
    if (!store)
        return error_nomem(err, "an array");
    struct ArrowArray made = {.length = length,
                              .n_buffers = buffer_count,
                              .buffers = store->pointers,
                              .release = release_store,
                              .private_data = store};
    if (add_children(&made, child_count)) {
        release_store(&made);
        return error_nomem(err, "an array");
    }
    *array = made;
    return HAUL_OK;
}

void array_set_buffer(struct ArrowArray *array, int i, struct buffer *buffer)
{
    struct store *store = array->private_data;
    store->buffers[i] = *buffer;
    store->pointers[i] = buffer->data;
    buffer_init(buffer, buffer->memory);
}

enum haul_code array_add_dictionary(struct ArrowArray *indices, struct ArrowArray *values,
                                    struct haul_error *err)
{
    struct ArrowArray *dictionary = alloc_zero(sizeof *dictionary);
    if (!dictionary)
        return error_nomem(err, "a dictionary");
    array_move(values, dictionary);
    indices->dictionary = dictionary;
    return HAUL_OK;
}

void array_move(struct ArrowArray *from, struct ArrowArray *to)
{
    *to = *from;
    memset(from, 0, sizeof *from);
}

void array_release(struct ArrowArray *array)
{
    if (array && array->release)
        array->release(array);
}

int array_buffer_count(const struct field *field)
{
    static const int counts[] = {[LAYOUT_NONE] = 0,  [LAYOUT_BITS] = 2, [LAYOUT_FIXED] = 2,
                                 [LAYOUT_BYTES] = 3, [LAYOUT_LIST] = 2, [LAYOUT_STRUCT] = 1};
    return counts[type_table[field->type].layout];
}

int64_t array_null_count(const struct field *field, const struct ArrowArray *array)
{
    if (field->type == TYPE_NULL)
        return array->length;
    if (array->null_count >= 0 && array->null_count <= array->length)
        return array->null_count;
    const uint8_t *validity = array->n_buffers > 0 ? array->buffers[0] : NULL;
    return validity ? array->length - bits_count(validity, array->length) : 0;
}

static int64_t own_bytes(const struct field *field, const struct ArrowArray *array)
{
    const int32_t *offsets = array->n_buffers > 1 ? array->buffers[1] : NULL;
    switch (type_table[field->type].layout) {
    case LAYOUT_BITS:
        return (array->length + 7) / 8;
    case LAYOUT_FIXED:
        return array->length * field_width(field);
    case LAYOUT_BYTES:
        return (array->length + 1) * 4 + (offsets && array->length ? offsets[array->length] : 0);
    case LAYOUT_LIST:
        return (array->length + 1) * 4;
    default:
        return 0;
    }
}

int64_t array_bytes(const struct field *field, const struct ArrowArray *array)
{
    int64_t bytes = array->n_buffers > 0 && array->buffers[0] ? (array->length + 7) / 8 : 0;
    if (array->dictionary)
        return bytes + array->length * 4 + array_bytes(field, array->dictionary);
    bytes += own_bytes(field, array);
    for (int i = 0; i < field->child_count && i < array->n_children; i++)
        bytes += array_bytes(&field->children[i], array->children[i]);
    return bytes;
}
