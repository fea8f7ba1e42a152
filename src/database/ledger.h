/*
 * ledger.h: what the target database remembers of runs and units.
 *
 *     haul_runs   one row per run: its plan, its table, is it finished
 *     haul_units  one row per committed unit of an unfinished run: its receipt
 *
 * They stand beside the target table; --ledger NAME calls them NAME_runs and
 * NAME_units (schema.NAME: elsewhere), --ledger none does without. A unit's row
 * is inserted first in the unit's own transaction. Its primary key (run, part,
 * first_row) is the claim: who gets it does the unit, everybody else learns that
 * it is done, or that another transaction is at it.
 *
 * Each run's row has the number of the layout it was written in; a ledger of a newer haul, or of one that
 * numbered none, is refused by recall (HAUL_CHANGED) and left as it is.
 */
#ifndef HAUL_DATABASE_LEDGER_H
#define HAUL_DATABASE_LEDGER_H

#include "database/engine.h"

struct ledger {
    const struct engine *engine;
    const char *runs, *units; /* table names as SQL; NULL: no ledger is kept */
    const char *schema;       /* where they stand; NULL: there are no schemas */
    const char *why;          /* why there is none, when runs is NULL */
    struct arena arena;
};

/* What a run works on. */
struct ledger_run {
    const char *name;
    const char *target;  /* the table's name for the user, with its schema where there are some */
    const char *work;    /* the table units go into: the target's own name or a staging table's */
    const char *work_id; /* that it is the same table still */
    const char *mode;
    bool made; /* the run makes `work` */
    bool finished;
    const char *fingerprint;
};

/* Names the tables; `schema` is the target's. `option` is --ledger, or NULL. */
enum haul_code ledger_init(struct ledger *ledger, const struct engine *engine, const char *option,
                           const char *schema, struct haul_error *err);
void ledger_release(struct ledger *ledger);

enum haul_code ledger_create(const struct ledger *ledger, void *connection, struct haul_error *err);

/* By name, or the unfinished run that works on `target`, one that made it before
 * others. Texts in `arena`. A ledger that is not there remembers nothing. */
struct ledger_search {
    const char *name, *target; /* one of them */
    struct arena *arena;
};
enum haul_code ledger_find(const struct ledger *ledger, void *connection, const struct ledger_search *search,
                           struct ledger_run *run, bool *found, struct haul_error *err);

/* Fills `record` with plan and receipts. A row that holds no receipt is counted in
 * `unsettled`. */
enum haul_code ledger_recall(const struct ledger *ledger, void *connection, const char *name,
                             struct run_record *record, bool *found, struct haul_error *err);

enum haul_code ledger_begin(const struct ledger *ledger, void *connection, const struct ledger_run *run,
                            const char *plan, struct haul_error *err);
enum haul_code ledger_finish(const struct ledger *ledger, void *connection, const char *name,
                             struct haul_error *err);
enum haul_code ledger_forget(const struct ledger *ledger, void *connection, const char *name,
                             struct haul_error *err);

/* Sum of the rows of the run's receipts. */
enum haul_code ledger_rows(const struct ledger *ledger, void *connection, const char *name, int64_t *rows,
                           struct haul_error *err);

/* Inside the unit's transaction. After DONE and BUSY it must be rolled back. */
enum haul_code ledger_claim(const struct ledger *ledger, void *connection, const char *run,
                            const struct unit *unit, enum unit_state *state, struct haul_error *err);
enum haul_code ledger_settle(const struct ledger *ledger, void *connection, const char *run,
                             const struct receipt *receipt, struct haul_error *err);

/* Takes the run's claims away that were committed without a receipt. */
enum haul_code ledger_drop_claims(const struct ledger *ledger, void *connection, const char *name,
                                  int64_t *dropped, struct haul_error *err);

/* The receipt of a committed unit (receipt->unit says which); texts in `arena`.
 * HAUL_INTEGRITY when the row holds none. */
enum haul_code ledger_receipt(const struct ledger *ledger, void *connection, const char *run,
                              struct arena *arena, struct receipt *receipt, struct haul_error *err);

/* " WHERE run = ... AND part = ... AND first_row = ..." */
void ledger_add_unit(struct sql *sql, const char *run, const struct unit *unit);

#endif
