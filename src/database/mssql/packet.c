/*
 * packet.c: packets in and out.
 *
 * One receive takes what the kernel has, up to IN_BYTES: many packets. The
 * window walks over them where they lie. A receive happens only when all bytes
 * were looked at, save a header cut in two, whose few bytes are the only ones
 * that move.
 *
 * A packet's length must be 8 to 32,768 whatever was negotiated (some servers
 * count the header, some do not); its type must be the one that is awaited.
 */
#include "database/mssql/packet.h"

#include <stdlib.h>

#define IN_BYTES          ((size_t)256 * 1024)
#define IN_PADDING        16 /* windows may be read beyond their end */
#define LENGTH_MAX        32768
#define OUT_BYTES         (PACKET_BYTES_MAX + 1 + WIRE_SLACK)
#define EMPTY_PACKETS_MAX 1000

enum { STATUS_LAST = 0x01, STATUS_IGNORE = 0x02 };

enum haul_code ms_wire_init(struct wire *wire, struct haul_error *err)
{
    wire->in = malloc(IN_BYTES + IN_PADDING);
    wire->out = malloc(OUT_BYTES);
    wire->at = wire->end = wire->here = wire->in;
    wire->packet_bytes = PACKET_BYTES_LOGIN;
    if (wire->in && wire->out)
        return HAUL_OK;
    ms_wire_release(wire);
    return error_nomem(err, "a connection");
}

void ms_wire_release(struct wire *wire)
{
    tls_release(&wire->tls);
    socket_close(&wire->sock);
    if (wire->out)
        explicit_bzero(wire->out, OUT_BYTES); /* a login went through it */
    free(wire->in);
    free(wire->out);
    wire->in = wire->out = NULL;
    wire->at = wire->end = wire->here = NULL;
}

/* ---- reading ---- */

static enum haul_code fail_packet(const struct wire *wire, const char *what, unsigned number,
                                  struct haul_error *err)
{
    return error_set(err, HAUL_DATA, "%s: the server's answer is malformed: %s %u; is it an SQL Server?",
                     wire->sock.peer, what, number);
}

static enum haul_code receive(struct wire *wire, struct haul_error *err)
{
    size_t kept = (size_t)(wire->here - wire->end), got = 0;
    memmove(wire->in, wire->end, kept); /* at most a header */
    wire->at = wire->end = wire->in;
    wire->here = wire->in + kept;
    enum haul_code code = wire->encrypted
                              ? tls_read(&wire->tls, wire->in + kept, IN_BYTES - kept, &got, err)
                              : socket_read(&wire->sock, wire->in + kept, IN_BYTES - kept, &got, err);
    if (code)
        return code;
    wire->here += got;
    if (got)
        return HAUL_OK;
    error_set(err, HAUL_NETWORK, "%s: the server closed the connection", wire->sock.peer);
    err->retryable = true;
    return err->code;
}

static enum haul_code open_packet(struct wire *wire, struct haul_error *err)
{
    const uint8_t *header = wire->end;
    unsigned type = header[0], length = (unsigned)header[2] << 8 | header[3];
    if (type != PACKET_ANSWER && !(wire->wrapping && type == PACKET_PRELOGIN))
        return fail_packet(wire, "packet type", type, err);
    if (length < PACKET_HEADER || length > LENGTH_MAX)
        return fail_packet(wire, "packet length", length, err);
    wire->last = header[1] & STATUS_LAST;
    wire->packet_left = length - PACKET_HEADER;
    wire->payload += wire->packet_left;
    wire->at = wire->end = header + PACKET_HEADER;
    return HAUL_OK;
}

enum haul_code ms_wire_more(struct wire *wire, struct haul_error *err)
{
    int empty = 0;
    while (wire->at == wire->end && !wire->ended) {
        size_t unseen = (size_t)(wire->here - wire->end);
        if (wire->packet_left && unseen) {
            size_t size = unseen < wire->packet_left ? unseen : wire->packet_left;
            wire->end += size;
            wire->packet_left -= size;
        } else if (wire->packet_left == 0 && wire->last) {
            wire->ended = true;
        } else if (wire->packet_left == 0 && unseen >= PACKET_HEADER) {
            if (++empty > EMPTY_PACKETS_MAX)
                return fail_packet(wire, "empty packets:", EMPTY_PACKETS_MAX, err);
            if (open_packet(wire, err))
                return err->code;
        } else if (receive(wire, err)) {
            return err->code;
        }
    }
    return HAUL_OK;
}

void ms_wire_next_message(struct wire *wire)
{
    wire->last = false;
    wire->ended = false;
}

enum haul_code ms_wire_read(struct wire *wire, void *data, size_t size, struct haul_error *err)
{
    uint8_t *to = data;
    while (size) {
        if (wire->at == wire->end && ms_wire_more(wire, err))
            return err->code;
        if (wire->ended)
            return error_set(err, HAUL_DATA, "%s: the server's answer ends in the middle of a token",
                             wire->sock.peer);
        size_t here = (size_t)(wire->end - wire->at), step = size < here ? size : here;
        memcpy(to, wire->at, step);
        wire->at += step;
        to += step;
        size -= step;
    }
    return HAUL_OK;
}

