/*
 * write.c: a piece: batches become text, column by column into cells (cell.h),
 * then row by row into blocks of bytes.
 *
 * Blocks are as large as a megabyte or one group of rows and never grow, so a
 * piece is never copied. When memory has no room for another one, those that
 * are full go to the spill file and the room is used again. Of a compressed file
 * the text is made in the packer, and the blocks hold members (pack.h).
 */
#include "format/csv/cell.h"
#include "format/csv/output.h"
#include "format/csv/pack.h"

#include <stdio.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)1 << 20)
#define CELLS       16384 /* of a group of rows: they stay in the cache */
#define GROUP_ROWS  512

struct csv_piece {
    struct piece base;
    const struct csv_output *output;
    struct context context;
    struct csv_printer *printers;
    struct view *views;
    struct buffer cells;
    struct buffer blocks; /* struct buffer: finished bytes, the last one being filled */
    struct csv_packer packer;
    struct output_file *spill;
    struct input_file *spilled;
    struct arena arena; /* the name of the spill folder */
    const char *spill_folder;
    int64_t row; /* rows so far, for messages */
};

static struct csv_piece *self(struct piece *piece)
{
    return (struct csv_piece *)(void *)piece;
}

static struct buffer *block_at(struct csv_piece *piece, size_t i)
{
    return (struct buffer *)(void *)piece->blocks.data + i;
}

static size_t block_count(const struct csv_piece *piece)
{
    return piece->blocks.length / sizeof(struct buffer);
}

/* ---- blocks ---- */

/* What the packer has not compressed yet. */
static enum haul_code append_rest(struct csv_piece *piece, struct output_file *file, struct haul_error *err)
{
    struct buffer *packed = &piece->packer.packed;
    if (!csv_packer_holds(&piece->packer))
        return HAUL_OK;
    if (csv_packer_pack(&piece->packer, err) || file->ops->append(file, packed->data, packed->length, err))
        return err->code;
    buffer_clear(packed);
    return HAUL_OK;
}

static enum haul_code piece_spill(struct piece *base, struct haul_error *err)
{
    struct csv_piece *piece = self(base);
    if (block_count(piece) == 0 && !csv_packer_holds(&piece->packer))
        return HAUL_OK;
    if (!piece->spill && store_spill_open(piece->spill_folder, &piece->spill, &piece->spilled, err))
        return err->code;
    for (size_t i = 0; i < block_count(piece); i++) {
        struct buffer *block = block_at(piece, i);
        if (block->length && piece->spill->ops->append(piece->spill, block->data, block->length, err))
            return error_prefix(err, "spilling to %s", piece->spill_folder);
        buffer_release(block);
    }
    buffer_clear(&piece->blocks);
    return append_rest(piece, piece->spill, err);
}

static enum haul_code new_block(struct csv_piece *piece, size_t bytes, struct haul_error *err)
{
    struct buffer block;
    buffer_init(&block, piece->context.memory);
    if (buffer_reserve(&block, bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES - BUFFER_PADDING, err))
        return err->code;
    if (buffer_append(&piece->blocks, &block, sizeof block, err)) {
        buffer_release(&block);
        return err->code;
    }
    return HAUL_OK;
}

/* Finished bytes behind those of the blocks. */
static enum haul_code keep_packed(struct csv_piece *piece, struct haul_error *err)
{
    struct buffer *packed = &piece->packer.packed;
    if (!csv_packer_holds(&piece->packer))
        return HAUL_OK;
    if (csv_packer_pack(&piece->packer, err))
        return err->code;
    size_t count = block_count(piece);
    struct buffer *last = count ? block_at(piece, count - 1) : NULL;
    if (!last || last->capacity - last->length < packed->length + BUFFER_PADDING) {
        if (new_block(piece, packed->length, err))
            return err->code;
        last = block_at(piece, count);
    }
    buffer_put(last, packed->data, packed->length);
    buffer_clear(packed);
    return HAUL_OK;
}

/* The same in the packer, which is emptied when it is full. */
static enum haul_code make_text_room(struct csv_piece *piece, size_t bytes, struct buffer **out,
                                     struct haul_error *err)
{
    struct buffer *text = &piece->packer.text;
    *out = text;
    if (text->length && text->length + bytes > CSV_PACK_BYTES && keep_packed(piece, err))
        return err->code;
    size_t room = CSV_PACK_BYTES - BUFFER_PADDING, want = text->length < room ? room - text->length : 0;
    return buffer_reserve(text, bytes > want ? bytes : want, err);
}

/* A block with room for `bytes` more. */
static enum haul_code make_room(struct csv_piece *piece, size_t bytes, struct buffer **out,
                                struct haul_error *err)
{
    if (piece->packer.codec)
        return make_text_room(piece, bytes, out, err);
    size_t count = block_count(piece);
    struct buffer *last = count ? block_at(piece, count - 1) : NULL;
    if (!last || last->capacity - last->length < bytes + BUFFER_PADDING) {
        if (new_block(piece, bytes, err))
            return err->code;
        last = block_at(piece, count);
    }
    *out = last;
    return HAUL_OK;
}

/* ---- rows ---- */

