/*
 * write.c: batches into the table, inside the unit's transaction.
 *
 * When no row may be refused (--max-errors 0, --constraints-fatal) a unit is one bulk load: fast, and
 * what the server says at its end ends the unit. When some may be, each batch is
 * a load of its own behind a savepoint (database/place.c finds the rows the server
 * refuses); XACT_ABORT is off there, so that a refusal takes back a batch and not
 * the unit.
 *
 * A value that its column cannot take is found before it is sent, in both.
 */
#include "database/mssql/sink.h"
#include "database/place.h"

#include <stddef.h>
#include <stdlib.h>

#define LOAD_SETTINGS    "SET LOCK_TIMEOUT 60000"
#define CAREFUL_SETTINGS LOAD_SETTINGS "; SET XACT_ABORT OFF"

struct mssql_writer {
    struct writer base;
    struct mssql_sink *sink;
    struct context context;
    struct bulk bulk;
    struct place place; /* session and rows; the rest of it is for careful writers */
    uint64_t bytes;     /* sent */
    bool careful;       /* rows may be refused one by one */
    struct buffer text;
};

static struct mssql_writer *of_place(struct place *place)
{
    return (struct mssql_writer *)(void *)((char *)place - offsetof(struct mssql_writer, place));
}

static struct session *session_of(const struct mssql_writer *writer)
{
    return writer->place.session;
}

/* ---- one row ---- */

static enum haul_code reject_misfit(struct mssql_writer *writer, const struct batch *batch, int64_t i,
                                    struct haul_error *err)
{
    struct encode_state *state = &writer->bulk.state;
    const struct field *field = &writer->sink->base.schema.fields[state->misfit_column];
    struct reject reject = {
        .part = batch->part, .row = batch_place(batch, i), .column = field->name, .reason = state->misfit};
    char name[BATCH_ROW_NAME_BYTES];
    struct view view;
    state->misfit = NULL;
    batch_row_name(batch, i, name);
    reject.place = name[0] ? name : NULL;
    buffer_clear(&writer->text);
    if (view_init(&view, field, batch->array.children[state->misfit_column], err) ||
        (!view_is_null(&view, i) && view_print(&view, i, &writer->text, err)))
        return err->code;
    reject.value = (const char *)writer->text.data;
    reject.value_length = writer->text.length;
    return collector_reject(writer->context.collector, HAUL_VALUE, &reject, err);
}

static enum haul_code write_row(struct mssql_writer *writer, const struct batch *batch, int64_t i,
                                bool *refused, struct haul_error *err)
{
    if (ms_bulk_row(&writer->bulk, i, err))
        return err->code;
    *refused = writer->bulk.state.misfit != NULL;
    return *refused ? reject_misfit(writer, batch, i, err) : HAUL_OK;
}

/* ---- rows that the server may refuse: place.h ---- */

static enum haul_code place_begin(struct place *place, const struct batch *batch, struct haul_error *err)
{
    struct mssql_writer *writer = of_place(place);
    if (ms_bulk_begin(&writer->bulk, session_of(writer), writer->sink->bulk_sql, err))
        return err->code;
    return ms_bulk_batch(&writer->bulk, batch, err);
}

static enum haul_code place_row(struct place *place, const struct batch *batch, int64_t i, bool *refused,
                                struct haul_error *err)
{
    return write_row(of_place(place), batch, i, refused, err);
}

static enum haul_code place_end(struct place *place, int64_t *taken, struct haul_error *err)
{
    return ms_bulk_end(&of_place(place)->bulk, taken, err);
}

static enum haul_code place_keep(struct place *place, struct haul_error *err)
{
    return ms_bulk_losses(&of_place(place)->bulk, place->collector, err);
}

/* What lost digits in a load that is taken back has lost nothing. */
static void place_forget(struct place *place)
{
    ms_bulk_forget_losses(&of_place(place)->bulk);
}

static bool is_row_error(const struct haul_error *err)
{
    return err->vendor_code && (err->code == HAUL_VALUE || err->code == HAUL_CONSTRAINT);
}

/* Some do, whatever XACT_ABORT says: then there is nothing to go back to. */
static bool place_lost(const struct place *place)
{
    return ((const struct session *)place->session)->transaction_lost;
}

static const char *place_said(const struct place *place, const struct haul_error *why)
{
    (void)place;
    return why->message;
}

