/*
 * side.c: from a name on the command line to a URI, a table and a login.
 *
 * Passwords, the first that is there: --password-file and --password-command
 * (--source-... and --target-... where both sides are databases), the same keys
 * of the named connection, its `password`; what is then still missing the engine
 * finds in the URI and in its own environment, or asks for through login.ask.
 */
#include "side.h"
#include "base/command.h"
#include "base/file.h"
#include "job.h"
#include "named.h"
#include "registry.h"
#include "secret.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define WORDS_MAX       512
#define COMMAND_WAIT_MS 60000

/* ---- named connections ---- */

static enum haul_code fail_word(const char *word, const char *name, struct arena *arena,
                                struct haul_error *err)
{
    const char *words[WORDS_MAX];
    char near[256], upper[NAMED_WORD_BYTES] = "";
    size_t count = registry_words(words, WORDS_MAX / 2);
    count += named_words(words + count, WORDS_MAX / 2, arena);
    settings_near(word, words, count, near, sizeof near);
    for (size_t i = 0; i < sizeof upper && (i == 0 || word[i - 1]); i++)
        upper[i] = (char)(word[i] == '-' ? '_' : toupper((unsigned char)word[i]));
    return error_set(
        err, HAUL_USAGE,
        "\"%s:\" is no database or connection haul knows%s%s; a connection of that name is a "
        "section [%s] in ~/.config/haul/connections.ini or HAUL_CONN_%s=URI (docs/connecting.md), a "
        "file is ./%s",
        word, near[0] ? "; near: " : "", near, word, upper, name);
}

/* "prod:rest": the connection's URI, and the rest as a table's name. */
static enum haul_code take_word(struct haul_job *job, const char *name, const char **table,
                                struct named *named, struct haul_error *err)
{
    char word[NAMED_WORD_BYTES];
    size_t length = registry_word(name);
    if (!length || registry_is_scheme(name, length))
        return HAUL_OK;
    if (length >= sizeof word)
        return error_set(err, HAUL_USAGE, "\"%.60s...\" is no name of a connection; a file is ./name", name);
    snprintf(word, sizeof word, "%.*s", (int)length, name);
    if (named_find(word, named, &job->arena, err))
        return err->code;
    bool known = named->uri && strncmp(name + length, "://", 3) != 0;
    if (!known)
        return fail_word(word, job_hidden(job, name), &job->arena, err);
    if (name[length + 1])
        *table = name + length + 1;
    if (named->readable)
        context_warn(&job->context, "%s holds a password and others may read it: chmod 600 %s",
                     named->readable, named->readable);
    return HAUL_OK;
}

/* ---- ?table= ---- */

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;
    return at ? (int)(at - digits) : -1;
}

