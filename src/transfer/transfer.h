/*
 * transfer.h: carries a table from a source to a sink: plan, run, finish.
 *
 * The caller opens both sides (it knows their names); the transfer knows only
 * the interfaces. ARCHITECTURE.md has the picture, docs/unit.md the protocol.
 */
#ifndef HAUL_TRANSFER_TRANSFER_H
#define HAUL_TRANSFER_TRANSFER_H

#include "batch/hash.h"
#include "batch/sink.h"
#include "batch/source.h"

struct transfer {
    struct context *context; /* the run's; memory root, cancel, settings, note */
    struct source *source;
    struct sink *sink;
    const char *source_name; /* as given, without passwords: for the plan and the fingerprint */
    const char *target_name;
    struct sink_request request;
    const struct schema
        *measured;    /* the source's columns with the lengths that were found; NULL: nobody looked */
    reject_fn reject; /* one at a time, from any thread; NULL none */
    void *reject_user;
    haul_event_fn event; /* may be NULL */
    void *event_user;
    /* Opens the target as a source, for --verify after a copy; the transfer closes it.
     * `schema` is NULL, or the columns as --schema takes them, for a target that
     * does not keep types (CSV). */
    enum haul_code (*open_target)(void *user, const char *schema, struct source **source,
                                  struct haul_error *err);
    void *open_target_user;
};

/* The whole of it. `result` is filled as far as it came, on failure too. */
enum haul_code transfer_run(struct transfer *transfer, struct haul_result *result, struct haul_error *err);

/* Plan only; *json is malloc'ed. */
enum haul_code transfer_plan(struct transfer *transfer, char **json, struct haul_error *err);

/* What is kept of rows that were hashed when they were written. */
struct stored_sums {
    struct schema schema; /* column names in the order they were hashed, and types; none: not known */
    int64_t rows;
    struct hash128 hash;
};

/* Compares the rows of two sources by hash; *json (malloc'ed) is the report. `a` is
 * a source, or NULL when `stored` stands for it. */
struct verify_request {
    struct source *a, *b;
    const struct stored_sums *stored;
};
enum haul_code transfer_verify(struct context *context, const struct verify_request *request, char **json,
                               struct haul_error *err);

#endif
