/* unicode.h: is it UTF-8, and where does it stop being so. RFC 3629: no
 * overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef HAUL_BASE_UNICODE_H
#define HAUL_BASE_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The number of leading bytes that are valid UTF-8; == length when all are. */
size_t unicode_valid_prefix(const uint8_t *text, size_t length);

static inline bool unicode_is_valid(const uint8_t *text, size_t length)
{
    return unicode_valid_prefix(text, length) == length;
}

/* The character at `text`, of which `length` > 0 bytes are there, and its bytes;
 * 0 bytes when it is none. */
struct unicode_character {
    uint32_t code;
    unsigned bytes;
};
struct unicode_character unicode_character_at(const uint8_t *text, size_t length);

/* How many leading bytes (<= max) can be kept without cutting a character. */
size_t unicode_cut(const uint8_t *text, size_t length, size_t max);

#endif
