/*
 * read.c: a file into batches.
 *
 * Block by block: fill the window, find the rows in it (frame.h), go over them column
 * by column (column.h), so that the bytes of a block and the column being made are
 * both in the cache. A row longer than the window makes it double, up to the largest
 * value that memory allows; so a terminator that never comes ends with an error after
 * a known number of bytes.
 */
#include "format/bcp/column.h"
#include "format/bcp/input.h"

#include "base/utf16.h"
#include <stdio.h>
#include <string.h>

#define BLOCK_ROWS  1024
#define BLOCK_SPANS 65536
#define PLACE_BYTES 32

struct bcp_reader {
    struct reader base;
    struct bcp_input *input;
    struct context context;
    uint64_t part;
    struct input_file *unpacked;
    struct file_bytes bytes;
    struct window window;
    bool begun;  /* the mark at the start is passed */
    size_t used; /* bytes of the window that are done */
    struct buffer spans;
    struct bcp_run run; /* of the block at hand */
    size_t next;        /* its first row that is not taken */
    int64_t file_row;   /* from 0: of that row */
    int64_t row;        /* place in the part */
    bool lines;         /* somebody wants whole rows that are refused */
    int64_t skip;       /* rows of the part to pass over first */
    struct bcp_decoder *decoders;
    struct batch_builder builder;
    struct buffer flags;    /* a byte per row */
    struct buffer faults;   /* struct fault per row, of the rows being taken */
    struct buffer drop;     /* bits of rows of the batch, */
    bool refused;           /* of which some are set */
    struct haul_error held; /* of what is behind the rows that were given away */
};

struct fault {
    uint16_t column, fault;
};

static struct bcp_reader *self(struct reader *reader)
{
    return (struct bcp_reader *)(void *)reader;
}

/* ---- blocks ---- */

static enum haul_code row_error(const struct bcp_reader *reader, const char *what, struct haul_error *err)
{
    const struct bcp_input *input = reader->input;
    const struct bcp_field *field = &input->layout.fields[reader->run.field];
    long long row = (long long)(reader->file_row + (int64_t)reader->run.rows + 1);
    return error_set(err, HAUL_DATA, "row %lld, field %d%s%s%s: %s", row, reader->run.field + 1,
                     field->name[0] ? " (" : "", field->name, field->name[0] ? ")" : "", what);
}

static enum haul_code too_long(const struct bcp_reader *reader, struct haul_error *err)
{
    const struct bcp_field *field = &reader->input->layout.fields[reader->run.field];
    long long row = (long long)(reader->file_row + 1);
    (void)window_error(reader->context.memory, reader->window.bytes.length,
                       field->end_length && !field->prefix ? "a field whose terminator does not come so far"
                                                           : "a row that does not end so far",
                       err);
    return error_prefix(err, "row %lld, field %d (%s)", row, reader->run.field + 1, field->name);
}

static void pass_mark(struct bcp_reader *reader)
{
    const struct buffer *bytes = &reader->window.bytes;
    if (!reader->begun)
        reader->used +=
            bcp_mark_bytes(reader->input, bytes->data + reader->used, bytes->length - reader->used);
    reader->begun = true;
}

/* The next complete rows. *end: there are none. */
static enum haul_code next_block(struct bcp_reader *reader, bool *end, struct haul_error *err)
{
    struct window *window = &reader->window;
    struct bcp_run *run = &reader->run;
    const size_t rows_max = run->rows_max;
    struct bcp_span *spans = (struct bcp_span *)(void *)reader->spans.data;
    reader->next = run->rows = 0;
    for (size_t want = reader->input->window_bytes; want; want = window_grow(want, window->bytes_max)) {
        const size_t least = reader->begun || want > BCP_MARK_BYTES ? want : BCP_MARK_BYTES;
        if (context_check(&reader->context, err) || window_fill(window, reader->used, least, err))
            return err->code;
        reader->used = 0;
        pass_mark(reader);
        *run = (struct bcp_run){.data = window->bytes.data + reader->used,
                                .length = window->bytes.length - reader->used,
                                .final = window->final,
                                .spans = spans,
                                .rows_max = rows_max};
        bcp_frame_run(&reader->input->frame, run);
        if (run->rows) {
            reader->used += run->bytes;
            return HAUL_OK;
        }
        *end = run->length == 0 && window->final;
        if (*end)
            return HAUL_OK;
        if (run->state == FRAMED_BAD)
            return row_error(reader, run->why, err);
        if (window->final)
            return row_error(
                reader, "Unexpected EOF encountered in BCP data-file: the file ends inside this row", err);
    }
    return too_long(reader, err);
}

