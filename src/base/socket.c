/*
 * socket.c: connecting to the first address that answers, and waits in steps.
 *
 * The descriptor never blocks; poll does, SOCKET_POLL_MS at a time, and between
 * two steps the cancel signal and the deadline are looked at. A refused address
 * starts the next one at once, a silent one after START_NEXT_NS: so a dead first
 * address of two costs a quarter of a second, not the whole wait.
 *
 * Keepalive finds a peer that is gone after about 75 s without traffic.
 */
#include "base/socket.h"

#include "base/clock.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define START_NEXT_NS ((int64_t)250 * 1000000)

static bool is_cancelled(const struct cancel *cancel)
{
    return cancel && atomic_load(&cancel->asked);
}

static enum haul_code fail_network(struct haul_error *err, int errnum, const char *message)
{
    error_set(err, HAUL_NETWORK, "%s", message);
    err->retryable = true;
    err->vendor_code = errnum;
    return err->code;
}

bool socket_is_address(const char *host)
{
    unsigned char unused[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, unused) == 1 || inet_pton(AF_INET6, host, unused) == 1;
}

/* ---- names ---- */

static enum haul_code look_up(const struct socket_target *target, int type, struct addrinfo **found,
                              struct haul_error *err)
{
    char port[16];
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = type, .ai_flags = AI_ADDRCONFIG};
    if (target->port < 1 || target->port > 65535)
        return error_set(err, HAUL_USAGE, "port %d is none; ports are 1 to 65535", target->port);
    snprintf(port, sizeof port, "%d", target->port);
    int result = getaddrinfo(target->host, port, &hints, found);
    if (result == EAI_FAMILY || result == EAI_NONAME || result == EAI_ADDRFAMILY) { /* loopback alone is up */
        hints.ai_flags = 0;
        result = getaddrinfo(target->host, port, &hints, found);
    }
    if (result == 0)
        return HAUL_OK;
    error_set(err, result == EAI_MEMORY ? HAUL_NOMEM : HAUL_NETWORK,
              "host \"%s\" was not found (%s); check the name, or give its address", target->host,
              gai_strerror(result));
    err->retryable = result == EAI_AGAIN;
    return err->code;
}

/* ---- connecting ---- */

struct attempt {
    struct pollfd polls[SOCKET_ADDRESSES_MAX];
    int count;
    int last_errno;
    const struct addrinfo *next;
    int64_t next_ns;
};

static void set_options(int fd)
{
    int on = 1, idle_s = 15, interval_s = 15, probes = 4;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

static void start_next(struct attempt *attempt)
{
    const struct addrinfo *address = attempt->next;
    attempt->next = address->ai_next;
    attempt->next_ns = clock_now_ns() + START_NEXT_NS;
    int fd =
        socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address->ai_protocol);
    if (fd < 0) {
        attempt->last_errno = errno;
        return;
    }
    set_options(fd);
    if (connect(fd, address->ai_addr, address->ai_addrlen) != 0 && errno != EINPROGRESS) {
        attempt->last_errno = errno;
        close(fd);
        return;
    }
    attempt->polls[attempt->count++] = (struct pollfd){.fd = fd, .events = POLLOUT};
}

/* The descriptor that is connected now, or -1; failed ones are closed. */
static int take_connected(struct attempt *attempt)
{
    for (int i = 0; i < attempt->count; i++) {
        int failure = 0;
        socklen_t size = sizeof failure;
        if (!attempt->polls[i].revents)
            continue;
        int fd = attempt->polls[i].fd;
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0)
            failure = errno;
        attempt->polls[i] = attempt->polls[--attempt->count];
        if (failure == 0)
            return fd;
        attempt->last_errno = failure;
        close(fd);
        attempt->next_ns = 0;
        i--;
    }
    return -1;
}

static enum haul_code fail_connect(const struct socket *sock, const struct attempt *attempt, bool late,
                                   struct haul_error *err)
{
    char message[512];
    if (late)
        snprintf(message, sizeof message,
                 "%s: no answer in time; is the server up, host and port right, and does no firewall drop "
                 "the packets?",
                 sock->peer);
    else if (attempt->last_errno == ECONNREFUSED)
        snprintf(message, sizeof message,
                 "%s: connection refused; is the server up, and does it listen on this port?", sock->peer);
    else
        snprintf(message, sizeof message, "%s: no connection: %s", sock->peer,
                 strerrordesc_np(attempt->last_errno) ? strerrordesc_np(attempt->last_errno)
                                                      : "unknown error");
    return fail_network(err, late ? ETIMEDOUT : attempt->last_errno, message);
}

static enum haul_code try_addresses(struct socket *sock, const struct socket_target *target,
                                    struct attempt *attempt, struct haul_error *err)
{
    int64_t until_ns = clock_now_ns() + target->wait_ms * 1000000;
    while (attempt->next || attempt->count) {
        int64_t now_ns = clock_now_ns();
        if (is_cancelled(target->cancel))
            return error_set(err, HAUL_CANCELLED, "cancelled");
        if (now_ns > until_ns)
            return fail_connect(sock, attempt, true, err);
        bool due = now_ns >= attempt->next_ns || target->at_once || attempt->count == 0;
        if (attempt->next && due && attempt->count < SOCKET_ADDRESSES_MAX) {
            start_next(attempt);
            continue;
        }
        (void)poll(attempt->polls, (nfds_t)attempt->count, SOCKET_POLL_MS);
        int fd = take_connected(attempt);
        if (fd >= 0) {
            sock->fd = fd;
            sock->opened = true;
            return HAUL_OK;
        }
    }
    return fail_connect(sock, attempt, false, err);
}

