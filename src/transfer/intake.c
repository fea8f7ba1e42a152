/*
 * intake.c: where a worker gets its items from.
 *
 * A unit must know that it is the last of its part before it is committed, so
 * there is always one item of look-ahead. Directly, that is `pending`; with a
 * thread reading ahead, it is the head of the queue.
 */
#include "transfer/intake.h"
#include "transfer/ahead.h"

enum haul_code intake_init(struct intake *intake, const struct feed_terms *terms,
                           const struct context *context, int seat, struct haul_error *err)
{
    *intake = (struct intake){0};
    return feed_init(&intake->feed, terms, context, seat, err);
}

enum haul_code intake_thread(struct intake *intake, const struct start *starts, struct haul_error *err)
{
    intake->feed.seat++;
    return ahead_open(&intake->ahead, &intake->feed, starts, err);
}

static void pending_drop(struct intake *intake)
{
    if (intake->has_pending)
        item_release(&intake->pending);
    intake->has_pending = intake->at_end = false;
}

void intake_release(struct intake *intake)
{
    ahead_close(intake->ahead);
    pending_drop(intake);
    if (intake->feed.terms)
        feed_release(&intake->feed);
    *intake = (struct intake){0};
}

void intake_limit(struct intake *intake, int64_t rows)
{
    intake->feed.rows_left = rows;
}

enum haul_code intake_seek(struct intake *intake, const struct part *part, int64_t row,
                           struct haul_error *err)
{
    if (intake->part == part && intake->row == row)
        return HAUL_OK;
    pending_drop(intake);
    enum haul_code code =
        intake->ahead ? ahead_seek(intake->ahead, part, row, err) : feed_seek(&intake->feed, part, row, err);
    intake->part = code ? NULL : part;
    intake->row = row;
    return code;
}

enum haul_code intake_peek(struct intake *intake, bool *end, struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    if (intake->ahead) {
        code = ahead_peek(intake->ahead, end, err);
    } else if (!intake->has_pending && !intake->at_end) {
        code = feed_next(&intake->feed, &intake->pending, end, err);
        intake->at_end = !code && *end;
        intake->has_pending = !code && !*end;
    } else {
        *end = intake->at_end;
    }
    if (code)
        intake->part = NULL; /* where it stands is not known: seek again */
    return code;
}

void intake_take(struct intake *intake, struct item *item)
{
    if (intake->ahead) {
        ahead_take(intake->ahead, item);
    } else {
        *item = intake->pending;
        intake->pending = (struct item){0};
        intake->has_pending = false;
    }
    intake->row += item->offered;
}
