/*
 * state.h: where a run is remembered: a ledger in the target, or a folder beside
 * it. One interface over both; docs/unit.md says which pair has which.
 */
#ifndef HAUL_TRANSFER_STATE_H
#define HAUL_TRANSFER_STATE_H

#include "batch/sink.h"
#include "transfer/journal.h"
#include <pthread.h>

struct state {
    struct sink *sink;
    bool ledger;    /* the sink remembers */
    char *folder;   /* ".haul-RUN" beside the target; NULL: ledger, or nothing can be kept */
    char *home;     /* the folder it lies in */
    bool made_home; /* by us: it goes again when nothing is kept */
    struct file lock;
    struct journal journal;
    bool new_folder; /* made by us and still empty of a plan */
    pthread_mutex_t mutex;
};

void state_init(struct state *state, struct sink *sink);

/* Lets go of lock and journal; an empty folder of ours goes away. */
void state_close(struct state *state);

/* Takes the run's lock and reads what is remembered of it. `home` is the folder
 * the state folder lies in, NULL none. HAUL_BUSY, HAUL_INTEGRITY. */
enum haul_code state_recall(struct state *state, const char *home, const char *name,
                            struct run_record *record, bool *found, struct haul_error *err);

/* A new run: its plan is durable when this returns (with a ledger: when the sink's
 * prepare returns). */
enum haul_code state_begin(struct state *state, const char *plan, struct haul_error *err);

/* A continued run: the journal is written anew with the receipts that count. */
enum haul_code state_continue(struct state *state, const char *plan, const struct receipt *receipts,
                              size_t count, struct haul_error *err);

/* A unit was committed. Any thread. */
enum haul_code state_record(struct state *state, const struct receipt *receipt, struct haul_error *err);

/* The sink has published. `keep` is the record of a run with a NAME, which stays
 * to say "already complete"; NULL: everything goes. */
enum haul_code state_finish(struct state *state, const struct receipt *keep, struct haul_error *err);

/* Forgets the run; the lock stays ours. */
enum haul_code state_forget(struct state *state, struct haul_error *err);

#endif