/* ---- refusing ---- */

static enum haul_code append_value(struct bcp_reader *reader, int column, struct bcp_span span,
                                   struct buffer *out, struct haul_error *err)
{
    struct bcp_decoder *decoder = &reader->decoders[column];
    const char *text = "";
    const uint8_t *bytes;
    size_t length = 0;
    decoder->err = err;
    if (span.length == SPAN_NULL)
        return HAUL_OK;
    if (bcp_host_is_text(decoder->stored->host) &&
        bcp_field_text(decoder, reader->run.data, span, &text, &length) <= FAULT_TRUNCATED &&
        !decoder->failed)
        return buffer_append(out, text, length, err);
    if (!bcp_span_bytes(decoder, reader->run.data, span, &bytes, &length))
        return err->code;
    if (bcp_host_is_text(decoder->stored->host))
        return buffer_append(out, bytes, length, err);
    if (length > COLLECTOR_VALUE_BYTES)
        length = COLLECTOR_VALUE_BYTES;
    for (size_t i = 0; i < length; i++)
        if (buffer_printf(out, err, i ? "%02x" : "0x%02x", bytes[i]))
            return err->code;
    return HAUL_OK;
}

/* A field that no column has, as it stands there; UTF-16 is turned as far as it can be. */
static enum haul_code append_skipped(const struct bcp_reader *reader, int field, struct bcp_span span,
                                     struct buffer *out, struct haul_error *err)
{
    const uint8_t *bytes = reader->run.data + span.at;
    size_t written;
    if (span.length >= SPAN_CHUNKED)
        return HAUL_OK;
    if (reader->input->layout.fields[field].host != HOST_NCHAR)
        return buffer_append(out, bytes, span.length, err);
    if (buffer_reserve(out, UTF16_GROWTH(span.length / 2), err))
        return err->code;
    utf16_to_utf8(bytes, span.length / 2, out->data + out->length, &written);
    out->length += written;
    return HAUL_OK;
}

/* All fields of the row as text, each with a tab behind it. */
static enum haul_code append_line(struct bcp_reader *reader, const struct bcp_span *spans, struct buffer *out,
                                  struct haul_error *err)
{
    const struct bcp_input *input = reader->input;
    for (int i = 0; i < input->frame.count; i++) {
        int column = 0;
        while (column < input->schema.count && input->fields[column] != i)
            column++;
        enum haul_code code = HAUL_OK;
        if (column < input->schema.count)
            code = append_value(reader, column, spans[i], out, err);
        else
            code = append_skipped(reader, i, spans[i], out, err);
        if (code || buffer_append(out, "\t", 1, err))
            return err->code;
    }
    return HAUL_OK;
}

static enum haul_code refuse(struct bcp_reader *reader, size_t block_row, struct fault fault,
                             struct haul_error *err)
{
    const struct bcp_input *input = reader->input;
    const int stored = input->fields[fault.column];
    const struct bcp_span *spans = reader->run.spans + block_row * (size_t)input->frame.count;
    struct buffer value, line;
    char place[PLACE_BYTES];
    const int64_t offset = (int64_t)(block_row - reader->next);
    (void)snprintf(place, sizeof place, "row %lld", (long long)(reader->file_row + offset + 1));
    buffer_init(&value, NULL);
    buffer_init(&line, NULL);
    enum haul_code code = append_value(reader, fault.column, spans[stored], &value, err);
    if (!code && reader->lines)
        code = append_line(reader, spans, &line, err);
    struct reject reject = {.part = reader->part,
                            .row = reader->row + offset,
                            .place = place,
                            .field = stored + 1,
                            .column = input->schema.fields[fault.column].name,
                            .reason = bcp_faults[fault.fault],
                            .value = (const char *)value.data,
                            .value_length = value.length,
                            .line = (const char *)line.data,
                            .line_length = line.length};
    if (!code)
        code = collector_reject(reader->context.collector, HAUL_DATA, &reject, err);
    buffer_release(&value);
    buffer_release(&line);
    return code;
}

