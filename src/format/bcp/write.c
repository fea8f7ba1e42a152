/*
 * write.c: a piece: batches become cells, column by column (encode.h), then rows:
 * field by field a prefix, the cell, a terminator.
 */
#include "format/bcp/encode.h"
#include "format/bcp/output.h"
#include "format/blocks.h"

#include <string.h>

#define CELLS      16384 /* of a group of rows: they stay in the cache */
#define GROUP_ROWS 512
#define END_FAST   8u /* a terminator is copied as one word, the rest behind it */

/* How a field is put around its cell. */
struct frame {
    uint32_t prefix, width; /* width: filled up to it with blanks, or zeros */
    uint64_t end_word;
    const uint8_t *end;
    size_t end_length;
    int column; /* of the schema; -1: skipped, always empty */
    bool wide, text;
};

struct bcp_piece {
    struct piece base;
    const struct bcp_output *output;
    struct context context;
    struct bcp_encoder *encoders; /* per field */
    struct frame *frames;
    struct view *views; /* per field */
    struct buffer cells;
    struct blocks blocks;
    size_t around; /* bytes of prefixes, terminators and blanks in a row at most */
};

static struct bcp_piece *self(struct piece *piece)
{
    return (struct bcp_piece *)(void *)piece;
}

static size_t field_count(const struct bcp_piece *piece)
{
    return (size_t)piece->output->layout.count;
}

/* ---- rows ---- */

static inline uint8_t *put_width(uint8_t *out, const struct frame *frame, size_t length)
{
    size_t more = frame->width - length;
    if (frame->wide)
        for (size_t i = 0; i + 1 < more; i += 2) {
            out[i] = ' ';
            out[i + 1] = 0;
        }
    else
        memset(out, frame->text ? ' ' : 0, more);
    return out + more;
}

static uint8_t *put_row(uint8_t *out, const struct frame *frames, const struct cell *cells, size_t count)
{
    for (size_t c = 0; c < count; c++) {
        const struct frame *frame = &frames[c];
        const uint8_t *text = cells[c].text;
        size_t length = cells[c].length;
        if (frame->prefix) {
            uint64_t word = length == CELL_NULL ? UINT64_MAX : length;
            memcpy(out, &word, sizeof word);
            out += frame->prefix;
            length = length == CELL_NULL ? 0 : length;
        }
        memcpy(out, text, CELL_PADDING);
        if (length > CELL_PADDING)
            memcpy(out + CELL_PADDING, text + CELL_PADDING, length - CELL_PADDING);
        out += length;
        if (frame->width > length)
            out = put_width(out, frame, length);
        memcpy(out, &frame->end_word, sizeof frame->end_word);
        if (frame->end_length > END_FAST)
            memcpy(out + END_FAST, frame->end + END_FAST, frame->end_length - END_FAST);
        out += frame->end_length;
    }
    return out;
}

static size_t refused_field(const struct cell *cells, size_t count)
{
    size_t c = 0;
    while (c < count && cells[c].length != CELL_REFUSED)
        c++;
    return c;
}

static enum haul_code refuse_row(struct bcp_piece *piece, const struct batch *batch, int64_t row,
                                 size_t field, const char *why, struct haul_error *err)
{
    struct collector none = {0};
    struct buffer value;
    buffer_init(&value, NULL);
    enum haul_code code = view_print(&piece->views[field], row, &value, err);
    struct reject reject = {.part = batch->part,
                            .row = batch_place(batch, row),
                            .column = piece->output->layout.fields[field].name,
                            .reason = why,
                            .value = (const char *)value.data,
                            .value_length = value.length};
    struct collector *collector = piece->context.collector ? piece->context.collector : &none;
    if (!code)
        code = collector_reject(collector, HAUL_VALUE, &reject, err);
    collector_release(&none);
    buffer_release(&value);
    return code;
}

static enum haul_code put_rows(struct bcp_piece *piece, const struct batch *batch, const struct cells *group,
                               struct buffer *out, struct haul_error *err)
{
    const struct cell *cells = (const struct cell *)(void *)piece->cells.data;
    const size_t count = group->stride;
    uint8_t *at = out->data + out->length;
    for (size_t r = 0; r < group->rows; r++, cells += count) {
        size_t refused = refused_field(cells, count);
        if (refused < count) {
            if (refuse_row(piece, batch, group->from + (int64_t)r, refused, (const char *)cells[refused].text,
                           err))
                return err->code;
            continue;
        }
        at = put_row(at, piece->frames, cells, count);
    }
    out->length = (size_t)(at - out->data);
    return HAUL_OK;
}

