/*
 * server.c: the URI, its parameters and the environment.
 *
 * The authority ends at the first '/' or '?' behind the last '@' that stands
 * before the first '?': a mail address as user and a password with '/' or '@' in
 * it need no escapes; a '?' in a password does (%3F). Everything is decoded
 * after it was cut.
 *
 * Parameters are one table. Errors never quote the URI: it may hold a password.
 */
#include "database/mssql/server.h"

#include "base/settings.h"
#include "base/socket.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LOGIN_S      30
#define PACKET_BYTES 32767

static const char *const schemes[] = {"mssql", "sqlserver", "azuresql", "azure-sql", "mssql+pyodbc", NULL};

/* The scheme's length with "://"; 0 when it is none of ours. */
static size_t scheme_length(const char *uri)
{
    for (int i = 0; schemes[i]; i++) {
        size_t length = strlen(schemes[i]);
        if (strncasecmp(uri, schemes[i], length) == 0 && strncmp(uri + length, "://", 3) == 0)
            return length + 3;
    }
    return 0;
}

bool ms_server_accepts(const char *uri)
{
    return scheme_length(uri) > 0;
}

/* ---- texts ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* [from, to) with %XX decoded; NULL: no memory. A NUL cannot come of it. */
static char *decode(struct arena *arena, const char *from, const char *to)
{
    char *text = arena_alloc(arena, (size_t)(to - from) + 1), *out = text;
    while (text && from < to) {
        int high = *from == '%' && to - from > 2 ? hex_digit(from[1]) : -1;
        int low = high >= 0 ? hex_digit(from[2]) : -1;
        if (low >= 0 && high * 16 + low > 0) {
            *out++ = (char)(high * 16 + low);
            from += 3;
        } else {
            *out++ = *from++;
        }
    }
    return text;
}

static enum haul_code fail_value(const char *name, const char *wanted, struct haul_error *err)
{
    return error_set(err, HAUL_USAGE, "the connection's URI: %s must be %s", name, wanted);
}

/* ---- parameters ---- */

enum parameter {
    P_ENCRYPT,
    P_TRUST,
    P_TRUSTED,
    P_CERTIFICATE_HOST,
    P_CERTIFICATE_FILE,
    P_CA_FILE,
    P_AUTHENTICATION,
    P_INTENT,
    P_AT_ONCE,
    P_PACKET,
    P_LOGIN,
    P_APP,
    P_DATABASE,
    P_USER,
    P_PASSWORD,
    P_INSTANCE,
    P_PORT,
    P_SPN,
    P_IGNORED,
    P_TABLE
};

struct parameter_row {
    const char *name; /* lower case, blanks and '_' left out */
    enum parameter parameter;
};

static const struct parameter_row parameters[] = {
    {"encrypt", P_ENCRYPT},
    {"trustservercertificate", P_TRUST},
    {"trustedconnection", P_TRUSTED},
    {"integratedsecurity", P_TRUSTED},
    {"hostnameincertificate", P_CERTIFICATE_HOST},
    {"servercertificate", P_CERTIFICATE_FILE},
    {"certificate", P_CA_FILE},
    {"authentication", P_AUTHENTICATION},
    {"applicationintent", P_INTENT},
    {"multisubnetfailover", P_AT_ONCE},
    {"packetsize", P_PACKET},
    {"logintimeout", P_LOGIN},
    {"connectiontimeout", P_LOGIN},
    {"connecttimeout", P_LOGIN},
    {"dialtimeout", P_LOGIN},
    {"appname", P_APP},
    {"app", P_APP},
    {"applicationname", P_APP},
    {"database", P_DATABASE},
    {"initialcatalog", P_DATABASE},
    {"user", P_USER},
    {"userid", P_USER},
    {"uid", P_USER},
    {"username", P_USER},
    {"password", P_PASSWORD},
    {"pwd", P_PASSWORD},
    {"instance", P_INSTANCE},
    {"instancename", P_INSTANCE},
    {"port", P_PORT},
    {"serverspn", P_SPN},
    {"driver", P_IGNORED},
    {"table", P_TABLE},
};
#define PARAMETER_COUNT (sizeof parameters / sizeof *parameters)

