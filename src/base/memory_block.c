/*
 * memory_block.c: where a budget's blocks come from.
 *
 * Small blocks: aligned_alloc, so that every block is aligned to a cache line.
 * Large ones: anonymous mappings; mremap moves their pages instead of copying
 * bytes. A size class is the top four bits of the size (2^e x (8..15) / 8): at
 * most an eighth is wasted, and the class of a block follows from its size, so
 * nothing stands before it. A kept block holds the list's link in itself: its
 * first page is the only one touched.
 *
 * Under AddressSanitizer every block comes from the C library in its exact
 * size and none is kept, so that reads past the end and after free are seen.
 */
#include "base/memory_block.h"
#include "base/memory.h"
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ALIGNMENT      ((size_t)64)
#define LARGE_BYTES    ((size_t)64 << 10)
#define LARGE_EXPONENT 16
#define KEPT_BYTES_MAX ((size_t)64 << 20)
#define SIZE_LIMIT     (SIZE_MAX / 4)

#if defined(__SANITIZE_ADDRESS__)
#define PLAIN_BLOCKS true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PLAIN_BLOCKS true
#endif
#endif
#ifndef PLAIN_BLOCKS
#define PLAIN_BLOCKS false
#endif

/* ThreadSanitizer does not see that mremap gives pages up and takes others, and would
 * report two owners of one page as a race: under it a resized block is a new mapping. */
#if defined(__SANITIZE_THREAD__)
#define MOVES_PAGES false
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MOVES_PAGES false
#endif
#endif
#ifndef MOVES_PAGES
#define MOVES_PAGES true
#endif

struct kept_block {
    struct kept_block *next;
};

static bool is_large(size_t usable)
{
    return !PLAIN_BLOCKS && usable >= LARGE_BYTES;
}

static int exponent_of(size_t size)
{
    return 63 - __builtin_clzll((unsigned long long)size);
}

/* 0 when no such size can be had. */
size_t memory_usable(size_t size)
{
    if (size > SIZE_LIMIT)
        return 0;
    if (size == 0)
        size = 1;
    size_t step = is_large(size) ? (size_t)1 << (exponent_of(size) - 3) : ALIGNMENT;
    return (size + step - 1) & ~(step - 1);
}

void *block_new(size_t usable)
{
    if (!is_large(usable))
        return aligned_alloc(ALIGNMENT, usable);
    void *block = mmap(NULL, usable, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return block == MAP_FAILED ? NULL : block;
}

void block_free(void *block, size_t usable)
{
    if (is_large(usable))
        (void)munmap(block, usable);
    else
        free(block);
}

bool block_can_be_resized(size_t usable)
{
    return is_large(usable);
}

void *block_resize(void *block, size_t old_usable, size_t new_usable)
{
    if (MOVES_PAGES) {
        void *moved = mremap(block, old_usable, new_usable, MREMAP_MAYMOVE);
        return moved == MAP_FAILED ? NULL : moved;
    }
    void *fresh = block_new(new_usable);
    if (!fresh)
        return NULL;
    memcpy(fresh, block, old_usable < new_usable ? old_usable : new_usable);
    block_free(block, old_usable);
    return fresh;
}

bool block_can_be_kept(size_t usable)
{
    return is_large(usable) && usable < KEPT_BYTES_MAX;
}

static size_t class_index(size_t usable)
{
    int exponent = exponent_of(usable);
    size_t index = (size_t)(exponent - LARGE_EXPONENT) * 8 + ((usable >> (exponent - 3)) & 7);
    assert(index < BLOCK_CLASSES);
    return index;
}

static size_t class_bytes(size_t index)
{
    return (8 + index % 8) << (LARGE_EXPONENT - 3 + index / 8);
}

void block_store_put(struct block_store *store, void *block, size_t usable)
{
    struct kept_block *kept = block;
    size_t index = class_index(usable);
    kept->next = store->classes[index];
    store->classes[index] = kept;
}

void *block_store_take(struct block_store *store, size_t usable)
{
    if (!block_can_be_kept(usable))
        return NULL;
    size_t index = class_index(usable);
    struct kept_block *kept = store->classes[index];
    if (kept)
        store->classes[index] = kept->next;
    return kept;
}

size_t block_store_drop(struct block_store *store, size_t bytes)
{
    size_t dropped = 0;
    for (size_t index = BLOCK_CLASSES; index-- > 0 && dropped < bytes;) {
        while (store->classes[index] && dropped < bytes) {
            struct kept_block *kept = store->classes[index];
            store->classes[index] = kept->next;
            block_free(kept, class_bytes(index));
            dropped += class_bytes(index);
        }
    }
    return dropped;
}
