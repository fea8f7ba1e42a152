/*
 * page_store.h: the finished pages of one column chunk, in order: first those
 * that were spilled, then those in memory.
 */
#ifndef HAUL_FORMAT_PARQUET_PAGE_STORE_H
#define HAUL_FORMAT_PARQUET_PAGE_STORE_H

#include "base/buffer.h"
#include "store/store.h"

/* One private file for all columns of a piece; opened when it is first needed. */
struct spill {
    const char *folder;
    struct output_file *write;
    struct input_file *read;
};
void spill_close(struct spill *spill);

struct page_store {
    struct buffer extents; /* in the spill file: struct extent each */
    struct buffer blocks;  /* full ones in memory: struct buffer each */
    struct buffer tail;    /* the one being filled */
    int64_t length;        /* bytes in all */
};

void page_store_init(struct page_store *store, struct memory *memory);
void page_store_release(struct page_store *store);

enum haul_code page_store_append(struct page_store *store, const void *data, size_t length,
                                 struct haul_error *err);

/* The same with all bytes of `buffer`, which is taken over without a copy when
 * it is large and nearly full; it is empty afterwards. */
enum haul_code page_store_take(struct page_store *store, struct buffer *buffer, struct haul_error *err);

/* Moves what is in memory to the spill file. */
enum haul_code page_store_spill(struct page_store *store, struct spill *spill, struct haul_error *err);

/* Appends everything to `file`. */
enum haul_code page_store_write(const struct page_store *store, const struct spill *spill,
                                struct output_file *file, struct haul_error *err);

#endif