static bool name_matches(const char *row, const char *given)
{
    for (; *given; given++) {
        if (*given == ' ' || *given == '_' || *given == '+')
            continue;
        char c = *given >= 'A' && *given <= 'Z' ? (char)(*given + 32) : *given;
        if (c != *row++)
            return false;
    }
    return !*row;
}

static enum haul_code fail_parameter(const char *given, struct haul_error *err)
{
    const char *names[PARAMETER_COUNT];
    char near[128];
    for (size_t i = 0; i < PARAMETER_COUNT; i++)
        names[i] = parameters[i].name;
    settings_near(given, names, PARAMETER_COUNT, near, sizeof near);
    return error_set(err, HAUL_USAGE, "the connection's URI: the parameter \"%s\" is not known%s%s", given,
                     near[0] ? "; near are " : "", near);
}

static bool parse_flag(const char *value, bool *flag)
{
    *flag = !strcasecmp(value, "yes") || !strcasecmp(value, "true") || !strcmp(value, "1") ||
            !strcasecmp(value, "sspi");
    return *flag || !strcasecmp(value, "no") || !strcasecmp(value, "false") || !strcmp(value, "0");
}

static enum haul_code set_flag(bool *flag, const char *name, const char *value, struct haul_error *err)
{
    return parse_flag(value, flag) ? HAUL_OK : fail_value(name, "yes or no", err);
}

static enum haul_code set_number(int *number, const char *name, const char *value, struct haul_error *err)
{
    char *end;
    long parsed = strtol(value, &end, 10);
    if (end == value || *end || parsed < 0 || parsed > 65535)
        return fail_value(name, "a number from 0 to 65535", err);
    *number = (int)parsed;
    return HAUL_OK;
}

static enum haul_code set_encrypt(struct server *server, const char *value, struct haul_error *err)
{
    static const struct {
        const char *word;
        enum ms_encrypt encrypt;
    } words[] = {{"disable", ENCRYPT_DISABLE}, {"optional", ENCRYPT_OPTIONAL},   {"no", ENCRYPT_OPTIONAL},
                 {"false", ENCRYPT_OPTIONAL},  {"mandatory", ENCRYPT_MANDATORY}, {"yes", ENCRYPT_MANDATORY},
                 {"true", ENCRYPT_MANDATORY},  {"strict", ENCRYPT_STRICT}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasecmp(value, words[i].word) == 0) {
            server->encrypt = words[i].encrypt;
            return HAUL_OK;
        }
    }
    return fail_value("encrypt", "disable, optional, mandatory or strict", err);
}

static enum haul_code set_authentication(struct server *server, const char *value, struct haul_error *err)
{
    if (!strcasecmp(value, "ActiveDirectoryAccessToken"))
        server->authentication = AUTH_TOKEN;
    else if (!strcasecmp(value, "ActiveDirectoryIntegrated"))
        server->authentication = AUTH_KERBEROS;
    else if (strcasecmp(value, "SqlPassword") != 0)
        return fail_value("Authentication",
                          "SqlPassword or ActiveDirectoryAccessToken (the password is the token)", err);
    return HAUL_OK;
}

static enum haul_code set_intent(struct server *server, const char *value, struct haul_error *err)
{
    server->read_only = !strcasecmp(value, "ReadOnly");
    return server->read_only || !strcasecmp(value, "ReadWrite")
               ? HAUL_OK
               : fail_value("ApplicationIntent", "ReadOnly or ReadWrite", err);
}

static enum haul_code set_trusted(struct server *server, const char *value, struct haul_error *err)
{
    bool trusted;
    if (set_flag(&trusted, "Trusted_Connection", value, err))
        return err->code;
    if (trusted)
        server->authentication = AUTH_KERBEROS;
    return HAUL_OK;
}

