/*
 * file_source.h: a source over files of one format: a file, a pattern, a folder,
 * standard input, or several of these, one a line. Several files must have equal schemas (by name and type);
 * their parts follow one another in name order.
 */
#ifndef HAUL_FORMAT_FILE_SOURCE_H
#define HAUL_FORMAT_FILE_SOURCE_H

#include "format/format.h"

/* `formats` is the registry's NULL-terminated list; `forced` is --from or NULL.
 * Else the magic decides, then the suffix; a suffix that the content denies is
 * an error that says both. `context` and `request` are copied. */
enum haul_code file_source_open(const char *name, const struct format *const *formats, const char *forced,
                                const struct context *context, const struct source_request *request,
                                struct source **source, struct haul_error *err);

/* A part's file, held open until let go; for a sink that adopts the part. */
struct file_part {
    struct source *source;
    size_t index;
    struct format_input *input;
    const char *spec; /* the format's own, within the part's */
};
enum haul_code file_source_take(struct source *source, const struct part *part, struct file_part *taken,
                                struct haul_error *err);
void file_source_let_go(struct file_part *taken);
enum haul_code file_source_failed(const struct file_part *taken, struct haul_error *err); /* names the file */

/* For `haul inspect`, on a source that file_source_open gave. */
size_t file_source_count(const struct source *source);
const char *file_source_name(const struct source *source, size_t index);
const struct format *file_source_format(const struct source *source);

/* Facts of one file. `out` is zero before; its arena is the caller's to release,
 * also after an error. */
enum haul_code file_source_inspect(struct source *source, size_t index, struct inspection *out,
                                   struct haul_error *err);

#endif
