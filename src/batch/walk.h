/*
 * walk.h: a source read from its first row to its last by one thread, for those
 * who do not need units: streams, `inspect --head`.
 *
 * A zeroed walk may be released. The source must outlive it.
 */
#ifndef HAUL_BATCH_WALK_H
#define HAUL_BATCH_WALK_H

#include "batch/source.h"

struct walk {
    struct source *source;
    const struct context *context;
    struct arena arena; /* the part's spec */
    struct part part;
    struct reader *reader;
    bool split, ended, begun;
    uint64_t parts;
};

/* After describe. */
enum haul_code walk_init(struct walk *walk, struct source *source, const struct context *context,
                         struct haul_error *err);
void walk_release(struct walk *walk);

/* As reader_ops.next, over all parts. */
enum haul_code walk_next(struct walk *walk, int64_t rows_max, struct batch *batch, bool *end, struct haul_error *err);

#endif