enum haul_code ms_wire_skip(struct wire *wire, uint64_t size, struct haul_error *err)
{
    while (size) {
        if (wire->at == wire->end && ms_wire_more(wire, err))
            return err->code;
        if (wire->ended)
            return error_set(err, HAUL_DATA, "%s: the server's answer ends in the middle of a token",
                             wire->sock.peer);
        uint64_t here = (uint64_t)(wire->end - wire->at), step = size < here ? size : here;
        wire->at += step;
        size -= step;
    }
    return HAUL_OK;
}

enum haul_code ms_wire_drain(struct wire *wire, struct haul_error *err)
{
    while (!wire->ended) {
        wire->at = wire->end;
        if (ms_wire_more(wire, err))
            return err->code;
    }
    return HAUL_OK;
}

/* ---- writing ---- */

void ms_wire_begin(struct wire *wire, enum packet_type type)
{
    wire->out_type = (uint8_t)type;
    wire->out_number = 0;
    wire->out_used = PACKET_HEADER;
    wire->sending = true;
}

static enum haul_code send_bytes(struct wire *wire, size_t size, struct haul_error *err)
{
    return wire->encrypted ? tls_write(&wire->tls, wire->out, size, err)
                           : socket_write(&wire->sock, wire->out, size, err);
}

static enum haul_code send_packet(struct wire *wire, uint8_t status, struct haul_error *err)
{
    uint8_t *header = wire->out;
    header[0] = wire->out_type;
    header[1] = status;
    header[2] = (uint8_t)(wire->out_used >> 8);
    header[3] = (uint8_t)wire->out_used;
    header[4] = header[5] = 0;
    header[6] = ++wire->out_number;
    header[7] = 0;
    size_t size = wire->out_used;
    wire->sent += size;
    wire->out_used = PACKET_HEADER;
    enum haul_code code = send_bytes(wire, size, err);
    if (code) /* half of it may be out: the server would read on in what came next */
        socket_close(&wire->sock);
    return code;
}

/* The packet that is full is sent when more bytes come: the last one is known then. */
enum haul_code ms_wire_put(struct wire *wire, const void *data, size_t size, struct haul_error *err)
{
    const uint8_t *from = data;
    while (size) {
        size_t room = wire->packet_bytes - wire->out_used;
        if (room == 0) {
            if (send_packet(wire, 0, err))
                return err->code;
            continue;
        }
        size_t step = size < room ? size : room;
        memcpy(wire->out + wire->out_used, from, step);
        wire->out_used += step;
        from += step;
        size -= step;
    }
    return HAUL_OK;
}

enum haul_code ms_wire_end(struct wire *wire, struct haul_error *err)
{
    wire->sending = false;
    return send_packet(wire, STATUS_LAST, err);
}

enum haul_code ms_wire_abandon(struct wire *wire, struct haul_error *err)
{
    wire->sending = false;
    return send_packet(wire, STATUS_LAST | STATUS_IGNORE, err);
}

enum haul_code ms_wire_attention(struct wire *wire, struct haul_error *err)
{
    ms_wire_begin(wire, PACKET_ATTENTION);
    return ms_wire_end(wire, err);
}

/* ---- TLS ---- */

enum haul_code ms_wire_tls(struct wire *wire, const struct tls_options *options, struct haul_error *err)
{
    struct tls_transport transport = tls_over_socket(&wire->sock);
    if (tls_open(&wire->tls, options, &transport, err))
        return err->code;
    tls_read_ahead(&wire->tls);
    wire->encrypted = true;
    return HAUL_OK;
}

static enum haul_code read_wrapped(void *user, void *data, size_t size, size_t *got, struct haul_error *err)
{
    struct wire *wire = user;
    if (!wire->wrapping)
        return socket_read(&wire->sock, data, size, got, err);
    for (;;) {
        if (ms_wire_more(wire, err))
            return err->code;
        if (!wire->ended)
            break;
        ms_wire_next_message(wire);
    }
    size_t here = (size_t)(wire->end - wire->at);
    *got = size < here ? size : here;
    memcpy(data, wire->at, *got);
    wire->at += *got;
    return HAUL_OK;
}

static enum haul_code write_wrapped(void *user, const void *data, size_t size, struct haul_error *err)
{
    struct wire *wire = user;
    if (!wire->wrapping)
        return socket_write(&wire->sock, data, size, err);
    if (!wire->sending)
        ms_wire_begin(wire, PACKET_PRELOGIN);
    return ms_wire_put(wire, data, size, err);
}

static enum haul_code flush_wrapped(void *user, struct haul_error *err)
{
    struct wire *wire = user;
    return wire->wrapping && wire->sending ? ms_wire_end(wire, err) : HAUL_OK;
}

enum haul_code ms_wire_tls_wrapped(struct wire *wire, const struct tls_options *options,
                                   struct haul_error *err)
{
    struct tls_transport transport = {wire, read_wrapped, write_wrapped, flush_wrapped};
    wire->wrapping = true;
    ms_wire_next_message(wire);
    enum haul_code code = tls_open(&wire->tls, options, &transport, err);
    if (!code)
        code = flush_wrapped(wire, err);
    wire->wrapping = false;
    if (code)
        return code;
    if (!ms_wire_is_empty(wire) || wire->packet_left)
        return error_set(err, HAUL_TLS,
                         "%s: there are bytes behind the TLS handshake; somebody may have put them there",
                         wire->sock.peer);
    wire->encrypted = true;
    return HAUL_OK;
}

void ms_wire_tls_stop(struct wire *wire)
{
    wire->encrypted = false;
}
