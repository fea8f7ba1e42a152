/*
 * kerberos.h: proves to a service who runs us, by Kerberos (GSSAPI, SPNEGO).
 *
 *     kerberos_open -> { kerberos_step: what to send, what came back } until done
 *
 * The tickets are those of the user's cache (kinit), or made from a keytab
 * (KRB5_CLIENT_KTNAME): the library's own rules. The first step has no input.
 * The service proves itself, too (mutual authentication).
 *
 * All-zero is none; it may be released, twice. One thread at a time.
 */
#ifndef HAUL_BASE_KERBEROS_H
#define HAUL_BASE_KERBEROS_H

#include "base/buffer.h"

#define KERBEROS_NAME_BYTES 400

struct kerberos {
    void *context, *target;         /* gss_ctx_id_t, gss_name_t */
    char name[KERBEROS_NAME_BYTES]; /* of the service, for messages */
    uint8_t binding[128];           /* ties the proof to this TLS connection; binding_bytes 0: none */
    size_t binding_bytes;
};

/* `name`: the service's principal, as "MSSQLSvc/db.example.org:1433". `binding` may be NULL. */
enum haul_code kerberos_open(struct kerberos *kerberos, const char *name, const void *binding,
                             size_t binding_bytes, struct haul_error *err);

/* Takes the service's answer (none at first), appends what it must get to `out`. */
enum haul_code kerberos_step(struct kerberos *kerberos, const void *in, size_t in_bytes, struct buffer *out,
                             bool *done, struct haul_error *err);

void kerberos_release(struct kerberos *kerberos);

/* The whole name of a host, as the service's principal has it: the resolver's for one without
 * a dot, else the name itself. */
void kerberos_host(const char *host, char *out, size_t size);

#endif
