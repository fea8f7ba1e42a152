/*
 * session.c: questions to a server that let us in, and its answers token by
 * token.
 *
 * Unknown tokens end the connection: nobody could say where the next begins. A
 * server may send any number of INFO messages; the first few are told, and
 * beyond NOTES_MAX in one answer it is taken for an attack.
 *
 * Cancelling: attention, then reading on until a DONE says that it was noticed.
 * A server that does not notice within ATTENTION_S loses the connection.
 */
#include "database/mssql/session.h"

#include "base/clock.h"
#include <stdio.h>

#define NOTES_SHOWN 20
#define NOTES_MAX   10000
#define ATTENTION_S 5

bool ms_is_alive(const struct session *session)
{
    return session->wire.sock.opened;
}

void ms_watch(struct session *session, const struct cancel *cancel)
{
    session->context.cancel = (struct cancel *)(uintptr_t)cancel;
    session->wire.sock.cancel = cancel;
}

void ms_disconnect(struct session *session)
{
    ms_wire_release(&session->wire);
    ms_columns_release(&session->columns);
    buffer_release(&session->proof);
    session->answering = false;
}

/* ---- questions ---- */

void ms_begin_answer(struct session *session)
{
    ms_wire_next_message(&session->wire);
    session->answering = true;
    session->said = (struct haul_error){0};
    session->notes = 0;
    session->done_status = 0;
    session->done_rows = 0;
}

/* With ALL_HEADERS, which holds the transaction. */
enum haul_code ms_request_begin(struct session *session, enum packet_type type, struct haul_error *err)
{
    struct wire *wire = &session->wire;
    const uint32_t all = 22, header = 18, outstanding = 1;
    const uint16_t descriptor = 2;
    ms_wire_begin(wire, type);
    return ms_wire_put_u32(wire, all, err) || ms_wire_put_u32(wire, header, err) ||
                   ms_wire_put_u16(wire, descriptor, err) ||
                   ms_wire_put_u64(wire, session->transaction, err) || ms_wire_put_u32(wire, outstanding, err)
               ? err->code
               : HAUL_OK;
}

enum haul_code ms_request_end(struct session *session, enum haul_code code, struct haul_error *err)
{
    struct wire *wire = &session->wire;
    if (!code)
        code = ms_wire_end(wire, err);
    if (code) {
        if (wire->sending) /* half of it may be sent */
            ms_disconnect(session);
        return code;
    }
    ms_wire_next_message(wire);
    session->answering = true;
    session->said = (struct haul_error){0};
    session->notes = 0;
    session->done_status = 0;
    session->done_rows = 0;
    return HAUL_OK;
}

enum haul_code ms_send_batch(struct session *session, const char *sql, struct haul_error *err)
{
    enum haul_code code = ms_request_begin(session, PACKET_BATCH, err);
    if (!code)
        code = ms_put_text(&session->wire, sql, err);
    return ms_request_end(session, code, err);
}

/* ---- answers ---- */

static enum haul_code read_note(struct session *session, struct haul_error *err)
{
    struct ms_message message;
    if (ms_read_message(session, &message, err))
        return err->code;
    if (++session->notes > NOTES_MAX)
        return error_set(err, HAUL_DATA, "%s: the server sent more than %d messages in one answer",
                         session->server->name, NOTES_MAX);
    /* Changed database, changed language (some servers give these no number), renamed what others may name,
     * the echo of an error. */
    bool routine = message.number == 5701 || message.number == 5703 || message.number == 15477 ||
                   message.number == 3621 || (message.number == 0 && !session->logged_in);
    if (!routine && session->notes <= NOTES_SHOWN)
        context_note(&session->context, "%s: the server says: %.800s", session->server->name, message.text);
    return HAUL_OK;
}

static enum haul_code read_error(struct session *session, struct haul_error *err)
{
    struct ms_message message;
    if (ms_read_message(session, &message, err))
        return err->code;
    if (++session->notes > NOTES_MAX)
        return error_set(err, HAUL_DATA, "%s: the server sent more than %d messages in one answer",
                         session->server->name, NOTES_MAX);
    if (!session->said.code)
        ms_fail(session, &message, &session->said);
    return HAUL_OK;
}

static enum haul_code read_done(struct session *session, struct haul_error *err)
{
    uint16_t command;
    struct wire *wire = &session->wire;
    if (ms_wire_u16(wire, &session->done_status, err) || ms_wire_u16(wire, &command, err))
        return err->code;
    if (ms_wire_u64(wire, &session->done_rows, err))
        return err->code;
    if ((session->done_status & (DONE_ERROR | DONE_SERVER_ERROR)) && !session->said.code)
        error_set(&session->said, HAUL_IO, "%s: the server says that the statement failed, and not why",
                  session->server->name);
    return HAUL_OK;
}