static void skipped_cells(const struct frame *frame, struct cells *group)
{
    static const uint8_t zeros[CELL_PADDING];
    for (size_t r = 0; r < group->rows; r++)
        group->cell[r * group->stride] = (struct cell){zeros, frame->prefix ? CELL_NULL : 0};
}

static enum haul_code try_group(struct bcp_piece *piece, const struct batch *batch, int64_t from, size_t rows,
                                struct haul_error *err)
{
    const size_t count = field_count(piece);
    struct cells group = {.stride = count, .from = from, .rows = rows};
    struct buffer *out;
    buffer_clear(&piece->cells);
    if (buffer_reserve(&piece->cells, rows * count * sizeof(struct cell), err))
        return err->code;
    for (size_t c = 0; c < count; c++) {
        group.cell = (struct cell *)(void *)piece->cells.data + c;
        if (piece->frames[c].column < 0)
            skipped_cells(&piece->frames[c], &group);
        else if (bcp_encode_column(&piece->encoders[c], &piece->views[c], &group, err))
            return err->code;
    }
    if (blocks_room(&piece->blocks, group.bytes + rows * piece->around + CELL_PADDING + BCP_END_BYTES_MAX,
                    &out, err))
        return err->code;
    return put_rows(piece, batch, &group, out, err);
}

static enum haul_code batch_begin(struct bcp_piece *piece, const struct batch *batch, struct haul_error *err)
{
    for (size_t c = 0; c < field_count(piece); c++) {
        const int column = piece->frames[c].column;
        if (column >= 0 && (view_init(&piece->views[c], &batch->schema->fields[column],
                                      batch->array.children[column], err) ||
                            bcp_encode_begin(&piece->encoders[c], &piece->views[c], err)))
            return err->code;
    }
    return HAUL_OK;
}

/* Short of memory (`failed`), what is finished is spilled so that it can be tried again. */
static bool made_room(struct bcp_piece *piece, const struct haul_error *failed, struct haul_error *err)
{
    *err = *failed;
    if (failed->code != HAUL_LIMIT || !blocks_hold(&piece->blocks))
        return false;
    *err = (struct haul_error){0};
    return blocks_spill(&piece->blocks, err) == HAUL_OK;
}

static enum haul_code write_group(struct bcp_piece *piece, const struct batch *batch, int64_t from,
                                  size_t rows, struct haul_error *err)
{
    struct haul_error failed = {0};
    if (!try_group(piece, batch, from, rows, &failed))
        return HAUL_OK;
    return made_room(piece, &failed, err) ? try_group(piece, batch, from, rows, err) : err->code;
}

static enum haul_code write_begin(struct bcp_piece *piece, const struct batch *batch, struct haul_error *err)
{
    struct haul_error failed = {0};
    if (!batch_begin(piece, batch, &failed))
        return HAUL_OK;
    return made_room(piece, &failed, err) ? batch_begin(piece, batch, err) : err->code;
}

static enum haul_code tell_losses(struct bcp_piece *piece, struct haul_error *err)
{
    struct collector *collector = piece->context.collector;
    for (size_t c = 0; collector && c < field_count(piece); c++) {
        struct bcp_encoder *encoder = &piece->encoders[c];
        const char *name = piece->output->layout.fields[c].name;
        if (encoder->lost_ends &&
            collector_loss(collector, name, "where the text ends: it holds its own terminator",
                           encoder->lost_ends, err))
            return err->code;
        if (encoder->lost_nuls &&
            collector_loss(collector, name, "a text of one NUL, which stands for the empty one",
                           encoder->lost_nuls, err))
            return err->code;
        encoder->lost_ends = encoder->lost_nuls = 0;
    }
    return HAUL_OK;
}

static enum haul_code piece_write(struct piece *base, const struct batch *batch, struct haul_error *err)
{
    struct bcp_piece *piece = self(base);
    const size_t count = field_count(piece);
    const int64_t length = batch->array.length;
    if (write_begin(piece, batch, err))
        return err->code;
    size_t rows = CELLS / count < GROUP_ROWS ? CELLS / count + 1 : GROUP_ROWS;
    for (int64_t from = 0; from < length; from += (int64_t)rows) {
        size_t left = (size_t)(length - from);
        if (context_check(&piece->context, err) ||
            write_group(piece, batch, from, left < rows ? left : rows, err))
            return err->code;
    }
    return tell_losses(piece, err);
}

