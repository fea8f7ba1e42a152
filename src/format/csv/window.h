/*
 * window.h: the bytes of a file that are looked at now: a buffer that slides
 * along a range of the file and grows only when one record needs it.
 *
 * A stream cannot be read twice, so what sniffing saw of it is kept as a *head*
 * and served from there.
 */
#ifndef HAUL_FORMAT_CSV_WINDOW_H
#define HAUL_FORMAT_CSV_WINDOW_H

#include "base/buffer.h"
#include "store/store.h"

#define CSV_WINDOW_BYTES ((size_t)256 << 10) /* fits in a core's cache with the marks made of it */

/* A file and the first bytes of it, when they were read before. */
struct csv_bytes {
    struct input_file *file;
    struct buffer head; /* of a stream; else empty */
};

/* *got < length only at the end of the file. */
enum haul_code csv_bytes_read(const struct csv_bytes *from, int64_t offset, void *data, size_t length,
                              size_t *got, struct haul_error *err);

struct csv_window {
    const struct csv_bytes *from;
    struct buffer bytes;
    int64_t at;       /* offset in the file of bytes.data[0] */
    int64_t end;      /* of the range; INT64_MAX: the end of a stream */
    size_t bytes_max; /* how far it may grow */
    bool final;       /* the range ends with these bytes */
};

/* The range [at, end) of a file; end -1: to its end. */
void csv_window_init(struct csv_window *window, const struct csv_bytes *from, int64_t at, int64_t end,
                     struct memory *memory);
void csv_window_release(struct csv_window *window);

/* Lets go of the first `drop` bytes, then reads until there are `want` bytes or
 * the range ends. A file that ends before the range does was cut: HAUL_DATA. */
enum haul_code csv_window_fill(struct csv_window *window, size_t drop, size_t want, struct haul_error *err);

/* The next larger size for a record that did not end within `want` bytes; 0 when
 * there is none. */
size_t csv_window_grow(size_t want, size_t bytes_max);

/* HAUL_LIMIT for a record that is longer than memory allows, or HAUL_DATA when
 * more memory would not help. */
enum haul_code csv_window_error(const struct memory *memory, size_t bytes, bool quoted,
                                struct haul_error *err);

/* The largest record that memory allows, CSV_SCAN_LENGTH_MAX at most. */
size_t csv_record_max(const struct memory *memory);

#endif
