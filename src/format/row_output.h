/*
 * row_output.h: a file of rows in the making, CSV or BCP: a head, then pieces one
 * behind another, compressed as the file's suffix says.
 *
 * A piece's batches become cells, column by column (cell.h), then rows in blocks of
 * bytes (blocks.h), in groups of rows that stay in the cache. How cells are made and
 * put together is the format's own. Pieces need nothing from each other and nothing at
 * the end, so they leave no note.
 */
#ifndef HAUL_FORMAT_ROW_OUTPUT_H
#define HAUL_FORMAT_ROW_OUTPUT_H

#include "format/blocks.h"
#include "format/cell.h"
#include "format/format.h"

struct row_ops;
struct row_output { /* first member of each format's own struct */
    struct format_output base;
    const struct row_ops *own;
    struct context context;
    struct schema schema;
    enum packing packing;
};

struct row_piece { /* first member of each format's own struct */
    struct piece base;
    const struct row_output *output;
    struct context context;
    size_t columns;     /* cells of a row */
    struct view *views; /* per cell of a row */
    struct buffer cells;
    struct blocks blocks;
};

/* What is different in a format. */
struct row_ops {
    const char *title; /* "a CSV file" */
    size_t output_size, piece_size;

    /* What a file begins with; nothing is fine. */
    enum haul_code (*head)(const struct row_output *output, struct buffer *text, struct haul_error *err);
    void (*close)(struct row_output *output); /* its own part; NULL: nothing to do */

    size_t (*columns)(const struct row_output *output);
    enum haul_code (*open)(struct row_piece *piece, struct haul_error *err); /* its own part */

    /* Sets the views of a batch, and what is done once for all its groups. May be done again. */
    enum haul_code (*begin)(struct row_piece *piece, const struct batch *batch, struct haul_error *err);
    enum haul_code (*print)(struct row_piece *piece, size_t column, struct cells *cells,
                            struct haul_error *err);
    /* What a row takes beside its cells, at most; overrun of the last row's moves. */
    void (*room)(const struct row_piece *piece, size_t *row, size_t *overrun);
    /* Rows from the group's cells to the end of `out`, which has room; they are in batch
     * order, and cells CELL_REFUSED among them go to row_piece_refuse. */
    enum haul_code (*put)(struct row_piece *piece, const struct batch *batch, const struct cells *group,
                          struct buffer *out, struct haul_error *err);
    enum haul_code (*written)(struct row_piece *piece, struct haul_error *err); /* a batch; NULL: no matter */
    void (*release)(struct row_piece *piece); /* its own part, whatever there is of it; may come twice */
};

/* An output of own->output_size bytes, zero behind its struct row_output. */
enum haul_code row_output_open(const struct row_ops *own, const struct format_request *request,
                               const struct schema *schema, struct row_output **out, struct haul_error *err);
void row_output_close(struct format_output *output);

/* format.piece_size */
void row_piece_size(const struct format_request *request, int64_t *rows, int64_t *bytes);

/* The row is set aside because of a cell of it. */
struct refusal {
    int64_t row;
    size_t cell;
    const char *column, *reason;
    const char *reason_empty; /* where the value is an empty text; NULL: the same */
};
enum haul_code row_piece_refuse(struct row_piece *piece, const struct batch *batch,
                                const struct refusal *refusal, struct haul_error *err);

/* The group's cells, row by row. */
static inline const struct cell *row_piece_cells(const struct row_piece *piece)
{
    return (const struct cell *)(const void *)piece->cells.data;
}

/* The cell of a row that is refused; `columns`: none is. */
static inline size_t row_refused(const struct cell *cells, size_t columns)
{
    size_t c = 0;
    while (c < columns && cells[c].length != CELL_REFUSED)
        c++;
    return c;
}

#endif
