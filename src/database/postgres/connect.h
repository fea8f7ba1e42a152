/*
 * connect.h: a server as the user named it, connections to it, and how what it
 * says becomes an error of ours.
 *
 * Every wait polls the run's cancel signal each POLL_MS; a statement that is
 * cancelled is cancelled on the server too. One thread at a time may use a
 * connection; a struct server is only read after it was parsed.
 */
#ifndef HAUL_DATABASE_POSTGRES_CONNECT_H
#define HAUL_DATABASE_POSTGRES_CONNECT_H

#include "base/context.h"
#include "base/login.h"
#include "base/tls.h"
#include <libpq-fe.h>

#define SERVER_OPTIONS_MAX 64

struct server {
    const char *keys[SERVER_OPTIONS_MAX + 1]; /* as PQconnectStartParams takes them */
    const char *values[SERVER_OPTIONS_MAX + 1];
    int count;
    bool tls_optional;   /* sslmode is our own "require", "disable" will do */
    struct login *login; /* the user's words beside the URI; NULL none */
    const char *name;    /* "host/database", for messages: never a secret */
    struct arena arena;
};

/* Takes the URI apart, lets `login` (NULL: none) win over it, and sets what haul sets where the user said
 * nothing. */
enum haul_code pg_server_parse(struct server *server, const char *uri, struct login *login,
                               struct haul_error *err);

/* A person gave the password meanwhile: it stands in server->login. */
enum haul_code pg_server_password(struct server *server, struct haul_error *err);
void pg_server_release(struct server *server);

/* What a session is for; session.c has the settings of each. */
enum session_kind { SESSION_SOURCE, SESSION_TARGET };

struct connection {
    PGconn *pg;
    const struct server *server;
    const struct cancel *cancel;
    int pid;             /* of the server's process; libpq forgets it with the connection */
    bool wants_password; /* it failed because there was none */
};

/* The first connection to a server: asks the person for the password when it is missing. */
enum haul_code pg_connect_first(struct connection *connection, struct server *server, enum session_kind kind,
                                const struct context *context, struct haul_error *err);

enum haul_code pg_connect(struct connection *connection, const struct server *server, enum session_kind kind,
                          const struct context *context, struct haul_error *err);
void pg_disconnect(struct connection *connection); /* all-zero is fine, twice too */
bool pg_is_alive(const struct connection *connection);

/* Applies the table of settings. */
enum haul_code pg_session_pin(struct connection *connection, enum session_kind kind, struct haul_error *err);
enum haul_code pg_session_name(struct connection *connection, const char *run, struct haul_error *err);

/* ---- statements ---- */

/* Runs one or several statements; their rows are thrown away. */
enum haul_code pg_run(struct connection *connection, const char *sql, struct haul_error *err);

/* Runs one statement with text parameters; *result is the caller's to PQclear. */
struct pg_values {
    int count;
    const char *const *texts;
};
enum haul_code pg_ask(struct connection *connection, const char *sql, const struct pg_values *values,
                      PGresult **result, struct haul_error *err);

/* Describes a statement without running it: PQftype and its like say the columns. */
enum haul_code pg_prepare_describe(struct connection *connection, const char *sql, PGresult **result,
                                   struct haul_error *err);

/* Sends a COPY and waits until it flows. */
enum haul_code pg_copy_begin(struct connection *connection, const char *sql, ExecStatusType wanted,
                             struct haul_error *err);

/* The next row of a COPY TO STDOUT, freed by PQfreemem; NULL at its good end. */
enum haul_code pg_copy_row(struct connection *connection, char **row, int *length, struct haul_error *err);

/* Bytes of a COPY FROM STDIN. What the server has against them, pg_copy_end tells. */
enum haul_code pg_copy_send(struct connection *connection, const void *data, size_t length,
                            struct haul_error *err);

/* Ends a COPY FROM STDIN; *rows from the command tag. */
enum haul_code pg_copy_end(struct connection *connection, int64_t *rows, struct haul_error *err);

/* Ends whatever is under way and rolls back; closes the connection when that fails. */
void pg_rollback(struct connection *connection);

/* Text of a value, "" for NULL. */
const char *pg_text(const PGresult *result, int row, int column);
int64_t pg_number(const PGresult *result, int row, int column);
bool pg_true(const PGresult *result, int row, int column);

/* ---- errors ---- */

/* From a result that is no success, NULL: from the connection. */
enum haul_code pg_fail(const struct connection *connection, const PGresult *result, struct haul_error *err);

/* A value, constraint or trigger refuses a row; the transaction could go on without it. */
bool pg_is_row_error(const struct haul_error *err);

/* The row of a COPY the server's message speaks of, from 1; 0 none. */
#define pg_copy_line(err) ((int64_t)(err)->vendor_code)

/* The message without the server's name before it. */
const char *pg_said(const struct connection *connection, const struct haul_error *err);

/* Looks at the server's certificate over a connection of its own. `judge`: as verify-full would, and HAUL_TLS
 * says what is wrong with it. */
enum haul_code pg_certificate(const struct connection *connection, bool judge, struct tls_certificate *seen,
                              struct haul_error *err);

/* Why a connection could not be made. */
enum haul_code pg_fail_connect(const struct connection *connection, struct haul_error *err);

#endif
