/*
 * write.c: batches into the table, inside the unit's transaction.
 *
 * When no row may be refused (--max-errors 0, --constraints-fatal) a unit is one COPY: fast, and the
 * server's message at its end names the row. When some may be, each batch is a
 * COPY of its own behind a savepoint (database/place.c finds the rows the server
 * refuses), so that a refusal takes back a batch and not the unit.
 *
 * Bytes leave in pieces of about SEND_BYTES; a row is whole in the buffer before
 * it is sent, so that a misfit found in its last column can be taken back.
 *
 * The writer owns its session until commit or abort gives it back to the pool.
 */
#include "database/place.h"
#include "database/postgres/encode.h"
#include "database/postgres/wire.h"

#include <stddef.h>
#include <stdlib.h>

#define SEND_BYTES ((size_t)256 << 10)
#define HEAD       "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"
#define HEAD_BYTES 19
#define MARKS_GROW 64

/* COPY's line of a batch's first row, and that row's place in its part. */
struct mark {
    int64_t line, row;
};

struct postgres_writer {
    struct writer base;
    struct postgres_sink *sink;
    struct context context;
    struct place place; /* session and rows; the rest of it is for careful writers */
    struct encoder *encoders;
    int *sized; /* the encoders whose values have no fixed width */
    int sized_count;
    size_t row_bytes; /* of the others, at most */
    struct buffer out;
    int64_t bytes; /* sent */
    bool copying;
    bool careful; /* rows may be refused one by one */
    struct mark *marks;
    size_t mark_count, mark_room;
    uint64_t part;
};

static struct postgres_writer *of_place(struct place *place)
{
    return (struct postgres_writer *)(void *)((char *)place - offsetof(struct postgres_writer, place));
}

static struct connection *session_of(const struct postgres_writer *writer)
{
    return writer->place.session;
}

/* ---- a COPY ---- */

static enum haul_code copy_begin(struct postgres_writer *writer, struct haul_error *err)
{
    if (pg_copy_begin(session_of(writer), writer->sink->copy_sql, PGRES_COPY_IN, err))
        return err->code;
    writer->copying = true;
    buffer_clear(&writer->out);
    return writer->sink->text_format ? HAUL_OK : buffer_append(&writer->out, HEAD, HEAD_BYTES, err);
}

static enum haul_code send(struct postgres_writer *writer, struct haul_error *err)
{
    writer->bytes += (int64_t)writer->out.length;
    if (pg_copy_send(session_of(writer), writer->out.data, writer->out.length, err))
        return err->code;
    buffer_clear(&writer->out);
    return HAUL_OK;
}

static enum haul_code copy_end(struct postgres_writer *writer, int64_t *rows, struct haul_error *err)
{
    uint8_t tail[2] = {0xff, 0xff};
    if (!writer->sink->text_format && buffer_append(&writer->out, tail, sizeof tail, err))
        return err->code;
    if (send(writer, err))
        return err->code;
    writer->copying = false;
    return pg_copy_end(session_of(writer), rows, err);
}

/* ---- one row ---- */

static enum haul_code encode_text(struct postgres_writer *writer, int64_t i, struct haul_error *err)
{
    int count = writer->sink->base.schema.count;
    for (int c = 0; c < count; c++)
        if (pg_encode_text(&writer->encoders[c], i, &writer->out, err) ||
            buffer_append(&writer->out, c + 1 < count ? "\t" : "\n", 1, err))
            return err->code;
    return HAUL_OK;
}

static size_t row_bytes(const struct postgres_writer *writer, int64_t i)
{
    size_t bytes = writer->row_bytes;
    for (int k = 0; k < writer->sized_count; k++)
        bytes += pg_encoder_room(&writer->encoders[writer->sized[k]], i);
    return bytes;
}

/* *column gets the one with the misfit; its encoder says why. */
static enum haul_code encode_binary(struct postgres_writer *writer, int64_t i, int *column,
                                    struct haul_error *err)
{
    int count = writer->sink->base.schema.count;
    size_t bytes = row_bytes(writer, i);
    struct buffer *buffer = &writer->out;
    if (buffer->capacity < buffer->length + bytes + BUFFER_PADDING && buffer_reserve(buffer, bytes, err))
        return err->code;
    uint8_t *out = wire_put_u16(buffer->data + buffer->length, (uint16_t)count);
    for (int c = 0; c < count; c++) {
        struct encoder *encoder = &writer->encoders[c];
        if (view_is_null(&encoder->view, i)) {
            out = wire_put_u32(out, UINT32_MAX);
            continue;
        }
        out = encoder->encode(encoder, pg_encoder_at(encoder, i), out);
        if (__builtin_expect(encoder->misfit != NULL, 0)) {
            *column = c;
            return HAUL_OK;
        }
    }
    buffer->length = (size_t)(out - buffer->data);
    return HAUL_OK;
}

