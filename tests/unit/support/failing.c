/* failing.c: allocations that fail. Linked with --wrap for each call named here. */
#include "failing.h"

#include <errno.h>
#include <stddef.h>

static long left = -1; /* calls until one fails; -1: none does */
static bool failed, failing_on;

void failing_begin(long after, bool on)
{
    failed = false;
    failing_on = on;
    left = after;
}

bool failing_end(void)
{
    left = -1;
    return failed;
}

bool failing_failed(void)
{
    return failed;
}

bool failing_now(int errnum)
{
    if (left < 0)
        return false;
    if (left > 0) {
        left--;
        return false;
    }
    failed = true;
    left = failing_on ? 0 : -1;
    errno = errnum;
    return true;
}

#define WRAP(result, name, arguments, values)                                                                \
    result __real_##name arguments;                                                                          \
    result __wrap_##name arguments;                                                                          \
    result __wrap_##name arguments                                                                           \
    {                                                                                                        \
        return failing_now(ENOMEM) ? NULL : __real_##name values;                                            \
    }

WRAP(void *, malloc, (size_t size), (size))
WRAP(void *, calloc, (size_t count, size_t size), (count, size))
WRAP(void *, realloc, (void *block, size_t size), (block, size))
WRAP(void *, aligned_alloc, (size_t alignment, size_t size), (alignment, size))
WRAP(char *, strdup, (const char *text), (text))
WRAP(char *, strndup, (const char *text, size_t length), (text, length))
