/*
 * engine.h: what the shared files know of one database system, as one const
 * table in each wing, and the rows of a small answer.
 *
 * A connection is the wing's own struct; here it is only handed on. The shared
 * files write SQL that all databases take alike, with names and values by sql.h;
 * where databases differ by a word the word stands in the table, where they
 * differ by more the work is the wing's.
 */
#ifndef HAUL_DATABASE_ENGINE_H
#define HAUL_DATABASE_ENGINE_H

#include "base/context.h"
#include "batch/sink.h"
#include "database/sql.h"

/* All rows of a small answer, as text. */
struct answer {
    struct buffer cells; /* of const char *, row after row; NULL is NULL */
    int columns;
    struct arena arena; /* owns the texts */
};
void answer_release(struct answer *answer);

/* For those who fill one: sets `columns`, then cell after cell; a NULL text is a NULL. */
enum haul_code answer_add(struct answer *answer, const char *text, struct haul_error *err);

size_t answer_rows(const struct answer *answer);
const char *answer_cell(const struct answer *answer, size_t row, int column); /* NULL is NULL */
const char *answer_text(const struct answer *answer, size_t row, int column); /* NULL is "" */
int64_t answer_number(const struct answer *answer, size_t row, int column);   /* NULL is 0 */
bool answer_yes(const struct answer *answer, size_t row, int column);         /* 1, t, true */

/* UPDATE of a table from another. */
enum update_form {
    UPDATE_FROM,   /* UPDATE t AS o SET c = n.c FROM w AS n WHERE ... */
    UPDATE_JOIN,   /* UPDATE t AS o JOIN w AS n ON ... SET o.c = n.c */
    UPDATE_ALIASED /* UPDATE o SET c = n.c FROM t AS o JOIN w AS n ON ... */
};

struct engine {
    const struct dialect *dialect;

    /* Runs one statement; *changed, unless it is NULL, becomes how many rows it changed. */
    enum haul_code (*run)(void *connection, const char *sql, int64_t *changed, struct haul_error *err);
    /* Runs one statement and fills `answer`, which is empty before. */
    enum haul_code (*ask)(void *connection, const char *sql, struct answer *answer, struct haul_error *err);
    void (*rollback)(void *connection); /* closes it when that fails */
    bool (*is_alive)(const void *connection);
    void (*watch)(void *connection, const struct cancel *cancel); /* from now on; NULL: nothing */

    /* Why a claim failed. DONE: the key is there already; BUSY: a lock was not to be
     * had in time; MINE: neither, it is an error. */
    enum unit_state (*claim_failed)(const struct haul_error *err);

    /* Are both tables (names as SQL) there, to be used by us? */
    enum haul_code (*ledger_exists)(void *connection, const char *runs, const char *units, bool *there,
                                    struct haul_error *err);

    const char *begin;         /* "BEGIN" */
    const char *begin_prepare; /* the same where tables are made: one process at a time, if that can be had */
    bool ddl_commits;          /* DDL ends the transaction that is open */
    const char *savepoint, *rollback_to; /* before a savepoint's name */
    const char *release;                 /* the same; NULL: they are not released */
    const char *insert;                  /* "INSERT INTO " */
    const char *count;                   /* "COUNT(*)", of any number of rows */
    enum update_form update;
    const char *lock_before, *lock_after; /* around a table's name: keeps other writers out; NULL none */
    const char *limit_one;                /* behind a SELECT that gives one row: " LIMIT 1" */
    const char *top_one;                  /* or behind the word SELECT: "TOP 1 " */
    const char *overriding;               /* between the columns of an INSERT and its SELECT, or "" */

    /* the ledger */
    const char *make_ledger; /* "CREATE TABLE IF NOT EXISTS " */
    const char *name_type, *text_type, *number_type, *flag_type, *time_type;
    const char *ledger_tail; /* behind its columns */
    const char *yes, *no;    /* as values of a flag */
    const char *same_table;  /* behind a comparison of tables' names: " COLLATE NOCASE", or "" */
    const char *session_id;  /* an expression, "NULL" when sessions have none */
};

/* Runs what stands in `sql` and releases it. */
enum haul_code engine_run(const struct engine *engine, void *connection, struct sql *sql, int64_t *changed,
                          struct haul_error *err);
enum haul_code engine_ask(const struct engine *engine, void *connection, struct sql *sql,
                          struct answer *answer, struct haul_error *err);

/* The first cell as a number; 0 when it is NULL or there is no row. */
enum haul_code engine_ask_number(const struct engine *engine, void *connection, struct sql *sql,
                                 int64_t *value, struct haul_error *err);

#endif
