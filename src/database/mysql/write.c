/*
 * write.c: batches into the table, inside the unit's transaction.
 *
 * A batch is one LOAD DATA LOCAL from memory behind a savepoint. LOCAL makes the
 * server skip or alter what does not fit and report success, so only a load with
 * as many records as were sent, nothing skipped and no warning counts. Any other
 * is taken back to the savepoint with its first warning, which often names the row
 * (database/place.c finds it where it does not).
 *
 * The writer owns its session until commit or abort gives it back to the pool.
 */
#include "database/mysql/encode.h"

#include "database/mysql/load.h"
#include "database/place.h"
#include <stddef.h>
#include <stdlib.h>

#define UNKNOWN_ERROR 1105 /* as the server numbers it */

struct mysql_writer {
    struct writer base;
    struct mysql_sink *sink;
    struct context context;
    struct place place;
    struct encoder *encoders;
    struct buffer out;
    struct buffer value; /* of a reject */
    int64_t sent;        /* rows of the load at hand */
    int64_t line;        /* of it, from 1, that the server's first warning names; 0 none */
    int64_t bytes;       /* sent */
};

static struct mysql_writer *of_place(struct place *place)
{
    return (struct mysql_writer *)(void *)((char *)place - offsetof(struct mysql_writer, place));
}

/* ---- one row ---- */

static enum haul_code reject_misfit(struct mysql_writer *writer, const struct batch *batch, int64_t i,
                                    struct encoder *encoder, struct haul_error *err)
{
    char place[BATCH_ROW_NAME_BYTES];
    batch_row_name(batch, i, place);
    struct reject reject = {.part = batch->part,
                            .row = batch_place(batch, i),
                            .place = place[0] ? place : NULL,
                            .column = encoder->column->name,
                            .reason = encoder->misfit};
    buffer_clear(&writer->value);
    if (view_print(&encoder->values, my_encoder_at(encoder, i), &writer->value, err))
        return err->code;
    reject.value = (const char *)writer->value.data;
    reject.value_length = writer->value.length;
    encoder->misfit = NULL;
    return collector_reject(writer->context.collector, HAUL_VALUE, &reject, err);
}

static enum haul_code encode_row(struct mysql_writer *writer, const struct batch *batch, int64_t i,
                                 bool *refused, struct haul_error *err)
{
    struct buffer *out = &writer->out;
    size_t before = out->length;
    int count = writer->sink->base.schema.count;
    *refused = false;
    for (int c = 0; c < count; c++) {
        struct encoder *encoder = &writer->encoders[c];
        if (view_is_null(&encoder->view, i) ? buffer_append(out, "\\N", 2, err)
                                            : encoder->encode(encoder, my_encoder_at(encoder, i), out, err))
            return err->code;
        if (__builtin_expect(encoder->misfit != NULL, 0)) {
            out->length = before;
            *refused = true;
            return reject_misfit(writer, batch, i, encoder, err);
        }
        if (buffer_append(out, c + 1 < count ? "\t" : "\n", 1, err))
            return err->code;
    }
    return HAUL_OK;
}

/* ---- a load ---- */

/* The first warning as an error of ours, and the row it names. */
static enum haul_code first_warning(struct mysql_writer *writer, struct haul_error *err)
{
    MYSQL_RES *result = NULL;
    if (my_ask(writer->place.session, "SHOW WARNINGS LIMIT 1", &result, err))
        return err->code;
    MYSQL_ROW row = mysql_fetch_row(result);
    if (!row) {
        mysql_free_result(result);
        error_set(err, HAUL_CONSTRAINT, "the server skipped it without saying why");
        err->vendor_code = UNKNOWN_ERROR;
        return err->code;
    }
    const char *said = my_text(row, 2), *at = NULL;
    for (const char *look = said; (look = strstr(look, " at row ")); look += 8)
        at = look;
    writer->line = at ? strtoll(at + 8, NULL, 10) : 0;
    my_fail_number(writer->place.session, (unsigned)my_number(row, 1), said, err);
    if (!my_is_row_error(err))
        err->code = HAUL_VALUE;
    err->retryable = false;
    mysql_free_result(result);
    return err->code;
}

/* ---- rows that the server may refuse: place.h ---- */

static enum haul_code place_begin(struct place *place, const struct batch *batch, struct haul_error *err)
{
    (void)batch;
    (void)err;
    buffer_clear(&of_place(place)->out);
    of_place(place)->sent = 0;
    return HAUL_OK;
}

static enum haul_code place_row(struct place *place, const struct batch *batch, int64_t i, bool *refused,
                                struct haul_error *err)
{
    if (encode_row(of_place(place), batch, i, refused, err)) {
        err->vendor_code = 0; /* no row error: of the collector, or memory */
        return err->code;
    }
    of_place(place)->sent += !*refused;
    return HAUL_OK;
}

