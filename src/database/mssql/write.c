/*
 * write.c: batches into the table, inside the unit's transaction.
 *
 * When no row may be refused (--max-errors 0, --constraints-fatal) a unit is one bulk load: fast, and
 * what the server says at its end ends the unit. When some may be, each batch is
 * a load of its own behind a savepoint (place.c finds the rows the server
 * refuses); XACT_ABORT is off there, so that a refusal takes back a batch and not
 * the unit.
 *
 * A value that its column cannot take is found before it is sent, in both.
 */
#include "database/mssql/write.h"

#include <stdlib.h>

#define LOAD_SETTINGS    "SET LOCK_TIMEOUT 60000"
#define CAREFUL_SETTINGS LOAD_SETTINGS "; SET XACT_ABORT OFF"

bool ms_is_row_error(const struct haul_error *err)
{
    return err->code == HAUL_VALUE || err->code == HAUL_CONSTRAINT;
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

enum haul_code ms_writer_row(struct mssql_writer *writer, const struct batch *batch, int64_t i, bool *refused,
                             struct haul_error *err)
{
    if (ms_bulk_row(&writer->bulk, i, err))
        return err->code;
    *refused = writer->bulk.state.misfit != NULL;
    return *refused ? reject_misfit(writer, batch, i, err) : HAUL_OK;
}

/* ---- batches ---- */

static enum haul_code write_all(struct mssql_writer *writer, const struct batch *batch,
                                struct haul_error *err)
{
    struct bulk *bulk = &writer->bulk;
    if ((!bulk->loading && ms_bulk_begin(bulk, writer->session, writer->sink->bulk_sql, err)) ||
        ms_bulk_batch(bulk, batch, err))
        return err->code;
    for (int64_t i = 0; i < batch->array.length; i++) {
        bool refused;
        if (ms_writer_row(writer, batch, i, &refused, err))
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
    return writer->careful ? ms_writer_place(writer, batch, err) : write_all(writer, batch, err);
}

/* ---- the end ---- */

static void writer_free(struct mssql_writer *writer)
{
    ms_bulk_close(&writer->bulk);
    buffer_release(&writer->refused);
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
    writer->rows += sent;
    if (taken != sent)
        return error_set(
            err, HAUL_INTEGRITY,
            "%s: table \"%s\" took %lld rows of the unit, but %lld were sent; a trigger left some out",
            writer->sink->base.place, writer->sink->base.work, (long long)taken, (long long)sent);
    return HAUL_OK;
}

/* The answer to COMMIT may be lost while the work is done: with a ledger the next
 * claim settles that, without one nobody can know. */
static enum haul_code commit(struct mssql_writer *writer, struct haul_error *err)
{
    if (!ms_run(writer->session, "COMMIT TRANSACTION", err))
        return HAUL_OK;
    if (!ms_is_alive(writer->session))
        table_sink_commit_lost(&writer->sink->base, writer->rows, err);
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
    receipt->bytes_written = (int64_t)writer->session->wire.sent - (int64_t)writer->bytes;
    if (table_sink_settle(&writer->sink->base, writer->session, writer->rows, receipt, err) ||
        commit(writer, err))
        return err->code;
    table_sink_return(&writer->sink->base, writer->session);
    writer_free(writer);
    return HAUL_OK;
}

static void writer_abort(struct writer *base)
{
    struct mssql_writer *writer = (struct mssql_writer *)base;
    ms_bulk_abandon(&writer->bulk);
    table_sink_return(&writer->sink->base, writer->session);
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
    writer->session = session;
    writer->bytes = writer->session->wire.sent;
    writer->careful = collector_allows(context->collector, HAUL_CONSTRAINT);
    buffer_init(&writer->refused, context->memory);
    if (ms_describe_work(sink, err) ||
        ms_bulk_open(&writer->bulk, &base->schema, sink->columns, context->memory, err) ||
        ms_run(session, writer->careful ? CAREFUL_SETTINGS : LOAD_SETTINGS, err)) {
        writer_free(writer);
        return err->code;
    }
    *out = &writer->base;
    return HAUL_OK;
}
