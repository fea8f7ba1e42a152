/*
 * unit.h: one unit from claim to receipt, tried again when the failure may pass.
 */
#ifndef HAUL_TRANSFER_UNIT_H
#define HAUL_TRANSFER_UNIT_H

#include "transfer/intake.h"

/* What a worker brings to its units; the collector of its context is the unit's. */
struct unit_worker {
    struct context context;
    struct collector collector;
    struct intake intake;
    struct hasher hasher; /* for rows the target refuses */
    struct source *source; /* for a sink that adopts its parts */
    struct sink *sink;
    const struct schema *schema; /* the target's */
    const struct plan *plan;
    struct progress *progress;
    int seat;
    int retries;
    bool verbose;     /* say what is done */
    bool replayable;  /* the source can be opened again at the unit's first row */
    bool order_fixed; /* a retry finds the same rows in the same order */
    bool keeps;       /* keep a unit's items until its commit */
    uint64_t random;  /* for the jitter */
};

/* Which rows, and under which name. */
struct unit_task {
    struct unit unit;        /* the name */
    const struct part *part; /* the source's part */
    int64_t row;             /* its row in the source's part */
};

/* Commits the unit and fills the receipt; texts are allocated in `arena`.
 * receipt->last: the part ends with it, the source's or the one cut from it. Nothing of a unit that failed
 * is in the target. The collector keeps what the unit lost until the next. */
enum haul_code unit_run(struct unit_worker *worker, const struct unit_task *task, struct receipt *receipt,
                        struct arena *arena, struct haul_error *err);

#endif
