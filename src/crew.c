/*
 * crew.c: see crew.h. Members' events are kept under one mutex: counters as they
 * are, messages in a list; the caller's thread looks every LOOK_MS and tells.
 */
#include "crew.h"

#include "base/clock.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOK_MS      200
#define MESSAGES_MAX 1000
#define RETRY_MS     100

struct message {
    struct message *next;
    enum haul_event_kind kind;
    char text[];
};

struct crew {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct crew_member *members;
    size_t count, running;
    struct message *first, *last;
    int messages;
    bool failed;
    struct haul_error err; /* the first failure */
    int64_t began_ns;
};

static void on_event(void *user, const struct haul_event *event)
{
    struct crew_member *member = user;
    struct crew *crew = member->crew;
    bool counters = event->kind == HAUL_EVENT_PROGRESS || event->kind == HAUL_EVENT_FINISH;
    size_t length = event->message ? strlen(event->message) : 0;
    struct message *made = NULL;
    pthread_mutex_lock(&crew->mutex);
    if (counters)
        member->last = *event;
    else if (event->message && crew->messages < MESSAGES_MAX)
        made = malloc(sizeof *made + length + 1);
    if (made) {
        *made = (struct message){.kind = event->kind == HAUL_EVENT_START ? HAUL_EVENT_NOTE : event->kind};
        memcpy(made->text, event->message, length + 1);
        *(crew->last ? &crew->last->next : &crew->first) = made;
        crew->last = made;
        crew->messages++;
    }
    pthread_mutex_unlock(&crew->mutex);
}

/* Runs that begin at once meet at the ledger they share: what may pass (a deadlock) is tried again, and the
 * run goes on where it was. */
static enum haul_code member_copy(struct crew_member *member)
{
    int64_t tries = settings_number(&member->job->settings, "retries");
    for (int64_t i = 0;; i++) {
        enum haul_code code = haul_copy(member->job, &member->result, &member->err);
        bool again = code && code != HAUL_CANCELLED && member->err.retryable && i < tries &&
                     !atomic_load(&member->job->cancel.asked);
        if (!again)
            return code;
        member->err = (struct haul_error){0};
        clock_sleep_ms(RETRY_MS * (i + 1) + RETRY_MS * (member - member->crew->members),
                       &member->job->cancel);
    }
}

static void *member_work(void *user)
{
    struct crew_member *member = user;
    struct crew *crew = member->crew;
    enum haul_code code = member_copy(member);
    pthread_mutex_lock(&crew->mutex);
    if (code && !crew->failed) {
        crew->failed = true;
        crew->err = member->err;
    }
    crew->running--;
    pthread_cond_broadcast(&crew->changed);
    pthread_mutex_unlock(&crew->mutex);
    return NULL;
}

/* ---- the caller's thread ---- */

static void tell(struct haul_job *job, const struct haul_event *event)
{
    if (job->event)
        job->event(job->event_user, event);
}

static void tell_messages(struct haul_job *job, struct crew *crew)
{
    struct message *at = crew->first;
    crew->first = crew->last = NULL;
    crew->messages = 0;
    pthread_mutex_unlock(&crew->mutex);
    while (at) {
        struct message *message = at;
        at = message->next;
        tell(job, &(struct haul_event){.kind = message->kind,
                                       .run = job->context.run,
                                       .message = message->text,
                                       .waiting = "",
                                       .rows_expected = -1});
        free(message);
    }
    pthread_mutex_lock(&crew->mutex);
}

static void tell_progress(struct haul_job *job, struct crew *crew)
{
    struct haul_event sum = {.kind = HAUL_EVENT_PROGRESS,
                             .run = job->context.run,
                             .table = job_target_table(job),
                             .waiting = "",
                             .seconds = (double)(clock_now_ns() - crew->began_ns) / 1e9};
    for (size_t i = 0; i < crew->count; i++) {
        const struct haul_event *last = &crew->members[i].last;
        sum.rows += last->rows;
        sum.rows_expected =
            sum.rows_expected < 0 || last->rows_expected < 0 ? -1 : sum.rows_expected + last->rows_expected;
        sum.bytes_read += last->bytes_read;
        sum.bytes_written += last->bytes_written;
        if (last->waiting && *last->waiting)
            sum.waiting = last->waiting;
    }
    pthread_mutex_unlock(&crew->mutex);
    tell(job, &sum);
    pthread_mutex_lock(&crew->mutex);
}

static void wait_look(struct crew *crew)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += LOOK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&crew->changed, &crew->mutex, &until);
}

static void attend(struct haul_job *job, struct crew *crew)
{
    pthread_mutex_lock(&crew->mutex);
    while (crew->running > 0) {
        wait_look(crew);
        tell_messages(job, crew);
        tell_progress(job, crew);
        if (crew->failed || atomic_load(&job->cancel.asked))
            for (size_t i = 0; i < crew->count; i++)
                haul_job_cancel(crew->members[i].job);
    }
    tell_messages(job, crew);
    pthread_mutex_unlock(&crew->mutex);
}

enum haul_code crew_run(struct haul_job *job, struct crew_member *members, size_t count,
                        struct haul_error *err)
{
    struct crew crew = {.members = members, .count = count, .began_ns = clock_now_ns()};
    size_t started = 0;
    pthread_mutex_init(&crew.mutex, NULL);
    pthread_cond_init(&crew.changed, NULL);
    for (size_t i = 0; i < count; i++) {
        members[i].crew = &crew;
        members[i].last = (struct haul_event){.rows_expected = -1};
        haul_job_on_event(members[i].job, on_event, &members[i]);
    }
    pthread_mutex_lock(&crew.mutex);
    for (; started < count; started++) {
        crew.running++;
        if (pthread_create(&members[started].thread, NULL, member_work, &members[started]) == 0)
            continue;
        crew.running--;
        crew.failed = true;
        error_nomem(&crew.err, "a thread");
        break;
    }
    pthread_mutex_unlock(&crew.mutex);
    attend(job, &crew);
    for (size_t i = 0; i < started; i++)
        pthread_join(members[i].thread, NULL);
    pthread_cond_destroy(&crew.changed);
    pthread_mutex_destroy(&crew.mutex);
    if (crew.failed)
        *err = crew.err;
    return crew.failed ? err->code : HAUL_OK;
}
