/*
 * bcp.h: the parts of `haul bcp`: its command line (bcp_words.c), what it prints
 * (bcp_console.c), its questions (bcp_prompt.c).
 */
#ifndef HAUL_CLI_BCP_H
#define HAUL_CLI_BCP_H

#include "cli.h"

#define BCP_STEP 1000 /* rows between two lines of progress */

struct bcp {
    struct haul_job *job;
    const char *table, *direction, *file;
    const char *values['z' + 1]; /* of options, by letter; NULL not given, "" of those without a value */
    char *password;              /* of an access token file; malloc'ed */
    char *made_format;           /* a format file of ours, to be removed; malloc'ed */
    FILE *out, *errors, *answers;
    long long rows_told, refused;
    long long step;
    int errors_lost; /* errno: the error file cannot be written */
};

static inline bool bcp_has(const struct bcp *bcp, char letter)
{
    return bcp->values[(unsigned char)letter] != NULL;
}
static inline const char *bcp_value(const struct bcp *bcp, char letter)
{
    return bcp->values[(unsigned char)letter];
}
bool bcp_is(const struct bcp *bcp, const char *direction);

/* Words into the job; *done: -v or -? was all. Its errors are told. */
bool bcp_words_read(struct bcp *bcp, int count, char **words, bool *done);

/* Asks how each column is stored, writes the format file and makes the job use it. */
bool bcp_prompt(struct bcp *bcp);

void bcp_print_usage(FILE *to);
void bcp_print_banner(FILE *to);

/* One sentence about a wrong command line. Returns false. */
bool bcp_usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Closes a file that was written: false when not all of it is there, which is told. */
bool bcp_close_written(struct bcp *bcp, FILE *file, const char *what, const char *name);

/* "SQLState = ..., NativeError = ..." and "Error = ..."; `state` NULL: the error's own. */
void bcp_print_error(struct bcp *bcp, const char *state, const struct haul_error *err);

/* Callbacks of the job; `user` is the struct bcp. */
void bcp_on_event(void *user, const struct haul_event *event);
void bcp_on_reject(void *user, const struct haul_reject *reject);

/* The lines at the end. */
void bcp_print_end(struct bcp *bcp, const struct haul_result *result);

#endif
