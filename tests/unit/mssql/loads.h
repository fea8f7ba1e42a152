/*
 * loads.h: bulk loads without a server: what would be sent is caught, and read
 * again as an answer, which has the same tokens.
 */
#ifndef TEST_MSSQL_LOADS_H
#define TEST_MSSQL_LOADS_H

#include "answers.h"

#include "base/codepage.h"
#include "batch/array.h"
#include "batch/builder.h"
#include "database/mssql/bulk.h"
#include "database/mssql/types.h"

/* A load of one column whose type is TYPE_INFO in hex. */
struct load {
    struct talk talk; /* described the column */
    struct schema schema;
    struct bulk_column column;
    struct bulk bulk;
    struct arena arena;
    struct session session;
    int peer;
};

static inline void load_begin(struct load *load, const char *type, unsigned flags, size_t packet_bytes)
{
    static struct bytes bytes;
    struct haul_error err = {0};
    enum ms_event event = MS_DONE;
    int fds[2], room = 16 << 20;
    *load = (struct load){.peer = -1};
    bytes.length = 0;
    add_hex(&bytes, "81 01 00");
    add_column(&bytes, type, 'b');
    bytes.data[7] = (uint8_t)flags;
    talk_begin(&load->talk, &bytes, 4096);
    assert_int_equal(ms_next(&load->talk.session, &event, &err), HAUL_OK);
    assert_int_equal(event, MS_COLUMNS);
    assert_int_equal(ms_columns_schema(&load->talk.session.columns, MOMENTS_MICRO, &load->schema, &err),
                     HAUL_OK);
    assert_int_equal(
        ms_bulk_column(&load->talk.session.columns.columns[0], &load->arena, &load->column, &err), HAUL_OK);
    assert_int_equal(ms_bulk_open(&load->bulk, &load->schema, &load->column, NULL, &err), HAUL_OK);
    load->session.server = &load->talk.server;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    (void)setsockopt(fds[0], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
    assert_int_equal(ms_wire_init(&load->session.wire, &err), HAUL_OK);
    assert_int_equal(socket_adopt(&load->session.wire.sock, fds[0], "db:1433", &err), HAUL_OK);
    load->session.wire.packet_bytes = packet_bytes;
    load->peer = fds[1];
    assert_int_equal(ms_bulk_stream(&load->bulk, &load->session, &err), HAUL_OK);
}

static inline void load_end(struct load *load)
{
    ms_bulk_close(&load->bulk);
    schema_release(&load->schema);
    arena_release(&load->arena);
    ms_disconnect(&load->session);
    talk_end(&load->talk);
    close(load->peer);
}

/* The texts as a batch; NULL is NULL. */
static inline void load_batch(struct load *load, const char *const *texts, int count, struct batch *batch)
{
    struct batch_builder builder = {0};
    struct haul_error err = {0};
    assert_int_equal(batch_builder_init(&builder, &load->schema, NULL, &err), HAUL_OK);
    for (int i = 0; i < count; i++) {
        enum haul_code code = texts[i]
                                  ? builder_append_text(&builder.columns[0], texts[i], strlen(texts[i]), &err)
                                  : builder_append_null(&builder.columns[0], &err);
        if (code)
            fail_msg("%s: %s", texts[i] ? texts[i] : "NULL", err.message);
    }
    *batch = (struct batch){0};
    assert_int_equal(batch_builder_finish(&builder, batch, &err), HAUL_OK);
    batch_builder_release(&builder);
}

/* Sends the rows; *misfit is that of the last that has one. */
static inline void load_rows(struct load *load, const struct batch *batch, const char **misfit)
{
    struct haul_error err = {0};
    *misfit = NULL;
    assert_int_equal(ms_bulk_batch(&load->bulk, batch, &err), HAUL_OK);
    for (int64_t i = 0; i < batch->array.length; i++) {
        assert_int_equal(ms_bulk_row(&load->bulk, i, &err), HAUL_OK);
        if (load->bulk.state.misfit)
            *misfit = load->bulk.state.misfit;
        load->bulk.state.misfit = NULL;
    }
}

/* Ends the message and takes the payload of its packets. */
static inline void load_take(struct load *load, struct bytes *payload)
{
    static uint8_t packets[1 << 20];
    static const uint8_t done[13] = {TOKEN_DONE};
    struct haul_error err = {0};
    size_t length = 0, at = 0;
    ssize_t got;
    assert_int_equal(ms_wire_put(&load->session.wire, done, sizeof done, &err), HAUL_OK);
    assert_int_equal(ms_wire_end(&load->session.wire, &err), HAUL_OK);
    shutdown(load->session.wire.sock.fd, SHUT_WR);
    while ((got = recv(load->peer, packets + length, sizeof packets - length, 0)) > 0)
        length += (size_t)got;
    payload->length = 0;
    while (at < length) {
        size_t size = (size_t)packets[at + 2] << 8 | packets[at + 3];
        bool last = at + size == length;
        assert_int_equal(packets[at], PACKET_BULK);
        assert_int_equal(packets[at + 1], last);
        assert_true(size == load->session.wire.packet_bytes ||
                    (last && size < load->session.wire.packet_bytes));
        add(payload, packets + at + 8, size - 8);
        at += size;
    }
}

#endif
