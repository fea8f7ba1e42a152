/* job.h: what a haul_job is, for the lobby's own files. */
#ifndef HAUL_JOB_H
#define HAUL_JOB_H

#include "base/context.h"
#include "base/settings.h"
#include "batch/source.h"

struct haul_job {
    struct settings settings;
    struct context context;
    struct cancel cancel;
    haul_event_fn event;
    void *event_user;
    struct arena arena; /* lists split from options */
    const char *target_schema; /* for a target that is read again, as --schema; NULL */
};

/* An independent job with the same options and no callback. */
enum haul_code job_clone(const struct haul_job *job, struct haul_job **clone, struct haul_error *err);

/* "source" or "target", or HAUL_USAGE when it was not given. */
enum haul_code job_name(const struct haul_job *job, const char *side, const char **name, struct haul_error *err);

/* The table of the target side; NULL none. */
const char *job_target_table(const struct haul_job *job);

/* Opens "source", or, with `target`, the target read as a source. A failure has
 * its side. */
enum haul_code job_open(struct haul_job *job, bool target, struct source **source, struct haul_error *err);

/* The name without a password: "scheme://user:secret@host/db?password=x" becomes
 * "scheme://user@host/db?password=***". In the job's arena; NULL without memory. */
const char *job_name_shown(struct haul_job *job, const char *name);

/* Marks a failure as the side's, unless it is a usage error. Returns err->code. */
enum haul_code job_side(struct haul_error *err, enum haul_side side);

#endif
