/*
 * run.c: the order of steps: describe, negotiate, name, recall, decide, plan (all
 * in begin.c), prepare, work (worker.c), finish. docs/unit.md is the protocol.
 *
 * A run that fails keeps what it needs to go on; one that could not go on anyway, or
 * has committed nothing, is removed at once.
 */
#include "transfer/run.h"
#include "transfer/manifest.h"
#include "transfer/reject.h"
#include "transfer/verify.h"
#include <stdio.h>
#include <stdlib.h>

/* ---- opening and closing ---- */

static void run_init(struct run *run, struct transfer *transfer)
{
    *run = (struct run){.transfer = transfer, .context = *transfer->context};
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&run->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&run->mutex, NULL);
    tally_init(&run->tally);
    state_init(&run->state, transfer->sink);
    progress_init(&run->progress);
    run->settings = run->context.settings;
    run->context.note = progress_note;
    run->context.note_user = &run->progress;
    if (!run->context.cancel)
        run->context.cancel = &run->cancel;
    run->progress.caller = transfer->context;
    run->progress.event = transfer->event;
    run->progress.event_user = transfer->event_user;
    run->progress.run = run->context.run;
}

/* A cancel of our own making does not outlive the run. */
static void run_release(struct run *run)
{
    int ours = 2;
    (void)atomic_compare_exchange_strong(&run->context.cancel->asked, &ours, 0);
    if (run->source_begun && run->transfer->source->ops->end)
        run->transfer->source->ops->end(run->transfer->source);
    state_close(&run->state);
    tally_release(&run->tally);
    progress_deliver(&run->progress);
    progress_release(&run->progress);
    source_info_release(&run->info);
    sink_terms_release(&run->terms);
    plan_release(&run->plan);
    free(run->plan_text);
    free(run->starts);
    memory_close(run->memory);
    pthread_cond_destroy(&run->changed);
    pthread_mutex_destroy(&run->mutex);
}

/* ---- prepare, work ---- */

static struct run_record record_of(const struct run *run, bool finished)
{
    return (struct run_record){.name = run->plan.run,
                               .fingerprint = run->plan.fingerprint,
                               .plan = run->plan_text,
                               .finished = finished,
                               .receipts = run->tally.receipts,
                               .receipt_count = run->tally.count};
}

/* The sink has seen the receipts of its own making in prepare; of the journal's it
 * says by open which of them count. Those that do not are done again. */
static enum haul_code receipts_confirm(struct run *run, struct haul_error *err)
{
    struct sink *sink = run->transfer->sink;
    enum haul_code code = HAUL_OK;
    for (size_t i = 0; !code && i < run->tally.count; i++) {
        struct claim claim = {.state = UNIT_BUSY};
        code = sink->ops->open(sink, &run->context, &run->tally.receipts[i].unit, &claim, err);
        if (code || claim.state == UNIT_DONE)
            continue;
        if (claim.writer)
            claim.writer->ops->abort(claim.writer);
        tally_drop(&run->tally, i--);
    }
    if (run->plan.cut)
        tally_keep_prefix(&run->tally);
    return code;
}

static enum haul_code continue_from(struct run *run, struct haul_error *err)
{
    if (!run->state.ledger && receipts_confirm(run, err))
        return err->code;
    atomic_store(&run->limit.finished, run->tally.rejects);
    atomic_store(&run->progress.rows, run->tally.rows);
    return state_continue(&run->state, run->plan_text, run->tally.receipts, run->tally.count, err);
}

static enum haul_code starts_make(struct run *run, struct haul_error *err)
{
    const struct plan *plan = &run->plan;
    run->starts = calloc((size_t)plan->part_count, sizeof *run->starts);
    if (!run->starts)
        return error_nomem(err, "the plan");
    if (plan->cut) { /* unit k is (k, 0): the receipts are a prefix of the one part */
        run->starts[0].row = run->tally.rows_offered;
        return HAUL_OK;
    }
    for (uint64_t i = 0; i < plan->part_count; i++)
        run->starts[i] = tally_start(&run->tally, i);
    return HAUL_OK;
}

