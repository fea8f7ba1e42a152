/*
 * begin.c: the first steps of a run: describe, negotiate, name, recall, decide,
 * plan. docs/unit.md is the protocol; each function here is a step of it.
 *
 * What a sink says about a target that exists already (HAUL_EXISTS) is held back
 * until the run was recalled, because what exists may be the run's own.
 */
#include "transfer/decide.h"
#include "transfer/fingerprint.h"
#include "transfer/reject.h"
#include "transfer/run.h"
#include <stdio.h>
#include <stdlib.h>

#define NAME_BYTES_MAX    63
#define NAME_HASH_DIGITS  15
#define DRY_PARTS_MAX     1000
#define STREAM_SHARE_PART 6 /* a stream's unit holds at most this part of a worker's share */

enum haul_code run_failed_at(enum haul_side side, struct haul_error *err)
{
    if (err->side == HAUL_SIDE_NONE)
        err->side = side;
    return err->code;
}

/* ---- describe, negotiate ---- */

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
    if (settings_flag(settings, "verify") && run->transfer->request.adopt)
        return error_set(err, HAUL_USAGE,
                         "--verify compares values, which combine does not look at; use haul verify");
    if (settings_flag(settings, "verify") && !run->transfer->open_target)
        return error_set(err, HAUL_UNSUPPORTED, "--verify: this target cannot be read again");
    enum sink_mode mode = run->transfer->request.mode;
    if (settings_flag(settings, "verify") && (mode == SINK_APPEND || mode == SINK_MERGE))
        return error_set(err, HAUL_USAGE,
                         "--verify compares the whole target, which --mode %s does not make; use haul verify",
                         sink_mode_name(mode));
    return HAUL_OK;
}

/* What the sink could continue, the source may not give again. */
static void pair_judge(struct run *run)
{
    struct sink_terms *terms = &run->terms;
    bool unordered = !run->info.order_fixed && run->whole;
    bool fleeting = run->info.fleeting && !settings_flag(run->settings, "static-source");
    if (terms->resumable == RESUME_NONE || (run->info.replayable && !unordered && !fleeting))
        return;
    terms->resumable = RESUME_NONE;
    run->fleeting = run->info.replayable && !unordered;
    if (!run->info.replayable)
        terms->resume_note = "the source can be read only once";
    else if (unordered)
        terms->resume_note = "the order of the source's rows is not fixed, so it would start over";
    else
        terms->resume_note = "what the source shows ends with this process, so it would start over "
                             "(--static-source promises that the rows stay the same)";
}

static int least(int a, int b)
{
    return b > 0 && b < a ? b : a;
}

/* By a sink whose units are parts: because there is only one part, or because one is faster. Then
 * another process cannot go on, which --static-source asks for; nor are parts told out to files. */
static bool reads_whole(const struct run *run)
{
    const struct settings *settings = run->settings;
    bool files = settings_given(settings, "files") && settings_number(settings, "files") > 1;
    bool wanted =
        run->info.scanned && run->workers == 1 && !files && !settings_flag(settings, "static-source");
    return run->terms.part_is_unit && (run->info.splits_max == 1 || wanted);
}

/* reject_limit.tell: one at a time. */
static void reject_tell(void *user, const struct reject *reject)
{
    struct run *run = user;
    pthread_mutex_lock(&run->mutex);
    run->transfer->reject(run->transfer->reject_user, reject);
    pthread_mutex_unlock(&run->mutex);
}

static void workers_plan(struct run *run)
{
    int allowed = run->memory_plan.workers;
    bool limited = settings_given(run->settings, "limit");
    run->workers = limited ? 1 : least(least(allowed, run->terms.writers_max), run->info.splits_max);
    run->facts.workers = run->workers;
    run->whole = reads_whole(run);
    run->limit.max = settings_number(run->settings, "max-errors");
    run->limit.tell = run->transfer->reject ? reject_tell : NULL;
    run->limit.tell_user = run;
    run->limit.constraints_fatal = settings_flag(run->settings, "constraints-fatal");
    run->limit.strict = settings_flag(run->settings, "strict");
}

/* `measured` outlives the run. */
static void take_measured(struct schema *schema, const struct schema *measured)
{
    for (int i = 0; measured && i < schema->count; i++) {
        int place = schema_find(measured, schema->fields[i].name);
        if (place >= 0)
            schema->fields[i].sql_type = measured->fields[place].sql_type;
    }
}

