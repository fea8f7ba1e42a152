/*
 * ledger.h: what the target database remembers of runs and units.
 *
 *     haul_runs   one row per run: its plan, its table, is it finished
 *     haul_units  one row per committed unit of an unfinished run: its receipt
 *
 * They stand in the target table's database; --ledger db.name gives the tables
 * name_runs and name_units there, --ledger none does without. A unit's row is
 * inserted first in the unit's own transaction; its primary key (run, part,
 * first_row) is the claim.
 */
#ifndef HAUL_DATABASE_MYSQL_LEDGER_H
#define HAUL_DATABASE_MYSQL_LEDGER_H

#include "batch/sink.h"
#include "database/mysql/connect.h"
#include "database/mysql/dialect.h"

struct ledger {
    const char *runs, *units; /* table names as SQL; NULL: no ledger is kept */
    const char *why;          /* why not, when runs is NULL */
    struct arena arena;
};

/* What a run works on. */
struct ledger_run {
    const char *name;
    const char *target;  /* "schema.table" for the user */
    const char *work;    /* the table units go into: target's own name or a staging table's */
    const char *work_id; /* that it is the same table still */
    const char *mode;
    bool made; /* the run creates `work` */
    bool finished;
    const char *fingerprint;
};

/* Names the tables; `schema` is the target's. */
enum haul_code my_ledger_init(struct ledger *ledger, const char *option, const char *schema,
                              struct haul_error *err);
void my_ledger_release(struct ledger *ledger);

/* Makes the tables: DDL, so outside of transactions. */
enum haul_code my_ledger_create(const struct ledger *ledger, struct connection *connection,
                                struct haul_error *err);

/* By name, or the unfinished run that works on `target`, one that made it before others. Texts in `arena`. */
struct ledger_search {
    const char *name, *target; /* one of them */
    struct arena *arena;
};
enum haul_code my_ledger_find(const struct ledger *ledger, struct connection *connection,
                              const struct ledger_search *search, struct ledger_run *run, bool *found,
                              struct haul_error *err);

/* Fills `record` with plan and receipts. */
enum haul_code my_ledger_recall(const struct ledger *ledger, struct connection *connection, const char *name,
                                struct run_record *record, bool *found, struct haul_error *err);

enum haul_code my_ledger_begin(const struct ledger *ledger, struct connection *connection,
                               const struct ledger_run *run, const char *plan, struct haul_error *err);
enum haul_code my_ledger_finish(const struct ledger *ledger, struct connection *connection, const char *name,
                                struct haul_error *err);
enum haul_code my_ledger_forget(const struct ledger *ledger, struct connection *connection, const char *name,
                                struct haul_error *err);

/* Sum of the rows of the run's receipts. */
enum haul_code my_ledger_rows(const struct ledger *ledger, struct connection *connection, const char *name,
                              int64_t *rows, struct haul_error *err);

/* Inside the unit's transaction. DONE: committed before; BUSY: an open
 * transaction has it. After both the transaction must be rolled back. */
enum haul_code my_ledger_claim(const struct ledger *ledger, struct connection *connection, const char *run,
                               const struct unit *unit, enum unit_state *state, struct haul_error *err);

/* Ends the session that holds the claim of a unit of our run. Who holds the
 * run's lock may: it is the session of a client that is gone. */
enum haul_code my_ledger_evict(const struct ledger *ledger, struct connection *connection, const char *run,
                               const struct unit *unit, struct haul_error *err);
enum haul_code my_ledger_settle(const struct ledger *ledger, struct connection *connection, const char *run,
                                const struct receipt *receipt, struct haul_error *err);

/* The receipt of a committed unit (receipt->unit says which); texts in `arena`. */
enum haul_code my_ledger_receipt(const struct ledger *ledger, struct connection *connection, const char *run,
                                 struct arena *arena, struct receipt *receipt, struct haul_error *err);

#endif
