/*
 * side.h: one side of a job as its name was meant: the URI or file behind it,
 * its table, and how to log in there. The lobby's.
 *
 * A name is a URI, a file, or "word:table" of a named connection (named.h). A
 * table of its own ("prod:public.orders", "...?table=orders") becomes the
 * option --source-table or --target-table, as if it had been given there.
 */
#ifndef HAUL_SIDE_H
#define HAUL_SIDE_H

#include "base/context.h"
#include "base/login.h"

struct haul_job;

struct side {
    const char *name;  /* what the registry opens; NULL: not resolved yet */
    const char *shown; /* the same without secrets */
    bool named_table;  /* the side's table option came from the name */
    struct login login;
};

/* Once for each side and job: *side is the job's own. HAUL_USAGE when no such side was given. */
enum haul_code side_resolve(struct haul_job *job, bool target, struct side **side, struct haul_error *err);

/* Forgets what a name meant, after that was set anew. */
void side_forget(struct haul_job *job, bool target);

#endif
