/*
 * kerberos.c: GSSAPI of MIT Kerberos. SPNEGO is what SQL Server's own clients
 * speak; inside of it is Kerberos alone, never a password.
 */
#include "base/kerberos.h"

#include <gssapi/gssapi_krb5.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define FLAGS (GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG | GSS_C_INTEG_FLAG)

/* Both, because what helps is in the second: "GSS failure. ...: No Kerberos credentials available ..." */
static void describe(OM_uint32 code, int kind, char *out, size_t size)
{
    OM_uint32 minor, more = 0;
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
    out[0] = '\0';
    if (GSS_ERROR(gss_display_status(&minor, code, kind, GSS_C_NO_OID, &more, &text)))
        return;
    snprintf(out, size, "%.*s", (int)text.length, (const char *)text.value);
    gss_release_buffer(&minor, &text);
}

static enum haul_code fail(const struct kerberos *kerberos, OM_uint32 major, OM_uint32 minor,
                           struct haul_error *err)
{
    char first[200], second[300];
    describe(major, GSS_C_GSS_CODE, first, sizeof first);
    describe(minor, GSS_C_MECH_CODE, second, sizeof second);
    return error_set(err, HAUL_LOGIN,
                     "Kerberos: %s: %s. Is there a ticket (klist; kinit makes one, or a keytab named by "
                     "KRB5_CLIENT_KTNAME)? Does the realm know the service %s (its SPN)?",
                     first, second[0] ? second : "no more is known", kerberos->name);
}

enum haul_code kerberos_open(struct kerberos *kerberos, const char *name, const void *binding,
                             size_t binding_bytes, struct haul_error *err)
{
    OM_uint32 minor;
    *kerberos = (struct kerberos){0};
    snprintf(kerberos->name, sizeof kerberos->name, "%s", name);
    if (binding && binding_bytes <= sizeof kerberos->binding) {
        memcpy(kerberos->binding, binding, binding_bytes);
        kerberos->binding_bytes = binding_bytes;
    }
    gss_buffer_desc text = {.length = strlen(kerberos->name), .value = kerberos->name};
    gss_name_t target = GSS_C_NO_NAME;
    gss_OID type = (gss_OID)(uintptr_t)GSS_KRB5_NT_PRINCIPAL_NAME;
    OM_uint32 major = gss_import_name(&minor, &text, type, &target);
    if (GSS_ERROR(major))
        return fail(kerberos, major, minor, err);
    kerberos->target = target;
    return HAUL_OK;
}

enum haul_code kerberos_step(struct kerberos *kerberos, const void *in, size_t in_bytes, struct buffer *out,
                             bool *done, struct haul_error *err)
{
    static const unsigned char spnego_bytes[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x02}; /* 1.3.6.1.5.5.2 */
    gss_OID_desc spnego = {.length = sizeof spnego_bytes, .elements = (void *)(uintptr_t)spnego_bytes};
    struct gss_channel_bindings_struct binding = {
        .application_data = {.length = kerberos->binding_bytes, .value = kerberos->binding}};
    gss_buffer_desc given = {.length = in_bytes, .value = (void *)(uintptr_t)in}, answer = GSS_C_EMPTY_BUFFER;
    gss_ctx_id_t context = kerberos->context;
    OM_uint32 minor, unused;
    OM_uint32 major =
        gss_init_sec_context(&minor, GSS_C_NO_CREDENTIAL, &context, kerberos->target, &spnego, FLAGS, 0,
                             kerberos->binding_bytes ? &binding : GSS_C_NO_CHANNEL_BINDINGS,
                             in_bytes ? &given : GSS_C_NO_BUFFER, NULL, &answer, NULL, NULL);
    kerberos->context = context;
    enum haul_code code = GSS_ERROR(major) ? fail(kerberos, major, minor, err) : HAUL_OK;
    if (!code && answer.length)
        code = buffer_append(out, answer.value, answer.length, err);
    gss_release_buffer(&unused, &answer);
    *done = major == GSS_S_COMPLETE;
    return code;
}

void kerberos_release(struct kerberos *kerberos)
{
    OM_uint32 minor;
    gss_ctx_id_t context = kerberos->context;
    gss_name_t target = kerberos->target;
    if (context)
        gss_delete_sec_context(&minor, &context, GSS_C_NO_BUFFER);
    if (target)
        gss_release_name(&minor, &target);
    *kerberos = (struct kerberos){0};
}

void kerberos_host(const char *host, char *out, size_t size)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME};
    struct addrinfo *found = NULL;
    snprintf(out, size, "%s", host);
    if (strchr(host, '.') || strchr(host, ':') || getaddrinfo(host, NULL, &hints, &found))
        return;
    if (found->ai_canonname && strchr(found->ai_canonname, '.'))
        snprintf(out, size, "%s", found->ai_canonname);
    freeaddrinfo(found);
}
