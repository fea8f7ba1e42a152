/*
 * write.c: the rows of a piece: a delimiter behind each cell, a line's end behind the last.
 */
#include "format/csv/cell.h"
#include "format/csv/output.h"

#include <string.h>

struct csv_piece {
    struct row_piece base;
    struct csv_printer *printers;
    struct cell_end *ends; /* delimiters, and the end of the line */
};

static struct csv_piece *self(struct row_piece *piece)
{
    return (struct csv_piece *)(void *)piece;
}

static const struct csv_dialect *dialect_of(const struct row_piece *piece)
{
    return &((const struct csv_output *)(const void *)piece->output)->dialect;
}

/* ---- rows ---- */

static enum haul_code refuse_row(struct row_piece *piece, const struct batch *batch, int64_t row,
                                 size_t column, struct haul_error *err)
{
    const struct refusal refusal = {.row = row,
                                    .cell = column,
                                    .column = piece->output->schema.fields[column].name,
                                    .reason = "needs a quote or an escape, and the dialect has none",
                                    .reason_empty =
                                        "an empty text is not told from NULL without a quote; use --null"};
    return row_piece_refuse(piece, batch, &refusal, err);
}

static enum haul_code put(struct row_piece *piece, const struct batch *batch, const struct cells *group,
                          struct buffer *out, struct haul_error *err)
{
    const struct cell_end *ends = self(piece)->ends;
    const struct cell *cells = row_piece_cells(piece);
    const size_t columns = group->stride;
    const bool may_refuse = dialect_of(piece)->quote == CSV_NONE;
    uint8_t *at = out->data + out->length;
    for (size_t r = 0; r < group->rows; r++, cells += columns) {
        const size_t refused = may_refuse ? row_refused(cells, columns) : columns;
        if (refused == columns)
            at = cell_put_row(at, cells, ends, columns);
        else if (refuse_row(piece, batch, group->from + (int64_t)r, refused, err))
            return err->code;
    }
    out->length = (size_t)(at - out->data);
    return HAUL_OK;
}

static void room(const struct row_piece *piece, size_t *row, size_t *overrun)
{
    *row = piece->columns * dialect_of(piece)->delimiter_length + 1;
    *overrun = CELL_PADDING + CSV_DELIMITER_BYTES_MAX;
}

static enum haul_code begin(struct row_piece *piece, const struct batch *batch, struct haul_error *err)
{
    for (size_t c = 0; c < piece->columns; c++)
        if (view_init(&piece->views[c], &batch->schema->fields[c], batch->array.children[c], err) ||
            csv_print_begin(&self(piece)->printers[c], &piece->views[c], err))
            return err->code;
    return HAUL_OK;
}

static enum haul_code print(struct row_piece *piece, size_t column, struct cells *cells,
                            struct haul_error *err)
{
    return csv_print_column(&self(piece)->printers[column], &piece->views[column], cells, err);
}

/* ---- opening ---- */

static size_t columns_of(const struct row_output *output)
{
    return (size_t)output->schema.count;
}

static struct cell_end end_of(const struct csv_dialect *dialect, bool last)
{
    struct cell_end end = {.word = '\n', .length = last ? 1 : dialect->delimiter_length};
    if (!last)
        memcpy(&end.word, dialect->delimiter, sizeof end.word);
    return end;
}

static enum haul_code open(struct row_piece *base, struct haul_error *err)
{
    struct csv_piece *piece = self(base);
    const size_t columns = base->columns;
    piece->printers = memory_alloc(NULL, columns * sizeof *piece->printers);
    piece->ends = memory_alloc(NULL, columns * sizeof *piece->ends);
    if (piece->printers)
        memset(piece->printers, 0, columns * sizeof *piece->printers);
    if (!piece->printers || !piece->ends)
        return error_nomem(err, "the columns of a CSV file");
    for (size_t i = 0; i < columns; i++) {
        csv_printer_init(&piece->printers[i], &base->output->schema.fields[i], dialect_of(base),
                         base->context.memory);
        piece->ends[i] = end_of(dialect_of(base), i + 1 == columns);
    }
    return HAUL_OK;
}

static void release(struct row_piece *base)
{
    struct csv_piece *piece = self(base);
    for (size_t i = 0; i < base->columns && piece->printers; i++)
        csv_printer_release(&piece->printers[i]);
    memory_free(NULL, piece->printers, base->columns * sizeof *piece->printers);
    memory_free(NULL, piece->ends, base->columns * sizeof *piece->ends);
    piece->printers = NULL;
    piece->ends = NULL;
}

const struct row_ops csv_rows = {
    .title = "a CSV file",
    .output_size = sizeof(struct csv_output),
    .piece_size = sizeof(struct csv_piece),
    .head = csv_output_head,
    .columns = columns_of,
    .open = open,
    .begin = begin,
    .print = print,
    .room = room,
    .put = put,
    .release = release,
};