static char *decode(const char *text, size_t length, struct arena *arena)
{
    char *out = arena_alloc(arena, length + 1);
    size_t n = 0;
    for (size_t i = 0; out && i < length; i++) {
        int high = text[i] == '%' && i + 2 < length ? hex_digit(text[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        bool escape = low >= 0 && high * 16 + low > 0;
        out[n++] = escape ? (char)(high * 16 + low) : text[i];
        i += escape ? 2 : 0;
    }
    return out;
}

/* Takes the parameter "table" out of a URI. */
static enum haul_code take_parameter(const char **uri, const char **table, struct arena *arena,
                                     struct haul_error *err)
{
    char *copy = strstr(*uri, "://") ? arena_text(arena, *uri) : NULL;
    for (char *at = copy ? strpbrk(copy, "?&") : NULL; at; at = strpbrk(at + 1, "?&")) {
        if (strncasecmp(at + 1, "table=", 6) != 0)
            continue;
        char *value = at + 7;
        size_t length = strcspn(value, "&");
        if (!(*table = decode(value, length, arena)))
            return error_nomem(err, "a table's name");
        if (value[length]) /* the next parameter moves up */
            memmove(at + 1, value + length + 1, strlen(value + length + 1) + 1);
        else
            *at = '\0';
        *uri = copy;
        break;
    }
    return HAUL_OK;
}

static enum haul_code set_table(struct haul_job *job, bool target, const char *table, struct haul_error *err)
{
    const char *option = target ? "target-table" : "source-table";
    const char *given = settings_text(&job->settings, option);
    if (!table)
        return HAUL_OK;
    if (given && strcmp(given, table) != 0)
        return error_set(err, HAUL_USAGE, "the %s's table is named twice: \"%s\" and --%s %s",
                         target ? "target" : "source", table, option, given);
    job->sides[target].named_table = true;
    return settings_set(&job->settings, option, table, err);
}

/* ---- passwords ---- */

/* One line, its line end left out. */
static enum haul_code take_line(struct login *login, char *text, const char *where, struct haul_error *err)
{
    size_t length = strcspn(text, "\r\n");
    if (text[length + strspn(text + length, "\r\n")])
        return error_set(err, HAUL_LOGIN, "%s: more than one line is no password", where);
    text[length] = '\0';
    if (!length)
        return error_set(err, HAUL_LOGIN, "%s: there is no password in it", where);
    return login_keep(login, text, err);
}

static enum haul_code read_file(const char *path, char *text, size_t size, struct haul_error *err)
{
    struct file file = {.fd = -1};
    size_t length = 0, got = 1;
    if (file_open(&file, path, FILE_READ, err))
        return err->code;
    enum haul_code code = HAUL_OK;
    while (!code && got && length < size - 1) { /* it may be a pipe */
        code = file_read(&file, text + length, size - 1 - length, &got, err);
        length += code ? 0 : got;
    }
    file_close(&file);
    text[length] = '\0';
    if (!code && (length == size - 1 || strlen(text) != length))
        code = error_set(err, HAUL_LOGIN, "%s: that is no password", path);
    return code;
}

static enum haul_code from_file(struct haul_job *job, struct login *login, const char *path,
                                struct haul_error *err)
{
    char text[LOGIN_PASSWORD_BYTES];
    if (!path_is_private(path, 007))
        context_warn(&job->context, "%s: everybody may read this password: chmod 600 it", path);
    enum haul_code code = read_file(path, text, sizeof text, err);
    if (!code)
        code = take_line(login, text, path, err);
    explicit_bzero(text, sizeof text);
    return code ? error_prefix(err, "the password") : HAUL_OK;
}

static enum haul_code from_command(struct haul_job *job, struct login *login, const char *line,
                                   struct haul_error *err)
{
    char text[LOGIN_PASSWORD_BYTES];
    const struct command_limits limits = {COMMAND_WAIT_MS, &job->cancel};
    enum haul_code code = command_read(line, &limits, text, sizeof text, err);
    if (!code)
        code = take_line(login, text, "its output", err);
    explicit_bzero(text, sizeof text);
    return code ? error_prefix(err, "the password command") : HAUL_OK;
}

/* Is another server at the other side? (Staging tables are combined within one.) */
static bool other_server(const struct haul_job *job, bool target)
{
    const char *own = settings_text(&job->settings, target ? "target" : "source");
    const char *other = settings_text(&job->settings, target ? "source" : "target");
    return other && registry_has_server(other) && !(own && strcmp(own, other) == 0);
}

/* The value of --source-NAME or --target-NAME, or of --NAME, which is for the one database. */
static enum haul_code side_option(struct haul_job *job, bool target, const char *name, const char **value,
                                  struct haul_error *err)
{
    char own[64];
    snprintf(own, sizeof own, "%s-%s", target ? "target" : "source", name);
    *value = settings_text(&job->settings, own);
    const char *common = *value ? NULL : settings_text(&job->settings, name);
    if (!common)
        return HAUL_OK;
    if (other_server(job, target))
        return error_set(err, HAUL_USAGE,
                         "both sides are databases: say --source-%s or --target-%s instead of --%s", name,
                         name, name);
    *value = common;
    return HAUL_OK;
}

static enum haul_code set_password(struct haul_job *job, bool target, const struct named *named,
                                   struct haul_error *err)
{
    struct login *login = &job->sides[target].login;
    const char *file, *line;
    if (side_option(job, target, "password-file", &file, err) ||
        side_option(job, target, "password-command", &line, err))
        return err->code;
    if (!file && !line) {
        file = named->password_file;
        line = named->password_command;
    }
    if (file)
        return from_file(job, login, file, err);
    if (line)
        return from_command(job, login, line, err);
    const char *word = settings_text(&job->settings, "password");
    word = word ? word : named->password;
    return word ? login_keep(login, word, err) : HAUL_OK;
}

static enum haul_code set_trust(struct haul_job *job, bool target, const struct named *named,
                                struct haul_error *err)
{
    struct side *side = &job->sides[target];
    const char *ca = settings_text(&job->settings, "tls-ca"), *trust = NULL;
    if (settings_flag(&job->settings, "trust-cert")) {
        if (other_server(job, target))
            return error_set(
                err, HAUL_USAGE,
                "--trust-cert is for one connection, and both sides are databases: say it in the "
                "URI of the one that is meant (?sslmode=require, ?ssl-mode=required)");
        trust = "--trust-cert";
    }
    trust = trust ? trust : named->trust ? "trust-cert in connections.ini" : NULL;
    side->login.ca_file = ca ? ca : named->ca_file;
    side->login.trust = trust != NULL;
    if (trust)
        context_warn(
            &job->context,
            "%s: nobody vouches for the server's certificate (%s): who can stand between can read and "
            "change everything, the password included",
            side->shown, trust);
    return HAUL_OK;
}

/* ---- the whole ---- */

static enum haul_code set_login(struct haul_job *job, bool target, const struct named *named,
                                struct haul_error *err)
{
    struct side *side = &job->sides[target];
    size_t length;
    const char *given = settings_text(&job->settings, target ? "target" : "source");
    char *looked_at = arena_text(&job->arena, given ? given : "");
    side->login.ask = job->password;
    side->login.ask_user = job->password_user;
    if (looked_at && secret_next(looked_at, looked_at, &length))
        context_warn(&job->context,
                     "a password in the command line can be seen by others while haul starts; better: "
                     "--password-file, --password-command, or the server's own variable");
    if (set_password(job, target, named, err))
        return err->code;
    return set_trust(job, target, named, err);
}

static enum haul_code resolve(struct haul_job *job, bool target, struct haul_error *err)
{
    struct side *side = &job->sides[target];
    struct named named = {0};
    const char *name, *table = NULL;
    if (job_name(job, target ? "target" : "source", &name, err) || take_word(job, name, &table, &named, err))
        return err->code;
    name = named.uri ? named.uri : name;
    if (take_parameter(&name, &table, &job->arena, err) || set_table(job, target, table, err))
        return err->code;
    side->shown = job_hidden(job, name);
    if (!side->shown)
        return error_nomem(err, "a name");
    if (registry_has_server(name) && set_login(job, target, &named, err))
        return err->code;
    side->name = name;
    return HAUL_OK;
}

enum haul_code side_resolve(struct haul_job *job, bool target, struct side **side, struct haul_error *err)
{
    *side = &job->sides[target];
    if ((*side)->name)
        return HAUL_OK;
    return resolve(job, target, err);
}

void side_forget(struct haul_job *job, bool target)
{
    struct side *side = &job->sides[target];
    if (side->named_table)
        settings_clear(&job->settings, target ? "target-table" : "source-table");
    login_release(&side->login);
    *side = (struct side){0};
}
