/*
 * tls.c: which certificates are taken and which are refused, and with what
 * words. Authority and certificates are made here; the server is OpenSSL in a
 * thread of its own.
 */
#include "base/tls.h"
#include "base/socket.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define DAY_S (24 * 3600L)

struct made {
    EVP_PKEY *key;
    X509 *certificate;
};

struct wish {
    const char *name, *alternative; /* "DNS:db1" */
    long from_s, until_s;
    bool authority;
};

static void add_extension(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* Signed by `by`, or by itself. */
static struct made make(const struct wish *wish, const struct made *by)
{
    struct made made = {EVP_EC_gen("P-256"), X509_new()};
    X509_NAME *name = X509_get_subject_name(made.certificate);
    X509_set_version(made.certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), 1 + (long)strlen(wish->name));
    X509_gmtime_adj(X509_getm_notBefore(made.certificate), wish->from_s);
    X509_gmtime_adj(X509_getm_notAfter(made.certificate), wish->until_s);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)wish->name, -1, -1, 0);
    X509_set_issuer_name(made.certificate, by ? X509_get_subject_name(by->certificate) : name);
    X509_set_pubkey(made.certificate, made.key);
    if (wish->alternative)
        add_extension(made.certificate, NID_subject_alt_name, wish->alternative);
    add_extension(made.certificate, NID_basic_constraints, wish->authority ? "critical,CA:TRUE" : "CA:FALSE");
    assert_true(X509_sign(made.certificate, by ? by->key : made.key, EVP_sha256()) > 0);
    return made;
}

static void made_free(struct made *made)
{
    X509_free(made->certificate);
    EVP_PKEY_free(made->key);
}

static void write_pem(const char *path, X509 *certificate)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    fclose(file);
}

/* ---- the server ---- */

