/*
 * failing_malloc.c: a malloc that fails once, preloaded into the program under
 * test, so that our code and every library it calls meet the failure.
 *
 * HAUL_FAIL_AT=N fails the N-th allocation of the process (1-based; 0 or absent:
 * none). HAUL_FAIL_ON=1 fails it and all that follow. At exit HAUL_FAIL_REPORT
 * gets two numbers: allocations asked for, and blocks not given back. The
 * second, beside that of an undisturbed run, shows a leak.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *block);

static atomic_long asked, live;
static long fail_at;
static bool fail_on;
static atomic_bool ready;

__attribute__((constructor)) static void begin(void)
{
    const char *at = getenv("HAUL_FAIL_AT");
    fail_at = at ? atol(at) : 0;
    fail_on = getenv("HAUL_FAIL_ON") != NULL;
    atomic_store(&asked, 0);
    atomic_store(&live, 0);
    atomic_store(&ready, true);
}

__attribute__((destructor)) static void end(void)
{
    const char *path = getenv("HAUL_FAIL_REPORT");
    long total = atomic_load(&asked), left = atomic_load(&live);
    atomic_store(&ready, false);
    FILE *file = path ? fopen(path, "w") : NULL;
    if (file) {
        fprintf(file, "%ld %ld\n", total, left);
        fclose(file);
    }
}

static bool refuse(void)
{
    if (!atomic_load_explicit(&ready, memory_order_relaxed))
        return false;
    long n = atomic_fetch_add(&asked, 1) + 1;
    bool now = fail_at > 0 && (n == fail_at || (fail_on && n > fail_at));
    if (now)
        errno = ENOMEM;
    return now;
}

static void *count(void *block)
{
    if (block && atomic_load_explicit(&ready, memory_order_relaxed))
        atomic_fetch_add(&live, 1);
    return block;
}

void *malloc(size_t size)
{
    return refuse() ? NULL : count(__libc_malloc(size));
}

void *calloc(size_t n, size_t size)
{
    return refuse() ? NULL : count(__libc_calloc(n, size));
}

void *realloc(void *block, size_t size)
{
    if (refuse())
        return NULL;
    void *moved = __libc_realloc(block, size);
    return block ? moved : count(moved);
}

void *memalign(size_t alignment, size_t size)
{
    return refuse() ? NULL : count(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    *block = memalign(alignment, size);
    return *block ? 0 : ENOMEM;
}

void free(void *block)
{
    if (block && atomic_load_explicit(&ready, memory_order_relaxed))
        atomic_fetch_sub(&live, 1);
    __libc_free(block);
}