static enum haul_code reject_misfit(struct postgres_writer *writer, const struct batch *batch, int64_t i,
                                    int column, struct haul_error *err)
{
    struct encoder *encoder = &writer->encoders[column];
    struct reject reject = {.part = batch->part,
                            .row = batch_place(batch, i),
                            .column = encoder->column->name,
                            .reason = encoder->misfit};
    buffer_clear(&encoder->text);
    if (view_print(&encoder->values, pg_encoder_at(encoder, i), &encoder->text, err))
        return err->code;
    reject.value = (const char *)encoder->text.data;
    reject.value_length = encoder->text.length;
    encoder->misfit = NULL;
    return collector_reject(writer->context.collector, HAUL_VALUE, &reject, err);
}

static enum haul_code write_row(struct postgres_writer *writer, const struct batch *batch, int64_t i,
                                bool *refused, struct haul_error *err)
{
    int column = -1;
    if (writer->sink->text_format ? encode_text(writer, i, err) : encode_binary(writer, i, &column, err))
        return err->code;
    *refused = column >= 0;
    if (*refused)
        return reject_misfit(writer, batch, i, column, err);
    return writer->out.length >= SEND_BYTES ? send(writer, err) : HAUL_OK;
}

/* ---- rows that the server may refuse: place.h ---- */

static enum haul_code place_begin(struct place *place, const struct batch *batch, struct haul_error *err)
{
    (void)batch;
    return copy_begin(of_place(place), err);
}

static enum haul_code place_row(struct place *place, const struct batch *batch, int64_t i, bool *refused,
                                struct haul_error *err)
{
    return write_row(of_place(place), batch, i, refused, err);
}

static enum haul_code place_end(struct place *place, int64_t *taken, struct haul_error *err)
{
    return copy_end(of_place(place), taken, err);
}

/* "COPY orders, line 7". A foreign key is looked at when the statement ends: no line. */
static int64_t place_line(struct place *place, const struct haul_error *why)
{
    (void)place;
    return pg_copy_line(why);
}

static const char *place_said(const struct place *place, const struct haul_error *why)
{
    return pg_said(place->session, why);
}

static const struct place_ops place_ops = {
    .begin = place_begin,
    .row = place_row,
    .end = place_end,
    .is_row_error = pg_is_row_error,
    .line = place_line,
    .said = place_said,
};

/* ---- where the server's "line" is ---- */

static enum haul_code add_mark(struct postgres_writer *writer, const struct batch *batch,
                               struct haul_error *err)
{
    if (writer->mark_count == writer->mark_room) {
        size_t room = writer->mark_room + MARKS_GROW;
        struct mark *marks = realloc(writer->marks, room * sizeof *marks);
        if (!marks)
            return error_nomem(err, "a writer");
        writer->marks = marks;
        writer->mark_room = room;
    }
    writer->marks[writer->mark_count++] = (struct mark){writer->place.rows, batch->first_row};
    writer->part = batch->part;
    return HAUL_OK;
}

/* The server refused a row of the unit's one COPY: says which. */
static enum haul_code refuse_unit(struct postgres_writer *writer, struct haul_error *err)
{
    int64_t line = pg_copy_line(err) - 1;
    size_t k = writer->mark_count;
    if (!pg_is_row_error(err) || line < 0)
        return err->code;
    while (k > 1 && writer->marks[k - 1].line > line)
        k--;
    struct haul_error said = *err;
    struct reject reject = {.part = writer->part, .reason = pg_said(session_of(writer), &said)};
    reject.row = k ? writer->marks[k - 1].row + line - writer->marks[k - 1].line : line;
    collector_reject(writer->context.collector, said.code, &reject, err);
    memcpy(err->sqlstate, said.sqlstate, sizeof err->sqlstate);
    return err->code ? err->code : error_set(err, said.code, "%s", said.message);
}

/* ---- the writer ---- */

static enum haul_code write_all(struct postgres_writer *writer, const struct batch *batch,
                                struct haul_error *err)
{
    if (add_mark(writer, batch, err))
        return err->code;
    for (int64_t i = 0; i < batch->array.length; i++) {
        bool refused;
        if (write_row(writer, batch, i, &refused, err))
            return err->code;
        writer->place.rows += !refused;
    }
    return HAUL_OK;
}

static enum haul_code writer_write(struct writer *base, const struct batch *batch, struct haul_error *err)
{
    struct postgres_writer *writer = (struct postgres_writer *)base;
    const struct schema *schema = &writer->sink->base.schema;
    if (context_check(&writer->context, err))
        return err->code;
    for (int i = 0; i < schema->count; i++)
        if (pg_encoder_view(&writer->encoders[i], &schema->fields[i], batch->array.children[i], err))
            return err->code;
    return writer->careful ? place_batch(&writer->place, batch, err) : write_all(writer, batch, err);
}

