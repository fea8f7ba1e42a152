/*
 * unit.c: one unit from claim to receipt.
 *
 * The claim is tried, never read (docs/unit.md): the sink's open says mine, done
 * or busy. Mine: items are written until the unit ends, at the next multiple of
 * unit_rows, at unit_bytes, or with its part. What the target refuses row by row
 * is taken out of count and hash again. Then one commit.
 *
 * A failure that may pass rolls the unit back, waits (base/backoff.h) and begins
 * it again: by a new reader where the source can do that, else with the items kept until the
 * commit. A commit whose answer was lost is settled by the next claim: done.
 *
 * Rejects are reserved against --max-errors before the commit, so that workers
 * who commit at the same moment cannot pass the limit together.
 */
#include "transfer/unit.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "transfer/reject.h"
#include <stdlib.h>

#define BUSY_WAIT_MS 30000 /* for another session's open transaction on our claim */
#define BUSY_POLL_MS 100

struct kept {
    struct item *items;
    size_t count, room;
};

struct attempt {
    struct unit_worker *worker;
    const struct unit_task *task;
    struct writer *writer;
    struct receipt *receipt;
    struct arena *arena;
    struct kept *kept;
    int64_t bytes, progress_rows;
};

/* ---- rows ---- */

/* The row of the batch at `place` of its part; -1 when it is not in it. */
static int64_t row_find(const struct batch *batch, int64_t place)
{
    int64_t low = 0, high = batch->array.length;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (batch_place(batch, middle) < place)
            low = middle + 1;
        else
            high = middle;
    }
    return low < batch->array.length && batch_place(batch, low) == place ? low : -1;
}

/* Takes the rows refused since `before` out of count and hash. */
static enum haul_code refused_subtract(struct attempt *attempt, const struct batch *batch,
                                       const struct reject_node *before, struct haul_error *err)
{
    struct unit_worker *worker = attempt->worker;
    const struct reject_node *node = before ? before->next : worker->collector.rejects;
    if (!node)
        return HAUL_OK;
    struct hash128 sum;
    if (hash_batch(&worker->hasher, batch, &sum, err))
        return err->code;
    int64_t last = -1;
    for (; node; node = node->next) {
        int64_t row = row_find(batch, node->reject.row);
        if (row < 0)
            return error_set(err, HAUL_INTERNAL, "the target refused row %lld, which it was not given",
                             (long long)node->reject.row);
        if (row == last)
            continue;
        last = row;
        attempt->receipt->rows--;
        attempt->receipt->hash = hash_subtract(attempt->receipt->hash, worker->hasher.rows[row]);
    }
    return HAUL_OK;
}

/* What reading and casting collected becomes the unit's. */
static enum haul_code found_absorb(struct collector *into, const struct collector *found,
                                   struct haul_error *err)
{
    for (const struct reject_node *node = found->rejects; node; node = node->next)
        if (collector_reject(into, HAUL_VALUE, &node->reject, err))
            return err->code;
    for (const struct loss *loss = found->losses; loss; loss = loss->next)
        if (collector_loss(into, loss->column, loss->what, loss->count, err))
            return err->code;
    return HAUL_OK;
}

static enum haul_code target_failed(struct haul_error *err)
{
    if (err->side == HAUL_SIDE_NONE)
        err->side = HAUL_SIDE_TARGET;
    return err->code;
}

static enum haul_code item_write(struct attempt *attempt, const struct item *item, struct haul_error *err)
{
    struct unit_worker *worker = attempt->worker;
    struct receipt *receipt = attempt->receipt;
    if (found_absorb(&worker->collector, &item->found, err))
        return err->code;
    receipt->rows += item->batch.array.length;
    receipt->rows_offered += item->offered;
    receipt->hash = hash_add(receipt->hash, item->sum);
    attempt->bytes += batch_bytes(&item->batch);
    const struct reject_node *before = worker->collector.rejects_last;
    if (item->batch.array.length > 0 && attempt->writer->ops->write(attempt->writer, &item->batch, err))
        return target_failed(err);
    attempt->progress_rows += item->batch.array.length;
    atomic_fetch_add_explicit(&worker->progress->rows, item->batch.array.length, memory_order_relaxed);
    return refused_subtract(attempt, &item->batch, before, err);
}

/* ---- filling ---- */

static bool unit_full(const struct attempt *attempt)
{
    const struct plan *plan = attempt->worker->plan;
    int64_t offered = attempt->receipt->rows_offered;
    return offered > 0 &&
           ((attempt->task->row + offered) % plan->unit_rows == 0 || attempt->bytes >= plan->unit_bytes);
}

