/*
 * file_source.h: a source over files of one format: a file, a pattern, a folder,
 * a manifest, or standard input. Several files must have equal schemas (by name
 * and type); their parts follow one another in name order.
 */
#ifndef HAUL_FORMAT_FILE_SOURCE_H
#define HAUL_FORMAT_FILE_SOURCE_H

#include "format/format.h"

/* `formats` is the registry's NULL-terminated list; `forced` is --from or NULL.
 * Else the magic decides, then the suffix; a suffix that the content denies is
 * an error that says both. */
enum haul_code file_source_open(const char *name, const struct format *const *formats, const char *forced,
                                const struct context *context, const struct source_request *request,
                                struct source **source, struct haul_error *err);

#endif
