/*
 * environment.c: tokens that change the connection: ENVCHANGE, LOGINACK and
 * FEATUREEXTACK (MS-TDS). Each is read within its own length; what is left of it
 * is passed over.
 */
#include "database/mssql/session.h"

#include <stdio.h>
#include <stdlib.h>

enum environment {
    ENV_DATABASE = 1,
    ENV_PACKET_SIZE = 4,
    ENV_COLLATION = 7,
    ENV_BEGIN = 8,
    ENV_COMMIT = 9,
    ENV_ROLLBACK = 10,
    ENV_ENLIST = 11,
    ENV_DEFECT = 12,
    ENV_TRANSACTION_ENDED = 17,
    ENV_ROUTE = 20,
    ENV_ROUTE_ENHANCED = 21
};

enum { FEATURE_UTF8 = 0x0a, FEATURE_END = 0xff, FEATURES_MAX = 64, FEATURE_BYTES_MAX = 65536 };

/* A token of known length: what it took is taken off, the rest passed over. */
struct piece {
    struct wire *wire;
    uint64_t left;
};

static enum haul_code take(struct piece *piece, void *data, size_t size, struct haul_error *err)
{
    if (size > piece->left)
        return error_set(err, HAUL_DATA,
                         "%s: the server's answer is malformed: a token is shorter than what is in it",
                         piece->wire->sock.peer);
    piece->left -= size;
    return ms_wire_read(piece->wire, data, size, err);
}

static enum haul_code take_text(struct piece *piece, size_t units, char *out, size_t size,
                                struct haul_error *err)
{
    if (units * 2 > piece->left)
        return take(piece, NULL, SIZE_MAX, err);
    piece->left -= units * 2;
    return ms_read_text(piece->wire, units, out, size, err);
}

static enum haul_code set_packet_size(struct session *session, const char *text, struct haul_error *err)
{
    long bytes = strtol(text, NULL, 10);
    if (bytes < PACKET_BYTES_MIN || bytes > PACKET_BYTES_MAX + 1)
        return error_set(err, HAUL_DATA,
                         "%s: the server wants packets of \"%s\" bytes; 512 to 32767 are possible",
                         session->wire.sock.peer, text);
    session->wire.packet_bytes = bytes > PACKET_BYTES_MAX ? PACKET_BYTES_MAX : (size_t)bytes;
    return HAUL_OK;
}

static enum haul_code read_text_change(struct session *session, struct piece *piece, uint8_t type,
                                       struct haul_error *err)
{
    char text[sizeof session->database];
    uint8_t units;
    if (take(piece, &units, 1, err) || take_text(piece, units, text, sizeof text, err))
        return err->code;
    if (type == ENV_PACKET_SIZE)
        return set_packet_size(session, text, err);
    memcpy(session->database, text, sizeof text);
    return HAUL_OK;
}

static enum haul_code read_bytes_change(struct session *session, struct piece *piece, uint8_t type,
                                        struct haul_error *err)
{
    uint8_t length, bytes[255] = {0};
    if (take(piece, &length, 1, err) || take(piece, bytes, length, err))
        return err->code;
    if (type == ENV_COLLATION && length >= 5)
        memcpy(session->collation, bytes, 5);
    if (type == ENV_BEGIN || type == ENV_ENLIST)
        memcpy(&session->transaction, bytes, sizeof session->transaction);
    if (type == ENV_COMMIT || type == ENV_ROLLBACK || type == ENV_DEFECT || type == ENV_TRANSACTION_ENDED)
        session->transaction = 0;
    if (type == ENV_BEGIN)
        session->transaction_lost = false;
    session->transaction_lost |= type == ENV_ROLLBACK || type == ENV_DEFECT || type == ENV_TRANSACTION_ENDED;
    return HAUL_OK;
}

