/*
 * unicode.c: is it UTF-8, and where does it stop being so (RFC 3629).
 *
 * Most text is ASCII: 32 bytes at a time are tested with four words, which the
 * compiler turns into vector loads; what is not ASCII goes character by
 * character. The second byte's range depends on the first (table 3-7 of the
 * Unicode standard): that is what keeps out overlong forms, surrogates and
 * everything above U+10FFFF; the bytes after it are any continuation.
 */
#include "base/unicode.h"
#include <string.h>

#define HIGH_BITS 0x8080808080808080u

static size_t ascii_prefix(const uint8_t *text, size_t length)
{
    size_t at = 0;
    while (length - at >= 32) {
        uint64_t words[4];
        memcpy(words, text + at, sizeof words);
        if ((words[0] | words[1] | words[2] | words[3]) & HIGH_BITS)
            break;
        at += 32;
    }
    while (length - at >= 8) {
        uint64_t word;
        memcpy(&word, text + at, sizeof word);
        if (word & HIGH_BITS)
            return at + (size_t)(__builtin_ctzll(word & HIGH_BITS) >> 3);
        at += 8;
    }
    while (at < length && text[at] < 0x80)
        at++;
    return at;
}

/* The lowest and highest second byte after each kind of first byte. */
struct lead {
    uint8_t bytes, low, high;
};

static inline struct lead lead_of(uint8_t first)
{
    if (first < 0xc2 || first > 0xf4)
        return (struct lead){0, 0, 0};
    if (first < 0xe0)
        return (struct lead){2, 0x80, 0xbf};
    if (first < 0xf0)
        return (struct lead){3, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf};
    return (struct lead){4, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf};
}

static inline bool continues(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* Bytes of the character of two to four bytes at `text`; 0 when it is not one. */
static inline size_t character_bytes(const uint8_t *text, size_t length)
{
    struct lead lead = lead_of(text[0]);
    if (lead.bytes == 0 || lead.bytes > length || text[1] < lead.low || text[1] > lead.high)
        return 0;
    if (lead.bytes > 2 && !continues(text[2]))
        return 0;
    if (lead.bytes > 3 && !continues(text[3]))
        return 0;
    return lead.bytes;
}

struct unicode_character unicode_character_at(const uint8_t *text, size_t length)
{
    if (text[0] < 0x80)
        return (struct unicode_character){text[0], 1};
    unsigned bytes = (unsigned)character_bytes(text, length);
    uint32_t code = bytes ? text[0] & 0x7fu >> bytes : 0;
    for (unsigned i = 1; i < bytes; i++)
        code = code << 6 | (text[i] & 0x3f);
    return (struct unicode_character){code, bytes};
}

size_t unicode_valid_prefix(const uint8_t *text, size_t length)
{
    size_t at = 0;
    while (at < length) {
        if (text[at] < 0x80) {
            at += ascii_prefix(text + at, length - at);
            continue;
        }
        size_t bytes = character_bytes(text + at, length - at);
        if (bytes == 0)
            return at;
        at += bytes;
    }
    return length;
}

size_t unicode_cut(const uint8_t *text, size_t length, size_t max)
{
    if (length <= max)
        return length;
    size_t cut = max;
    while (cut > 0 && max - cut < 3 && continues(text[cut]))
        cut--;
    return continues(text[cut]) ? max : cut; /* a run of continuations is no character: cut anywhere */
}
