/*
 * look.c: `haul list`, `haul inspect`, `haul verify`: the commands that only
 * read. Their answers go to standard output.
 */
#include "cli.h"
#include <string.h>

struct listing {
    bool json;
    size_t count;
    int status;
};

static void list_json(struct listing *listing, const struct haul_table *table)
{
    char line[2048];
    const char *schema = table->schema ? table->schema : "";
    /* Names with quotes or backslashes are rare; they are escaped one by one. */
    char name[1024];
    size_t n = 0;
    for (const char *p = table->name; *p && n < sizeof name - 8; p++) {
        if (*p == '"' || *p == '\\')
            name[n++] = '\\';
        if ((unsigned char)*p >= 32)
            name[n++] = *p;
    }
    name[n] = 0;
    snprintf(line, sizeof line,
             "%s{\"schema\":\"%s\",\"name\":\"%s\",\"kind\":\"%s\",\"rows\":%lld,\"rows_exact\":%s,\"bytes\":"
             "%lld}",
             listing->count ? ",\n " : "[", schema, name, table->kind, (long long)table->rows,
             table->rows_exact ? "true" : "false", (long long)table->bytes);
    if (!listing->status)
        listing->status = print_out(line);
}

static void list_text(struct listing *listing, const struct haul_table *table)
{
    char rows[32] = "?", size[32] = "", line[2048];
    if (table->rows >= 0)
        snprintf(rows, sizeof rows, "%s%lld", table->rows_exact ? "" : "~", (long long)table->rows);
    if (table->bytes >= 0)
        print_size((double)table->bytes, size, sizeof size);
    snprintf(line, sizeof line, "%14s %10s  %-6s %s%s%s\n", rows, size, table->kind,
             table->schema ? table->schema : "", table->schema ? "." : "", table->name);
    if (listing->count == 0 && !listing->status)
        listing->status = print_out("          rows       size  kind   name\n");
    if (!listing->status)
        listing->status = print_out(line);
}

static void list_each(void *user, const struct haul_table *table)
{
    struct listing *listing = user;
    (listing->json ? list_json : list_text)(listing, table);
    listing->count++;
}

int run_list(const struct command *command, int count, char **words)
{
    int status = 0;
    struct haul_error err = {0};
    struct listing listing = {.json = options_flag(count, words, "json")};
    struct haul_job *job = job_from_words(command, count, words, &status);
    if (!job)
        return status;
    if (haul_list(job, list_each, &listing, &err))
        status = fail(&err);
    else if (listing.json)
        status = listing.status ? listing.status : print_out(listing.count ? "]\n" : "[]\n");
    else
        status = listing.count ? listing.status : print_out("no tables\n");
    job_done(job);
    return status;
}

int run_inspect(const struct command *command, int count, char **words)
{
    int status = 0;
    struct haul_error err = {0};
    struct progress progress;
    char *report = NULL;
    struct haul_job *job = job_from_words(command, count, words, &status);
    if (!job)
        return status;
    progress_init(&progress, false, options_flag(count, words, "quiet"));
    haul_job_on_event(job, progress_event, &progress);
    status = haul_inspect(job, &report, &err) ? fail(&err) : print_out(report);
    if (status == 0 && options_flag(count, words, "json"))
        status = print_out("\n");
    haul_free(report);
    job_done(job);
    return status;
}

int run_verify(const struct command *command, int count, char **words)
{
    int status = 0;
    struct haul_error err = {0};
    struct progress progress;
    char *report = NULL;
    const char *log = options_value(count, words, "log");
    struct haul_job *job = job_from_words(command, count, words, &status);
    if (!job)
        return status;
    progress_init(&progress, log && strcmp(log, "json") == 0, options_flag(count, words, "quiet"));
    haul_job_on_event(job, progress_event, &progress);
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
