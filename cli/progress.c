/*
 * progress.c: events of a run as a person or a log reader wants them.
 *
 * On a terminal one line is rewritten: rows, rate, time left, and the side that
 * is waited for. Elsewhere a line every LINE_SECONDS. With --log json each event
 * is one object a line (docs/json.md). All of it goes to standard error.
 */
#include "cli.h"
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define LINE_SECONDS 5.0

void progress_init(struct progress *progress, struct haul_job *job)
{
    const char *log = haul_job_get(job, "log"), *beat = haul_job_get(job, "mem-heartbeat");
    *progress = (struct progress){
        .to = stderr, .json = log && strcmp(log, "json") == 0, .quiet = job_flag(job, "quiet")};
    progress->terminal = !progress->json && isatty(STDERR_FILENO);
    progress->heartbeat = beat ? strtod(beat, NULL) : 0;
    haul_job_on_event(job, progress_event, progress);
}

/* The process's memory: now, from /proc, and the most it was. */
static void heartbeat(struct progress *progress, const struct haul_event *event)
{
    struct rusage usage;
    long pages = 0;
    char message[128];
    FILE *file = progress->heartbeat > 0 && event->seconds - progress->beat >= progress->heartbeat
                     ? fopen("/proc/self/statm", "r")
                     : NULL;
    if (!file)
        return;
    progress->beat = event->seconds;
    bool read = fscanf(file, "%*d %ld", &pages) == 1;
    fclose(file);
    getrusage(RUSAGE_SELF, &usage);
    snprintf(message, sizeof message, "memory: %ld MiB now, %ld MiB at most",
             read ? pages * (sysconf(_SC_PAGESIZE) / 1024) / 1024 : 0, usage.ru_maxrss / 1024);
    progress_event(progress, &(struct haul_event){.kind = HAUL_EVENT_NOTE,
                                                  .run = event->run,
                                                  .message = message,
                                                  .waiting = "",
                                                  .rows_expected = -1});
}

void print_size(double bytes, char *out, size_t out_bytes)
{
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
    int unit = 0;
    while (bytes >= 1000 && unit < 4) {
        bytes /= 1000;
        unit++;
    }
    snprintf(out, out_bytes, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
}

void print_count(long long count, bool grouped, char out[COUNT_BYTES])
{
    char plain[COUNT_BYTES];
    int length = snprintf(plain, sizeof plain, "%lld", count), at = 0;
    for (int i = 0; i < length; i++) {
        if (grouped && i > (count < 0) && (length - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = plain[i];
    }
    out[at] = 0;
}

void print_json(FILE *to, const char *text)
{
    fputc('"', to);
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '"' || *p == '\\')
            fprintf(to, "\\%c", *p);
        else if (*p < 32)
            fprintf(to, "\\u%04x", *p);
        else
            fputc(*p, to);
    }
    fputc('"', to);
}

static void print_json_text(FILE *to, const char *key, const char *text)
{
    fprintf(to, ",\"%s\":", key);
    print_json(to, text);
}

static void print_time(FILE *to)
{
    struct timeval now;
    struct tm utc;
    char text[32];
    gettimeofday(&now, NULL);
    gmtime_r(&now.tv_sec, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    fprintf(to, "\"time\":\"%s.%03ldZ\"", text, (long)now.tv_usec / 1000);
}

static void event_json(FILE *to, const struct haul_event *event)
{
    static const char *const kinds[] = {"start", "note", "warning", "progress", "finish"};
    fprintf(to, "{\"v\":1,");
    print_time(to);
    print_json_text(to, "event", kinds[event->kind]);
    if (event->run && *event->run)
        print_json_text(to, "run", event->run);
    if (event->table)
        print_json_text(to, "table", event->table);
    if (event->message)
        print_json_text(to, "message", event->message);
    if (event->kind == HAUL_EVENT_PROGRESS || event->kind == HAUL_EVENT_FINISH) {
        fprintf(to,
                ",\"rows\":%lld,\"rows_expected\":%lld,\"bytes_read\":%lld,\"bytes_written\":%lld,"
                "\"seconds\":%.3f",
                (long long)event->rows, (long long)event->rows_expected, (long long)event->bytes_read,
                (long long)event->bytes_written, event->seconds);
        if (event->waiting && *event->waiting)
            print_json_text(to, "waiting", event->waiting);
    }
    fprintf(to, "}\n");
}

static void print_left(FILE *to, const struct haul_event *event)
{
    double left = event->seconds * (double)(event->rows_expected - event->rows) / (double)event->rows;
    if (left >= 3600)
        fprintf(to, ", %.1f h left", left / 3600);
    else if (left >= 60)
        fprintf(to, ", %.0f min left", left / 60);
    else
        fprintf(to, ", %.0f s left", left);
}

static void event_counters(FILE *to, bool grouped, const struct haul_event *event)
{
    char size[32], rows[COUNT_BYTES], expected[COUNT_BYTES], rate[COUNT_BYTES];
    double seconds = event->seconds > 0.001 ? event->seconds : 0.001;
    double bytes =
        (double)(event->bytes_read > event->bytes_written ? event->bytes_read : event->bytes_written);
    print_size(bytes / seconds, size, sizeof size);
    print_clean(to, event->table ? event->table : "");
    print_count((long long)event->rows, grouped, rows);
    print_count((long long)event->rows_expected, grouped, expected);
    print_count((long long)((double)event->rows / seconds + 0.5), grouped, rate);
    fprintf(to, ": %s rows", rows);
    if (event->kind == HAUL_EVENT_PROGRESS && event->rows_expected > 0)
        fprintf(to, " of %s", expected);
    fprintf(to, ", %s rows/s, %s/s", rate, size);
    if (event->kind == HAUL_EVENT_PROGRESS && event->rows > 0 && event->rows_expected > event->rows)
        print_left(to, event);
    if (event->kind == HAUL_EVENT_PROGRESS && event->waiting && *event->waiting)
        fprintf(to, ", waiting for %s", event->waiting);
}

static void clear_line(struct progress *progress)
{
    if (progress->line_open)
        fprintf(progress->to, "\r\033[K");
    progress->line_open = false;
}

static void event_text(struct progress *progress, const struct haul_event *event)
{
    bool counters = event->kind == HAUL_EVENT_PROGRESS;
    if (counters && !progress->terminal && event->seconds - progress->last < LINE_SECONDS)
        return;
    clear_line(progress);
    if (counters) {
        progress->last = event->seconds;
        event_counters(progress->to, progress->terminal, event);
        progress->line_open = progress->terminal;
        if (!progress->terminal)
            fprintf(progress->to, "\n");
        fflush(progress->to);
        return;
    }
    if (event->kind == HAUL_EVENT_FINISH)
        return; /* the command says how it ended */
    fprintf(progress->to, event->kind == HAUL_EVENT_WARNING ? "haul: warning: " : "haul: ");
    print_clean(progress->to, event->message ? event->message : "");
    fprintf(progress->to, "\n");
}

void progress_event(void *user, const struct haul_event *event)
{
    struct progress *progress = user;
    if (progress->quiet && event->kind != HAUL_EVENT_WARNING)
        return;
    if (progress->json)
        event_json(progress->to, event);
    else
        event_text(progress, event);
    if (event->kind == HAUL_EVENT_PROGRESS)
        heartbeat(progress, event);
}

void progress_end(struct progress *progress)
{
    clear_line(progress);
}
