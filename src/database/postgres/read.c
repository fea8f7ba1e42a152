/*
 * read.c: a binary COPY, row by row into batches.
 *
 * The stream (COPY, "Binary Format"): a signature, flags, an extension, then
 * rows: a count of fields, for each its length (-1: NULL) and bytes; -1 for the
 * count is the end. The server sends one row in a message, the signature with
 * the first; a message may hold any number of whole rows here.
 *
 * A batch ends at the rows asked for, at what its columns hold in BATCH_BYTES,
 * or when the messages so far had as much. A row with a misfit goes to the
 * collector; its place is filled with NULLs and dropped, because builders do not
 * go backwards. Text is looked at as a whole, column by column: when all of it
 * is UTF-8 and no value begins in the middle of a character, each value is.
 *
 * Limit: libpq holds a whole row before we see its length (at most 1 GiB).
 */
#include "database/postgres/decode.h"
#include "database/postgres/wire.h"

#include "base/unicode.h"
#include <stdlib.h>

#define SIGNATURE       "PGCOPY\n\377\r\n"
#define SIGNATURE_BYTES 11
#define HEAD_BYTES      (SIGNATURE_BYTES + 8)
#define CRITICAL_FLAGS  0xffff0000u
#define IS_NULL         0xffffffffu

struct postgres_reader {
    struct reader base;
    struct postgres_source *source;
    struct context context;
    struct slot *slot;
    struct batch_builder builder;
    struct decoder *decoders;
    struct buffer drops;  /* a bit per row of the batch */
    int64_t rows_dropped; /* of the batch */
    uint64_t part;
    int64_t row;       /* place in the part of the batch's first row */
    int64_t rows_most; /* in a batch, by the width of fixed columns */
    bool started, ended;
    char *message; /* libpq's */
    const uint8_t *at, *end;
};

static enum haul_code malformed(const struct postgres_reader *reader, const char *what,
                                struct haul_error *err)
{
    return error_set(err, HAUL_DATA, "%s: the server's COPY stream is malformed: %s",
                     reader->source->server.name, what);
}

/* ---- messages ---- */

static enum haul_code take_head(struct postgres_reader *reader, struct haul_error *err)
{
    size_t length = (size_t)(reader->end - reader->at);
    if (length < HEAD_BYTES || memcmp(reader->at, SIGNATURE, SIGNATURE_BYTES) != 0)
        return malformed(reader, "no signature", err);
    if (wire_u32(reader->at + SIGNATURE_BYTES) & CRITICAL_FLAGS)
        return malformed(reader, "unknown flags", err);
    uint32_t extension = wire_u32(reader->at + SIGNATURE_BYTES + 4);
    if (extension > length - HEAD_BYTES)
        return malformed(reader, "its header's extension is longer than the message", err);
    reader->at += HEAD_BYTES + extension;
    reader->started = true;
    return HAUL_OK;
}

/* Until there are bytes, or the end. */
static enum haul_code next_message(struct postgres_reader *reader, size_t *bytes, struct haul_error *err)
{
    while (reader->at == reader->end && !reader->ended) {
        int length = 0;
        PQfreemem(reader->message);
        reader->message = NULL;
        if (pg_copy_row(&reader->slot->connection, &reader->message, &length, err))
            return err->code;
        reader->ended = !reader->message;
        reader->at = (const uint8_t *)reader->message;
        reader->end = reader->message ? reader->at + length : reader->at;
        *bytes += reader->message ? (size_t)length : 0;
        if (!reader->ended && !reader->started && take_head(reader, err))
            return err->code;
    }
    return HAUL_OK;
}

/* ---- one row ---- */

static enum haul_code reject_value(struct postgres_reader *reader, int column, int64_t index,
                                   const char *reason, struct haul_error *err)
{
    struct reject reject = {.part = reader->part,
                            .row = reader->row + index,
                            .column = reader->source->schema.fields[column].name,
                            .reason = reason};
    return collector_reject(reader->context.collector, HAUL_VALUE, &reject, err);
}

static enum haul_code mark_drop(struct postgres_reader *reader, int64_t index, struct haul_error *err)
{
    size_t needs = (size_t)index / 8 + 1;
    if (reader->drops.length < needs && buffer_resize(&reader->drops, needs, err))
        return err->code;
    reader->rows_dropped += !bit_get(reader->drops.data, index);
    bit_set(reader->drops.data, index);
    return HAUL_OK;
}

/* Fills columns `from` and after with NULLs in a row that will be dropped; *at
 * goes to its end. */
static enum haul_code skip_fields(struct postgres_reader *reader, int from, const uint8_t **at,
                                  struct haul_error *err)
{
    for (int i = from; i < reader->source->schema.count; i++) {
        if (builder_append_null(&reader->builder.columns[i], err))
            return err->code;
        if (reader->end - *at < 4)
            return malformed(reader, "a row is cut", err);
        uint32_t length = wire_u32(*at);
        *at += 4;
        if (length == IS_NULL)
            continue;
        if (length > (size_t)(reader->end - *at))
            return malformed(reader, "a field is longer than its row", err);
        *at += length;
    }
    return HAUL_OK;
}

