/*
 * tls.c: one TLS client connection.
 *
 * OpenSSL reads and writes through a BIO of ours that calls the transport, which
 * waits, can be cancelled, and tells its own errors: an error of the transport
 * is kept and wins over what OpenSSL makes of it.
 *
 * The host name is set as a verification parameter (name or address), partial
 * wildcards are off, and a pinned certificate replaces the chain by comparing
 * bytes. TLS 1.2 is the oldest version spoken.
 */
#include "base/tls.h"

#include "base/clock.h"
#include "base/socket.h"
#include "base/tls_refusal.h"
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define READ_AHEAD_BYTES ((size_t)64 * 1024)
#define ALPN_BYTES_MAX   64

struct tls_state {
    struct tls_transport transport;
    SSL_CTX *context;
    SSL *ssl;
    BIO_METHOD *method;
    struct haul_error failure; /* of the transport */
    X509 *refused;             /* the server's certificate, when OpenSSL refused it */
    bool ended;                /* the transport gave no more bytes */
};

/* ---- transports ---- */

static enum haul_code read_socket(void *user, void *data, size_t size, size_t *got, struct haul_error *err)
{
    return socket_read(user, data, size, got, err);
}

static enum haul_code write_socket(void *user, const void *data, size_t size, struct haul_error *err)
{
    return socket_write(user, data, size, err);
}

struct tls_transport tls_over_socket(struct socket *sock)
{
    return (struct tls_transport){.user = sock, .read = read_socket, .write = write_socket};
}

static int bio_read(BIO *bio, char *data, size_t size, size_t *got)
{
    struct tls_state *state = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *got = 0;
    if (state->failure.code)
        return 0;
    if (state->transport.read(state->transport.user, data, size, got, &state->failure)) {
        if (state->failure.code == HAUL_CANCELLED) /* the connection is good: it may still say goodbye */
            BIO_set_retry_read(bio);
        return 0;
    }
    state->ended = *got == 0;
    return *got > 0;
}

static int bio_write(BIO *bio, const char *data, size_t size, size_t *done)
{
    struct tls_state *state = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *done = 0;
    if (state->failure.code || state->transport.write(state->transport.user, data, size, &state->failure))
        return 0;
    *done = size;
    return 1;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    struct tls_state *state = BIO_get_data(bio);
    (void)number;
    (void)pointer;
    if (command != BIO_CTRL_FLUSH)
        return 0;
    if (!state->transport.flush)
        return 1;
    return !state->failure.code && !state->transport.flush(state->transport.user, &state->failure);
}

static bool set_bio(struct tls_state *state)
{
    state->method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "haul");
    if (!state->method || !BIO_meth_set_read_ex(state->method, bio_read) ||
        !BIO_meth_set_write_ex(state->method, bio_write) || !BIO_meth_set_ctrl(state->method, bio_control))
        return false;
    BIO *bio = BIO_new(state->method);
    if (!bio)
        return false;
    BIO_set_data(bio, state);
    BIO_set_init(bio, 1);
    SSL_set_bio(state->ssl, bio, bio);
    return true;
}

/* ---- errors ---- */

static enum haul_code fail_openssl(struct tls_state *state, const char *what, struct haul_error *err)
{
    unsigned long number = ERR_peek_last_error();
    const char *reason = number ? ERR_reason_error_string(number) : NULL;
    ERR_clear_error();
    if (state && state->failure.code) {
        *err = state->failure;
        if (state->failure.code == HAUL_CANCELLED)
            state->failure = (struct haul_error){0};
        return err->code;
    }
    if (state && state->ended) {
        error_set(err, HAUL_NETWORK, "%s: the other end closed the connection", what);
        err->retryable = true;
        return err->code;
    }
    return error_set(err, HAUL_TLS, "%s: %s", what, reason ? reason : "the other end does not speak TLS");
}

/* ---- opening ---- */

