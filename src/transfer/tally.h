/*
 * tally.h: the receipts of a run: those found at its start and those its workers
 * add. Any thread may call; texts are copied.
 */
#ifndef HAUL_TRANSFER_TALLY_H
#define HAUL_TRANSFER_TALLY_H

#include "batch/sink.h"
#include <pthread.h>

struct tally {
    pthread_mutex_t mutex;
    struct receipt *receipts; /* malloc'ed; ordered by (part, first row) after tally_sort */
    size_t count, room;
    size_t resumed; /* how many were there at the start */
    int64_t rows, rows_offered, rows_resumed, rejects, losses, bytes_written;
    struct hash128 hash;
    bool unhashed; /* a receipt has none, so there is no sum */
    struct loss *loss_list; /* per column, of this process's units */
    struct arena arena;
};

void tally_init(struct tally *tally);
void tally_release(struct tally *tally);

/* Takes a copy of a committed unit's receipt. */
enum haul_code tally_add(struct tally *tally, const struct receipt *receipt, bool resumed,
                         struct haul_error *err);

/* Adds the losses of a committed unit, by column. Forgets when there is no memory: only a message. */
void tally_losses(struct tally *tally, const struct loss *losses);

/* Sorts by (part, first row) and drops receipts that stand there twice. */
void tally_sort(struct tally *tally);

/* Where a part begins: the row behind its unbroken units from row 0, and whether
 * it is done. */
struct start {
    int64_t row;
    bool done;
};

/* Call after tally_sort, before workers run. */
struct start tally_start(const struct tally *tally, uint64_t part);

/* Keeps only the unbroken run of whole parts from part 0 (a sink that appends in
 * order). */
void tally_keep_prefix(struct tally *tally);

/* Forgets the receipt at `index`: of a resumed unit that does not count. */
void tally_drop(struct tally *tally, size_t index);

#endif
