/*
 * named.c: reads connections.ini.
 *
 *     # comment
 *     [prod]
 *     uri = postgresql://loader@db.example.org/shop
 *     password-command = pass show prod
 *
 * Keys are one table. A line that is none of these is an error with its number:
 * a connection must not lose a word silently. The file is small; it is read
 * whole, at most FILE_BYTES_MAX.
 */
#include "named.h"
#include "base/file.h"
#include "base/settings.h"
#include "secret.h"
#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define FILE_BYTES_MAX 1048576
#define PREFIX         "HAUL_CONN_"

struct key {
    const char *name;
    size_t place; /* of a const char * in struct named */
};

static const struct key keys[] = {
    {"uri", offsetof(struct named, uri)},
    {"password", offsetof(struct named, password)},
    {"password-file", offsetof(struct named, password_file)},
    {"password-command", offsetof(struct named, password_command)},
    {"tls-ca", offsetof(struct named, ca_file)},
};
#define KEY_COUNT (sizeof keys / sizeof keys[0])

/* ---- the file ---- */

/* NULL: there is none. */
static const char *file_path(struct arena *arena)
{
    const char *home = getenv("HOME"), *config = getenv("XDG_CONFIG_HOME");
    const char *path = NULL;
    if (config && *config == '/')
        path = arena_printf(arena, "%s/haul/connections.ini", config);
    else if (home && *home)
        path = arena_printf(arena, "%s/.config/haul/connections.ini", home);
    return path && path_exists(path) ? path : NULL;
}

static enum haul_code read_text(const char *path, char **text, struct arena *arena, struct haul_error *err)
{
    struct file file = {.fd = -1};
    struct file_identity identity;
    size_t got = 0;
    if (file_open(&file, path, FILE_READ, err))
        return err->code;
    enum haul_code code = file_identify(&file, &identity, err);
    if (!code && identity.size > FILE_BYTES_MAX)
        code = error_set(err, HAUL_LIMIT, "%s: more than a megabyte is no list of connections", path);
    if (!code && !(*text = arena_alloc(arena, (size_t)identity.size + 1)))
        code = error_nomem(err, path);
    if (!code)
        code = file_read_at(&file, 0, *text, (size_t)identity.size, &got, err);
    file_close(&file);
    return code;
}

static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t length = strlen(text);
    while (length && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
    return text;
}

/* A line of the file: a section's name, or key and value; all NULL when empty. */
struct line {
    int number;
    char *section, *key, *value;
};

static enum haul_code next_line(char **at, struct line *line, const char *path, struct haul_error *err)
{
    char *text = *at, *end = strchr(text, '\n');
    *line = (struct line){.number = line->number + 1};
    *at = end ? end + 1 : text + strlen(text);
    if (end)
        *end = '\0';
    text = trim(text);
    char *equals = strchr(text, '=');
    size_t length = strlen(text);
    if (!*text || *text == '#' || *text == ';')
        return HAUL_OK;
    if (*text == '[' && text[length - 1] == ']') {
        text[length - 1] = '\0';
        line->section = trim(text + 1);
        return HAUL_OK;
    }
    if (!equals)
        return error_set(err, HAUL_USAGE, "%s: line %d is neither [name] nor key = value", path,
                         line->number);
    *equals = '\0';
    line->key = trim(text);
    line->value = trim(equals + 1);
    return HAUL_OK;
}

static enum haul_code set_key(struct named *named, const struct line *line, const char *path,
                              struct haul_error *err)
{
    const char *names[KEY_COUNT + 1];
    char near[128];
    if (strcasecmp(line->key, "trust-cert") == 0) {
        named->trust =
            !strcasecmp(line->value, "yes") || !strcasecmp(line->value, "true") || !strcmp(line->value, "1");
        return HAUL_OK;
    }
    for (size_t i = 0; i < KEY_COUNT; i++) {
        names[i] = keys[i].name;
        if (strcasecmp(line->key, keys[i].name) != 0)
            continue;
        *(const char **)((char *)named + keys[i].place) = line->value;
        return HAUL_OK;
    }
    names[KEY_COUNT] = "trust-cert";
    settings_near(line->key, names, KEY_COUNT + 1, near, sizeof near);
    return error_set(err, HAUL_USAGE, "%s: line %d: the key \"%.60s\" is not known%s%s", path, line->number,
                     line->key, near[0] ? "; near: " : "", near);
}

static bool has_password(const struct named *named, struct arena *arena)
{
    size_t length;
    char *uri = named->uri ? arena_text(arena, named->uri) : NULL;
    return named->password || (uri && secret_next(uri, uri, &length));
}

static enum haul_code find_in_file(const char *word, struct named *named, struct arena *arena,
                                   struct haul_error *err)
{
    const char *path = file_path(arena);
    char *at = NULL;
    struct line line = {0};
    bool here = false;
    if (!path)
        return HAUL_OK;
    if (read_text(path, &at, arena, err))
        return err->code;
    while (*at) {
        if (next_line(&at, &line, path, err))
            return err->code;
        if (line.section)
            here = strcasecmp(line.section, word) == 0;
        else if (line.key && here && set_key(named, &line, path, err))
            return err->code;
    }
    if (has_password(named, arena) && !path_is_private(path, 077))
        named->readable = path;
    return HAUL_OK;
}

/* ---- the environment ---- */

static const char *from_environment(const char *word)
{
    char name[sizeof PREFIX + NAMED_WORD_BYTES] = PREFIX;
    size_t n = sizeof PREFIX - 1;
    for (const char *p = word; *p && n < sizeof name - 1; p++)
        name[n++] = *p == '-' || *p == '+' ? '_' : (char)toupper((unsigned char)*p);
    name[n] = '\0';
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

enum haul_code named_find(const char *word, struct named *named, struct arena *arena, struct haul_error *err)
{
    *named = (struct named){0};
    if (find_in_file(word, named, arena, err))
        return err->code;
    const char *uri = from_environment(word);
    if (uri) /* it wins; what the file says beside the URI stays */
        named->uri = uri;
    return HAUL_OK;
}

size_t named_words(const char **words, size_t max, struct arena *arena)
{
    size_t count = 0;
    struct haul_error ignored = {0};
    struct line line = {0};
    char *at = NULL;
    const char *path = file_path(arena);
    for (char **entry = environ; *entry && count < max; entry++) {
        if (strncmp(*entry, PREFIX, sizeof PREFIX - 1) != 0)
            continue;
        char *word =
            arena_text_n(arena, *entry + sizeof PREFIX - 1, strcspn(*entry + sizeof PREFIX - 1, "="));
        for (char *p = word; word && *p; p++)
            *p = (char)tolower((unsigned char)*p);
        if (word)
            words[count++] = word;
    }
    if (!path || read_text(path, &at, arena, &ignored))
        return count;
    while (*at && count < max) {
        if (next_line(&at, &line, path, &ignored) == HAUL_OK && line.section)
            words[count++] = line.section;
    }
    return count;
}
