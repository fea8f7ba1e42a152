/*
 * ledger.h: what the target database remembers of runs and units.
 *
 *     haul_runs   one row per run: its plan, its table, is it finished
 *     haul_units  one row per committed unit of an unfinished run: its receipt
 *
 * A unit's row is inserted first in the unit's own transaction. The primary key
 * (run, part, first_row) is the claim: who gets it does the unit, everybody else
 * learns that it is done. --ledger NAME gives the tables the names NAME_runs and
 * NAME_units; --ledger none does without.
 */
#ifndef HAUL_DATABASE_SQLITE_LEDGER_H
#define HAUL_DATABASE_SQLITE_LEDGER_H

#include "batch/sink.h"
#include "database/sqlite/connect.h"

struct ledger {
    struct connection *connection; /* not owned */
    char *runs, *units;            /* table names as SQL; NULL: no ledger is kept */
    sqlite3_stmt *claim, *settle;
    struct arena arena;
};

/* What a run works on. */
struct ledger_run {
    const char *name;
    const char *target; /* the table's name for the user */
    const char *work;   /* the table units go into: target or a staging table */
    bool made;          /* the run created `work` */
    bool finished;
    const char *fingerprint;
};

enum haul_code sqlite_ledger_init(struct ledger *ledger, struct connection *connection, const char *option,
                                  struct haul_error *err);
void sqlite_ledger_release(struct ledger *ledger);

/* Are the tables there? False also without a ledger. */
enum haul_code sqlite_ledger_exists(const struct ledger *ledger, bool *exists, struct haul_error *err);
enum haul_code sqlite_ledger_create(const struct ledger *ledger, struct haul_error *err);

/* The unfinished run that works on `target`, any when there are several. Texts in `arena`. */
enum haul_code sqlite_ledger_owner(const struct ledger *ledger, const char *target, struct arena *arena,
                                   struct ledger_run *run, bool *found, struct haul_error *err);
enum haul_code sqlite_ledger_find(const struct ledger *ledger, const char *name, struct arena *arena,
                                  struct ledger_run *run, bool *found, struct haul_error *err);

/* Fills `record` with plan and receipts. */
enum haul_code sqlite_ledger_recall(const struct ledger *ledger, const char *name, struct run_record *record,
                                    bool *found, struct haul_error *err);

enum haul_code sqlite_ledger_begin(const struct ledger *ledger, const struct ledger_run *run,
                                   const char *plan, struct haul_error *err);
enum haul_code sqlite_ledger_finish(const struct ledger *ledger, const char *name, struct haul_error *err);
enum haul_code sqlite_ledger_forget(const struct ledger *ledger, const char *name, struct haul_error *err);

/* Sum of the rows of the run's receipts. */
enum haul_code sqlite_ledger_rows(const struct ledger *ledger, const char *name, int64_t *rows,
                                  struct haul_error *err);

/* Inside the unit's transaction. *mine false: the unit was committed before. */
enum haul_code sqlite_ledger_claim(struct ledger *ledger, const char *run, const struct unit *unit,
                                   bool *mine, struct haul_error *err);
enum haul_code sqlite_ledger_settle(struct ledger *ledger, const char *run, const struct receipt *receipt,
                                    struct haul_error *err);

/* The receipt of a committed unit; texts in `arena`. */
enum haul_code sqlite_ledger_receipt(const struct ledger *ledger, const char *run, const struct unit *unit,
                                     struct arena *arena, struct receipt *receipt, struct haul_error *err);

#endif