static void start_tell(struct run *run)
{
    char message[512];
    if (run->tally.count > 0)
        (void)snprintf(message, sizeof message, "continuing run %s: %zu units with %lld rows are in",
                       run->plan.run, run->tally.count, (long long)run->tally.rows);
    else
        (void)snprintf(message, sizeof message, "%.150s -> %.150s: run %s, %llu part%s, %d worker%s%s",
                       run->transfer->source_name, run->transfer->target_name, run->plan.run,
                       (unsigned long long)run->plan.part_count, run->plan.part_count == 1 ? "" : "s",
                       run->workers, run->workers == 1 ? "" : "s", run->ahead ? ", reading ahead" : "");
    run->progress.rows_expected = run->info.rows;
    if (run->plan.limit >= 0 && (run->info.rows < 0 || run->plan.limit < run->info.rows))
        run->progress.rows_expected = run->plan.limit;
    progress_deliver(&run->progress);
    progress_tell(&run->progress, HAUL_EVENT_START, message, 0);
    bool stays = run->terms.resumable == RESUME_NONE && !run->terms.part_is_unit;
    bool append = run->transfer->request.mode == SINK_APPEND;
    if (stays && append && run->fleeting && run->state.ledger)
        context_note(&run->context, "if this run is interrupted, running it again is refused: %s",
                     run->terms.resume_note);
    else if (stays && append)
        context_note(
            &run->context,
            "at least once: if this run is interrupted, running it again appends committed rows again%s%s",
            run->terms.resume_note ? ": " : "", run->terms.resume_note ? run->terms.resume_note : "");
    else if (stays)
        context_note(&run->context, "if this run is interrupted, running it again starts over%s%s",
                     run->terms.resume_note ? ": " : "",
                     run->terms.resume_note ? run->terms.resume_note : "");
}

/* Not more workers than parts; what is left over reads ahead. So does one worker
 * of two that wait for a server: it should not wait for us while we encode, nor we
 * for it while we could read. The budget is in shares for the workers. */
static enum haul_code threads_plan(struct run *run, struct haul_error *err)
{
    if (run->plan.part_count < (uint64_t)run->workers)
        run->workers = (int)run->plan.part_count;
    bool overlaps = run->memory_plan.workers > 1 || run->info.remote || run->terms.remote;
    run->ahead = run->workers == 1 && overlaps && run->plan.limit < 0 && !run->terms.adopts;
    if (run->context.memory)
        return HAUL_OK;
    if (memory_open(&run->memory, (size_t)run->memory_plan.bytes_max, run->workers, err))
        return err->code;
    run->context.memory = run->memory;
    return HAUL_OK;
}

static enum haul_code work(struct run *run, struct haul_error *err)
{
    struct source *source = run->transfer->source;
    struct sink *sink = run->transfer->sink;
    struct run_record record = record_of(run, false);
    run->feed_terms = (struct feed_terms){.source = source,
                                          .from = &run->info.schema,
                                          .to = &run->terms.schema,
                                          .plan = &run->plan,
                                          .progress = &run->progress};
    if (threads_plan(run, err))
        return err->code;
    if (source->ops->begin && source->ops->begin(source, run->workers, err))
        return run_failed_at(HAUL_SIDE_SOURCE, err);
    run->source_begun = true;
    if (sink->ops->prepare(sink, &run->context, &record, err) || (run->continued && continue_from(run, err)))
        return run_failed_at(HAUL_SIDE_TARGET, err);
    if (starts_make(run, err))
        return err->code;
    start_tell(run);
    return workers_run(run, err);
}

/* ---- finish ---- */

static enum haul_code publish(struct run *run, struct haul_error *err)
{
    struct sink *sink = run->transfer->sink;
    char *manifest = NULL;
    struct run_record record = record_of(run, true);
    const char *reject_file = settings_text(run->settings, "reject-file");
    tally_sort(&run->tally);
    record.receipts = run->tally.receipts;
    record.receipt_count = run->tally.count;
    if (reject_file && reject_file_write(reject_file, run->tally.receipts, run->tally.count, err))
        return err->code;
    if (!run->state.ledger && manifest_print(&run->plan, &run->facts, &run->tally, &manifest, err))
        return err->code;
    enum haul_code code = sink->ops->finish(sink, &record, manifest, err);
    free(manifest);
    return code ? run_failed_at(HAUL_SIDE_TARGET, err) : HAUL_OK;
}

