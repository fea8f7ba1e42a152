/*
 * ahead.h: a thread that reads ahead of a single writer, so that decoding and
 * inserting overlap. One queue, in order, with a bound.
 */
#ifndef HAUL_TRANSFER_AHEAD_H
#define HAUL_TRANSFER_AHEAD_H

#include "transfer/feed.h"
#include "transfer/tally.h"

#define AHEAD_ITEMS 8 /* batches in the queue, at most; and at most an eighth of the share */

struct ahead;

/* `feed` is the thread's alone while it runs. `starts` has one entry for each
 * part of the plan: what is in already. */
enum haul_code ahead_open(struct ahead **ahead, struct feed *feed, const struct start *starts,
                          struct haul_error *err);
void ahead_close(struct ahead *ahead);

/* Makes sure that the next entry is row `row` of `part`; starts the thread (again) when it is not. */
enum haul_code ahead_seek(struct ahead *ahead, const struct part *part, int64_t row, struct haul_error *err);

/* Waits for the next entry: an item, or the end of the part. Takes nothing. */
enum haul_code ahead_peek(struct ahead *ahead, bool *end, struct haul_error *err);

/* Takes the item that peek saw. */
void ahead_take(struct ahead *ahead, struct item *item);

#endif
