/*
 * connect.c: connecting, and statements that can be interrupted.
 *
 * libpq is driven without blocking: what is to be sent is flushed as the socket
 * takes it, what is awaited is polled for, and every POLL_MS somebody looks
 * whether the run was cancelled. (Looking up a host name is libpq's and blocks.)
 *
 * A cancelled statement is cancelled on the server as well, by PQcancel, which
 * opens a short connection of its own; then the session is of no more use.
 */
#include "database/postgres/connect.h"

#include "base/clock.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLL_MS            50
#define CONNECT_WAIT_S     30
#define SEND_CHUNK         ((size_t)1 << 20)
#define SERVER_VERSION_MIN 100000

static bool is_cancelled(const struct connection *connection)
{
    return connection->cancel && atomic_load(&connection->cancel->asked);
}

/* Waits at most `most_ms` for the socket; false when nothing came. */
static bool socket_wait(const struct connection *connection, short events, int most_ms)
{
    struct pollfd wait = {.fd = PQsocket(connection->pg), .events = events};
    return wait.fd < 0 || poll(&wait, 1, most_ms) > 0;
}

static enum haul_code fail_cancelled(struct connection *connection, struct haul_error *err)
{
    char unused[256];
    PGcancel *cancel = PQgetCancel(connection->pg);
    if (cancel)
        (void)PQcancel(cancel, unused, sizeof unused);
    PQfreeCancel(cancel);
    return error_set(err, HAUL_CANCELLED, "cancelled");
}

/* ---- connecting ---- */

static int64_t connect_deadline(const struct connection *connection)
{
    int64_t wait_s = CONNECT_WAIT_S;
    PQconninfoOption *options = PQconninfo(connection->pg);
    for (PQconninfoOption *at = options; at && at->keyword; at++)
        if (strcmp(at->keyword, "connect_timeout") == 0 && at->val && atoi(at->val) > 0)
            wait_s = atoi(at->val) < 2 ? 2 : atoi(at->val);
    PQconninfoFree(options);
    return clock_now_ns() + wait_s * 1000000000;
}

static enum haul_code connect_wait(struct connection *connection, struct haul_error *err)
{
    int64_t until_ns = connect_deadline(connection);
    PostgresPollingStatusType wants = PGRES_POLLING_WRITING;
    while (wants != PGRES_POLLING_OK) {
        if (wants == PGRES_POLLING_FAILED)
            return pg_fail_connect(connection, err);
        if (is_cancelled(connection))
            return error_set(err, HAUL_CANCELLED, "cancelled");
        if (clock_now_ns() > until_ns) {
            error_set(err, HAUL_NETWORK,
                      "%s: no connection in time; is the server up, and host and port right",
                      connection->server->name);
            err->retryable = true;
            return err->code;
        }
        if (socket_wait(connection, wants == PGRES_POLLING_READING ? POLLIN : POLLOUT, POLL_MS))
            wants = PQconnectPoll(connection->pg);
    }
    return HAUL_OK;
}

static void ignore_notice(void *user, const PGresult *result)
{
    (void)user;
    (void)result;
}

/* `sslmode` NULL: as the server's options say. */
static enum haul_code start(struct connection *connection, const char *name, const char *sslmode,
                            struct haul_error *err)
{
    const struct server *server = connection->server;
    const char *keys[SERVER_OPTIONS_MAX + 2], *values[SERVER_OPTIONS_MAX + 2];
    int count = 0;
    for (int i = 0; i < server->count; i++) {
        if (strcmp(server->keys[i], "application_name") == 0)
            continue;
        keys[count] = server->keys[i];
        values[count++] = sslmode && strcmp(server->keys[i], "sslmode") == 0 ? sslmode : server->values[i];
    }
    keys[count] = "application_name";
    values[count++] = name;
    keys[count] = values[count] = NULL;
    connection->pg = PQconnectStartParams(keys, values, 0);
    if (!connection->pg)
        return error_nomem(err, "a connection");
    if (PQstatus(connection->pg) == CONNECTION_BAD)
        return pg_fail_connect(connection, err);
    (void)PQsetErrorVerbosity(connection->pg, PQERRORS_VERBOSE);
    if (connect_wait(connection, err))
        return err->code;
    (void)PQsetErrorVerbosity(connection->pg, PQERRORS_DEFAULT);
    (void)PQsetNoticeReceiver(connection->pg, ignore_notice, NULL);
    if (PQserverVersion(connection->pg) < SERVER_VERSION_MIN)
        return error_set(err, HAUL_UNSUPPORTED, "%s: PostgreSQL %d; haul needs 10 or newer", server->name,
                         PQserverVersion(connection->pg) / 10000);
    return PQsetnonblocking(connection->pg, 1) ? error_nomem(err, "a connection") : HAUL_OK;
}