static enum haul_code refuse_rows(struct bcp_reader *reader, size_t rows, int64_t batch_row,
                                  struct haul_error *err)
{
    const struct fault *faults = (const struct fault *)(const void *)reader->faults.data;
    if (buffer_resize(&reader->drop, (size_t)(batch_row + (int64_t)rows) / 8 + 1, err))
        return err->code;
    for (size_t r = 0; r < rows; r++) {
        if (!faults[r].fault)
            continue;
        if (refuse(reader, reader->next + r, faults[r], err))
            return err->code;
        bit_set(reader->drop.data, batch_row + (int64_t)r);
        reader->refused = true;
    }
    return HAUL_OK;
}

/* ---- columns ---- */

static void note_faults(struct bcp_reader *reader, size_t rows, int column)
{
    struct fault *faults = (struct fault *)(void *)reader->faults.data;
    for (size_t r = 0; r < rows; r++)
        if (reader->flags.data[r] > FAULT_NULL && !faults[r].fault)
            faults[r] = (struct fault){(uint16_t)column, reader->flags.data[r]};
}

static enum haul_code take_column(struct bcp_reader *reader, size_t rows, int column, bool *refused,
                                  struct haul_error *err)
{
    const struct bcp_input *input = reader->input;
    const size_t stride = (size_t)input->frame.count;
    struct bcp_slice slice = {.data = reader->run.data,
                              .spans = reader->run.spans + reader->next * stride + input->fields[column],
                              .stride = stride,
                              .rows = rows};
    bool faults = false;
    if (bcp_decode_column(&reader->decoders[column], &slice, &reader->builder.columns[column],
                          reader->flags.data, &faults, err))
        return error_prefix(err, "row %lld and following", (long long)reader->file_row + 1);
    if (!faults)
        return HAUL_OK;
    if (!*refused) {
        buffer_clear(&reader->faults);
        if (buffer_resize(&reader->faults, rows * sizeof(struct fault), err))
            return err->code;
    }
    *refused = true;
    note_faults(reader, rows, column);
    return HAUL_OK;
}

static enum haul_code take_rows(struct bcp_reader *reader, size_t rows, struct haul_error *err)
{
    const int64_t batch_row = reader->builder.columns[0].length;
    bool refused = false;
    if (buffer_resize(&reader->flags, rows, err))
        return err->code;
    for (int i = 0; i < reader->input->schema.count; i++)
        if (take_column(reader, rows, i, &refused, err))
            return err->code;
    return refused ? refuse_rows(reader, rows, batch_row, err) : HAUL_OK;
}

static void pass_rows(struct bcp_reader *reader, size_t rows, bool of_part)
{
    reader->next += rows;
    reader->file_row += (int64_t)rows;
    reader->row += of_part ? (int64_t)rows : 0;
}

/* ---- batches ---- */

/* Rows of the block that may be taken now: not those before --first-row or behind
 * --last-row. */
static size_t rows_left(const struct bcp_reader *reader)
{
    const struct bcp_options *options = &reader->input->options;
    size_t left = reader->run.rows - reader->next;
    if (options->last_row && reader->file_row + (int64_t)left > options->last_row)
        left = reader->file_row >= options->last_row ? 0 : (size_t)(options->last_row - reader->file_row);
    return left;
}

static bool past_last(const struct bcp_reader *reader)
{
    const int64_t last = reader->input->options.last_row;
    return last && reader->file_row >= last;
}