static enum haul_code set_parameter(struct server *server, const struct parameter_row *row, char *value,
                                    struct haul_error *err)
{
    switch (row->parameter) {
    case P_ENCRYPT:
        return set_encrypt(server, value, err);
    case P_TRUST:
        return set_flag(&server->trust, "TrustServerCertificate", value, err);
    case P_TRUSTED:
        return set_trusted(server, value, err);
    case P_AUTHENTICATION:
        return set_authentication(server, value, err);
    case P_INTENT:
        return set_intent(server, value, err);
    case P_AT_ONCE:
        return set_flag(&server->at_once, "MultiSubnetFailover", value, err);
    case P_PACKET:
        return set_number(&server->packet_bytes, "packetSize", value, err);
    case P_LOGIN:
        return set_number(&server->login_s, "loginTimeout", value, err);
    case P_PORT:
        return set_number(&server->port, "port", value, err);
    default:
        break;
    }
    const char **texts[] = {[P_CERTIFICATE_HOST] = &server->certificate_host,
                            [P_CERTIFICATE_FILE] = &server->certificate_file,
                            [P_CA_FILE] = &server->ca_file,
                            [P_APP] = &server->app,
                            [P_DATABASE] = &server->database,
                            [P_USER] = &server->user,
                            [P_INSTANCE] = &server->instance,
                            [P_SPN] = &server->spn,
                            [P_IGNORED] = &server->ignored};
    if (row->parameter == P_PASSWORD)
        server->password = value;
    else if (row->parameter == P_IGNORED)
        server->ignored = row->name;
    else if (row->parameter != P_TABLE)
        *texts[row->parameter] = value;
    return HAUL_OK;
}

static enum haul_code parse_parameter(struct server *server, const char *from, const char *to,
                                      struct haul_error *err)
{
    const char *equals = memchr(from, '=', (size_t)(to - from));
    if (from == to)
        return HAUL_OK;
    char *name = decode(&server->arena, from, equals ? equals : to);
    char *value = decode(&server->arena, equals ? equals + 1 : to, to);
    if (!name || !value)
        return error_nomem(err, "a connection");
    for (size_t i = 0; i < PARAMETER_COUNT; i++)
        if (name_matches(parameters[i].name, name))
            return set_parameter(server, &parameters[i], value, err);
    return fail_parameter(name, err);
}

static enum haul_code parse_parameters(struct server *server, const char *at, struct haul_error *err)
{
    for (;;) {
        const char *end = at + strcspn(at, "&");
        if (parse_parameter(server, at, end, err))
            return err->code;
        if (!*end)
            return HAUL_OK;
        at = end + 1;
    }
}

/* ---- the authority ---- */

static enum haul_code take_port(struct server *server, char *text, struct haul_error *err)
{
    return set_number(&server->port, "the port", text, err);
}

/* "host", "host:port", "host,port", "[::1]:port", "host\instance", "tcp:host". */
static enum haul_code take_host(struct server *server, char *text, struct haul_error *err)
{
    if (strncasecmp(text, "tcp:", 4) == 0 && !(text[4] >= '0' && text[4] <= '9'))
        text += 4;
    if (*text == '[') {
        char *close = strchr(text, ']');
        if (!close || (close[1] && close[1] != ':' && close[1] != ','))
            return fail_value("the host", "a name, or an address as [::1]", err);
        char *port = close[1] ? close + 2 : NULL;
        *close = 0;
        server->host = text + 1;
        return port ? take_port(server, port, err) : HAUL_OK;
    }
    char *port = strpbrk(text, ":,");
    if (port)
        *port++ = 0;
    char *instance = strchr(text, '\\');
    if (instance) {
        *instance++ = 0;
        server->instance = instance;
    }
    server->host = text;
    return port ? take_port(server, port, err) : HAUL_OK;
}

static enum haul_code take_userinfo(struct server *server, const char *from, const char *to,
                                    struct haul_error *err)
{
    const char *colon = memchr(from, ':', (size_t)(to - from));
    server->user = decode(&server->arena, from, colon ? colon : to);
    server->password = colon ? decode(&server->arena, colon + 1, to) : NULL;
    return server->user && (!colon || server->password) ? HAUL_OK : error_nomem(err, "a connection");
}

