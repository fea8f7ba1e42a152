/*
 * arena.h: small things that live and die together (a schema's names, a plan's
 * parts). Not charged to a budget; at most ARENA_BYTES_MAX in one arena.
 * All-zero is an empty arena; it may be released, twice.
 */
#ifndef HAUL_BASE_ARENA_H
#define HAUL_BASE_ARENA_H

#include "base/error.h"

#define ARENA_BYTES_MAX ((size_t)256 << 20)

struct arena_block;

struct arena {
    struct arena_block *last;
    size_t bytes;
};

void arena_release(struct arena *arena);

/* Zeroed, aligned to 16. NULL when there is no memory or the limit is reached. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_alloc_array(struct arena *arena, size_t count, size_t size); /* overflow checked */
char *arena_text(struct arena *arena, const char *text);                 /* NULL in, NULL out */
char *arena_text_n(struct arena *arena, const char *text, size_t length);
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
