/*
 * haul.c: the public calls: each opens what the job's options name, hands it to
 * the room that does the work, and closes it. Nothing is decided here but which
 * option belongs to which side.
 */
#include "base/backoff.h"
#include "base/clock.h"
#include "base/file.h"
#include "batch/measure.h"
#include "batch/stream_source.h"
#include "job.h"
#include "made.h"
#include "manifest.h"
#include "registry.h"
#include "report.h"
#include "transfer/transfer.h"
#include <stdlib.h>

#define REOPEN_WITHIN_NS INT64_C(5000000000)

void haul_free(void *text)
{
    free(text);
}

static void job_note(void *user, bool warning, const char *message)
{
    struct haul_job *job = user;
    struct haul_event event = {.kind = warning ? HAUL_EVENT_WARNING : HAUL_EVENT_NOTE,
                               .run = job->context.run,
                               .message = message,
                               .waiting = "",
                               .rows_expected = -1};
    if (job->event)
        job->event(job->event_user, &event);
}

enum haul_code haul_job_new(struct haul_job **job, struct haul_error *err)
{
    size_t count;
    const struct haul_option *table = haul_options(&count);
    struct haul_job *made = calloc(1, sizeof *made);
    if (!made)
        return error_nomem(err, "a job");
    if (settings_init(&made->settings, table, count, err)) {
        free(made);
        return err->code;
    }
    context_init(&made->context);
    made->context.settings = &made->settings;
    made->context.cancel = &made->cancel;
    made->context.note = job_note;
    made->context.note_user = made;
    *job = made;
    return HAUL_OK;
}

void haul_job_free(struct haul_job *job)
{
    if (!job)
        return;
    login_release(&job->sides[0].login);
    login_release(&job->sides[1].login);
    settings_release(&job->settings);
    schema_release(&job->like);
    arena_release(&job->arena);
    free(job);
}

enum haul_code haul_job_set(struct haul_job *job, const char *name, const char *value, struct haul_error *err)
{
    const struct haul_option *option = haul_option_find(name, strlen(name), 0);
    for (int target = 0; target < 2; target++)
        if (strcmp(name, target ? "target" : "source") == 0)
            side_forget(job, target);
    return settings_set(&job->settings, option ? option->name : name, value, err);
}

const char *haul_job_get(const struct haul_job *job, const char *name)
{
    const struct haul_option *option = haul_option_find(name, strlen(name), 0);
    bool given = option && settings_given(&job->settings, option->name);
    return given ? settings_text(&job->settings, option->name) : NULL;
}

void haul_job_on_password(struct haul_job *job, haul_password_fn callback, void *user)
{
    job->password = callback;
    job->password_user = user;
}

void haul_job_on_event(struct haul_job *job, haul_event_fn callback, void *user)
{
    job->event = callback;
    job->event_user = user;
}

void haul_job_on_reject(struct haul_job *job, haul_reject_fn callback, void *user)
{
    job->reject = callback;
    job->reject_user = user;
}

/* transfer.reject */
static void tell_reject(void *user, const struct reject *reject)
{
    const struct haul_job *job = user;
    const struct haul_reject told = {.place = reject->place,
                                     .field = reject->field,
                                     .column = reject->column,
                                     .reason = reject->reason,
                                     .value = reject->value,
                                     .value_length = reject->value_length,
                                     .line = reject->line,
                                     .line_length = reject->line_length};
    job->reject(job->reject_user, &told);
}

void haul_job_cancel(struct haul_job *job)
{
    atomic_store(&job->cancel.asked, 1);
}

/* ---- copying ---- */

struct sides {
    struct source *source;
    struct sink *sink;
    struct source_info measured;
    struct transfer transfer;
};

static void sides_close(struct sides *sides)
{
    if (sides->sink)
        sides->sink->ops->close(sides->sink);
    if (sides->source)
        sides->source->ops->close(sides->source);
    source_info_release(&sides->measured);
}

