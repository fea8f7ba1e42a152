/*
 * file_choice.h: which format a file has: said (--from, --to), by its first
 * bytes, by its suffix. `formats` is always the registry's NULL-terminated list.
 */
#ifndef HAUL_FORMAT_FILE_CHOICE_H
#define HAUL_FORMAT_FILE_CHOICE_H

#include "format/format.h"

#define FORMAT_LABEL_BYTES 32
#define FORMAT_NAMES_BYTES 128

/* "CSV", "Parquet": for sentences. */
const char *format_label(const struct format *format, char out[FORMAT_LABEL_BYTES]);

/* "parquet|csv": what --from and --to take. */
const char *format_names(const struct format *const *formats, char out[FORMAT_NAMES_BYTES]);

/* The format of that name; HAUL_USAGE names all of them. `option` is "--from" or "--to". */
enum haul_code format_named(const struct format *const *formats, const char *name, const char *option,
                            const struct format **format, struct haul_error *err);

/* By the end of the name, in any case of letters; NULL when no format claims it. */
const struct format *format_by_suffix(const struct format *const *formats, const char *name);

/* The format's suffix that `name` ends with, or NULL. */
const char *format_suffix(const struct format *format, const char *name);

/* By content and suffix; a suffix that the content denies is HAUL_DATA. */
enum haul_code format_by_content(const struct format *const *formats, const char *name, const uint8_t *head,
                                 size_t length, const struct format **format, struct haul_error *err);

#endif