static enum haul_code take_uri(struct server *server, const char *uri, struct haul_error *err)
{
    const char *start = uri + scheme_length(uri), *question = start + strcspn(start, "?"), *at = NULL;
    if (start == uri)
        return error_set(err, HAUL_USAGE,
                         "the connection's URI is not understood; write mssql://user@host:port/database");
    for (const char *c = start; c < question; c++)
        if (*c == '@')
            at = c;
    if (at && take_userinfo(server, start, at, err))
        return err->code;
    const char *host = at ? at + 1 : start, *host_end = host + strcspn(host, "/?");
    char *text = decode(&server->arena, host, host_end);
    char *path = *host_end == '/' ? decode(&server->arena, host_end + 1, question) : NULL;
    if (!text || (*host_end == '/' && !path))
        return error_nomem(err, "a connection");
    if (*text && take_host(server, text, err))
        return err->code;
    if (*question && parse_parameters(server, question + 1, err))
        return err->code;
    if (path && *path && server->database)
        server->instance = path;
    else if (path && *path)
        server->database = path;
    return HAUL_OK;
}

/* ---- what nobody said ---- */

static char *environment(struct server *server, const char *name)
{
    const char *value = getenv(name);
    return value && *value ? arena_text(&server->arena, value) : NULL;
}

static bool is_loopback(const char *host)
{
    return !strcasecmp(host, "localhost") || !strcmp(host, ".") || !strcasecmp(host, "(local)") ||
           !strcmp(host, "::1") || (strncmp(host, "127.", 4) == 0 && socket_is_address(host));
}

static enum haul_code fill_rest(struct server *server, struct haul_error *err)
{
    char *named = server->host ? NULL : environment(server, "SQLCMDSERVER");
    if (named && take_host(server, named, err))
        return err->code;
    if (!server->host || !*server->host)
        return error_set(err, HAUL_USAGE,
                         "the connection's URI names no host; write mssql://user@host:port/database");
    if (!server->user)
        server->user = environment(server, "SQLCMDUSER");
    if (!server->password)
        server->password = environment(server, "SQLCMDPASSWORD");
    if (!server->database)
        server->database = environment(server, "SQLCMDDBNAME");
    server->loopback = is_loopback(server->host);
    if (!strcmp(server->host, ".") || !strcasecmp(server->host, "(local)"))
        server->host = "localhost";
    if (!server->login_s)
        server->login_s = LOGIN_S;
    if (server->packet_bytes < 512 || server->packet_bytes > 32767)
        server->packet_bytes = PACKET_BYTES;
    server->name = arena_printf(&server->arena, "%.60s%s%.40s%s%.60s", server->host,
                                server->instance ? "\\" : "", server->instance ? server->instance : "",
                                server->database ? "/" : "", server->database ? server->database : "");
    return server->name ? HAUL_OK : error_nomem(err, "a connection");
}

enum haul_code ms_server_parse(struct server *server, const char *uri, struct haul_error *err)
{
    *server = (struct server){0};
    if (take_uri(server, uri, err) || fill_rest(server, err)) {
        ms_server_release(server);
        return err->code;
    }
    return HAUL_OK;
}

static enum haul_code take_login(struct server *server, struct login *login, struct haul_error *err)
{
    bool given = false, missing = server->authentication == AUTH_SQL && server->user && !server->password;
    if (missing && !login->password && login_ask(login, server->name, &given, err))
        return err->code;
    if (login->password && !(server->password = arena_text(&server->arena, login->password)))
        return error_nomem(err, "a password");
    server->trust |= login->trust;
    if (login->ca_file && !(server->ca_file = arena_text(&server->arena, login->ca_file)))
        return error_nomem(err, "a file's name");
    if (login->ca_file && server->encrypt == ENCRYPT_DEFAULT)
        server->encrypt = ENCRYPT_MANDATORY; /* and then somebody must vouch, here too */
    return HAUL_OK;
}

enum haul_code ms_server_open(struct server *server, const char *uri, const struct context *context,
                              struct haul_error *err)
{
    struct login *login = context->login;
    if (ms_server_parse(server, uri, err))
        return err->code;
    if (context->settings && settings_flag(context->settings, "trusted-connection"))
        server->authentication = AUTH_KERBEROS;
    if (login && take_login(server, login, err))
        ms_server_release(server);
    return server->name ? HAUL_OK : err->code;
}

void ms_server_release(struct server *server)
{
    if (server->password)
        explicit_bzero(server->password, strlen(server->password));
    arena_release(&server->arena);
    *server = (struct server){0};
}