/* One row from its cells. `delimiter` has 8 bytes, of which `width` count. */
static inline uint8_t *put_row(uint8_t *out, const struct csv_cell *cells, size_t columns, uint64_t delimiter,
                               size_t width)
{
    for (size_t c = 0; c < columns; c++) {
        size_t length = cells[c].length;
        memcpy(out, cells[c].text, CSV_CELL_PADDING);
        if (length > CSV_CELL_PADDING)
            memcpy(out + CSV_CELL_PADDING, cells[c].text + CSV_CELL_PADDING, length - CSV_CELL_PADDING);
        out += length;
        memcpy(out, &delimiter, sizeof delimiter);
        out += width;
    }
    out[-(ptrdiff_t)width] = '\n';
    return out - width + 1;
}

static bool row_refused(const struct csv_cell *cells, size_t columns, size_t *column)
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
static enum haul_code put_rows(struct csv_piece *piece, const struct batch *batch,
                               const struct csv_cells *group, struct buffer *out, struct haul_error *err)
{
    const struct csv_dialect *dialect = &piece->output->dialect;
    const struct csv_cell *cells = (const struct csv_cell *)(void *)piece->cells.data;
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
static size_t group_bytes(const struct csv_piece *piece, const struct csv_cells *group)
{
    return group->bytes + group->rows * group->stride * piece->output->dialect.delimiter_length +
           group->rows + CSV_CELL_PADDING + CSV_DELIMITER_BYTES_MAX;
}

static enum haul_code try_group(struct csv_piece *piece, const struct batch *batch, int64_t from, size_t rows,
                                struct haul_error *err)
{
    const size_t columns = (size_t)piece->output->schema.count;
    struct csv_cells group = {.stride = columns, .from = from, .rows = rows};
    struct buffer *out;
    buffer_clear(&piece->cells);
    if (buffer_reserve(&piece->cells, rows * columns * sizeof(struct csv_cell), err))
        return err->code;
    for (size_t c = 0; c < columns; c++) {
        group.cell = (struct csv_cell *)(void *)piece->cells.data + c;
        if (csv_print_column(&piece->printers[c], &piece->views[c], &group, err))
            return err->code;
    }
    if (make_room(piece, group_bytes(piece, &group), &out, err))
        return err->code;
    return put_rows(piece, batch, &group, out, err);
}

/* Short of memory, what is finished is spilled, and the group tried again. */
static enum haul_code write_group(struct csv_piece *piece, const struct batch *batch, int64_t from,
                                  size_t rows, struct haul_error *err)
{
    struct haul_error full = {0};
    enum haul_code code = try_group(piece, batch, from, rows, &full);
    if (code == HAUL_LIMIT && (block_count(piece) || csv_packer_holds(&piece->packer))) {
        if (piece_spill(&piece->base, err))
            return err->code;
        return try_group(piece, batch, from, rows, err);
    }
    if (code)
        *err = full;
    return code;
}

static enum haul_code piece_write(struct piece *base, const struct batch *batch, struct haul_error *err)
{
    struct csv_piece *piece = self(base);
    const size_t columns = (size_t)piece->output->schema.count;
    const int64_t length = batch->array.length;
    for (size_t c = 0; c < columns; c++)
        if (view_init(&piece->views[c], &batch->schema->fields[c], batch->array.children[c], err))
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
    if (keep_packed(piece, err))
        return err->code;
    csv_packer_rest(&piece->packer);
    buffer_release(&piece->cells);
    for (int i = 0; i < piece->output->schema.count; i++) {
        buffer_release(&piece->printers[i].slots);
        buffer_release(&piece->printers[i].scratch);
        buffer_release(&piece->printers[i].specials);
    }
    return HAUL_OK;
}

static void spill_close(struct csv_piece *piece)
{
    if (piece->spill)
        piece->spill->ops->close(piece->spill);
    if (piece->spilled)
        piece->spilled->ops->close(piece->spilled);
    piece->spill = NULL;
    piece->spilled = NULL;
}

/* The first block is kept for what comes next. */
enum haul_code csv_piece_drain(struct piece *base, struct output_file *file, struct haul_error *err)
{
    struct csv_piece *piece = self(base);
    size_t count = block_count(piece);
    if (piece->spilled && file->ops->copy_from(file, piece->spilled, 0, piece->spilled->size, err))
        return err->code;
    spill_close(piece);
    for (size_t i = 0; i < count; i++) {
        struct buffer *block = block_at(piece, i);
        if (block->length && file->ops->append(file, block->data, block->length, err))
            return err->code;
        buffer_clear(block);
        if (i > 0)
            buffer_release(block);
    }
    piece->blocks.length = count ? sizeof(struct buffer) : 0;
    return append_rest(piece, file, err);
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
    for (size_t i = 0; i < block_count(piece); i++)
        buffer_release(block_at(piece, i));
    buffer_release(&piece->blocks);
    buffer_release(&piece->cells);
    csv_packer_close(&piece->packer);
    spill_close(piece);
    arena_release(&piece->arena);
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
    buffer_init(&piece->blocks, context->memory);
    piece->spill_folder = arena_text(&piece->arena, spill_folder ? spill_folder : ".");
    if (!piece->spill_folder ||
        csv_packer_open(&piece->packer, piece->output->packing, context->memory, err) ||
        make_printers(piece, err)) {
        enum haul_code code = err->code ? err->code : error_nomem(err, "a piece of a CSV file");
        piece_close(&piece->base);
        return code;
    }
    *out = &piece->base;
    return HAUL_OK;
}
