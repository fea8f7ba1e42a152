/*
 * socket.h: the network door. A TCP connection that waits in steps, so that a
 * run can be cancelled and a deadline kept; and one question by datagram.
 *
 * A name may have many addresses: they are tried in order, the
 * next one each quarter second beside those under way, and the first that answers is taken. Nothing
 * here raises SIGPIPE. Looking up a name is the system's resolver's work; it
 * keeps its own limits and cannot be interrupted.
 *
 * All-zero is a closed socket; it may be closed, twice. One thread at a time.
 */
#ifndef HAUL_BASE_SOCKET_H
#define HAUL_BASE_SOCKET_H

#include "base/context.h"

#define SOCKET_POLL_MS       50
#define SOCKET_PEER_BYTES    280
#define SOCKET_ADDRESSES_MAX 64

struct socket {
    bool opened;
    int fd;
    const struct cancel *cancel;  /* may be NULL */
    int64_t until_ns;             /* no wait lasts beyond this moment of clock_now_ns; 0: no limit */
    char peer[SOCKET_PEER_BYTES]; /* "host:port" as it was asked for, for messages */
};

struct socket_target {
    const char *host;
    int port;
    int64_t wait_ms; /* for all addresses together */
    bool at_once;    /* try all addresses at the same time (several subnets) */
    const struct cancel *cancel;
};

enum haul_code socket_connect(struct socket *sock, const struct socket_target *target,
                              struct haul_error *err);
void socket_close(struct socket *sock);

/* Takes over a descriptor that is connected already (tests, a handed-over one). */
enum haul_code socket_adopt(struct socket *sock, int fd, const char *peer, struct haul_error *err);

/* At least one byte, at most `size`; *got 0: the other end has closed. */
enum haul_code socket_read(struct socket *sock, void *data, size_t size, size_t *got, struct haul_error *err);

/* All of it. */
enum haul_code socket_write(struct socket *sock, const void *data, size_t size, struct haul_error *err);

/* Has the other end sent something (or closed)? Waits at most `wait_ms`. */
bool socket_is_readable(const struct socket *sock, int wait_ms);

/* Is the host an address rather than a name: "10.0.0.1", "::1"? */
bool socket_is_address(const char *host);

/* Sends a question by UDP, up to `tries` times in the target's wait, and takes
 * the first answer: at most `answer_size` bytes of it, *got of them. */
struct socket_question {
    const void *data;
    size_t length;
    int tries;
    void *answer;
    size_t answer_size;
};
enum haul_code socket_ask(const struct socket_target *target, const struct socket_question *question,
                          size_t *got, struct haul_error *err);

#endif
