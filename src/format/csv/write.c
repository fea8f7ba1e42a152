/*
 * write.c: a piece: batches become text, column by column into cells (cell.h),
 * then row by row into blocks of bytes (blocks.h).
 */
#include "format/blocks.h"
#include "format/csv/cell.h"
#include "format/csv/output.h"

#include <stdio.h>
#include <string.h>

#define CELLS      16384 /* of a group of rows: they stay in the cache */
#define GROUP_ROWS 512

struct csv_piece {
    struct piece base;
    const struct csv_output *output;
    struct context context;
    struct csv_printer *printers;
    struct view *views;
    struct buffer cells;
    struct blocks blocks;
    int64_t row; /* rows so far, for messages */
};

static struct csv_piece *self(struct piece *piece)
{
    return (struct csv_piece *)(void *)piece;
}

/* ---- rows ---- */

/* One row from its cells. `delimiter` has 8 bytes, of which `width` count. */
static inline uint8_t *put_row(uint8_t *out, const struct cell *cells, size_t columns, uint64_t delimiter,
                               size_t width)
{
    for (size_t c = 0; c < columns; c++) {
        size_t length = cells[c].length;
        memcpy(out, cells[c].text, CELL_PADDING);
        if (length > CELL_PADDING)
            memcpy(out + CELL_PADDING, cells[c].text + CELL_PADDING, length - CELL_PADDING);
        out += length;
        memcpy(out, &delimiter, sizeof delimiter);
        out += width;
    }
    out[-(ptrdiff_t)width] = '\n';
    return out - width + 1;
}

static bool row_refused(const struct cell *cells, size_t columns, size_t *column)
{
    for (*column = 0; *column < columns; ++*column)
        if (cells[*column].length == CSV_CELL_REFUSED)
            return true;
    return false;
}

static enum haul_code refuse_row(struct csv_piece *piece, const struct batch *batch, int64_t row,
                                 size_t column, struct haul_error *err)
{
    struct buffer value;
    struct collector none = {0};
    buffer_init(&value, piece->context.memory);
    if (view_print(&piece->views[column], row, &value, err)) {
        buffer_release(&value);
        return err->code;
    }
    struct reject reject = {.part = batch->part,
                            .row = batch_place(batch, row),
                            .column = piece->output->schema.fields[column].name,
                            .reason = value.length
                                          ? "needs a quote or an escape, and the dialect has none"
                                          : "an empty text is not told from NULL without a quote; use --null",
                            .value = (const char *)value.data,
                            .value_length = value.length};
    struct collector *collector = piece->context.collector ? piece->context.collector : &none;
    enum haul_code code = collector_reject(collector, HAUL_VALUE, &reject, err);
    collector_release(&none);
    buffer_release(&value);
    return code;
}

/* The group's cells row by row behind each other. */
static enum haul_code put_rows(struct csv_piece *piece, const struct batch *batch, const struct cells *group,
                               struct buffer *out, struct haul_error *err)
{
    const struct csv_dialect *dialect = &piece->output->dialect;
    const struct cell *cells = (const struct cell *)(void *)piece->cells.data;
    const size_t columns = group->stride, width = dialect->delimiter_length;
    const bool may_refuse = dialect->quote == CSV_NONE;
    uint64_t delimiter;
    memcpy(&delimiter, dialect->delimiter, sizeof delimiter);
    uint8_t *at = out->data + out->length;
    for (size_t r = 0; r < group->rows; r++, cells += columns) {
        size_t column;
        if (may_refuse && row_refused(cells, columns, &column)) {
            if (refuse_row(piece, batch, group->from + (int64_t)r, column, err))
                return err->code;
            continue;
        }
        at = put_row(at, cells, columns, delimiter, width);
    }
    out->length = (size_t)(at - out->data);
    return HAUL_OK;
}

/* What the cells of a group take as rows, overrun of the last moves included. */
static size_t group_bytes(const struct csv_piece *piece, const struct cells *group)
{
    return group->bytes + group->rows * group->stride * piece->output->dialect.delimiter_length +
           group->rows + CELL_PADDING + CSV_DELIMITER_BYTES_MAX;
}

static enum haul_code try_group(struct csv_piece *piece, const struct batch *batch, int64_t from, size_t rows,
                                struct haul_error *err)
{
    const size_t columns = (size_t)piece->output->schema.count;
    struct cells group = {.stride = columns, .from = from, .rows = rows};
    struct buffer *out;
    buffer_clear(&piece->cells);
    if (buffer_reserve(&piece->cells, rows * columns * sizeof(struct cell), err))
        return err->code;
    for (size_t c = 0; c < columns; c++) {
        group.cell = (struct cell *)(void *)piece->cells.data + c;
        if (csv_print_column(&piece->printers[c], &piece->views[c], &group, err))
            return err->code;
    }
    if (blocks_room(&piece->blocks, group_bytes(piece, &group), &out, err))
        return err->code;
    return put_rows(piece, batch, &group, out, err);
}

