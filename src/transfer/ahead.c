/*
 * ahead.c: a thread that reads ahead of a single writer.
 *
 * The thread goes through the parts in plan order, each from its start, and
 * puts items and ends of parts into a ring. The ring is bounded by entries and
 * by bytes, so that what waits never takes more than an eighth of the share the
 * two threads have together; one entry is always allowed. Sharing one budget
 * also means that the reserve is never waited for between them. After a batch that
 * is half as large as that alone (values of megabytes) nothing is read ahead: the
 * next one waits until the writer has nothing left to do.
 *
 * Going anywhere but forward (a unit is tried again) stops the thread, drops
 * the ring and starts anew there. Both waits end when the run is cancelled,
 * within 50 ms.
 */
#include "transfer/ahead.h"
#include "base/memory.h"
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define POLL_NS 50000000L

struct entry {
    const struct part *part;
    int64_t row;
    bool end;
    int64_t bytes;
    struct item item;
};

struct ahead {
    struct feed *feed;
    const struct start *starts;
    int64_t bytes_max;

    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_t thread;
    bool running, stop;
    struct entry ring[AHEAD_ITEMS];
    int head, count;
    int64_t bytes;
    bool hungry;         /* the taker waits */
    enum haul_code code; /* why the thread ended; its ring is still good */
    struct haul_error failure;
    bool ended;

    const struct part *part; /* where the thread begins */
    int64_t row;
};

/* Waits for a change, at most 50 ms. The mutex is held. */
static void change_wait(struct ahead *ahead)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += POLL_NS;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    (void)pthread_cond_timedwait(&ahead->changed, &ahead->mutex, &until);
}

enum haul_code ahead_open(struct ahead **ahead, struct feed *feed, const struct start *starts,
                          struct haul_error *err)
{
    struct ahead *made = calloc(1, sizeof *made);
    if (!made)
        return error_nomem(err, "the queue of batches");
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&made->mutex, NULL);
    pthread_cond_init(&made->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    made->feed = feed;
    made->starts = starts;
    size_t share = memory_limit(feed->context.memory);
    made->bytes_max = share ? (int64_t)(share / 8) : INT64_MAX;
    *ahead = made;
    return HAUL_OK;
}

/* ---- the reading thread ---- */

/* Waits for room; false when it shall stop. */
static bool entry_push(struct ahead *ahead, const struct entry *entry, struct haul_error *err)
{
    bool pushed = false;
    pthread_mutex_lock(&ahead->mutex);
    for (;;) {
        bool room = ahead->count == 0 ||
                    (ahead->count < AHEAD_ITEMS && ahead->bytes + entry->bytes <= ahead->bytes_max);
        if (ahead->stop || context_check(&ahead->feed->context, err))
            break;
        if (room) {
            ahead->ring[(ahead->head + ahead->count++) % AHEAD_ITEMS] = *entry;
            ahead->bytes += entry->bytes;
            ahead->hungry = false;
            pthread_cond_broadcast(&ahead->changed);
            pushed = true;
            break;
        }
        change_wait(ahead);
    }
    pthread_mutex_unlock(&ahead->mutex);
    return pushed;
}

/* After a large batch: until the taker waits for the next. */
static void taker_await(struct ahead *ahead)
{
    struct haul_error ignored = {0};
    pthread_mutex_lock(&ahead->mutex);
    while (!ahead->hungry && !ahead->stop && !context_check(&ahead->feed->context, &ignored))
        change_wait(ahead);
    pthread_mutex_unlock(&ahead->mutex);
}

static bool stop_asked(struct ahead *ahead)
{
    pthread_mutex_lock(&ahead->mutex);
    bool stop = ahead->stop;
    pthread_mutex_unlock(&ahead->mutex);
    return stop;
}

static enum haul_code part_read(struct ahead *ahead, const struct part *part, int64_t row,
                                struct haul_error *err)
{
    if (feed_seek(ahead->feed, part, row, err))
        return err->code;
    struct entry entry = {.part = part};
    while (!entry.end && !stop_asked(ahead)) {
        entry.row = ahead->feed->row;
        if (feed_next(ahead->feed, &entry.item, &entry.end, err))
            return err->code;
        entry.bytes = entry.end ? 0 : batch_bytes(&entry.item.batch);
        progress_sit(ahead->feed->terms->progress, ahead->feed->seat, ACTIVITY_NONE);
        if (!entry_push(ahead, &entry, err)) {
            item_release(&entry.item);
            return err->code;
        }
        entry.item = (struct item){0};
        if (!entry.end && entry.bytes > ahead->bytes_max / 2)
            taker_await(ahead);
    }
    return HAUL_OK;
}

