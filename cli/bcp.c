/*
 * bcp.c: `haul bcp`, also when the program is called bcp: SQL Server's bulk copy
 * program, in its own words. Its command line becomes options of a job
 * (haul_settle), the job is a copy like any other; here is what bcp prints and how it
 * exits: 0 when all rows were copied or no more were refused than -m allows, else 1.
 */
#include "bcp.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* ---- files ---- */

static bool open_stream(struct bcp *bcp, char letter, const char *mode, const char *what, FILE **file)
{
    const char *name = bcp_value(bcp, letter);
    if (!name)
        return true;
    FILE *opened = fopen(name, mode);
    if (opened) {
        *file = opened;
        return true;
    }
    struct haul_error err = {.code = HAUL_IO};
    snprintf(err.message, sizeof err.message, "Unable to open BCP %s %s", what, name);
    bcp_print_error(bcp, "S1000", &err);
    return false;
}

static bool open_streams(struct bcp *bcp)
{
    return open_stream(bcp, 'o', "w", "output file", &bcp->out) &&
           open_stream(bcp, 'i', "r", "input file", &bcp->answers) &&
           open_stream(bcp, 'e', "w", "error-file", &bcp->errors);
}

bool bcp_close_written(struct bcp *bcp, FILE *file, const char *what, const char *name)
{
    struct haul_error err = {.code = HAUL_IO};
    int why = file ? 0 : errno;
    if (file && (fflush(file) || ferror(file)))
        why = errno ? errno : EIO;
    if (file && fclose(file) && !why)
        why = errno;
    if (!why)
        return true;
    snprintf(err.message, sizeof err.message, "Unable to write BCP %s %s: %s", what, name, strerror(why));
    bcp_print_error(bcp, "S1000", &err);
    return false;
}

/* False: what should be on the console is not all in -o's file. */
static bool close_streams(struct bcp *bcp)
{
    bool fine = true;
    FILE *out = bcp->out;
    bcp->out = stderr;
    if (out && out != stdout)
        fine = bcp_close_written(bcp, out, "output file", bcp_value(bcp, 'o'));
    if (bcp->answers && bcp->answers != stdin)
        fclose(bcp->answers);
    if (bcp->errors)
        fclose(bcp->errors);
    if (bcp->made_format) {
        unlink(bcp->made_format);
        free(bcp->made_format);
    }
    if (bcp->password) {
        explicit_bzero(bcp->password, strlen(bcp->password));
        free(bcp->password);
    }
    return fine;
}

static bool check_files(struct bcp *bcp)
{
    struct haul_error err = {.code = HAUL_NOT_FOUND};
    const char *format = bcp_value(bcp, 'f');
    if (bcp_is(bcp, "in") && access(bcp->file, R_OK) != 0 && strcmp(bcp->file, "-") != 0) {
        snprintf(err.message, sizeof err.message, "Unable to open BCP host data-file %s", bcp->file);
        bcp_print_error(bcp, "S1000", &err);
        return false;
    }
    if (format && !bcp_is(bcp, "format") && access(format, R_OK) != 0) {
        snprintf(err.message, sizeof err.message, "I/O error while reading BCP format file %s", format);
        bcp_print_error(bcp, "S1000", &err);
        return false;
    }
    return true;
}

/* ---- the ways ---- */

/* Not CSV, not Parquet. */
static bool is_bcp_file(const struct bcp *bcp)
{
    static const char *const ends[] = {".parquet", ".parq"};
    size_t length = strlen(bcp->file);
    for (size_t i = 0; i < 2; i++)
        if (length > strlen(ends[i]) && strcasecmp(bcp->file + length - strlen(ends[i]), ends[i]) == 0)
            return false;
    return !job_flag(bcp->job, "csv");
}

static bool wants_prompts(const struct bcp *bcp)
{
    bool said = bcp_has(bcp, 'n') || bcp_has(bcp, 'c') || bcp_has(bcp, 'w') || bcp_has(bcp, 'N');
    bool format = bcp_has(bcp, 'f') && !bcp_is(bcp, "format");
    return !said && !format && is_bcp_file(bcp) && !job_flag(bcp->job, "create");
}

static bool write_format(struct bcp *bcp)
{
    struct haul_error err = {0};
    char *text = NULL;
    const char *name = bcp_value(bcp, 'f');
    if (haul_format(bcp->job, &text, &err)) {
        bcp_print_error(bcp, NULL, &err);
        return false;
    }
    FILE *file = fopen(name, "w");
    if (file)
        (void)fputs(text, file);
    haul_free(text);
    return bcp_close_written(bcp, file, "format-file", name);
}

/* A name from which the shell took the backslash is looked up in vain. */
static void hint_server(struct bcp *bcp, const struct haul_error *err)
{
    const char *server = bcp_value(bcp, 'S');
    if (server && (err->code == HAUL_NETWORK || err->code == HAUL_NOT_FOUND) && !strpbrk(server, "\\.,:"))
        fprintf(bcp->out,
                "If \"%s\" is a server and an instance, a shell has eaten the backslash: write -S "
                "'server\\instance' in quotes.\n",
                server);
}

/* Batches before the one that failed stay. A row to go on with there is only when they
 * came one after the other out of a file that -F counts the rows of. */
