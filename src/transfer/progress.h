/*
 * progress.h: how far a run is: counters any thread adds to, notes any thread
 * leaves, and the calling thread that turns both into events.
 */
#ifndef HAUL_TRANSFER_PROGRESS_H
#define HAUL_TRANSFER_PROGRESS_H

#include "base/context.h"
#include <pthread.h>

#define PROGRESS_SEATS     66  /* the most workers, and a reader ahead */
#define PROGRESS_NOTES_MAX 256 /* waiting to be delivered; more are counted and dropped */

/* What a thread is doing now: it sits on a seat. */
enum activity { ACTIVITY_NONE, ACTIVITY_SOURCE, ACTIVITY_ENCODE, ACTIVITY_SINK };

struct progress_note;

struct progress {
    atomic_llong rows, bytes_read;
    atomic_int seats[PROGRESS_SEATS];
    int64_t began_ns, rows_expected;
    const char *run, *table;
    const struct context *caller; /* gets notes when there is no event function */
    haul_event_fn event;
    void *event_user;

    pthread_mutex_t mutex;
    struct progress_note *notes, *notes_last;
    int note_count;
    long dropped;
};

void progress_init(struct progress *progress);
void progress_release(struct progress *progress);

/* A note_fn; `user` is the progress. Never blocks for long, never fails. */
void progress_note(void *user, bool warning, const char *message);

/* On the calling thread: delivers notes. */
void progress_deliver(struct progress *progress);

/* On the calling thread: an event with the counters (PROGRESS, START, FINISH). */
void progress_tell(struct progress *progress, enum haul_event_kind kind, const char *message,
                   int64_t bytes_written);

double progress_seconds(const struct progress *progress);

static inline void progress_sit(struct progress *progress, int seat, enum activity activity)
{
    atomic_store_explicit(&progress->seats[seat], (int)activity, memory_order_relaxed);
}

#endif
