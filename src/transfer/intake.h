/*
 * intake.h: where a worker gets its items from: its own feed, or a thread that
 * reads ahead of it through a bounded queue.
 */
#ifndef HAUL_TRANSFER_INTAKE_H
#define HAUL_TRANSFER_INTAKE_H

#include "transfer/feed.h"
#include "transfer/tally.h"

struct ahead;

struct intake {
    struct feed feed;
    struct ahead *ahead; /* NULL: direct */
    struct item pending; /* direct: looked at, not yet taken */
    bool has_pending, at_end;
    const struct part *part;
    int64_t row; /* of the part: the next that take gives */
};

/* `ahead` true: a thread reads and casts ahead; `seat` + 1 is its seat. It goes
 * through the parts in order, each from its start (one per part of the plan). */
enum haul_code intake_init(struct intake *intake, const struct feed_terms *terms,
                           const struct context *context, int seat, struct haul_error *err);
enum haul_code intake_thread(struct intake *intake, const struct start *starts, struct haul_error *err);
void intake_release(struct intake *intake);

/* The rows --limit leaves; before the first seek. */
void intake_limit(struct intake *intake, int64_t rows);

/* Goes to a row of a part; costs nothing when it is the next one anyway. */
enum haul_code intake_seek(struct intake *intake, const struct part *part, int64_t row,
                           struct haul_error *err);

/* Is the part at its end? Reads when it must. */
enum haul_code intake_peek(struct intake *intake, bool *end, struct haul_error *err);

/* The item that peek saw. */
void intake_take(struct intake *intake, struct item *item);

#endif