static enum haul_code place_end(struct place *place, int64_t *taken, struct haul_error *err)
{
    struct mysql_writer *writer = of_place(place);
    struct load_result result;
    const struct load load = {writer->sink->load_sql, writer->out.data, writer->out.length};
    *taken = writer->line = 0;
    if (writer->sent == 0)
        return HAUL_OK;
    if (my_load(place->session, &load, &result, err))
        return err->code;
    writer->bytes += (int64_t)load.length;
    *taken = result.records;
    if (result.records == writer->sent && result.skipped == 0 && result.warnings == 0)
        return HAUL_OK;
    return first_warning(writer, err);
}

static bool is_row_error(const struct haul_error *err)
{
    return err->vendor_code && my_is_row_error(err);
}

static int64_t place_line(struct place *place, const struct haul_error *why)
{
    (void)why;
    return of_place(place)->line;
}

static const char *place_said(const struct place *place, const struct haul_error *why)
{
    return my_said(place->session, why);
}

static const struct place_ops place_ops = {
    .begin = place_begin,
    .row = place_row,
    .end = place_end,
    .is_row_error = is_row_error,
    .line = place_line,
    .said = place_said,
};

/* ---- the writer ---- */

/* Once for a batch: rows may be sent several times until all are placed. */
static enum haul_code count_signs(struct mysql_writer *writer, struct haul_error *err)
{
    const struct schema *schema = &writer->sink->base.schema;
    if (!my_is_mariadb(writer->place.session))
        return HAUL_OK;
    for (int i = 0; i < schema->count; i++) {
        int64_t lost = my_encoder_unsigned_zeros(&writer->encoders[i]);
        if (lost &&
            collector_loss(writer->context.collector, schema->fields[i].name, "the sign of -0.0", lost, err))
            return err->code;
    }
    return HAUL_OK;
}

static enum haul_code writer_write(struct writer *base, const struct batch *batch, struct haul_error *err)
{
    struct mysql_writer *writer = (struct mysql_writer *)base;
    const struct schema *schema = &writer->sink->base.schema;
    if (context_check(&writer->context, err))
        return err->code;
    for (int i = 0; i < schema->count; i++)
        if (my_encoder_view(&writer->encoders[i], &schema->fields[i], batch->array.children[i], err))
            return err->code;
    return count_signs(writer, err) ? err->code : place_batch(&writer->place, batch, err);
}

static void writer_free(struct mysql_writer *writer)
{
    free(writer->encoders);
    buffer_release(&writer->out);
    buffer_release(&writer->value);
    buffer_release(&writer->place.refused);
    free(writer);
}

static enum haul_code commit(struct mysql_writer *writer, struct haul_error *err)
{
    enum haul_code code = my_run(writer->place.session, "COMMIT", err);
    if (code == HAUL_NETWORK)
        table_sink_commit_lost(&writer->sink->base, writer->place.rows, err);
    return code;
}

static enum haul_code writer_commit(struct writer *base, struct receipt *receipt, struct arena *arena,
                                    struct haul_error *err)
{
    struct mysql_writer *writer = (struct mysql_writer *)base;
    struct mysql_sink *sink = writer->sink;
    (void)arena;
    receipt->text = NULL;
    receipt->bytes_written = writer->bytes;
    if (table_sink_settle(&sink->base, writer->place.session, writer->place.rows, receipt, err) ||
        commit(writer, err))
        return err->code;
    table_sink_return(&sink->base, writer->place.session);
    writer_free(writer);
    return HAUL_OK;
}

static void writer_abort(struct writer *base)
{
    struct mysql_writer *writer = (struct mysql_writer *)base;
    table_sink_return(&writer->sink->base, writer->place.session);
    writer_free(writer);
}

static const struct writer_ops writer_ops = {
    .write = writer_write, .commit = writer_commit, .abort = writer_abort};

static enum haul_code choose_encoders(struct mysql_writer *writer, struct haul_error *err)
{
    const struct schema *schema = &writer->sink->base.schema;
    writer->encoders = calloc((size_t)schema->count + 1, sizeof *writer->encoders);
    if (!writer->encoders)
        return error_nomem(err, "a writer");
    for (int i = 0; i < schema->count; i++)
        if (my_encoder_choose(&writer->encoders[i], &writer->sink->columns[i], &schema->fields[i], err))
            return err->code;
    return HAUL_OK;
}

enum haul_code my_writer_open(struct table_sink *base, const struct context *context, void *session,
                              struct writer **out, struct haul_error *err)
{
    struct mysql_writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return error_nomem(err, "a writer");
    writer->base.ops = &writer_ops;
    writer->sink = (struct mysql_sink *)base;
    writer->context = *context;
    writer->place =
        (struct place){.ops = &place_ops, .sink = base, .session = session, .collector = context->collector};
    buffer_init(&writer->out, context->memory);
    buffer_init(&writer->value, context->memory);
    buffer_init(&writer->place.refused, context->memory);
    if (choose_encoders(writer, err)) {
        writer_free(writer);
        return err->code;
    }
    *out = &writer->base;
    return HAUL_OK;
}
