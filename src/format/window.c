/*
 * window.c: filling. What is kept is moved to the front (less than a record in
 * the usual case), so that every block starts where the buffer does.
 */
#include "format/window.h"

#include <string.h>

enum haul_code file_bytes_read(const struct file_bytes *from, int64_t offset, void *data, size_t length,
                               size_t *got, struct haul_error *err)
{
    size_t first = 0;
    if (offset < (int64_t)from->head.length) {
        first = from->head.length - (size_t)offset;
        if (first > length)
            first = length;
        memcpy(data, from->head.data + offset, first);
    }
    *got = first;
    if (first == length)
        return HAUL_OK;
    size_t rest = 0;
    if (from->file->ops->read_at(from->file, offset + (int64_t)first, (uint8_t *)data + first, length - first,
                                 &rest, err))
        return err->code;
    *got = first + rest;
    return HAUL_OK;
}

size_t window_record_max(const struct memory *memory)
{
    size_t max = memory_value_max(memory);
    return max < WINDOW_RECORD_MAX ? max : WINDOW_RECORD_MAX;
}

size_t window_grow(size_t want, size_t bytes_max)
{
    if (want >= bytes_max)
        return 0;
    return want * 2 < bytes_max ? want * 2 : bytes_max;
}

enum haul_code window_error(const struct memory *memory, size_t bytes, const char *what,
                            struct haul_error *err)
{
    if (bytes >= WINDOW_RECORD_MAX)
        return error_set(err, HAUL_DATA, "%s is longer than %zu bytes, the longest that haul reads", what,
                         bytes);
    return memory_error(memory, bytes * 2, what, err);
}

void window_init(struct window *window, const struct file_bytes *from, int64_t at, int64_t end,
                 struct memory *memory)
{
    memset(window, 0, sizeof *window);
    window->from = from;
    window->at = at;
    window->end = end >= 0 ? end : from->file->size >= 0 ? from->file->size : INT64_MAX;
    window->bytes_max = window_record_max(memory);
    buffer_init(&window->bytes, memory);
}

void window_release(struct window *window)
{
    buffer_release(&window->bytes);
}

static void drop_front(struct window *window, size_t drop)
{
    window->bytes.length -= drop;
    window->at += (int64_t)drop;
    if (drop && window->bytes.length)
        memmove(window->bytes.data, window->bytes.data + drop, window->bytes.length);
}

static enum haul_code cut_short(const struct window *window, int64_t at, struct haul_error *err)
{
    return error_set(err, HAUL_DATA,
                     "%s: cut short at byte %lld of %lld while it was read; run again when it is whole",
                     window->from->file->name, (long long)at, (long long)window->end);
}

enum haul_code window_fill(struct window *window, size_t drop, size_t want, struct haul_error *err)
{
    struct buffer *bytes = &window->bytes;
    drop_front(window, drop);
    int64_t at = window->at + (int64_t)bytes->length;
    if (bytes->length < want && !window->final) {
        size_t more = want - bytes->length, got;
        if (window->end - at < (int64_t)more)
            more = (size_t)(window->end - at);
        if (buffer_reserve(bytes, more, err) ||
            file_bytes_read(window->from, at, bytes->data + bytes->length, more, &got, err))
            return err->code;
        bytes->length += got;
        at += (int64_t)got;
        if (got < more && window->end != INT64_MAX)
            return cut_short(window, at, err);
        window->final = got < more;
    }
    window->final = window->final || at == window->end;
    return HAUL_OK;
}