static enum haul_code skip_rows(struct bcp_reader *reader, bool *end, struct haul_error *err)
{
    const int64_t before = reader->input->options.first_row - 1;
    while (!*end && (reader->file_row < before || reader->skip > 0)) {
        bool of_part = reader->file_row >= before;
        int64_t wanted = of_part ? reader->skip : before - reader->file_row;
        size_t left = rows_left(reader);
        if (past_last(reader)) {
            *end = true;
        } else if (left) {
            left = (int64_t)left < wanted ? left : (size_t)wanted;
            pass_rows(reader, left, of_part);
            reader->skip -= of_part ? (int64_t)left : 0;
        } else if (next_block(reader, end, err)) {
            return err->code;
        }
    }
    return HAUL_OK;
}

/* What was read before an error is given away first. */
static enum haul_code hold(struct bcp_reader *reader, int64_t first, struct haul_error *err)
{
    if (reader->row == first)
        return err->code;
    reader->held = *err;
    *err = (struct haul_error){0};
    return HAUL_OK;
}

static enum haul_code collect_rows(struct bcp_reader *reader, int64_t most, struct haul_error *err)
{
    size_t bytes = 0;
    bool end = false;
    const int64_t first = reader->row, last = first + most;
    if (skip_rows(reader, &end, err))
        return err->code;
    while (!end && !reader->held.code && reader->row < last && bytes < BATCH_BYTES && !past_last(reader)) {
        size_t left = rows_left(reader);
        if (!left) {
            if (next_block(reader, &end, err))
                return hold(reader, first, err);
            bytes += reader->run.bytes;
            continue;
        }
        left = (int64_t)left < last - reader->row ? left : (size_t)(last - reader->row);
        if (take_rows(reader, left, err))
            return err->code;
        pass_rows(reader, left, true);
    }
    return HAUL_OK;
}

static enum haul_code tell_losses(struct bcp_reader *reader, struct haul_error *err)
{
    struct collector *collector = reader->context.collector;
    for (int i = 0; i < reader->input->schema.count; i++) {
        struct bcp_decoder *decoder = &reader->decoders[i];
        const char *name = decoder->field->name;
        if (collector && decoder->lost && collector_loss(collector, name, "100 ns digit", decoder->lost, err))
            return err->code;
        if (collector && decoder->lost_offsets &&
            collector_loss(collector, name, "offset", decoder->lost_offsets, err))
            return err->code;
        decoder->lost = decoder->lost_offsets = 0;
    }
    return HAUL_OK;
}

static enum haul_code drop_rows(struct bcp_reader *reader, struct batch *batch, struct haul_error *err)
{
    if (!reader->refused)
        return HAUL_OK;
    if (buffer_resize(&reader->drop, (size_t)batch->array.length / 8 + 1, err))
        return err->code;
    return batch_drop_rows(batch, reader->drop.data, reader->context.memory, err);
}

static enum haul_code reader_next(struct reader *base, int64_t rows_max, struct batch *batch, bool *end,
                                  struct haul_error *err)
{
    struct bcp_reader *reader = self(base);
    memset(batch, 0, sizeof *batch);
    *end = false;
    if (reader->held.code) {
        *err = reader->held;
        return err->code;
    }
    buffer_clear(&reader->drop);
    reader->refused = false;
    if (skip_rows(reader, end, err))
        return err->code;
    const int64_t first = reader->row, number = reader->file_row + 1;
    if (!*end && collect_rows(reader, rows_max < BATCH_ROWS ? rows_max : BATCH_ROWS, err))
        return err->code;
    *end = reader->row == first;
    if (*end)
        return HAUL_OK;
    struct batch made = {0};
    if (tell_losses(reader, err) || batch_builder_finish(&reader->builder, &made, err))
        return err->code;
    made.part = reader->part;
    made.first_row = first;
    made.rows_offered = reader->row - first;
    made.number_word = "row";
    made.number_first = number;
    if (drop_rows(reader, &made, err)) {
        batch_release(&made);
        return err->code;
    }
    batch_move(&made, batch);
    return HAUL_OK;
}

/* ---- opening ---- */

