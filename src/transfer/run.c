/*
 * run.c: the order of steps: describe, negotiate, name, recall, decide, plan,
 * prepare, work, finish. docs/unit.md is the protocol; each step here is one
 * function of it.
 *
 * What a sink says about a target that exists already (HAUL_EXISTS) is held back
 * until the run was recalled, because what exists may be the run's own. A run
 * that fails keeps what it needs to go on; one that could not go on anyway, or
 * has committed nothing, is removed at once.
 */
#include "transfer/run.h"
#include "transfer/decide.h"
#include "transfer/fingerprint.h"
#include "transfer/manifest.h"
#include "transfer/reject.h"
#include "transfer/verify.h"
#include <stdio.h>
#include <stdlib.h>

#define NAME_BYTES_MAX    63
#define NAME_HASH_DIGITS  15
#define DRY_PARTS_MAX     1000
#define STREAM_SHARE_PART 6 /* a stream's unit holds at most this part of a worker's share */

static enum haul_code failed_at(enum haul_side side, struct haul_error *err)
{
    if (err->side == HAUL_SIDE_NONE)
        err->side = side;
    return err->code;
}

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
    state_init(&run->state);
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

/* ---- 1. describe, negotiate ---- */

static enum haul_code settings_check(const struct run *run, struct haul_error *err)
{
    const struct settings *settings = run->settings;
    if (settings_number(settings, "unit-rows") < 1)
        return error_set(err, HAUL_USAGE, "--unit-rows is at least 1");
    if (settings_number(settings, "retries") < 0 || settings_number(settings, "retries") > 1000)
        return error_set(err, HAUL_USAGE, "--retries is a number from 0 to 1000");
    if (settings_number(settings, "max-errors") < -1)
        return error_set(err, HAUL_USAGE, "--max-errors is a number of rows, or -1 for any number");
    if (settings_given(settings, "limit") && settings_number(settings, "limit") < 0)
        return error_set(err, HAUL_USAGE, "--limit is a number of rows");
    if (settings_flag(settings, "verify") && !run->transfer->open_target)
        return error_set(err, HAUL_UNSUPPORTED, "--verify: this target cannot be read again");
    if (settings_flag(settings, "verify") && run->transfer->request.mode == SINK_APPEND)
        return error_set(err, HAUL_USAGE,
                         "--verify compares the whole target, which --mode append does not make; use "
                         "haul verify");
    return HAUL_OK;
}

static enum haul_code describe(struct run *run, struct haul_error *err)
{
    struct transfer *transfer = run->transfer;
    if (settings_check(run, err) || memory_plan_make(run->settings, &run->memory_plan, err))
        return err->code;
    if (transfer->source->ops->describe(transfer->source, &run->info, err))
        return failed_at(HAUL_SIDE_SOURCE, err);
    struct sink_request request = transfer->request;
    request.source = &run->info;
    if (!run->info.identity)
        run->info.identity = "";
    if (transfer->sink->ops->negotiate(transfer->sink, &request, &run->terms, err)) {
        if (err->code != HAUL_EXISTS || run->terms.schema.count == 0)
            return failed_at(HAUL_SIDE_TARGET, err);
        run->exists = *err;
        run->exists.side = HAUL_SIDE_TARGET;
        *err = (struct haul_error){0};
    }
    run->facts = (struct plan_facts){.source_name = transfer->source_name,
                                     .target_name = transfer->target_name,
                                     .mode = request.mode,
                                     .info = &run->info,
                                     .terms = &run->terms,
                                     .workers = run->workers,
                                     .memory_bytes = run->memory_plan.bytes_max};
    run->progress.table = run->terms.target ? run->terms.target : "";
    return HAUL_OK;
}

static int least(int a, int b)
{
    return b > 0 && b < a ? b : a;
}

/* Threads that write; and the budget, in shares for them. */
static enum haul_code workers_plan(struct run *run, struct haul_error *err)
{
    int allowed = run->memory_plan.workers;
    bool limited = settings_given(run->settings, "limit");
    run->workers = limited ? 1 : least(least(allowed, run->terms.writers_max), run->info.splits_max);
    run->ahead = run->workers == 1 && allowed > 1 && !limited;
    run->facts.workers = run->workers;
    run->limit.max = settings_number(run->settings, "max-errors");
    run->limit.strict = settings_flag(run->settings, "strict");
    if (run->context.memory)
        return HAUL_OK;
    if (memory_open(&run->memory, (size_t)run->memory_plan.bytes_max, run->workers, err))
        return err->code;
    run->context.memory = run->memory;
    return HAUL_OK;
}

