/* base64.h: bytes as one line of text and back (RFC 4648, with padding). */
#ifndef HAUL_FORMAT_PARQUET_BASE64_H
#define HAUL_FORMAT_PARQUET_BASE64_H

#include "base/buffer.h"

static inline size_t base64_length(size_t bytes)
{
    return (bytes + 2) / 3 * 4;
}

/* Writes base64_length(length) characters and a NUL. */
void base64_print(const uint8_t *data, size_t length, char *out);

/* Appends the bytes; HAUL_DATA when the text is not base64. */
enum haul_code base64_parse(const char *text, size_t length, struct buffer *out, struct haul_error *err);

#endif
