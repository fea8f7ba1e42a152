/*
 * settings.h: a job's options as the rooms below see them: name and value, the
 * names checked against the option table (src/option.c), so that a misspelt
 * name in the code is an assertion, not a silent default. Values were checked
 * for their kind when they were set; the getters cannot fail.
 */
#ifndef HAUL_BASE_SETTINGS_H
#define HAUL_BASE_SETTINGS_H

#include "base/arena.h"

struct settings {
    const struct haul_option *table;
    size_t count;
    char **values; /* one per table row; NULL: not given */
    struct arena arena;
};

enum haul_code settings_init(struct settings *settings, const struct haul_option *table, size_t count,
                             struct haul_error *err);
void settings_release(struct settings *settings);

/* Checks the value for its kind; an unknown name is an error that names near ones. */
enum haul_code settings_set(struct settings *settings, const char *name, const char *value,
                            struct haul_error *err);

/* As if it had never been given. */
void settings_clear(struct settings *settings, const char *name);

bool settings_given(const struct settings *settings, const char *name);
const char *settings_text(const struct settings *settings,
                          const char *name); /* the preset when not given; may be NULL */
int64_t settings_number(const struct settings *settings,
                        const char *name); /* NUMBER and SIZE; -1 when absent without preset */
bool settings_flag(const struct settings *settings, const char *name);

/* "64MiB", "1GB", "4096" -> bytes. */
enum haul_code settings_parse_size(const char *text, int64_t *bytes, struct haul_error *err);

/* Up to three names of `names` near to `word`, as "a, b, c"; "" when none. */
void settings_near(const char *word, const char *const *names, size_t count, char *out, size_t out_bytes);

#endif