/* Nobody saw the rows of adopted parts, and somebody may have counted what is read: the number must be the
 * source's. */
static enum haul_code rows_check(const struct run *run, struct haul_error *err)
{
    const bool unseen = run->tally.unhashed && run->info.rows_exact;
    const int64_t rows = run->tally.rows + run->tally.rejects;
    if (!(unseen || run->info.rows_promised) || rows == run->info.rows)
        return HAUL_OK;
    return error_set(
        err, HAUL_INTEGRITY,
        "the source should have %lld rows, and %lld were taken over; the run is not finished, and nothing "
        "of the source is dropped",
        (long long)run->info.rows, (long long)rows);
}

static enum haul_code finish(struct run *run, struct haul_error *err)
{
    if (context_check(&run->context, err) || rows_check(run, err) || publish(run, err))
        return err->code;
    struct receipt sums = {.rows = run->tally.rows,
                           .rows_offered = run->tally.rows_offered,
                           .hash = run->tally.hash,
                           .unhashed = run->tally.unhashed,
                           .reject_count = run->tally.rejects,
                           .loss_count = run->tally.losses,
                           .bytes_written = run->tally.bytes_written,
                           .last = true,
                           .text = run->plan.fingerprint};
    if (state_finish(&run->state, run->named ? &sums : NULL, err))
        return run_failed_at(HAUL_SIDE_TARGET, err);
    for (const struct loss *loss = run->tally.loss_list; loss; loss = loss->next) {
        char text[LOSS_TEXT_BYTES];
        loss_print(loss->what, loss->count, false, text);
        context_warn(&run->context, "column \"%s\": %s", loss->column, text);
    }
    if (run->tally.rejects > 0 && !run->transfer->reject)
        context_warn(&run->context, "%lld rows were refused and set aside", (long long)run->tally.rejects);
    return HAUL_OK;
}

/* "name:type,..." as --schema takes it; names are quoted. */
static enum haul_code schema_text(const struct schema *schema, struct buffer *out, struct haul_error *err)
{
    char type[512];
    for (int i = 0; i < schema->count; i++) {
        field_print_type(&schema->fields[i], type, sizeof type);
        if (buffer_printf(out, err, "%s\"", i ? "," : ""))
            return err->code;
        for (const char *at = schema->fields[i].name; *at; at++)
            if (buffer_printf(out, err, *at == '"' ? "\"\"" : "%c", *at))
                return err->code;
        if (buffer_printf(out, err, "\":%s", type))
            return err->code;
    }
    return buffer_append(out, "", 1, err);
}

static bool types_kept(const struct schema *written, const struct schema *found)
{
    bool same = written->count == found->count;
    for (int i = 0; same && i < written->count; i++)
        same = field_equal(&written->fields[i], &found->fields[i], false);
    return same;
}

/* Opens and describes. */
static enum haul_code target_open(struct run *run, const char *schema, struct source **target,
                                  struct source_info *info, struct haul_error *err)
{
    source_info_release(info);
    *target = NULL;
    if (run->transfer->open_target(run->transfer->open_target_user, schema, target, err))
        return err->code;
    return (*target)->ops->describe(*target, info, err);
}

static void target_close(struct source **target)
{
    if (*target)
        (*target)->ops->close(*target);
    *target = NULL;
}

/* As it is; but where types were not kept, as what was written, if it can be read so. */
static enum haul_code target_reopen(struct run *run, struct source **target, struct source_info *info,
                                    struct haul_error *err)
{
    struct buffer schema = {0};
    struct haul_error refused = {0};
    if (target_open(run, NULL, target, info, err) || types_kept(&run->terms.schema, &info->schema))
        return err->code;
    enum haul_code code = schema_text(&run->terms.schema, &schema, err);
    target_close(target);
    if (!code && target_open(run, (const char *)schema.data, target, info, &refused)) {
        target_close(target);
        code = target_open(run, NULL, target, info, err);
    }
    buffer_release(&schema);
    return code;
}