static enum haul_code skip_sized(struct session *session, bool wide, struct haul_error *err)
{
    uint16_t length = 0;
    uint32_t long_length = 0;
    enum haul_code code =
        wide ? ms_wire_u32(&session->wire, &long_length, err) : ms_wire_u16(&session->wire, &length, err);
    return code ? code : ms_wire_skip(&session->wire, wide ? long_length : length, err);
}

static enum haul_code skip_return_value(struct session *session, struct haul_error *err)
{
    struct ms_column column = {0};
    struct arena arena = {0};
    struct wire *wire = &session->wire;
    char name[520];
    uint16_t ordinal;
    uint8_t status;
    enum haul_code code = HAUL_OK;
    if (ms_wire_u16(wire, &ordinal, err) || ms_read_text_u8(wire, name, sizeof name, err) ||
        ms_wire_u8(wire, &status, err) || ms_wire_u32(wire, &column.user_type, err) ||
        ms_wire_u16(wire, &column.flags, err) || ms_type_read(wire, &column, &arena, err) ||
        ms_value_skip(wire, &column.type, err))
        code = err->code;
    arena_release(&arena);
    return code;
}

static enum haul_code fail_token(const struct session *session, uint8_t token, struct haul_error *err)
{
    return error_set(err, HAUL_DATA, "%s: the server's answer is malformed: there is no token 0x%02X here",
                     session->server->name, token);
}

static enum haul_code read_proof(struct session *session, struct haul_error *err)
{
    uint16_t length;
    buffer_clear(&session->proof);
    if (ms_wire_u16(&session->wire, &length, err) || buffer_resize(&session->proof, length, err))
        return err->code;
    return ms_wire_read(&session->wire, session->proof.data, length, err);
}

/* Everything that is no event. */
static enum haul_code read_other(struct session *session, uint8_t token, struct haul_error *err)
{
    uint32_t status;
    switch (token) {
    case TOKEN_ENVIRONMENT:
        return ms_read_environment(session, err);
    case TOKEN_INFO:
        return read_note(session, err);
    case TOKEN_ERROR:
        return read_error(session, err);
    case TOKEN_LOGIN_ACK:
        return session->logged_in ? fail_token(session, token, err) : ms_read_login_ack(session, err);
    case TOKEN_FEATURES:
        return ms_read_features(session, err);
    case TOKEN_ORDER:
    case TOKEN_TABLE_NAME:
    case TOKEN_COLUMN_INFO:
        return skip_sized(session, false, err);
    case TOKEN_SESSION_STATE:
        return skip_sized(session, true, err);
    case TOKEN_RETURN_VALUE:
        return skip_return_value(session, err);
    case TOKEN_SSPI:
        return session->kerberos ? read_proof(session, err) : fail_token(session, token, err);
    case TOKEN_RETURN_STATUS:
        if (ms_wire_u32(&session->wire, &status, err))
            return err->code;
        session->return_status = (int32_t)status;
        return HAUL_OK;
    default:
        return fail_token(session, token, err);
    }
}

static enum haul_code read_token(struct session *session, uint8_t token, enum ms_event *event, bool *told,
                                 struct haul_error *err)
{
    *told = true;
    switch (token) {
    case TOKEN_COLUMNS:
        *event = MS_COLUMNS;
        return ms_columns_read(&session->wire, &session->columns, err);
    case TOKEN_ROW:
    case TOKEN_ROW_NULLS:
        *event = token == TOKEN_ROW ? MS_ROW : MS_ROW_NULLS;
        return session->columns.count ? HAUL_OK : fail_token(session, token, err);
    case TOKEN_DONE:
    case TOKEN_DONE_PROC:
    case TOKEN_DONE_IN_PROC:
        *event = MS_DONE;
        return read_done(session, err);
    default:
        *told = false;
        return read_other(session, token, err);
    }
}

/* The answer is over: what the server had against it is told now. */
static enum haul_code end_answer(struct session *session, enum ms_event *event, struct haul_error *err)
{
    session->answering = false;
    *event = MS_END;
    if (!session->said.code)
        return HAUL_OK;
    *err = session->said;
    return err->code;
}

