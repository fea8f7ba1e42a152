/*
 * answers.h: answers of a server, made byte by byte from the specification's
 * layouts, cut into packets of any size, and read by a session without a login.
 */
#ifndef TEST_MSSQL_ANSWERS_H
#define TEST_MSSQL_ANSWERS_H

#include "base/socket.h"
#include "batch/view.h"
#include "database/mssql/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct bytes {
    uint8_t data[65536];
    size_t length;
};

static inline void add(struct bytes *bytes, const void *data, size_t length)
{
    assert_true(length <= sizeof bytes->data - bytes->length);
    memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
}

/* "81 01 00": blanks between the bytes as one likes. */
static inline void add_hex(struct bytes *bytes, const char *text)
{
    for (; *text; text += 2) {
        text += strspn(text, " ");
        if (!*text)
            break;
        char pair[3] = {text[0], text[1], 0};
        uint8_t byte = (uint8_t)strtoul(pair, NULL, 16);
        add(bytes, &byte, 1);
    }
}

static inline void add_u16_text(struct bytes *bytes, const char *text)
{
    for (; *text; text++)
        add(bytes, (const char[]){*text, 0}, 2);
}

/* The column named by one letter, behind its TYPE_INFO. */
static inline void add_column(struct bytes *bytes, const char *type, char name)
{
    add_hex(bytes, "00 00 00 00 09 00"); /* nullable */
    add_hex(bytes, type);
    add(bytes, (const uint8_t[]){1, (uint8_t)name, 0}, 3);
}

static inline void add_done(struct bytes *bytes, unsigned status)
{
    add(bytes, (const uint8_t[]){0xfd, (uint8_t)status, 0, 0xc1, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 13);
}

static inline void add_error(struct bytes *bytes, uint32_t number, uint8_t class, const char *text)
{
    size_t length = strlen(text);
    uint16_t size = (uint16_t)(4 + 1 + 1 + 2 + length * 2 + 1 + 1 + 2 + 4), units = (uint16_t)length;
    add_hex(bytes, class > 10 ? "aa" : "ab");
    add(bytes, &size, 2);
    add(bytes, &number, 4);
    add(bytes, (const uint8_t[]){7, class}, 2);
    add(bytes, &units, 2);
    add_u16_text(bytes, text);
    add_hex(bytes, "00 01 70 00 2a 00 00 00"); /* no server, procedure "p", line 42 */
}

struct talk {
    struct server server;
    struct session session;
    struct context context;
    struct collector collector;
    struct reject_limit limit;
    enum ms_moments moments;
    int peer;
};

/* The payload as packets of `step` bytes each, waiting to be read. */
static inline void talk_begin(struct talk *talk, const struct bytes *payload, size_t step)
{
    int fds[2];
    struct haul_error err = {0};
    *talk = (struct talk){.server = {.name = "db", .host = "db"}, .limit = {.max = 10}};
    talk->collector.limit = &talk->limit;
    context_init(&talk->context);
    talk->context.collector = &talk->collector;
    talk->session.server = &talk->server;
    talk->session.context = talk->context;
    talk->session.logged_in = true;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    int room = 4 << 20;
    (void)setsockopt(fds[1], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
    assert_int_equal(ms_wire_init(&talk->session.wire, &err), HAUL_OK);
    assert_int_equal(socket_adopt(&talk->session.wire.sock, fds[0], "db:1433", &err), HAUL_OK);
    talk->peer = fds[1];
    uint8_t *packets = malloc(payload->length * 9 + 16);
    size_t used = 0, at = 0;
    do {
        size_t size = payload->length - at < step ? payload->length - at : step, whole = size + 8;
        bool last = at + size == payload->length;
        const uint8_t header[8] = {4, last, (uint8_t)(whole >> 8), (uint8_t)whole};
        memcpy(packets + used, header, 8);
        memcpy(packets + used + 8, payload->data + at, size);
        used += whole;
        at += size;
    } while (at < payload->length);
    assert_int_equal(send(talk->peer, packets, used, MSG_NOSIGNAL | MSG_DONTWAIT), used);
    shutdown(talk->peer, SHUT_WR);
    free(packets);
    assert_int_equal(ms_send_batch(&talk->session, "select 1", &err), HAUL_OK);
}

static inline void talk_end(struct talk *talk)
{
    ms_disconnect(&talk->session);
    collector_release(&talk->collector);
    close(talk->peer);
}

/* Reads the answer's rows and prints them: "1|NULL;2|x;". */
static inline enum haul_code talk_print(struct talk *talk, char *out, size_t size, struct haul_error *err)
{
    enum ms_event event = MS_DONE;
    struct ms_rows rows = {0};
    struct schema schema = {0};
    struct batch batch = {0};
    enum haul_code code = HAUL_OK;
    out[0] = '\0';
    while (!code && event != MS_COLUMNS && event != MS_END)
        code = ms_next(&talk->session, &event, err);
    if (code || event == MS_END)
        return code;
    code = ms_columns_schema(&talk->session.columns, talk->moments, &schema, err);
    if (!code)
        code = ms_rows_open(&rows, &talk->session, &schema, &talk->context, err);
    if (!code)
        code = ms_rows_fill(&rows, 1000, &batch, err);
    for (int64_t i = 0; !code && batch.array.release && i < batch.array.length; i++) {
        for (int k = 0; k < schema.count; k++) {
            struct view view;
            struct buffer text = {0};
            assert_int_equal(view_init(&view, &schema.fields[k], batch.array.children[k], err), HAUL_OK);
            if (!view_is_null(&view, i))
                assert_int_equal(view_print(&view, i, &text, err), HAUL_OK);
            size_t used = strlen(out);
            snprintf(out + used, size - used, "%.*s%s", view_is_null(&view, i) ? 4 : (int)text.length,
                     view_is_null(&view, i) ? "NULL"
                     : text.data            ? (const char *)text.data
                                            : "",
                     k + 1 < schema.count ? "|" : ";");
            buffer_release(&text);
        }
    }
    batch_release(&batch);
    ms_rows_release(&rows);
    schema_release(&schema);
    return code;
}

#endif
