/*
 * tls.h: TLS by OpenSSL over any transport: a socket, or a protocol that wraps
 * the handshake in packets of its own.
 *
 * Chain and host name are verified by OpenSSL, never by us, against the system's
 * authorities or a file of the user's. Without verification nothing is: that is
 * the user's explicit word. A failed verification says what was expected, what
 * was seen, and what to do.
 *
 * All-zero is no TLS; it may be released, twice. One thread at a time.
 */
#ifndef HAUL_BASE_TLS_H
#define HAUL_BASE_TLS_H

#include "base/error.h"

/* As socket_read and socket_write. `flush` ends a flight of the handshake; NULL
 * when every write goes out at once. */
struct tls_transport {
    void *user;
    enum haul_code (*read)(void *user, void *data, size_t size, size_t *got, struct haul_error *err);
    enum haul_code (*write)(void *user, const void *data, size_t size, struct haul_error *err);
    enum haul_code (*flush)(void *user, struct haul_error *err);
};

struct socket;
struct tls_transport tls_over_socket(struct socket *sock);

struct tls_options {
    const char *host;             /* the name asked for, sent as SNI unless it is an address */
    const char *certificate_host; /* the name the certificate must have; NULL: host */
    const char *ca_file;          /* PEM; NULL: the system's */
    const char *pinned_file; /* PEM or DER: the certificate itself must be this one, instead of a chain */
    const char *alpn;        /* one protocol, which must then be chosen; NULL none */
    bool trust;              /* verify nothing */
    bool tls12_at_most;
    const char *advice; /* for the error of a refused certificate: how to say otherwise */
};

struct tls {
    struct tls_state *state;
};

enum haul_code tls_open(struct tls *tls, const struct tls_options *options,
                        const struct tls_transport *transport, struct haul_error *err);

/* Frees without telling the other end; tls_end says goodbye before it. */
void tls_release(struct tls *tls);
void tls_end(struct tls *tls);

enum haul_code tls_read(struct tls *tls, void *data, size_t size, size_t *got, struct haul_error *err);
enum haul_code tls_write(struct tls *tls, const void *data, size_t size, struct haul_error *err);

bool tls_is_pending(const struct tls *tls); /* bytes are decrypted, or read ahead, already */

/* After the handshake, when all further bytes are TLS: fewer, larger reads. */
void tls_read_ahead(struct tls *tls);

/* Our Finished message, which channel bindings of TLS 1.2 use; returns its length. */
size_t tls_finished(const struct tls *tls, void *out, size_t size);

const char *tls_version(const struct tls *tls); /* "TLSv1.3"; "" when not open */
const char *tls_cipher(const struct tls *tls);  /* "TLS_AES_256_GCM_SHA384"; "" when not open */

/* What the server's certificate says of itself. */
struct tls_certificate {
    char names[256], issuer[256], until[64];
};
void tls_certificate(const struct tls *tls, struct tls_certificate *out);

/* ---- looking only ---- */

#define TLS_WAYS_OUT                                                                                         \
    "Ways out: --tls-ca FILE with the authority that issued it; the host name that it is for; a new "        \
    "certificate; or --trust-cert, which takes any (not safe)"

/* A connection of its own, up to the handshake: to say in words what a client
 * library only refuses, and to see the certificate. `prepare` speaks the
 * protocol until the handshake may begin. */
struct tls_look {
    const char *host;
    int port;
    int64_t wait_ms;
    const struct cancel *cancel;
    enum haul_code (*prepare)(struct socket *sock, struct haul_error *err);
};
enum haul_code tls_look(const struct tls_look *look, const struct tls_options *options,
                        struct tls_certificate *seen, struct haul_error *err);

#endif
