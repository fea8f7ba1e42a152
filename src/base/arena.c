/*
 * arena.c: small things that live and die together.
 *
 * A chain of blocks, each twice the last up to 64 KiB; something larger than a
 * block gets one of its own, put *behind* the current one so that the room left
 * there is still used. Blocks come from calloc: what an arena hands out is zero
 * and is never handed out twice. ARENA_BYTES_MAX bounds what hostile metadata
 * (a footer with a million columns) can make us keep.
 */
#include "base/arena.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES_FIRST   ((size_t)1024)
#define BLOCK_BYTES_LARGEST ((size_t)64 << 10)
#define ALIGNMENT           ((size_t)16)

struct arena_block {
    struct arena_block *previous;
    size_t used, size;
    size_t unused; /* keeps the bytes below aligned to 16 */
};

void arena_release(struct arena *arena)
{
    struct arena_block *block = arena->last;
    while (block) {
        struct arena_block *previous = block->previous;
        free(block);
        block = previous;
    }
    *arena = (struct arena){0};
}

static struct arena_block *block_add(struct arena *arena, size_t size)
{
    if (size > ARENA_BYTES_MAX - arena->bytes)
        return NULL;
    struct arena_block *block = calloc(1, sizeof *block + size);
    if (!block)
        return NULL;
    block->size = size;
    arena->bytes += size;
    if (arena->last && size > BLOCK_BYTES_LARGEST) {
        block->previous = arena->last->previous;
        arena->last->previous = block;
    } else {
        block->previous = arena->last;
        arena->last = block;
    }
    return block;
}

static size_t block_bytes_next(const struct arena *arena, size_t least)
{
    size_t size = BLOCK_BYTES_FIRST;
    if (arena->last && arena->last->size >= BLOCK_BYTES_FIRST)
        size = arena->last->size * 2;
    if (size > BLOCK_BYTES_LARGEST)
        size = BLOCK_BYTES_LARGEST;
    return size < least ? least : size;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (size > ARENA_BYTES_MAX)
        return NULL;
    size = (size + (size == 0) + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    struct arena_block *block = arena->last;
    if (!block || block->size - block->used < size)
        block = block_add(arena, block_bytes_next(arena, size));
    if (!block)
        return NULL;
    void *place = (unsigned char *)(block + 1) + block->used;
    block->used += size;
    return place;
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    return arena_alloc(arena, bytes);
}

char *arena_text_n(struct arena *arena, const char *text, size_t length)
{
    if (!text || length >= ARENA_BYTES_MAX)
        return NULL;
    char *copy = arena_alloc(arena, length + 1);
    if (copy && length > 0)
        memcpy(copy, text, length);
    return copy;
}

char *arena_text(struct arena *arena, const char *text)
{
    return text ? arena_text_n(arena, text, strlen(text)) : NULL;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        return NULL;
    char *text = arena_alloc(arena, (size_t)length + 1);
    if (!text)
        return NULL;
    va_start(args, format);
    (void)vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    return text;
}
