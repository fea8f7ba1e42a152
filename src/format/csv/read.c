/*
 * read.c: a part of a file into batches.
 *
 * Block by block: fill the window, find the records in it (block.h), then go over
 * them column by column (parse.h), so that the text of a block and the column
 * being made are both in the cache. A batch takes as many blocks as fit, and a
 * block may serve several batches.
 *
 * A record that is longer than the window makes it double, up to the largest
 * value that memory allows; so a quote that is never closed ends with an error
 * after a known number of bytes.
 */
#include "format/csv/reader.h"

#include <string.h>

static struct csv_reader *self(struct reader *reader)
{
    return (struct csv_reader *)(void *)reader;
}

/* ---- blocks ---- */

static enum haul_code not_closed(struct csv_reader *reader, struct haul_error *err)
{
    uint64_t line = csv_reader_line(reader, reader->block.quote_at);
    return error_set(
        err, HAUL_DATA,
        "line %llu: a quoted field that begins here is not closed before the end of the file; --quote "
        "none reads quotes as text",
        (unsigned long long)line);
}

static enum haul_code too_long(struct csv_reader *reader, struct haul_error *err)
{
    const struct csv_block *block = &reader->block;
    uint64_t line = block->quoted ? csv_reader_line(reader, block->quote_at) : reader->line;
    (void)window_error(
        reader->context.memory, reader->window.bytes.length,
        block->quoted ? "a record with a quote that is not closed so far (--quote none reads quotes as text)"
                      : "a record that does not end so far",
        err);
    return error_prefix(err, "line %llu", (unsigned long long)line);
}

/* The next complete records into the block. *end: there are none. */
static enum haul_code scan_more(struct csv_reader *reader, bool *end, struct haul_error *err)
{
    struct window *window = &reader->window;
    struct csv_block *block = &reader->block;
    const size_t columns = (size_t)reader->input->shape.schema.count;
    for (size_t want = csv_input_window(reader->input); want; want = window_grow(want, window->bytes_max)) {
        if (window_fill(window, reader->used, want, err))
            return err->code;
        reader->used = 0;
        struct csv_text text = {window->bytes.data, window->bytes.length, window->final};
        if (csv_block_scan(block, &reader->input->scan, columns, &text, err))
            return err->code;
        *end = block->bytes == 0 && window->final;
        if (block->bytes)
            return HAUL_OK;
        if (*end)
            return window->bytes.length ? not_closed(reader, err) : HAUL_OK;
    }
    return too_long(reader, err);
}

static enum haul_code next_block(struct csv_reader *reader, bool *end, struct haul_error *err)
{
    struct csv_block *block = &reader->block;
    if (reader->line_at)
        (void)csv_reader_line(reader, reader->used);
    else if (reader->used)
        reader->line += block->lines;
    reader->line_at = 0;
    csv_number_block(reader);
    reader->next_row = reader->next_misfit = 0;
    block->rows = block->misfit_count = 0;
    if (scan_more(reader, end, err) || *end)
        return err->code;
    reader->used = block->bytes;
    if (block->rows || block->misfit_count) {
        reader->due = reader->pending;
        reader->pending = (struct csv_blanks){0, 0};
    }
    if (block->blanks && !reader->pending.count)
        reader->pending.line = reader->line + block->lines - block->blanks;
    reader->pending.count += block->blanks;
    return HAUL_OK;
}

/* The next rows and misfits of the block, `most` at most. */
static struct csv_range next_range(const struct csv_reader *reader, int64_t most)
{
    const struct csv_block *block = &reader->block;
    struct csv_range range = {reader->next_row, reader->next_row, reader->next_misfit, reader->next_misfit};
    size_t left = (size_t)most;
    while (left) {
        bool misfits = range.misfit_end < block->misfit_count;
        size_t until = misfits ? block->misfits[range.misfit_end].rows_before : block->rows;
        if (range.row_end < until) {
            size_t step = until - range.row_end < left ? until - range.row_end : left;
            range.row_end += step;
            left -= step;
        } else if (misfits) {
            range.misfit_end++;
            left--;
        } else {
            break;
        }
    }
    return range;
}