static enum haul_code set_authorities(struct tls_state *state, const struct tls_options *options,
                                      struct haul_error *err)
{
    if (options->trust || options->pinned_file)
        return HAUL_OK;
    int good = options->ca_file ? SSL_CTX_load_verify_file(state->context, options->ca_file)
                                : SSL_CTX_set_default_verify_paths(state->context);
    ERR_clear_error();
    if (good)
        return HAUL_OK;
    return error_set(err, HAUL_TLS, "%s: no certificates of authorities could be read from it",
                     options->ca_file ? options->ca_file : "the system's certificate store");
}

static bool set_name(struct tls_state *state, const struct tls_options *options)
{
    const char *name = options->certificate_host ? options->certificate_host : options->host;
    if (!socket_is_address(options->host) && !SSL_set_tlsext_host_name(state->ssl, options->host))
        return false;
    if (options->trust || options->pinned_file)
        return true;
    X509_VERIFY_PARAM *param = SSL_get0_param(state->ssl);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return socket_is_address(name) ? X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1
                                   : X509_VERIFY_PARAM_set1_host(param, name, 0) == 1;
}

static bool set_alpn(struct tls_state *state, const char *alpn)
{
    unsigned char list[ALPN_BYTES_MAX + 1];
    size_t length = alpn ? strlen(alpn) : 0;
    if (!alpn)
        return true;
    if (length == 0 || length > ALPN_BYTES_MAX)
        return false;
    list[0] = (unsigned char)length;
    memcpy(list + 1, alpn, length);
    return SSL_set_alpn_protos(state->ssl, list, (unsigned)length + 1) == 0;
}

/* OpenSSL forgets a certificate it refuses; the error wants to show it. */
static int keep_refused(int good, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls_state *state = SSL_get_app_data(ssl);
    X509 *certificate = X509_STORE_CTX_get0_cert(store);
    if (!good && !state->refused && certificate && X509_up_ref(certificate))
        state->refused = certificate;
    return good;
}

static enum haul_code prepare(struct tls_state *state, const struct tls_options *options,
                              struct haul_error *err)
{
    state->context = SSL_CTX_new(TLS_client_method());
    if (!state->context || !SSL_CTX_set_min_proto_version(state->context, TLS1_2_VERSION) ||
        !SSL_CTX_set_max_proto_version(state->context, options->tls12_at_most ? TLS1_2_VERSION : 0))
        return fail_openssl(NULL, "TLS", err);
    SSL_CTX_set_mode(state->context, SSL_MODE_AUTO_RETRY);
    bool verify = !options->trust && !options->pinned_file;
    SSL_CTX_set_verify(state->context, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
                       verify ? keep_refused : NULL);
    if (set_authorities(state, options, err))
        return err->code;
    state->ssl = SSL_new(state->context);
    if (!state->ssl || !SSL_set_app_data(state->ssl, state) || !set_bio(state) || !set_name(state, options) ||
        !set_alpn(state, options->alpn))
        return fail_openssl(NULL, "TLS", err);
    return HAUL_OK;
}

static enum haul_code check_alpn(const struct tls_state *state, const struct tls_options *options,
                                 struct haul_error *err)
{
    const unsigned char *chosen = NULL;
    unsigned length = 0;
    if (!options->alpn)
        return HAUL_OK;
    SSL_get0_alpn_selected(state->ssl, &chosen, &length);
    if (chosen && length == strlen(options->alpn) && memcmp(chosen, options->alpn, length) == 0)
        return HAUL_OK;
    return error_set(err, HAUL_TLS, "%s: the server does not speak %s", options->host, options->alpn);
}

static enum haul_code handshake(struct tls_state *state, const struct tls_options *options,
                                struct haul_error *err)
{
    ERR_clear_error();
    int result = SSL_connect(state->ssl);
    if (result == 1 && options->pinned_file && tls_check_pin(state->ssl, options, err))
        return err->code;
    if (result == 1)
        return check_alpn(state, options, err);
    long verdict = SSL_get_verify_result(state->ssl);
    if (verdict != X509_V_OK && !state->failure.code) {
        ERR_clear_error();
        return tls_refuse(state->refused, options, verdict, err);
    }
    fail_openssl(state, "the TLS handshake failed", err);
    return error_prefix(err, "%s", options->host);
}

