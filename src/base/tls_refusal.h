/* tls_refusal.h: tls.c's other half: what is wrong with a certificate, in words. */
#ifndef HAUL_BASE_TLS_REFUSAL_H
#define HAUL_BASE_TLS_REFUSAL_H

#include "base/tls.h"
#include <openssl/ssl.h>

/* `certificate` is the server's, NULL when it sent none. HAUL_TLS: what was expected, what was seen, and the
 * ways out. */
enum haul_code tls_refuse(const X509 *certificate, const struct tls_options *options, long verdict,
                          struct haul_error *err);

/* Is the server's certificate byte for byte the one in options->pinned_file? */
enum haul_code tls_check_pin(const SSL *ssl, const struct tls_options *options, struct haul_error *err);

/* Names, issuer, end of `certificate`. */
void tls_describe(const X509 *certificate, struct tls_certificate *out);

#endif