static enum haul_code drop_row(struct postgres_reader *reader, int column, int64_t index, const char *reason,
                               struct haul_error *err)
{
    if (reject_value(reader, column, index, reason, err) || mark_drop(reader, index, err))
        return err->code;
    return skip_fields(reader, column, &reader->at, err);
}

/* reader->at goes behind the row; it stands at the field when that is a misfit. */
static enum haul_code read_fields(struct postgres_reader *reader, int64_t index, struct haul_error *err)
{
    int count = reader->source->schema.count;
    const uint8_t *at = reader->at, *end = reader->end;
    for (int i = 0; i < count; i++) {
        struct decoder *decoder = &reader->decoders[i];
        if (end - at < 4)
            return malformed(reader, "a row is cut", err);
        uint32_t length = wire_u32(at);
        if (length == IS_NULL) {
            if (builder_append_null(decoder->builder, err))
                return err->code;
            at += 4;
            continue;
        }
        if (length > (size_t)(end - at) - 4)
            return malformed(reader, "a field is longer than its row", err);
        if (decoder->decode(decoder, at + 4, length, err))
            return err->code;
        if (__builtin_expect(decoder->misfit != NULL, 0)) {
            const char *why = decoder->misfit;
            decoder->misfit = NULL;
            reader->at = at;
            return drop_row(reader, i, index, why, err);
        }
        at += 4 + (size_t)length;
    }
    reader->at = at;
    return HAUL_OK;
}

/* *row false: that was the end of the stream. */
static enum haul_code read_row(struct postgres_reader *reader, int64_t index, bool *row,
                               struct haul_error *err)
{
    if (reader->end - reader->at < 2)
        return malformed(reader, "a row is cut", err);
    uint16_t fields = wire_u16(reader->at);
    reader->at += 2;
    *row = fields != 0xffff;
    if (!*row)
        return reader->at == reader->end ? HAUL_OK : malformed(reader, "bytes after its end", err);
    if (fields != reader->source->schema.count)
        return malformed(reader, "a row has another number of fields", err);
    return read_fields(reader, index, err);
}

/* ---- a batch ---- */

static enum haul_code reserve(struct postgres_reader *reader, int64_t rows, struct haul_error *err)
{
    for (int i = 0; i < reader->source->schema.count; i++)
        if (builder_reserve(&reader->builder.columns[i], rows, 0, err))
            return err->code;
    return HAUL_OK;
}

static enum haul_code fill(struct postgres_reader *reader, int64_t rows_max, int64_t *rows,
                           struct haul_error *err)
{
    size_t bytes = 0;
    bool row = true;
    if (reserve(reader, rows_max, err))
        return err->code;
    for (*rows = 0; *rows < rows_max && bytes < BATCH_BYTES; *rows += row) {
        if (reader->at == reader->end && next_message(reader, &bytes, err))
            return err->code;
        if (reader->ended)
            return HAUL_OK;
        if (read_row(reader, *rows, &row, err))
            return err->code;
    }
    return HAUL_OK;
}

static bool starts_are_good(const struct view *view)
{
    for (int64_t i = 0; i < view->length; i++)
        if (view->offsets[i] < view->offsets[i + 1] && (view->data[view->offsets[i]] & 0xc0) == 0x80)
            return false;
    return true;
}

static enum haul_code check_text(struct postgres_reader *reader, const struct batch *batch, int column,
                                 struct haul_error *err)
{
    struct view view;
    const struct field *field = &reader->source->schema.fields[column];
    if (view_init(&view, field, batch->array.children[column], err))
        return err->code;
    if (field->type == TYPE_LIST) {
        struct view list = view;
        if (view_child(&list, 0, &view, err))
            return err->code;
    }
    if (view.field->type != TYPE_UTF8 || view.length == 0 ||
        (unicode_is_valid(view.data, (size_t)view.offsets[view.length]) && starts_are_good(&view)))
        return HAUL_OK;
    if (field->type == TYPE_LIST)
        return error_set(err, HAUL_DATA, "column \"%s\": an item is not UTF-8", field->name);
    for (int64_t i = 0; i < view.length; i++) {
        size_t length = (size_t)(view.offsets[i + 1] - view.offsets[i]);
        if (!unicode_is_valid(view.data + view.offsets[i], length) &&
            (reject_value(reader, column, i, "text that is not UTF-8", err) || mark_drop(reader, i, err)))
            return err->code;
    }
    return HAUL_OK;
}