static enum haul_code kept_add(struct kept *kept, struct item *item, struct haul_error *err)
{
    if (kept->count == kept->room) {
        size_t room = kept->room ? kept->room * 2 : 16;
        struct item *items = realloc(kept->items, room * sizeof *items);
        if (!items)
            return error_nomem(err, "the rows of a unit");
        kept->items = items;
        kept->room = room;
    }
    kept->items[kept->count++] = *item;
    *item = (struct item){0};
    return HAUL_OK;
}

static void kept_release(struct kept *kept)
{
    for (size_t i = 0; i < kept->count; i++)
        item_release(&kept->items[i]);
    free(kept->items);
    *kept = (struct kept){0};
}

static enum haul_code item_pass(struct attempt *attempt, struct haul_error *err)
{
    struct item item;
    struct unit_worker *worker = attempt->worker;
    intake_take(&worker->intake, &item);
    enum haul_code code;
    if (worker->keeps) {
        code = kept_add(attempt->kept, &item, err);
        if (!code)
            code = item_write(attempt, &attempt->kept->items[attempt->kept->count - 1], err);
    } else {
        code = item_write(attempt, &item, err);
    }
    item_release(&item);
    return code;
}

static enum haul_code unit_fill(struct attempt *attempt, struct haul_error *err)
{
    struct unit_worker *worker = attempt->worker;
    int64_t row = attempt->task->row;
    for (size_t i = 0; i < attempt->kept->count; i++) {
        row += attempt->kept->items[i].offered;
        if (item_write(attempt, &attempt->kept->items[i], err))
            return err->code;
    }
    if (intake_seek(&worker->intake, attempt->task->part, row, err))
        return err->code;
    bool end = false;
    while (!unit_full(attempt)) {
        if (intake_peek(&worker->intake, &end, err))
            return err->code;
        if (end)
            break;
        progress_sit(worker->progress, worker->seat,
                     worker->plan->unit_rows == INT64_MAX ? ACTIVITY_ENCODE : ACTIVITY_SINK);
        if (item_pass(attempt, err))
            return err->code;
    }
    if (!end && intake_peek(&worker->intake, &end, err))
        return err->code;
    attempt->receipt->last = end || worker->plan->cut;
    return HAUL_OK;
}

/* ---- committing ---- */

static enum haul_code rejects_reserve(const struct collector *collector, struct haul_error *err)
{
    struct reject_limit *limit = collector->limit;
    int64_t count = collector->reject_count;
    if (!limit || count == 0)
        return HAUL_OK;
    long long now = atomic_fetch_add(&limit->finished, count) + count;
    if (limit->max < 0 || now <= limit->max)
        return HAUL_OK;
    atomic_fetch_sub(&limit->finished, count);
    return error_set(err, HAUL_REJECTS, "more than --max-errors %lld rows were refused",
                     (long long)limit->max);
}

static enum haul_code unit_commit(struct attempt *attempt, struct haul_error *err)
{
    struct unit_worker *worker = attempt->worker;
    struct receipt *receipt = attempt->receipt;
    receipt->reject_count = worker->collector.reject_count;
    receipt->loss_count = worker->collector.loss_count;
    if (reject_lines(&worker->collector, attempt->arena, &receipt->rejects, err) ||
        context_check(&worker->context, err) || rejects_reserve(&worker->collector, err))
        return err->code;
    progress_sit(worker->progress, worker->seat, ACTIVITY_SINK);
    if (attempt->writer->ops->commit(attempt->writer, receipt, attempt->arena, err)) {
        if (worker->collector.limit)
            atomic_fetch_sub(&worker->collector.limit->finished, receipt->reject_count);
        return target_failed(err);
    }
    attempt->writer = NULL;
    if (worker->verbose)
        context_note(&worker->context, "part %llu of %llu, from row %lld on: %lld rows are in",
                     (unsigned long long)receipt->unit.part + 1, (unsigned long long)receipt->unit.parts,
                     (long long)receipt->unit.first_row, (long long)receipt->rows);
    return HAUL_OK;
}

/* ---- claiming ---- */

static enum haul_code unit_claim(struct attempt *attempt, struct claim *claim, struct haul_error *err)
{
    struct unit_worker *worker = attempt->worker;
    struct sink *sink = worker->sink;
    int64_t until_ns = clock_now_ns() + (int64_t)BUSY_WAIT_MS * 1000000;
    for (;;) {
        if (sink->ops->open(sink, &worker->context, &attempt->task->unit, claim, err))
            return target_failed(err);
        if (claim->state != UNIT_BUSY)
            return HAUL_OK;
        if (context_check(&worker->context, err))
            return err->code;
        if (clock_now_ns() >= until_ns) {
            (void)error_set(err, HAUL_BUSY, "another session holds unit %llu/%lld of this run since %d s",
                            (unsigned long long)attempt->task->unit.part,
                            (long long)attempt->task->unit.first_row, BUSY_WAIT_MS / 1000);
            return target_failed(err);
        }
        clock_sleep_ms(BUSY_POLL_MS, worker->context.cancel);
    }
}

