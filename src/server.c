/*
 * server.c: see server.h.
 *
 * --server takes SQL Server's spellings (host, host,port, host\instance, tcp:host) or
 * the URI of any database. Each word is percent-encoded on its way into the URI, so
 * that nothing in a name or a password can become another part of it. Errors never
 * quote the password, nor a value that may be one.
 */
#include "server.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PACKET_BYTES_MIN 512
#define PACKET_BYTES_MAX 32767

static const char *text_of(const struct haul_job *job, const char *name)
{
    return settings_text(&job->settings, name);
}

/* A URI, or a named connection ("prod:"). */
static bool is_uri(const char *server)
{
    size_t length = strlen(server);
    return strstr(server, "://") != NULL || (length > 1 && server[length - 1] == ':');
}

/* Letters, digits and `plain` stay. */
static char *encode(struct haul_job *job, const char *text, const char *plain)
{
    static const char digits[] = "0123456789ABCDEF";
    char *made = arena_alloc(&job->arena, 3 * strlen(text) + 1), *out = made;
    for (; made && *text; text++) {
        unsigned char c = (unsigned char)*text;
        if ((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || strchr(plain, c)) {
            *out++ = (char)c;
            continue;
        }
        *out++ = '%';
        *out++ = digits[c >> 4];
        *out++ = digits[c & 15];
    }
    if (made)
        *out = 0;
    return made;
}

static enum haul_code packet_check(const struct haul_job *job, struct haul_error *err)
{
    int64_t bytes = settings_number(&job->settings, "packet-size");
    if (!settings_given(&job->settings, "packet-size") ||
        (bytes >= PACKET_BYTES_MIN && bytes <= PACKET_BYTES_MAX))
        return HAUL_OK;
    return error_set(err, HAUL_USAGE, "--packet-size is a number of bytes from %d to %d", PACKET_BYTES_MIN,
                     PACKET_BYTES_MAX);
}

/* Words that would be passed over beside a URI, which says it all. */
static enum haul_code uri_check(const struct haul_job *job, struct haul_error *err)
{
    static const char *const words[] = {"database", "username", "password", "trusted-connection",
                                        "packet-size"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (settings_given(&job->settings, words[i]))
            return error_set(err, HAUL_USAGE, "--server is a URI, which --%s is a part of; say it there",
                             words[i]);
    return HAUL_OK;
}

static enum haul_code login_check(const struct haul_job *job, struct haul_error *err)
{
    const char *user = text_of(job, "username");
    bool trusted = settings_flag(&job->settings, "trusted-connection");
    if (trusted && user)
        return error_set(err, HAUL_USAGE,
                         "--trusted-connection logs in as who runs haul; leave --username out");
    if (!trusted && !user && text_of(job, "password"))
        return error_set(err, HAUL_USAGE, "a --password needs a --username");
    return packet_check(job, err);
}

/* Words of bcp's, as parameters of the URI. */
static const struct {
    const char *word, *parameter;
} parameters[] = {{"encryption", "encrypt"},
                  {"certificate-host", "HostNameInCertificate"},
                  {"server-certificate", "ServerCertificate"},
                  {"application-intent", "ApplicationIntent"},
                  {"login-timeout", "loginTimeout"},
                  {"packet-size", "packetSize"}};

/* "?name=value&name=value"; NULL: no memory. */
static const char *parameters_make(struct haul_job *job)
{
    const bool bcp = settings_given(&job->settings, "direction");
    const bool off = !settings_flag(&job->settings, "encrypt") || settings_flag(&job->settings, "no-encrypt");
    char *made = bcp ? "" : arena_printf(&job->arena, "?encrypt=%s", off ? "optional" : "mandatory");
    if (made && settings_flag(&job->settings, "trusted-connection"))
        made = arena_printf(&job->arena, "%s%cTrusted_Connection=yes", made, *made ? '&' : '?');
    if (made && settings_flag(&job->settings, "access-token"))
        made = arena_printf(&job->arena, "%s%cAuthentication=ActiveDirectoryAccessToken", made,
                            *made ? '&' : '?');
    for (size_t i = 0; made && i < sizeof parameters / sizeof parameters[0]; i++) {
        if (!settings_given(&job->settings, parameters[i].word))
            continue;
        const char *value = encode(job, text_of(job, parameters[i].word), "_-./\\");
        made = value ? arena_printf(&job->arena, "%s%c%s=%s", made, *made ? '&' : '?',
                                    parameters[i].parameter, value)
                     : NULL;
    }
    return made;
}

/* The password is no part of it: side.c hands it to the login. */
static const char *uri_make(struct haul_job *job)
{
    const char *user = text_of(job, "username"), *database = text_of(job, "database");
    char *host = encode(job, text_of(job, "server"), "._-\\,:()[]");
    char *name = encode(job, database, "_-."), *login = encode(job, user ? user : "", "_-.\\");
    const char *more = parameters_make(job);
    return host && name && login && more
               ? arena_printf(&job->arena, "mssql://%s%s%s/%s%s", login, user ? "@" : "", host, name, more)
               : NULL;
}

enum haul_code server_uri(struct haul_job *job, const char **uri, struct haul_error *err)
{
    const char *server = text_of(job, "server");
    if (!server || !*server)
        return error_set(err, HAUL_USAGE, "no --server was given: SQL Server's host, or a database's URI");
    if (is_uri(server)) {
        *uri = server;
        return uri_check(job, err);
    }
    if (!text_of(job, "database"))
        return error_set(err, HAUL_USAGE, "no --database was given");
    if (login_check(job, err))
        return err->code;
    *uri = uri_make(job);
    return *uri ? HAUL_OK : error_nomem(err, "the server's URI");
}

/* ---- the table ---- */

bool server_is_mssql(const struct haul_job *job)
{
    const char *server = text_of(job, "server");
    return !server || !is_uri(server) || strncasecmp(server, "mssql", 5) == 0 ||
           strncasecmp(server, "sqlserver", 9) == 0;
}

const char *server_schema(const struct haul_job *job)
{
    const char *schema = text_of(job, "table-schema"), *table = text_of(job, "table");
    if (schema || (table && strpbrk(table, ".[\"")))
        return schema;
    return server_is_mssql(job) ? "dbo" : NULL;
}

/* Plain names stay as they are, so that an engine may fold their case. */
static const char *quote(struct haul_job *job, const char *name)
{
    bool plain = (name[0] | 32) >= 'a' && (name[0] | 32) <= 'z';
    for (const char *c = name; plain && *c; c++)
        plain = ((*c | 32) >= 'a' && (*c | 32) <= 'z') || (*c >= '0' && *c <= '9') || *c == '_';
    if (plain || name[0] == '"' || name[0] == '[')
        return name;
    char *made = arena_alloc(&job->arena, 2 * strlen(name) + 3), *out = made;
    if (!made)
        return NULL;
    *out++ = '"';
    for (; *name; name++) {
        *out++ = *name;
        if (*name == '"')
            *out++ = '"';
    }
    *out++ = '"';
    *out = 0;
    return made;
}

enum haul_code server_table(struct haul_job *job, const char **table, struct haul_error *err)
{
    const char *given = text_of(job, "table"), *schema = server_schema(job);
    if (!given || !*given)
        return error_set(err, HAUL_USAGE, "no --table was given");
    if (!schema && strpbrk(given, ".[\"")) { /* the user's own quotes and schema */
        *table = given;
        return HAUL_OK;
    }
    const char *name = quote(job, given), *before = schema ? quote(job, schema) : "";
    *table = !name || !before ? NULL : schema ? arena_printf(&job->arena, "%s.%s", before, name) : name;
    return *table ? HAUL_OK : error_nomem(err, "a table's name");
}

const char *server_stem(struct haul_job *job)
{
    const char *schema = server_schema(job), *table = text_of(job, "table");
    return schema ? arena_printf(&job->arena, "%s_%s", schema, table) : NULL;
}
