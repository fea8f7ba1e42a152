/*
 * feed.h: one part's rows, read, cast to the target's schema and hashed: what
 * stands between a source's reader and a unit.
 */
#ifndef HAUL_TRANSFER_FEED_H
#define HAUL_TRANSFER_FEED_H

#include "batch/cast.h"
#include "transfer/plan.h"
#include "transfer/progress.h"

/* What a feed needs to know of its run. Shared, read only. */
struct feed_terms {
    struct source *source;
    const struct schema *from, *to;
    const struct plan *plan;
    struct progress *progress;
};

/* A batch ready to be written, with what reading and casting it collected. */
struct item {
    struct batch batch;
    struct hash128 sum;
    struct collector found;
    int64_t offered; /* source rows it covers */
};
void item_release(struct item *item);

struct feed {
    const struct feed_terms *terms;
    struct context context; /* memory share; its collector is the one below */
    struct collector collector;
    struct reject_limit *limit;
    struct cast *cast;
    struct hasher hasher;
    int seat;
    struct reader *reader;
    const struct part *part;
    int64_t row;       /* of the part: the next to be read */
    int64_t rows_left; /* of --limit; INT64_MAX none */
};

/* `context` is copied. */
enum haul_code feed_init(struct feed *feed, const struct feed_terms *terms, const struct context *context,
                         int seat, struct haul_error *err);
void feed_release(struct feed *feed);

/* Goes to a row of a part; a reader that is there already stays. */
enum haul_code feed_seek(struct feed *feed, const struct part *part, int64_t row, struct haul_error *err);

/* The next rows, never across a multiple of the plan's unit_rows. *end: there
 * are none, *item is empty. */
enum haul_code feed_next(struct feed *feed, struct item *item, bool *end, struct haul_error *err);

#endif
