/*
 * connect.c: from a server's name to a session: browser, TCP, PRELOGIN, TLS,
 * LOGIN7, and the same again where the server sends us (routing).
 *
 * A password only travels inside of TLS, unless the user said encrypt=disable or
 * the server is this machine. A server that says it has no TLS is refused then:
 * somebody in between could say so in its place.
 *
 * A redirect is followed MS_HOPS_MAX times, under the same trust: the certificate
 * must be for the new host.
 */
#include "database/mssql/session.h"

#include "base/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define BROWSER_PORT    1434
#define BROWSER_WAIT_MS 3000
#define BROWSER_BYTES   4096

#define TRUST_ADVICE                                                                                         \
    "Ways out: HostNameInCertificate=NAME when the server has another name, --tls-ca or certificate=FILE "   \
    "for "                                                                                                   \
    "your own authority, TrustServerCertificate=yes to verify nothing."

/* ---- the browser ---- */

/* The value behind `key` in "key;value;key;value;..."; "" when there is none. */
static void browser_value(const char *text, const char *key, char *out, size_t size)
{
    size_t length = strlen(key);
    out[0] = '\0';
    for (const char *at = text; *at;) {
        const char *value = at + strcspn(at, ";");
        bool match = (size_t)(value - at) == length && strncasecmp(at, key, length) == 0;
        if (!*value)
            return;
        size_t value_length = strcspn(++value, ";");
        if (match) {
            snprintf(out, size, "%.*s", (int)(value_length < 100 ? value_length : 100), value);
            return;
        }
        at = value + value_length;
        at += *at == ';';
    }
}

static enum haul_code ask_browser(const struct session *session, const struct ms_route *where, int *port,
                                  struct haul_error *err)
{
    const struct server *server = session->server;
    uint8_t question[64] = {0x04};
    char answer[BROWSER_BYTES + 1];
    size_t length = strlen(server->instance), got;
    if (length == 0 || length > 32)
        return error_set(err, HAUL_USAGE, "%s: an instance's name has 1 to 32 characters", server->name);
    memcpy(question + 1, server->instance, length);
    struct socket_target target = {.host = where->host,
                                   .port = BROWSER_PORT,
                                   .wait_ms = BROWSER_WAIT_MS,
                                   .cancel = session->context.cancel};
    struct socket_question ask = {question, length + 2, 3, answer, BROWSER_BYTES};
    if (socket_ask(&target, &ask, &got, err)) {
        if (err->code == HAUL_CANCELLED)
            return err->code;
        return error_prefix(err,
                            "%s: the instance's port is asked of SQL Server Browser; give the port instead "
                            "(mssql://host:port/...)",
                            server->name);
    }
    answer[got] = '\0';
    char instance[104] = "", value[104] = "";
    if (got > 3 && answer[0] == 0x05) {
        browser_value(answer + 3, "InstanceName", instance, sizeof instance);
        browser_value(answer + 3, "tcp", value, sizeof value);
    }
    *port = strcasecmp(instance, server->instance) == 0 ? atoi(value) : 0;
    if (*port >= 1 && *port <= 65535)
        return HAUL_OK;
    return error_set(err, HAUL_NOT_FOUND, "%s: SQL Server Browser knows no TCP port of this instance",
                     server->name);
}

/* ---- TLS ---- */

bool ms_is_easy(const struct session *session)
{
    const struct server *server = session->server;
    bool asked = server->encrypt == ENCRYPT_MANDATORY || server->encrypt == ENCRYPT_STRICT;
    bool vouched = server->ca_file || server->certificate_file || server->certificate_host;
    return server->loopback && !session->route.port && !asked && !vouched;
}

static struct tls_options tls_options(const struct session *session, const char *host)
{
    const struct server *server = session->server;
    bool strict = server->encrypt == ENCRYPT_STRICT;
    return (struct tls_options){
        .host = host,
        .certificate_host = session->route.port ? NULL : server->certificate_host,
        .ca_file = server->ca_file,
        .pinned_file = server->certificate_file,
        .alpn = strict ? "tds/8.0" : NULL,
        .trust = !strict && (server->trust || ms_is_easy(session)),
        .tls12_at_most = !strict,
        .advice = strict ? "encrypt=strict always verifies; certificate=FILE names your own authority."
                         : TRUST_ADVICE};
}

static enum haul_code fail_plain(const struct session *session, struct haul_error *err)
{
    return error_set(
        err, HAUL_TLS,
        "%s: the server says that it cannot encrypt, and the password would travel in clear text; "
        "encrypt=disable allows that",
        session->server->name);
}

