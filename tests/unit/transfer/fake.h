/*
 * fake.h: a source and a sink that count, refuse, fail and die as they are told.
 *
 * What outlives a process (the source's rows, the target's rows and ledger) is
 * in a `struct world` that forked children share, so that a test can let a child
 * die at any step and look at what the next one makes of it.
 */
#ifndef TESTS_UNIT_TRANSFER_FAKE_H
#define TESTS_UNIT_TRANSFER_FAKE_H

#include "base/settings.h"
#include "transfer/transfer.h"

#define WORLD_ROWS_MAX  200000
#define WORLD_UNITS_MAX 512
#define WORLD_DIED      99

struct world_unit {
    uint64_t part;
    int64_t first_row, rows, offered, reject_count, losses;
    struct hash128 hash;
    bool last, in;
    char rejects[512];
};

struct world {
    /* the source */
    int64_t rows, part_rows;
    bool replayable, unordered, one_part, rows_unknown;
    char identity[32];
    int64_t bad_every; /* the reader rejects each such row; 0 none */

    int64_t source_fail_at; /* the reader fails when it comes to this row, `source_fails` times; -1 never */
    bool source_fail_passes;
    _Atomic int source_fails;

    /* the target */
    bool ledger, part_is_unit, ordered;
    int writers_max;
    bool none; /* RESUME_NONE */
    int64_t part_rows_wish, part_bytes_wish;
    int64_t refuse_every; /* rows the writer refuses; 0 none */
    bool exists;          /* somebody else's target is there */
    bool lossy;           /* the writer counts a loss for each batch */

    /* what it holds */
    bool made, published, finished;
    char run[64], fingerprint[64], plan[1 << 16];
    struct world_unit units[WORLD_UNITS_MAX];
    uint8_t seen[WORLD_ROWS_MAX]; /* how often row i is in, in committed units */
    int removed, prepared, published_count;

    /* what goes wrong */
    _Atomic int steps;
    int die_at;             /* the process dies at this step; 0 never */
    int fail_at;            /* a sink call fails at this step; 0 never */
    _Atomic int fail_count; /* so many times in a row */
    bool fail_passes;       /* retryable */
    bool lose_answer;       /* the failing commit was applied */
    int busy;               /* opens that answer busy */
    int cancel_at;          /* the run is cancelled at this step */
    _Atomic int *cancel;
    _Atomic int opens, writes, commits, aborts, reader_opens;
    int delay_us; /* in write */
};

struct world *world_new(void); /* shared with children; rows 1000, part_rows 300, replayable */
void world_free(struct world *world);

struct source *fake_source(struct world *world);
struct sink *fake_sink(struct world *world, const char *state_home);

/* Everything around one call of transfer_run. */
struct job {
    struct world *world;
    struct settings settings;
    struct cancel cancel;
    struct context context;
    struct transfer transfer;
    struct haul_result result;
    struct haul_error err;
    char home[128];
    int events[HAUL_EVENT_FINISH + 1];
    char last_message[512];
};

/* `options` is a NULL-terminated list of name, value. */
void job_init(struct job *job, struct world *world, const char *home, const char *const *options);
enum haul_code job_run(struct job *job); /* once */
void job_release(struct job *job);

/* init, run, release; the error and result stay readable. */
enum haul_code job_once(struct job *job, struct world *world, const char *home, const char *const *options);

/* The same in a child, which may die. Returns its haul_code, or WORLD_DIED. */
int job_in_child(struct world *world, const char *home, const char *const *options);

/* A fresh folder under the test's temporary folder; and how many names are in it. */
void home_make(char home[128]);
void home_remove(const char *home);
int home_count(const char *home);

#endif