/* --measure: another source of the same rows is read through. */
static enum haul_code sides_measure(struct sides *sides, struct haul_job *job, bool stream,
                                    struct haul_error *err)
{
    struct source *source = NULL;
    if (stream)
        return error_set(err, HAUL_USAGE, "--measure: a stream can be read only once; make the table first");
    enum haul_code code = job_open(job, false, &source, err);
    if (!code)
        code = source->ops->describe(source, &sides->measured, err);
    if (!code)
        code = measure_texts(&job->context, source, &sides->measured, err);
    if (source)
        source->ops->close(source);
    return code;
}

/* transfer.open_target: the target, read back for copy --verify. */
static enum haul_code open_target(void *user, const char *schema, struct source **source,
                                  struct haul_error *err)
{
    struct haul_job *job = user;
    job->target_schema = schema;
    enum haul_code code = job_open(job, true, source, err);
    job->target_schema = NULL;
    return code;
}

static enum sink_mode job_mode(const struct haul_job *job)
{
    const char *text = settings_text(&job->settings, "mode");
    enum sink_mode mode = SINK_MERGE;
    while (mode != SINK_CREATE && strcmp(sink_mode_name(mode), text) != 0)
        mode--;
    return mode;
}

/* --table names the table of whichever side is a database; for files of another's
 * table their names come from the source. `from` NULL: a stream. */
static enum haul_code sink_table(struct haul_job *job, const char *target, const char *from,
                                 const char **table, struct haul_error *err)
{
    bool target_database = false, source_database = false;
    if (registry_is_database(target, &target_database, err) ||
        (from && registry_is_database(from, &source_database, err)))
        return err->code;
    *table = target_database || !source_database ? job_target_table(job)
                                                 : settings_text(&job->settings, "target-table");
    return HAUL_OK;
}

/* A server that is busy, starting up or failing over says so at once: worth trying
 * again. One that does not answer has been waited for long enough. */
static bool may_reopen(const struct haul_job *job, int tries, int64_t begun_ns, const struct haul_error *err)
{
    return err->retryable && err->code != HAUL_CANCELLED && clock_now_ns() - begun_ns < REOPEN_WITHIN_NS &&
           tries <= settings_number(&job->settings, "retries");
}

static enum haul_code sides_open_once(struct sides *sides, struct haul_job *job, struct haul_error *err)
{
    if (!sides->source && job_open(job, false, &sides->source, err))
        return err->code;
    return sides->sink ? HAUL_OK : job_open_sink(job, &sides->sink, err);
}

static enum haul_code sides_open_both(struct sides *sides, struct haul_job *job, struct haul_error *err)
{
    uint64_t random = (uint64_t)clock_now_ns() | 1;
    for (int tries = 1;; tries++) {
        int64_t begun_ns = clock_now_ns();
        enum haul_code code = sides_open_once(sides, job, err);
        if (!code || !may_reopen(job, tries, begun_ns, err))
            return code;
        int64_t wait_ms = backoff_ms(&random, tries);
        context_warn(&job->context, "%s; trying again in %lld ms", err->message, (long long)wait_ms);
        clock_sleep_ms(wait_ms, &job->cancel);
        if (context_check(&job->context, err))
            return err->code;
        *err = (struct haul_error){0};
    }
}

/* Everything a transfer needs; `stream` stands in for the source when not NULL,
 * and is taken. */
