/*
 * fuzz.h: what the fuzz targets share.
 *
 * A target is one file with one LLVMFuzzerTestOneInput: it feeds bytes to one
 * room and checks more than "no crash": a second way must give the same result,
 * what was written must read back. A broken promise is `must`, which aborts, so
 * that libFuzzer keeps the input. Parameters of a target (a width, a count) are
 * taken from the front of the input, so that a committed input says all of it.
 */
#ifndef HAUL_FUZZ_H
#define HAUL_FUZZ_H

#include "base/buffer.h"
#include "base/context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

#define must(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #condition);                  \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* An error has a code and a sentence; success leaves neither. */
static inline void must_be_told(enum haul_code code, const struct haul_error *err)
{
    must(code == err->code);
    must((code == HAUL_OK) == (err->message[0] == 0));
}

/* The input, eaten from the front. */
struct food {
    const uint8_t *data;
    size_t length;
};

static inline uint8_t food_byte(struct food *food)
{
    if (!food->length)
        return 0;
    food->length--;
    return *food->data++;
}

static inline uint32_t food_u16(struct food *food)
{
    uint32_t low = food_byte(food);
    return low | (uint32_t)food_byte(food) << 8;
}

/* What is left, in a block of its own with BUFFER_PADDING readable bytes behind,
 * so that a read beyond the promise is seen. Released by the caller. */
static inline struct buffer food_rest(struct food *food)
{
    struct buffer rest = {0};
    struct haul_error err = {0};
    must(!buffer_append(&rest, food->data, food->length, &err));
    must(!buffer_reserve(&rest, 0, &err));
    food->length = 0;
    return rest;
}

#endif
