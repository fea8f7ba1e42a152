/*
 * digits.h: decimal digits by the word: eight at a time within 64 bits.
 *
 * A text of 1..8 digits is loaded as one word and shifted so that its last digit
 * is the top byte; the bytes shifted in are zeros, which count as the digit 0.
 * Eight bytes must be readable from the text on, whatever its length.
 */
#ifndef HAUL_FORMAT_CSV_DIGITS_H
#define HAUL_FORMAT_CSV_DIGITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DIGITS_ZEROS 0x3030303030303030u

/* The first `length` (1..8) bytes as digit values, aligned to the top. */
static inline uint64_t digits_word(const uint8_t *text, size_t length)
{
    uint64_t word;
    memcpy(&word, text, sizeof word);
    return (word ^ DIGITS_ZEROS) << (64 - 8 * length);
}

/* Nonzero when some byte is not 0..9. */
static inline uint64_t digits_wrong(uint64_t word)
{
    return ((word + 0x7676767676767676u) | word) & 0x8080808080808080u;
}

/* The value of eight digit bytes: pairs, then fours, then eight. */
static inline uint64_t digits_sum(uint64_t word)
{
    word = (word * (1 + (10u << 8))) >> 8 & 0x00ff00ff00ff00ffu;
    word = (word * (1 + (100u << 16))) >> 16 & 0x0000ffff0000ffffu;
    return (word * (1 + ((uint64_t)10000 << 32))) >> 32;
}

#endif
