/*
 * stretch.c: looking for record ends, and the thread that does it on a guess.
 *
 * The thread has a stretch of its own, whose buffers are as large as they will
 * be before it starts: it allocates nothing, reads by read_at as every reader
 * does, and touches nothing else of the input. One mutex guards `state`; the
 * stretch belongs to the thread while that is AHEAD_BUSY, to the caller
 * otherwise.
 */
#include "format/csv/stretch.h"

#include <pthread.h>
#include <string.h>

#define RECORDS_AT_ONCE ((size_t)64 << 10)
#define STRETCH_WINDOWS 2u    /* more than a reader looks at, as little is made of it */
#define FILE_STRETCHES  4     /* at least so many must be left for a guess to be worth it */
#define PROBE_BYTES     8192u /* looked at for a line end */
#define WRONG_MAX       4u    /* guesses; then no more are made */

/* ---- a stretch ---- */

static size_t stretch_bytes(const struct csv_input *input)
{
    return STRETCH_WINDOWS * csv_input_window(input);
}

/* A little more than a stretch, when a guess begins there. */
static size_t room_bytes(const struct csv_input *input)
{
    return stretch_bytes(input) + PROBE_BYTES + CSV_DELIMITER_BYTES_MAX;
}

enum haul_code csv_stretch_init(struct csv_stretch *stretch, const struct csv_input *input, int64_t from,
                                struct haul_error *err)
{
    memset(stretch, 0, sizeof *stretch);
    window_init(&stretch->window, &input->bytes, from, -1, input->context.memory);
    buffer_init(&stretch->records, input->context.memory);
    return buffer_resize(&stretch->records, RECORDS_AT_ONCE * sizeof(uint32_t), err);
}

void csv_stretch_release(struct csv_stretch *stretch)
{
    window_release(&stretch->window);
    buffer_release(&stretch->records);
}

enum haul_code csv_stretch_scan(struct csv_stretch *stretch, const struct csv_input *input, int64_t until,
                                struct haul_error *err)
{
    struct window *window = &stretch->window;
    const size_t drop = stretch->marks.reached, ahead = csv_scan_ahead(&input->scan);
    const int64_t left = until - window->at - (int64_t)drop;
    size_t want = stretch_bytes(input);
    const bool bounded = left <= (int64_t)(want + PROBE_BYTES);
    if (bounded)
        want = (size_t)left + ahead;
    if (window_fill(window, drop, want, err))
        return err->code;
    stretch->marks = (struct csv_marks){.records = (uint32_t *)(void *)stretch->records.data,
                                        .capacity = RECORDS_AT_ONCE,
                                        .state = &stretch->state};
    size_t length = bounded && want < window->bytes.length ? want : window->bytes.length;
    csv_scan_run(&input->scan, window->bytes.data, length, window->final && !bounded, &stretch->marks);
    return HAUL_OK;
}

/* ---- the thread ---- */

enum ahead_state { AHEAD_IDLE, AHEAD_BUSY, AHEAD_DONE, AHEAD_FAILED, AHEAD_QUIT };

struct csv_ahead {
    const struct csv_input *input;
    struct csv_stretch stretch;
    int64_t from; /* INT64_MAX: nothing is under way */
    unsigned wrong;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    enum ahead_state state;
    pthread_t thread;
};

static void *ahead_main(void *user)
{
    struct csv_ahead *ahead = user;
    pthread_mutex_lock(&ahead->mutex);
    while (ahead->state != AHEAD_QUIT) {
        if (ahead->state != AHEAD_BUSY) {
            pthread_cond_wait(&ahead->changed, &ahead->mutex);
            continue;
        }
        struct haul_error ignored = {0}; /* whoever reads there again meets it again */
        pthread_mutex_unlock(&ahead->mutex);
        enum haul_code code = csv_stretch_scan(&ahead->stretch, ahead->input, INT64_MAX, &ignored);
        pthread_mutex_lock(&ahead->mutex);
        ahead->state = code ? AHEAD_FAILED : AHEAD_DONE;
        pthread_cond_signal(&ahead->changed);
    }
    pthread_mutex_unlock(&ahead->mutex);
    return NULL;
}

static void ahead_set(struct csv_ahead *ahead, enum ahead_state state)
{
    pthread_mutex_lock(&ahead->mutex);
    ahead->state = state;
    pthread_cond_signal(&ahead->changed);
    pthread_mutex_unlock(&ahead->mutex);
}