struct server {
    const struct made *made;
    int fd;
    int version_max;
    bool alpn;
    bool plain; /* answers with something else */
    bool cut;   /* closes in the middle */
};

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *length, const unsigned char *in,
                       unsigned in_length, void *user)
{
    (void)ssl;
    (void)user;
    *out = in + 1;
    *length = in[0];
    return in_length > 1 ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

static void serve_tls(const struct server *server)
{
    char seen[64];
    size_t got;
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(context, server->made->certificate);
    SSL_CTX_use_PrivateKey(context, server->made->key);
    if (server->version_max)
        SSL_CTX_set_max_proto_version(context, server->version_max);
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_security_level(context, 0);
    if (server->alpn)
        SSL_CTX_set_alpn_select_cb(context, choose_alpn, NULL);
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, server->fd);
    if (SSL_accept(ssl) == 1 && SSL_read_ex(ssl, seen, sizeof seen, &got)) {
        SSL_write_ex(ssl, seen, got, &got);
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    SSL_CTX_free(context);
}

static void *serve(void *user)
{
    const struct server *server = user;
    char seen[512];
    if (server->plain && recv(server->fd, seen, sizeof seen, 0) > 0)
        (void)!send(server->fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28, MSG_NOSIGNAL);
    else if (server->cut)
        (void)!recv(server->fd, seen, 4, 0);
    else if (!server->plain)
        serve_tls(server);
    shutdown(server->fd, SHUT_WR);
    while (recv(server->fd, seen, sizeof seen, 0) > 0)
        ;
    close(server->fd);
    return NULL;
}

/* One connection: "hello" there and back. */
static enum haul_code visit(struct server *server, const struct tls_options *options, struct haul_error *err)
{
    int fds[2];
    pthread_t thread;
    struct socket sock;
    struct tls tls = {0};
    char seen[16];
    size_t got = 0, more = 1;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    server->fd = fds[1];
    *err = (struct haul_error){0};
    assert_int_equal(socket_adopt(&sock, fds[0], "server", err), HAUL_OK);
    assert_int_equal(pthread_create(&thread, NULL, serve, server), 0);
    struct tls_transport transport = tls_over_socket(&sock);
    enum haul_code code = tls_open(&tls, options, &transport, err);
    if (!code) {
        assert_int_equal(tls_write(&tls, "hello", 5, err), HAUL_OK);
        assert_int_equal(tls_read(&tls, seen, sizeof seen, &got, err), HAUL_OK);
        assert_int_equal(got, 5);
        assert_memory_equal(seen, "hello", 5);
        assert_int_equal(tls_read(&tls, seen, sizeof seen, &more, err), HAUL_OK);
        assert_int_equal(more, 0);
        assert_true(strncmp(tls_version(&tls), "TLSv1.", 6) == 0);
        tls_end(&tls);
    } else {
        assert_null(tls.state);
        assert_int_equal(code, err->code);
    }
    socket_close(&sock);
    pthread_join(thread, NULL);
    return code;
}

/* ---- certificates ---- */

struct fixture {
    struct made authority, good, old, young, other, alone, address;
    char ca_path[64], good_path[64];
};

static struct fixture fixture;

static int set_up(void **state)
{
    (void)state;
    struct fixture *f = &fixture;
    f->authority = make(&(struct wish){"Test Authority", NULL, -DAY_S, 10 * DAY_S, true}, NULL);
    f->good =
        make(&(struct wish){"db1", "DNS:db1.test,DNS:*.pool.test", -DAY_S, DAY_S, false}, &f->authority);
    f->old = make(&(struct wish){"db1", "DNS:db1.test", -3 * DAY_S, -DAY_S, false}, &f->authority);
    f->young = make(&(struct wish){"db1", "DNS:db1.test", DAY_S, 2 * DAY_S, false}, &f->authority);
    f->other = make(&(struct wish){"db2", "DNS:db2.test", -DAY_S, DAY_S, false}, &f->authority);
    f->alone = make(&(struct wish){"SSL_Self_Signed_Fallback", "DNS:db1.test", -DAY_S, DAY_S, false}, NULL);
    f->address = make(&(struct wish){"x", "IP:10.1.2.3", -DAY_S, DAY_S, false}, &f->authority);
    snprintf(f->ca_path, sizeof f->ca_path, "/tmp/haul-tls-%d-ca.pem", (int)getpid());
    snprintf(f->good_path, sizeof f->good_path, "/tmp/haul-tls-%d-good.pem", (int)getpid());
    write_pem(f->ca_path, f->authority.certificate);
    write_pem(f->good_path, f->good.certificate);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    struct made *all[] = {&fixture.authority, &fixture.good,  &fixture.old,    &fixture.young,
                          &fixture.other,     &fixture.alone, &fixture.address};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        made_free(all[i]);
    unlink(fixture.ca_path);
    unlink(fixture.good_path);
    return 0;
}

static enum haul_code try(const struct made *made, const char *host, struct haul_error *err)
{
    struct server server = {.made = made};
    struct tls_options options = {.host = host, .ca_file = fixture.ca_path, .advice = "Or trust it."};
    return visit(&server, &options, err);
}

static void good_certificates(void **state)
{
    (void)state;
    struct haul_error err;
    assert_int_equal(try(&fixture.good, "db1.test", &err), HAUL_OK);
    assert_int_equal(try(&fixture.good, "a.pool.test", &err), HAUL_OK);
    assert_int_equal(try(&fixture.address, "10.1.2.3", &err), HAUL_OK);
    struct server server = {.made = &fixture.other, .version_max = TLS1_2_VERSION};
    struct tls_options options = {.host = "elsewhere",
                                  .certificate_host = "db2.test",
                                  .ca_file = fixture.ca_path,
                                  .tls12_at_most = true};
    assert_int_equal(visit(&server, &options, &err), HAUL_OK);
}

static void wrong_names(void **state)
{
    (void)state;
    struct haul_error err;
    assert_int_equal(try(&fixture.other, "db1.test", &err), HAUL_TLS);
    assert_non_null(strstr(err.message, "it must be for \"db1.test\", but is for \"db2.test\""));
    assert_non_null(strstr(err.message, "Or trust it."));
    assert_int_equal(try(&fixture.good, "a.b.pool.test", &err), HAUL_TLS);
    assert_int_equal(try(&fixture.good, "db1", &err),
                     HAUL_TLS); /* the common name counts for nothing beside names */
    assert_int_equal(try(&fixture.address, "10.1.2.4", &err), HAUL_TLS);
    assert_non_null(strstr(err.message, "10.1.2.3"));
}

static void wrong_times(void **state)
{
    (void)state;
    struct haul_error err;
    assert_int_equal(try(&fixture.old, "db1.test", &err), HAUL_TLS);
    assert_non_null(strstr(err.message, "it expired at 20"));
    assert_int_equal(try(&fixture.young, "db1.test", &err), HAUL_TLS);
    assert_non_null(strstr(err.message, "it is not valid before 20"));
}

static void nobody_vouches(void **state)
{
    (void)state;
    struct haul_error err;
    assert_int_equal(try(&fixture.alone, "db1.test", &err), HAUL_TLS);
    assert_non_null(strstr(err.message, "SSL_Self_Signed_Fallback"));
    struct server server = {.made = &fixture.good};
    struct tls_options options = {.host = "db1.test"}; /* the system's authorities do not know ours */
    assert_int_equal(visit(&server, &options, &err), HAUL_TLS);
    assert_non_null(strstr(err.message, "Test Authority"));
    options.trust = true;
    assert_int_equal(visit(&server, &options, &err), HAUL_OK);
    options = (struct tls_options){.host = "db1.test", .ca_file = "/nowhere/ca.pem"};
    assert_int_equal(visit(&server, &options, &err), HAUL_TLS);
    assert_non_null(strstr(err.message, "/nowhere/ca.pem"));
}

static void pinned_certificates(void **state)
{
    (void)state;
    struct haul_error err;
    struct server server = {.made = &fixture.good};
    struct tls_options options = {.host = "any", .pinned_file = fixture.good_path};
    assert_int_equal(visit(&server, &options, &err), HAUL_OK);
    server.made = &fixture.other;
    assert_int_equal(visit(&server, &options, &err), HAUL_TLS);
    assert_non_null(strstr(err.message, "is not the one in"));
}

static void protocols(void **state)
{
    (void)state;
    struct haul_error err;
    struct server server = {.made = &fixture.good, .alpn = true};
    struct tls_options options = {.host = "db1.test", .ca_file = fixture.ca_path, .alpn = "tds/8.0"};
    assert_int_equal(visit(&server, &options, &err), HAUL_OK);
    server.alpn = false;
    assert_int_equal(visit(&server, &options, &err), HAUL_TLS);
    assert_non_null(strstr(err.message, "tds/8.0"));
    options.alpn = NULL;
    server.version_max = TLS1_1_VERSION;
    assert_int_equal(visit(&server, &options, &err), HAUL_TLS);
}

static void no_tls_at_all(void **state)
{
    (void)state;
    struct haul_error err;
    struct tls_options options = {.host = "db1.test", .trust = true};
    assert_int_equal(visit(&(struct server){.plain = true}, &options, &err), HAUL_TLS);
    assert_int_equal(visit(&(struct server){.cut = true}, &options, &err), HAUL_NETWORK);
    assert_non_null(strstr(err.message, "db1.test"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_certificates),   cmocka_unit_test(wrong_names),
        cmocka_unit_test(wrong_times),         cmocka_unit_test(nobody_vouches),
        cmocka_unit_test(pinned_certificates), cmocka_unit_test(protocols),
        cmocka_unit_test(no_tls_at_all),
    };
    signal(SIGPIPE, SIG_IGN); /* the server here is OpenSSL on a plain descriptor */
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
