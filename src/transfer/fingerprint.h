/* fingerprint.h: the hash that names a run and binds a journal to its plan. */
#ifndef HAUL_TRANSFER_FINGERPRINT_H
#define HAUL_TRANSFER_FINGERPRINT_H

#include "base/settings.h"
#include "batch/hash.h"

/* FNV-1a of the bytes, 128 bits. Tells texts apart; protects against nobody. */
struct hash128 fingerprint_text(const void *text, size_t length);

/* The hash over both names and every option of a copy that shapes its result. */
enum haul_code fingerprint_make(const char *source_name, const char *target_name,
                                const struct settings *settings, char out[HASH_TEXT_BYTES],
                                struct haul_error *err);

#endif
