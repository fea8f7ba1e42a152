/*
 * session.c: what a command needs of its process: a job tied to the signals,
 * output that notices a closed pipe, and errors told in one line.
 *
 * The first SIGINT, SIGTERM or SIGHUP asks the job to stop: units in flight are
 * rolled back, the run can be continued, exit 75. The second ends at once.
 */
#include "cli.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* A signal handler has no argument: the one place for a variable of the process. */
static struct haul_job *volatile running;

static void on_signal(int number)
{
    struct haul_job *job = running;
    if (!job)
        _exit(128 + number);
    running = NULL;
    haul_job_cancel(job);
}

bool job_flag(const struct haul_job *job, const char *name)
{
    const char *value = haul_job_get(job, name);
    return value &&
           (strcasecmp(value, "true") == 0 || strcasecmp(value, "yes") == 0 || strcmp(value, "1") == 0);
}

static void tie(struct haul_job *job)
{
    struct sigaction action = {.sa_handler = on_signal};
    haul_job_on_password(job, password_ask, NULL);
    running = job;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

struct haul_job *job_plain(int *status)
{
    struct haul_job *job = NULL;
    struct haul_error err = {0};
    if (haul_job_new(&job, &err)) {
        *status = fail(&err);
        return NULL;
    }
    tie(job);
    return job;
}

struct haul_job *job_from_words(const struct command *command, int count, char **words, int *status)
{
    struct haul_job *job = NULL;
    struct haul_error err = {0};
    bool help = false;
    if (haul_job_new(&job, &err) || options_parse(command, job, count, words, &help, &err) || help) {
        *status = help ? print_help(command) : fail(&err);
        haul_job_free(job);
        return NULL;
    }
    if (haul_job_get(job, "password"))
        fprintf(stderr, "haul: warning: a --password in the command line can be seen by others while haul "
                        "starts; better: leave "
                        "it out and be asked, --password-file, --password-command, or SQLCMDPASSWORD\n");
    tie(job);
    return job;
}

void job_done(struct haul_job *job)
{
    running = NULL;
    haul_job_free(job);
}

void print_clean(FILE *to, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        fputc(*p < 32 || *p == 127 ? '?' : *p, to);
}

int fail(const struct haul_error *err)
{
    if (err->vendor_code == EPIPE && err->code == HAUL_IO)
        return EXIT_PIPE; /* the reader of our output has had enough */
    fprintf(stderr, "haul: ");
    print_clean(stderr, err->message);
    fprintf(stderr, "\n");
    return haul_exit_code(err);
}

int print_out(const char *text)
{
    size_t length = strlen(text);
    if (fwrite(text, 1, length, stdout) == length && fflush(stdout) == 0)
        return 0;
    if (errno == EPIPE)
        return EXIT_PIPE;
    fprintf(stderr, "haul: standard output: %s\n", strerror(errno));
    return 1;
}