static enum haul_code finish_batch(struct postgres_reader *reader, int64_t rows, struct batch *batch,
                                   struct haul_error *err)
{
    batch->part = reader->part;
    batch->first_row = reader->row;
    batch->rows_offered = rows;
    for (int i = 0; i < reader->source->schema.count; i++)
        if (check_text(reader, batch, i, err))
            return err->code;
    if (reader->rows_dropped && (buffer_resize(&reader->drops, (size_t)(rows + 7) / 8, err) ||
                                 batch_drop_rows(batch, reader->drops.data, reader->context.memory, err)))
        return err->code;
    buffer_clear(&reader->drops);
    reader->rows_dropped = 0;
    reader->row += rows;
    return HAUL_OK;
}

static enum haul_code reader_next(struct reader *base, int64_t rows_max, struct batch *batch, bool *end,
                                  struct haul_error *err)
{
    struct postgres_reader *reader = (struct postgres_reader *)base;
    int64_t rows = 0;
    *batch = (struct batch){0};
    *end = false;
    if (context_check(&reader->context, err) ||
        fill(reader, rows_max < reader->rows_most ? rows_max : reader->rows_most, &rows, err))
        return err->code;
    if (rows == 0) {
        *end = true;
        return HAUL_OK;
    }
    if (batch_builder_finish(&reader->builder, batch, err))
        return err->code;
    if (finish_batch(reader, rows, batch, err)) {
        batch_release(batch);
        return err->code;
    }
    return HAUL_OK;
}

/* ---- opening ---- */

static void reader_close(struct reader *base)
{
    struct postgres_reader *reader = (struct postgres_reader *)base;
    PQfreemem(reader->message);
    for (int i = 0; reader->decoders && i < reader->source->schema.count; i++)
        pg_decoder_release(&reader->decoders[i]);
    free(reader->decoders);
    batch_builder_release(&reader->builder);
    buffer_release(&reader->drops);
    if (reader->slot)
        pg_slot_return(reader->source, reader->slot);
    free(reader);
}

static const struct reader_ops reader_ops = {.next = reader_next, .close = reader_close};

/* What may be in a batch so that its fixed columns stay within BATCH_BYTES. */
static int64_t rows_by_width(const struct schema *schema)
{
    int64_t width = 1;
    for (int i = 0; i < schema->count; i++)
        width +=
            type_table[schema->fields[i].type].layout == LAYOUT_FIXED ? field_width(&schema->fields[i]) : 4;
    int64_t rows = (int64_t)BATCH_BYTES / width;
    return rows < 1 ? 1 : rows < BATCH_ROWS ? rows : BATCH_ROWS;
}

static enum haul_code make_decoders(struct postgres_reader *reader, struct haul_error *err)
{
    const struct postgres_source *source = reader->source;
    reader->decoders = calloc((size_t)source->schema.count + 1, sizeof *reader->decoders);
    if (!reader->decoders)
        return error_nomem(err, "a reader");
    for (int i = 0; i < source->schema.count; i++)
        if (pg_decoder_init(&reader->decoders[i], &source->columns[i], &reader->builder.columns[i], err))
            return err->code;
    return HAUL_OK;
}

static enum haul_code start(struct postgres_reader *reader, const struct part *part, struct haul_error *err)
{
    struct range range;
    struct sql sql = {.dialect = &pg_dialect};
    if (pg_range_parse(reader->source, part->spec, &range, err))
        return err->code;
    if (pg_slot_take(reader->source, &reader->context, &reader->slot, err))
        return err->code;
    enum haul_code code = pg_select_copy(reader->source, &range, &sql, err);
    if (!code)
        code = pg_copy_begin(&reader->slot->connection, sql_text(&sql, err), PGRES_COPY_OUT, err);
    sql_release(&sql);
    return code;
}

/* Passes over the rows before the first: the same scan of the same snapshot. */
static enum haul_code pass_over(struct postgres_reader *reader, int64_t rows, struct haul_error *err)
{
    while (reader->row < rows) {
        struct batch batch;
        bool end;
        if (reader_next(&reader->base, rows - reader->row, &batch, &end, err))
            return err->code;
        batch_release(&batch);
        if (end)
            break;
    }
    return HAUL_OK;
}

enum haul_code pg_source_read(struct source *base, const struct context *context, const struct part *part,
                              int64_t first_row, struct reader **out, struct haul_error *err)
{
    struct postgres_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return error_nomem(err, "a reader");
    reader->base.ops = &reader_ops;
    reader->source = (struct postgres_source *)base;
    reader->context = *context;
    reader->part = part->index;
    reader->rows_most = rows_by_width(&reader->source->schema);
    buffer_init(&reader->drops, context->memory);
    if (batch_builder_init(&reader->builder, &reader->source->schema, context->memory, err) ||
        make_decoders(reader, err) || start(reader, part, err) || pass_over(reader, first_row, err)) {
        reader_close(&reader->base);
        return err->code;
    }
    *out = &reader->base;
    return HAUL_OK;
}