static void *ahead_main(void *user)
{
    struct ahead *ahead = user;
    const struct plan *plan = ahead->feed->terms->plan;
    struct haul_error err = {0};
    enum haul_code code = part_read(ahead, ahead->part, ahead->row, &err);
    for (uint64_t i = ahead->part->index + 1; !code && i < plan->part_count && !stop_asked(ahead); i++)
        if (!ahead->starts[i].done)
            code = part_read(ahead, &plan->parts[i], ahead->starts[i].row, &err);
    progress_sit(ahead->feed->terms->progress, ahead->feed->seat, ACTIVITY_NONE);
    pthread_mutex_lock(&ahead->mutex);
    ahead->code = code;
    ahead->failure = err;
    ahead->ended = true;
    pthread_cond_broadcast(&ahead->changed);
    pthread_mutex_unlock(&ahead->mutex);
    return NULL;
}

/* ---- its taker ---- */

static void thread_stop(struct ahead *ahead)
{
    if (ahead->running) {
        pthread_mutex_lock(&ahead->mutex);
        ahead->stop = true;
        pthread_cond_broadcast(&ahead->changed);
        pthread_mutex_unlock(&ahead->mutex);
        pthread_join(ahead->thread, NULL);
    }
    for (; ahead->count > 0; ahead->count--) {
        item_release(&ahead->ring[ahead->head].item);
        ahead->head = (ahead->head + 1) % AHEAD_ITEMS;
    }
    ahead->running = ahead->stop = ahead->ended = ahead->hungry = false;
    ahead->bytes = 0;
}

void ahead_close(struct ahead *ahead)
{
    if (!ahead)
        return;
    thread_stop(ahead);
    pthread_cond_destroy(&ahead->changed);
    pthread_mutex_destroy(&ahead->mutex);
    free(ahead);
}

/* The head of the ring, waiting for it; NULL with *err set when there will be none. */
static const struct entry *entry_wait(struct ahead *ahead, struct haul_error *err)
{
    const struct entry *entry = NULL;
    struct haul_error failure = {0};
    pthread_mutex_lock(&ahead->mutex);
    while (ahead->count == 0 && !ahead->ended && !context_check(&ahead->feed->context, &failure)) {
        ahead->hungry = true;
        pthread_cond_broadcast(&ahead->changed);
        change_wait(ahead);
    }
    if (ahead->count > 0)
        entry = &ahead->ring[ahead->head];
    else if (ahead->ended && ahead->code)
        failure = ahead->failure;
    else if (ahead->ended)
        (void)error_set(&failure, HAUL_INTERNAL, "the reading thread ended too early");
    pthread_mutex_unlock(&ahead->mutex);
    if (!entry)
        *err = failure;
    return entry;
}

static void entry_drop(struct ahead *ahead)
{
    pthread_mutex_lock(&ahead->mutex);
    ahead->bytes -= ahead->ring[ahead->head].bytes;
    ahead->ring[ahead->head] = (struct entry){0};
    ahead->head = (ahead->head + 1) % AHEAD_ITEMS;
    ahead->count--;
    pthread_cond_broadcast(&ahead->changed);
    pthread_mutex_unlock(&ahead->mutex);
}

/* Is the head what is wanted? The end of another part before it is passed over. */
static bool head_is(struct ahead *ahead, const struct part *part, int64_t row)
{
    struct haul_error ignored = {0};
    if (!ahead->running)
        return false;
    const struct entry *entry = entry_wait(ahead, &ignored);
    if (entry && entry->end && entry->part != part) {
        entry_drop(ahead);
        entry = entry_wait(ahead, &ignored);
    }
    return entry && entry->part == part && entry->row == row;
}

enum haul_code ahead_seek(struct ahead *ahead, const struct part *part, int64_t row, struct haul_error *err)
{
    if (head_is(ahead, part, row))
        return HAUL_OK;
    thread_stop(ahead);
    if (context_check(&ahead->feed->context, err))
        return err->code;
    ahead->part = part;
    ahead->row = row;
    ahead->code = HAUL_OK;
    int failed = pthread_create(&ahead->thread, NULL, ahead_main, ahead);
    if (failed)
        return error_set_errno(err, failed, "cannot start a thread");
    ahead->running = true;
    return HAUL_OK;
}

enum haul_code ahead_peek(struct ahead *ahead, bool *end, struct haul_error *err)
{
    const struct entry *entry = entry_wait(ahead, err);
    if (!entry)
        return err->code;
    *end = entry->end;
    return HAUL_OK;
}

void ahead_take(struct ahead *ahead, struct item *item)
{
    *item = ahead->ring[ahead->head].item;
    entry_drop(ahead);
}
