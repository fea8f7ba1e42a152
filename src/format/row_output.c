/*
 * row_output.c: heads, pieces, groups of rows.
 *
 * A file that is continued has its head already: it is not empty. Short of memory, a
 * piece spills what is finished and tries the group again.
 */
#include "format/row_output.h"

#include <string.h>

#define PIECE_ROWS  262144
#define PIECE_BYTES ((int64_t)32 << 20)
#define CELLS       16384 /* of a group of rows: they stay in the cache */
#define GROUP_ROWS  512

static struct row_output *output_of(struct format_output *output)
{
    return (struct row_output *)(void *)output;
}

static struct row_piece *piece_of(struct piece *piece)
{
    return (struct row_piece *)(void *)piece;
}

/* ---- a batch ---- */

enum haul_code row_piece_refuse(struct row_piece *piece, const struct batch *batch,
                                const struct refusal *refusal, struct haul_error *err)
{
    struct buffer value;
    buffer_init(&value, NULL);
    enum haul_code code = view_print(&piece->views[refusal->cell], refusal->row, &value, err);
    const bool empty = !value.length && refusal->reason_empty;
    struct reject reject = {.part = batch->part,
                            .row = batch_place(batch, refusal->row),
                            .column = refusal->column,
                            .reason = empty ? refusal->reason_empty : refusal->reason,
                            .value = (const char *)value.data,
                            .value_length = value.length};
    if (!code)
        code = collector_reject(piece->context.collector, HAUL_VALUE, &reject, err);
    buffer_release(&value);
    return code;
}

static enum haul_code try_group(struct row_piece *piece, const struct batch *batch, struct cells group,
                                struct haul_error *err)
{
    const struct row_ops *own = piece->output->own;
    const size_t columns = piece->columns;
    size_t row, overrun;
    struct buffer *out;
    buffer_clear(&piece->cells);
    if (buffer_reserve(&piece->cells, group.rows * columns * sizeof(struct cell), err))
        return err->code;
    for (size_t c = 0; c < columns; c++) {
        group.cell = (struct cell *)(void *)piece->cells.data + c;
        if (own->print(piece, c, &group, err))
            return err->code;
    }
    own->room(piece, &row, &overrun);
    if (blocks_room(&piece->blocks, group.bytes + group.rows * row + overrun, &out, err))
        return err->code;
    return own->put(piece, batch, &group, out, err);
}

/* Short of memory (`failed`), what is finished is spilled so that it can be tried again. */
static bool made_room(struct row_piece *piece, const struct haul_error *failed, struct haul_error *err)
{
    *err = *failed;
    if (failed->code != HAUL_LIMIT || !blocks_hold(&piece->blocks))
        return false;
    *err = (struct haul_error){0};
    return blocks_spill(&piece->blocks, err) == HAUL_OK;
}

static enum haul_code write_group(struct row_piece *piece, const struct batch *batch,
                                  const struct cells *group, struct haul_error *err)
{
    struct haul_error failed = {0};
    if (!try_group(piece, batch, *group, &failed))
        return HAUL_OK;
    return made_room(piece, &failed, err) ? try_group(piece, batch, *group, err) : err->code;
}

static enum haul_code write_begin(struct row_piece *piece, const struct batch *batch, struct haul_error *err)
{
    const struct row_ops *own = piece->output->own;
    struct haul_error failed = {0};
    if (!own->begin(piece, batch, &failed))
        return HAUL_OK;
    return made_room(piece, &failed, err) ? own->begin(piece, batch, err) : err->code;
}

/* ---- a piece ---- */

static enum haul_code piece_write(struct piece *base, const struct batch *batch, struct haul_error *err)
{
    struct row_piece *piece = piece_of(base);
    const struct row_ops *own = piece->output->own;
    const size_t columns = piece->columns;
    const size_t rows = columns && CELLS / columns < GROUP_ROWS ? CELLS / columns + 1 : GROUP_ROWS;
    const int64_t length = batch->array.length;
    if (write_begin(piece, batch, err))
        return err->code;
    for (int64_t from = 0; from < length; from += (int64_t)rows) {
        const size_t left = (size_t)(length - from);
        const struct cells group = {.stride = columns, .from = from, .rows = left < rows ? left : rows};
        if (context_check(&piece->context, err) || write_group(piece, batch, &group, err))
            return err->code;
    }
    return own->written ? own->written(piece, err) : HAUL_OK;
}

