/*
 * rows.c: rows of the wire into batches.
 *
 * The hot loop: while the window is open and the next token is a row, each
 * column's decoder is called on the window; what is not whole there is copied
 * into `straddle` and decoded from that. All other tokens go through ms_next.
 *
 * A batch ends at the rows asked for or when BATCH_BYTES of payload went by. A
 * row with a misfit goes to the collector and is dropped.
 */
#include "database/mssql/rows.h"

#include "base/memory.h"
#include "database/mssql/types.h"
#include <stdlib.h>

#define STRADDLE_BYTES ((size_t)68 * 1024) /* the longest value with a length of two bytes, and more */

/* ---- opening ---- */

enum haul_code ms_columns_schema(const struct ms_columns *columns, enum ms_moments moments,
                                 struct schema *schema, struct haul_error *err)
{
    if (schema_init(schema, columns->count, err))
        return err->code;
    for (int i = 0; i < columns->count; i++) {
        const struct ms_column *column = &columns->columns[i];
        struct field *field = &schema->fields[i];
        field->name = arena_text(&schema->arena, column->name);
        if (!field->name)
            return error_nomem(err, "columns");
        if (ms_type_field(column, moments, &schema->arena, field, err))
            return err->code;
    }
    return HAUL_OK;
}

enum haul_code ms_rows_open(struct ms_rows *rows, struct session *session, const struct schema *schema,
                            const struct context *context, struct haul_error *err)
{
    *rows = (struct ms_rows){.session = session, .context = context, .schema = schema};
    buffer_init(&rows->scratch, context->memory);
    buffer_init(&rows->drops, context->memory);
    rows->state.misfit_column = -1;
    rows->decoders = calloc((size_t)schema->count + 1, sizeof *rows->decoders);
    rows->straddle = calloc(1, STRADDLE_BYTES + WINDOW_PADDING);
    if (!rows->decoders || !rows->straddle)
        return error_nomem(err, "a reader");
    if (batch_builder_init(&rows->builder, schema, context->memory, err))
        return err->code;
    for (int i = 0; i < schema->count; i++) {
        struct decoder *decoder = &rows->decoders[i];
        decoder->state = &rows->state;
        decoder->scratch = &rows->scratch;
        decoder->column = i;
        decoder->value_max = memory_value_max(context->memory);
        if (ms_decoder_init(decoder, &session->columns.columns[i], &schema->fields[i], &rows->pages, err))
            return err->code;
    }
    return HAUL_OK;
}

void ms_rows_release(struct ms_rows *rows)
{
    if (rows->builder.columns)
        batch_builder_release(&rows->builder);
    free(rows->decoders);
    free(rows->straddle);
    ms_pages_release(&rows->pages);
    buffer_release(&rows->scratch);
    buffer_release(&rows->drops);
    rows->decoders = NULL;
    rows->straddle = NULL;
}

/* ---- one row ---- */

/* A value that is cut by the window's end. */
static enum haul_code decode_straddling(struct ms_rows *rows, struct decoder *decoder, int64_t row,
                                        struct haul_error *err)
{
    size_t have = 0;
    for (int tries = 0; tries < 3; tries++) {
        size_t wants = rows->state.wants;
        if (err->code)
            return err->code;
        if (wants <= have || wants > STRADDLE_BYTES)
            break;
        if (ms_wire_read(&rows->session->wire, rows->straddle + have, wants - have, err))
            return err->code;
        have = wants;
        if (decoder->decode(decoder, rows->straddle, rows->straddle + have, row))
            return HAUL_OK;
    }
    if (!err->code)
        ms_decode_malformed(decoder, "longer than anything can be");
    return err->code;
}

static enum haul_code decode_slowly(struct ms_rows *rows, struct decoder *decoder, int64_t row,
                                    struct haul_error *err)
{
    struct wire *wire = &rows->session->wire;
    if (decoder->stream)
        return decoder->stream(decoder, wire, row, err);
    const uint8_t *next = decoder->decode(decoder, wire->at, wire->end, row);
    if (!next)
        return decode_straddling(rows, decoder, row, err);
    wire->at = next;
    return HAUL_OK;
}

static enum haul_code decode_row(struct ms_rows *rows, int64_t row, struct haul_error *err)
{
    struct wire *wire = &rows->session->wire;
    const uint8_t *at = wire->at, *end = wire->end;
    struct decoder *last = rows->decoders + rows->schema->count;
    for (struct decoder *decoder = rows->decoders; decoder < last; decoder++) {
        const uint8_t *next = decoder->decode ? decoder->decode(decoder, at, end, row) : NULL;
        if (__builtin_expect(next != NULL, 1)) {
            at = next;
            continue;
        }
        if (err->code)
            return err->code;
        wire->at = at;
        if (decoder->stream ? decoder->stream(decoder, wire, row, err)
                            : decode_straddling(rows, decoder, row, err))
            return err->code;
        at = wire->at;
        end = wire->end;
    }
    wire->at = at;
    return HAUL_OK;
}