enum haul_code ms_next(struct session *session, enum ms_event *event, struct haul_error *err)
{
    struct wire *wire = &session->wire;
    bool told = false;
    while (!told) {
        uint8_t token;
        if (wire->at == wire->end && ms_wire_more(wire, err)) {
            /* A fatal error is followed by a closed connection: the error is what counts. */
            if (session->said.code && err->code == HAUL_NETWORK)
                *err = session->said;
            ms_disconnect(session);
            return err->code;
        }
        if (wire->ended)
            return end_answer(session, event, err);
        token = *wire->at++;
        if (read_token(session, token, event, &told, err)) {
            ms_disconnect(session);
            return err->code;
        }
    }
    return HAUL_OK;
}

static enum haul_code skip_row(struct session *session, bool nulls, struct haul_error *err)
{
    uint8_t bits[MS_COLUMNS_MAX / 8] = {0};
    int count = session->columns.count;
    if (nulls && ms_wire_read(&session->wire, bits, ((size_t)count + 7) / 8, err))
        return err->code;
    for (int i = 0; i < count; i++)
        if (!(bits[i >> 3] >> (i & 7) & 1) &&
            ms_value_skip(&session->wire, &session->columns.columns[i].type, err))
            return err->code;
    return HAUL_OK;
}

/* Reads to the end of the answer, or to the attention's acknowledgement. */
static enum haul_code read_to_end(struct session *session, bool attention, struct haul_error *err)
{
    enum ms_event event;
    bool noticed = false;
    do {
        if (ms_next(session, &event, err))
            return err->code;
        if ((event == MS_ROW || event == MS_ROW_NULLS) && skip_row(session, event == MS_ROW_NULLS, err))
            return err->code;
        noticed |= event == MS_DONE && (session->done_status & DONE_ATTENTION);
        if (event == MS_END && attention && !noticed) { /* it had finished: the acknowledgement comes alone */
            ms_wire_next_message(&session->wire);
            session->answering = true;
        }
    } while (event != MS_END || (attention && !noticed));
    return HAUL_OK;
}

enum haul_code ms_read_answer(struct session *session, struct haul_error *err)
{
    return read_to_end(session, false, err);
}

enum haul_code ms_run(struct session *session, const char *sql, struct haul_error *err)
{
    return ms_send_batch(session, sql, err) || read_to_end(session, false, err) ? err->code : HAUL_OK;
}

void ms_cancel(struct session *session)
{
    struct haul_error ignored = {0};
    if (!session->answering || !ms_is_alive(session))
        return;
    session->wire.sock.cancel = NULL; /* the goodbye itself is not cancelled, it has a deadline */
    session->wire.sock.until_ns = clock_now_ns() + (int64_t)ATTENTION_S * 1000000000;
    session->said = (struct haul_error){0};
    enum haul_code code = ms_wire_attention(&session->wire, &ignored);
    if (!code)
        code = read_to_end(session, true, &ignored);
    session->wire.sock.until_ns = 0;
    session->wire.sock.cancel = session->context.cancel;
    if (code && session->answering)
        ms_disconnect(session);
    session->answering = false;
}

void ms_abandon(struct session *session)
{
    struct haul_error ignored = {0};
    if (session->answering && ms_is_alive(session)) {
        session->wire.sock.cancel = NULL;
        session->wire.sock.until_ns = clock_now_ns() + (int64_t)ATTENTION_S * 1000000000;
        (void)ms_wire_attention(&session->wire, &ignored);
    }
    ms_disconnect(session);
}

/* ---- settings ---- */

static const char *const settings[] = {
    "SET TEXTSIZE 2147483647",
    "SET ROWCOUNT 0",
    "SET NOCOUNT OFF",
    "SET ANSI_NULLS ON",
    "SET ANSI_PADDING ON",
    "SET ANSI_WARNINGS ON",
    "SET ARITHABORT ON",
    "SET QUOTED_IDENTIFIER ON",
    "SET CONCAT_NULL_YIELDS_NULL ON",
    "SET IMPLICIT_TRANSACTIONS OFF",
    "SET XACT_ABORT ON",
    "SET DEADLOCK_PRIORITY LOW",
    "SET LOCK_TIMEOUT 300000", /* then 1222, which is tried again: a wait without end tells nobody why */
};
#define SETTING_COUNT (sizeof settings / sizeof *settings)

enum haul_code ms_session_pin(struct session *session, struct haul_error *err)
{
    char all[1024] = "";
    struct haul_error refused = {0};
    for (size_t i = 0, used = 0; i < SETTING_COUNT && used < sizeof all; i++)
        used += (size_t)snprintf(all + used, sizeof all - used, "%s; ", settings[i]);
    if (!ms_run(session, all, &refused))
        return HAUL_OK;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (!ms_is_alive(session)) {
            *err = refused;
            return err->code;
        }
        refused = (struct haul_error){0};
        (void)ms_run(session, settings[i], &refused);
    }
    return HAUL_OK;
}
