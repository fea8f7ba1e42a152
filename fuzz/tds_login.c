/*
 * tds_login: any bytes as what a server says before we are in.
 *
 * The bytes are packets: first the answer to PRELOGIN, then, when that is one,
 * answers to LOGIN7 (ENVCHANGE, LOGINACK, features, SSPI, routes, messages). Two
 * things of ours wait for it: a session, and one that offers Kerberos. The same
 * bytes end the same way twice.
 */
#include "fuzz.h"

#include "database/mssql/session.h"

#include <sys/socket.h>
#include <unistd.h>

#define PACKETS_MAX 60000
#define EVENTS_MAX  1000

static enum haul_code greet(struct session *session, struct haul_error *err)
{
    enum ms_encryption encryption;
    enum ms_event event = MS_DONE;
    struct buffer none = {0};
    if (ms_prelogin(session, ENCRYPTION_OFF, &encryption, err))
        return err->code;
    must(encryption <= ENCRYPTION_REQUIRED);
    if (ms_send_login(session, "db", &none, err))
        return err->code;
    ms_wire_next_message(&session->wire);
    session->answering = true;
    for (int i = 0; i < EVENTS_MAX && event != MS_END; i++)
        if (ms_next(session, &event, err))
            return err->code;
    return HAUL_OK;
}

static enum haul_code visit(const struct food *food, struct kerberos *kerberos)
{
    int fds[2], room = 4 << 20;
    struct haul_error err = {0};
    struct server server = {.name = "db", .host = "db", .user = "sa", .packet_bytes = 4096};
    struct session session = {.server = &server, .kerberos = kerberos};
    context_init(&session.context);
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    (void)setsockopt(fds[1], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
    must(!ms_wire_init(&session.wire, &err));
    must(!socket_adopt(&session.wire.sock, fds[0], "db", &err));
    (void)!send(fds[1], food->data, food->length, MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(fds[1], SHUT_WR);
    enum haul_code code = greet(&session, &err);
    must_be_told(code, &err);
    must(session.wire.packet_bytes >= PACKET_BYTES_MIN && session.wire.packet_bytes <= PACKET_BYTES_MAX);
    must(session.proof.length <= UINT16_MAX && memchr(session.route.host, 0, sizeof session.route.host));
    ms_disconnect(&session);
    close(fds[1]);
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct food food = {data, length > PACKETS_MAX ? PACKETS_MAX : length};
    struct kerberos kerberos = {0};
    enum haul_code first = visit(&food, NULL);
    must(first == visit(&food, NULL));
    (void)visit(&food, &kerberos);
    return 0;
}
