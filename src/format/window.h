/*
 * window.h: the bytes of a file that are looked at now: a buffer that slides
 * along a range of the file and grows only when one record needs it.
 *
 * A stream cannot be read twice, so what sniffing saw of it is kept as a *head*
 * and served from there.
 */
#ifndef HAUL_FORMAT_WINDOW_H
#define HAUL_FORMAT_WINDOW_H

#include "base/buffer.h"
#include "store/store.h"

#define WINDOW_BYTES ((size_t)256 << 10) /* fits in a core's cache with the marks made of it */

#define WINDOW_RECORD_MAX ((size_t)1 << 30)

/* A file and the first bytes of it, when they were read before. */
struct file_bytes {
    struct input_file *file;
    struct buffer head; /* of a stream; else empty */
};

/* *got < length only at the end of the file. */
enum haul_code file_bytes_read(const struct file_bytes *from, int64_t offset, void *data, size_t length,
                              size_t *got, struct haul_error *err);

struct window {
    const struct file_bytes *from;
    struct buffer bytes;
    int64_t at;       /* offset in the file of bytes.data[0] */
    int64_t end;      /* of the range; INT64_MAX: the end of a stream */
    size_t bytes_max; /* how far it may grow */
    bool final;       /* the range ends with these bytes */
};

/* The range [at, end) of a file; end -1: to its end. */
void window_init(struct window *window, const struct file_bytes *from, int64_t at, int64_t end,
                     struct memory *memory);
void window_release(struct window *window);

/* Lets go of the first `drop` bytes, then reads until there are `want` bytes or
 * the range ends. A file that ends before the range does was cut: HAUL_DATA. */
enum haul_code window_fill(struct window *window, size_t drop, size_t want, struct haul_error *err);

/* The next larger size for a record that did not end within `want` bytes; 0 when
 * there is none. */
size_t window_grow(size_t want, size_t bytes_max);

/* HAUL_LIMIT for `what`, a record that is longer than memory allows, or HAUL_DATA
 * when more memory would not help. */
enum haul_code window_error(const struct memory *memory, size_t bytes, const char *what,
                            struct haul_error *err);

/* The largest record that memory allows, WINDOW_RECORD_MAX at most. */
size_t window_record_max(const struct memory *memory);

#endif
