/*
 * bcp_console.c: what bcp prints: usage, progress by thousands, errors with their
 * SQLSTATE, the lines at the end, and the error file.
 */
#include "bcp.h"
#include <errno.h>
#include <string.h>

void bcp_print_usage(FILE *to)
{
    fprintf(to, "usage: bcp {dbtable | query} {in | out | queryout | format} datafile\n"
                "  [-m maxerrors]            [-f formatfile]          [-e errfile]\n"
                "  [-F firstrow]             [-L lastrow]             [-b batchsize]\n"
                "  [-n native type]          [-c character type]      [-w wide character type]\n"
                "  [-N keep non-text native] [-V file format version] [-q quoted identifier]\n"
                "  [-C code page specifier]  [-t field terminator]    [-r row terminator]\n"
                "  [-i inputfile]            [-o outfile]             [-a packetsize]\n"
                "  [-S server name]          [-U username]            [-P password]\n"
                "  [-T trusted connection]   [-v version]             [-k keep null values]\n"
                "  [-E keep identity values] [-h \"load hints\"]        [-x generate xml format file]\n"
                "  [-d database name]        [-K application intent]  [-l login timeout]\n"
                "  [-G access token]         [-u trust certificate]   [-Y encryption: s, m or o]\n"
                "  [-H host in certificate]  [-J server certificate]\n"
                "haul adds: .gz and .zst data files, Parquet by suffix, --csv, --parallel n, --resume,\n"
                "  --progress, --dry-run, in --create, --tls-ca file, --password-file file, --strict\n");
}

void bcp_print_banner(FILE *to)
{
    fprintf(to,
            "BCP - Bulk Copy Program for Microsoft SQL Server.\nhaul %s; no part of it is "
            "Microsoft's.\nVersion: 16.0.0.0\n",
            haul_version());
}

/* ---- errors ---- */

/* SQLSTATE of bcp's own sentences, and of what a column cannot take. */
static const struct {
    const char *start, *state;
    const char *text; /* bcp's words for it; NULL: these */
} states[] = {
    {"String data, right truncation", "22001", NULL},
    {"Invalid character value", "22018", NULL},
    {"Numeric value out of range", "22003", NULL},
    {"Invalid date format", "22007", NULL},
    {"Datetime field overflow", "22008", NULL},
    {"Invalid", "22018", NULL},
    {"longer than the column", "22001", "String data, right truncation"},
    {"NULL in a column", "23000", NULL},
    {"a date outside", "22007", "Invalid date format"},
    {"", "HY000", NULL},
};

/* The state of a reason, which ends here in bcp's words for it. */
static const char *state_of(const char **reason)
{
    size_t i = 0;
    while (strncmp(*reason, states[i].start, strlen(states[i].start)) != 0)
        i++;
    *reason = states[i].text ? states[i].text : *reason;
    return states[i].state;
}

static const char *state_of_code(const struct haul_error *err, bool server)
{
    if (err->sqlstate[0])
        return err->sqlstate;
    switch (err->code) {
    case HAUL_LOGIN:
        return "28000";
    case HAUL_NETWORK:
    case HAUL_TLS:
        return "08001";
    case HAUL_CONSTRAINT:
        return "23000";
    default:
        return server ? "42000" : "S1000";
    }
}

void bcp_print_error(struct bcp *bcp, const char *state, const struct haul_error *err)
{
    const bool server = err->vendor_code && err->side && err->code != HAUL_IO && err->code != HAUL_NOT_FOUND;
    fprintf(bcp->out, "SQLState = %s, NativeError = %d\nError = [haul]%s",
            state ? state : state_of_code(err, server), server ? err->vendor_code : 0,
            server ? "[SQL Server]" : "");
    print_clean(bcp->out, err->message);
    fputc('\n', bcp->out);
    fflush(bcp->out);
}

/* The row of "row 16"; 0 when it is none. */
static long long row_of(const char *place)
{
    long long row = 0;
    return place && sscanf(place, "row %lld", &row) == 1 ? row : 0;
}

void bcp_on_reject(void *user, const struct haul_reject *reject)
{
    struct bcp *bcp = user;
    const char *reason = reject->reason, *state = state_of(&reason);
    const int length = (int)strcspn(reason, ":");
    bcp->refused++;
    fprintf(bcp->out, "SQLState = %s, NativeError = 0\nError = [haul]%.*s (%s%s%s)\n", state, length, reason,
            reject->place ? reject->place : "", reject->column ? ", " : "",
            reject->column ? reject->column : "");
    if (!bcp->errors || !reject->field)
        return; /* what the server refuses is not in the file */
    fprintf(bcp->errors, "#@ Row %lld, Column %d: %.*s @#\n", row_of(reject->place), reject->field, length,
            reason);
    fwrite(reject->line, 1, reject->line_length, bcp->errors);
    fputc('\n', bcp->errors);
    if ((fflush(bcp->errors) || ferror(bcp->errors)) && !bcp->errors_lost) {
        bcp->errors_lost = errno; /* a row that is nowhere any more: the copy does not go on */
        haul_job_cancel(bcp->job);
    }
}

/* ---- progress ---- */

static void tell_rows(struct bcp *bcp, long long rows)
{
    const bool in = bcp_is(bcp, "in");
    if (bcp->rows_told + bcp->step > rows)
        return;
    while (bcp->rows_told + bcp->step <= rows) {
        bcp->rows_told += bcp->step;
        if (in)
            fprintf(bcp->out, "%lld rows sent to SQL Server. Total sent: %lld\n", bcp->step, bcp->rows_told);
        else
            fprintf(bcp->out, "%lld rows successfully bulk-copied to host-file. Total received: %lld\n",
                    bcp->step, bcp->rows_told);
    }
    fflush(bcp->out); /* for who watches a pipe or a file */
}

void bcp_on_event(void *user, const struct haul_event *event)
{
    struct bcp *bcp = user;
    if (event->kind == HAUL_EVENT_PROGRESS || event->kind == HAUL_EVENT_FINISH)
        tell_rows(bcp, event->rows);
    else if (event->kind == HAUL_EVENT_WARNING && event->message) /* not among what scripts read */
        fprintf(stderr, "bcp: warning: %s\n", event->message);
}

void bcp_print_end(struct bcp *bcp, const struct haul_result *result)
{
    const char *packet = haul_job_get(bcp->job, "packet-size");
    long long millis = (long long)(result->seconds * 1000 + 0.5);
    tell_rows(bcp, result->rows);
    fprintf(bcp->out, "\n%lld rows copied.\nNetwork packet size (bytes): %s\n", (long long)result->rows,
            packet ? packet : "32767");
    if (result->rows == 0) {
        fprintf(bcp->out, "Clock Time (ms.) Total     : %lld\n", millis);
        return;
    }
    fprintf(bcp->out, "Clock Time (ms.) Total     : %-7lldAverage : (%.2f rows per sec.)\n", millis,
            (double)result->rows / (result->seconds > 0.001 ? result->seconds : 0.001));
}
