/*
 * fingerprint.c: the hash that names a run and binds a journal to its plan.
 *
 * The fingerprint covers "name=value" lines: source and target as given
 * (without passwords), then each option of `copy` in table order with its value
 * or preset. Options that only say how the work is done are named below and
 * left out, so that an option added later counts until somebody decides
 * otherwise. The hash is FNV-1a with 128 bits
 * (http://www.isthe.com/chongo/tech/comp/fnv/): offset basis
 * 0x6c62272e07bb014262b821756295c58d, prime 2^88 + 0x13b.
 */
#include "transfer/fingerprint.h"
#include "base/number.h"

static const char *const not_shaping[] = {
    "source",
    "target", /* as names, below */
    "workers",
    "memory",
    "dry-run",
    "run",
    "restart",
    "static-source",
    "state",
    "retries",
    "verify",
    "split",
    "key",
    "max-errors",
    "reject-file",
    "rejects-ok",
    "constraints-fatal",
    "json",
    "summary",
    "log",
    "quiet",
    "password-file",
    "password-command",
    "source-password-file",
    "source-password-command",
    "target-password-file",
    "target-password-command",
    "tls-ca",
    "trust-cert",
};

struct hash128 fingerprint_text(const void *text, size_t length)
{
    const uint8_t *bytes = text;
    uint128_t hash = (uint128_t)0x6c62272e07bb0142u << 64 | 0x62b821756295c58du;
    const uint128_t prime = (uint128_t)1 << 88 | 0x13bu;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ bytes[i]) * prime;
    return (struct hash128){.low = (uint64_t)hash, .high = (uint64_t)(hash >> 64)};
}

static bool option_shapes(const struct haul_option *option)
{
    if (!(option->commands & HAUL_FOR_COPY))
        return false;
    for (size_t i = 0; i < sizeof not_shaping / sizeof not_shaping[0]; i++)
        if (strcmp(option->name, not_shaping[i]) == 0)
            return false;
    return true;
}

enum haul_code fingerprint_make(const char *source_name, const char *target_name,
                                const struct settings *settings, char out[HASH_TEXT_BYTES],
                                struct haul_error *err)
{
    struct buffer text = {0};
    enum haul_code code = buffer_printf(&text, err, "source=%s\ntarget=%s\n", source_name, target_name);
    for (size_t i = 0; !code && i < settings->count; i++) {
        const char *name = settings->table[i].name;
        const char *value = settings_text(settings, name);
        if (option_shapes(&settings->table[i]) && value)
            code = buffer_printf(&text, err, "%s=%zu:%s\n", name, strlen(value), value);
    }
    if (!code)
        hash_print(fingerprint_text(text.data, text.length), out);
    buffer_release(&text);
    return code;
}
