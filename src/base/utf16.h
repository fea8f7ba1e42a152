/* utf16.h: UTF-16LE, as SQL Server and its files have it, to UTF-8 and back. */
#ifndef HAUL_BASE_UTF16_H
#define HAUL_BASE_UTF16_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF16_GROWTH(units) ((units)*3) /* bytes of UTF-8 that `units` units need at most */

/* Turns up to `units` units; stops before a surrogate without its other half.
 * Returns the units taken; *written the bytes. `out` has UTF16_GROWTH(units). */
size_t utf16_to_utf8(const uint8_t *in, size_t units, uint8_t *out, size_t *written);

/* The next character of valid UTF-8 as one or two units; returns the units and
 * moves *text behind it. */
int utf16_of_utf8(const uint8_t **text, uint16_t units[2]);

/* Turns text up to where it stops being UTF-8; returns the bytes taken, *written
 * the bytes of UTF-16. `out` has 2 * size bytes. */
size_t utf16_take_utf8(const uint8_t *in, size_t size, uint8_t *out, size_t *written);

/* All of valid UTF-8; `out` has 2 * size bytes. Returns the bytes written. */
size_t utf16_from_utf8(const uint8_t *text, size_t size, uint8_t *out);

static inline bool utf16_is_high(uint16_t unit)
{
    return (unit & 0xfc00) == 0xd800;
}

static inline bool utf16_is_low(uint16_t unit)
{
    return (unit & 0xfc00) == 0xdc00;
}

#endif