static void tell_rest(struct bcp *bcp, const struct haul_result *result)
{
    const char *first = haul_job_get(bcp->job, "first-row"), *parallel = haul_job_get(bcp->job, "parallel");
    const long long rows = (long long)result->rows, passed = rows + (long long)result->rejects;
    if (passed == 0 || !bcp_has(bcp, 'b'))
        return;
    fprintf(bcp->out, "%lld rows are in the table; ", rows);
    if (job_flag(bcp->job, "resume"))
        fprintf(bcp->out, "the same command goes on behind them\n");
    else if ((parallel && atoll(parallel) > 1) || !is_bcp_file(bcp))
        fprintf(bcp->out, "only with --resume the same command would go on behind them\n");
    else
        fprintf(bcp->out, "to go on behind them: -F %lld\n", (first ? atoll(first) : 1) + passed);
}

/* One refused row too many, which was told as all of them were. */
static bool is_told(const struct bcp *bcp, const struct haul_error *err)
{
    const long long max = atoll(haul_job_get(bcp->job, "max-errors"));
    const bool first = max == 0 && (err->code == HAUL_VALUE || err->code == HAUL_DATA);
    return bcp->refused > max && (err->code == HAUL_REJECTS || first);
}

static void tell_lost_errors(struct bcp *bcp)
{
    struct haul_error lost = {.code = HAUL_IO};
    snprintf(lost.message, sizeof lost.message, "Unable to write BCP error-file %s: %s", bcp_value(bcp, 'e'),
             strerror(bcp->errors_lost));
    bcp_print_error(bcp, "S1000", &lost);
}

static void tell_failure(struct bcp *bcp, const struct haul_result *result, const struct haul_error *err)
{
    const bool in = bcp_is(bcp, "in");
    if (bcp->errors_lost)
        tell_lost_errors(bcp);
    else if (!is_told(bcp, err))
        bcp_print_error(bcp, strstr(err->message, "Unexpected EOF") ? "S1000" : NULL, err);
    hint_server(bcp, err);
    if (in)
        tell_rest(bcp, result);
    fprintf(bcp->out, "\nBCP copy %s failed\n", in ? "in" : "out");
}

static bool copy(struct bcp *bcp)
{
    struct haul_error err = {0};
    struct haul_result result = {0};
    struct progress progress;
    const bool progressing = job_flag(bcp->job, "progress");
    long long batch = bcp_has(bcp, 'b') ? atoll(bcp_value(bcp, 'b')) : BCP_STEP;
    bcp->step = bcp_is(bcp, "in") && batch < BCP_STEP ? batch : BCP_STEP;
    fprintf(bcp->out, "\nStarting copy...\n");
    fflush(bcp->out);
    haul_job_on_reject(bcp->job, bcp_on_reject, bcp);
    if (progressing)
        progress_init(&progress, bcp->job);
    else
        haul_job_on_event(bcp->job, bcp_on_event, bcp);
    enum haul_code code = haul_copy(bcp->job, &result, &err);
    if (progressing)
        progress_end(&progress);
    if (code)
        tell_failure(bcp, &result, &err);
    else
        bcp_print_end(bcp, &result);
    if (!code && bcp->errors_lost)
        tell_lost_errors(bcp);
    return code == HAUL_OK && !bcp->errors_lost;
}

/* What a copy would do, and how the table is loaded and logged. */
static bool show_plan(struct bcp *bcp)
{
    struct haul_error err = {0};
    char *report = NULL;
    const bool fine = !haul_plan(bcp->job, &report, &err);
    if (fine)
        fprintf(bcp->out, "%s", report);
    else
        bcp_print_error(bcp, NULL, &err);
    haul_free(report);
    return fine;
}

static bool run(struct bcp *bcp)
{
    struct haul_error err = {0};
    const char *format = bcp_is(bcp, "format") ? NULL : bcp_value(bcp, 'f');
    if (!open_streams(bcp) || !check_files(bcp))
        return false;
    if ((format && haul_job_set(bcp->job, "format-file", format, &err)) ||
        haul_settle(bcp->job, HAUL_FOR_BCP, &err)) {
        bcp_print_error(bcp, NULL, &err);
        hint_server(bcp, &err);
        return false;
    }
    const bool prompts = wants_prompts(bcp);
    if (prompts && !bcp_prompt(bcp))
        return false;
    if (bcp_is(bcp, "format"))
        return prompts || write_format(bcp);
    return job_flag(bcp->job, "dry-run") ? show_plan(bcp) : copy(bcp);
}

int run_bcp(const struct command *command, int count, char **words)
{
    struct bcp bcp = {.out = stdout, .answers = stdin};
    bool done = false, fine;
    int status = 0;
    (void)command;
    bcp.job = job_plain(&status);
    if (!bcp.job)
        return status;
    fine = bcp_words_read(&bcp, count, words, &done);
    if (!fine && !done)
        fprintf(stderr, "bcp -? shows all options\n");
    else if (done && bcp_has(&bcp, 'v'))
        bcp_print_banner(stdout);
    else if (done)
        bcp_print_usage(stdout);
    else
        fine = run(&bcp);
    fine = close_streams(&bcp) && fine;
    job_done(bcp.job);
    return fine ? 0 : 1;
}
