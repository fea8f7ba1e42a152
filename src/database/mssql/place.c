/*
 * place.c: the rows of a batch that the server takes, the others set aside.
 *
 * A window of rows is loaded behind a savepoint. When the server refuses it, the
 * savepoint takes the window back; which row it was the server does not say, so
 * it is found by halving, in loads that are taken back. It is set aside and the
 * window loaded again without it.
 *
 * The first window is the whole batch. After a refusal windows are small, so that
 * a bad row costs few good ones a second journey, and double while they go in.
 *
 * A refusal that took the transaction with it (some do, whatever XACT_ABORT says)
 * leaves nothing to go back to: it ends the unit, with what the server said.
 */
#include "database/mssql/write.h"

#define WINDOW_ROWS 512

struct window {
    int64_t start, end;
};

/* One load of the window's rows that were not refused, behind the savepoint. */
static enum haul_code load_window(struct mssql_writer *writer, const struct batch *batch,
                                  const struct window *window, int64_t *rows, struct haul_error *err)
{
    struct bulk *bulk = &writer->bulk;
    int64_t taken = 0;
    *rows = 0;
    if (ms_run(writer->session, "SAVE TRANSACTION haul", err) ||
        ms_bulk_begin(bulk, writer->session, writer->sink->bulk_sql, err) || ms_bulk_batch(bulk, batch, err))
        return err->code;
    for (int64_t i = window->start; i < window->end; i++) {
        bool refused = bit_get(writer->refused.data, i);
        if (!refused && ms_writer_row(writer, batch, i, &refused, err))
            return err->code;
        if (refused)
            bit_set(writer->refused.data, i);
        *rows += !refused;
    }
    if (ms_bulk_end(bulk, &taken, err))
        return err->code;
    if (taken != *rows)
        return error_set(
            err, HAUL_INTEGRITY, "%s: table \"%s\" took %lld of %lld rows; a trigger left some out",
            writer->sink->base.place, writer->sink->base.work, (long long)taken, (long long)*rows);
    return HAUL_OK;
}

/* What lost digits in a load that is taken back has lost nothing. */
static enum haul_code take_back(struct mssql_writer *writer, struct haul_error *err)
{
    ms_bulk_forget_losses(&writer->bulk);
    return ms_run(writer->session, "ROLLBACK TRANSACTION haul", err);
}

static enum haul_code fail_lost(const struct haul_error *why, struct haul_error *err)
{
    *err = *why;
    return error_prefix(err, "the refusal of a row took the unit with it");
}

/* Would the window go in? What it did is taken back. *why is zero when it would. */
static enum haul_code probe(struct mssql_writer *writer, const struct batch *batch,
                            const struct window *window, struct haul_error *why, struct haul_error *err)
{
    int64_t rows;
    *why = (struct haul_error){0};
    if (load_window(writer, batch, window, &rows, why) && !ms_is_row_error(why)) {
        *err = *why;
        return err->code;
    }
    if (writer->session->transaction_lost)
        return fail_lost(why, err);
    return take_back(writer, err);
}

/* The row that made the window fail with *why, which becomes that row's own. */
static enum haul_code find_row(struct mssql_writer *writer, const struct batch *batch, struct window window,
                               struct haul_error *why, int64_t *row, struct haul_error *err)
{
    while (window.end - window.start > 1) {
        struct haul_error half = {0};
        struct window first = {window.start, window.start + (window.end - window.start) / 2};
        if (probe(writer, batch, &first, &half, err))
            return err->code;
        if (half.code) {
            *why = half;
            window = first;
        } else {
            window.start = first.end;
        }
    }
    struct haul_error alone = {0};
    *row = window.start;
    if (probe(writer, batch, &window, &alone, err))
        return err->code;
    if (alone.code)
        *why = alone;
    return HAUL_OK;
}

static enum haul_code set_aside(struct mssql_writer *writer, const struct batch *batch, int64_t row,
                                const struct haul_error *why, struct haul_error *err)
{
    char name[BATCH_ROW_NAME_BYTES];
    struct reject reject = {.part = batch->part, .row = batch_place(batch, row), .reason = why->message};
    batch_row_name(batch, row, name);
    reject.place = name[0] ? name : NULL;
    bit_set(writer->refused.data, row);
    return collector_reject(writer->context.collector, why->code, &reject, err);
}

/* Puts the window in, or sets its bad row aside: then *in is false. */
static enum haul_code place_window(struct mssql_writer *writer, const struct batch *batch,
                                   const struct window *window, bool *in, struct haul_error *err)
{
    struct haul_error why = {0};
    int64_t rows = 0, row = 0;
    *in = !load_window(writer, batch, window, &rows, &why);
    if (*in) {
        writer->rows += rows;
        return ms_bulk_losses(&writer->bulk, writer->context.collector, err);
    }
    if (!ms_is_row_error(&why)) {
        *err = why;
        return err->code;
    }
    if (writer->session->transaction_lost)
        return fail_lost(&why, err);
    if (take_back(writer, err) || find_row(writer, batch, *window, &why, &row, err))
        return err->code;
    return set_aside(writer, batch, row, &why, err);
}

enum haul_code ms_writer_place(struct mssql_writer *writer, const struct batch *batch, struct haul_error *err)
{
    int64_t length = batch->array.length, step = length;
    struct window window = {0, length};
    buffer_clear(&writer->refused);
    if (buffer_resize(&writer->refused, (size_t)length / 8 + 1, err))
        return err->code;
    while (window.start < length) {
        bool in;
        if (place_window(writer, batch, &window, &in, err))
            return err->code;
        if (in) {
            window.start = window.end;
            step *= 2;
        } else {
            step = WINDOW_ROWS;
        }
        step = step < length ? step : length;
        window.end = window.start + step < length ? window.start + step : length;
    }
    return HAUL_OK;
}
