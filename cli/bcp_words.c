/*
 * bcp_words.c: bcp's command line. Options are a letter and, for most, a value that
 * stands behind it or in the next word; a value that begins with a dash must stand
 * behind it. What a shell or a word processor does to people is caught here: a dash
 * that is none, a terminator whose backslash is gone.
 */
#include "bcp.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum kind { KIND_FLAG, KIND_TEXT, KIND_NUMBER, KIND_REFUSED };

static const struct letter {
    char letter;
    enum kind kind;
    const char *option; /* of the job; NULL: dealt with by name */
    long long min, max; /* of numbers */
    const char *why;    /* it is refused */
} letters[] = {
    {'a', KIND_NUMBER, NULL, 512, 65535, NULL},
    {'b', KIND_NUMBER, "batch-rows", 1, INT64_MAX, NULL},
    {'c', KIND_FLAG, NULL, 0, 0, NULL},
    {'C', KIND_TEXT, "code-page", 0, 0, NULL},
    {'d', KIND_TEXT, "database", 0, 0, NULL},
    {'D', KIND_REFUSED, NULL, 0, 0, "haul has no ODBC data sources; name the server with -S"},
    {'e', KIND_TEXT, NULL, 0, 0, NULL},
    {'E', KIND_FLAG, "keep-identity", 0, 0, NULL},
    {'f', KIND_TEXT, NULL, 0, 0, NULL},
    {'F', KIND_NUMBER, "first-row", 1, INT64_MAX, NULL},
    {'G', KIND_FLAG, NULL, 0, 0, NULL},
    {'h', KIND_TEXT, "load-hints", 0, 0, NULL},
    {'H', KIND_TEXT, "certificate-host", 0, 0, NULL},
    {'i', KIND_TEXT, NULL, 0, 0, NULL},
    {'J', KIND_TEXT, "server-certificate", 0, 0, NULL},
    {'k', KIND_FLAG, "keep-nulls", 0, 0, NULL},
    {'K', KIND_TEXT, "application-intent", 0, 0, NULL},
    {'l', KIND_NUMBER, "login-timeout", 0, 65534, NULL},
    {'L', KIND_NUMBER, "last-row", 0, INT64_MAX, NULL},
    {'m', KIND_NUMBER, "max-errors", 0, 65535, NULL},
    {'n', KIND_FLAG, NULL, 0, 0, NULL},
    {'N', KIND_FLAG, NULL, 0, 0, NULL},
    {'o', KIND_TEXT, NULL, 0, 0, NULL},
    {'P', KIND_TEXT, NULL, 0, 0, NULL},
    {'q', KIND_FLAG, NULL, 0, 0, NULL},
    {'r', KIND_TEXT, "row-end", 0, 0, NULL},
    {'R', KIND_REFUSED, NULL, 0, 0, "dates and numbers are never written in a country's own way here"},
    {'S', KIND_TEXT, "server", 0, 0, NULL},
    {'t', KIND_TEXT, "field-end", 0, 0, NULL},
    {'T', KIND_FLAG, "trusted-connection", 0, 0, NULL},
    {'u', KIND_FLAG, "trust-cert", 0, 0, NULL},
    {'U', KIND_TEXT, "username", 0, 0, NULL},
    {'v', KIND_FLAG, NULL, 0, 0, NULL},
    {'V', KIND_TEXT, NULL, 0, 0, NULL},
    {'w', KIND_FLAG, NULL, 0, 0, NULL},
    {'x', KIND_FLAG, "format-xml", 0, 0, NULL},
    {'Y', KIND_TEXT, NULL, 0, 0, NULL},
    {'z', KIND_REFUSED, NULL, 0, 0, "vectors are read and written as text; leave it out"},
    {'6', KIND_REFUSED, NULL, 0, 0,
     "files of SQL Server 6.x are not written; read them with their format file"},
};

/* What haul adds, and options of every command that make sense here. */
static const char *const long_options[] = {
    "csv",     "parallel",      "resume",           "progress", "create", "tls-ca",
    "memory",  "password-file", "password-command", "strict",   "ledger", "run",
    "summary", "schema",        "dry-run",          NULL};

bool bcp_is(const struct bcp *bcp, const char *direction)
{
    return bcp->direction && strcmp(bcp->direction, direction) == 0;
}