enum haul_code pg_connect(struct connection *connection, const struct server *server, enum session_kind kind,
                          const struct context *context, struct haul_error *err)
{
    char name[96];
    *connection = (struct connection){.server = server, .cancel = context->cancel};
    snprintf(name, sizeof name, context->run[0] ? "haul %s" : "haul%s", context->run);
    if (start(connection, name, NULL, err) && err->code == HAUL_TLS && server->tls_optional) {
        pg_disconnect(connection);
        *err = (struct haul_error){0};
        start(connection, name, "disable", err);
    }
    connection->wants_password = err->code && connection->pg && PQconnectionNeedsPassword(connection->pg);
    if (err->code == HAUL_TLS) { /* libpq only says that it refuses: look what there is */
        struct tls_certificate seen;
        struct haul_error why = {0};
        if (pg_certificate(connection, true, &seen, &why) == HAUL_TLS)
            *err = why;
    }
    if (err->code || pg_session_pin(connection, kind, err)) {
        pg_disconnect(connection);
        return err->code;
    }
    connection->pid = PQbackendPID(connection->pg);
    return HAUL_OK;
}

enum haul_code pg_connect_first(struct connection *connection, struct server *server, enum session_kind kind,
                                const struct context *context, struct haul_error *err)
{
    bool given = false;
    struct haul_error asked = {0};
    if (!pg_connect(connection, server, kind, context, err) || !connection->wants_password)
        return err->code;
    if (login_ask(server->login, server->name, &given, &asked) || !given)
        return err->code;
    *err = (struct haul_error){0};
    return pg_server_password(server, err) ? err->code : pg_connect(connection, server, kind, context, err);
}

void pg_disconnect(struct connection *connection)
{
    PQfinish(connection->pg);
    connection->pg = NULL;
}

bool pg_is_alive(const struct connection *connection)
{
    return connection->pg && PQstatus(connection->pg) == CONNECTION_OK;
}

/* ---- waiting for results ---- */

static enum haul_code flush(struct connection *connection, struct haul_error *err)
{
    int left;
    while ((left = PQflush(connection->pg)) > 0) {
        if (is_cancelled(connection))
            return fail_cancelled(connection, err);
        if (socket_wait(connection, POLLIN | POLLOUT, POLL_MS) && !PQconsumeInput(connection->pg))
            return pg_fail(connection, NULL, err);
    }
    return left < 0 ? pg_fail(connection, NULL, err) : HAUL_OK;
}

/* The next result, NULL when the statement has no more. */
static enum haul_code next_result(struct connection *connection, PGresult **result, struct haul_error *err)
{
    *result = NULL;
    while (PQisBusy(connection->pg)) {
        if (is_cancelled(connection))
            return fail_cancelled(connection, err);
        if (socket_wait(connection, POLLIN, POLL_MS) && !PQconsumeInput(connection->pg))
            return pg_fail(connection, NULL, err);
    }
    *result = PQgetResult(connection->pg);
    return HAUL_OK;
}

static bool is_good(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

/* All results to the end; the first error counts, else the last result is kept. */
static enum haul_code drain(struct connection *connection, PGresult **last, struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    PGresult *result;
    *last = NULL;
    for (;;) {
        struct haul_error later = {0};
        if (next_result(connection, &result, code ? &later : err)) {
            code = code ? code : err->code;
            break;
        }
        if (!result)
            break;
        ExecStatusType status = PQresultStatus(result);
        if (!code && !is_good(result))
            code = pg_fail(connection, result, err);
        PQclear(*last);
        *last = result;
        if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH)
            break;
    }
    if (code) {
        PQclear(*last);
        *last = NULL;
    }
    return code;
}

static enum haul_code not_open(const struct connection *connection, struct haul_error *err)
{
    error_set(err, HAUL_NETWORK, "%s: the connection was lost",
              connection->server ? connection->server->name : "PostgreSQL");
    err->retryable = true;
    return err->code;
}

/* ---- statements ---- */

enum haul_code pg_run(struct connection *connection, const char *sql, struct haul_error *err)
{
    PGresult *result = NULL;
    if (!connection->pg)
        return not_open(connection, err);
    if (!PQsendQuery(connection->pg, sql))
        return pg_fail(connection, NULL, err);
    enum haul_code code = flush(connection, err);
    if (!code)
        code = drain(connection, &result, err);
    PQclear(result);
    return code;
}

enum haul_code pg_ask(struct connection *connection, const char *sql, const struct pg_values *values,
                      PGresult **result, struct haul_error *err)
{
    *result = NULL;
    if (!connection->pg)
        return not_open(connection, err);
    if (!PQsendQueryParams(connection->pg, sql, values ? values->count : 0, NULL,
                           values ? values->texts : NULL, NULL, NULL, 0))
        return pg_fail(connection, NULL, err);
    if (flush(connection, err))
        return err->code;
    return drain(connection, result, err);
}