/* What PRELOGIN asks for, and what may come of the answer. */
static enum haul_code agree(struct session *session, bool *encrypts, bool *login_only, struct haul_error *err)
{
    const struct server *server = session->server;
    bool strict = server->encrypt == ENCRYPT_STRICT, never = server->encrypt == ENCRYPT_DISABLE || strict;
    bool must =
        server->encrypt == ENCRYPT_MANDATORY || (server->encrypt == ENCRYPT_DEFAULT && !ms_is_easy(session));
    enum ms_encryption seen;
    if (ms_prelogin(session, never ? ENCRYPTION_NONE : must ? ENCRYPTION_ON : ENCRYPTION_OFF, &seen, err))
        return err->code;
    bool full = seen == ENCRYPTION_ON || seen == ENCRYPTION_REQUIRED;
    *encrypts = !strict && !never && seen != ENCRYPTION_NONE;
    *login_only = *encrypts && !full;
    if (strict)
        return HAUL_OK;
    if (never && full)
        return error_set(err, HAUL_TLS, "%s: the server insists on encryption; leave encrypt=disable out",
                         server->name);
    if (must && *login_only)
        return error_set(err, HAUL_TLS,
                         "%s: the server would encrypt the login only, although all was asked for",
                         server->name);
    return !never && !ms_is_easy(session) && seen == ENCRYPTION_NONE ? fail_plain(session, err) : HAUL_OK;
}

/* ---- one host ---- */

static enum haul_code fail_host(const struct session *session, struct haul_error *err)
{
    const char *host = session->server->host;
    if (err->code == HAUL_NETWORK && strstr(err->message, "was not found") && !session->server->instance &&
        !strchr(host, '.'))
        return error_prefix(err,
                            "%s: was it HOST\\INSTANCE, and did the shell take the backslash away? Quote it",
                            session->server->name);
    return err->code;
}

static enum haul_code dial(struct session *session, const struct ms_route *where, struct haul_error *err)
{
    const struct server *server = session->server;
    int port = where->port;
    if (!port && server->instance && ask_browser(session, where, &port, err))
        return err->code;
    struct socket_target target = {.host = where->host,
                                   .port = port ? port : MS_PORT,
                                   .wait_ms = (int64_t)server->login_s * 1000,
                                   .at_once = server->at_once,
                                   .cancel = session->context.cancel};
    if (socket_connect(&session->wire.sock, &target, err))
        return fail_host(session, err);
    return HAUL_OK;
}

static enum haul_code fail_silence(const struct session *session, struct haul_error *err)
{
    return error_set(err, HAUL_LOGIN, "%s: the server did not accept the login, and does not say why",
                     session->server->name);
}

static enum haul_code read_login(struct session *session, struct haul_error *err)
{
    enum ms_event event = MS_DONE;
    ms_wire_next_message(&session->wire);
    session->answering = true;
    while (event != MS_END) {
        if (ms_next(session, &event, err))
            return err->code;
        if (event != MS_DONE && event != MS_END)
            return error_set(err, HAUL_DATA, "%s: the server sends rows before the login",
                             session->server->name);
    }
    return session->logged_in || session->route.port || session->proof.length ? HAUL_OK
                                                                              : fail_silence(session, err);
}

/* ---- Kerberos ---- */

#define ROUNDS_MAX 10

/* Extended protection: the proof counts on this TLS connection only. TLS 1.3 has no such
 * name, and servers ask for none there. */
static size_t channel_binding(const struct session *session, uint8_t *out, size_t size)
{
    static const char prefix[] = "tls-unique:";
    const struct tls *tls = &session->wire.tls;
    if (!tls->state || strcmp(tls_version(tls), "TLSv1.3") == 0)
        return 0;
    memcpy(out, prefix, sizeof prefix - 1);
    return sizeof prefix - 1 + tls_finished(tls, out + sizeof prefix - 1, size - sizeof prefix + 1);
}

static enum haul_code open_kerberos(struct session *session, const char *host, struct kerberos *kerberos,
                                    struct haul_error *err)
{
    char whole[256], name[KERBEROS_NAME_BYTES];
    uint8_t binding[128];
    const char *port = strrchr(session->wire.sock.peer, ':');
    kerberos_host(host, whole, sizeof whole);
    if (session->server->spn)
        snprintf(name, sizeof name, "%s", session->server->spn);
    else
        snprintf(name, sizeof name, "MSSQLSvc/%s%s", whole, port ? port : "");
    return kerberos_open(kerberos, name, binding, channel_binding(session, binding, sizeof binding), err);
}

