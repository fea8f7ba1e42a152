/*
 * write.c: batches into the table, inside the unit's transaction.
 *
 * A batch is one LOAD DATA LOCAL from memory behind a savepoint. LOCAL makes the
 * server skip or alter what does not fit and report success, so only a load with
 * as many records as were sent, nothing skipped and no warning counts. Any other
 * is taken back to the savepoint, its first warning kept, and the range of rows
 * halved (or cut at the row the warning names) until the row that is to blame
 * stands alone: it is set aside with the server's words, the rest goes on. After
 * a refusal ranges begin small again and double with each that goes in.
 *
 * The writer owns its session until commit or abort gives it back to the pool.
 */
#include "database/mysql/encode.h"

#include "database/mysql/load.h"
#include <stdlib.h>

#define RANGE_SMALL 64

struct mysql_writer {
    struct writer base;
    struct mysql_sink *sink;
    struct context context;
    struct connection *session;
    struct encoder *encoders;
    struct buffer out;
    struct buffer value;   /* of a reject */
    struct buffer refused; /* a bit per row of the batch */
    int64_t rows;          /* in */
    int64_t bytes;         /* sent */
};

struct row_range {
    int64_t start, end;
};

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
    bit_set(writer->refused.data, i);
    return collector_reject(writer->context.collector, HAUL_VALUE, &reject, err);
}

/* *taken false: the row was set aside. */
static enum haul_code encode_row(struct mysql_writer *writer, const struct batch *batch, int64_t i,
                                 bool *taken, struct haul_error *err)
{
    struct buffer *out = &writer->out;
    size_t before = out->length;
    int count = writer->sink->base.schema.count;
    *taken = true;
    for (int c = 0; c < count; c++) {
        struct encoder *encoder = &writer->encoders[c];
        if (view_is_null(&encoder->view, i) ? buffer_append(out, "\\N", 2, err)
                                            : encoder->encode(encoder, my_encoder_at(encoder, i), out, err))
            return err->code;
        if (__builtin_expect(encoder->misfit != NULL, 0)) {
            out->length = before;
            *taken = false;
            return reject_misfit(writer, batch, i, encoder, err);
        }
        if (buffer_append(out, c + 1 < count ? "\t" : "\n", 1, err))
            return err->code;
    }
    return HAUL_OK;
}

/* ---- a range ---- */

/* The first warning as an error of ours; *line the row it names, from 1; 0 none. */
static enum haul_code first_warning(struct mysql_writer *writer, int64_t *line, struct haul_error *err)
{
    MYSQL_RES *result = NULL;
    *line = 0;
    if (my_ask(writer->session, "SHOW WARNINGS LIMIT 1", &result, err))
        return err->code;
    MYSQL_ROW row = mysql_fetch_row(result);
    if (!row) {
        mysql_free_result(result);
        return error_set(err, HAUL_CONSTRAINT, "the server skipped it without saying why");
    }
    const char *said = my_text(row, 2), *at = NULL;
    for (const char *look = said; (look = strstr(look, " at row ")); look += 8)
        at = look;
    *line = at ? strtoll(at + 8, NULL, 10) : 0;
    my_fail_number(writer->session, (unsigned)my_number(row, 1), said, err);
    if (!my_is_row_error(err))
        err->code = HAUL_VALUE;
    err->retryable = false;
    mysql_free_result(result);
    return err->code;
}

static enum haul_code send_range(struct mysql_writer *writer, int64_t sent, int64_t *line,
                                 struct haul_error *err)
{
    struct load_result result;
    const struct load load = {writer->sink->load_sql, writer->out.data, writer->out.length};
    *line = 0;
    if (sent == 0)
        return HAUL_OK;
    if (my_run(writer->session, "SAVEPOINT haul", err) || my_load(writer->session, &load, &result, err))
        return err->code;
    writer->bytes += (int64_t)load.length;
    if (result.records == sent && result.skipped == 0 && result.warnings == 0)
        return HAUL_OK;
    return first_warning(writer, line, err);
}

static enum haul_code load_range(struct mysql_writer *writer, const struct batch *batch,
                                 const struct row_range *range, int64_t *line, struct haul_error *err)
{
    int64_t sent = 0;
    *line = 0;
    buffer_clear(&writer->out);
    for (int64_t i = range->start; i < range->end; i++) {
        bool taken = !bit_get(writer->refused.data, i);
        if (taken && encode_row(writer, batch, i, &taken, err)) {
            err->vendor_code = 0;
            *line = -1; /* the collector, or memory: nothing to narrow */
            return err->code;
        }
        sent += taken;
    }
    if (send_range(writer, sent, line, err))
        return err->code;
    writer->rows += sent;
    return HAUL_OK;
}