enum haul_code pg_prepare_describe(struct connection *connection, const char *sql, PGresult **result,
                                   struct haul_error *err)
{
    PGresult *prepared = NULL;
    *result = NULL;
    if (!connection->pg)
        return not_open(connection, err);
    if (!PQsendPrepare(connection->pg, "", sql, 0, NULL))
        return pg_fail(connection, NULL, err);
    enum haul_code code = flush(connection, err);
    if (!code)
        code = drain(connection, &prepared, err);
    PQclear(prepared);
    if (code)
        return code;
    if (!PQsendDescribePrepared(connection->pg, ""))
        return pg_fail(connection, NULL, err);
    if (flush(connection, err))
        return err->code;
    return drain(connection, result, err);
}

const char *pg_text(const PGresult *result, int row, int column)
{
    return PQgetvalue(result, row, column);
}

int64_t pg_number(const PGresult *result, int row, int column)
{
    return strtoll(PQgetvalue(result, row, column), NULL, 10);
}

bool pg_true(const PGresult *result, int row, int column)
{
    return PQgetvalue(result, row, column)[0] == 't';
}

/* ---- copies ---- */

enum haul_code pg_copy_begin(struct connection *connection, const char *sql, ExecStatusType wanted,
                             struct haul_error *err)
{
    PGresult *result = NULL;
    if (!connection->pg)
        return not_open(connection, err);
    if (!PQsendQuery(connection->pg, sql))
        return pg_fail(connection, NULL, err);
    if (flush(connection, err) || next_result(connection, &result, err))
        return err->code;
    enum haul_code code = HAUL_OK;
    if (PQresultStatus(result) != wanted) {
        code = pg_fail(connection, result, err);
        PGresult *rest = NULL;
        struct haul_error unused = {0};
        drain(connection, &rest, &unused);
        PQclear(rest);
    }
    PQclear(result);
    return code;
}

static enum haul_code copy_done(struct connection *connection, struct haul_error *err)
{
    PGresult *result = NULL;
    enum haul_code code = drain(connection, &result, err);
    PQclear(result);
    return code;
}

enum haul_code pg_copy_row(struct connection *connection, char **row, int *length, struct haul_error *err)
{
    for (;;) {
        *row = NULL;
        *length = PQgetCopyData(connection->pg, row, 1);
        if (*length > 0)
            return HAUL_OK;
        if (*length == -1)
            return copy_done(connection, err);
        if (*length < 0)
            return pg_fail(connection, NULL, err);
        if (is_cancelled(connection))
            return fail_cancelled(connection, err);
        if (socket_wait(connection, POLLIN, POLL_MS) && !PQconsumeInput(connection->pg))
            return pg_fail(connection, NULL, err);
    }
}

/* What the server has against a row is heard at the end: libpq keeps it until then. */
enum haul_code pg_copy_send(struct connection *connection, const void *data, size_t length,
                            struct haul_error *err)
{
    for (size_t done = 0; done < length;) {
        size_t chunk = length - done < SEND_CHUNK ? length - done : SEND_CHUNK;
        int sent = PQputCopyData(connection->pg, (const char *)data + done, (int)chunk);
        if (sent < 0)
            return pg_fail(connection, NULL, err);
        if (sent > 0)
            done += chunk;
        if (flush(connection, err))
            return err->code;
    }
    return HAUL_OK;
}

enum haul_code pg_copy_end(struct connection *connection, int64_t *rows, struct haul_error *err)
{
    PGresult *result = NULL;
    int sent;
    while ((sent = PQputCopyEnd(connection->pg, NULL)) == 0)
        if (flush(connection, err))
            return err->code;
    if (sent < 0 && PQstatus(connection->pg) != CONNECTION_OK)
        return pg_fail(connection, NULL, err);
    if (flush(connection, err) || drain(connection, &result, err))
        return err->code;
    *rows = result ? strtoll(PQcmdTuples(result), NULL, 10) : 0;
    PQclear(result);
    return HAUL_OK;
}

/* ---- ending ---- */

static bool is_idle(const struct connection *connection)
{
    return PQtransactionStatus(connection->pg) == PQTRANS_IDLE;
}

void pg_rollback(struct connection *connection)
{
    struct haul_error unused = {0};
    if (!connection->pg || (pg_is_alive(connection) && is_idle(connection)))
        return;
    struct cancel never = {0};
    const struct cancel *cancel = connection->cancel;
    connection->cancel = &never;
    bool active = PQtransactionStatus(connection->pg) == PQTRANS_ACTIVE;
    if (pg_is_alive(connection) && !active)
        pg_run(connection, "ROLLBACK", &unused);
    connection->cancel = cancel;
    /* in the middle of a COPY: the server rolls back when the socket closes */
    if (!pg_is_alive(connection) || !is_idle(connection))
        pg_disconnect(connection);
}