enum haul_code tls_open(struct tls *tls, const struct tls_options *options,
                        const struct tls_transport *transport, struct haul_error *err)
{
    struct tls_state *state = calloc(1, sizeof *state);
    if (!state)
        return error_nomem(err, "TLS");
    tls->state = state;
    state->transport = *transport;
    if (prepare(state, options, err) || handshake(state, options, err)) {
        tls_release(tls);
        return err->code;
    }
    return HAUL_OK;
}

void tls_release(struct tls *tls)
{
    struct tls_state *state = tls->state;
    if (!state)
        return;
    X509_free(state->refused);
    SSL_free(state->ssl);
    SSL_CTX_free(state->context);
    BIO_meth_free(state->method);
    free(state);
    tls->state = NULL;
}

void tls_end(struct tls *tls)
{
    if (tls->state && !tls->state->failure.code)
        (void)SSL_shutdown(tls->state->ssl);
    ERR_clear_error();
    tls_release(tls);
}

/* ---- reading and writing ---- */

enum haul_code tls_read(struct tls *tls, void *data, size_t size, size_t *got, struct haul_error *err)
{
    struct tls_state *state = tls->state;
    *got = 0;
    ERR_clear_error();
    if (SSL_read_ex(state->ssl, data, size, got))
        return HAUL_OK;
    if (SSL_get_error(state->ssl, 0) == SSL_ERROR_ZERO_RETURN)
        return HAUL_OK;
    return fail_openssl(state, "TLS", err);
}

enum haul_code tls_write(struct tls *tls, const void *data, size_t size, struct haul_error *err)
{
    size_t done = 0;
    ERR_clear_error();
    if (size == 0 || SSL_write_ex(tls->state->ssl, data, size, &done))
        return HAUL_OK;
    return fail_openssl(tls->state, "TLS", err);
}

bool tls_is_pending(const struct tls *tls)
{
    return tls->state && SSL_has_pending(tls->state->ssl);
}

void tls_read_ahead(struct tls *tls)
{
    SSL_set_read_ahead(tls->state->ssl, 1);
    SSL_set_default_read_buffer_len(tls->state->ssl, READ_AHEAD_BYTES);
}

size_t tls_finished(const struct tls *tls, void *out, size_t size)
{
    return tls->state ? SSL_get_finished(tls->state->ssl, out, size) : 0;
}

const char *tls_version(const struct tls *tls)
{
    return tls->state ? SSL_get_version(tls->state->ssl) : "";
}

const char *tls_cipher(const struct tls *tls)
{
    return tls->state ? SSL_get_cipher_name(tls->state->ssl) : "";
}

void tls_certificate(const struct tls *tls, struct tls_certificate *out)
{
    X509 *certificate = tls->state ? SSL_get1_peer_certificate(tls->state->ssl) : NULL;
    *out = (struct tls_certificate){0};
    if (certificate)
        tls_describe(certificate, out);
    X509_free(certificate);
}

enum haul_code tls_look(const struct tls_look *look, const struct tls_options *options,
                        struct tls_certificate *seen, struct haul_error *err)
{
    struct socket sock = {0};
    struct tls tls = {0};
    const struct socket_target target = {
        .host = look->host, .port = look->port, .wait_ms = look->wait_ms, .cancel = look->cancel};
    if (socket_connect(&sock, &target, err))
        return err->code;
    sock.until_ns = clock_now_ns() + look->wait_ms * 1000000;
    const struct tls_transport transport = tls_over_socket(&sock);
    enum haul_code code = look->prepare(&sock, err);
    if (!code)
        code = tls_open(&tls, options, &transport, err);
    if (!code)
        tls_certificate(&tls, seen);
    tls_end(&tls);
    socket_close(&sock);
    return code;
}
