/*
 * batch.h: rows on their way: an Arrow struct array, the schema it follows, and
 * where its rows came from.
 *
 * Inside haul every array has offset 0 (stream.h turns foreign ones). A batch
 * moves: the giver's array.release becomes NULL. It holds at most
 * BATCH_ROWS_MAX rows; readers aim at BATCH_ROWS and at 4 MiB.
 */
#ifndef HAUL_BATCH_BATCH_H
#define HAUL_BATCH_BATCH_H

#include "batch/type.h"

#define BATCH_ROWS 16384
#define BATCH_ROWS_MAX 1048576
#define BATCH_BYTES ((size_t)4 << 20)

struct batch {
    struct ArrowArray array;     /* a struct array, one child per column, no nulls of its own */
    const struct schema *schema; /* borrowed from the reader or cast that made it */
    uint64_t part;
    int64_t first_row;     /* place in the part of the first row *offered*, dropped rows counted */
    int64_t rows_offered;  /* array.length + dropped_count */
    int64_t *dropped;      /* ascending places in the part of rows that were dropped (rejected) */
    int64_t dropped_count;

    /* How the source itself numbers its rows, for messages: "line", "rowid". NULL: it does not. */
    const char *number_word;
    int64_t number_first; /* of the first row offered; the others follow one by one, */
    int64_t *numbers;     /* or stand here, one per row offered (memory_alloc without a budget) */
};

#define BATCH_ROW_NAME_BYTES 64

void batch_release(struct batch *batch);
void batch_move(struct batch *from, struct batch *to);

/* The place in its part of row `index` of the array, skipping dropped rows. */
int64_t batch_place(const struct batch *batch, int64_t index);

/* "line 17" of row `index` of the array, in the source's own numbers; "" when it has none. */
void batch_row_name(const struct batch *batch, int64_t index, char out[BATCH_ROW_NAME_BYTES]);

/* Removes the rows whose bit is set in `drop` (array.length bits) and notes
 * their places. Copies the rows that stay. */
enum haul_code batch_drop_rows(struct batch *batch, const uint8_t *drop, struct memory *memory, struct haul_error *err);

/* Bytes of all buffers in use. */
int64_t batch_bytes(const struct batch *batch);

/* Bits, least significant first. */
static inline bool bit_get(const uint8_t *bits, int64_t i)
{
    return (bits[i >> 3] >> (i & 7)) & 1;
}
static inline void bit_set(uint8_t *bits, int64_t i)
{
    bits[i >> 3] |= (uint8_t)(1u << (i & 7));
}
static inline void bit_clear(uint8_t *bits, int64_t i)
{
    bits[i >> 3] &= (uint8_t) ~(1u << (i & 7));
}
int64_t bits_count(const uint8_t *bits, int64_t count);

#endif