/* ---- finding the bad rows ---- */

/* The row of the batch that is the load's line; -1 when it is none of them. */
static int64_t row_of_line(const struct mysql_writer *writer, const struct row_range *range, int64_t line)
{
    for (int64_t i = range->start; i < range->end && line > 0; i++) {
        line -= !bit_get(writer->refused.data, i);
        if (line == 0)
            return i;
    }
    return -1;
}

static enum haul_code set_aside(struct mysql_writer *writer, const struct batch *batch, int64_t i,
                                const struct haul_error *why, struct haul_error *err)
{
    char place[BATCH_ROW_NAME_BYTES];
    batch_row_name(batch, i, place);
    struct reject reject = {.part = batch->part,
                            .row = batch_place(batch, i),
                            .place = place[0] ? place : NULL,
                            .reason = my_said(writer->session, why)};
    bit_set(writer->refused.data, i);
    if (collector_reject(writer->context.collector, why->code, &reject, err)) {
        memcpy(err->sqlstate, why->sqlstate, sizeof err->sqlstate);
        err->vendor_code = why->vendor_code;
    }
    return err->code;
}

/* After `range` failed: what to try next. A range that cannot be cut is one row, or none that is left. */
static enum haul_code narrow(struct mysql_writer *writer, const struct batch *batch, struct row_range *range,
                             int64_t line, const struct haul_error *why, struct haul_error *err)
{
    int64_t bad = row_of_line(writer, range, line), length = batch->array.length;
    while (range->end - range->start > 1 && bit_get(writer->refused.data, range->start))
        range->start++;
    if (bad > range->start) {
        range->end = bad;
    } else if (bad < 0 && range->end - range->start > 1) {
        range->end = range->start + (range->end - range->start) / 2;
    } else if (bad == range->start && range->end - range->start > 1) {
        range->end = range->start + 1;
    } else {
        if (set_aside(writer, batch, range->start, why, err))
            return err->code;
        range->start++;
        range->end = range->start + RANGE_SMALL < length ? range->start + RANGE_SMALL : length;
    }
    return HAUL_OK;
}

static enum haul_code place(struct mysql_writer *writer, const struct batch *batch, struct haul_error *err)
{
    int64_t length = batch->array.length, step = length;
    struct row_range range = {0, length};
    buffer_clear(&writer->refused);
    if (buffer_resize(&writer->refused, (size_t)length / 8 + 1, err))
        return err->code;
    while (range.start < length) {
        struct haul_error why = {0};
        int64_t line = 0;
        if (!load_range(writer, batch, &range, &line, &why)) {
            step = step * 2 < length ? step * 2 : length;
            range = (struct row_range){range.end, range.end + step < length ? range.end + step : length};
            continue;
        }
        if (line < 0 || !my_is_row_error(&why)) {
            *err = why;
            return err->code;
        }
        step = RANGE_SMALL;
        if (my_run(writer->session, "ROLLBACK TO SAVEPOINT haul", err) ||
            narrow(writer, batch, &range, line, &why, err))
            return err->code;
    }
    return HAUL_OK;
}

/* ---- the writer ---- */

/* Once for a batch: rows may be sent several times until all are placed. */
static enum haul_code count_signs(struct mysql_writer *writer, struct haul_error *err)
{
    const struct schema *schema = &writer->sink->base.schema;
    if (!my_is_mariadb(writer->session))
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
    return count_signs(writer, err) ? err->code : place(writer, batch, err);
}

static void writer_free(struct mysql_writer *writer)
{
    free(writer->encoders);
    buffer_release(&writer->out);
    buffer_release(&writer->value);
    buffer_release(&writer->refused);
    free(writer);
}

static enum haul_code commit(struct mysql_writer *writer, struct haul_error *err)
{
    enum haul_code code = my_run(writer->session, "COMMIT", err);
    if (code == HAUL_NETWORK)
        table_sink_commit_lost(&writer->sink->base, writer->rows, err);
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
    if (table_sink_settle(&sink->base, writer->session, writer->rows, receipt, err) || commit(writer, err))
        return err->code;
    table_sink_return(&sink->base, writer->session);
    writer_free(writer);
    return HAUL_OK;
}

static void writer_abort(struct writer *base)
{
    struct mysql_writer *writer = (struct mysql_writer *)base;
    table_sink_return(&writer->sink->base, writer->session);
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
    buffer_init(&writer->out, context->memory);
    buffer_init(&writer->value, context->memory);
    buffer_init(&writer->refused, context->memory);
    if (choose_encoders(writer, err)) {
        writer_free(writer);
        return err->code;
    }
    writer->session = session;
    *out = &writer->base;
    return HAUL_OK;
}
