/*
 * tls_refusal.c: why a certificate is refused, said so that a user can act.
 *
 * The verdict is OpenSSL's; here it is only put in words, with the names the
 * certificate has, who issued it and until when it is good. Texts from the
 * certificate are foreign: error_set shows control characters as escapes, and
 * each piece is cut.
 */
#include "base/tls_refusal.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define NAMES_BYTES 256

/* ---- what the certificate says ---- */

static void print_name(const X509_NAME *name, char *out, size_t size)
{
    out[0] = '\0';
    int length = X509_NAME_get_text_by_NID((X509_NAME *)name, NID_commonName, out, (int)size);
    if (length < 0 &&
        (length = X509_NAME_get_text_by_NID((X509_NAME *)name, NID_organizationName, out, (int)size)) < 0)
        snprintf(out, size, "somebody without a name");
}

static void print_general(const GENERAL_NAME *name, char *out, size_t size)
{
    int type;
    const ASN1_STRING *text = GENERAL_NAME_get0_value(name, &type);
    const unsigned char *bytes = type == GEN_DNS || type == GEN_IPADD ? ASN1_STRING_get0_data(text) : NULL;
    int length = bytes ? ASN1_STRING_length(text) : 0;
    out[0] = '\0';
    if (type == GEN_DNS)
        snprintf(out, size, "%.*s", length, (const char *)bytes);
    else if (type == GEN_IPADD && length == 4)
        snprintf(out, size, "%d.%d.%d.%d", bytes[0], bytes[1], bytes[2], bytes[3]);
}

/* "db1, db1.example.com"; the subject's common name when there are no others. */
static void print_names(const X509 *certificate, char *out, size_t size)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        char one[128];
        print_general(sk_GENERAL_NAME_value(names, i), one, sizeof one);
        int more = one[0] ? snprintf(out + used, size - used, used ? ", %s" : "%s", one) : 0;
        if (more < 0 || (size_t)more >= size - used)
            break;
        used += (size_t)more;
    }
    GENERAL_NAMES_free(names);
    if (!used)
        print_name(X509_get_subject_name(certificate), out, size);
}

static void print_time(const ASN1_TIME *time, char *out, size_t size)
{
    struct tm tm;
    if (!ASN1_TIME_to_tm(time, &tm) || !strftime(out, size, "%Y-%m-%d %H:%M UTC", &tm))
        snprintf(out, size, "an unreadable date");
}

void tls_describe(const X509 *certificate, struct tls_certificate *out)
{
    print_names(certificate, out->names, sizeof out->names);
    print_name(X509_get_issuer_name(certificate), out->issuer, sizeof out->issuer);
    print_time(X509_get0_notAfter(certificate), out->until, sizeof out->until);
}

/* ---- the sentence ---- */

static bool is_name_verdict(long verdict)
{
    return verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH;
}

static void print_verdict(const X509 *certificate, const struct tls_options *options, long verdict, char *out,
                          size_t size)
{
    char names[NAMES_BYTES], time[64];
    const char *wanted = options->certificate_host ? options->certificate_host : options->host;
    if (is_name_verdict(verdict)) {
        print_names(certificate, names, sizeof names);
        snprintf(out, size, "it must be for \"%.200s\", but is for \"%s\"", wanted, names);
        return;
    }
    if (verdict == X509_V_ERR_CERT_HAS_EXPIRED || verdict == X509_V_ERR_CERT_NOT_YET_VALID) {
        bool past = verdict == X509_V_ERR_CERT_HAS_EXPIRED;
        print_time(past ? X509_get0_notAfter(certificate) : X509_get0_notBefore(certificate), time,
                   sizeof time);
        snprintf(out, size, past ? "it expired at %s" : "it is not valid before %s", time);
        return;
    }
    print_name(X509_get_issuer_name(certificate), names, sizeof names);
    snprintf(out, size, "%s; it was issued by \"%s\", which %s does not vouch for",
             X509_verify_cert_error_string(verdict), names,
             options->ca_file ? options->ca_file : "this machine's list of authorities");
}

enum haul_code tls_refuse(const X509 *certificate, const struct tls_options *options, long verdict,
                          struct haul_error *err)
{
    char why[2 * NAMES_BYTES + 256] = "it has no certificate";
    if (certificate)
        print_verdict(certificate, options, verdict, why, sizeof why);
    return error_set(err, HAUL_TLS, "%.200s: the server's certificate is refused: %s.%s%s", options->host,
                     why, options->advice ? " " : "", options->advice ? options->advice : "");
}

/* ---- a certificate known beforehand ---- */

static X509 *read_certificate(const char *path)
{
    BIO *file = BIO_new_file(path, "r");
    X509 *certificate = file ? PEM_read_bio_X509(file, NULL, NULL, NULL) : NULL;
    if (file && !certificate && BIO_reset(file) == 0)
        certificate = d2i_X509_bio(file, NULL);
    BIO_free(file);
    ERR_clear_error();
    return certificate;
}

enum haul_code tls_check_pin(const SSL *ssl, const struct tls_options *options, struct haul_error *err)
{
    X509 *wanted = read_certificate(options->pinned_file);
    if (!wanted)
        return error_set(err, HAUL_TLS, "%s: no certificate could be read from it", options->pinned_file);
    X509 *seen = SSL_get1_peer_certificate(ssl);
    bool same = seen && X509_cmp(wanted, seen) == 0;
    char names[NAMES_BYTES] = "nobody";
    if (seen)
        print_names(seen, names, sizeof names);
    X509_free(seen);
    X509_free(wanted);
    if (same)
        return HAUL_OK;
    return error_set(err, HAUL_TLS, "%s: the server's certificate (for \"%s\") is not the one in %s",
                     options->host, names, options->pinned_file);
}
