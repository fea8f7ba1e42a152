/*
 * collector.h: rejects and losses of one unit.
 *
 * A reader, a cast or a writer that meets a row it cannot pass on exactly says
 * so here; the transfer takes what was collected at the unit's commit and drops
 * it when the unit is retried. By default no reject is allowed (--max-errors 0):
 * then collector_reject returns the error itself, ready to be passed up.
 *
 * A row is named by its place in the source: `part` and `row` (0-based within
 * the part), and `place`, the words a user understands ("line 17", "rowid 4").
 */
#ifndef HAUL_BASE_COLLECTOR_H
#define HAUL_BASE_COLLECTOR_H

#include "base/arena.h"
#include <stdatomic.h>

#define COLLECTOR_BYTES_MAX   ((size_t)16 << 20) /* of reject text in one unit */
#define COLLECTOR_VALUE_BYTES 1024               /* of a value shown in a reject */

struct reject {
    uint64_t part;
    int64_t row;         /* 0-based in the part, dropped rows counted */
    const char *place;   /* "line 17"; NULL: the row number is used */
    const char *column;  /* NULL when the whole row is meant */
    const char *reason;  /* one sentence */
    const char *value;   /* as text, cut at COLLECTOR_VALUE_BYTES; NULL when none */
    size_t value_length; /* value needs no NUL */
    int field;           /* of the source's row, from 1; 0 not known */
    const char *line;    /* all of the row as text, where the source gives it; only told, not kept */
    size_t line_length;
    bool told; /* reject_limit.tell has heard of it */
};

struct reject_node {
    struct reject reject;
    struct reject_node *next;
};

/* What a column lost, counted under a name that is a constant ("offset",
 * "100 ns digit"). */
struct loss {
    const char *column;
    const char *what;
    int64_t count;
    struct loss *next;
};

typedef void (*reject_fn)(void *user, const struct reject *reject);

/* Shared by all workers of a run: how many rejects are allowed in all. */
struct reject_limit {
    reject_fn tell; /* hears of each one as it is met, by any thread; NULL nobody does */
    void *tell_user;
    int64_t max;            /* -1: any number */
    bool strict;            /* losses are errors */
    bool constraints_fatal; /* what a constraint refuses is never set aside, whatever max is */
    atomic_llong finished;  /* rejects of committed units */
};

struct collector {
    struct arena arena;
    struct reject_node *rejects, *rejects_last;
    int64_t reject_count;
    struct loss *losses;
    int64_t loss_count;
    struct reject_limit *limit; /* NULL: none allowed, losses allowed */
};

void collector_release(struct collector *collector);

/* May rows refused with `code` be set aside at all? Where HAUL_CONSTRAINT may not, a
 * writer need not load so that it finds the row a server refuses. */
bool collector_allows(const struct collector *collector, enum haul_code code);

/* Forgets what was collected; keeps the limit. */
void collector_reset(struct collector *collector);

/* Takes a copy of `reject`; no collector (NULL) allows none. HAUL_OK: set it aside and go on without the row.
 * Otherwise *err is set (HAUL_REJECTS or, when none are allowed, `code` with
 * place, column, reason and value in the sentence). */
enum haul_code collector_reject(struct collector *collector, enum haul_code code, const struct reject *reject,
                                struct haul_error *err);

/* Counts `count` values of `column` that lost `what` (a string constant). With
 * strict: the error HAUL_VALUE. */
enum haul_code collector_loss(struct collector *collector, const char *column, const char *what,
                              int64_t count, struct haul_error *err);

/* "1 value lost its offset", "3 values lost the sign of -0.0", "2 values: NaN, stored as NULL". */
#define LOSS_TEXT_BYTES 160
void loss_print(const char *what, int64_t count, bool would, char out[LOSS_TEXT_BYTES]);

#endif