static int64_t range_rows(const struct csv_range *range)
{
    return (int64_t)(range->row_end - range->row + range->misfit_end - range->misfit);
}

static void pass_range(struct csv_reader *reader, const struct csv_range *range)
{
    reader->row += range_rows(range);
    reader->next_row = range->row_end;
    reader->next_misfit = range->misfit_end;
}

/* ---- columns ---- */

static struct csv_slice slice_of(const struct csv_reader *reader, const struct csv_range *range,
                                 size_t column)
{
    const struct csv_block *block = &reader->block;
    const size_t columns = (size_t)reader->input->shape.schema.count;
    struct csv_slice slice = {.data = block->data, .stride = columns, .utf8 = block->utf8};
    slice.ends = block->ends + range->row * columns + column;
    slice.starts = column ? slice.ends - 1 : block->starts + range->row;
    slice.start_stride = column ? columns : 1;
    slice.start_add = column ? reader->input->scan.delimiter_length : 0;
    slice.rows = range->row_end - range->row;
    return slice;
}

static enum haul_code take_column(struct csv_reader *reader, const struct csv_range *range, int column,
                                  struct haul_error *err)
{
    struct csv_slice slice = slice_of(reader, range, (size_t)reader->input->places[column]);
    unsigned all = 0;
    if (reader->input->shape.dialect.trim && csv_slice_trim(&slice, &reader->trimmed, err))
        return err->code;
    if (csv_parse_column(&reader->parsers[column], &slice, &reader->builder.columns[column],
                         reader->flags.data, &all, err)) {
        uint64_t line = csv_reader_line(reader, reader->block.starts[range->row]);
        return error_prefix(err, "line %llu and following", (unsigned long long)line);
    }
    if (all & CSV_FIELD_REFUSED)
        return csv_refuse_fields(reader, range, (uint32_t)column, err);
    return HAUL_OK;
}

static size_t range_bytes(const struct csv_reader *reader, const struct csv_range *range)
{
    const size_t columns = (size_t)reader->input->shape.schema.count;
    if (range->row == range->row_end)
        return 0;
    return reader->block.ends[range->row_end * columns - 1] - reader->block.starts[range->row];
}

static enum haul_code take_range(struct csv_reader *reader, const struct csv_range *range,
                                 struct haul_error *err)
{
    const int count = reader->input->schema.count;
    const int64_t batch_row = reader->builder.columns[0].length;
    if (buffer_resize(&reader->flags, range->row_end - range->row, err))
        return err->code;
    for (int i = 0; i < count && range->row < range->row_end; i++)
        if (take_column(reader, range, i, err))
            return err->code;
    bool refused = range->misfit < range->misfit_end || reader->failures.length;
    return refused ? csv_refuse_range(reader, range, batch_row, err) : HAUL_OK;
}

/* ---- batches ---- */

static bool block_done(const struct csv_reader *reader)
{
    return reader->next_row == reader->block.rows && reader->next_misfit == reader->block.misfit_count;
}

/* Passes rows that an earlier reader of this part gave already. */
static enum haul_code skip_rows(struct csv_reader *reader, struct haul_error *err)
{
    bool end = false;
    while (reader->skip > 0 && !end) {
        if (reader->due.count) {
            uint64_t pass =
                reader->due.count < (uint64_t)reader->skip ? reader->due.count : (uint64_t)reader->skip;
            reader->due = (struct csv_blanks){reader->due.count - pass, reader->due.line + pass};
            reader->row += (int64_t)pass;
            reader->skip -= (int64_t)pass;
        } else if (!block_done(reader)) {
            struct csv_range range = next_range(reader, reader->skip);
            pass_range(reader, &range);
            reader->skip -= range_rows(&range);
        } else if (next_block(reader, &end, err)) {
            return err->code;
        }
    }
    return context_check(&reader->context, err);
}