/* A row that says beforehand which of its values are NULL. */
static enum haul_code decode_row_nulls(struct ms_rows *rows, int64_t row, struct haul_error *err)
{
    uint8_t bits[MS_COLUMNS_MAX / 8 + 1];
    int count = rows->schema->count;
    if (ms_wire_read(&rows->session->wire, bits, ((size_t)count + 7) / 8, err))
        return err->code;
    for (int i = 0; i < count; i++) {
        struct decoder *decoder = &rows->decoders[i];
        if (!bit_get(bits, i)) {
            if (decode_slowly(rows, decoder, row, err))
                return err->code;
        } else if (decoder->nullable) {
            ms_decode_null(decoder, row);
        } else {
            ms_decode_malformed(decoder, "NULL in a column that is NOT NULL");
            return err->code;
        }
    }
    return HAUL_OK;
}

static enum haul_code drop_row(struct ms_rows *rows, int64_t row, struct haul_error *err)
{
    struct reject reject = {.part = rows->part,
                            .row = rows->row + row,
                            .column = rows->schema->fields[rows->state.misfit_column].name,
                            .reason = rows->state.misfit};
    size_t needs = (size_t)row / 8 + 1;
    rows->state.misfit_column = -1;
    if (rows->context->collector) {
        if (collector_reject(rows->context->collector, HAUL_VALUE, &reject, err))
            return err->code;
    } else {
        return error_set(err, HAUL_VALUE, "column \"%s\": %s", reject.column, reject.reason);
    }
    if (rows->drops.length < needs && buffer_resize(&rows->drops, needs, err))
        return err->code;
    bit_set(rows->drops.data, row);
    rows->dropped++;
    return HAUL_OK;
}

/* ---- a batch ---- */

/* *more false: the answer is over. */
static enum haul_code read_row(struct ms_rows *rows, int64_t row, bool *more, struct haul_error *err)
{
    struct session *session = rows->session;
    struct wire *wire = &session->wire;
    enum ms_event event = MS_ROW;
    enum haul_code code;
    if (wire->at < wire->end && *wire->at == TOKEN_ROW) {
        wire->at++;
    } else {
        do {
            if (ms_next(session, &event, err))
                return err->code;
        } while (event == MS_DONE);
    }
    *more = event != MS_END;
    if (event == MS_END)
        return HAUL_OK;
    if (event == MS_COLUMNS)
        return error_set(err, HAUL_UNSUPPORTED, "%s: the query gives more than one result; haul reads one",
                         session->server->name);
    code = event == MS_ROW ? decode_row(rows, row, err) : decode_row_nulls(rows, row, err);
    if (!code && __builtin_expect(rows->state.misfit_column >= 0, 0))
        code = drop_row(rows, row, err);
    return code;
}

static enum haul_code read_rows(struct ms_rows *rows, int64_t rows_max, int64_t *count,
                                struct haul_error *err)
{
    const struct wire *wire = &rows->session->wire;
    uint64_t until = wire->payload + BATCH_BYTES;
    bool more = true;
    for (*count = 0; *count < rows_max && wire->payload < until;) {
        if (read_row(rows, *count, &more, err))
            return err->code;
        rows->ended = !more;
        if (!more)
            break;
        ++*count;
    }
    return HAUL_OK;
}

static enum haul_code note_losses(struct ms_rows *rows, struct haul_error *err)
{
    struct collector *collector = rows->context->collector;
    for (int i = 0; collector && i < rows->schema->count; i++) {
        const struct decoder *decoder = &rows->decoders[i];
        const char *other = decoder->zoned ? "offset" : "base type";
        if (decoder->lost && collector_loss(collector, decoder->name, "100 ns digit", decoder->lost, err))
            return err->code;
        if (decoder->lost_offsets &&
            collector_loss(collector, decoder->name, other, decoder->lost_offsets, err))
            return err->code;
    }
    return HAUL_OK;
}

static enum haul_code finish_batch(struct ms_rows *rows, int64_t count, struct batch *batch,
                                   struct haul_error *err)
{
    for (int i = 0; i < rows->schema->count; i++)
        ms_decoder_end(&rows->decoders[i], count);
    if (note_losses(rows, err) || batch_builder_finish(&rows->builder, batch, err))
        return err->code;
    batch->part = rows->part;
    batch->first_row = rows->row;
    batch->rows_offered = count;
    if (rows->dropped && (buffer_resize(&rows->drops, (size_t)(count + 7) / 8, err) ||
                          batch_drop_rows(batch, rows->drops.data, rows->context->memory, err))) {
        batch_release(batch);
        return err->code;
    }
    buffer_clear(&rows->drops);
    rows->dropped = 0;
    rows->row += count;
    return HAUL_OK;
}

enum haul_code ms_rows_fill(struct ms_rows *rows, int64_t rows_max, struct batch *batch,
                            struct haul_error *err)
{
    int64_t count = 0;
    *batch = (struct batch){0};
    if (rows->ended)
        return HAUL_OK;
    rows->state.err = err;
    rows->state.first_row = rows->row;
    err->code = HAUL_OK; /* decoders tell by it */
    for (int i = 0; i < rows->schema->count; i++)
        if (ms_decoder_begin(&rows->decoders[i], &rows->builder.columns[i], rows_max, err))
            return err->code;
    if (read_rows(rows, rows_max, &count, err)) {
        if (ms_is_alive(rows->session) && rows->session->answering && err->code == HAUL_DATA)
            ms_disconnect(rows->session); /* nobody could say where the next token begins */
        return err->code;
    }
    return count ? finish_batch(rows, count, batch, err) : HAUL_OK;
}
