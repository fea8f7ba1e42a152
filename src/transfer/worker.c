/*
 * worker.c: what each thread of a run does: takes parts in order from one queue,
 * and in each part one unit after another, from where the part's receipts end.
 *
 * The first failure wins and is told; the others are stopped by the cancel
 * signal and roll back what they hold. The calling thread does no work of its
 * own: it tells the caller of progress every 200 ms and hands over the notes the
 * workers left.
 */
#include "base/clock.h"
#include "transfer/run.h"
#include <stdlib.h>
#include <time.h>

#define TELL_NS       200000000L
#define REJECTS_SHOWN 10 /* of a run, as warnings */

struct worker {
    struct run *run;
    struct unit_worker unit;
    struct memory *share;
    struct arena arena; /* texts of the receipt at hand */
    pthread_t thread;
};

/* ---- one worker ---- */

static enum haul_code worker_open(struct worker *worker, int seat, struct haul_error *err)
{
    struct run *run = worker->run;
    struct unit_worker *unit = &worker->unit;
    unit->context = run->context;
    if (memory_share(run->context.memory, &worker->share, err))
        return err->code;
    unit->context.memory = worker->share;
    unit->collector.limit = &run->limit;
    unit->context.collector = &unit->collector;
    unit->source = run->transfer->source;
    unit->sink = run->transfer->sink;
    unit->schema = &run->terms.schema;
    unit->plan = &run->plan;
    unit->progress = &run->progress;
    unit->seat = seat;
    unit->retries = (int)settings_number(run->settings, "retries");
    unit->verbose = settings_flag(run->settings, "verbose");
    unit->replayable = run->info.replayable && (run->info.order_fixed || run->info.scanned || !run->plan.cut);
    unit->keeps = !run->info.replayable && !run->terms.part_is_unit;
    unit->random = (uint64_t)clock_now_ns() * 0x9e3779b97f4a7c15u + (uint64_t)seat + 1;
    if (hasher_init(&unit->hasher, unit->schema, false, worker->share, err) ||
        intake_init(&unit->intake, &run->feed_terms, &unit->context, seat, err))
        return err->code;
    if (run->plan.limit >= 0)
        intake_limit(&unit->intake, run->plan.limit - run->tally.rows_offered);
    return run->ahead ? intake_thread(&unit->intake, run->starts, err) : HAUL_OK;
}

static void worker_close(struct worker *worker)
{
    struct unit_worker *unit = &worker->unit;
    intake_release(&unit->intake);
    hasher_release(&unit->hasher);
    collector_release(&unit->collector);
    arena_release(&worker->arena);
    memory_close(worker->share);
}

/* Shows the first refused rows, when no file and no caller gets them. */
static void rejects_tell(struct worker *worker)
{
    struct run *run = worker->run;
    if (settings_given(run->settings, "reject-file") || run->transfer->reject)
        return;
    const struct reject_node *node = worker->unit.collector.rejects;
    for (; node && atomic_fetch_add(&run->rejects_shown, 1) < REJECTS_SHOWN; node = node->next) {
        const struct reject *reject = &node->reject;
        context_warn(&run->context, "refused: %s%s%s: %s", reject->place, reject->column ? ", column " : "",
                     reject->column ? reject->column : "", reject->reason);
    }
}

/* One unit, noted. */
static enum haul_code worker_unit(struct worker *worker, const struct unit_task *task,
                                  struct receipt *receipt, struct haul_error *err)
{
    struct run *run = worker->run;
    if (unit_run(&worker->unit, task, receipt, &worker->arena, err))
        return err->code;
    if (state_record(&run->state, receipt, err) || tally_add(&run->tally, receipt, false, err))
        return err->code;
    tally_losses(&run->tally, worker->unit.collector.losses);
    rejects_tell(worker);
    arena_release(&worker->arena);
    return HAUL_OK;
}

static enum haul_code worker_part(struct worker *worker, uint64_t index, struct haul_error *err)
{
    struct run *run = worker->run;
    const struct plan *plan = &run->plan;
    struct unit_task task = {.part = &plan->parts[index], .row = run->starts[index].row};
    struct receipt receipt = {0};
    while (!receipt.last) {
        task.unit = (struct unit){.part = index, .first_row = task.row, .parts = plan->part_count};
        if (worker_unit(worker, &task, &receipt, err))
            return err->code;
        task.row += receipt.rows_offered;
    }
    return HAUL_OK;
}

/* The source's one part, cut into units that are parts to the sink. There is
 * always one; another only when rows are left. */