/* It must hold the rows the receipts say. */
static enum haul_code target_compare(struct run *run, struct source *target, struct verified *found,
                                     struct haul_error *err)
{
    char wanted_hash[HASH_TEXT_BYTES], found_hash[HASH_TEXT_BYTES];
    if (verify_read(&run->context, target, run->workers, NULL, found, err))
        return err->code;
    hash_print(run->tally.hash, wanted_hash);
    hash_print(found->hash, found_hash);
    if (found->rows == run->tally.rows && hash_equal(found->hash, run->tally.hash))
        return HAUL_OK;
    return error_set(err, HAUL_INTEGRITY,
                     "--verify: %lld rows with hash %s were written, %lld with %s are there",
                     (long long)run->tally.rows, wanted_hash, (long long)found->rows, found_hash);
}

/* --verify: reads the published target again. */
static enum haul_code target_verify(struct run *run, struct haul_error *err)
{
    struct source *target = NULL;
    struct verified found = {0};
    if (!settings_flag(run->settings, "verify"))
        return HAUL_OK;
    enum haul_code code = target_reopen(run, &target, &found.info, err);
    if (!code)
        code = target_compare(run, target, &found, err);
    target_close(&target);
    verified_release(&found);
    return code ? run_failed_at(HAUL_SIDE_TARGET, err) : HAUL_OK;
}

/* Keeps what can go on; removes the rest. */
static void fail(struct run *run, struct haul_error *err)
{
    struct sink *sink = run->transfer->sink;
    bool can_continue = (run->terms.resumable == RESUME_REPLAY || run->fleeting) && run->info.replayable;
    bool again = err->retryable || err->code == HAUL_CANCELLED;
    struct run_record record = record_of(run, false);
    if (can_continue && (again || run->tally.count > 0)) {
        if (err->code == HAUL_CANCELLED)
            (void)error_set(err, HAUL_CANCELLED,
                            "interrupted: %lld rows are in; run the same command again to %s",
                            (long long)run->tally.rows, run->fleeting ? "start over" : "continue");
        return;
    }
    struct haul_error ignored = {0};
    if (run->state.ledger && run->tally.count > 0)
        return;
    if (run->plan_text && sink->ops->remove && sink->ops->remove(sink, &record, &ignored) == HAUL_OK)
        (void)state_forget(&run->state, &ignored);
}

static void result_fill(struct run *run, struct haul_result *result)
{
    const struct tally *tally = &run->tally;
    result->rows = tally->rows;
    result->rows_resumed = tally->rows_resumed;
    result->rejects = tally->rejects;
    result->losses = tally->losses;
    result->bytes_read = atomic_load(&run->progress.bytes_read);
    result->bytes_written = tally->bytes_written;
    result->seconds = progress_seconds(&run->progress);
    if (tally->unhashed)
        result->hash[0] = '\0';
    else
        hash_print(tally->hash, result->hash);
    memcpy(result->run, run->plan.run, sizeof result->run);
    snprintf(result->consistency, sizeof result->consistency, "%s",
             run->info.consistency ? run->info.consistency : "");
}

static enum haul_code run_steps(struct run *run, struct haul_result *result, struct haul_error *err)
{
    bool done = false;
    if (run_describe(run, err) || run_name(run, err) || run_begin(run, result, &done, err))
        return err->code;
    if (done)
        return HAUL_OK;
    if (work(run, err) || finish(run, err)) {
        fail(run, err);
        return err->code;
    }
    return target_verify(run, err);
}

enum haul_code transfer_run(struct transfer *transfer, struct haul_result *result, struct haul_error *err)
{
    struct run run;
    run_init(&run, transfer);
    enum haul_code code = run_steps(&run, result, err);
    result_fill(&run, result);
    progress_deliver(&run.progress);
    if (!code)
        progress_tell(&run.progress, HAUL_EVENT_FINISH, NULL, run.tally.bytes_written);
    run_release(&run);
    return code;
}

enum haul_code transfer_plan(struct transfer *transfer, char **json, struct haul_error *err)
{
    struct run run;
    *json = NULL;
    run_init(&run, transfer);
    enum haul_code code = run_describe(&run, err);
    if (!code && run.exists.code) {
        *err = run.exists;
        code = err->code;
    }
    if (!code)
        code = run_name(&run, err);
    if (!code)
        code = run_plan(&run, true, err);
    if (!code) {
        *json = run.plan_text;
        run.plan_text = NULL;
    }
    run_release(&run);
    return code;
}
