/*
 * secret.c: finds the passwords in a connection's URI: in the userinfo, and as
 * parameters in the engines' own spellings.
 *
 * Whatever stands between "://", a colon and the *last* '@' of all counts as the
 * userinfo's, although the engines end the authority at the first '/' or '?': a
 * password with such a character in it is a mistake that must not be shown.
 */
#include "secret.h"
#include <string.h>
#include <strings.h>

static const char *const parameters[] = {
    "password=", "pwd=", "sslpassword=", "accesstoken=", "passfile_password="};

static char *in_userinfo(char *text, size_t *length)
{
    char *authority = strstr(text, "://");
    char *at = authority ? strrchr(authority + 3, '@') : NULL;
    char *colon = at ? memchr(authority + 3, ':', (size_t)(at - authority - 3)) : NULL;
    *length = colon ? (size_t)(at - colon - 1) : 0;
    return colon ? colon + 1 : NULL;
}

static char *in_parameters(char *from, size_t *length)
{
    for (char *at = strpbrk(from, "?&;"); at; at = strpbrk(at + 1, "?&;"))
        for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++)
            if (strncasecmp(at + 1, parameters[i], strlen(parameters[i])) == 0) {
                char *value = at + 1 + strlen(parameters[i]);
                *length = strcspn(value, "&;");
                return value;
            }
    return NULL;
}

char *secret_next(char *text, const char *from, size_t *length)
{
    char *authority = strstr(text, "://"), *user = in_userinfo(text, length);
    if (!authority || (user && user >= from && *length))
        return authority ? user : NULL;
    char *after = user ? user + *length : authority + 3;
    return in_parameters(from > after ? text + (from - text) : after, length);
}

void haul_hide_passwords(char *name)
{
    size_t length;
    for (char *at = secret_next(name, name, &length); at; at = secret_next(name, at + length, &length))
        memset(at, '*', length);
}

const char *secret_remove(const char *name, struct arena *arena)
{
    static const char stars[] = "***";
    char *shown = arena_text(arena, name);
    size_t length;
    if (!shown)
        return NULL;
    char *at = in_userinfo(shown, &length);
    if (at)
        memmove(at - 1, at + length, strlen(at + length) + 1);
    for (at = secret_next(shown, shown, &length); at; at = secret_next(shown, at, &length)) {
        size_t kept = length < 3 ? length : 3;
        memcpy(at, stars, kept);
        memmove(at + kept, at + length, strlen(at + length) + 1);
        at += kept;
    }
    return shown;
}
