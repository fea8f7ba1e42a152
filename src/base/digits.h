/*
 * digits.h: eight digits in one word, and the hundred pairs; for the files that
 * turn numbers into text and back. Little-endian.
 */
#ifndef HAUL_BASE_DIGITS_H
#define HAUL_BASE_DIGITS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

extern const char number_pairs[201]; /* "000102...99" */

static inline uint64_t digits_load(const char *text)
{
    uint64_t word;
    memcpy(&word, text, sizeof word);
    return word;
}

/* Each byte has the high half 3, and still has it with 6 added. */
static inline bool digits_are_eight(uint64_t word)
{
    return ((word & 0xf0f0f0f0f0f0f0f0u) | (((word + 0x0606060606060606u) & 0xf0f0f0f0f0f0f0f0u) >> 4)) ==
           0x3333333333333333u;
}

/* The first digit, in the lowest byte, weighs most. */
static inline uint32_t digits_value(uint64_t word)
{
    word = (word & 0x0f0f0f0f0f0f0f0fu) * 2561 >> 8;
    word = (word & 0x00ff00ff00ff00ffu) * 6553601 >> 16;
    return (uint32_t)((word & 0x0000ffff0000ffffu) * 42949672960001u >> 32);
}

/* Adds a run of digits to *sum (modulo 2^64) and returns its end. */
static inline const char *digits_run(const char *at, const char *end, uint64_t *sum)
{
    uint64_t value = *sum;
    while (end - at >= 8) {
        uint64_t word = digits_load(at);
        if (!digits_are_eight(word))
            break;
        value = value * 100000000 + digits_value(word);
        at += 8;
    }
    for (; at < end && (unsigned)(unsigned char)*at - '0' <= 9; at++)
        value = value * 10 + ((unsigned)(unsigned char)*at - '0');
    *sum = value;
    return at;
}

#endif
