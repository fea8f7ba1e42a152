/*
 * crew.h: several jobs at once, each with a thread of its own, told of as one.
 */
#ifndef HAUL_CREW_H
#define HAUL_CREW_H

#include "job.h"
#include <pthread.h>

#define CREW_MAX 64

struct crew_member {
    struct haul_job *job;
    struct haul_result result;
    struct haul_error err;
    /* the crew's own: */
    struct crew *crew;
    pthread_t thread;
    struct haul_event last; /* counters only */
    bool ended;
};

/* Runs each member's haul_copy; events and cancelling are those of `job`, whose caller waits. One that fails
 * stops the others. *err is the first failure. */
enum haul_code crew_run(struct haul_job *job, struct crew_member *members, size_t count,
                        struct haul_error *err);

#endif
