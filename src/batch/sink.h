/*
 * sink.h: what takes batches: a table of a database, or files of a format.
 *
 * Order of calls, by the transfer:
 *
 *     open (registry) -> negotiate -> recall -> prepare
 *       -> open / adopt or write... / commit or abort, per unit, from several threads
 *       -> finish -> close
 *
 * A *unit* is what is committed as one. Its claim and its data become visible
 * in one atomic step, and the claim is unique by construction. The sink keeps
 * the witness; the transfer decides. A sink with a ledger of its own (a SQL
 * database) remembers plan and receipts there (recall, prepare, commit); for
 * the others the transfer keeps a journal in `state_home`.
 *
 * To add a sink: implement struct sink_ops, give it a registry row and a quirks
 * row in the conformance suite. A new file format implements format/format.h.
 */
#ifndef HAUL_BATCH_SINK_H
#define HAUL_BATCH_SINK_H

#include "batch/hash.h"
#include "batch/source.h"

enum sink_mode { SINK_CREATE, SINK_APPEND, SINK_TRUNCATE, SINK_REPLACE, SINK_MERGE };
const char *sink_mode_name(enum sink_mode mode); /* "create" */

struct sink_request {
    const char *table; /* target table; NULL: the source's name, or a file */
    enum sink_mode mode;
    const char *const
        *key; /* merge: columns that say which rows are the same; NULL: the target's primary key */
    int key_count;
    const struct source_info *source;
    bool dry;   /* only negotiate will be called: change nothing, create nothing */
    bool adopt; /* keep the source's row groups as they are (combine) */
};

/* How a run over this pair can be continued; printed in the plan. docs/unit.md. */
enum resumable { RESUME_REPLAY, RESUME_STAGED, RESUME_NONE };

struct sink_terms {
    struct schema schema; /* the columns the sink takes; the transfer casts to it */
    const char *target;   /* "orders.parquet", "main.orders" for messages */
    const char *identity; /* of the target object, "" while it does not exist */
    bool absent;          /* there is no such object now: a run that was finished is no longer complete */
    const char *sql;      /* statements it will run, for --dry-run; NULL none */
    const char *
        state_home; /* folder for the transfer's state; NULL: the sink has a ledger, or nothing can be kept */
    enum resumable resumable;
    const char *resume_note; /* why not, when RESUME_NONE */
    int writers_max;         /* 0 no limit */
    bool part_is_unit;       /* a unit is always a whole part (files) */
    bool ordered;            /* commits happen in part order */
    int64_t unit_rows;       /* the sink's wish where the user has none; 0 none */
    int64_t part_rows;       /* the sink's wish for the size of a part; -1 none */
    int64_t part_bytes;      /* in-memory bytes of a part at most; -1 none */
    bool adopts;             /* writers take parts without batches: nobody reads ahead of them */
    bool remote;             /* a server takes the rows: who writes waits for it */
    struct arena arena;      /* owns the texts */
};
void sink_terms_release(struct sink_terms *terms);

struct unit {
    uint64_t part;
    int64_t first_row; /* in the part */
    uint64_t parts;    /* number of parts of the plan; 0 when not known */
};

/* What a committed unit leaves behind. */
struct receipt {
    struct unit unit;
    int64_t rows;         /* rows the target confirmed */
    int64_t rows_offered; /* source rows the unit covers, rejects included */
    bool last;            /* the last unit of its part */
    struct hash128 hash;  /* of the rows that are in */
    bool unhashed;        /* adopted: nobody has seen the values, and there is no hash */
    int64_t reject_count;
    int64_t loss_count;
    int64_t bytes_written; /* filled by commit: bytes the unit added to the target; 0 not known */
    const char *text;      /* the sink's own: durable offset, row group; one line, no secrets; NULL none */
    const char *rejects;   /* reject lines as the reject file will hold them; NULL none */
};

/* A run as its target knows it. */
struct run_record {
    const char *name;        /* at most 63 bytes: letters, digits, . _ - */
    const char *fingerprint; /* hash of source, query, columns, mode, options, target */
    const char *plan;        /* the plan as JSON text */
    bool finished;
    const struct receipt *receipts; /* committed units, any order */
    size_t receipt_count;
    size_t unsettled;           /* claims without a receipt: not units in flight, those cannot be seen */
    struct unit unsettled_unit; /* the first of them */
    struct arena arena;         /* owns the texts and receipts when recall filled it */
};
void run_record_release(struct run_record *record);