static enum haul_code sides_open(struct sides *sides, struct haul_job *job, struct source *stream, bool dry,
                                 struct haul_error *err)
{
    struct side *source = NULL, *target;
    sides->source = stream;
    if ((!stream && side_resolve(job, false, &source, err)) || side_resolve(job, true, &target, err))
        return err->code;
    if (sides_open_both(sides, job, err))
        return err->code;
    if (settings_flag(&job->settings, "combine") && registry_check_apart(sides->source, target->name, err))
        return err->code;
    const char *table = NULL, *const *key = NULL;
    int key_count = 0;
    if (job_key(job, &key, &key_count, err) ||
        sink_table(job, target->name, source ? source->name : NULL, &table, err))
        return err->code;
    const struct sink_request request = {.table = table,
                                         .mode = job_mode(job),
                                         .key = key,
                                         .key_count = key_count,
                                         .dry = dry,
                                         .adopt = settings_flag(&job->settings, "combine")};
    const bool measure = settings_flag(&job->settings, "measure");
    if ((!stream && made_leave_out(job, sides->sink, &request, &sides->source, err)) ||
        (measure && sides_measure(sides, job, stream != NULL, err)))
        return err->code;
    sides->transfer = (struct transfer){.context = &job->context,
                                        .source = sides->source,
                                        .sink = sides->sink,
                                        .source_name = source ? source->shown : "stream",
                                        .target_name = target->shown,
                                        .request = request,
                                        .measured = measure ? &sides->measured.schema : NULL,
                                        .reject = job->reject ? tell_reject : NULL,
                                        .reject_user = job,
                                        .event = job->event,
                                        .event_user = job->event_user,
                                        .open_target = open_target,
                                        .open_target_user = job};
    return HAUL_OK;
}

static enum haul_code copy_once(struct haul_job *job, struct source *stream, struct haul_result *result,
                                struct haul_error *err)
{
    struct sides sides = {0};
    enum haul_code code = sides_open(&sides, job, stream, false, err);
    if (code == HAUL_OK)
        code = transfer_run(&sides.transfer, result, err);
    sides_close(&sides);
    return code;
}

/* A source whose snapshot died with a session can be read again, from another one: the run is begun anew, as
 * the next process would do it. What that may do with units that are in, the transfer decides. */
static enum haul_code copy_with_restarts(struct haul_job *job, struct source *stream,
                                         struct haul_result *result, struct haul_error *err)
{
    uint64_t random = (uint64_t)clock_now_ns() | 1;
    for (int tries = 1;; tries++) {
        memset(result, 0, sizeof *result);
        enum haul_code code = copy_once(job, stream, result, err);
        if (code != HAUL_CHANGED || !err->retryable || stream ||
            tries > settings_number(&job->settings, "retries"))
            return code;
        context_warn(&job->context, "%s; beginning again", err->message);
        clock_sleep_ms(backoff_ms(&random, tries), &job->cancel);
        *err = (struct haul_error){0};
    }
}

static enum haul_code copy_from(struct haul_job *job, struct source *stream, struct haul_result *result,
                                struct haul_error *err)
{
    *err = (struct haul_error){0};
    struct haul_result ignored;
    struct haul_result *into = result ? result : &ignored;
    enum haul_code code = copy_with_restarts(job, stream, into, err);
    struct haul_error summary_err = {0};
    if (report_summary(job, into, code == HAUL_OK ? NULL : err, &summary_err) && code == HAUL_OK) {
        *err = summary_err;
        code = err->code;
    }
    return code;
}

enum haul_code haul_copy(struct haul_job *job, struct haul_result *result, struct haul_error *err)
{
    return copy_from(job, NULL, result, err);
}

enum haul_code haul_write(struct haul_job *job, struct ArrowArrayStream *in, struct haul_result *result,
                          struct haul_error *err)
{
    struct source *stream = NULL;
    if (stream_source_open(in, &job->context, &stream, err))
        return err->code;
    return copy_from(job, stream, result, err);
}

enum haul_code haul_plan(struct haul_job *job, char **report, struct haul_error *err)
{
    *err = (struct haul_error){0};
    struct sides sides = {0};
    char *json = NULL;
    enum haul_code code = sides_open(&sides, job, NULL, true, err);
    if (code == HAUL_OK)
        code = transfer_plan(&sides.transfer, &json, err);
    if (code == HAUL_OK)
        code = report_plan(job, json, report, err);
    free(json);
    sides_close(&sides);
    return code;
}

/* A manifest of all rows stands for its files, unless something is asked of them; the
 * summary of a run for the source it read. */
