/*
 * prelogin.c: the first question: what is encrypted (MS-TDS, "PRELOGIN").
 *
 * Options are a list of (token, offset, length) in big-endian, then their bytes.
 * Offsets and lengths of the answer must stay inside of it; options we did not
 * ask for are passed over; an answer without ENCRYPTION means that the server
 * has none.
 */
#include "database/mssql/session.h"

#include <stdlib.h>
#include <unistd.h>

#define ANSWER_BYTES_MAX 4096

enum option {
    OPTION_VERSION,
    OPTION_ENCRYPTION,
    OPTION_INSTANCE,
    OPTION_THREAD,
    OPTION_MARS,
    OPTION_TRACE,
    OPTION_FEDERATED,
    OPTION_END = 0xff
};

static void put_entry(uint8_t *list, int index, uint8_t option, const unsigned span[2])
{
    uint8_t *entry = list + index * 5;
    entry[0] = option;
    entry[1] = (uint8_t)(span[0] >> 8);
    entry[2] = (uint8_t)span[0];
    entry[3] = (uint8_t)(span[1] >> 8);
    entry[4] = (uint8_t)span[1];
}

static enum haul_code send_question(struct session *session, enum ms_encryption wanted,
                                    struct haul_error *err)
{
    bool federated = session->server->authentication == AUTH_TOKEN;
    int count = federated ? 6 : 5;
    unsigned thread = (unsigned)getpid(), at = (unsigned)count * 5 + 1;
    const uint8_t tokens[] = {OPTION_VERSION, OPTION_ENCRYPTION, OPTION_INSTANCE,
                              OPTION_THREAD,  OPTION_MARS,       OPTION_FEDERATED};
    const unsigned sizes[] = {6, 1, 1, 4, 1, 1};
    uint8_t data[6 * 5 + 1 + 14] = {0};
    for (int i = 0; i < count; i++) {
        put_entry(data, i, tokens[i], (const unsigned[]){at, sizes[i]});
        if (tokens[i] == OPTION_ENCRYPTION)
            data[at] = (uint8_t)wanted;
        if (tokens[i] == OPTION_THREAD)
            memcpy(data + at, &thread, sizeof thread);
        if (tokens[i] == OPTION_FEDERATED)
            data[at] = 1;
        at += sizes[i];
    }
    data[count * 5] = OPTION_END;
    ms_wire_begin(&session->wire, PACKET_PRELOGIN);
    return ms_wire_put(&session->wire, data, at, err) || ms_wire_end(&session->wire, err) ? err->code
                                                                                          : HAUL_OK;
}

static enum haul_code fail_answer(const struct session *session, struct haul_error *err)
{
    return error_set(err, HAUL_DATA, "%s: the answer to PRELOGIN is malformed; is it an SQL Server?",
                     session->wire.sock.peer);
}

static enum haul_code read_answer(struct session *session, const uint8_t *data, size_t length,
                                  enum ms_encryption *encryption, struct haul_error *err)
{
    *encryption = ENCRYPTION_NONE;
    for (size_t at = 0;; at += 5) {
        if (at >= length)
            return fail_answer(session, err);
        if (data[at] == OPTION_END)
            return HAUL_OK;
        if (length - at < 5)
            return fail_answer(session, err);
        size_t offset = (size_t)data[at + 1] << 8 | data[at + 2],
               size = (size_t)data[at + 3] << 8 | data[at + 4];
        if (offset > length || size > length - offset)
            return fail_answer(session, err);
        if (data[at] == OPTION_ENCRYPTION && size)
            *encryption = (enum ms_encryption)(data[offset] & 0x3f);
        if (data[at] == OPTION_ENCRYPTION && *encryption > ENCRYPTION_REQUIRED)
            return fail_answer(session, err);
    }
}

enum haul_code ms_prelogin(struct session *session, enum ms_encryption wanted, enum ms_encryption *encryption,
                           struct haul_error *err)
{
    struct wire *wire = &session->wire;
    uint8_t data[ANSWER_BYTES_MAX];
    size_t length = 0;
    if (send_question(session, wanted, err))
        return err->code;
    ms_wire_next_message(wire);
    while (!wire->ended) {
        if (ms_wire_more(wire, err))
            return err->code;
        size_t here = (size_t)(wire->end - wire->at);
        if (here > sizeof data - length)
            return fail_answer(session, err);
        memcpy(data + length, wire->at, here);
        length += here;
        wire->at = wire->end;
    }
    return read_answer(session, data, length, encryption, err);
}