static enum ahead_state ahead_wait(struct csv_ahead *ahead)
{
    pthread_mutex_lock(&ahead->mutex);
    while (ahead->state == AHEAD_BUSY)
        pthread_cond_wait(&ahead->changed, &ahead->mutex);
    enum ahead_state state = ahead->state;
    pthread_mutex_unlock(&ahead->mutex);
    return state;
}

static void ahead_release(struct csv_ahead *ahead)
{
    pthread_mutex_destroy(&ahead->mutex);
    pthread_cond_destroy(&ahead->changed);
    csv_stretch_release(&ahead->stretch);
    memory_free(NULL, ahead, sizeof *ahead);
}

struct csv_ahead *csv_ahead_new(const struct csv_input *input)
{
    struct haul_error ignored = {0};
    int64_t bytes = input->bytes.file->size - input->shape.rows_at;
    if (csv_input_reopens(input) || bytes < FILE_STRETCHES * (int64_t)stretch_bytes(input))
        return NULL;
    struct csv_ahead *ahead = memory_alloc(NULL, sizeof *ahead);
    if (!ahead)
        return NULL;
    memset(ahead, 0, sizeof *ahead);
    ahead->input = input;
    ahead->from = INT64_MAX;
    pthread_mutex_init(&ahead->mutex, NULL);
    pthread_cond_init(&ahead->changed, NULL);
    if (csv_stretch_init(&ahead->stretch, input, 0, &ignored) ||
        pthread_create(&ahead->thread, NULL, ahead_main, ahead)) {
        ahead_release(ahead);
        return NULL;
    }
    return ahead;
}

void csv_ahead_free(struct csv_ahead *ahead)
{
    if (!ahead)
        return;
    (void)ahead_wait(ahead);
    ahead_set(ahead, AHEAD_QUIT);
    pthread_join(ahead->thread, NULL);
    ahead_release(ahead);
}

/* The place behind the first line feed at or after `at`; -1: none is near. */
static int64_t line_start(const struct csv_input *input, int64_t at)
{
    uint8_t bytes[PROBE_BYTES];
    size_t got = 0;
    struct haul_error ignored = {0};
    if (file_bytes_read(&input->bytes, at, bytes, sizeof bytes, &got, &ignored))
        return -1;
    const uint8_t *end = memchr(bytes, '\n', got);
    return end ? at + (end - bytes) + 1 : -1;
}

void csv_ahead_begin(struct csv_ahead *ahead, const struct csv_stretch *stretch)
{
    if (!ahead || ahead->from != INT64_MAX || ahead->wrong >= WRONG_MAX)
        return;
    const int64_t step = (int64_t)stretch_bytes(ahead->input);
    int64_t at = stretch->window.at + (int64_t)stretch->marks.reached;
    if (stretch->window.end - at < FILE_STRETCHES * step)
        return;
    struct csv_stretch *next = &ahead->stretch;
    struct haul_error ignored = {0};
    int64_t from = line_start(ahead->input, at + step);
    buffer_clear(&next->window.bytes);
    if (from < 0 || stretch->window.end - from < step ||
        buffer_reserve(&next->window.bytes, room_bytes(ahead->input), &ignored))
        return;
    ahead->from = from;
    next->state = (struct csv_scan_state){.place = CSV_AT_START};
    next->marks.reached = 0;
    next->window.at = from;
    next->window.final = false;
    ahead_set(ahead, AHEAD_BUSY);
}

int64_t csv_ahead_from(const struct csv_ahead *ahead)
{
    return ahead ? ahead->from : INT64_MAX;
}

static bool at_start(const struct csv_scan_state *state)
{
    return state->place == CSV_AT_START && !state->after_cr && !state->line_cr && !state->escaped &&
           !state->within && state->skip == 0;
}

bool csv_ahead_take(struct csv_ahead *ahead, struct csv_stretch *stretch)
{
    enum ahead_state state = ahead_wait(ahead);
    bool right = at_start(&stretch->state);
    ahead->from = INT64_MAX;
    if (right && state == AHEAD_DONE) {
        struct csv_stretch found = ahead->stretch;
        ahead->stretch = *stretch;
        *stretch = found;
        return true;
    }
    ahead->wrong++;
    return false;
}