enum haul_code run_describe(struct run *run, struct haul_error *err)
{
    struct transfer *transfer = run->transfer;
    const char *reject_file = settings_text(run->settings, "reject-file");
    bool dry = transfer->request.dry;
    if (settings_check(run, err) || (reject_file && !dry && reject_file_check(reject_file, err)) ||
        memory_plan_make(run->settings, &run->memory_plan, err))
        return err->code;
    if (transfer->source->ops->describe(transfer->source, &run->info, err))
        return run_failed_at(HAUL_SIDE_SOURCE, err);
    take_measured(&run->info.schema, transfer->measured);
    struct sink_request request = transfer->request;
    request.source = &run->info;
    if (!run->info.identity)
        run->info.identity = "";
    if (transfer->sink->ops->negotiate(transfer->sink, &request, &run->terms, err)) {
        if (err->code != HAUL_EXISTS || run->terms.schema.count == 0)
            return run_failed_at(HAUL_SIDE_TARGET, err);
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
    workers_plan(run);
    pair_judge(run);
    return HAUL_OK;
}

/* ---- name, recall, decide ---- */

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

enum haul_code run_name(struct run *run, struct haul_error *err)
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
    if (state_recall(&run->state, home, run->plan.run, record, any, err))
        return run_failed_at(HAUL_SIDE_TARGET, err);
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
        .absent = run->terms.absent,
        .other_target = record->finished && !plan_is_of(record->plan, run->terms.identity),
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

/* ---- plan ---- */

static void units_plan(struct run *run, const struct split_request *split)
{
    struct plan *plan = &run->plan;
    const struct source_info *info = &run->info;
    int64_t share = run->memory_plan.bytes_max / run->workers / STREAM_SHARE_PART;
    plan->limit = settings_given(run->settings, "limit") ? settings_number(run->settings, "limit") : -1;
    plan->unit_rows = plan->unit_bytes = INT64_MAX;
    plan->cut = run->whole;
    if (plan->cut) {
        plan->unit_rows = split->part_rows;
        plan->unit_bytes = split->part_bytes > 0 ? split->part_bytes : INT64_MAX;
    } else if (!run->terms.part_is_unit && (info->order_fixed || !info->replayable)) {
        bool rows = strcmp(settings_text(run->settings, "transaction-mode"), "batch") == 0;
        plan->unit_rows = rows ? memory_plan_unit_rows(run->settings, &run->terms) : INT64_MAX;
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
    bool scanned = run->whole && run->info.splits_max != 1;
    if (!source->ops->split || scanned || (dry && !run->info.replayable)) {
        struct part all = {
            .spec = arena_text(&plan->arena, "all"), .rows = run->info.rows, .bytes = run->info.bytes};
        return all.spec ? plan_add(plan, &all, err) : error_nomem(err, "the plan");
    }
    for (;;) {
        struct part part = {.rows = -1, .bytes = -1};
        if (context_check(&run->context, err))
            return err->code;
        if (source->ops->split(source, split, &plan->arena, &part, &more, err))
            return run_failed_at(HAUL_SIDE_SOURCE, err);
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

enum haul_code run_plan(struct run *run, bool dry, struct haul_error *err)
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

/* ---- begin or go on ---- */

static enum haul_code receipts_take(struct run *run, const struct run_record *record, struct haul_error *err)
{
    for (size_t i = 0; i < record->receipt_count; i++) {
        struct receipt receipt = record->receipts[i];
        receipt.unit.parts = run->plan.cut ? 0 : run->plan.part_count;
        if (tally_add(&run->tally, &receipt, true, err))
            return err->code;
    }
    tally_sort(&run->tally);
    if (run->plan.cut)
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
        return run_failed_at(HAUL_SIDE_TARGET, err);
    struct sink_request request = run->transfer->request;
    request.source = &run->info;
    sink_terms_release(&run->terms);
    run->exists.code = HAUL_OK;
    run->progress.table = "";
    if (sink->ops->negotiate(sink, &request, &run->terms, err))
        return run_failed_at(HAUL_SIDE_TARGET, err);
    run->progress.table = run->terms.target ? run->terms.target : "";
    return HAUL_OK;
}

static enum haul_code begin_new(struct run *run, struct haul_error *err)
{
    if (run->exists.code) {
        *err = run->exists;
        return err->code;
    }
    if (run_plan(run, false, err))
        return err->code;
    if (state_begin(&run->state, run->plan_text, err))
        return run_failed_at(HAUL_SIDE_TARGET, err);
    return HAUL_OK;
}

static void complete(struct run *run, const struct run_record *record, struct haul_result *result)
{
    for (size_t i = 0; i < record->receipt_count; i++) {
        struct haul_error ignored = {0};
        (void)tally_add(&run->tally, &record->receipts[i], true, &ignored);
    }
    result->already_complete = true;
}

/* The remembered run, if any, decides how this one begins. *done: it is complete. */
enum haul_code run_begin(struct run *run, struct haul_result *result, bool *done, struct haul_error *err)
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
