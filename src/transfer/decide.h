/* decide.h: what to do about what is remembered of a run: the table of docs/unit.md. */
#ifndef HAUL_TRANSFER_DECIDE_H
#define HAUL_TRANSFER_DECIDE_H

#include "base/error.h"
#include "batch/sink.h"
#include "transfer/plan.h"

enum decision {
    DECIDE_NEW,
    DECIDE_CONTINUE,
    DECIDE_START_OVER, /* remove what it made, then a new run */
    DECIDE_COMPLETE    /* a finished NAME: nothing to do */
};

struct found {
    bool any, finished;
    bool named;        /* --run NAME was given */
    bool same_job;     /* fingerprints are equal */
    bool same_source;  /* its identity is the same */
    bool absent;       /* the target is not there */
    bool other_target; /* or is another object of that name */
    bool same_columns; /* names and types on both sides are */
    bool static_source, restart;
    bool can_continue; /* the source can be read again, and the sink goes on */
    bool append;       /* what is in cannot be taken back without the user's rows */
    const char *run;
};

/* *why is a sentence for START_OVER. Refusals are HAUL_CHANGED. */
enum haul_code decide(const struct found *found, enum decision *decision, const char **why,
                      struct haul_error *err);

#endif
