/*
 * cell.h: one column of a batch as the texts that stand in its fields.
 *
 * Writing is two stages, as reading is. Here each column prints its values side
 * by side, by a function chosen once by its type; output.c then puts the cells
 * together row by row, with no thought of types. A cell points to where its text
 * is: in the batch, in the column's slots, or in its scratch space.
 */
#ifndef HAUL_FORMAT_CSV_CELL_H
#define HAUL_FORMAT_CSV_CELL_H

#include "base/context.h"
#include "batch/view.h"
#include "format/csv/dialect.h"

#define CSV_CELL_PADDING 32u /* bytes readable from the start of each cell's text, whatever its length */

struct csv_cell {
    const uint8_t *text;
    size_t length;
};

/* The cells of one column to be made: rows [from, from + rows) of its view into
 * cell[0], cell[stride], ... */
struct csv_cells {
    struct csv_cell *cell;
    size_t stride;
    int64_t from;
    size_t rows;
    size_t bytes; /* of their texts; grows */
};

static inline void csv_cell_set(struct csv_cells *cells, size_t row, const uint8_t *text, size_t length)
{
    cells->cell[row * cells->stride] = (struct csv_cell){text, length};
    cells->bytes += length;
}

struct csv_printer;
typedef void (*csv_print_fn)(struct csv_printer *printer, const struct view *view, struct csv_cells *cells);

struct csv_printer {
    const struct field *field;
    const struct csv_dialect *dialect;
    csv_print_fn print;     /* NULL: strings, or one by one */
    bool guard;             /* printed values may hold what must be quoted */
    struct buffer slots;    /* fixed room per row */
    struct buffer scratch;  /* texts of any length */
    struct buffer specials; /* bits: bytes of a column's text that need quotes */
    uint8_t null_text[CSV_NULL_BYTES_MAX + 1 + CSV_CELL_PADDING];
};

void csv_printer_init(struct csv_printer *printer, const struct field *field,
                      const struct csv_dialect *dialect, struct memory *memory);
void csv_printer_release(struct csv_printer *printer);

/* Fills the cells. Those that cannot be written in this dialect (only without a
 * quote) have length CSV_CELL_REFUSED. */
#define CSV_CELL_REFUSED SIZE_MAX
enum haul_code csv_print_column(struct csv_printer *printer, const struct view *view, struct csv_cells *cells,
                                struct haul_error *err);

/* One text as a field, quoted when it must be: for headers. HAUL_VALUE when the
 * dialect has no way to say it. */
enum haul_code csv_print_text(const struct csv_dialect *dialect, const char *text, size_t length,
                              struct buffer *out, struct haul_error *err);

/* ---- between the cell files ---- */

#define CSV_SLOT_BYTES 64u

csv_print_fn csv_print_choose(const struct field *field); /* numbers, dates; NULL: none */

/* Does a text that is no NULL need quotes (or escapes)? */
bool csv_text_clashes(const struct csv_dialect *dialect, const uint8_t *text, size_t length);

/* Writes it quoted or escaped; `out` has room for 2 * length + 2 bytes. Returns
 * the length, or CSV_CELL_REFUSED. */
size_t csv_quote_text(const struct csv_dialect *dialect, const uint8_t *text, size_t length, uint8_t *out);

#endif
