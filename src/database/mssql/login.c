/*
 * login.c: LOGIN7, built in one block that is wiped afterwards (MS-TDS, "LOGIN7").
 *
 * A fixed part of 94 bytes points to the texts behind it; lengths there count
 * UTF-16 units. What it points to stands in the order of the pointers: there are
 * servers that read it front to back. The password is scrambled, which hides it from nobody: the block
 * must only travel inside of TLS, and it is wiped here and in the packet buffer.
 *
 * Features asked for: UTF-8 collations, and an access token when there is one.
 */
#include "database/mssql/session.h"

#include "base/unicode.h"
#include "base/utf16.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FIXED_BYTES     94
#define NAME_UNITS      128
#define LOGIN_BYTES_MAX 130000              /* features not counted */
#define TOKEN_BYTES_MAX ((size_t)60 * 1024) /* of an access token, as text */

enum {
    AT_HOST = 36,
    AT_USER = 40,
    AT_PASSWORD = 44,
    AT_APP = 48,
    AT_SERVER = 52,
    AT_EXTENSION = 56,
    AT_LIBRARY = 60,
    AT_LANGUAGE = 64,
    AT_DATABASE = 68,
    AT_SSPI = 78,
    AT_FILE = 82,
    AT_NEW_PASSWORD = 86,
    AT_SSPI_LONG = 90
};

enum { FLAGS1_USE_DB = 0x20, FLAGS1_DB_FATAL = 0x40, FLAGS1_LANGUAGE = 0x80 };
enum { FLAGS2_LANGUAGE_FATAL = 0x01, FLAGS2_ODBC = 0x02, FLAGS2_INTEGRATED = 0x80 };
enum { FLAGS3_UNKNOWN_COLLATIONS = 0x08, FLAGS3_EXTENSION = 0x10, TYPE_READ_ONLY = 0x20 };
enum { FEATURE_FEDERATED = 0x02, FEATURE_UTF8 = 0x0a, FEATURE_END = 0xff };

struct block {
    uint8_t *data;
    size_t used, room;
};

static void put_u16(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static void put_u32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof value);
}

/* Appends text as UTF-16; returns its units. Room was made for all texts. */
static size_t put_units(struct block *block, const char *text)
{
    const uint8_t *at = (const uint8_t *)text;
    uint16_t units[2];
    size_t count = 0;
    while (*at) {
        int more = utf16_of_utf8(&at, units);
        memcpy(block->data + block->used, units, (size_t)more * 2);
        block->used += (size_t)more * 2;
        count += (size_t)more;
    }
    return count;
}

static enum haul_code put_field(struct block *block, size_t place, const char *text, struct haul_error *err)
{
    if (!text)
        text = "";
    if (!unicode_is_valid((const uint8_t *)text, strlen(text)))
        return error_set(err, HAUL_USAGE, "a name or the password in the connection is not UTF-8");
    put_u16(block->data + place, block->used);
    size_t units = put_units(block, text);
    put_u16(block->data + place + 2, units);
    if (units > NAME_UNITS)
        return error_set(err, HAUL_USAGE,
                         "a name or the password in the connection has more than %d characters", NAME_UNITS);
    return HAUL_OK;
}

static enum haul_code put_password(struct block *block, const char *password, struct haul_error *err)
{
    size_t from = block->used;
    if (put_field(block, AT_PASSWORD, password, err))
        return err->code;
    for (uint8_t *at = block->data + from; at < block->data + block->used; at++)
        *at = (uint8_t)((uint8_t)(*at << 4 | *at >> 4) ^ 0xa5);
    return HAUL_OK;
}

/* The place of the offset that points to the features. */
static void put_extension(struct block *block)
{
    put_u16(block->data + AT_EXTENSION, block->used);
    put_u16(block->data + AT_EXTENSION + 2, 4);
    block->used += 4;
}

static void put_features(struct block *block, const struct server *server)
{
    const uint8_t *place = block->data + AT_EXTENSION;
    put_u32(block->data + (place[0] | place[1] << 8), (uint32_t)block->used);
    block->data[block->used++] = FEATURE_UTF8;
    put_u32(block->data + block->used, 0);
    block->used += 4;
    if (server->authentication == AUTH_TOKEN) {
        block->data[block->used++] = FEATURE_FEDERATED;
        uint8_t *length = block->data + block->used;
        block->used += 4;
        block->data[block->used++] = 1 << 1 | 1; /* the token is known; FEDAUTHREQUIRED was said */
        uint8_t *bytes = block->data + block->used;
        block->used += 4;
        size_t units = put_units(block, server->password);
        put_u32(bytes, (uint32_t)units * 2);
        put_u32(length, (uint32_t)units * 2 + 5);
    }
    block->data[block->used++] = FEATURE_END;
}

