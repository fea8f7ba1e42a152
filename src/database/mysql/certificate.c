/*
 * certificate.c: the server's certificate, seen by ourselves.
 *
 * libmariadb says that a certificate is refused and no more. To say what was
 * expected and what is there, the same server is asked once more by our own TLS
 * client, up to the handshake: its greeting (protocol version 10), our
 * SSLRequest packet, TLS.
 */
#include "database/mysql/connect.h"

#include "base/socket.h"

#define LOOK_WAIT_MS       5000
#define GREETING_BYTES_MAX 4096
#define DEFAULT_PORT       3306

static enum haul_code read_exactly(struct socket *sock, uint8_t *data, size_t size, struct haul_error *err)
{
    for (size_t done = 0, got; done < size; done += got) {
        if (socket_read(sock, data + done, size - done, &got, err))
            return err->code;
        if (!got)
            return error_set(err, HAUL_NETWORK, "%s: the server closed the connection", sock->peer);
    }
    return HAUL_OK;
}

static enum haul_code ask_tls(struct socket *sock, struct haul_error *err)
{
    /* length 32, sequence 1; PROTOCOL_41, SSL, SECURE_CONNECTION, PLUGIN_AUTH; 16 MiB; utf8mb4 */
    static const uint8_t request[36] = {32, 0, 0, 1, 0x00, 0x8a, 0x08, 0x00, 0, 0, 0, 1, 45};
    uint8_t head[4], greeting[GREETING_BYTES_MAX];
    if (read_exactly(sock, head, sizeof head, err))
        return err->code;
    size_t length = (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16;
    if (length < 2 || length > sizeof greeting)
        return error_set(err, HAUL_DATA, "%s: this is no MySQL server", sock->peer);
    if (read_exactly(sock, greeting, length, err))
        return err->code;
    if (greeting[0] != 10)
        return error_set(err, HAUL_UNSUPPORTED, "%s: the server has no greeting of version 10", sock->peer);
    return socket_write(sock, request, sizeof request, err);
}

enum haul_code my_certificate(const struct connection *connection, bool judge, struct tls_certificate *seen,
                              struct haul_error *err)
{
    const struct server *server = connection->server;
    const struct tls_look look = {.host = server->host,
                                  .port = server->port ? (int)server->port : DEFAULT_PORT,
                                  .wait_ms = LOOK_WAIT_MS,
                                  .cancel = connection->cancel,
                                  .prepare = ask_tls};
    const struct tls_options tls = {
        .host = server->host, .ca_file = server->ca, .trust = !judge, .advice = TLS_WAYS_OUT};
    if (server->socket)
        return error_set(err, HAUL_UNSUPPORTED, "a Unix socket has no TLS");
    return tls_look(&look, &tls, seen, err);
}
