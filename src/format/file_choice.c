/*
 * file_choice.c: what a file holds.
 *
 * Content is stronger than the name: a file that begins with another format's
 * magic is not read by its suffix, and not silently by its content either,
 * because one of the two is a mistake the user should know of. Formats without
 * a magic number (CSV) are only believed where the suffix says so or nothing
 * else is known.
 */
#include "format/file_choice.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SNIFF_CERTAIN 100

static const char *const packed_suffixes[] = {".gz", ".zst", ".bz2", ".xz", ".zip", ".lz4", NULL};

const char *format_label(const struct format *format, char out[FORMAT_LABEL_BYTES])
{
    snprintf(out, FORMAT_LABEL_BYTES, "%s", format->name);
    size_t capitals = strlen(out) <= 3 ? strlen(out) : 1;
    for (size_t i = 0; i < capitals; i++)
        out[i] = (char)toupper((unsigned char)out[i]);
    return out;
}

const char *format_names(const struct format *const *formats, char out[FORMAT_NAMES_BYTES])
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; formats[i] && used < FORMAT_NAMES_BYTES; i++)
        used +=
            (size_t)snprintf(out + used, FORMAT_NAMES_BYTES - used, "%s%s", i ? "|" : "", formats[i]->name);
    return out;
}

enum haul_code format_named(const struct format *const *formats, const char *name, const char *option,
                            const struct format **format, struct haul_error *err)
{
    char names[FORMAT_NAMES_BYTES];
    for (size_t i = 0; formats[i]; i++)
        if (strcasecmp(formats[i]->name, name) == 0) {
            *format = formats[i];
            return HAUL_OK;
        }
    return error_set(err, HAUL_USAGE, "%s %s: no such format; there is %s", option, name,
                     format_names(formats, names));
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length > end_length && strcasecmp(text + length - end_length, end) == 0;
}

static const char *suffix_of(const char *const *suffixes, const char *name)
{
    for (; *suffixes; suffixes++)
        if (ends_with(name, *suffixes))
            return *suffixes;
    return NULL;
}

const char *format_suffix(const struct format *format, const char *name)
{
    return suffix_of(format->suffixes, name);
}

const struct format *format_by_suffix(const struct format *const *formats, const char *name)
{
    for (; *formats; formats++)
        if (format_suffix(*formats, name))
            return *formats;
    return NULL;
}

static const struct format *best_by_head(const struct format *const *formats, const uint8_t *head,
                                         size_t length, int *score)
{
    const struct format *best = NULL;
    *score = 0;
    for (; *formats; formats++) {
        int sure = (*formats)->sniff ? (*formats)->sniff(head, length) : 0;
        if (sure > *score) {
            *score = sure;
            best = *formats;
        }
    }
    return best;
}

static enum haul_code choice_unknown(const struct format *const *formats, const char *name,
                                     struct haul_error *err)
{
    char names[FORMAT_NAMES_BYTES];
    const char *packed = suffix_of(packed_suffixes, name);
    if (packed)
        return error_set(err, HAUL_UNSUPPORTED,
                         "%s is compressed as a whole (%s), which is not read yet; unpack it first", name,
                         packed);
    return error_set(err, HAUL_DATA, "%s: cannot tell its format; say --from %s", name,
                     format_names(formats, names));
}

enum haul_code format_by_content(const struct format *const *formats, const char *name, const uint8_t *head,
                                 size_t length, const struct format **format, struct haul_error *err)
{
    int score = 0;
    char says[FORMAT_LABEL_BYTES], holds[FORMAT_LABEL_BYTES];
    const struct format *found = best_by_head(formats, head, length, &score);
    const struct format *named = format_by_suffix(formats, name);
    *format = named ? named : found;
    if (!*format)
        return choice_unknown(formats, name, err);
    if (!named || !found || named == found)
        return HAUL_OK;
    if (score >= SNIFF_CERTAIN)
        return error_set(err, HAUL_DATA, "%s holds %s; rename it or say --from %s", name,
                         format_label(found, holds), found->name);
    if (named->sniff && named->sniff(head, length) == 0)
        return error_set(err, HAUL_DATA, "%s does not hold %s, it looks like %s; rename it or say --from %s",
                         name, format_label(named, says), format_label(found, holds), found->name);
    return HAUL_OK;
}