/* Bytes are finished as they are written. */
static enum haul_code piece_seal(struct piece *base, struct haul_error *err)
{
    struct row_piece *piece = piece_of(base);
    if (blocks_seal(&piece->blocks, err))
        return err->code;
    buffer_release(&piece->cells);
    piece->output->own->release(piece);
    return HAUL_OK;
}

static enum haul_code piece_spill(struct piece *base, struct haul_error *err)
{
    return blocks_spill(&piece_of(base)->blocks, err);
}

static void piece_close(struct piece *base)
{
    struct row_piece *piece = piece_of(base);
    if (!piece)
        return;
    const struct row_ops *own = piece->output->own;
    own->release(piece);
    memory_free(NULL, piece->views, piece->columns * sizeof *piece->views);
    buffer_release(&piece->cells);
    blocks_close(&piece->blocks);
    memory_free(NULL, piece, own->piece_size);
}

static enum haul_code piece_open(struct format_output *base, const struct context *context,
                                 const char *spill_folder, struct piece **out, struct haul_error *err)
{
    static const struct piece_ops ops = {piece_write, piece_seal, piece_spill, piece_close};
    const struct row_output *output = output_of(base);
    struct row_piece *piece = memory_alloc(NULL, output->own->piece_size);
    if (!piece)
        return error_nomem(err, output->own->title);
    memset(piece, 0, output->own->piece_size);
    piece->base.ops = &ops;
    piece->output = output;
    piece->context = *context;
    piece->columns = output->own->columns(output);
    piece->views = memory_alloc(NULL, piece->columns * sizeof *piece->views);
    buffer_init(&piece->cells, context->memory);
    enum haul_code code = piece->views ? HAUL_OK : error_nomem(err, output->own->title);
    if (!code)
        code = blocks_open(&piece->blocks, output->packing, spill_folder, context->memory, err);
    if (!code)
        code = output->own->open(piece, err);
    if (code)
        piece_close(&piece->base);
    else
        *out = &piece->base;
    return code;
}

void row_piece_size(const struct format_request *request, int64_t *rows, int64_t *bytes)
{
    (void)request;
    *rows = PIECE_ROWS;
    *bytes = PIECE_BYTES;
}

/* ---- the file ---- */

static enum haul_code write_head(struct row_output *output, struct output_file *file, struct haul_error *err)
{
    struct buffer text;
    if (file->offset > 0)
        return HAUL_OK;
    buffer_init(&text, output->context.memory);
    enum haul_code code = output->own->head(output, &text, err);
    if (!code && text.length)
        code = pack_append(output->packing, &text, file, err);
    buffer_release(&text);
    return code;
}

static enum haul_code drain(struct format_output *base, struct piece *piece, struct output_file *file,
                            struct haul_error *err)
{
    if (write_head(output_of(base), file, err))
        return err->code;
    return blocks_drain(&piece_of(piece)->blocks, file, err);
}

static enum haul_code append(struct format_output *base, struct piece *piece, struct output_file *file,
                             struct arena *arena, const char **note, struct haul_error *err)
{
    (void)arena;
    *note = NULL;
    return drain(base, piece, file, err);
}

static enum haul_code restore(struct format_output *base, const char *note, int64_t offset,
                              struct haul_error *err)
{
    (void)note;
    (void)offset;
    (void)err;
    (void)base;
    return HAUL_OK;
}

static enum haul_code finish(struct format_output *base, struct output_file *file, struct haul_error *err)
{
    return write_head(output_of(base), file, err);
}

void row_output_close(struct format_output *base)
{
    struct row_output *output = output_of(base);
    if (!output)
        return;
    if (output->own->close)
        output->own->close(output);
    schema_release(&output->schema);
    memory_free(NULL, output, output->own->output_size);
}

enum haul_code row_output_open(const struct row_ops *own, const struct format_request *request,
                               const struct schema *schema, struct row_output **out, struct haul_error *err)
{
    static const struct format_output_ops ops = {
        .piece = piece_open,
        .append = append,
        .drain = drain,
        .restore = restore,
        .finish = finish,
        .close = row_output_close,
    };
    struct row_output *output = memory_alloc(NULL, own->output_size);
    if (!output)
        return error_nomem(err, own->title);
    memset(output, 0, own->output_size);
    output->base.ops = &ops;
    output->own = own;
    output->context = *request->context;
    output->packing = request->name ? packing_by_suffix(request->name) : PACKING_NONE;
    if (schema_copy(schema, &output->schema, err)) {
        row_output_close(&output->base);
        return err->code;
    }
    *out = output;
    return HAUL_OK;
}
