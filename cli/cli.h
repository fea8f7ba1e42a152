/*
 * cli.h: the program's own parts. The program sees only haul.h; what belongs to
 * a process (signals, streams, exit codes) lives here and nowhere else.
 */
#ifndef HAUL_CLI_H
#define HAUL_CLI_H

#include "haul.h"
#include <stdio.h>

#define EXIT_REJECTS 3
#define EXIT_PIPE    141

struct command {
    const char *name;
    unsigned bit; /* HAUL_FOR_... ; 0: it takes no options of the table */
    const char *usage;
    const char *summary;  /* one line */
    const char *examples; /* lines, each beginning with two blanks */
    int (*run)(const struct command *command, int count, char **words);
};

extern const struct command commands[];
extern const size_t command_count;
const struct command *command_find(const char *name);

/* options.c: words after the command's name into the job. `places` are the names
 * of the positional arguments in order ("source", "target"), NULL at the end.
 * `extra` gets positionals beyond them as a usage error. *help: -h was there. */
enum haul_code options_parse(const struct command *command, struct haul_job *job, int count, char **words,
                             bool *help, struct haul_error *err);

/* Is the flag set? */
bool job_flag(const struct haul_job *job, const char *name);

/* A job from the words, with signals tied to it; prints its own errors. NULL:
 * *status has the exit code. */
struct haul_job *job_from_words(const struct command *command, int count, char **words, int *status);
struct haul_job *job_plain(int *status); /* the same without options */
void job_done(struct haul_job *job);

/* Prints "haul: MESSAGE" and returns the exit code. */
int fail(const struct haul_error *err);

/* Prints to standard output; EXIT_PIPE or 1 when that fails, 0 otherwise. */
int print_out(const char *text);

/* Text of a server or a file on a terminal: control characters become '?'. */
void print_clean(FILE *to, const char *text);

/* password.c: copies of the words; in the originals, which others can read, passwords become '*'. NULL: no
 * memory. */
char **words_take(int count, char **words);
void words_wipe(int count, char **words);
bool password_ask(void *user, const char *server, char *password, size_t password_bytes);

/* progress.c */
struct progress {
    FILE *to;
    bool terminal, json, quiet, line_open;
    double last;
    double heartbeat, beat; /* --mem-heartbeat: seconds between lines, and when the last was; 0: none */
};
void progress_init(struct progress *progress, struct haul_job *job); /* and ties it to the job's events */
void progress_event(void *user, const struct haul_event *event);
void progress_end(struct progress *progress);
void print_json(FILE *to, const char *text); /* as a JSON string */
void print_size(double bytes, char *out, size_t out_bytes);
#define COUNT_BYTES 32
void print_count(long long count, bool grouped, char out[COUNT_BYTES]); /* "1,234,567" */

/* The commands. */
int run_copy(const struct command *command, int count, char **words);
int run_ping(const struct command *command, int count, char **words);
int run_list(const struct command *command, int count, char **words);
int run_inspect(const struct command *command, int count, char **words);
int run_verify(const struct command *command, int count, char **words);
int run_purge(const struct command *command, int count, char **words);
int run_bcp(const struct command *command, int count, char **words);
int run_help(const struct command *command, int count, char **words);
int run_completion(const struct command *command, int count, char **words);
int run_man(const struct command *command, int count, char **words);

int print_help(const struct command *command); /* NULL: about haul as a whole */
int print_version(void);

#endif