static enum haul_code collect_rows(struct csv_reader *reader, int64_t most, struct haul_error *err)
{
    const int64_t last = reader->row + most;
    size_t bytes = 0;
    bool end = false;
    while (reader->row < last && bytes < BATCH_BYTES) {
        if (reader->due.count) {
            uint64_t left = (uint64_t)(last - reader->row);
            left = reader->due.count < left ? reader->due.count : left;
            if (csv_number_run(&reader->numbers, reader->due.line, left, err) ||
                csv_refuse_blanks(reader, left, err))
                return err->code;
            continue;
        }
        if (block_done(reader)) {
            if (next_block(reader, &end, err))
                return err->code;
            if (end)
                break;
            continue;
        }
        struct csv_range range = next_range(reader, last - reader->row);
        if (take_range(reader, &range, err) || csv_number_range(reader, &range, err))
            return err->code;
        bytes += range_bytes(reader, &range);
        pass_range(reader, &range);
    }
    return HAUL_OK;
}

/* Rows that were refused leave the batch. */
static enum haul_code drop_rows(struct csv_reader *reader, struct batch *batch, struct haul_error *err)
{
    size_t bytes = reader->dropped.length;
    if (bytes) {
        batch->dropped = memory_alloc(NULL, bytes);
        if (!batch->dropped)
            return error_nomem(err, "the places of refused rows");
        memcpy(batch->dropped, reader->dropped.data, bytes);
        batch->dropped_count = (int64_t)(bytes / sizeof *batch->dropped);
    }
    if (!reader->drop.length)
        return HAUL_OK;
    if (buffer_resize(&reader->drop, (size_t)batch->array.length / 8 + 1, err))
        return err->code;
    return batch_drop_rows(batch, reader->drop.data, reader->context.memory, err);
}

/* Columns as long as the last batch's from the start: growing costs moving. */
static enum haul_code expect_rows(struct csv_reader *reader, int64_t rows_max, struct haul_error *err)
{
    int64_t rows = reader->expected_rows < rows_max ? reader->expected_rows : rows_max;
    for (int i = 0; rows && i < reader->input->schema.count; i++)
        if (builder_reserve(&reader->builder.columns[i], rows, reader->expected_bytes[i], err))
            return err->code;
    return HAUL_OK;
}

static void expect_as_now(struct csv_reader *reader)
{
    reader->expected_rows = reader->builder.columns[0].length;
    for (int i = 0; i < reader->input->schema.count; i++) {
        size_t bytes = reader->builder.columns[i].data.length;
        reader->expected_bytes[i] = bytes && bytes < BATCH_BYTES ? bytes + bytes / 16 + 64 : 0;
    }
}

static enum haul_code reader_next(struct reader *base, int64_t rows_max, struct batch *batch, bool *end,
                                  struct haul_error *err)
{
    struct csv_reader *reader = self(base);
    memset(batch, 0, sizeof *batch);
    *end = false;
    buffer_clear(&reader->drop);
    buffer_clear(&reader->dropped);
    buffer_clear(&reader->failures);
    csv_number_clear(&reader->numbers);
    if (skip_rows(reader, err) || expect_rows(reader, rows_max, err))
        return err->code;
    const int64_t first = reader->row;
    if (collect_rows(reader, rows_max < BATCH_ROWS ? rows_max : BATCH_ROWS, err))
        return err->code;
    *end = reader->row == first;
    if (*end)
        return HAUL_OK;
    struct batch made = {0};
    expect_as_now(reader);
    if (batch_builder_finish(&reader->builder, &made, err))
        return err->code;
    made.part = reader->part;
    made.first_row = first;
    made.rows_offered = reader->row - first;
    if (csv_number_give(&reader->numbers, &made, err) || drop_rows(reader, &made, err)) {
        batch_release(&made);
        return err->code;
    }
    batch_move(&made, batch);
    return HAUL_OK;
}

/* ---- opening ---- */

