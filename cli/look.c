/*
 * look.c: `haul inspect`, `haul ping` and `haul verify`: commands that only read. Their
 * answers go to standard output.
 */
#include "cli.h"
#include <string.h>

/* A report of the library as it is; warnings go to standard error. */
typedef enum haul_code (*report_fn)(struct haul_job *job, char **report, struct haul_error *err);

static int run_report(const struct command *command, int count, char **words, report_fn make)
{
    int status = 0;
    struct haul_error err = {0};
    struct progress progress;
    char *report = NULL;
    struct haul_job *job = job_from_words(command, count, words, &status);
    if (!job)
        return status;
    progress_init(&progress, job);
    status = make(job, &report, &err) ? fail(&err) : print_out(report);
    if (status == 0 && job_flag(job, "json"))
        status = print_out("\n");
    haul_free(report);
    job_done(job);
    return status;
}

int run_inspect(const struct command *command, int count, char **words)
{
    return run_report(command, count, words, haul_inspect);
}

int run_ping(const struct command *command, int count, char **words)
{
    return run_report(command, count, words, haul_ping);
}

int run_verify(const struct command *command, int count, char **words)
{
    int status = 0;
    struct haul_error err = {0};
    struct progress progress;
    char *report = NULL;
    struct haul_job *job = job_from_words(command, count, words, &status);
    if (!job)
        return status;
    progress_init(&progress, job);
    enum haul_code code = haul_verify(job, &report, &err);
    progress_end(&progress);
    if (report)
        status = print_out(report);
    if (code)
        status = fail(&err);
    haul_free(report);
    job_done(job);
    return status;
}
