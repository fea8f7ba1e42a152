/*
 * server.c: the URI, and what haul sets where the user said nothing.
 *
 *     mysql://[user[:password]@][host[:port]][/database][?name=value&...]
 *
 * Userinfo ends at the last '@' before the path. Every piece is percent-decoded
 * after it was cut out; a NUL among them is refused. Parameters are those of the
 * mysql client, without regard to case, '_' as good as '-'.
 *
 * TLS is verified, name and chain, against the system's authorities, unless
 * ssl-mode says otherwise or the server is on this machine (loopback, socket).
 * Without a host it is "localhost", which means a Unix socket.
 */
#include "database/mysql/connect.h"

#include "base/file.h"
#include <stdlib.h>
#include <strings.h>

#define CA_BUNDLE      "/etc/ssl/certs/ca-certificates.crt"
#define CONNECT_WAIT_S 30
#define URI_BYTES_MAX  65536

/* ---- pieces ---- */

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* NULL: no memory, or an escape that is none. */
static char *decode(struct server *server, const char *text, size_t length)
{
    char *out = arena_alloc(&server->arena, length + 1);
    size_t n = 0;
    for (size_t i = 0; out && i < length; i++) {
        if (text[i] != '%') {
            out[n++] = text[i];
            continue;
        }
        int high = i + 2 < length ? hex(text[i + 1]) : -1;
        int low = high >= 0 ? hex(text[i + 2]) : -1;
        if (low < 0 || (high == 0 && low == 0))
            return NULL;
        out[n++] = (char)(high * 16 + low);
        i += 2;
    }
    return out;
}

static enum haul_code fail_piece(const char *what, struct haul_error *err)
{
    return error_set(err, HAUL_USAGE,
                     "the connection's URI is not understood at its %s; write mysql://user@host/database",
                     what);
}

static enum haul_code take_user(struct server *server, const char *text, size_t length,
                                struct haul_error *err)
{
    const char *colon = memchr(text, ':', length);
    size_t user = colon ? (size_t)(colon - text) : length;
    if (user && !(server->user = decode(server, text, user)))
        return fail_piece("user", err);
    if (colon && !(server->password = decode(server, colon + 1, length - user - 1)))
        return fail_piece("password", err);
    return HAUL_OK;
}

static enum haul_code take_host(struct server *server, const char *text, size_t length,
                                struct haul_error *err)
{
    const char *host = text, *end = text + length, *colon;
    size_t host_length;
    if (length && *text == '[') {
        const char *close = memchr(text, ']', length);
        if (!close)
            return fail_piece("host", err);
        host = text + 1;
        host_length = (size_t)(close - host);
        colon = close + 1;
    } else {
        colon = memchr(text, ':', length);
        colon = colon ? colon : end;
        host_length = (size_t)(colon - text);
    }
    if (host_length && !(server->host = decode(server, host, host_length)))
        return fail_piece("host", err);
    if (colon == end)
        return HAUL_OK;
    char *stop = NULL;
    long port = *colon == ':' ? strtol(colon + 1, &stop, 10) : 0;
    if (port < 1 || port > 65535 || stop != end)
        return fail_piece("port", err);
    server->port = (unsigned)port;
    return HAUL_OK;
}

/* ---- parameters ---- */

static enum haul_code set_mode(struct server *server, const char *value, struct haul_error *err)
{
    static const struct {
        const char *name;
        enum tls_mode mode;
    } modes[] = {
        {"disabled", TLS_OFF},       {"required", TLS_UNVERIFIED},      {"verify_ca", TLS_VERIFIED},
        {"verify-ca", TLS_VERIFIED}, {"verify_identity", TLS_VERIFIED}, {"verify-identity", TLS_VERIFIED}};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strcasecmp(value, modes[i].name) == 0) {
            server->tls = modes[i].mode;
            return HAUL_OK;
        }
    return error_set(err, HAUL_USAGE, "ssl-mode \"%s\" is none of disabled, required, verify-identity",
                     value);
}