/* ---- 2. name, recall, decide ---- */

static enum haul_code name_check(const char *name, struct haul_error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t length = strlen(name);
    if (length == 0 || length > NAME_BYTES_MAX || strspn(name, allowed) != length || name[0] == '.')
        return error_set(
            err, HAUL_USAGE,
            "--run: a name has 1 to %d letters, digits, '.', '_' or '-', and does not begin with '.'",
            NAME_BYTES_MAX);
    return HAUL_OK;
}

static enum haul_code name_run(struct run *run, struct haul_error *err)
{
    struct transfer *transfer = run->transfer;
    const char *name = settings_text(run->settings, "run");
    run->named = name != NULL;
    if (name && name_check(name, err))
        return err->code;
    if (fingerprint_make(transfer->source_name, transfer->target_name, run->settings, run->plan.fingerprint,
                         err) ||
        plan_hash_schemas(&run->plan, &run->facts, err))
        return err->code;
    if (name)
        (void)snprintf(run->plan.run, sizeof run->plan.run, "%s", name);
    else
        (void)snprintf(run->plan.run, sizeof run->plan.run, "h%.*s", NAME_HASH_DIGITS, run->plan.fingerprint);
    memcpy(run->context.run, run->plan.run, sizeof run->context.run);
    memcpy(transfer->context->run, run->plan.run, sizeof transfer->context->run);
    return HAUL_OK;
}

static enum haul_code recall(struct run *run, struct run_record *record, bool *any, struct haul_error *err)
{
    const char *home = run->terms.state_home;
    if (home && settings_given(run->settings, "state"))
        home = settings_text(run->settings, "state");
    if (state_recall(&run->state, run->transfer->sink, home, run->plan.run, record, any, err))
        return failed_at(HAUL_SIDE_TARGET, err);
    return HAUL_OK;
}

/* Compares what is remembered with what is asked; `old` gets the remembered plan. */
static enum haul_code run_decide(struct run *run, const struct run_record *record, bool any, struct plan *old,
                                 enum decision *decision, struct haul_error *err)
{
    bool readable = any && record->plan && !record->finished;
    if (readable && !settings_flag(run->settings, "restart") && plan_parse(record->plan, old, err))
        return error_prefix(err, "run %s", run->plan.run);
    const char *known = readable ? old->fingerprint : record->fingerprint;
    struct found found = {
        .any = any,
        .finished = record->finished,
        .named = run->named,
        .same_job = known && strcmp(known, run->plan.fingerprint) == 0,
        .same_source = old->identity && strcmp(old->identity, run->info.identity) == 0,
        .same_columns = strcmp(old->schema_hash, run->plan.schema_hash) == 0,
        .static_source = settings_flag(run->settings, "static-source"),
        .restart = settings_flag(run->settings, "restart"),
        .can_continue = run->info.replayable && run->terms.resumable == RESUME_REPLAY &&
                        (run->info.order_fixed || !old->cut),
        .append = run->transfer->request.mode == SINK_APPEND && !run->terms.part_is_unit &&
                  record->receipt_count > 0,
        .run = run->plan.run,
    };
    const char *why;
    if (decide(&found, decision, &why, err))
        return err->code;
    if (*decision == DECIDE_START_OVER)
        context_note(&run->context, "run %s was unfinished; starting over: %s", run->plan.run, why);
    return HAUL_OK;
}

/* ---- 3. plan ---- */

static void units_plan(struct run *run, const struct split_request *split)
{
    struct plan *plan = &run->plan;
    const struct source_info *info = &run->info;
    int64_t share = run->memory_plan.bytes_max / run->workers / STREAM_SHARE_PART;
    plan->limit = settings_given(run->settings, "limit") ? settings_number(run->settings, "limit") : -1;
    plan->unit_rows = plan->unit_bytes = INT64_MAX;
    plan->cut = run->terms.part_is_unit && info->splits_max == 1;
    if (plan->cut) {
        plan->unit_rows = split->part_rows;
        plan->unit_bytes = split->part_bytes > 0 ? split->part_bytes : INT64_MAX;
    } else if (!run->terms.part_is_unit && (info->order_fixed || !info->replayable)) {
        plan->unit_rows = settings_number(run->settings, "unit-rows");
        plan->unit_bytes = info->replayable ? INT64_MAX : share;
    }
}

