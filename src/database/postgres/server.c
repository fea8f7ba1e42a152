/*
 * server.c: the URI, and what haul sets where the user said nothing.
 *
 * libpq parses the URI and finds what it leaves out (environment, .pgpass,
 * service file). Two things differ from libpq's own defaults:
 *
 *  - sslmode is verify-full, with the system's bundle of authorities (libpq 15
 *    knows none by itself), unless URI, PGSSLMODE or a service say otherwise,
 *    or the server is on this machine: a loopback address or a Unix socket.
 *    Then it is TLS without verification, or none when the server has none. Not
 *    libpq's "prefer": that sends a wrong password twice.
 *  - expand_dbname stays 0, so that a database name that looks like a
 *    connection string is a name (guarantees: "dbname that is itself a conninfo").
 *
 * Userinfo ends at the last '@' before the host: earlier ones belong to the
 * password and are escaped before libpq sees them. libpq's errors about a URI
 * quote it, password and all; they are told without it.
 */
#include "database/postgres/connect.h"

#include "base/file.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CA_BUNDLE "/etc/ssl/certs/ca-certificates.crt"
#define NO_FILE   "/nonexistent/authorities"

/* ---- the text ---- */

/* The URI with every '@' of the userinfo but the last as %40. */
static char *escape_userinfo(const char *uri, struct arena *arena)
{
    const char *start = strstr(uri, "://");
    if (!start)
        return arena_text(arena, uri);
    start += 3;
    const char *end = start + strcspn(start, "/?"), *last = NULL;
    for (const char *at = start; at < end; at++)
        if (*at == '@')
            last = at;
    char *out = arena_alloc(arena, strlen(uri) * 3 + 1), *to = out;
    for (const char *at = uri; out && *at; at++) {
        if (*at == '@' && at >= start && last && at < last) {
            memcpy(to, "%40", 3);
            to += 3;
        } else {
            *to++ = *at;
        }
    }
    return out;
}

/* Parameter names without regard to case: libpq's own are lower case. */
static void fold_parameters(char *uri)
{
    char *at = strchr(uri, '?');
    while (at) {
        for (at++; *at && *at != '=' && *at != '&'; at++)
            if (*at >= 'A' && *at <= 'Z')
                *at = (char)(*at + ('a' - 'A'));
        at = strchr(at, '&');
    }
}

static enum haul_code fail_parse(char *said, struct haul_error *err)
{
    char *quoted = said ? strstr(said, ": \"") : NULL; /* a piece of the URI */
    if (quoted)
        *quoted = 0;
    if (said && (quoted = strchr(said, '\n')))
        *quoted = 0;
    error_set(err, HAUL_USAGE,
              "the connection's URI is not understood: %s; write postgresql://user@host/database",
              said ? said : "no memory");
    PQfreemem(said);
    return err->code;
}

/* ---- options ---- */

static const char *option(const struct server *server, const char *key)
{
    for (int i = 0; i < server->count; i++)
        if (strcmp(server->keys[i], key) == 0)
            return server->values[i];
    return NULL;
}

static enum haul_code add(struct server *server, const char *key, const char *value, struct haul_error *err)
{
    const char *kept_key = arena_text(&server->arena, key), *kept = arena_text(&server->arena, value);
    if (server->count == SERVER_OPTIONS_MAX)
        return error_set(err, HAUL_LIMIT, "the connection's URI has more than %d parameters",
                         SERVER_OPTIONS_MAX);
    if (!kept_key || !kept)
        return error_nomem(err, "a connection");
    server->keys[server->count] = kept_key;
    server->values[server->count++] = kept;
    return HAUL_OK;
}

/* Replaces what the URI said. */
static enum haul_code set(struct server *server, const char *key, const char *value, struct haul_error *err)
{
    for (int i = 0; i < server->count; i++)
        if (strcmp(server->keys[i], key) == 0) {
            explicit_bzero((char *)(uintptr_t)server->values[i], strlen(server->values[i])); /* a password */
            server->values[i] = arena_text(&server->arena, value);
            return server->values[i] ? HAUL_OK : error_nomem(err, "a connection");
        }
    return add(server, key, value, err);
}

static enum haul_code take_uri(struct server *server, const char *uri, struct haul_error *err)
{
    char *said = NULL;
    struct arena arena = {0}; /* of its own: it is wiped */
    char *escaped = escape_userinfo(uri, &arena);
    if (!escaped)
        return error_nomem(err, "a connection");
    fold_parameters(escaped);
    PQconninfoOption *options = PQconninfoParse(escaped, &said);
    explicit_bzero(escaped, strlen(escaped));
    arena_release(&arena);
    if (!options)
        return fail_parse(said, err);
    enum haul_code code = HAUL_OK;
    for (PQconninfoOption *at = options; at->keyword && !code; at++)
        if (at->val)
            code = add(server, at->keyword, at->val, err);
    PQconninfoFree(options);
    return code;
}

enum haul_code pg_server_password(struct server *server, struct haul_error *err)
{
    return set(server, "password", server->login->password, err);
}

