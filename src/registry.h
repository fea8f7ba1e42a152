/*
 * registry.h: the lobby's list of rooms: which engine or format a name means.
 * Only the lobby (haul.c and its neighbours in src/) includes this.
 *
 * A name is a database when it begins with an engine's scheme
 * ("sqlite:///shop.db") or is a local file that an engine knows by its magic;
 * everything else is a file, a pattern, a folder or "-". Named connections
 * ("word:table") are resolved before a name comes here (side.h).
 */
#ifndef HAUL_REGISTRY_H
#define HAUL_REGISTRY_H

#include "batch/inspection.h"
#include "batch/sink.h"
#include "batch/source.h"

/* The length of "word" in "word:rest"; 0: a path or a pattern, which has no such word. */
size_t registry_word(const char *name);

/* Is the word of this length an engine's scheme, with "://" behind it (or "memory:")? */
bool registry_is_scheme(const char *name, size_t length);

/* The schemes, for an error that names the near ones. */
size_t registry_words(const char **words, size_t max);

/* Does one log in there: a scheme of a server, or a named connection? */
bool registry_has_server(const char *name);

/* Does the name mean a database? An unknown scheme is an error. */
enum haul_code registry_is_database(const char *name, bool *database, struct haul_error *err);

enum haul_code registry_open_source(const char *name, const struct context *context,
                                    const struct source_request *request, struct source **source,
                                    struct haul_error *err);
enum haul_code registry_open_sink(const char *name, const struct context *context, struct sink **sink,
                                  struct haul_error *err);

/* The dictionary arrays that the target's format is glad of; none for a database, and for NULL. */
enum dictionaries registry_dictionaries(const char *target, const struct context *context);

/* HAUL_USAGE when the file `target` is one of the source's. */
enum haul_code registry_check_apart(struct source *source, const char *target, struct haul_error *err);

/* What a file source holds, file by file: *more false after the last. HAUL_UNSUPPORTED
 * for a database. */
enum haul_code registry_inspect(struct source *source, size_t index, struct inspection *inspection,
                                bool *more, struct haul_error *err);

#endif