enum unit_state {
    UNIT_MINE, /* claimed: write it */
    UNIT_DONE, /* committed before; the receipt says rows and hash */
    UNIT_BUSY  /* somebody else's open transaction holds the claim */
};

struct writer;
struct writer_ops {
    /* Takes the whole part as it is, without batches, when both sides know each
     * other; then commit follows. Called before any write. Fills receipt->rows.
     * *taken false: not this time, use batches. NULL: never. */
    enum haul_code (*adopt)(struct writer *writer, struct source *source, const struct part *part,
                            struct receipt *receipt, bool *taken, struct haul_error *err);

    /* Borrows the batch. Rows the target refuses one by one go to the context's
     * collector; the rest is taken. */
    enum haul_code (*write)(struct writer *writer, const struct batch *batch, struct haul_error *err);

    /* Makes claim and data durable and visible in one step, then fills
     * receipt->text (in `arena`) . The caller filled the rest. The writer is gone
     * after success. An error leaves it to abort. */
    enum haul_code (*commit)(struct writer *writer, struct receipt *receipt, struct arena *arena,
                             struct haul_error *err);

    /* Undoes what write did. Never fails in a way the caller could mend. */
    void (*abort)(struct writer *writer);
};
struct writer { /* first member of each tenant's own struct */
    const struct writer_ops *ops;
};

struct claim {
    enum unit_state state;
    struct writer *writer;  /* MINE */
    struct receipt receipt; /* DONE; its texts stay valid until the sink is closed */
};

struct sink;
struct sink_ops {
    const char *name;

    /* What would be done with such a source: schema, SQL, losses, limits.
     * HAUL_EXISTS when the mode forbids what is there; *terms is filled then all
     * the same (the caller releases it), because the transfer may find by recall
     * that what is there is its own unfinished or finished run. Changes nothing. */
    enum haul_code (*negotiate)(struct sink *sink, const struct sink_request *request,
                                struct sink_terms *terms, struct haul_error *err);

    /* Names of columns that the target makes itself, computed ones say, in `arena`; none where it will be
     * made anew. Before negotiate: request->source is not known yet, request->table is. NULL: never any. */
    enum haul_code (*makes)(struct sink *sink, const struct sink_request *request, struct arena *arena,
                            const char *const **names, int *count, struct haul_error *err);

    /* Takes the lock of run NAME (HAUL_BUSY when another process has it) and
     * fills what the target remembers of it; *found false when nothing. NULL:
     * the target has no ledger. */
    enum haul_code (*recall)(struct sink *sink, const char *name, struct run_record *record, bool *found,
                             struct haul_error *err);

    /* Makes the target ready: temporary file or staging table, ledger rows with
     * the plan. `run` has the receipts of units already committed (a resumed
     * run); the sink checks them against what it finds (HAUL_CHANGED) and goes
     * on behind them. */
    enum haul_code (*prepare)(struct sink *sink, const struct context *context, const struct run_record *run,
                              struct haul_error *err);

    /* Claims a unit; `claim` is the answer. */
    enum haul_code (*open)(struct sink *sink, const struct context *context, const struct unit *unit,
                           struct claim *claim, struct haul_error *err);

    /* Publishes: all units are committed. Idempotent. `manifest` is a JSON
     * object for sinks that keep one beside their files, else NULL; they fill the
     * empty arrays "entries" and "files" at its top level. */
    enum haul_code (*finish)(struct sink *sink, const struct run_record *run, const char *manifest,
                             struct haul_error *err);

    /* Removes everything an unfinished run has made (--restart, start over). */
    enum haul_code (*remove)(struct sink *sink, const struct run_record *run, struct haul_error *err);

    /* Staging tables. make_like: an empty table `name` with the columns of `model`, and a clustered
     * columnstore index where the engine has such and `columnstore` asks for it; one that is there stays as
     * it is. drop: absent is fine. Before negotiate. NULL: not with this sink. */
    enum haul_code (*make_like)(struct sink *sink, const char *name, const char *model, bool columnstore,
                                struct haul_error *err);
    enum haul_code (*drop)(struct sink *sink, const char *name, struct haul_error *err);

    void (*close)(struct sink *sink);
};
struct sink { /* first member of each tenant's own struct */
    const struct sink_ops *ops;
};

#endif
