/*
 * connect.c: connecting, and statements.
 *
 * LOAD DATA LOCAL asks the client for a file: a hostile server could ask for any.
 * So a source's session does not allow it at all, and a target's has a handler of
 * ours from its beginning (load.c), which only ever gives bytes of the load at
 * hand. Keepalive and TCP_USER_TIMEOUT find a peer that is gone: a read timeout
 * would also end statements that are merely long.
 */
#include "database/mysql/connect.h"

#include "database/mysql/load.h"
#include <errmsg.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define KEEPALIVE_S      15
#define KEEPALIVE_COUNT  4
#define SILENCE_MS       60000
#define VERSION_MIN      50600
#define ER_ACCESS_DENIED 1045

/* ---- connecting ---- */

static void set_tls(MYSQL *my, const struct server *server)
{
    my_bool on = 1, verify = server->tls == TLS_VERIFIED;
    if (server->tls == TLS_OFF)
        return;
    mysql_options(my, MYSQL_OPT_SSL_ENFORCE, &on);
    mysql_options(my, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
    if (server->ca && verify)
        mysql_options(my, MYSQL_OPT_SSL_CA, server->ca);
    if (server->cert)
        mysql_options(my, MYSQL_OPT_SSL_CERT, server->cert);
    if (server->key)
        mysql_options(my, MYSQL_OPT_SSL_KEY, server->key);
}

static void set_options(MYSQL *my, const struct server *server, enum session_kind kind, const char *program)
{
    unsigned local = kind == SESSION_TARGET;
    my_bool again = 0;
    unsigned wait_s = server->wait_s;
    mysql_options(my, MYSQL_READ_DEFAULT_GROUP, "haul");
    mysql_options(my, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_options(my, MYSQL_OPT_CONNECT_TIMEOUT, &wait_s);
    mysql_options(my, MYSQL_OPT_LOCAL_INFILE, &local);
    mysql_options(my, MYSQL_OPT_RECONNECT, &again);
    mysql_options4(my, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", program);
    set_tls(my, server);
    my_load_forbid(my);
}

static void set_keepalive(MYSQL *my)
{
    int fd = (int)mysql_get_socket(my), on = 1, idle_s = KEEPALIVE_S, count = KEEPALIVE_COUNT;
    int silence_ms = SILENCE_MS;
    /* A Unix socket refuses them; it needs none. */
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &idle_s, sizeof idle_s);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence_ms, sizeof silence_ms);
}

static enum haul_code fail_start(struct connection *connection, struct haul_error *err)
{
    struct tls_certificate seen;
    struct haul_error why = {0};
    bool refused = my_fail(connection, err) == HAUL_TLS;
    if (refused && my_certificate(connection, true, &seen, &why) == HAUL_TLS) /* libmariadb only says that */
        *err = why;
    return err->code;
}

static enum haul_code start(struct connection *connection, enum session_kind kind, const char *program,
                            struct haul_error *err)
{
    const struct server *server = connection->server;
    connection->my = mysql_init(NULL);
    if (!connection->my)
        return error_nomem(err, "a connection");
    set_options(connection->my, server, kind, program);
    if (!mysql_real_connect(connection->my, server->host, server->user, server->password, server->database,
                            server->port, server->socket, 0))
        return fail_start(connection, err);
    set_keepalive(connection->my);
    my_load_forbid(connection->my);
    if (mysql_get_server_version(connection->my) < VERSION_MIN)
        return error_set(err, HAUL_UNSUPPORTED, "%s: server %s; haul needs MySQL 5.6, MariaDB 10.2 or newer",
                         server->name, mysql_get_server_info(connection->my));
    return HAUL_OK;
}

enum haul_code my_connect(struct connection *connection, const struct server *server, enum session_kind kind,
                          const struct context *context, struct haul_error *err)
{
    char program[96];
    *connection = (struct connection){.server = server, .cancel = context->cancel};
    snprintf(program, sizeof program, context->run[0] ? "haul %s" : "haul%s", context->run);
    if (context_check(context, err))
        return err->code;
    if (start(connection, kind, program, err) || my_session_pin(connection, kind, err)) {
        my_disconnect(connection);
        return err->code;
    }
    return HAUL_OK;
}

enum haul_code my_connect_first(struct connection *connection, struct server *server, enum session_kind kind,
                                const struct context *context, struct haul_error *err)
{
    bool given = false;
    struct haul_error asked = {0};
    if (!my_connect(connection, server, kind, context, err))
        return HAUL_OK;
    bool none = err->vendor_code == ER_ACCESS_DENIED && strstr(err->message, "using password: NO");
    if (!none || login_ask(server->login, server->name, &given, &asked) || !given)
        return err->code;
    *err = (struct haul_error){0};
    return my_server_password(server, err) ? err->code : my_connect(connection, server, kind, context, err);
}

void my_disconnect(struct connection *connection)
{
    if (connection->my)
        mysql_close(connection->my);
    connection->my = NULL;
}

bool my_is_alive(const struct connection *connection)
{
    if (!connection->my)
        return false;
    unsigned number = mysql_errno(connection->my);
    return number != CR_SERVER_GONE_ERROR && number != CR_SERVER_LOST;
}

bool my_is_mariadb(const struct connection *connection)
{
    return strstr(mysql_get_server_info(connection->my), "MariaDB") != NULL;
}

/* ---- statements ---- */

static enum haul_code not_open(const struct connection *connection, struct haul_error *err)
{
    error_set(err, HAUL_NETWORK, "%s: the connection was lost",
              connection->server ? connection->server->name : "MySQL");
    err->retryable = true;
    return err->code;
}

static enum haul_code check(const struct connection *connection, struct haul_error *err)
{
    if (connection->cancel && atomic_load(&connection->cancel->asked))
        return error_set(err, HAUL_CANCELLED, "cancelled");
    return connection->my ? HAUL_OK : not_open(connection, err);
}

enum haul_code my_ask(struct connection *connection, const char *sql, MYSQL_RES **result,
                      struct haul_error *err)
{
    *result = NULL;
    if (check(connection, err))
        return err->code;
    if (mysql_real_query(connection->my, sql, strlen(sql)))
        return my_fail(connection, err);
    *result = mysql_store_result(connection->my);
    if (!*result && mysql_errno(connection->my))
        return my_fail(connection, err);
    return HAUL_OK;
}

enum haul_code my_run(struct connection *connection, const char *sql, struct haul_error *err)
{
    MYSQL_RES *result = NULL;
    enum haul_code code = my_ask(connection, sql, &result, err);
    mysql_free_result(result);
    return code;
}

enum haul_code my_ask_number(struct connection *connection, const char *sql, int64_t *value,
                             struct haul_error *err)
{
    MYSQL_RES *result = NULL;
    *value = 0;
    if (my_ask(connection, sql, &result, err))
        return err->code;
    MYSQL_ROW row = result ? mysql_fetch_row(result) : NULL;
    if (row)
        *value = my_number(row, 0);
    mysql_free_result(result);
    return HAUL_OK;
}

void my_rollback(struct connection *connection)
{
    if (connection->my && mysql_real_query(connection->my, "ROLLBACK", 8))
        my_disconnect(connection);
}

const char *my_text(MYSQL_ROW row, int column)
{
    return row[column] ? row[column] : "";
}

int64_t my_number(MYSQL_ROW row, int column)
{
    return strtoll(my_text(row, column), NULL, 10);
}
