/*
 * certificate.c: the server's certificate, seen by ourselves.
 *
 * libpq says "certificate verify failed" and no more. To say what was expected
 * and what is there, the same server is asked once more by our own TLS client,
 * up to the handshake: SSLRequest (PostgreSQL's protocol, "SSL Session
 * Encryption"), one byte of answer, TLS.
 */
#include "database/postgres/connect.h"

#include "base/socket.h"
#include <stdlib.h>
#include <string.h>

#define LOOK_WAIT_MS 5000

static enum haul_code ask_tls(struct socket *sock, struct haul_error *err)
{
    static const uint8_t request[8] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};
    uint8_t answer = 0;
    size_t got = 0;
    if (socket_write(sock, request, sizeof request, err) || socket_read(sock, &answer, 1, &got, err))
        return err->code;
    return got && answer == 'S' ? HAUL_OK : error_set(err, HAUL_UNSUPPORTED, "the server has no TLS");
}

static const char *value(const PQconninfoOption *options, const char *key)
{
    for (const PQconninfoOption *at = options; at && at->keyword; at++)
        if (strcmp(at->keyword, key) == 0)
            return at->val && *at->val ? at->val : NULL;
    return NULL;
}

enum haul_code pg_certificate(const struct connection *connection, bool judge, struct tls_certificate *seen,
                              struct haul_error *err)
{
    PQconninfoOption *options = connection->pg ? PQconninfo(connection->pg) : NULL;
    const char *host = value(options, "host"), *address = value(options, "hostaddr");
    const char *port = value(options, "port");
    const char *ca = value(options, "sslrootcert");
    const struct tls_look look = {.host = address ? address : host,
                                  .port = port ? atoi(port) : 5432,
                                  .wait_ms = LOOK_WAIT_MS,
                                  .cancel = connection->cancel,
                                  .prepare = ask_tls};
    const struct tls_options tls = {
        .host = host ? host : address, .ca_file = ca, .trust = !judge, .advice = TLS_WAYS_OUT};
    enum haul_code code;
    if (!look.host || *look.host == '/' || strchr(look.host, ',') || look.port < 1 || look.port > 65535)
        code = error_set(err, HAUL_UNSUPPORTED, "there is no one server to look at");
    else
        code = tls_look(&look, &tls, seen, err);
    PQconninfoFree(options);
    return code;
}
