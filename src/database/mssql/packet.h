/*
 * packet.h: TDS packets over one connection: bytes in, bytes out, and nothing of
 * what they mean (MS-TDS, "Packet Header").
 *
 * Reading: the payload of a message is seen through the window [at, end), which
 * never crosses a packet's border; ms_wire_more opens the next one. Bytes are
 * received many packets at a time and never moved. What straddles a border is
 * copied by whoever needs it in one piece (ms_wire_read).
 *
 * Writing: ms_wire_begin, ms_wire_put..., ms_wire_end; a packet is sent when it
 * is full.
 */
#ifndef HAUL_DATABASE_MSSQL_PACKET_H
#define HAUL_DATABASE_MSSQL_PACKET_H

#include "base/socket.h"
#include "base/tls.h"
#include <string.h>

#define PACKET_HEADER      8
#define PACKET_BYTES_MIN   512
#define PACKET_BYTES_MAX   32767
#define PACKET_BYTES_LOGIN 4096
#define WIRE_SLACK         64 /* bytes behind the outgoing packet that may be written over */

enum packet_type {
    PACKET_BATCH = 0x01,
    PACKET_RPC = 0x03,
    PACKET_ANSWER = 0x04,
    PACKET_ATTENTION = 0x06,
    PACKET_BULK = 0x07,
    PACKET_LOGIN = 0x10,
    PACKET_SSPI = 0x11,
    PACKET_PRELOGIN = 0x12
};

struct wire {
    struct socket sock;
    struct tls tls;
    bool encrypted; /* packets are inside of TLS */
    bool wrapping;  /* TLS's handshake is inside of packets */

    uint8_t *in;             /* IN_BYTES */
    const uint8_t *at, *end; /* the window */
    const uint8_t *here;     /* end of what was received */
    size_t packet_left;      /* bytes of the packet behind the window */
    bool last;               /* it is the message's last packet */
    bool ended;              /* the message was read to its end */
    uint64_t payload;        /* bytes of payload seen so far, all messages */

    uint8_t *out; /* PACKET_BYTES_MAX and slack; a bulk load writes into it */
    size_t out_used;
    size_t packet_bytes; /* of what we send */
    uint64_t sent;       /* bytes of all packets */
    uint8_t out_type, out_number;
    bool sending; /* a message is begun and not ended */
};

/* The socket is connected already, or will be set by the caller. */
enum haul_code ms_wire_init(struct wire *wire, struct haul_error *err);
void ms_wire_release(struct wire *wire); /* closes; all-zero is fine, twice too */

/* ---- reading ---- */

/* The next message's bytes; the one before was read to its end. */
void ms_wire_next_message(struct wire *wire);

/* Opens the window when it is empty. Afterwards it is not, or `ended` is true. */
enum haul_code ms_wire_more(struct wire *wire, struct haul_error *err);

/* Exactly `size` bytes; HAUL_DATA when the message ends before. */
enum haul_code ms_wire_read(struct wire *wire, void *data, size_t size, struct haul_error *err);
enum haul_code ms_wire_skip(struct wire *wire, uint64_t size, struct haul_error *err);

/* Reads the rest of the message and throws it away. */
enum haul_code ms_wire_drain(struct wire *wire, struct haul_error *err);

/* Has everything that came been read? Bytes between two protocols are an attack. */
static inline bool ms_wire_is_empty(const struct wire *wire)
{
    return wire->at == wire->end && wire->end == wire->here;
}

static inline enum haul_code ms_wire_u8(struct wire *wire, uint8_t *value, struct haul_error *err)
{
    if (__builtin_expect(wire->at < wire->end, 1)) {
        *value = *wire->at++;
        return HAUL_OK;
    }
    return ms_wire_read(wire, value, 1, err);
}

static inline enum haul_code ms_wire_u16(struct wire *wire, uint16_t *value, struct haul_error *err)
{
    return ms_wire_read(wire, value, sizeof *value, err);
}

static inline enum haul_code ms_wire_u32(struct wire *wire, uint32_t *value, struct haul_error *err)
{
    return ms_wire_read(wire, value, sizeof *value, err);
}

static inline enum haul_code ms_wire_u64(struct wire *wire, uint64_t *value, struct haul_error *err)
{
    return ms_wire_read(wire, value, sizeof *value, err);
}

/* ---- writing ---- */

void ms_wire_begin(struct wire *wire, enum packet_type type);
enum haul_code ms_wire_put(struct wire *wire, const void *data, size_t size, struct haul_error *err);
enum haul_code ms_wire_end(struct wire *wire, struct haul_error *err);

/* Ends a message that is begun so that the server forgets it. */
enum haul_code ms_wire_abandon(struct wire *wire, struct haul_error *err);

enum haul_code ms_wire_attention(struct wire *wire, struct haul_error *err);

static inline enum haul_code ms_wire_put_u8(struct wire *wire, uint8_t value, struct haul_error *err)
{
    return ms_wire_put(wire, &value, sizeof value, err);
}

static inline enum haul_code ms_wire_put_u16(struct wire *wire, uint16_t value, struct haul_error *err)
{
    return ms_wire_put(wire, &value, sizeof value, err);
}

static inline enum haul_code ms_wire_put_u32(struct wire *wire, uint32_t value, struct haul_error *err)
{
    return ms_wire_put(wire, &value, sizeof value, err);
}

static inline enum haul_code ms_wire_put_u64(struct wire *wire, uint64_t value, struct haul_error *err)
{
    return ms_wire_put(wire, &value, sizeof value, err);
}

/* ---- TLS ---- */

/* TLS on the socket, everything inside of it (TDS 8.0). */
enum haul_code ms_wire_tls(struct wire *wire, const struct tls_options *options, struct haul_error *err);

/* The handshake inside PRELOGIN packets, then packets inside of TLS (TDS 7.x). */
enum haul_code ms_wire_tls_wrapped(struct wire *wire, const struct tls_options *options,
                                   struct haul_error *err);

/* Only the login was encrypted: from here on it is clear text both ways. */
void ms_wire_tls_stop(struct wire *wire);

#endif
