/*
 * progress.c: how far a run is.
 *
 * Workers only add to atomics, once per batch. The calling thread looks every
 * 200 ms (run.c) and tells the caller, so that the callback is never called from
 * a worker. The waiting side is a sample: what most threads are busy with at the
 * moment of looking. Notes are queued with a bound, because a worker must not
 * wait for a slow terminal.
 */
#include "transfer/progress.h"
#include "base/clock.h"
#include <stdlib.h>
#include <string.h>

struct progress_note {
    struct progress_note *next;
    bool warning;
    char message[];
};

void progress_init(struct progress *progress)
{
    *progress = (struct progress){.rows_expected = -1, .run = "", .table = "", .began_ns = clock_now_ns()};
    pthread_mutex_init(&progress->mutex, NULL);
}

void progress_release(struct progress *progress)
{
    while (progress->notes) {
        struct progress_note *note = progress->notes;
        progress->notes = note->next;
        free(note);
    }
    progress->notes_last = NULL;
    pthread_mutex_destroy(&progress->mutex);
}

void progress_note(void *user, bool warning, const char *message)
{
    struct progress *progress = user;
    size_t length = strlen(message);
    struct progress_note *note = malloc(sizeof *note + length + 1);
    if (note) {
        *note = (struct progress_note){.warning = warning};
        memcpy(note->message, message, length + 1);
    }
    pthread_mutex_lock(&progress->mutex);
    if (!note || progress->note_count >= PROGRESS_NOTES_MAX) {
        progress->dropped++;
        free(note);
    } else {
        if (progress->notes_last)
            progress->notes_last->next = note;
        else
            progress->notes = note;
        progress->notes_last = note;
        progress->note_count++;
    }
    pthread_mutex_unlock(&progress->mutex);
}

double progress_seconds(const struct progress *progress)
{
    return (double)(clock_now_ns() - progress->began_ns) / 1e9;
}

static const char *waiting_side(const struct progress *progress)
{
    static const char *const names[] = {"", "source", "encode", "sink"};
    int counts[4] = {0}, most = 0;
    for (int i = 0; i < PROGRESS_SEATS; i++)
        counts[atomic_load_explicit(&progress->seats[i], memory_order_relaxed) & 3]++;
    counts[ACTIVITY_NONE] = 0;
    for (int i = 1; i < 4; i++)
        if (counts[i] > counts[most])
            most = i;
    return names[most];
}

void progress_tell(struct progress *progress, enum haul_event_kind kind, const char *message,
                   int64_t bytes_written)
{
    struct haul_event event = {.kind = kind,
                               .run = progress->run,
                               .table = progress->table,
                               .message = message,
                               .waiting = kind == HAUL_EVENT_PROGRESS ? waiting_side(progress) : "",
                               .rows = atomic_load(&progress->rows),
                               .rows_expected = progress->rows_expected,
                               .bytes_read = atomic_load(&progress->bytes_read),
                               .bytes_written = bytes_written,
                               .seconds = progress_seconds(progress)};
    if (progress->event)
        progress->event(progress->event_user, &event);
}

static void note_tell(struct progress *progress, bool warning, const char *message)
{
    if (progress->event)
        progress_tell(progress, warning ? HAUL_EVENT_WARNING : HAUL_EVENT_NOTE, message, 0);
    else if (progress->caller && progress->caller->note)
        progress->caller->note(progress->caller->note_user, warning, message);
}

void progress_deliver(struct progress *progress)
{
    pthread_mutex_lock(&progress->mutex);
    struct progress_note *notes = progress->notes;
    long dropped = progress->dropped;
    progress->notes = progress->notes_last = NULL;
    progress->note_count = 0;
    progress->dropped = 0;
    pthread_mutex_unlock(&progress->mutex);
    while (notes) {
        struct progress_note *note = notes;
        notes = note->next;
        note_tell(progress, note->warning, note->message);
        free(note);
    }
    if (dropped > 0)
        note_tell(progress, true, "some messages were left out: there were too many");
}