bool bcp_usage_error(const char *format, ...)
{
    va_list args;
    fprintf(stderr, "bcp: ");
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n");
    return false;
}

/* ---- accidents ---- */

static bool is_false_dash(const char *word)
{
    static const char *const dashes[] = {"\xe2\x80\x90", "\xe2\x80\x91", "\xe2\x80\x92", "\xe2\x80\x93",
                                         "\xe2\x80\x94", "\xe2\x88\x92", "\x96"};
    for (size_t i = 0; i < sizeof dashes / sizeof *dashes; i++)
        if (strncmp(word, dashes[i], strlen(dashes[i])) == 0)
            return true;
    return false;
}

static bool check_terminator(char letter, const char *value)
{
    static const char *const eaten[] = {"t", "n", "r", "rn", "tn"};
    for (size_t i = 0; i < sizeof eaten / sizeof *eaten; i++)
        if (strcmp(value, eaten[i]) == 0)
            return bcp_usage_error(
                "-%c %s: a shell has eaten the backslash; write -%c '%s%c%s%s' in quotes (a letter "
                "itself is 0x%02x)",
                letter, value, letter, "\\", value[0], value[1] ? "\\" : "", value + 1,
                (unsigned char)value[0]);
    return true;
}

/* ---- options ---- */

static const struct letter *letter_find(char letter)
{
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        if (letters[i].letter == letter)
            return &letters[i];
    return NULL;
}

static bool set(struct bcp *bcp, const char *option, const char *value)
{
    struct haul_error err = {0};
    if (haul_job_set(bcp->job, option, value, &err) == HAUL_OK)
        return true;
    return bcp_usage_error("%s", err.message);
}

static bool take_number(struct bcp *bcp, const struct letter *letter, const char *value)
{
    char text[32];
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (end == value || *end || errno || number < letter->min || number > letter->max)
        return bcp_usage_error("-%c %s: a number from %lld to %lld is wanted", letter->letter, value,
                               letter->min, letter->max);
    if (letter->letter == 'a') /* the most that TDS has, and the least a server takes */
        number = number > 32767 ? 32767 : number;
    snprintf(text, sizeof text, "%lld", number);
    return set(bcp, letter->letter == 'a' ? "packet-size" : letter->option, text);
}

static bool take_letter(struct bcp *bcp, const struct letter *letter, const char *value)
{
    if (letter->kind == KIND_REFUSED)
        return bcp_usage_error("-%c: %s", letter->letter, letter->why);
    bcp->values[(unsigned char)letter->letter] = value;
    if (letter->kind == KIND_NUMBER)
        return take_number(bcp, letter, value);
    if ((letter->letter == 't' || letter->letter == 'r') && !check_terminator(letter->letter, value))
        return false;
    if (letter->option)
        return set(bcp, letter->option, letter->kind == KIND_FLAG ? "true" : value);
    return true;
}

static bool take_long(struct bcp *bcp, int count, char **words, int *at)
{
    const char *name = words[*at] + 2, *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    for (const char *const *known = long_options; *known; known++) {
        if (strlen(*known) != length || strncmp(*known, name, length) != 0)
            continue;
        const struct haul_option *option = haul_option_find(*known, length, 0);
        const char *value = equals ? equals + 1 : option->kind == HAUL_OPTION_FLAG ? "true" : NULL;
        if (!value && *at + 1 < count)
            value = words[++*at];
        return value ? set(bcp, *known, value) : bcp_usage_error("--%s needs a value", *known);
    }
    return bcp_usage_error("unknown option %s", words[*at]);
}

static bool take_option(struct bcp *bcp, int count, char **words, int *at)
{
    const char *word = words[*at];
    const struct letter *letter = letter_find(word[1]);
    if (!letter)
        return bcp_usage_error("unknown option %s", word);
    if (letter->kind == KIND_FLAG || letter->kind == KIND_REFUSED) {
        if (word[2] && letter->kind == KIND_FLAG)
            return bcp_usage_error("%s: -%c takes no value", word, word[1]);
        return take_letter(bcp, letter, "");
    }
    const char *value = word[2] ? word + 2 : NULL;
    bool next = !value && *at + 1 < count && words[*at + 1][0] != '-';
    if (next)
        value = words[++*at];
    if (!value && letter->letter == 'P')
        value = ""; /* an empty password */
    if (!value)
        return bcp_usage_error("-%c needs a value; one that begins with a dash stands right behind it",
                               letter->letter);
    return take_letter(bcp, letter, value);
}

