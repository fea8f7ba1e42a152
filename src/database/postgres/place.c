/*
 * place.c: the rows of a batch that the server takes, the others set aside.
 *
 * A range of rows is copied behind a savepoint. When a constraint or a value
 * fails it, the savepoint takes the range back, and the message says which row
 * it was ("COPY orders, line 7"): the rows before it are copied again, it is set
 * aside, and the rest goes on. Where the message does not say (a foreign key is
 * looked at when the statement ends) the range is halved until it is one row.
 *
 * After a refusal ranges begin small again and double with each that goes in, so
 * that many bad rows do not make each good one be sent many times.
 */
#include "database/postgres/write.h"

#define RANGE_SMALL 64

struct range_of_rows {
    int64_t start, end;
};

static enum haul_code copy_range(struct postgres_writer *writer, const struct batch *batch,
                                 const struct range_of_rows *range, int64_t *rows, struct haul_error *err)
{
    int64_t taken = 0;
    *rows = 0;
    if (pg_run(&writer->session, "SAVEPOINT haul", err) || pg_writer_copy_begin(writer, err))
        return err->code;
    for (int64_t i = range->start; i < range->end; i++) {
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
        return error_set(err, HAUL_INTEGRITY,
                         "%s: table \"%s\" took %lld of %lld rows; a trigger left some out",
                         writer->sink->server.name, writer->sink->work, (long long)taken, (long long)*rows);
    return pg_run(&writer->session, "RELEASE SAVEPOINT haul", err);
}

/* The row of the batch that is the COPY's line; -1 when it is none of them. */
static int64_t row_of_line(const struct postgres_writer *writer, const struct range_of_rows *range,
                           int64_t line)
{
    for (int64_t i = range->start; i < range->end && line > 0; i++) {
        line -= !bit_get(writer->refused.data, i);
        if (line == 0)
            return i;
    }
    return -1;
}

static enum haul_code set_aside(struct postgres_writer *writer, const struct batch *batch, int64_t i,
                                const struct haul_error *why, struct haul_error *err)
{
    struct reject reject = {
        .part = batch->part, .row = batch_place(batch, i), .reason = pg_said(&writer->session, why)};
    bit_set(writer->refused.data, i);
    return collector_reject(writer->context.collector, why->code, &reject, err);
}

/* What to try next after `range` failed with *why; *alone when its first row is the one. */
static int64_t narrow(const struct postgres_writer *writer, const struct range_of_rows *range,
                      const struct haul_error *why, bool *alone)
{
    int64_t bad = row_of_line(writer, range, pg_copy_line(why));
    *alone = bad == range->start || range->end - range->start == 1;
    if (*alone)
        return range->end;
    return bad > range->start ? bad : range->start + (range->end - range->start) / 2;
}

enum haul_code pg_writer_place(struct postgres_writer *writer, const struct batch *batch,
                               struct haul_error *err)
{
    int64_t length = batch->array.length, step = length;
    struct range_of_rows range = {0, length};
    buffer_clear(&writer->refused);
    if (buffer_resize(&writer->refused, (size_t)length / 8 + 1, err))
        return err->code;
    while (range.start < length) {
        struct haul_error why = {0};
        int64_t rows = 0;
        bool alone = false;
        if (!copy_range(writer, batch, &range, &rows, &why)) {
            writer->rows += rows;
            step = step * 2 < length ? step * 2 : length;
            range = (struct range_of_rows){range.end, range.end + step < length ? range.end + step : length};
            continue;
        }
        if (!pg_is_row_error(&why)) {
            *err = why;
            return err->code;
        }
        if (pg_run(&writer->session, "ROLLBACK TO SAVEPOINT haul", err))
            return err->code;
        range.end = narrow(writer, &range, &why, &alone);
        step = RANGE_SMALL;
        if (!alone)
            continue;
        if (set_aside(writer, batch, range.start, &why, err))
            return err->code;
        range.start++;
        range.end = range.start + step < length ? range.start + step : length;
    }
    return HAUL_OK;
}