static enum haul_code parts_plan(struct run *run, const struct split_request *split, bool dry,
                                 struct haul_error *err)
{
    struct source *source = run->transfer->source;
    struct plan *plan = &run->plan;
    bool more = true;
    int64_t rows = 0;
    if (!source->ops->split || (dry && !run->info.replayable)) {
        struct part all = {
            .spec = arena_text(&plan->arena, "all"), .rows = run->info.rows, .bytes = run->info.bytes};
        return all.spec ? plan_add(plan, &all, err) : error_nomem(err, "the plan");
    }
    for (;;) {
        struct part part = {.rows = -1, .bytes = -1};
        if (context_check(&run->context, err))
            return err->code;
        if (source->ops->split(source, split, &plan->arena, &part, &more, err))
            return failed_at(HAUL_SIDE_SOURCE, err);
        if (!more)
            break;
        plan->parts_capped = dry && plan->part_count >= DRY_PARTS_MAX;
        bool enough = run->info.rows_exact && plan->limit >= 0 && plan->part_count > 0 && rows >= plan->limit;
        if (plan->parts_capped || enough)
            break;
        if (plan_add(plan, &part, err))
            return err->code;
        rows = part.rows >= 0 && rows >= 0 ? rows + part.rows : -1;
    }
    if (plan->part_count > 0)
        return HAUL_OK;
    return error_set(err, HAUL_INTERNAL, "the source has no parts");
}

static enum haul_code plan_new(struct run *run, bool dry, struct haul_error *err)
{
    struct split_request split = memory_plan_split(&run->memory_plan, run->settings, &run->info, &run->terms);
    units_plan(run, &split);
    run->plan.identity = arena_text(&run->plan.arena, run->info.identity);
    if (!run->plan.identity)
        return error_nomem(err, "the plan");
    if (parts_plan(run, &split, dry, err))
        return err->code;
    return plan_print(&run->plan, &run->facts, &run->plan_text, err);
}

/* ---- 4. begin or go on ---- */

static struct run_record record_of(const struct run *run, bool finished)
{
    return (struct run_record){.name = run->plan.run,
                               .fingerprint = run->plan.fingerprint,
                               .plan = run->plan_text,
                               .finished = finished,
                               .receipts = run->tally.receipts,
                               .receipt_count = run->tally.count};
}

static enum haul_code receipts_take(struct run *run, const struct run_record *record, struct haul_error *err)
{
    for (size_t i = 0; i < record->receipt_count; i++) {
        struct receipt receipt = record->receipts[i];
        receipt.unit.parts = run->plan.cut ? 0 : run->plan.part_count;
        if (tally_add(&run->tally, &receipt, true, err))
            return err->code;
    }
    tally_sort(&run->tally);
    if (run->terms.ordered || run->plan.cut)
        tally_keep_prefix(&run->tally);
    return HAUL_OK;
}

static enum haul_code go_on(struct run *run, const struct run_record *record, struct plan *old,
                            struct haul_error *err)
{
    plan_release(&run->plan);
    run->plan = *old;
    *old = (struct plan){0};
    run->plan_text = strdup(record->plan);
    if (!run->plan_text)
        return error_nomem(err, "the plan");
    run->continued = true;
    return receipts_take(run, record, err);
}

/* What the unfinished run made goes; then the target must be free. */
static enum haul_code remove_old(struct run *run, const struct run_record *record, struct haul_error *err)
{
    struct sink *sink = run->transfer->sink;
    if ((sink->ops->remove && sink->ops->remove(sink, record, err)) || state_forget(&run->state, err))
        return failed_at(HAUL_SIDE_TARGET, err);
    struct sink_request request = run->transfer->request;
    request.source = &run->info;
    sink_terms_release(&run->terms);
    run->exists.code = HAUL_OK;
    run->progress.table = "";
    if (sink->ops->negotiate(sink, &request, &run->terms, err))
        return failed_at(HAUL_SIDE_TARGET, err);
    run->progress.table = run->terms.target ? run->terms.target : "";
    return HAUL_OK;
}