static bool take_place(struct bcp *bcp, const char *word)
{
    const char **places[] = {&bcp->table, &bcp->direction, &bcp->file};
    for (size_t i = 0; i < 3; i++)
        if (!*places[i]) {
            *places[i] = word;
            return true;
        }
    return bcp_usage_error("\"%s\" is one word too many; a name with blanks needs quotes", word);
}

/* ---- together ---- */

static bool check_direction(struct bcp *bcp)
{
    static const char *const ways[] = {"in", "out", "queryout", "format"};
    for (size_t i = 0; i < 4; i++)
        if (bcp->direction && strcasecmp(bcp->direction, ways[i]) == 0) {
            bcp->direction = ways[i];
            return true;
        }
    return bcp_usage_error("\"%s\" is no direction: in, out, queryout or format",
                           bcp->direction ? bcp->direction : "");
}

static bool check_file(struct bcp *bcp)
{
    if (!bcp->file)
        return bcp_usage_error("no data file was given");
    if (!bcp_is(bcp, "format"))
        return true;
    if (strcasecmp(bcp->file, "nul") != 0)
        return bcp_usage_error("format makes no data file: write nul for it");
    return bcp_has(bcp, 'f') ? true : bcp_usage_error("format needs -f and the name of the format file");
}

/* "db.schema.table" and -d. */
static bool check_name(const struct bcp *bcp)
{
    int dots = 0;
    bool inside = false;
    for (const char *c = bcp->table; *c; c++) {
        inside = *c == '[' || (*c == '"' && !inside) ? true : *c == ']' || *c == '"' ? false : inside;
        dots += *c == '.' && !inside;
    }
    if (!bcp_is(bcp, "queryout") && dots >= 2 && bcp_has(bcp, 'd'))
        return bcp_usage_error("%s names a database, and -d another one; leave one out", bcp->table);
    return true;
}

static bool set_storage(struct bcp *bcp)
{
    static const struct {
        char letter;
        const char *storage;
    } storages[] = {{'n', "native"}, {'c', "char"}, {'w', "unicode"}, {'N', "unicode-native"}};
    const char *found = NULL;
    for (size_t i = 0; i < 4; i++) {
        if (!bcp_has(bcp, storages[i].letter))
            continue;
        if (found)
            return bcp_usage_error("-n, -c, -w and -N say different things; give one");
        found = storages[i].storage;
    }
    return !found || set(bcp, "storage", found);
}

static bool set_version(struct bcp *bcp)
{
    const char *value = bcp_value(bcp, 'V');
    char version[8];
    if (!value)
        return true;
    if (strcmp(value, "60") == 0 || strcmp(value, "65") == 0)
        return bcp_usage_error(
            "-V %s: files of SQL Server 6.x are not written; read them with their format file", value);
    size_t length = strlen(value);
    if (length < 2 || length > 3 || value[length - 1] != '0')
        return bcp_usage_error("-V %s: 70, 80, 90, 100 ... 170 are versions", value);
    if (length == 2 && (bcp_has(bcp, 'n') || bcp_has(bcp, 'N')) && !bcp_is(bcp, "format"))
        return bcp_usage_error(
            "-V %s: native files of before 2008 are not written or read; use -c or a format file", value);
    snprintf(version, sizeof version, "%.*s.0", (int)length - 1, value);
    return set(bcp, "format-version", version);
}

static bool set_encryption(struct bcp *bcp)
{
    const char *value = bcp_value(bcp, 'Y');
    if (!value)
        return true;
    const char *word = strcasecmp(value, "s") == 0   ? "strict"
                       : strcasecmp(value, "m") == 0 ? "mandatory"
                       : strcasecmp(value, "o") == 0 ? "optional"
                                                     : NULL;
    return word ? set(bcp, "encryption", word) : bcp_usage_error("-Y %s: s, m or o is wanted", value);
}