/* Bytes are finished as they are written. */
static enum haul_code piece_seal(struct piece *base, struct haul_error *err)
{
    struct bcp_piece *piece = self(base);
    if (blocks_seal(&piece->blocks, err))
        return err->code;
    buffer_release(&piece->cells);
    for (size_t c = 0; c < field_count(piece); c++)
        bcp_encoder_rest(&piece->encoders[c]);
    return HAUL_OK;
}

static enum haul_code piece_spill(struct piece *base, struct haul_error *err)
{
    return blocks_spill(&self(base)->blocks, err);
}

enum haul_code bcp_piece_drain(struct piece *base, struct output_file *file, struct haul_error *err)
{
    return blocks_drain(&self(base)->blocks, file, err);
}

/* ---- opening ---- */

static void piece_close(struct piece *base)
{
    struct bcp_piece *piece = self(base);
    if (!piece)
        return;
    const size_t count = field_count(piece);
    for (size_t c = 0; piece->encoders && c < count; c++)
        bcp_encoder_release(&piece->encoders[c]);
    memory_free(NULL, piece->encoders, count * sizeof *piece->encoders);
    memory_free(NULL, piece->frames, count * sizeof *piece->frames);
    memory_free(NULL, piece->views, count * sizeof *piece->views);
    buffer_release(&piece->cells);
    blocks_close(&piece->blocks);
    memory_free(NULL, piece, sizeof *piece);
}

static const struct piece_ops ops = {piece_write, piece_seal, piece_spill, piece_close};

static struct frame frame_of(const struct bcp_field *field)
{
    struct frame frame = {.prefix = (uint32_t)field->prefix,
                          .end = field->end,
                          .end_length = field->end_length,
                          .column = field->column - 1,
                          .wide = field->host == HOST_NCHAR,
                          .text = bcp_host_is_text(field->host)};
    if (!field->prefix && !field->end_length)
        frame.width = bcp_hosts[field->host].bytes ? bcp_hosts[field->host].bytes : field->length;
    if (!field->prefix && bcp_hosts[field->host].bytes && !field->column)
        frame.width = bcp_hosts[field->host].bytes;
    memcpy(&frame.end_word, field->end, field->end_length < END_FAST ? field->end_length : END_FAST);
    return frame;
}

static enum haul_code make_fields(struct bcp_piece *piece, struct haul_error *err)
{
    const struct bcp_output *output = piece->output;
    const size_t count = field_count(piece);
    piece->encoders = memory_alloc(NULL, count * sizeof *piece->encoders);
    piece->frames = memory_alloc(NULL, count * sizeof *piece->frames);
    piece->views = memory_alloc(NULL, count * sizeof *piece->views);
    if (piece->encoders)
        memset(piece->encoders, 0, count * sizeof *piece->encoders);
    if (!piece->encoders || !piece->frames || !piece->views)
        return error_nomem(err, "the fields of a BCP file");
    for (size_t c = 0; c < count; c++) {
        const struct bcp_field *field = &output->layout.fields[c];
        piece->frames[c] = frame_of(field);
        piece->around += sizeof(uint64_t) + BCP_END_BYTES_MAX + piece->frames[c].width;
        if (field->column &&
            bcp_encoder_init(&piece->encoders[c], field, &output->schema.fields[field->column - 1],
                             &output->options, piece->context.memory, err))
            return err->code;
    }
    return HAUL_OK;
}

enum haul_code bcp_piece_open(struct format_output *output, const struct context *context,
                              const char *spill_folder, struct piece **out, struct haul_error *err)
{
    struct bcp_piece *piece = memory_alloc(NULL, sizeof *piece);
    if (!piece)
        return error_nomem(err, "a piece of a BCP file");
    memset(piece, 0, sizeof *piece);
    piece->base.ops = &ops;
    piece->output = (const struct bcp_output *)(void *)output;
    piece->context = *context;
    buffer_init(&piece->cells, context->memory);
    if (blocks_open(&piece->blocks, piece->output->packing, spill_folder, context->memory, err) ||
        make_fields(piece, err)) {
        piece_close(&piece->base);
        return err->code;
    }
    *out = &piece->base;
    return HAUL_OK;
}
