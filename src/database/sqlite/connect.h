/*
 * connect.h: one connection to a database file, and how SQLite's result codes
 * become errors of ours.
 *
 * A connection polls the run's cancel signal in each wait for a lock and inside
 * long statements. It waits LOCK_WAIT_MS for a lock, then the call fails with
 * HAUL_BUSY, retryable. One thread at a time may use it.
 */
#ifndef HAUL_DATABASE_SQLITE_CONNECT_H
#define HAUL_DATABASE_SQLITE_CONNECT_H

#include "base/context.h"
#include <sqlite3.h>

#define LOCK_WAIT_MS 3000

enum connect_mode {
    CONNECT_READ,  /* never changes the file */
    CONNECT_WRITE, /* an existing file */
    CONNECT_CREATE /* made when absent */
};

struct connection { /* stays where it is while open */
    sqlite3 *db;
    const struct cancel *cancel;
    const struct memory *memory;
    char *path;
};

/* Opens and reads the header, so that a file that is no database, is damaged or
 * locked is told here. All-zero may be closed, twice. */
enum haul_code sqlite_connect(struct connection *connection, const char *path, enum connect_mode mode,
                              const struct context *context, struct haul_error *err);
void sqlite_disconnect(struct connection *connection);

/* Makes SQLite refuse values that do not fit the budget before they are read. */
void sqlite_limit_values(struct connection *connection, const struct memory *memory);

/* Sets the error for result code `rc`: "shop.db: database is locked; ...". */
enum haul_code sqlite_fail(const struct connection *connection, int rc, struct haul_error *err);

/* ---- statements: NULL may be finalized ---- */

enum haul_code sqlite_prepare(struct connection *connection, const char *sql, sqlite3_stmt **statement,
                              struct haul_error *err);

/* *row false: there is no (further) row. */
enum haul_code sqlite_step(struct connection *connection, sqlite3_stmt *statement, bool *row,
                           struct haul_error *err);

/* Runs one statement, or several, without looking at rows. */
enum haul_code sqlite_run(struct connection *connection, const char *sql, struct haul_error *err);

/* The first column of the first row; `absent` when there is no row. `text` is
 * bound to ?1, NULL when there is none. */
enum haul_code sqlite_number(struct connection *connection, const char *sql, const char *text, int64_t absent,
                             int64_t *value, struct haul_error *err);

/* Undoes the open transaction, if there is one. */
void sqlite_rollback(struct connection *connection);

#endif