static enum haul_code worker_cut(struct worker *worker, struct haul_error *err)
{
    struct run *run = worker->run;
    struct intake *intake = &worker->unit.intake;
    struct unit_task task = {.part = &run->plan.parts[0], .row = run->starts[0].row};
    bool end = false;
    task.unit.part = run->tally.count; /* one worker, and receipts are a prefix */
    while (!end) {
        struct receipt receipt = {0};
        if (task.unit.part > 0 &&
            (intake_seek(intake, task.part, task.row, err) || intake_peek(intake, &end, err)))
            return err->code;
        if (end)
            break;
        if (worker_unit(worker, &task, &receipt, err))
            return err->code;
        task.row += receipt.rows_offered;
        task.unit.part++;
        end = receipt.rows_offered == 0;
    }
    return HAUL_OK;
}

/* The next part that is not done; false when there is none or the run has failed. */
static bool part_take(struct run *run, uint64_t *index)
{
    bool taken = false;
    pthread_mutex_lock(&run->mutex);
    while (!taken && !run->failure.code && run->next_part < run->plan.part_count) {
        *index = run->next_part++;
        taken = !run->starts[*index].done;
    }
    pthread_mutex_unlock(&run->mutex);
    return taken;
}

static bool limit_reached(struct run *run)
{
    pthread_mutex_lock(&run->tally.mutex);
    bool reached = run->plan.limit >= 0 && run->tally.count > 0 && run->tally.rows_offered >= run->plan.limit;
    pthread_mutex_unlock(&run->tally.mutex);
    return reached;
}

static void run_fail(struct run *run, const struct haul_error *err)
{
    int none = 0;
    pthread_mutex_lock(&run->mutex);
    if (!run->failure.code)
        run->failure = *err;
    pthread_mutex_unlock(&run->mutex);
    (void)atomic_compare_exchange_strong(&run->context.cancel->asked, &none, 2);
}

static void *worker_main(void *user)
{
    struct worker *worker = user;
    struct run *run = worker->run;
    struct haul_error err = {0};
    uint64_t index;
    enum haul_code code = HAUL_OK;
    while (!code && !limit_reached(run) && part_take(run, &index))
        code = run->plan.cut ? worker_cut(worker, &err) : worker_part(worker, index, &err);
    if (code)
        run_fail(run, &err);
    pthread_mutex_lock(&run->mutex);
    run->working--;
    pthread_cond_broadcast(&run->changed);
    pthread_mutex_unlock(&run->mutex);
    return NULL;
}

/* ---- all of them ---- */

/* Waits until all threads have ended, or it is time to tell again. */
static bool all_ended(struct run *run)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TELL_NS;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&run->mutex);
    int waited = 0;
    while (run->working > 0 && waited == 0)
        waited = pthread_cond_timedwait(&run->changed, &run->mutex, &until);
    bool ended = run->working == 0;
    pthread_mutex_unlock(&run->mutex);
    return ended;
}

static int64_t bytes_written(struct run *run)
{
    pthread_mutex_lock(&run->tally.mutex);
    int64_t bytes = run->tally.bytes_written;
    pthread_mutex_unlock(&run->tally.mutex);
    return bytes;
}

static void workers_watch(struct run *run)
{
    bool ended;
    do {
        ended = all_ended(run);
        progress_deliver(&run->progress);
        progress_tell(&run->progress, HAUL_EVENT_PROGRESS, NULL, bytes_written(run));
    } while (!ended);
}

/* Fewer threads than wished are enough; none is a failure. */
static enum haul_code threads_start(struct run *run, struct worker *workers, int *started,
                                    struct haul_error *err)
{
    for (*started = 0; *started < run->workers; (*started)++) {
        pthread_mutex_lock(&run->mutex);
        run->working++;
        pthread_mutex_unlock(&run->mutex);
        int failed = pthread_create(&workers[*started].thread, NULL, worker_main, &workers[*started]);
        if (!failed)
            continue;
        pthread_mutex_lock(&run->mutex);
        run->working--;
        pthread_mutex_unlock(&run->mutex);
        if (*started == 0)
            return error_set_errno(err, failed, "cannot start a thread");
        context_warn(&run->context, "only %d of %d threads could be started", *started, run->workers);
        break;
    }
    return HAUL_OK;
}

enum haul_code workers_run(struct run *run, struct haul_error *err)
{
    int started = 0;
    struct worker *workers = calloc((size_t)run->workers, sizeof *workers);
    if (!workers)
        return error_nomem(err, "the workers");
    enum haul_code code = HAUL_OK;
    for (int i = 0; !code && i < run->workers; i++) {
        workers[i].run = run;
        code = worker_open(&workers[i], i, err);
    }
    if (!code)
        code = threads_start(run, workers, &started, err);
    if (!code)
        workers_watch(run);
    for (int i = 0; i < started; i++)
        pthread_join(workers[i].thread, NULL);
    for (int i = 0; i < run->workers; i++)
        worker_close(&workers[i]);
    free(workers);
    progress_deliver(&run->progress);
    if (!code && run->failure.code) {
        *err = run->failure;
        code = err->code;
    }
    return code;
}
