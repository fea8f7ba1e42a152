/*
 * ping.h: what a database says of itself and of us, for `haul ping`.
 *
 * To answer it, an engine's source has the operation `ping`: it fills what it
 * knows (texts in ping->arena, NULL where there is none) by statements that only
 * read. database/postgres/ping.c is the model. The lobby draws it (report_ping.c).
 */
#ifndef HAUL_BATCH_PING_H
#define HAUL_BATCH_PING_H

#include "base/arena.h"

#define PING_ROUNDS 5 /* of which the fastest counts */

enum ping_right { RIGHT_UNKNOWN, RIGHT_NO, RIGHT_YES };

struct ping {
    const char *table;   /* asked: --table as it was written; NULL none */
    const char *product; /* "PostgreSQL" */
    const char *version; /* "15.6 (Debian 15.6-0+deb12u1)" */
    const char *server;  /* "db.example.org/shop" */
    const char *user;    /* as whom we are in */
    const char *database;
    const char *schema; /* where a table without one is looked for */
    const char *state;  /* "read-write", "read-only", "standby" */
    double latency_ms;  /* of the smallest statement; -1 not measured */

    const char *tls; /* "TLSv1.3"; NULL: not encrypted */
    const char *cipher;
    const char *certificate, *issuer, *until; /* its names, who issued it, how long it is good */
    bool verified;                            /* chain and name were checked */

    const char *found;            /* the table's full name; NULL: it is not there */
    enum ping_right read, insert; /* in that table */
    enum ping_right create;       /* a new table in its schema */
    enum ping_right ledger;       /* haul_runs and haul_units are there for us, or can be made */
    struct arena arena;
};

/* The fastest of PING_ROUNDS calls, in milliseconds; the first error ends it. */
typedef enum haul_code (*ping_round_fn)(void *user, struct haul_error *err);
enum haul_code ping_measure(ping_round_fn round, void *user, double *latency_ms, struct haul_error *err);

#endif
