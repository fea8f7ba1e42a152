/*
 * cell.h: one column of a batch as the texts that stand in its fields; shared by
 * the formats whose files are text.
 *
 * Writing is two stages. Here each column prints its values side by side, by a
 * function chosen once by its type; the format then puts the cells together row by
 * row, with no thought of types. A cell points to where its text is: in the batch,
 * in the column's slots, or in scratch space of the format's.
 */
#ifndef HAUL_FORMAT_CELL_H
#define HAUL_FORMAT_CELL_H

#include "batch/view.h"
#include <string.h>

#define CELL_PADDING    32u      /* bytes readable from the start of each cell's text, whatever its length */
#define CELL_REFUSED    SIZE_MAX /* the length of a cell that the format cannot hold */
#define CELL_SLOT_BYTES 64u      /* room for the text of a number, date or time, and padding */

struct cell {
    const uint8_t *text;
    size_t length;
};

/* The cells of one column to be made: rows [from, from + rows) of its view into
 * cell[0], cell[stride], ... */
struct cells {
    struct cell *cell;
    size_t stride;
    int64_t from;
    size_t rows;
    size_t bytes; /* of their texts; grows */
    bool refused; /* a cell among them is one that its row cannot be written with */
};

static inline void cell_set(struct cells *cells, size_t row, const uint8_t *text, size_t length)
{
    cells->cell[row * cells->stride] = (struct cell){text, length};
    cells->bytes += length;
}

/* What stands behind a cell: `length` bytes of `word`. */
struct cell_end {
    uint64_t word;
    size_t length;
};

/* One row: each cell and its end. `out` has room for CELL_PADDING bytes more. */
static inline uint8_t *cell_put_row(uint8_t *out, const struct cell *cells, const struct cell_end *ends,
                                    size_t count)
{
    for (size_t c = 0; c < count; c++) {
        const size_t length = cells[c].length;
        memcpy(out, cells[c].text, CELL_PADDING);
        if (length > CELL_PADDING)
            memcpy(out + CELL_PADDING, cells[c].text + CELL_PADDING, length - CELL_PADDING);
        out += length;
        memcpy(out, &ends[c].word, sizeof ends[c].word);
        out += ends[c].length;
    }
    return out;
}

/* `slots` has CELL_SLOT_BYTES for each row, and CELL_PADDING behind them. NULLs are
 * printed as whatever stands in their place. */
typedef void (*cell_print_fn)(uint8_t *slots, const struct view *view, struct cells *cells);

/* For integers, decimals, floats, dates, timestamps and booleans in the forms of
 * docs/canonical.md; NULL for other types. */
cell_print_fn cell_print_choose(const struct field *field);

/* "YYYY-MM-DD" of a day from 0001-01-01 to 9999-12-31, "HH:MM:SS" of a second of the day. */
#define CELL_DAY_MIN (-719162)
#define CELL_DAY_MAX 2932896
void cell_put_date(uint8_t *out, int32_t days);
void cell_put_clock(uint8_t *out, uint32_t second);

#endif