static void reader_close(struct reader *base)
{
    struct bcp_reader *reader = self(base);
    if (!reader)
        return;
    const size_t count = (size_t)reader->input->schema.count;
    for (size_t i = 0; reader->decoders && i < count; i++)
        bcp_decoder_release(&reader->decoders[i]);
    memory_free(NULL, reader->decoders, count * sizeof *reader->decoders);
    batch_builder_release(&reader->builder);
    window_release(&reader->window);
    if (reader->unpacked)
        reader->unpacked->ops->close(reader->unpacked);
    buffer_release(&reader->bytes.head);
    buffer_release(&reader->spans);
    buffer_release(&reader->flags);
    buffer_release(&reader->faults);
    buffer_release(&reader->drop);
    memory_free(NULL, reader, sizeof *reader);
}

static const struct reader_ops ops = {reader_next, reader_close};

static enum haul_code make_decoders(struct bcp_reader *reader, struct haul_error *err)
{
    const struct bcp_input *input = reader->input;
    const size_t count = (size_t)input->schema.count;
    reader->decoders = memory_alloc(NULL, count * sizeof *reader->decoders);
    if (!reader->decoders)
        return error_nomem(err, "the columns of a BCP file");
    memset(reader->decoders, 0, count * sizeof *reader->decoders);
    for (size_t i = 0; i < count; i++)
        if (bcp_decoder_init(&reader->decoders[i], &input->layout.fields[input->fields[i]],
                             &input->schema.fields[i], &input->options, reader->context.memory, err))
            return err->code;
    return HAUL_OK;
}

static enum haul_code make_spans(struct bcp_reader *reader, struct haul_error *err)
{
    const size_t fields = (size_t)reader->input->frame.count;
    size_t rows = BLOCK_SPANS / fields;
    rows = rows > BLOCK_ROWS ? BLOCK_ROWS : rows;
    reader->run.rows_max = rows;
    return buffer_reserve(&reader->spans, rows * fields * sizeof(struct bcp_span), err);
}

static enum haul_code open_bytes(struct bcp_reader *reader, const struct part *part, struct haul_error *err)
{
    struct bcp_input *input = reader->input;
    struct bcp_place from;
    int64_t to;
    if (bcp_part_read(input, part->spec, &from, &to, err))
        return err->code;
    reader->file_row = from.row;
    reader->begun = from.byte > 0;
    reader->bytes.file = input->file;
    buffer_init(&reader->bytes.head, NULL);
    if (input->packing != PACKING_NONE) {
        if (decompress_open(input->file, input->packing, NULL, &reader->context, &reader->unpacked, err))
            return err->code;
        reader->bytes.file = reader->unpacked;
    } else if (input->head.length &&
               buffer_append(&reader->bytes.head, input->head.data, input->head.length, err)) {
        return err->code;
    }
    window_init(&reader->window, &reader->bytes, from.byte, to, reader->context.memory);
    return HAUL_OK;
}

enum haul_code bcp_reader_open(struct format_input *base, const struct context *context,
                               const struct part *part, int64_t first_row, struct reader **out,
                               struct haul_error *err)
{
    struct bcp_reader *reader = memory_alloc(NULL, sizeof *reader);
    if (!reader)
        return error_nomem(err, "a reader");
    memset(reader, 0, sizeof *reader);
    reader->base.ops = &ops;
    reader->input = (struct bcp_input *)(void *)base;
    reader->context = *context;
    reader->part = part->index;
    reader->skip = first_row;
    reader->lines = context->collector && context->collector->limit && context->collector->limit->tell;
    buffer_init(&reader->spans, context->memory);
    buffer_init(&reader->flags, context->memory);
    buffer_init(&reader->faults, context->memory);
    buffer_init(&reader->drop, context->memory);
    if (open_bytes(reader, part, err) || make_spans(reader, err) || make_decoders(reader, err) ||
        batch_builder_init(&reader->builder, &reader->input->schema, context->memory, err)) {
        reader_close(&reader->base);
        return err->code;
    }
    *out = &reader->base;
    return HAUL_OK;
}
