/*
 * shred.h: from Arrow's nesting to Parquet's levels: the rows of one column of
 * a batch become a feed for each of its leaves. Specification: section 6.
 */
#ifndef HAUL_FORMAT_PARQUET_SHRED_H
#define HAUL_FORMAT_PARQUET_SHRED_H

#include "batch/array.h"
#include "format/parquet/page_cut.h"

/* Takes what a leaf gets; all of it is gone after the call. */
typedef enum haul_code (*shred_fn)(void *user, const struct node *leaf, const struct feed *feed,
                                   struct haul_error *err);

struct shredder {
    struct memory *memory;
    struct dense dense; /* used for every leaf in turn */
    struct buffer def;  /* of flat columns */
    shred_fn give;
    void *user;
};

void shredder_init(struct shredder *shredder, struct memory *memory, shred_fn give, void *user);
void shredder_release(struct shredder *shredder);

/* Calls `give` for each leaf under `column`, in order, with rows first to
 * first + count. HAUL_DATA: a NULL where the schema allows none. */
enum haul_code shred(struct shredder *shredder, const struct node *column, const struct view *view,
                     const struct run *rows, struct haul_error *err);

#endif