/* The whole part at once, without batches, when the sink can take it. */
static enum haul_code unit_adopt(struct attempt *attempt, bool *taken, struct haul_error *err)
{
    struct unit_worker *worker = attempt->worker;
    const struct unit_task *task = attempt->task;
    struct writer *writer = attempt->writer;
    struct receipt *receipt = attempt->receipt;
    if (!writer->ops->adopt || worker->plan->cut || worker->plan->limit >= 0 || task->row > 0)
        return HAUL_OK;
    progress_sit(worker->progress, worker->seat, ACTIVITY_SINK);
    if (writer->ops->adopt(writer, worker->source, task->part, receipt, taken, err))
        return target_failed(err);
    if (!*taken)
        return HAUL_OK;
    if (task->part->rows >= 0 && task->part->rows != receipt->rows)
        return error_set(err, HAUL_CHANGED, "part %llu has %lld rows where the plan knows %lld",
                         (unsigned long long)task->part->index, (long long)receipt->rows,
                         (long long)task->part->rows);
    receipt->rows_offered = attempt->progress_rows = receipt->rows;
    receipt->unhashed = receipt->last = true;
    atomic_fetch_add_explicit(&worker->progress->rows, receipt->rows, memory_order_relaxed);
    if (task->part->bytes > 0)
        atomic_fetch_add_explicit(&worker->progress->bytes_read, task->part->bytes, memory_order_relaxed);
    return HAUL_OK;
}

static enum haul_code unit_attempt(struct attempt *attempt, struct haul_error *err)
{
    struct unit_worker *worker = attempt->worker;
    struct claim claim = {0};
    collector_reset(&worker->collector);
    attempt->writer = NULL;
    attempt->bytes = attempt->progress_rows = 0;
    *attempt->receipt = (struct receipt){.unit = attempt->task->unit};
    if (context_check(&worker->context, err) || unit_claim(attempt, &claim, err))
        return err->code;
    attempt->writer = claim.writer;
    if (claim.state == UNIT_DONE) {
        *attempt->receipt = claim.receipt;
        attempt->receipt->unit = attempt->task->unit;
        atomic_fetch_add(&worker->progress->rows, attempt->receipt->rows);
        return HAUL_OK;
    }
    bool taken = false;
    enum haul_code code = unit_adopt(attempt, &taken, err);
    if (!code && !taken)
        code = unit_fill(attempt, err);
    if (!code)
        code = unit_commit(attempt, err);
    if (code && attempt->writer)
        attempt->writer->ops->abort(attempt->writer);
    if (code)
        atomic_fetch_sub(&worker->progress->rows, attempt->progress_rows);
    return code;
}

/* ---- trying again ---- */

static bool unit_may_retry(const struct unit_worker *worker, const struct haul_error *err)
{
    if (!err->retryable || err->code == HAUL_CANCELLED || err->code == HAUL_CHANGED)
        return false; /* a lost snapshot: not the unit, the run begins anew */
    return worker->replayable || (worker->keeps && err->side == HAUL_SIDE_TARGET);
}

static void unit_wait(struct unit_worker *worker, int tries, const struct haul_error *err)
{
    int64_t wait_ms = backoff_ms(&worker->random, tries);
    context_warn(&worker->context, "%s; trying again in %lld ms (%d of %d)", err->message, (long long)wait_ms,
                 tries, worker->retries);
    progress_sit(worker->progress, worker->seat, ACTIVITY_NONE);
    clock_sleep_ms(wait_ms, worker->context.cancel);
}

enum haul_code unit_run(struct unit_worker *worker, const struct unit_task *task, struct receipt *receipt,
                        struct arena *arena, struct haul_error *err)
{
    struct kept kept = {0};
    struct attempt attempt = {
        .worker = worker, .task = task, .receipt = receipt, .arena = arena, .kept = &kept};
    enum haul_code code;
    for (int tries = 1;; tries++) {
        code = unit_attempt(&attempt, err);
        if (!code || tries > worker->retries || !unit_may_retry(worker, err))
            break;
        unit_wait(worker, tries, err);
        *err = (struct haul_error){0};
    }
    kept_release(&kept);
    progress_sit(worker->progress, worker->seat, ACTIVITY_NONE);
    return code;
}
