/*
 * buffer.h: growable bytes, charged to a budget. All-zero is an empty buffer
 * without a budget; it may be released, twice. Data is aligned to 64 bytes and
 * has at least 32 readable bytes after `length` within capacity (padding), so
 * that leaf loops may load whole words and vectors.
 */
#ifndef HAUL_BASE_BUFFER_H
#define HAUL_BASE_BUFFER_H

#include "base/memory.h"
#include <string.h>

#define BUFFER_PADDING 32u

struct buffer {
    uint8_t *data;
    size_t length;
    size_t capacity; /* allocated bytes */
    struct memory *memory;
};

void buffer_init(struct buffer *buffer, struct memory *memory);
void buffer_release(struct buffer *buffer);

/* Room for `more` bytes after `length` (and the padding). Grows by doubling up
 * to 1 MiB, then by half, so that one huge value is not charged twice. */
enum haul_code buffer_reserve(struct buffer *buffer, size_t more, struct haul_error *err);

enum haul_code buffer_append(struct buffer *buffer, const void *data, size_t length, struct haul_error *err);
enum haul_code buffer_printf(struct buffer *buffer, struct haul_error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Length becomes `length`; new bytes are zero. */
enum haul_code buffer_resize(struct buffer *buffer, size_t length, struct haul_error *err);

static inline void buffer_clear(struct buffer *buffer)
{
    buffer->length = 0;
}

/* For loops that reserved before. */
static inline void buffer_put(struct buffer *buffer, const void *data, size_t length)
{
    memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
}

#endif