/* --password-file, --tls-ca, --trust-cert and their like win over the URI. */
static enum haul_code take_login(struct server *server, struct login *login, struct haul_error *err)
{
    server->login = login;
    if (!login)
        return HAUL_OK;
    if (login->password && pg_server_password(server, err))
        return err->code;
    if (login->trust) /* with a list of authorities at hand libpq would verify even so */
        return set(server, "sslmode", "require", err) ? err->code : set(server, "sslrootcert", NO_FILE, err);
    if (!login->ca_file)
        return HAUL_OK;
    return set(server, "sslrootcert", login->ca_file, err) ? err->code
                                                           : set(server, "sslmode", "verify-full", err);
}

/* ---- what nobody said ---- */

/* What libpq makes of everything: URI, environment, service. A service in the
 * URI is only read by a connection, so that one is begun and dropped. */
static PQconninfoOption *resolve(const struct server *server)
{
    if (!option(server, "service"))
        return PQconndefaults();
    PGconn *pg = PQconnectStartParams(server->keys, server->values, 0);
    PQconninfoOption *options = pg ? PQconninfo(pg) : NULL;
    PQfinish(pg);
    return options;
}

static const char *resolved(const struct server *server, const PQconninfoOption *options, const char *key)
{
    const char *said = option(server, key);
    for (const PQconninfoOption *at = options; !said && at && at->keyword; at++)
        if (strcmp(at->keyword, key) == 0 && at->val && *at->val)
            said = at->val;
    return said;
}

static bool is_loopback(const char *host, size_t length)
{
    return length == 0 || host[0] == '/' || host[0] == '@' || (length == 3 && !strncmp(host, "::1", 3)) ||
           (length == 9 && !strncasecmp(host, "localhost", 9)) || (length > 4 && !strncmp(host, "127.", 4));
}

static bool all_loopback(const char *hosts)
{
    for (const char *at = hosts;; at++) {
        size_t length = strcspn(at, ",");
        if (!is_loopback(at, length))
            return false;
        at += length;
        if (!*at)
            return true;
    }
}

/* Did the user choose authorities, or keep a file where libpq looks for one? */
static bool has_authorities(const struct server *server, const PQconninfoOption *options)
{
    const char *home = getenv("HOME"); /* as libpq does */
    char path[4096];
    if (resolved(server, options, "sslrootcert"))
        return true;
    return home && (size_t)snprintf(path, sizeof path, "%s/.postgresql/root.crt", home) < sizeof path &&
           path_exists(path);
}

static enum haul_code set_tls(struct server *server, const PQconninfoOption *options, struct haul_error *err)
{
    const char *hosts = resolved(server, options, "hostaddr"), *mode = resolved(server, options, "sslmode");
    if (!hosts)
        hosts = resolved(server, options, "host");
    bool said = mode && (strcmp(mode, "prefer") != 0 || option(server, "sslmode") || getenv("PGSSLMODE"));
    server->tls_optional = !said && all_loopback(hosts ? hosts : "");
    if (server->tls_optional)
        return add(server, "sslmode", "require", err);
    if (!said && add(server, "sslmode", "verify-full", err))
        return err->code;
    bool verifies = !said || !strncmp(mode, "verify-", 7);
    if (verifies && !has_authorities(server, options) && path_exists(CA_BUNDLE))
        return add(server, "sslrootcert", CA_BUNDLE, err);
    return HAUL_OK;
}

static enum haul_code set_rest(struct server *server, const PQconninfoOption *options, struct haul_error *err)
{
    const char *host = resolved(server, options, "host"), *base = resolved(server, options, "dbname");
    if (!base)
        base = resolved(server, options, "user");
    server->name =
        arena_printf(&server->arena, "%.50s/%.45s", host && *host ? host : "local", base ? base : "");
    if (!server->name)
        return error_nomem(err, "a connection");
    static const char *const alive[][2] = {{"keepalives_idle", "15"},
                                           {"keepalives_interval", "15"},
                                           {"keepalives_count", "4"},
                                           {"tcp_user_timeout", "60000"}};
    for (size_t i = 0; i < sizeof alive / sizeof *alive; i++) /* a silent peer is noticed in a minute */
        if (!option(server, alive[i][0]) && add(server, alive[i][0], alive[i][1], err))
            return err->code;
    if (!option(server, "client_encoding") && add(server, "client_encoding", "UTF8", err))
        return err->code;
    for (int i = 0; i < server->count; i++)
        if (strcmp(server->keys[i], "client_encoding") == 0)
            server->values[i] = "UTF8"; /* the one we can read */
    return HAUL_OK;
}

enum haul_code pg_server_parse(struct server *server, const char *uri, struct login *login,
                               struct haul_error *err)
{
    *server = (struct server){0};
    enum haul_code code = take_uri(server, uri, err);
    if (!code)
        code = take_login(server, login, err);
    PQconninfoOption *options = code ? NULL : resolve(server);
    if (!code)
        code = set_tls(server, options, err);
    if (!code)
        code = set_rest(server, options, err);
    PQconninfoFree(options);
    if (code)
        pg_server_release(server);
    return code;
}

void pg_server_release(struct server *server)
{
    for (int i = 0; i < server->count; i++)
        if (strstr(server->keys[i], "password") && server->values[i])
            explicit_bzero((char *)(uintptr_t)server->values[i], strlen(server->values[i]));
    arena_release(&server->arena);
    *server = (struct server){0};
}
