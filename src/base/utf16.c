/*
 * utf16.c: between UTF-16LE and UTF-8.
 *
 * Most text in databases is ASCII: sixteen units at a time are tested with one
 * OR and narrowed to sixteen bytes by vector types, which the compiler turns
 * into the machine's own instructions. All else goes character by character,
 * until sixteen units of ASCII come again.
 */
#include "base/utf16.h"

#include "base/unicode.h"
#include <string.h>

#define LANES 16

typedef uint16_t units16 __attribute__((vector_size(LANES * 2)));
typedef uint8_t bytes16 __attribute__((vector_size(LANES)));
typedef uint16_t units8 __attribute__((vector_size(16)));
typedef uint8_t bytes8 __attribute__((vector_size(8)));

/* Narrows sixteen units when all are ASCII. */
static inline bool narrow(const uint8_t *in, uint8_t *out)
{
    uint64_t words[LANES / 4];
    units16 units;
    memcpy(words, in, sizeof words);
    if ((words[0] | words[1] | words[2] | words[3]) & 0xff80ff80ff80ff80u)
        return false;
    memcpy(&units, in, sizeof units);
    bytes16 bytes = __builtin_convertvector(units, bytes16);
    memcpy(out, &bytes, sizeof bytes);
    return true;
}

static inline uint16_t unit_at(const uint8_t *in, size_t i)
{
    uint16_t unit;
    memcpy(&unit, in + i * 2, sizeof unit);
    return unit;
}

static inline uint8_t *put_three(uint8_t *out, uint32_t c)
{
    out[0] = (uint8_t)(0xe0 | c >> 12);
    out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    out[2] = (uint8_t)(0x80 | (c & 0x3f));
    return out + 3;
}

static inline uint8_t *put_pair(uint8_t *out, uint16_t high, uint16_t low)
{
    uint32_t c = 0x10000u + ((uint32_t)(high & 0x3ff) << 10 | (low & 0x3ff));
    out[0] = (uint8_t)(0xf0 | c >> 18);
    out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (c & 0x3f));
    return out + 4;
}

size_t utf16_to_utf8(const uint8_t *in, size_t units, uint8_t *out, size_t *written)
{
    uint8_t *start = out;
    size_t i = 0;
    while (i < units) {
        if (units - i >= LANES && narrow(in + i * 2, out)) {
            i += LANES;
            out += LANES;
            continue;
        }
        size_t stop = units - i > LANES ? i + LANES : units;
        while (i < stop) {
            uint16_t unit = unit_at(in, i);
            if (unit < 0x80) {
                *out++ = (uint8_t)unit;
            } else if (unit < 0x800) {
                *out++ = (uint8_t)(0xc0 | unit >> 6);
                *out++ = (uint8_t)(0x80 | (unit & 0x3f));
            } else if ((unit & 0xf800) != 0xd800) {
                out = put_three(out, unit);
            } else if (utf16_is_high(unit) && i + 1 < units && utf16_is_low(unit_at(in, i + 1))) {
                out = put_pair(out, unit, unit_at(in, ++i));
            } else {
                *written = (size_t)(out - start);
                return i;
            }
            i++;
        }
    }
    *written = (size_t)(out - start);
    return i;
}

int utf16_of_utf8(const uint8_t **text, uint16_t units[2])
{
    const uint8_t *at = *text;
    uint32_t c = *at++;
    int more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    if (more)
        c &= 0x3fu >> more;
    for (int i = 0; i < more; i++)
        c = c << 6 | (*at++ & 0x3f);
    *text = at;
    if (c < 0x10000) {
        units[0] = (uint16_t)c;
        return 1;
    }
    units[0] = (uint16_t)(0xd800 | (c - 0x10000) >> 10);
    units[1] = (uint16_t)(0xdc00 | ((c - 0x10000) & 0x3ff));
    return 2;
}

/* Widens sixteen bytes when all are ASCII. */
static inline bool widen(const uint8_t *in, uint8_t *out)
{
    uint64_t words[LANES / 8];
    bytes16 bytes;
    memcpy(words, in, sizeof words);
    if ((words[0] | words[1]) & 0x8080808080808080u)
        return false;
    memcpy(&bytes, in, sizeof bytes);
    units16 units = __builtin_convertvector(bytes, units16);
    memcpy(out, &units, sizeof units);
    return true;
}

static inline uint8_t *put_unit(uint8_t *out, uint32_t unit)
{
    out[0] = (uint8_t)unit;
    out[1] = (uint8_t)(unit >> 8);
    return out + 2;
}

static inline uint8_t *put_character(uint8_t *out, uint32_t code)
{
    if (code < 0x10000)
        return put_unit(out, code);
    out = put_unit(out, 0xd800 | (code - 0x10000) >> 10);
    return put_unit(out, 0xdc00 | ((code - 0x10000) & 0x3ff));
}

/* Widens eight bytes. */
static inline uint64_t widen_8(const uint8_t *in, uint8_t *out)
{
    uint64_t word;
    bytes8 bytes;
    memcpy(&word, in, sizeof word);
    memcpy(&bytes, in, sizeof bytes);
    units8 units = __builtin_convertvector(bytes, units8);
    memcpy(out, &units, sizeof units);
    return word;
}

/* True when all was ASCII. The last eight overlap those before them, so that
 * short texts cost no loop over their bytes. */
static inline bool widen_all(const uint8_t *in, size_t size, uint8_t *out)
{
    uint64_t seen = 0;
    if (size >= 8) {
        for (size_t i = 0; i + 8 <= size; i += 8)
            seen |= widen_8(in + i, out + i * 2);
        seen |= widen_8(in + size - 8, out + (size - 8) * 2);
    } else {
        for (size_t i = 0; i < size; i++) {
            seen |= in[i];
            out = put_unit(out, in[i]);
        }
    }
    return (seen & 0x8080808080808080u) == 0;
}

size_t utf16_take_utf8(const uint8_t *in, size_t size, uint8_t *out, size_t *written)
{
    uint8_t *start = out;
    size_t i = 0;
    *written = size * 2;
    if (widen_all(in, size, out))
        return size;
    while (i < size) {
        if (size - i >= LANES && widen(in + i, out)) {
            i += LANES;
            out += LANES * 2;
            continue;
        }
        size_t stop = size - i > LANES ? i + LANES : size;
        while (i < stop) {
            if (in[i] < 0x80) {
                out = put_unit(out, in[i++]);
                continue;
            }
            struct unicode_character c = unicode_character_at(in + i, size - i);
            if (!c.bytes) {
                *written = (size_t)(out - start);
                return i;
            }
            out = put_character(out, c.code);
            i += c.bytes;
        }
    }
    *written = (size_t)(out - start);
    return i;
}

size_t utf16_from_utf8(const uint8_t *text, size_t size, uint8_t *out)
{
    size_t written;
    (void)utf16_take_utf8(text, size, out, &written);
    return written;
}
