/*
 * dictionary.h: the distinct values of a column chunk, found by open addressing
 * while values come. What it gathers is the body of the dictionary page.
 */
#ifndef HAUL_FORMAT_PARQUET_DICTIONARY_H
#define HAUL_FORMAT_PARQUET_DICTIONARY_H

#include "format/parquet/encode_plain.h"

#define DICTIONARY_BLOCK 64u /* values looked up at once */

struct dictionary {
    size_t width;         /* bytes of a value; 0: strings */
    size_t bytes_max;     /* `values` grows to so many bytes at most, */
    uint32_t count_max;   /* and to so many values: `slots` are not larger than twice bytes_max */
    uint32_t count;       /* distinct values so far */
    struct buffer values; /* they, in plain form, in order of appearance */
    struct buffer places; /* strings: u32 place in `values` of each, and of the end */
    struct buffer slots;
    int shift;
    uint64_t steps; /* slots passed over, all look-ups so far: many mean hostile values */
};

void dictionary_init(struct dictionary *dictionary, size_t width, size_t bytes_max, struct memory *memory);
void dictionary_release(struct dictionary *dictionary);
void dictionary_clear(struct dictionary *dictionary); /* empty again, memory kept */

/* Writes the index of each value to `indices`. *done < count: the value there
 * is new and has no room. */
enum haul_code dictionary_add_fixed(struct dictionary *dictionary, const uint8_t *values, size_t count,
                                    uint32_t *indices, size_t *done, struct haul_error *err);
enum haul_code dictionary_add_strings(struct dictionary *dictionary, const struct strings *strings,
                                      size_t count, uint32_t *indices, size_t *done, struct haul_error *err);

/* Appends the values of `indices` in plain form. */
enum haul_code dictionary_expand(const struct dictionary *dictionary, const uint32_t *indices, size_t count,
                                 struct buffer *out, struct haul_error *err);

/* Bytes of that. */
size_t dictionary_expanded_bytes(const struct dictionary *dictionary, const uint32_t *indices, size_t count);

#endif
