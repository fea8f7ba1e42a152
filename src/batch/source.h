/*
 * source.h: what gives batches: a table of a database, or files of a format.
 *
 * Order of calls, by the transfer:
 *
 *     open (registry) -> describe -> [split until no more] -> begin
 *       -> open readers, from several threads -> end -> close
 *
 * A *part* is a piece of the source that one worker reads. Its `spec` is one
 * line of text only this source understands; it goes into the plan, so that
 * another process can read the same part later. Parts are numbered from 0 in
 * source order; read one after another they give every row once.
 *
 * To add a source: implement struct source_ops, give it a registry row and a
 * quirks row in the conformance suite. database/sqlite is the model for a
 * database; a new file format implements format/format.h instead and gets its
 * source from format/file_source.c.
 */
#ifndef HAUL_BATCH_SOURCE_H
#define HAUL_BATCH_SOURCE_H

#include "base/context.h"
#include "batch/batch.h"
#include "batch/ping.h"

/* Which columns may come as dictionary arrays, where values are few: as whoever
 * takes them is glad of distinct values. */
enum dictionaries { DICTIONARIES_NONE, DICTIONARIES_TEXT, DICTIONARIES_ALL };

/* What the user asked of the source, beside its name. */
struct source_request {
    const char *table;          /* NULL: none given; files: what their rows are called */
    const char *query;          /* SQL sources */
    const char *where;          /* SQL sources: a condition, the user's own SQL */
    const char *const *columns; /* NULL: all, in their order */
    int column_count;
    const char *schema;        /* --schema name:type,...; NULL */
    const struct schema *like; /* files that do not say their columns: those of the table; NULL unknown */
    const bool *passed;        /* of these: what the file has for them is not used; NULL all are */
    bool alike; /* files: stored alike, so that parts of all can stand in one file as they are */
    enum dictionaries dictionaries;
};

struct source_info {
    struct schema schema;     /* after columns and --schema */
    const char *table;        /* a name for messages and for a target's default */
    const char *table_schema; /* NULL when the engine has none */
    int64_t rows;             /* -1 unknown */
    bool rows_exact;
    bool rows_promised; /* exact, and another number at the end is an error */
    int64_t bytes;           /* size of what will be read, -1 unknown */
    bool order_fixed;        /* the rows of a part come in the same order each time */
    bool replayable;         /* a part can be opened again, at any of its rows */
    bool fleeting;           /* by this process alone: another sees other rows */
    bool remote;             /* a server sends the rows: who reads waits for it */
    bool scanned;            /* one reader is faster without parts ("all"), and finds the same order again */
    int splits_max;          /* 1: it cannot be split; 0: no limit */
    const char *identity;    /* one line; the same rows as long as it is the same */
    const char *consistency; /* "snapshot", "file", "none" */
    const char *consistency_note; /* what may be inconsistent, one sentence; NULL nothing */
    const char *const *key;       /* names of primary key columns, NULL none */
    int key_count;
    struct arena arena; /* owns the texts */
};
void source_info_release(struct source_info *info);

struct split_request {
    int64_t part_rows;  /* aim for so many rows in a part, */
    int64_t part_bytes; /* and at most about so many source bytes; -1 no wish */
    int threads;        /* that may look for them, the caller's among them; 0 is 1 */
};

struct part {
    uint64_t index;
    char *spec;    /* owned by the arena the caller handed in */
    int64_t rows;  /* -1 unknown */
    int64_t bytes; /* -1 unknown */
};

struct reader;
struct reader_ops {
    /* The next rows, at most rows_max (> 0) of them; the batch is given away.
     * *end true: there is nothing more, and *batch is empty (release NULL). A
     * batch may hold no rows when all it read were rejected. */
    enum haul_code (*next)(struct reader *reader, int64_t rows_max, struct batch *batch, bool *end,
                           struct haul_error *err);
    void (*close)(struct reader *reader);
};
struct reader { /* first member of each tenant's own struct */
    const struct reader_ops *ops;
};

struct source;
struct source_ops {
    const char *name; /* "sqlite", "file" */

    /* Tables to choose from; called once, before anything else, instead of describe. */
    enum haul_code (*list)(struct source *source, haul_table_fn each, void *user, struct haul_error *err);

    /* Who answers, as whom we are in, what we may do; called once, instead of describe.
     * `ping` is zero before and released by the caller. NULL: there is nobody to ask (files). */
    enum haul_code (*ping)(struct source *source, struct ping *ping, struct haul_error *err);

    /* What is there. `info` is zero before and released by the caller. */
    enum haul_code (*describe)(struct source *source, struct source_info *info, struct haul_error *err);

    /* The next part of a split; *more false when there is none. Allocates spec in
     * `arena`. An empty source has one part of 0 rows. NULL: never split, one
     * part with spec "all". */
    enum haul_code (*split)(struct source *source, const struct split_request *request, struct arena *arena,
                            struct part *part, bool *more, struct haul_error *err);

    /* Makes ready for `workers` readers at once, all seeing one state of the
     * source. NULL: nothing to do. */
    enum haul_code (*begin)(struct source *source, int workers, struct haul_error *err);
    void (*end)(struct source *source);

    /* A reader over `part` from its row `first_row` on, with the worker's own
     * context. Called from any worker. */
    enum haul_code (*open)(struct source *source, const struct context *context, const struct part *part,
                           int64_t first_row, struct reader **reader, struct haul_error *err);

    void (*close)(struct source *source);
};
struct source { /* first member of each tenant's own struct */
    const struct source_ops *ops;
};

#endif
