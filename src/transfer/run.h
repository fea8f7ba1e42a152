/*
 * run.h: one run of one plan, as its steps and its workers share it. run.c has
 * the order of steps, worker.c what each thread does.
 */
#ifndef HAUL_TRANSFER_RUN_H
#define HAUL_TRANSFER_RUN_H

#include "transfer/memory_plan.h"
#include "transfer/plan.h"
#include "transfer/state.h"
#include "transfer/tally.h"
#include "transfer/transfer.h"
#include "transfer/unit.h"

struct run {
    struct transfer *transfer;
    struct context context; /* the transfer's, with the run's memory, cancel, notes and limit */
    struct memory *memory;  /* ours, when the transfer's context had none */
    struct cancel cancel;   /* ours, when it had none */
    const struct settings *settings;
    struct memory_plan memory_plan;
    struct reject_limit limit;

    struct source_info info;
    struct sink_terms terms;
    struct haul_error exists; /* negotiate's HAUL_EXISTS, until recall has spoken */
    struct plan plan;
    char *plan_text; /* as it is remembered; malloc'ed */
    struct plan_facts facts;
    struct feed_terms feed_terms;
    struct state state;
    bool named;     /* --run NAME */
    bool fleeting;  /* only the source keeps another process from going on, unless --static-source promises */
    bool continued; /* an unfinished run goes on */
    bool source_begun;

    struct tally tally;
    atomic_int rejects_shown;
    struct start *starts; /* one per part */
    struct progress progress;

    int workers;
    bool whole; /* the source is read in one part, and that is cut into units that are parts to the sink */
    bool ahead; /* one worker, and a thread that reads ahead of it */
    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t changed;
    uint64_t next_part;
    int working;               /* threads that have not ended */
    struct haul_error failure; /* the first one */
};

/* The steps before anything is changed, in this order (begin.c). A run that is only
 * planned goes from run_name to run_plan. */
enum haul_code run_describe(struct run *run, struct haul_error *err);
enum haul_code run_name(struct run *run, struct haul_error *err);
enum haul_code run_plan(struct run *run, bool dry, struct haul_error *err);

/* Recalls, decides, and makes the plan durable. *done: a finished NAME. */
enum haul_code run_begin(struct run *run, struct haul_result *result, bool *done, struct haul_error *err);

/* Says whose failure it was, unless that is known. Returns err->code. */
enum haul_code run_failed_at(enum haul_side side, struct haul_error *err);

/* Starts the workers, tells of progress until all have ended. */
enum haul_code workers_run(struct run *run, struct haul_error *err);

#endif
