/*
 * cell.h: the cells of a column (format/cell.h) as CSV has them: strings, quotes
 * and NULLs.
 */
#ifndef HAUL_FORMAT_CSV_CELL_H
#define HAUL_FORMAT_CSV_CELL_H

#include "base/context.h"
#include "format/cell.h"
#include "format/csv/dialect.h"

struct csv_printer {
    const struct field *field;
    const struct csv_dialect *dialect;
    cell_print_fn print;    /* NULL: strings, or one by one */
    bool guard;             /* printed values may hold what must be quoted */
    struct buffer slots;    /* fixed room per row */
    struct buffer scratch;  /* texts of any length */
    struct buffer specials; /* bits: bytes of a column's text that need quotes */
    struct buffer entries;  /* struct cell: of the batch's dictionary, when it has one */
    uint8_t null_text[CSV_NULL_BYTES_MAX + 1 + CELL_PADDING];
};

void csv_printer_init(struct csv_printer *printer, const struct field *field,
                      const struct csv_dialect *dialect, struct memory *memory);
void csv_printer_release(struct csv_printer *printer);

/* Before the cells of a batch: prints the dictionary's values, if it has one, once for all. */
enum haul_code csv_print_begin(struct csv_printer *printer, const struct view *view, struct haul_error *err);

/* Fills the cells. Those that cannot be written in this dialect (only without a
 * quote) have length CELL_REFUSED. */
enum haul_code csv_print_column(struct csv_printer *printer, const struct view *view, struct cells *cells,
                                struct haul_error *err);

/* One text as a field, quoted when it must be: for headers. HAUL_VALUE when the
 * dialect has no way to say it. */
enum haul_code csv_print_text(const struct csv_dialect *dialect, const char *text, size_t length,
                              struct buffer *out, struct haul_error *err);

/* ---- between the cell files ---- */

/* Does a text that is no NULL need quotes (or escapes)? */
bool csv_text_clashes(const struct csv_dialect *dialect, const uint8_t *text, size_t length);

/* Writes it quoted or escaped; `out` has room for 2 * length + 2 bytes. Returns
 * the length, or CELL_REFUSED. */
size_t csv_quote_text(const struct csv_dialect *dialect, const uint8_t *text, size_t length, uint8_t *out);

#endif