static void reader_close(struct reader *base)
{
    struct csv_reader *reader = self(base);
    if (!reader)
        return;
    for (int i = 0; reader->parsers && i < reader->input->schema.count; i++)
        csv_parser_release(&reader->parsers[i]);
    memory_free(NULL, reader->parsers, (size_t)reader->input->schema.count * sizeof *reader->parsers);
    memory_free(NULL, reader->expected_bytes,
                (size_t)reader->input->schema.count * sizeof *reader->expected_bytes);
    batch_builder_release(&reader->builder);
    window_release(&reader->window);
    csv_layers_close(&reader->layers);
    csv_block_release(&reader->block);
    buffer_release(&reader->flags);
    buffer_release(&reader->trimmed);
    buffer_release(&reader->failures);
    buffer_release(&reader->drop);
    buffer_release(&reader->dropped);
    buffer_release(&reader->numbers.each);
    memory_free(NULL, reader, sizeof *reader);
}

static const struct reader_ops ops = {reader_next, reader_close};

static enum haul_code make_parsers(struct csv_reader *reader, struct haul_error *err)
{
    const struct csv_input *input = reader->input;
    size_t size = (size_t)input->schema.count * sizeof *reader->parsers;
    reader->parsers = memory_alloc(NULL, size);
    if (reader->parsers)
        memset(reader->parsers, 0, size);
    reader->expected_bytes = memory_alloc(NULL, (size_t)input->schema.count * sizeof *reader->expected_bytes);
    if (!reader->parsers || !reader->expected_bytes)
        return error_nomem(err, "the parsers of columns");
    for (int i = 0; i < input->schema.count; i++)
        if (csv_parser_init(&reader->parsers[i], &input->schema.fields[i],
                            input->shape.strict[input->places[i]], &input->shape.dialect,
                            reader->context.memory, err))
            return err->code;
    return HAUL_OK;
}

static void init_buffers(struct csv_reader *reader, struct memory *memory)
{
    csv_block_init(&reader->block, memory);
    buffer_init(&reader->flags, memory);
    buffer_init(&reader->trimmed, memory);
    buffer_init(&reader->failures, memory);
    buffer_init(&reader->drop, memory);
    buffer_init(&reader->dropped, memory);
    buffer_init(&reader->numbers.each, memory);
}

/* A text with layers is read from its start, however far behind it the rows begin. */
static enum haul_code open_text(struct csv_reader *reader, int64_t from, struct haul_error *err)
{
    struct csv_input *input = reader->input;
    struct window *window = &reader->window;
    size_t drop = 0;
    if (csv_layers_open(&input->layers, input->file, &reader->context, &reader->layers, err))
        return err->code;
    reader->text.file = csv_layers_top(&reader->layers, input->file);
    window->from = &reader->text;
    window->at = 0;
    while (window->at + (int64_t)window->bytes.length < from && !window->final) {
        int64_t left = from - window->at - (int64_t)drop;
        size_t want = left < (int64_t)WINDOW_BYTES ? (size_t)left : WINDOW_BYTES;
        if (window_fill(window, drop, want, err))
            return err->code;
        drop = window->bytes.length;
    }
    return window_fill(window, drop, 0, err);
}

enum haul_code csv_reader_open(struct format_input *base, const struct context *context,
                               const struct part *part, int64_t first_row, struct reader **out,
                               struct haul_error *err)
{
    struct csv_input *input = (struct csv_input *)(void *)base;
    struct csv_part piece;
    if (csv_part_parse(input, part->spec, &piece, err))
        return err->code;
    struct csv_reader *reader = memory_alloc(NULL, sizeof *reader);
    if (!reader)
        return error_nomem(err, "a reader");
    memset(reader, 0, sizeof *reader);
    reader->base.ops = &ops;
    reader->input = input;
    reader->context = *context;
    reader->part = part->index;
    reader->line = piece.line;
    reader->skip = first_row;
    window_init(&reader->window, &input->bytes, piece.from, piece.to, context->memory);
    init_buffers(reader, context->memory);
    if ((csv_input_reopens(input) && open_text(reader, piece.from, err)) || make_parsers(reader, err) ||
        batch_builder_init(&reader->builder, &input->schema, context->memory, err)) {
        reader_close(&reader->base);
        return err->code;
    }
    *out = &reader->base;
    return HAUL_OK;
}