static enum haul_code begin_new(struct run *run, struct haul_error *err)
{
    if (run->exists.code) {
        *err = run->exists;
        return err->code;
    }
    if (plan_new(run, false, err))
        return err->code;
    if (state_begin(&run->state, run->plan_text, err))
        return failed_at(HAUL_SIDE_TARGET, err);
    return HAUL_OK;
}

static void complete(struct run *run, const struct run_record *record, struct haul_result *result)
{
    for (size_t i = 0; i < record->receipt_count; i++) {
        struct haul_error ignored = {0};
        (void)tally_add(&run->tally, &record->receipts[i], true, &ignored);
    }
    result->already_complete = true;
    context_note(&run->context, "run %s is already complete: nothing to do", run->plan.run);
}

/* The remembered run, if any, decides how this one begins. *done: it is complete. */
static enum haul_code run_begin(struct run *run, struct haul_result *result, bool *done,
                                struct haul_error *err)
{
    struct run_record record = {0};
    struct plan old = {0};
    enum decision decision = DECIDE_NEW;
    bool any = false;
    enum haul_code code = recall(run, &record, &any, err);
    if (!code)
        code = run_decide(run, &record, any, &old, &decision, err);
    *done = !code && decision == DECIDE_COMPLETE;
    if (*done)
        complete(run, &record, result);
    else if (!code && decision == DECIDE_CONTINUE)
        code = go_on(run, &record, &old, err);
    else if (!code && decision == DECIDE_START_OVER)
        code = remove_old(run, &record, err);
    if (!code && (decision == DECIDE_NEW || decision == DECIDE_START_OVER))
        code = begin_new(run, err);
    plan_release(&old);
    run_record_release(&record);
    return code;
}

/* ---- 5. prepare, work ---- */

/* The sink has seen the receipts of its own making in prepare; of the journal's it
 * says by open which of them count. Those that do not are done again. */
static enum haul_code receipts_confirm(struct run *run, struct haul_error *err)
{
    struct sink *sink = run->transfer->sink;
    enum haul_code code = HAUL_OK;
    for (size_t i = 0; !code && i < run->tally.count; i++) {
        struct writer *writer = NULL;
        enum unit_state state = UNIT_BUSY;
        struct receipt receipt = {0};
        code = sink->ops->open(sink, &run->context, &run->tally.receipts[i].unit, &writer, &state, &receipt,
                               err);
        if (code || state == UNIT_DONE)
            continue;
        if (writer)
            writer->ops->abort(writer);
        tally_drop(&run->tally, i--);
    }
    if (run->terms.ordered || run->plan.cut)
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
        const struct tally *tally = &run->tally;
        run->starts[0].row = tally->rows_offered;
        run->starts[0].done = tally->count > 0 && tally->receipts[tally->count - 1].last;
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
        (void)snprintf(message, sizeof message, "%.150s -> %.150s: run %s, %llu parts, %d workers%s",
                       run->transfer->source_name, run->transfer->target_name, run->plan.run,
                       (unsigned long long)run->plan.part_count, run->workers,
                       run->ahead ? ", reading ahead" : "");
    run->progress.rows_expected = run->info.rows;
    if (run->plan.limit >= 0 && (run->info.rows < 0 || run->plan.limit < run->info.rows))
        run->progress.rows_expected = run->plan.limit;
    progress_deliver(&run->progress);
    progress_tell(&run->progress, HAUL_EVENT_START, message, 0);
    if (run->terms.resumable == RESUME_NONE && run->terms.resume_note)
        context_note(&run->context, "this run cannot be continued once it is interrupted: %s",
                     run->terms.resume_note);
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
    if (starts_make(run, err))
        return err->code;
    run->workers =
        least(run->workers, run->plan.part_count < WORKERS_MAX ? (int)run->plan.part_count : WORKERS_MAX);
    if (source->ops->begin && source->ops->begin(source, run->workers, err))
        return failed_at(HAUL_SIDE_SOURCE, err);
    run->source_begun = true;
    if (sink->ops->prepare(sink, &run->context, &record, err) || (run->continued && continue_from(run, err)))
        return failed_at(HAUL_SIDE_TARGET, err);
    if (starts_make(run, err))
        return err->code;
    start_tell(run);
    return workers_run(run, err);
}