static enum haul_code batch_begin(struct csv_piece *piece, const struct batch *batch, struct haul_error *err)
{
    for (int c = 0; c < piece->output->schema.count; c++)
        if (view_init(&piece->views[c], &batch->schema->fields[c], batch->array.children[c], err) ||
            csv_print_begin(&piece->printers[c], &piece->views[c], err))
            return err->code;
    return HAUL_OK;
}

/* Short of memory (`failed`), what is finished is spilled so that it can be tried again. */
static bool made_room(struct csv_piece *piece, const struct haul_error *failed, struct haul_error *err)
{
    *err = *failed;
    if (failed->code != HAUL_LIMIT || !blocks_hold(&piece->blocks))
        return false;
    *err = (struct haul_error){0};
    return blocks_spill(&piece->blocks, err) == HAUL_OK;
}

static enum haul_code write_group(struct csv_piece *piece, const struct batch *batch, int64_t from,
                                  size_t rows, struct haul_error *err)
{
    struct haul_error failed = {0};
    if (!try_group(piece, batch, from, rows, &failed))
        return HAUL_OK;
    return made_room(piece, &failed, err) ? try_group(piece, batch, from, rows, err) : err->code;
}

static enum haul_code write_begin(struct csv_piece *piece, const struct batch *batch, struct haul_error *err)
{
    struct haul_error failed = {0};
    if (!batch_begin(piece, batch, &failed))
        return HAUL_OK;
    return made_room(piece, &failed, err) ? batch_begin(piece, batch, err) : err->code;
}

static enum haul_code piece_write(struct piece *base, const struct batch *batch, struct haul_error *err)
{
    struct csv_piece *piece = self(base);
    const size_t columns = (size_t)piece->output->schema.count;
    const int64_t length = batch->array.length;
    if (write_begin(piece, batch, err))
        return err->code;
    size_t rows = columns && CELLS / columns < GROUP_ROWS ? CELLS / columns + 1 : GROUP_ROWS;
    for (int64_t from = 0; from < length; from += (int64_t)rows) {
        size_t left = (size_t)(length - from);
        if (context_check(&piece->context, err) ||
            write_group(piece, batch, from, left < rows ? left : rows, err))
            return err->code;
    }
    return HAUL_OK;
}

/* Bytes are finished as they are written. */
static enum haul_code piece_seal(struct piece *base, struct haul_error *err)
{
    struct csv_piece *piece = self(base);
    if (blocks_seal(&piece->blocks, err))
        return err->code;
    buffer_release(&piece->cells);
    for (int i = 0; i < piece->output->schema.count; i++) {
        buffer_release(&piece->printers[i].slots);
        buffer_release(&piece->printers[i].scratch);
        buffer_release(&piece->printers[i].specials);
        buffer_release(&piece->printers[i].entries);
    }
    return HAUL_OK;
}

static enum haul_code piece_spill(struct piece *base, struct haul_error *err)
{
    return blocks_spill(&self(base)->blocks, err);
}

enum haul_code csv_piece_drain(struct piece *base, struct output_file *file, struct haul_error *err)
{
    return blocks_drain(&self(base)->blocks, file, err);
}

/* ---- opening ---- */

static void piece_close(struct piece *base)
{
    struct csv_piece *piece = self(base);
    if (!piece)
        return;
    size_t columns = (size_t)piece->output->schema.count;
    for (size_t i = 0; i < columns && piece->printers; i++)
        csv_printer_release(&piece->printers[i]);
    memory_free(NULL, piece->printers, columns * sizeof *piece->printers);
    memory_free(NULL, piece->views, columns * sizeof *piece->views);
    buffer_release(&piece->cells);
    blocks_close(&piece->blocks);
    memory_free(NULL, piece, sizeof *piece);
}

static const struct piece_ops ops = {piece_write, piece_seal, piece_spill, piece_close};

static enum haul_code make_printers(struct csv_piece *piece, struct haul_error *err)
{
    const struct csv_output *output = piece->output;
    size_t columns = (size_t)output->schema.count;
    piece->printers = memory_alloc(NULL, columns * sizeof *piece->printers);
    piece->views = memory_alloc(NULL, columns * sizeof *piece->views);
    if (piece->printers)
        memset(piece->printers, 0, columns * sizeof *piece->printers);
    if (!piece->printers || !piece->views)
        return error_nomem(err, "the columns of a CSV file");
    for (size_t i = 0; i < columns; i++)
        csv_printer_init(&piece->printers[i], &output->schema.fields[i], &output->dialect,
                         piece->context.memory);
    return HAUL_OK;
}

enum haul_code csv_piece_open(struct format_output *output, const struct context *context,
                              const char *spill_folder, struct piece **out, struct haul_error *err)
{
    struct csv_piece *piece = memory_alloc(NULL, sizeof *piece);
    if (!piece)
        return error_nomem(err, "a piece of a CSV file");
    memset(piece, 0, sizeof *piece);
    piece->base.ops = &ops;
    piece->output = (const struct csv_output *)(void *)output;
    piece->context = *context;
    buffer_init(&piece->cells, context->memory);
    if (blocks_open(&piece->blocks, piece->output->packing, spill_folder, context->memory, err) ||
        make_printers(piece, err)) {
        piece_close(&piece->base);
        return err->code;
    }
    *out = &piece->base;
    return HAUL_OK;
}
