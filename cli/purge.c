/*
 * purge.c: `haul purge`: on a terminal it shows what would go and asks; elsewhere,
 * and with --yes, it does what it was told.
 */
#include "cli.h"
#include <string.h>
#include <unistd.h>

static bool agreed(const char *what)
{
    char answer[16];
    fprintf(stderr, "%sRemove all of this? [y/N] ", what);
    fflush(stderr);
    return fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

/* *go false: the person said no, or looking failed (*status). */
static void ask(struct haul_job *job, bool *go, int *status)
{
    struct haul_error err = {0};
    char *would = NULL;
    bool failed = haul_job_set(job, "dry-run", "true", &err) || haul_purge(job, &would, &err) ||
                  haul_job_set(job, "dry-run", "false", &err);
    *go = !failed && agreed(would);
    *status = failed ? fail(&err) : 0;
    if (!failed && !*go)
        fprintf(stderr, "haul: nothing was removed\n");
    haul_free(would);
}

int run_purge(const struct command *command, int count, char **words)
{
    int status = 0;
    bool go = true;
    struct haul_error err = {0};
    struct progress progress;
    char *report = NULL;
    struct haul_job *job = job_from_words(command, count, words, &status);
    if (!job)
        return status;
    progress_init(&progress, job);
    bool person = isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
    if (person && !job_flag(job, "yes") && !job_flag(job, "dry-run"))
        ask(job, &go, &status);
    if (go)
        status = haul_purge(job, &report, &err) ? fail(&err) : job_flag(job, "quiet") ? 0 : print_out(report);
    haul_free(report);
    job_done(job);
    return status;
}
