/*
 * buffer.c: growable bytes, charged to a budget.
 *
 * Capacity is what memory.h can give without waste, and always counts the
 * padding: the bytes a leaf loop may read past the end belong to us. The
 * padding is not kept zero; only its being readable is promised. When the
 * generous growth does not fit the budget, the exact need is tried.
 */
#include "base/buffer.h"
#include <stdarg.h>
#include <stdio.h>

#define CAPACITY_LEAST ((size_t)128)
#define DOUBLING_MAX   ((size_t)1 << 20)

void buffer_init(struct buffer *buffer, struct memory *memory)
{
    *buffer = (struct buffer){.memory = memory};
}

void buffer_release(struct buffer *buffer)
{
    if (buffer->data)
        memory_free(buffer->memory, buffer->data, buffer->capacity);
    buffer->data = NULL;
    buffer->length = 0;
    buffer->capacity = 0;
}

static bool buffer_grow(struct buffer *buffer, size_t capacity)
{
    capacity = memory_usable(capacity);
    void *data = memory_realloc(buffer->memory, buffer->data, buffer->capacity, capacity);
    if (!data)
        return false;
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

/* Doubling in powers of two up to 1 MiB: buffers of many lengths share few sizes,
 * so that a budget's kept blocks fit the next batch. Beyond, by half. */
static size_t capacity_wish(size_t old, size_t need)
{
    size_t wish = old < DOUBLING_MAX ? old * 2 : old + old / 2;
    if (wish < need)
        wish = need;
    if (wish < CAPACITY_LEAST)
        wish = CAPACITY_LEAST;
    return wish < DOUBLING_MAX ? (size_t)1 << (64 - __builtin_clzll(wish - 1)) : wish;
}

enum haul_code buffer_reserve(struct buffer *buffer, size_t more, struct haul_error *err)
{
    size_t need;
    if (__builtin_add_overflow(buffer->length, more, &need) || need > SIZE_MAX / 4)
        return memory_error(buffer->memory, more, "a buffer", err);
    need += BUFFER_PADDING;
    if (need <= buffer->capacity)
        return HAUL_OK;
    size_t old = buffer->capacity, wish = capacity_wish(old, need);
    if (wish > need && buffer_grow(buffer, wish))
        return HAUL_OK;
    if (buffer_grow(buffer, need))
        return HAUL_OK;
    return memory_error(buffer->memory, need - old, "a buffer", err);
}

enum haul_code buffer_append(struct buffer *buffer, const void *data, size_t length, struct haul_error *err)
{
    enum haul_code code = buffer_reserve(buffer, length, err);
    if (!code && length > 0)
        buffer_put(buffer, data, length);
    return code;
}

enum haul_code buffer_printf(struct buffer *buffer, struct haul_error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        return error_set(err, HAUL_INTERNAL, "a text could not be formatted");
    enum haul_code code = buffer_reserve(buffer, (size_t)length + 1, err);
    if (code)
        return code;
    va_start(args, format);
    (void)vsnprintf((char *)buffer->data + buffer->length, (size_t)length + 1, format, args);
    va_end(args);
    buffer->length += (size_t)length;
    return HAUL_OK;
}

enum haul_code buffer_resize(struct buffer *buffer, size_t length, struct haul_error *err)
{
    if (length > buffer->length) {
        size_t more = length - buffer->length;
        enum haul_code code = buffer_reserve(buffer, more, err);
        if (code)
            return code;
        memset(buffer->data + buffer->length, 0, more);
    }
    buffer->length = length;
    return HAUL_OK;
}
