/*
 * place.c: the rows of a batch that the server takes, the others set aside.
 *
 * A window of rows is copied behind a savepoint. When a constraint or a value
 * fails it, the savepoint takes the window back and the message says which row
 * it was ("COPY orders, line 7"); that is set aside and the window copied again
 * without it. Where the message does not say (a foreign key is looked at when the
 * statement ends) the row is found by halving, in copies that are taken back.
 *
 * The first window is the whole batch. After a refusal windows are small, so that
 * a bad row costs few good ones a second journey, and double while they go in.
 * They are not smaller than WINDOW_ROWS because each that goes in holds an entry
 * of the server's lock table until the unit commits.
 */
#include "database/postgres/write.h"

#define WINDOW_ROWS 512

struct window {
    int64_t start, end;
};

/* One COPY of the window's rows that were not refused, behind the savepoint. */
static enum haul_code copy_window(struct postgres_writer *writer, const struct batch *batch,
                                  const struct window *window, int64_t *rows, struct haul_error *err)
{
    int64_t taken = 0;
    *rows = 0;
    if (pg_run(writer->session, "SAVEPOINT haul", err) || pg_writer_copy_begin(writer, err))
        return err->code;
    for (int64_t i = window->start; i < window->end; i++) {
        bool refused = bit_get(writer->refused.data, i);
        if (!refused && pg_writer_row(writer, batch, i, &refused, err))
            return err->code;
        if (refused)
            bit_set(writer->refused.data, i);
        *rows += !refused;
    }
    if (pg_writer_copy_end(writer, &taken, err))
        return err->code;
    if (taken != *rows)
        return error_set(
            err, HAUL_INTEGRITY, "%s: table \"%s\" took %lld of %lld rows; a trigger left some out",
            writer->sink->base.place, writer->sink->base.work, (long long)taken, (long long)*rows);
    return HAUL_OK;
}

static enum haul_code take_back(struct postgres_writer *writer, struct haul_error *err)
{
    return pg_run(writer->session, "ROLLBACK TO SAVEPOINT haul; RELEASE SAVEPOINT haul", err);
}

/* Would the window go in? What it did is taken back. *why is zero when it would. */
static enum haul_code probe(struct postgres_writer *writer, const struct batch *batch,
                            const struct window *window, struct haul_error *why, struct haul_error *err)
{
    int64_t rows;
    *why = (struct haul_error){0};
    if (copy_window(writer, batch, window, &rows, why) && !pg_is_row_error(why)) {
        *err = *why;
        return err->code;
    }
    return take_back(writer, err);
}

/* The row of the batch that is the COPY's line; -1 when it is none of them. */
static int64_t row_of_line(const struct postgres_writer *writer, const struct window *window, int64_t line)
{
    for (int64_t i = window->start; i < window->end && line > 0; i++) {
        line -= !bit_get(writer->refused.data, i);
        if (line == 0)
            return i;
    }
    return -1;
}

/* The row that made the window fail with *why, which becomes that row's own. */
static enum haul_code find_row(struct postgres_writer *writer, const struct batch *batch,
                               struct window window, struct haul_error *why, int64_t *row,
                               struct haul_error *err)
{
    *row = row_of_line(writer, &window, pg_copy_line(why));
    while (*row < 0 && window.end - window.start > 1) {
        struct haul_error half = {0};
        struct window first = {window.start, window.start + (window.end - window.start) / 2};
        if (probe(writer, batch, &first, &half, err))
            return err->code;
        if (half.code) {
            *why = half;
            *row = row_of_line(writer, &first, pg_copy_line(why));
            window = first;
        } else {
            window.start = first.end;
        }
    }
    if (*row >= 0)
        return HAUL_OK;
    struct haul_error alone = {0};
    if (probe(writer, batch, &window, &alone, err))
        return err->code;
    if (!alone.code)
        return error_set(err, why->code, "no row alone is to blame: %s", why->message);
    *why = alone;
    *row = window.start;
    return HAUL_OK;
}

static enum haul_code set_aside(struct postgres_writer *writer, const struct batch *batch, int64_t row,
                                const struct haul_error *why, struct haul_error *err)
{
    struct reject reject = {
        .part = batch->part, .row = batch_place(batch, row), .reason = pg_said(writer->session, why)};
    bit_set(writer->refused.data, row);
    return collector_reject(writer->context.collector, why->code, &reject, err);
}

/* Puts the window in, or sets its bad row aside: then *in is false. */
static enum haul_code place_window(struct postgres_writer *writer, const struct batch *batch,
                                   const struct window *window, bool *in, struct haul_error *err)
{
    struct haul_error why = {0};
    int64_t rows = 0, row = 0;
    *in = !copy_window(writer, batch, window, &rows, &why);
    if (*in) {
        writer->rows += rows;
        return pg_run(writer->session, "RELEASE SAVEPOINT haul", err);
    }
    if (!pg_is_row_error(&why)) {
        *err = why;
        return err->code;
    }
    if (take_back(writer, err) || find_row(writer, batch, *window, &why, &row, err))
        return err->code;
    return set_aside(writer, batch, row, &why, err);
}

enum haul_code pg_writer_place(struct postgres_writer *writer, const struct batch *batch,
                               struct haul_error *err)
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