static const struct place_ops place_ops = {
    .begin = place_begin,
    .row = place_row,
    .end = place_end,
    .keep = place_keep,
    .forget = place_forget,
    .is_row_error = is_row_error,
    .lost = place_lost,
    .said = place_said,
};

/* ---- batches ---- */

static enum haul_code write_all(struct mssql_writer *writer, const struct batch *batch,
                                struct haul_error *err)
{
    struct bulk *bulk = &writer->bulk;
    if ((!bulk->loading && ms_bulk_begin(bulk, session_of(writer), writer->sink->bulk_sql, err)) ||
        ms_bulk_batch(bulk, batch, err))
        return err->code;
    for (int64_t i = 0; i < batch->array.length; i++) {
        bool refused;
        if (write_row(writer, batch, i, &refused, err))
            return err->code;
    }
    if (ms_bulk_losses(bulk, writer->context.collector, err))
        return err->code;
    return ms_bulk_listen(bulk, err);
}

static enum haul_code writer_write(struct writer *base, const struct batch *batch, struct haul_error *err)
{
    struct mssql_writer *writer = (struct mssql_writer *)base;
    if (context_check(&writer->context, err))
        return err->code;
    return writer->careful ? place_batch(&writer->place, batch, err) : write_all(writer, batch, err);
}

/* ---- the end ---- */

static void writer_free(struct mssql_writer *writer)
{
    ms_bulk_close(&writer->bulk);
    buffer_release(&writer->place.refused);
    buffer_release(&writer->text);
    free(writer);
}

static enum haul_code end_load(struct mssql_writer *writer, struct haul_error *err)
{
    int64_t sent = writer->bulk.rows, taken = 0;
    if (!writer->bulk.loading)
        return HAUL_OK;
    if (ms_bulk_end(&writer->bulk, &taken, err))
        return err->code;
    writer->place.rows += sent;
    return place_check_rows(&writer->place, taken, sent, err);
}

/* The answer to COMMIT may be lost while the work is done: with a ledger the next
 * claim settles that, without one nobody can know. */
static enum haul_code commit(struct mssql_writer *writer, struct haul_error *err)
{
    if (!ms_run(session_of(writer), "COMMIT TRANSACTION", err))
        return HAUL_OK;
    if (!ms_is_alive(session_of(writer)))
        table_sink_commit_lost(&writer->sink->base, writer->place.rows, err);
    return err->code;
}

static enum haul_code writer_commit(struct writer *base, struct receipt *receipt, struct arena *arena,
                                    struct haul_error *err)
{
    struct mssql_writer *writer = (struct mssql_writer *)base;
    (void)arena;
    if (end_load(writer, err))
        return err->code;
    receipt->text = NULL;
    receipt->bytes_written = (int64_t)session_of(writer)->wire.sent - (int64_t)writer->bytes;
    if (table_sink_settle(&writer->sink->base, session_of(writer), writer->place.rows, receipt, err) ||
        commit(writer, err))
        return err->code;
    table_sink_return(&writer->sink->base, session_of(writer));
    writer_free(writer);
    return HAUL_OK;
}

static void writer_abort(struct writer *base)
{
    struct mssql_writer *writer = (struct mssql_writer *)base;
    ms_bulk_abandon(&writer->bulk);
    table_sink_return(&writer->sink->base, session_of(writer));
    writer_free(writer);
}

static const struct writer_ops writer_ops = {
    .write = writer_write, .commit = writer_commit, .abort = writer_abort};

enum haul_code ms_writer_open(struct table_sink *base, const struct context *context, void *session,
                              struct writer **out, struct haul_error *err)
{
    struct mssql_sink *sink = (struct mssql_sink *)base;
    struct mssql_writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return error_nomem(err, "a writer");
    writer->base.ops = &writer_ops;
    writer->sink = sink;
    writer->context = *context;
    writer->place =
        (struct place){.ops = &place_ops, .sink = base, .session = session, .collector = context->collector};
    writer->bytes = session_of(writer)->wire.sent;
    writer->careful = collector_allows(context->collector, HAUL_CONSTRAINT);
    buffer_init(&writer->place.refused, context->memory);
    if (ms_describe_work(sink, err) ||
        ms_bulk_open(&writer->bulk, &base->schema, sink->columns, context->memory, err) ||
        ms_run(session, writer->careful ? CAREFUL_SETTINGS : LOAD_SETTINGS, err)) {
        writer_free(writer);
        return err->code;
    }
    *out = &writer->base;
    return HAUL_OK;
}