/* What the server sent is looked at; *more: it must get an answer. */
static enum haul_code answer_proof(struct session *session, bool *more, struct haul_error *err)
{
    struct buffer out = {0};
    bool done;
    *more = false;
    if (!session->proof.length)
        return HAUL_OK;
    enum haul_code code =
        kerberos_step(session->kerberos, session->proof.data, session->proof.length, &out, &done, err);
    buffer_clear(&session->proof);
    *more = !code && out.length && !session->logged_in;
    if (*more) {
        ms_wire_begin(&session->wire, PACKET_SSPI);
        code = ms_wire_put(&session->wire, out.data, out.length, err);
        if (!code)
            code = ms_wire_end(&session->wire, err);
    }
    buffer_release(&out);
    return code;
}

static enum haul_code login_with_kerberos(struct session *session, const char *host, bool login_only,
                                          struct haul_error *err)
{
    struct kerberos kerberos = {0};
    struct buffer first = {0};
    bool done, more = true;
    enum haul_code code = open_kerberos(session, host, &kerberos, err);
    if (!code)
        code = kerberos_step(&kerberos, NULL, 0, &first, &done, err);
    if (code)
        error_prefix(err, "%s", session->server->name);
    else
        code = ms_send_login(session, host, &first, err);
    if (login_only)
        ms_wire_tls_stop(&session->wire);
    session->kerberos = &kerberos;
    for (int i = 0; !code && more; i++) {
        code = i < ROUNDS_MAX ? read_login(session, err)
                              : error_set(err, HAUL_LOGIN, "%s: the login never ends", session->server->name);
        if (!code)
            code = answer_proof(session, &more, err);
    }
    session->kerberos = NULL;
    kerberos_release(&kerberos);
    buffer_release(&first);
    return code || session->logged_in || session->route.port ? code : fail_silence(session, err);
}

static enum haul_code greet(struct session *session, const char *host, struct haul_error *err)
{
    struct wire *wire = &session->wire;
    struct tls_options options = tls_options(session, host);
    bool encrypts = false, login_only = false;
    if (session->server->encrypt == ENCRYPT_STRICT && ms_wire_tls(wire, &options, err))
        return err->code == HAUL_TLS || err->code == HAUL_NETWORK
                   ? error_prefix(err, "encrypt=strict, which needs SQL Server 2022 or Azure")
                   : err->code;
    if (agree(session, &encrypts, &login_only, err))
        return err->code;
    if (encrypts) {
        if (!ms_wire_is_empty(wire))
            return error_set(err, HAUL_TLS, "%s: there are bytes before the TLS handshake",
                             session->server->name);
        if (ms_wire_tls_wrapped(wire, &options, err))
            return err->code;
        if (!login_only)
            tls_read_ahead(&wire->tls);
    }
    session->route.port = 0;
    if (session->server->authentication == AUTH_KERBEROS)
        return login_with_kerberos(session, host, login_only, err);
    if (ms_send_login(session, host, &(struct buffer){0}, err))
        return err->code;
    if (login_only)
        ms_wire_tls_stop(wire);
    return read_login(session, err);
}

/* One host: connected and logged in, or session->route says where to go next. */
static enum haul_code visit(struct session *session, const struct ms_route *where, struct haul_error *err)
{
    if (ms_wire_init(&session->wire, err) || dial(session, where, err))
        return err->code;
    session->wire.sock.until_ns = clock_now_ns() + (int64_t)session->server->login_s * 1000000000;
    enum haul_code code = greet(session, where->host, err);
    session->wire.sock.until_ns = 0;
    return code;
}

/* ---- all of it ---- */

static enum haul_code follow(struct session *session, struct ms_route *where, struct haul_error *err)
{
    for (int hops = 0;; hops++) {
        if (visit(session, where, err))
            return err->code;
        if (!session->route.port)
            return HAUL_OK;
        if (hops == MS_HOPS_MAX)
            return error_set(err, HAUL_NETWORK, "%s: the servers send us from one to the other, %d times",
                             session->server->name, hops);
        *where = session->route;
        ms_disconnect(session);
        session->wire = (struct wire){0};
        session->logged_in = false;
    }
}

enum haul_code ms_connect(struct session *session, const struct server *server, const struct context *context,
                          struct haul_error *err)
{
    struct ms_route where = {.port = server->port};
    *session = (struct session){.server = server, .context = *context};
    snprintf(where.host, sizeof where.host, "%s", server->host);
    if (server->ignored)
        context_note(context, "%s: %s= means nothing to haul, which has its own driver", server->name,
                     server->ignored);
    if (follow(session, &where, err) || ms_session_pin(session, err)) {
        ms_disconnect(session);
        return err->code;
    }
    return HAUL_OK;
}
