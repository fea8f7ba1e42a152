/*
 * connect.h: a server as the user named it, connections to it, and how what it
 * says becomes an error of ours.
 *
 * One thread at a time may use a connection; a struct server is only read after
 * it was parsed. libmariadb blocks: a run that is cancelled stops between
 * batches and statements, a peer that is gone is noticed by TCP in a minute.
 */
#ifndef HAUL_DATABASE_MYSQL_CONNECT_H
#define HAUL_DATABASE_MYSQL_CONNECT_H

#include "base/context.h"
#include "base/login.h"
#include "base/tls.h"
#include <mysql.h>
#include <string.h>

enum tls_mode { TLS_OFF, TLS_UNVERIFIED, TLS_VERIFIED };

struct server {
    const char *host, *user, *password, *database, *socket;
    unsigned port, wait_s;
    enum tls_mode tls;
    const char *ca, *cert, *key;
    const char *name;    /* "host/database", for messages: never a secret */
    struct login *login; /* the user's words beside the URI; NULL none */
    struct arena arena;
};

/* Takes the URI apart, lets `login` (NULL: none) win over it, and sets what haul sets where the user said
 * nothing. */
enum haul_code my_server_parse(struct server *server, const char *uri, struct login *login,
                               struct haul_error *err);

/* A person gave the password meanwhile: it stands in server->login. */
enum haul_code my_server_password(struct server *server, struct haul_error *err);
void my_server_release(struct server *server);

/* What a session is for; session.c has the settings of each. */
enum session_kind { SESSION_SOURCE, SESSION_TARGET };

struct connection {
    MYSQL *my;
    const struct server *server;
    const struct cancel *cancel;
};

enum haul_code my_connect(struct connection *connection, const struct server *server, enum session_kind kind,
                          const struct context *context, struct haul_error *err);

/* The first connection to a server: asks the person for the password when it is missing. */
enum haul_code my_connect_first(struct connection *connection, struct server *server, enum session_kind kind,
                                const struct context *context, struct haul_error *err);
void my_disconnect(struct connection *connection); /* all-zero is fine, twice too */
bool my_is_alive(const struct connection *connection);
bool my_is_mariadb(const struct connection *connection);

/* Applies the table of settings. */
enum haul_code my_session_pin(struct connection *connection, enum session_kind kind, struct haul_error *err);

/* ---- statements ---- */

/* Runs one statement; its rows are thrown away. */
enum haul_code my_run(struct connection *connection, const char *sql, struct haul_error *err);

/* Runs one statement; *result (all rows, in memory) is the caller's to mysql_free_result. */
enum haul_code my_ask(struct connection *connection, const char *sql, MYSQL_RES **result,
                      struct haul_error *err);

/* The first value as a number; 0 when it is NULL or there is no row. */
enum haul_code my_ask_number(struct connection *connection, const char *sql, int64_t *value,
                             struct haul_error *err);

/* Rolls back; closes the connection when that fails. */
void my_rollback(struct connection *connection);

/* Text of a value, "" for NULL; and as a number. */
const char *my_text(MYSQL_ROW row, int column);
int64_t my_number(MYSQL_ROW row, int column);

/* ---- errors ---- */

enum haul_code my_fail(const struct connection *connection, struct haul_error *err);

/* An error of ours for the server's number and words. */
enum haul_code my_fail_number(const struct connection *connection, unsigned number, const char *said,
                              struct haul_error *err);

/* Looks at the server's certificate over a connection of its own. `judge`: verifies it, and HAUL_TLS says
 * what is wrong with it. */
enum haul_code my_certificate(const struct connection *connection, bool judge, struct tls_certificate *seen,
                              struct haul_error *err);

/* A value, constraint or trigger refuses a row; the transaction could go on without it. */
bool my_is_row_error(const struct haul_error *err);

/* The message without the server's name before it. */
const char *my_said(const struct connection *connection, const struct haul_error *err);

#endif
