/*
 * copy.c: `haul copy`, `combine`, `export`, `import`: runs the job, tells how it went in one line, and turns
 * the result into an exit code.
 */
#include "cli.h"
#include <string.h>

static void tell_result(const struct haul_result *result, bool grouped)
{
    char size[32], rows[COUNT_BYTES], rate[COUNT_BYTES];
    double seconds = result->seconds > 0.001 ? result->seconds : 0.001;
    print_size((double)result->bytes_written, size, sizeof size);
    if (result->already_complete) {
        fprintf(stderr, "haul: run %s is already complete; nothing was written\n", result->run);
        return;
    }
    print_count((long long)result->rows, grouped, rows);
    print_count((long long)((double)(result->rows - result->rows_resumed) / seconds + 0.5), grouped, rate);
    fprintf(stderr, "haul: %s row%s in %.2f s, %s rows/s", rows, result->rows == 1 ? "" : "s",
            result->seconds, rate);
    if (result->bytes_written)
        fprintf(stderr, ", %s written", size);
    if (result->rows_resumed)
        fprintf(stderr, "; %lld rows were in already", (long long)result->rows_resumed);
    if (result->rejects)
        fprintf(stderr, "; %lld rows set aside", (long long)result->rejects);
    if (result->losses)
        fprintf(stderr, "; %lld value%s lost something", (long long)result->losses,
                result->losses == 1 ? "" : "s");
    fprintf(stderr, "\n");
}

static int copy_plan(const struct command *command, struct haul_job *job)
{
    struct haul_error err = {0};
    char *report = NULL;
    bool failed = haul_settle(job, command->bit, &err) || haul_plan(job, &report, &err);
    int status = failed ? fail(&err) : print_out(report);
    haul_free(report);
    return status;
}

static int copy_now(const struct command *command, struct haul_job *job, struct progress *progress)
{
    struct haul_error err = {0};
    struct haul_result result;
    enum haul_code code = haul_command(job, command->bit, &result, &err);
    progress_end(progress);
    if (code)
        return fail(&err);
    if (!progress->quiet && !progress->json)
        tell_result(&result, progress->terminal);
    return result.rejects > 0 && !job_flag(job, "rejects-ok") ? EXIT_REJECTS : 0;
}

int run_copy(const struct command *command, int count, char **words)
{
    int status = 0;
    struct progress progress;
    struct haul_job *job = job_from_words(command, count, words, &status);
    if (!job)
        return status;
    progress_init(&progress, job);
    status = job_flag(job, "dry-run") ? copy_plan(command, job) : copy_now(command, job, &progress);
    job_done(job);
    return status;
}
