/*
 * copy.c: `haul copy` and `haul combine`: runs the job, tells how it went in one line, and turns
 * the result into an exit code.
 */
#include "cli.h"
#include <string.h>

static void tell_result(const struct haul_result *result)
{
    char size[32];
    double seconds = result->seconds > 0.001 ? result->seconds : 0.001;
    print_size((double)result->bytes_written, size, sizeof size);
    if (result->already_complete) {
        fprintf(stderr, "haul: run %s is already complete; nothing was written\n", result->run);
        return;
    }
    fprintf(stderr, "haul: %lld rows in %.2f s, %.0f rows/s", (long long)result->rows, result->seconds,
            (double)(result->rows - result->rows_resumed) / seconds);
    if (result->bytes_written)
        fprintf(stderr, ", %s written", size);
    if (result->rows_resumed)
        fprintf(stderr, "; %lld rows were in already", (long long)result->rows_resumed);
    if (result->rejects)
        fprintf(stderr, "; %lld rows set aside", (long long)result->rejects);
    if (result->losses)
        fprintf(stderr, "; %lld values lost something", (long long)result->losses);
    fprintf(stderr, "\n");
}

static int copy_plan(struct haul_job *job)
{
    struct haul_error err = {0};
    char *report = NULL;
    int status = haul_plan(job, &report, &err) ? fail(&err) : print_out(report);
    haul_free(report);
    return status;
}

static int copy_now(struct haul_job *job, struct progress *progress, bool rejects_ok)
{
    struct haul_error err = {0};
    struct haul_result result;
    haul_job_on_event(job, progress_event, progress);
    enum haul_code code = haul_copy(job, &result, &err);
    progress_end(progress);
    if (code)
        return fail(&err);
    if (!progress->quiet && !progress->json)
        tell_result(&result);
    return result.rejects > 0 && !rejects_ok ? EXIT_REJECTS : 0;
}

/* combine keeps row groups as they are, unless their size is asked for. */
static enum haul_code combine_settle(struct haul_job *job, int count, char **words, struct haul_error *err)
{
    static const char *const encoding[] = {"compression", "page-version", "encoding"};
    if (options_value(count, words, "rowgroup-size"))
        return HAUL_OK;
    for (size_t i = 0; i < sizeof encoding / sizeof encoding[0]; i++) {
        if (!options_value(count, words, encoding[i]))
            continue;
        snprintf(err->message, sizeof err->message,
                 "--%s needs --rowgroup-size: combine keeps row groups as they are", encoding[i]);
        return err->code = HAUL_USAGE;
    }
    return haul_job_set(job, "combine", "true", err);
}

int run_copy(const struct command *command, int count, char **words)
{
    int status = 0;
    struct progress progress;
    struct haul_job *job = job_from_words(command, count, words, &status);
    if (!job)
        return status;
    struct haul_error err = {0};
    if (command->bit == HAUL_FOR_COMBINE && combine_settle(job, count, words, &err)) {
        job_done(job);
        return fail(&err);
    }
    const char *log = options_value(count, words, "log");
    progress_init(&progress, log && strcmp(log, "json") == 0, options_flag(count, words, "quiet"));
    if (options_flag(count, words, "dry-run"))
        status = copy_plan(job);
    else
        status = copy_now(job, &progress, options_flag(count, words, "rejects-ok"));
    job_done(job);
    return status;
}
