/* job.h: what a haul_job is, for the lobby's own files. */
#ifndef HAUL_JOB_H
#define HAUL_JOB_H

#include "base/context.h"
#include "base/settings.h"
#include "batch/sink.h"
#include "side.h"

struct haul_job {
    struct settings settings;
    struct context context;
    struct cancel cancel;
    haul_event_fn event;
    void *event_user;
    haul_reject_fn reject;
    void *reject_user;
    haul_password_fn password;
    void *password_user;
    struct side sides[2];      /* source, target: what their names mean */
    struct arena arena;        /* lists split from options */
    struct schema like;        /* columns of a table, for files that do not say theirs */
    bool *passed;              /* of these: the file's values are not used; NULL all are */
    const char *target_schema; /* for a target that is read again, as --schema; NULL */
};

/* An independent job with the same options and no callback. */
enum haul_code job_clone(const struct haul_job *job, struct haul_job **clone, struct haul_error *err);

/* "source" or "target" as it was given, or HAUL_USAGE when it was not. */
enum haul_code job_name(const struct haul_job *job, const char *side, const char **name,
                        struct haul_error *err);

/* The table of the target side; NULL none. */
const char *job_target_table(const struct haul_job *job);

/* --key of a --mode merge as names, in the job's arena; nothing when it was not given. */
enum haul_code job_key(struct haul_job *job, const char *const **names, int *count, struct haul_error *err);

/* Opens "source", or, with `target`, the target read as a source. A failure has
 * its side. */
enum haul_code job_open(struct haul_job *job, bool target, struct source **source, struct haul_error *err);

/* Opens the target to be written. */
enum haul_code job_open_sink(struct haul_job *job, struct sink **sink, struct haul_error *err);

/* The name without passwords, in the job's arena, a list in one line; NULL without memory. */
const char *job_hidden(struct haul_job *job, const char *name);

/* Marks a failure as the side's, unless it is a usage error. Returns err->code. */
enum haul_code job_side(struct haul_error *err, enum haul_side side);

#endif