/* The server's name may be host\instance: the port is given, so the instance is not asked for. */
static enum haul_code read_route(struct session *session, struct piece *piece, struct haul_error *err)
{
    uint16_t length, port, units;
    uint8_t protocol;
    char *host = session->route.host;
    if (take(piece, &length, 2, err) || take(piece, &protocol, 1, err) || take(piece, &port, 2, err) ||
        take(piece, &units, 2, err) || take_text(piece, units, host, sizeof session->route.host, err))
        return err->code;
    host[strcspn(host, "\\")] = '\0';
    session->route.port = port;
    if (protocol == 0 && port && host[0])
        return HAUL_OK;
    return error_set(err, HAUL_DATA, "%s: the server sends us to another one without saying where",
                     session->wire.sock.peer);
}

static enum haul_code read_change(struct session *session, struct piece *piece, struct haul_error *err)
{
    uint8_t type;
    if (take(piece, &type, 1, err))
        return err->code;
    switch (type) {
    case ENV_DATABASE:
    case ENV_PACKET_SIZE:
        return read_text_change(session, piece, type, err);
    case ENV_COLLATION:
    case ENV_BEGIN:
    case ENV_COMMIT:
    case ENV_ROLLBACK:
    case ENV_ENLIST:
    case ENV_DEFECT:
    case ENV_TRANSACTION_ENDED:
        return read_bytes_change(session, piece, type, err);
    case ENV_ROUTE:
    case ENV_ROUTE_ENHANCED:
        return read_route(session, piece, err);
    default:
        return HAUL_OK;
    }
}

enum haul_code ms_read_environment(struct session *session, struct haul_error *err)
{
    uint16_t length;
    if (ms_wire_u16(&session->wire, &length, err))
        return err->code;
    struct piece piece = {.wire = &session->wire, .left = length};
    if (read_change(session, &piece, err))
        return err->code;
    return ms_wire_skip(&session->wire, piece.left, err);
}

enum haul_code ms_read_login_ack(struct session *session, struct haul_error *err)
{
    uint16_t length;
    uint8_t head[5], units, version[4];
    if (ms_wire_u16(&session->wire, &length, err))
        return err->code;
    struct piece piece = {.wire = &session->wire, .left = length};
    if (take(&piece, head, sizeof head, err) || take(&piece, &units, 1, err) ||
        take_text(&piece, units, session->program, sizeof session->program, err) ||
        take(&piece, version, 4, err))
        return err->code;
    session->tds_version =
        (uint32_t)head[1] << 24 | (uint32_t)head[2] << 16 | (uint32_t)head[3] << 8 | head[4];
    snprintf(session->version, sizeof session->version, "%u.%u.%u", version[0], version[1],
             (unsigned)version[2] << 8 | version[3]);
    /* From 7.2 on all tokens have the form that is read here. */
    if (session->tds_version != MS_VERSION_80 &&
        (session->tds_version < 0x72000000u || session->tds_version > 0x7fffffffu))
        return error_set(err, HAUL_UNSUPPORTED,
                         "%s: the server speaks TDS %08X; haul needs SQL Server 2005 or newer",
                         session->wire.sock.peer, session->tds_version);
    session->logged_in = true;
    return ms_wire_skip(&session->wire, piece.left, err);
}

enum haul_code ms_read_features(struct session *session, struct haul_error *err)
{
    for (int i = 0; i < FEATURES_MAX; i++) {
        uint8_t id, first = 0;
        uint32_t length;
        if (ms_wire_u8(&session->wire, &id, err))
            return err->code;
        if (id == FEATURE_END)
            return HAUL_OK;
        if (ms_wire_u32(&session->wire, &length, err))
            return err->code;
        if (length > FEATURE_BYTES_MAX)
            break;
        if (length && ms_wire_u8(&session->wire, &first, err))
            return err->code;
        if (id == FEATURE_UTF8)
            session->utf8 = first & 1;
        if (length && ms_wire_skip(&session->wire, length - 1, err))
            return err->code;
    }
    return error_set(err, HAUL_DATA, "%s: the server's list of features is malformed",
                     session->wire.sock.peer);
}
