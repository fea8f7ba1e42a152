/*
 * charset.h: text in another encoding, as a stream of UTF-8: UTF-16 and whatever
 * the system's iconv knows (windows-1252, latin1, cp437, shift_jis, ...).
 */
#ifndef HAUL_FORMAT_CSV_CHARSET_H
#define HAUL_FORMAT_CSV_CHARSET_H

#include "format/decompress.h"

#define CSV_CHARSET_BYTES 40

/* A name for --charset as we keep it: small letters, "" for UTF-8. HAUL_USAGE
 * when it is no name of an encoding. "utf-16" stays what it is: by its mark. */
enum haul_code csv_charset_parse(const char *text, char out[CSV_CHARSET_BYTES], struct haul_error *err);

/* The encoding that a byte order mark says; "" when there is none but UTF-8's. */
const char *csv_charset_by_mark(const struct file_head *head);

/* `from` is borrowed; `head` are its first bytes when they were read before, else
 * NULL. The result has no size: offsets rise without gaps. Bytes that are no
 * character are HAUL_DATA with line and byte. */
enum haul_code csv_charset_open(struct input_file *from, const char *charset, const struct file_head *head,
                                const struct context *context, struct input_file **file,
                                struct haul_error *err);

#endif