/* A file of UTF-16LE without a mark, as Microsoft's tools have it. */
static bool read_token(struct bcp *bcp, const char *path)
{
    char wide[65536];
    FILE *file = fopen(path, "rb");
    size_t length = file ? fread(wide, 1, sizeof wide, file) : 0;
    if (file)
        fclose(file);
    if (!length || length == sizeof wide || length % 2)
        return bcp_usage_error("-P %s: no access token file (UTF-16LE)", path);
    bcp->password = calloc(length / 2 + 1, 1);
    for (size_t i = 0; bcp->password && i < length; i += 2) {
        if (wide[i + 1] || (unsigned char)wide[i] < 0x21) {
            if (i + 2 >= length - 2 && !wide[i + 1])
                break; /* a line end */
            return bcp_usage_error("-P %s: no access token file (UTF-16LE)", path);
        }
        bcp->password[i / 2] = wide[i];
    }
    return bcp->password != NULL;
}

static bool set_login(struct bcp *bcp)
{
    const char *password = bcp_value(bcp, 'P');
    if (bcp_has(bcp, 'G')) {
        if (bcp_has(bcp, 'U') || !password)
            return bcp_usage_error("-G: haul logs in to Entra ID with an access token only: -G -P TOKENFILE");
        return read_token(bcp, password) && set(bcp, "access-token", "true") &&
               set(bcp, "username", "token") && set(bcp, "password", bcp->password);
    }
    if (bcp_has(bcp, 'T') && bcp_has(bcp, 'U'))
        return bcp_usage_error("-T logs in as who runs bcp; leave -U out");
    if (!bcp_has(bcp, 'T') && !bcp_has(bcp, 'U') && !strstr(haul_job_get(bcp->job, "server"), "://") &&
        password)
        return bcp_usage_error("-P needs -U");
    return !password || set(bcp, "password", password);
}

static bool check_hints(struct bcp *bcp)
{
    static const char *const known[] = {"ORDER",   "ROWS_PER_BATCH",    "KILOBYTES_PER_BATCH",
                                        "TABLOCK", "CHECK_CONSTRAINTS", "FIRE_TRIGGERS"};
    const char *at = bcp_value(bcp, 'h');
    while (at && *at) {
        size_t i = 0, length = strcspn(at, " (=,");
        while (i < 6 && !(strlen(known[i]) == length && strncasecmp(at, known[i], length) == 0))
            i++;
        if (i == 6)
            return bcp_usage_error(
                "-h: \"%.*s\" is no hint; ORDER(...), ROWS_PER_BATCH=n, KILOBYTES_PER_BATCH=n, "
                "TABLOCK, CHECK_CONSTRAINTS and FIRE_TRIGGERS are",
                (int)length, at);
        at += length;
        at += strspn(at, " ");
        at += *at == '(' ? strcspn(at, ")") + (strchr(at, ')') != NULL) : strcspn(at, ",");
        at += strspn(at, ", ");
    }
    return true;
}

static bool settle(struct bcp *bcp)
{
    bool query = bcp_is(bcp, "queryout");
    if (!bcp_has(bcp, 'S') && !set(bcp, "server", "localhost"))
        return false;
    if (!bcp_has(bcp, 'm') && !set(bcp, "max-errors", "10"))
        return false;
    return check_file(bcp) && check_name(bcp) && check_hints(bcp) && set_storage(bcp) && set_version(bcp) &&
           set_encryption(bcp) && set_login(bcp) && set(bcp, "direction", bcp->direction) &&
           set(bcp, "data-file", bcp->file) && set(bcp, query ? "query" : "table", bcp->table);
}

bool bcp_words_read(struct bcp *bcp, int count, char **words, bool *done)
{
    *done = count == 0;
    for (int i = 0; i < count && !*done; i++) {
        const char *word = words[i];
        if (is_false_dash(word))
            return bcp_usage_error("\"%s\" begins with a dash of a word processor; write - instead", word);
        if (strcmp(word, "-?") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-v") == 0) {
            *done = true;
            bcp->values['v'] = strcmp(word, "-v") == 0 ? "" : NULL;
        } else if (strncmp(word, "--", 2) == 0) {
            if (!take_long(bcp, count, words, &i))
                return false;
        } else if (word[0] == '-' && word[1]) {
            if (!take_option(bcp, count, words, &i))
                return false;
        } else if (!take_place(bcp, word)) {
            return false;
        }
    }
    return *done || (check_direction(bcp) && settle(bcp));
}
