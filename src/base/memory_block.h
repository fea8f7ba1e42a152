/*
 * memory_block.h: where a budget's blocks come from; used by memory.c alone.
 *
 * Small blocks come from the C library, large ones (64 KiB and more) are
 * mappings of their own in size classes an eighth apart, so that they can grow
 * without a copy, go back to the system at once, and be used again by the next
 * row group without touching fresh pages. Sizes are those of memory_usable.
 */
#ifndef HAUL_BASE_MEMORY_BLOCK_H
#define HAUL_BASE_MEMORY_BLOCK_H

#include <stdbool.h>
#include <stddef.h>

#define BLOCK_CLASSES 80 /* 64 KiB to 64 MiB, eight to a doubling; larger ones are not kept */

struct kept_block;

/* Blocks that are not in use, by class. All-zero is empty. */
struct block_store {
    struct kept_block *classes[BLOCK_CLASSES];
};

void *block_new(size_t usable);
void block_free(void *block, size_t usable);
bool block_can_be_resized(size_t usable); /* both the old and the new size must be */
void *block_resize(void *block, size_t old_usable, size_t new_usable);

bool block_can_be_kept(size_t usable);
void block_store_put(struct block_store *store, void *block, size_t usable);
void *block_store_take(struct block_store *store, size_t usable); /* NULL when there is none */

/* Frees the largest ones until `bytes` are gone or the store is empty; returns what went. */
size_t block_store_drop(struct block_store *store, size_t bytes);

#endif
