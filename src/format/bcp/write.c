/*
 * write.c: the rows of a piece: field by field a prefix, the cell (encode.h), a terminator.
 */
#include "format/bcp/encode.h"
#include "format/bcp/output.h"

#include <string.h>

#define END_FAST 8u /* a terminator is copied as one word, the rest behind it */

/* How a field is put around its cell. */
struct frame {
    uint32_t prefix, width; /* width: filled up to it with blanks, or zeros */
    const uint8_t *end;
    int column; /* of the schema; -1: skipped, always empty */
    bool wide, text;
};

struct bcp_piece {
    struct row_piece base;
    struct bcp_encoder *encoders; /* per field */
    struct frame *frames;
    struct cell_end *ends; /* the first bytes of terminators */
    bool plain;            /* cells and ends are all that rows are made of */
    size_t around;         /* bytes of prefixes, terminators and blanks in a row at most */
};

static struct bcp_piece *self(struct row_piece *piece)
{
    return (struct bcp_piece *)(void *)piece;
}

static const struct bcp_output *output_of(const struct row_piece *piece)
{
    return (const struct bcp_output *)(const void *)piece->output;
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

static uint8_t *put_row(uint8_t *out, const struct bcp_piece *piece, const struct cell *cells, size_t count)
{
    for (size_t c = 0; c < count; c++) {
        const struct frame *frame = &piece->frames[c];
        const struct cell_end *end = &piece->ends[c];
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
        memcpy(out, &end->word, sizeof end->word);
        if (end->length > END_FAST)
            memcpy(out + END_FAST, frame->end + END_FAST, end->length - END_FAST);
        out += end->length;
    }
    return out;
}

static enum haul_code refuse_row(struct row_piece *piece, const struct batch *batch, int64_t row,
                                 size_t field, const char *why, struct haul_error *err)
{
    const struct refusal refusal = {
        .row = row, .cell = field, .column = output_of(piece)->layout.fields[field].name, .reason = why};
    return row_piece_refuse(piece, batch, &refusal, err);
}

static enum haul_code put(struct row_piece *piece, const struct batch *batch, const struct cells *group,
                          struct buffer *out, struct haul_error *err)
{
    const struct bcp_piece *own = self(piece);
    const struct cell *cells = row_piece_cells(piece);
    const size_t count = group->stride;
    uint8_t *at = out->data + out->length;
    for (size_t r = 0; r < group->rows; r++, cells += count) {
        const size_t refused = group->refused ? row_refused(cells, count) : count;
        if (refused == count)
            at = own->plain ? cell_put_row(at, cells, own->ends, count) : put_row(at, own, cells, count);
        else if (refuse_row(piece, batch, group->from + (int64_t)r, refused,
                            (const char *)cells[refused].text, err))
            return err->code;
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

static enum haul_code print(struct row_piece *piece, size_t column, struct cells *cells,
                            struct haul_error *err)
{
    if (self(piece)->frames[column].column >= 0)
        return bcp_encode_column(&self(piece)->encoders[column], &piece->views[column], cells, err);
    skipped_cells(&self(piece)->frames[column], cells);
    return HAUL_OK;
}

static void room(const struct row_piece *piece, size_t *row, size_t *overrun)
{
    *row = ((const struct bcp_piece *)(const void *)piece)->around;
    *overrun = CELL_PADDING + BCP_END_BYTES_MAX;
}

static enum haul_code begin(struct row_piece *piece, const struct batch *batch, struct haul_error *err)
{
    for (size_t c = 0; c < piece->columns; c++) {
        const int column = self(piece)->frames[c].column;
        if (column >= 0 && (view_init(&piece->views[c], &batch->schema->fields[column],
                                      batch->array.children[column], err) ||
                            bcp_encode_begin(&self(piece)->encoders[c], &piece->views[c], err)))
            return err->code;
    }
    return HAUL_OK;
}

static enum haul_code tell_losses(struct row_piece *piece, struct haul_error *err)
{
    struct collector *collector = piece->context.collector;
    for (size_t c = 0; collector && c < piece->columns; c++) {
        struct bcp_encoder *encoder = &self(piece)->encoders[c];
        const char *name = output_of(piece)->layout.fields[c].name;
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

/* ---- opening ---- */

static struct frame frame_of(const struct bcp_field *field)
{
    struct frame frame = {.prefix = (uint32_t)field->prefix,
                          .end = field->end,
                          .column = field->column - 1,
                          .wide = field->host == HOST_NCHAR,
                          .text = bcp_host_is_text(field->host)};
    if (!field->prefix && !field->end_length)
        frame.width = bcp_hosts[field->host].bytes ? bcp_hosts[field->host].bytes : field->length;
    if (!field->prefix && bcp_hosts[field->host].bytes && !field->column)
        frame.width = bcp_hosts[field->host].bytes;
    return frame;
}

static size_t columns_of(const struct row_output *output)
{
    return (size_t)((const struct bcp_output *)(const void *)output)->layout.count;
}

static enum haul_code open(struct row_piece *base, struct haul_error *err)
{
    struct bcp_piece *piece = self(base);
    const struct bcp_output *output = output_of(base);
    const size_t count = base->columns;
    piece->encoders = memory_alloc(NULL, count * sizeof *piece->encoders);
    piece->frames = memory_alloc(NULL, count * sizeof *piece->frames);
    piece->ends = memory_alloc(NULL, count * sizeof *piece->ends);
    if (piece->encoders)
        memset(piece->encoders, 0, count * sizeof *piece->encoders);
    if (!piece->encoders || !piece->frames || !piece->ends)
        return error_nomem(err, "the fields of a BCP file");
    piece->plain = true;
    for (size_t c = 0; c < count; c++) {
        const struct bcp_field *field = &output->layout.fields[c];
        piece->frames[c] = frame_of(field);
        piece->ends[c] = (struct cell_end){.length = field->end_length};
        memcpy(&piece->ends[c].word, field->end, field->end_length < END_FAST ? field->end_length : END_FAST);
        piece->plain &= !field->prefix && !piece->frames[c].width && field->end_length <= END_FAST;
        piece->around += sizeof(uint64_t) + BCP_END_BYTES_MAX + piece->frames[c].width;
        if (field->column &&
            bcp_encoder_init(&piece->encoders[c], field, &base->output->schema.fields[field->column - 1],
                             &output->options, base->context.memory, err))
            return err->code;
    }
    return HAUL_OK;
}

static void release(struct row_piece *base)
{
    struct bcp_piece *piece = self(base);
    const size_t count = base->columns;
    for (size_t c = 0; piece->encoders && c < count; c++)
        bcp_encoder_release(&piece->encoders[c]);
    memory_free(NULL, piece->encoders, count * sizeof *piece->encoders);
    memory_free(NULL, piece->frames, count * sizeof *piece->frames);
    memory_free(NULL, piece->ends, count * sizeof *piece->ends);
    piece->encoders = NULL;
    piece->frames = NULL;
    piece->ends = NULL;
}

const struct row_ops bcp_rows = {
    .title = "a BCP file",
    .output_size = sizeof(struct bcp_output),
    .piece_size = sizeof(struct bcp_piece),
    .head = bcp_output_head,
    .close = bcp_output_close,
    .columns = columns_of,
    .open = open,
    .begin = begin,
    .print = print,
    .room = room,
    .put = put,
    .written = tell_losses,
    .release = release,
};