static void writer_free(struct postgres_writer *writer)
{
    for (int i = 0; writer->encoders && i < writer->sink->base.schema.count; i++)
        pg_encoder_release(&writer->encoders[i]);
    free(writer->encoders);
    free(writer->sized);
    free(writer->marks);
    buffer_release(&writer->out);
    buffer_release(&writer->place.refused);
    free(writer);
}

static enum haul_code end_copy(struct postgres_writer *writer, struct haul_error *err)
{
    int64_t rows = 0;
    if (!writer->copying)
        return HAUL_OK;
    if (copy_end(writer, &rows, err))
        return refuse_unit(writer, err);
    return place_check_rows(&writer->place, rows, writer->place.rows, err);
}

/* The answer to COMMIT may be lost while the work is done: with a ledger the next
 * claim settles that, without one nobody can know. */
static enum haul_code commit(struct postgres_writer *writer, struct haul_error *err)
{
    struct connection *session = session_of(writer);
    PGresult *result = NULL;
    enum haul_code code = pg_ask(session, "COMMIT", NULL, &result, err);
    bool done = !code && strcmp(PQcmdStatus(result), "COMMIT") == 0;
    PQclear(result);
    if (!code && !done)
        return error_set(err, HAUL_IO, "%s: the server rolled the unit back at its COMMIT",
                         writer->sink->base.place);
    if (code && !err->sqlstate[0])
        table_sink_commit_lost(&writer->sink->base, writer->place.rows, err);
    if (code && strncmp(err->sqlstate, "23", 2) == 0)
        error_prefix(err, "a deferred constraint refuses the unit as a whole");
    return code;
}

static enum haul_code writer_commit(struct writer *base, struct receipt *receipt, struct arena *arena,
                                    struct haul_error *err)
{
    struct postgres_writer *writer = (struct postgres_writer *)base;
    struct postgres_sink *sink = writer->sink;
    (void)arena;
    if (end_copy(writer, err))
        return err->code;
    receipt->text = NULL;
    receipt->bytes_written = writer->bytes;
    if (table_sink_settle(&sink->base, session_of(writer), writer->place.rows, receipt, err) ||
        commit(writer, err))
        return err->code;
    table_sink_return(&sink->base, session_of(writer));
    writer_free(writer);
    return HAUL_OK;
}

static void writer_abort(struct writer *base)
{
    struct postgres_writer *writer = (struct postgres_writer *)base;
    table_sink_return(&writer->sink->base, session_of(writer));
    writer_free(writer);
}

static const struct writer_ops writer_ops = {
    .write = writer_write, .commit = writer_commit, .abort = writer_abort};

static enum haul_code make_encoders(struct postgres_writer *writer, struct haul_error *err)
{
    const struct schema *schema = &writer->sink->base.schema;
    writer->encoders = calloc((size_t)schema->count + 1, sizeof *writer->encoders);
    writer->sized = calloc((size_t)schema->count + 1, sizeof *writer->sized);
    if (!writer->encoders || !writer->sized)
        return error_nomem(err, "a writer");
    writer->row_bytes = 2;
    for (int i = 0; i < schema->count; i++) {
        struct encoder *encoder = &writer->encoders[i];
        if (pg_encoder_init(encoder, &writer->sink->columns[i], &schema->fields[i], writer->context.memory,
                            err))
            return err->code;
        if (encoder->sized)
            writer->sized[writer->sized_count++] = i;
        else
            writer->row_bytes += encoder->width;
    }
    return HAUL_OK;
}

/* A COPY at once: in it the session is not idle, however long the source takes.
 * Between the COPYs of a careful writer it is. */
static enum haul_code begin(struct postgres_writer *writer, struct haul_error *err)
{
    if (writer->careful)
        return pg_run(session_of(writer), "SET LOCAL idle_in_transaction_session_timeout = '10min'", err);
    return copy_begin(writer, err);
}

enum haul_code pg_writer_open(struct table_sink *base, const struct context *context, void *session,
                              struct writer **out, struct haul_error *err)
{
    struct postgres_writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return error_nomem(err, "a writer");
    writer->base.ops = &writer_ops;
    writer->sink = (struct postgres_sink *)base;
    writer->context = *context;
    writer->place =
        (struct place){.ops = &place_ops, .sink = base, .session = session, .collector = context->collector};
    writer->careful = collector_allows(context->collector, HAUL_CONSTRAINT);
    buffer_init(&writer->out, context->memory);
    buffer_init(&writer->place.refused, context->memory);
    if (make_encoders(writer, err) || begin(writer, err)) {
        writer_free(writer);
        return err->code;
    }
    *out = &writer->base;
    return HAUL_OK;
}