static enum haul_code stored_sums_read(struct haul_job *job, struct manifest_listing *listing,
                                       struct haul_error *err)
{
    struct side *side;
    bool asked = settings_text(&job->settings, "columns") || settings_text(&job->settings, "schema");
    if (side_resolve(job, false, &side, err))
        return err->code;
    if (!manifest_is_named(side->name) || strchr(side->name, '\n') || !path_exists(side->name))
        return HAUL_OK;
    if (manifest_sums_read(side->name, &job->arena, listing, err))
        return job_side(err, HAUL_SIDE_SOURCE);
    if (listing->summary && settings_text(&job->settings, "columns"))
        return error_set(err, HAUL_USAGE, "%s is the summary of a run: its hash is of all columns",
                         side->name);
    listing->hashed = listing->hashed && (listing->summary || !asked);
    return HAUL_OK;
}

enum haul_code haul_verify(struct haul_job *job, char **report, struct haul_error *err)
{
    *err = (struct haul_error){0};
    struct source *a = NULL, *b = NULL;
    struct manifest_listing listing = {0};
    char *json = NULL;
    enum haul_code code = stored_sums_read(job, &listing, err);
    if (code == HAUL_OK && !listing.hashed)
        code = job_open(job, false, &a, err);
    if (code == HAUL_OK)
        code = job_open(job, true, &b, err);
    const struct verify_request request = {.a = a, .b = b, .stored = &listing.sums};
    if (code == HAUL_OK)
        code = transfer_verify(&job->context, &request, &json, err);
    manifest_listing_release(&listing);
    if (json && report) {
        struct haul_error report_err = {0};
        if (report_verify(job, json, report, &report_err) && code == HAUL_OK) {
            *err = report_err;
            code = err->code;
        }
    }
    free(json);
    if (a)
        a->ops->close(a);
    if (b)
        b->ops->close(b);
    return code;
}

/* ---- looking ---- */

enum haul_code haul_list(struct haul_job *job, haul_table_fn each, void *user, struct haul_error *err)
{
    *err = (struct haul_error){0};
    struct source *source = NULL;
    enum haul_code code = job_open(job, false, &source, err);
    if (code == HAUL_OK)
        code = source->ops->list(source, each, user, err);
    if (source)
        source->ops->close(source);
    return code ? job_side(err, HAUL_SIDE_SOURCE) : HAUL_OK;
}

enum haul_code haul_ping(struct haul_job *job, char **report, struct haul_error *err)
{
    *err = (struct haul_error){0};
    struct source *source = NULL;
    struct ping ping = {.latency_ms = -1};
    struct side *side;
    bool database;
    if (side_resolve(job, false, &side, err) || registry_is_database(side->name, &database, err))
        return err->code;
    if (!database)
        return error_set(err, HAUL_USAGE,
                         "%s is no database; a named connection has a colon behind it: %s:", side->shown,
                         side->shown);
    enum haul_code code = job_open(job, false, &source, err);
    if (code == HAUL_OK && !source->ops->ping)
        code = error_set(err, HAUL_UNSUPPORTED, "%s: there is no ping for this kind of database yet",
                         side->shown);
    if (code == HAUL_OK)
        code = source->ops->ping(source, &ping, err);
    if (code == HAUL_OK)
        code = report_ping(job, &ping, report, err);
    arena_release(&ping.arena);
    if (source)
        source->ops->close(source);
    return code ? job_side(err, HAUL_SIDE_SOURCE) : HAUL_OK;
}

enum haul_code haul_inspect(struct haul_job *job, char **report, struct haul_error *err)
{
    *err = (struct haul_error){0};
    struct source *source = NULL;
    struct source_info info = {0};
    bool tables = false;
    if (report_tables(job, &tables, report, err) || tables)
        return err->code ? job_side(err, HAUL_SIDE_SOURCE) : HAUL_OK;
    enum haul_code code = job_open(job, false, &source, err);
    if (code == HAUL_OK)
        code = source->ops->describe(source, &info, err);
    if (code == HAUL_OK)
        code = report_inspect(job, source, &info, report, err);
    source_info_release(&info);
    if (source)
        source->ops->close(source);
    return code ? job_side(err, HAUL_SIDE_SOURCE) : HAUL_OK;
}