/* ---- 6. finish ---- */

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
    return code ? failed_at(HAUL_SIDE_TARGET, err) : HAUL_OK;
}

static enum haul_code finish(struct run *run, struct haul_error *err)
{
    if (context_check(&run->context, err) || publish(run, err))
        return err->code;
    struct receipt sums = {.rows = run->tally.rows,
                           .rows_offered = run->tally.rows_offered,
                           .hash = run->tally.hash,
                           .reject_count = run->tally.rejects,
                           .loss_count = run->tally.losses,
                           .bytes_written = run->tally.bytes_written,
                           .last = true,
                           .text = run->plan.fingerprint};
    if (state_finish(&run->state, run->named ? &sums : NULL, err))
        return failed_at(HAUL_SIDE_TARGET, err);
    for (const struct loss *loss = run->tally.loss_list; loss; loss = loss->next)
        context_warn(&run->context, "column \"%s\": %lld values lost their %s", loss->column,
                     (long long)loss->count, loss->what);
    if (run->tally.rejects > 0)
        context_warn(&run->context, "%lld rows were refused and set aside", (long long)run->tally.rejects);
    return HAUL_OK;
}

/* --verify: reads the published target again; it must hold the rows the receipts say. */
static enum haul_code target_compare(struct run *run, struct source *target, struct haul_error *err)
{
    struct verified found = {0};
    char wanted_hash[HASH_TEXT_BYTES], found_hash[HASH_TEXT_BYTES];
    enum haul_code code = target->ops->describe(target, &found.info, err);
    if (!code)
        code = verify_read(&run->context, target, run->workers, NULL, &found, err);
    hash_print(run->tally.hash, wanted_hash);
    hash_print(found.hash, found_hash);
    if (!code && (found.rows != run->tally.rows || !hash_equal(found.hash, run->tally.hash)))
        code = error_set(err, HAUL_INTEGRITY, "--verify: %lld rows with hash %s were written, %lld with %s are there",
                         (long long)run->tally.rows, wanted_hash, (long long)found.rows, found_hash);
    verified_release(&found);
    return code;
}

static enum haul_code target_verify(struct run *run, struct haul_error *err)
{
    struct source *target = NULL;
    if (!settings_flag(run->settings, "verify"))
        return HAUL_OK;
    if (run->transfer->open_target(run->transfer->open_target_user, &target, err))
        return failed_at(HAUL_SIDE_TARGET, err);
    enum haul_code code = target_compare(run, target, err);
    target->ops->close(target);
    return code ? failed_at(HAUL_SIDE_TARGET, err) : HAUL_OK;
}

/* Keeps what can go on; removes the rest. */
static void fail(struct run *run, struct haul_error *err)
{
    struct sink *sink = run->transfer->sink;
    bool can_continue = run->terms.resumable == RESUME_REPLAY && run->info.replayable;
    bool again = err->retryable || err->code == HAUL_CANCELLED;
    struct run_record record = record_of(run, false);
    if (can_continue && (again || run->tally.count > 0)) {
        if (err->code == HAUL_CANCELLED)
            (void)error_set(err, HAUL_CANCELLED,
                            "interrupted: %lld rows are in; run the same command again to continue",
                            (long long)run->tally.rows);
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
    hash_print(tally->hash, result->hash);
    memcpy(result->run, run->plan.run, sizeof result->run);
}

static enum haul_code run_steps(struct run *run, struct haul_result *result, struct haul_error *err)
{
    bool done = false;
    if (describe(run, err) || workers_plan(run, err) || name_run(run, err) ||
        run_begin(run, result, &done, err))
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
    enum haul_code code = describe(&run, err);
    if (!code && run.exists.code) {
        *err = run.exists;
        code = err->code;
    }
    if (!code)
        code = workers_plan(&run, err);
    if (!code)
        code = name_run(&run, err);
    if (!code)
        code = plan_new(&run, true, err);
    if (!code) {
        *json = run.plan_text;
        run.plan_text = NULL;
    }
    run_release(&run);
    return code;
}