static void name_peer(struct socket *sock, const struct socket_target *target)
{
    bool colons = strchr(target->host, ':') != NULL;
    snprintf(sock->peer, sizeof sock->peer, colons ? "[%.255s]:%d" : "%.255s:%d", target->host, target->port);
}

enum haul_code socket_connect(struct socket *sock, const struct socket_target *target, struct haul_error *err)
{
    struct addrinfo *found = NULL;
    *sock = (struct socket){.cancel = target->cancel};
    name_peer(sock, target);
    if (look_up(target, SOCK_STREAM, &found, err))
        return err->code;
    struct attempt attempt = {.next = found, .last_errno = EHOSTUNREACH};
    enum haul_code code = try_addresses(sock, target, &attempt, err);
    for (int i = 0; i < attempt.count; i++)
        close(attempt.polls[i].fd);
    freeaddrinfo(found);
    return code;
}

enum haul_code socket_adopt(struct socket *sock, int fd, const char *peer, struct haul_error *err)
{
    *sock = (struct socket){.fd = fd};
    snprintf(sock->peer, sizeof sock->peer, "%s", peer);
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
        return error_set_errno(err, errno, "%s", peer);
    sock->opened = true;
    return HAUL_OK;
}

void socket_close(struct socket *sock)
{
    if (sock->opened)
        close(sock->fd);
    sock->opened = false;
}

/* ---- reading and writing ---- */

static enum haul_code wait_for(struct socket *sock, short events, struct haul_error *err)
{
    struct pollfd wait = {.fd = sock->fd, .events = events};
    for (;;) {
        if (is_cancelled(sock->cancel))
            return error_set(err, HAUL_CANCELLED, "cancelled");
        if (sock->until_ns && clock_now_ns() > sock->until_ns) {
            error_set(err, HAUL_NETWORK, "%s: no answer in time", sock->peer);
            err->retryable = true;
            err->vendor_code = ETIMEDOUT;
            return err->code;
        }
        if (poll(&wait, 1, SOCKET_POLL_MS) > 0)
            return HAUL_OK;
    }
}

static enum haul_code fail_io(const struct socket *sock, int errnum, struct haul_error *err)
{
    char message[SOCKET_PEER_BYTES + 128];
    const char *why = strerrordesc_np(errnum);
    snprintf(message, sizeof message, "%s: the connection was lost: %s", sock->peer,
             why ? why : "unknown error");
    return fail_network(err, errnum, message);
}

enum haul_code socket_read(struct socket *sock, void *data, size_t size, size_t *got, struct haul_error *err)
{
    *got = 0;
    if (!sock->opened)
        return fail_io(sock, ENOTCONN, err);
    for (;;) {
        ssize_t result = recv(sock->fd, data, size, 0);
        if (result >= 0) {
            *got = (size_t)result;
            return HAUL_OK;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return fail_io(sock, errno, err);
        if (wait_for(sock, POLLIN, err))
            return err->code;
    }
}

enum haul_code socket_write(struct socket *sock, const void *data, size_t size, struct haul_error *err)
{
    const char *at = data;
    if (!sock->opened)
        return fail_io(sock, ENOTCONN, err);
    while (size) {
        ssize_t result = send(sock->fd, at, size, MSG_NOSIGNAL);
        if (result >= 0) {
            at += result;
            size -= (size_t)result;
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return fail_io(sock, errno, err);
        if (wait_for(sock, POLLOUT, err))
            return err->code;
    }
    return HAUL_OK;
}

bool socket_is_readable(const struct socket *sock, int wait_ms)
{
    struct pollfd wait = {.fd = sock->fd, .events = POLLIN};
    return sock->opened && poll(&wait, 1, wait_ms) > 0;
}

/* ---- datagrams ---- */

/* Asks one address; *got 0 when it keeps silent. */
static enum haul_code ask_address(int fd, const struct socket_target *target,
                                  const struct socket_question *question, size_t *got, struct haul_error *err)
{
    int64_t step_ns = target->wait_ms * 1000000 / (question->tries > 0 ? question->tries : 1);
    for (int i = 0; i < question->tries; i++) {
        int64_t until_ns = clock_now_ns() + step_ns;
        if (send(fd, question->data, question->length, MSG_NOSIGNAL) < 0)
            return HAUL_OK;
        while (clock_now_ns() < until_ns) {
            struct pollfd wait = {.fd = fd, .events = POLLIN};
            if (is_cancelled(target->cancel))
                return error_set(err, HAUL_CANCELLED, "cancelled");
            if (poll(&wait, 1, SOCKET_POLL_MS) <= 0)
                continue;
            ssize_t result = recv(fd, question->answer, question->answer_size, 0);
            if (result <= 0)
                return HAUL_OK;
            *got = (size_t)result;
            return HAUL_OK;
        }
    }
    return HAUL_OK;
}

enum haul_code socket_ask(const struct socket_target *target, const struct socket_question *question,
                          size_t *got, struct haul_error *err)
{
    struct addrinfo *found = NULL;
    enum haul_code code = HAUL_OK;
    *got = 0;
    if (look_up(target, SOCK_DGRAM, &found, err))
        return err->code;
    for (const struct addrinfo *at = found; at && !*got && !code; at = at->ai_next) {
        int fd = socket(at->ai_family, at->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, at->ai_protocol);
        if (fd < 0)
            continue;
        if (connect(fd, at->ai_addr, at->ai_addrlen) == 0)
            code = ask_address(fd, target, question, got, err);
        close(fd);
    }
    freeaddrinfo(found);
    if (code || *got)
        return code;
    char message[512];
    snprintf(message, sizeof message, "%.255s: UDP port %d does not answer", target->host, target->port);
    return fail_network(err, ETIMEDOUT, message);
}