static enum haul_code set_parameter(struct server *server, char *name, const char *value, bool *mode_given,
                                    struct haul_error *err)
{
    for (char *at = name; *at; at++)
        *at = *at == '_' ? '-' : *at;
    const struct {
        const char *name;
        const char **place;
    } texts[] = {{"ssl-ca", &server->ca},
                 {"ssl-cert", &server->cert},
                 {"ssl-key", &server->key},
                 {"socket", &server->socket}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcasecmp(name, texts[i].name) == 0) {
            *texts[i].place = value;
            return HAUL_OK;
        }
    if (strcasecmp(name, "ssl-mode") == 0) {
        *mode_given = true;
        return set_mode(server, value, err);
    }
    long wait_s = strtol(value, NULL, 10);
    if (strcasecmp(name, "connect-timeout") == 0 && wait_s > 0 && wait_s < 86400) {
        server->wait_s = (unsigned)wait_s;
        return HAUL_OK;
    }
    return error_set(
        err, HAUL_USAGE,
        "the URI's parameter \"%s\" is not known, or has no such value; there are ssl-mode, ssl-ca, "
        "ssl-cert, ssl-key, socket, connect-timeout",
        name);
}

static enum haul_code take_parameters(struct server *server, const char *text, bool *mode_given,
                                      struct haul_error *err)
{
    while (*text) {
        size_t length = strcspn(text, "&"), name = strcspn(text, "=&");
        char *key = decode(server, text, name);
        char *value = name < length ? decode(server, text + name + 1, length - name - 1) : key;
        if (!key || !value || name >= length)
            return fail_piece("parameters", err);
        if (set_parameter(server, key, value, mode_given, err))
            return err->code;
        text += length + (text[length] == '&');
    }
    return HAUL_OK;
}

/* ---- the whole ---- */

static bool is_loopback(const char *host)
{
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 || strncmp(host, "127.", 4) == 0;
}

static enum haul_code take_uri(struct server *server, const char *uri, bool *mode_given,
                               struct haul_error *err)
{
    const char *at = strstr(uri, "://");
    if (!at || strlen(uri) > URI_BYTES_MAX)
        return fail_piece("beginning", err);
    at += 3;
    const char *end = at + strcspn(at, "/?"), *sign = NULL;
    for (const char *look = at; look < end; look++)
        sign = *look == '@' ? look : sign;
    if (sign && take_user(server, at, (size_t)(sign - at), err))
        return err->code;
    at = sign ? sign + 1 : at;
    if (take_host(server, at, (size_t)(end - at), err))
        return err->code;
    if (*end == '/') {
        size_t length = strcspn(end + 1, "?");
        if (length && !(server->database = decode(server, end + 1, length)))
            return fail_piece("database", err);
        end += 1 + length;
    }
    return *end == '?' ? take_parameters(server, end + 1, mode_given, err) : HAUL_OK;
}

enum haul_code my_server_password(struct server *server, struct haul_error *err)
{
    if (server->password)
        explicit_bzero((char *)(uintptr_t)server->password, strlen(server->password));
    server->password = arena_text(&server->arena, server->login->password);
    return server->password ? HAUL_OK : error_nomem(err, "a connection");
}

/* --password-file, --tls-ca, --trust-cert and their like win over the URI. */
static enum haul_code take_login(struct server *server, struct login *login, bool *mode_given,
                                 struct haul_error *err)
{
    server->login = login;
    if (!login)
        return HAUL_OK;
    if (login->password && my_server_password(server, err))
        return err->code;
    if (login->trust || login->ca_file) {
        server->tls = login->trust ? TLS_UNVERIFIED : TLS_VERIFIED;
        server->ca = login->trust ? NULL : login->ca_file;
        *mode_given = true;
    }
    return HAUL_OK;
}

enum haul_code my_server_parse(struct server *server, const char *uri, struct login *login,
                               struct haul_error *err)
{
    bool mode_given = false;
    *server = (struct server){.wait_s = CONNECT_WAIT_S};
    if (take_uri(server, uri, &mode_given, err) || take_login(server, login, &mode_given, err)) {
        my_server_release(server);
        return err->code;
    }
    const char *given = getenv("MYSQL_PWD");
    if (!server->password && given)
        server->password = arena_text(&server->arena, given);
    if (!server->host)
        server->host = "localhost";
    if (!mode_given)
        server->tls = server->socket || is_loopback(server->host) ? TLS_OFF : TLS_VERIFIED;
    if (server->ca && !mode_given)
        server->tls = TLS_VERIFIED;
    if (server->tls == TLS_VERIFIED && !server->ca && path_exists(CA_BUNDLE))
        server->ca = CA_BUNDLE;
    server->name =
        arena_printf(&server->arena, "%.50s/%.45s", server->host, server->database ? server->database : "");
    if (server->name)
        return HAUL_OK;
    my_server_release(server);
    return error_nomem(err, "a connection");
}

void my_server_release(struct server *server)
{
    if (server->password)
        explicit_bzero((char *)(uintptr_t)server->password, strlen(server->password));
    arena_release(&server->arena);
    *server = (struct server){0};
}