static void put_head(struct block *block, const struct session *session)
{
    const struct server *server = session->server;
    put_u32(block->data + 4, server->encrypt == ENCRYPT_STRICT ? MS_VERSION_80 : MS_VERSION_74);
    put_u32(block->data + 8, (uint32_t)server->packet_bytes);
    put_u32(block->data + 12, 0x00010000);
    put_u32(block->data + 16, (uint32_t)getpid());
    block->data[24] = FLAGS1_USE_DB | FLAGS1_DB_FATAL | FLAGS1_LANGUAGE;
    block->data[25] = FLAGS2_LANGUAGE_FATAL | FLAGS2_ODBC |
                      (server->authentication == AUTH_KERBEROS ? FLAGS2_INTEGRATED : 0);
    block->data[26] = server->read_only ? TYPE_READ_ONLY : 0;
    block->data[27] = FLAGS3_UNKNOWN_COLLATIONS | FLAGS3_EXTENSION;
    put_u32(block->data + 32, 0x0409);
    block->used = FIXED_BYTES;
}

static void put_proof(struct block *block, const struct buffer *proof)
{
    put_u16(block->data + AT_SSPI, block->used);
    put_u16(block->data + AT_SSPI + 2, proof->length > UINT16_MAX ? UINT16_MAX : proof->length);
    if (proof->length > UINT16_MAX)
        put_u32(block->data + AT_SSPI_LONG, (uint32_t)proof->length);
    if (proof->length)
        memcpy(block->data + block->used, proof->data, proof->length);
    block->used += proof->length;
}

static enum haul_code build(struct block *block, const struct session *session, const char *host,
                            struct haul_error *err)
{
    const struct server *server = session->server;
    char computer[256] = "", app[128];
    bool sql = server->authentication == AUTH_SQL;
    (void)gethostname(computer, sizeof computer - 1);
    computer[64] = '\0';
    snprintf(app, sizeof app, session->context.run[0] ? "haul %s" : "haul", session->context.run);
    put_head(block, session);
    if (put_field(block, AT_HOST, computer, err) || put_field(block, AT_USER, sql ? server->user : "", err) ||
        put_password(block, sql ? server->password : "", err) ||
        put_field(block, AT_APP, server->app ? server->app : app, err) ||
        put_field(block, AT_SERVER, host, err))
        return err->code;
    put_extension(block);
    if (put_field(block, AT_LIBRARY, "haul", err) || put_field(block, AT_LANGUAGE, "", err) ||
        put_field(block, AT_DATABASE, server->database, err) || put_field(block, AT_FILE, "", err) ||
        put_field(block, AT_NEW_PASSWORD, "", err))
        return err->code;
    return HAUL_OK;
}

static enum haul_code check(const struct server *server, const char *host, struct haul_error *err)
{
    if (server->authentication == AUTH_TOKEN && (!server->password || !*server->password))
        return error_set(err, HAUL_LOGIN, "%s: there is no access token; it is given as the password",
                         server->name);
    if (server->authentication == AUTH_TOKEN && strlen(server->password) > TOKEN_BYTES_MAX)
        return error_set(err, HAUL_LIMIT, "%s: the access token has more than %zu bytes", server->name,
                         TOKEN_BYTES_MAX);
    if (server->authentication == AUTH_TOKEN &&
        !unicode_is_valid((const uint8_t *)server->password, strlen(server->password)))
        return error_set(err, HAUL_USAGE, "%s: the access token is not text", server->name);
    if (server->authentication == AUTH_SQL && !server->user)
        return error_set(err, HAUL_LOGIN, "%s: no user was named; write mssql://user@%s, or set SQLCMDUSER",
                         server->name, host);
    return HAUL_OK;
}

enum haul_code ms_send_login(struct session *session, const char *host, const struct buffer *proof,
                             struct haul_error *err)
{
    const struct server *server = session->server;
    const char *texts[] = {server->user, server->password, server->app, host, server->database};
    struct block block = {.room = 4096 + proof->length};
    if (check(server, host, err))
        return err->code;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        block.room += texts[i] ? strlen(texts[i]) * 2 : 0;
    block.data = calloc(1, block.room);
    if (!block.data)
        return error_nomem(err, "a login");
    enum haul_code code = build(&block, session, host, err);
    if (!code && block.used + proof->length > LOGIN_BYTES_MAX)
        code =
            error_set(err, HAUL_LIMIT, "%s: the login has more than %d bytes", server->name, LOGIN_BYTES_MAX);
    if (!code) {
        put_proof(&block, proof);
        put_features(&block, server);
        put_u32(block.data, (uint32_t)block.used);
        ms_wire_begin(&session->wire, PACKET_LOGIN);
        code = ms_wire_put(&session->wire, block.data, block.used, err);
    }
    if (!code)
        code = ms_wire_end(&session->wire, err);
    explicit_bzero(block.data, block.room);
    free(block.data);
    explicit_bzero(session->wire.out, PACKET_BYTES_LOGIN);
    return code;
}
