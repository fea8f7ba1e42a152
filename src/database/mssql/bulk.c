/*
 * bulk.c: the stream of a bulk load: COLMETADATA, ROW tokens, DONE.
 *
 * Columns are described by the nullable form of their type, as all clients do,
 * and exactly as the server described them: not every server converts. The old
 * long types and xml go as (max). The stream ends with a DONE, which SQL Server
 * does not ask for and others do. NULLs stand in ROW tokens: NBCROW is no part of
 * a bulk load.
 *
 * A row is written where it will be sent from when it surely fits into the
 * packet; otherwise beside it, and is then cut. Rows with large values are cut
 * around them, so that a value of 10 MB costs no buffer of its size.
 *
 * A server may find fault before it has seen all: its answer is looked for once
 * a batch, and ends the load.
 */
#include "database/mssql/bulk.h"

#include "base/clock.h"
#include "base/utf16.h"
#include "database/mssql/types.h"
#include <stdlib.h>

#define ABANDON_S 10

/* ---- columns ---- */

struct nullable_row {
    uint8_t code, to, length;
};

static const struct nullable_row nullable_forms[] = {
    {MS_BIT, MS_BITN, 1},          {MS_INT1, MS_INTN, 1},         {MS_INT2, MS_INTN, 2},
    {MS_INT4, MS_INTN, 4},         {MS_INT8, MS_INTN, 8},         {MS_FLT4, MS_FLTN, 4},
    {MS_FLT8, MS_FLTN, 8},         {MS_MONEY, MS_MONEYN, 8},      {MS_MONEY4, MS_MONEYN, 4},
    {MS_DATETIME, MS_DATETIMN, 8}, {MS_DATETIM4, MS_DATETIMN, 4},
};

struct max_row {
    uint8_t code, to;
    const char *declared;
};

static const struct max_row max_forms[] = {
    {MS_TEXT, MS_BIGVARCHAR, "varchar(max)"},      {MS_NTEXT, MS_NVARCHAR, "nvarchar(max)"},
    {MS_IMAGE, MS_BIGVARBINARY, "varbinary(max)"}, {MS_XML, MS_NVARCHAR, "xml"},
    {MS_JSON, MS_NVARCHAR, "nvarchar(max)"},       {MS_UDT, MS_BIGVARBINARY, "varbinary(max)"},
};

/* A server that describes its decimals as longer than their precision asks for may read
 * so many bytes (Babelfish does), and every server takes them. */
static uint8_t decimal_bytes(uint8_t precision)
{
    return precision <= 9 ? 5 : precision <= 19 ? 9 : precision <= 28 ? 13 : 17;
}

static void make_nullable(struct ms_type *type)
{
    for (size_t i = 0; i < sizeof nullable_forms / sizeof *nullable_forms; i++) {
        if (nullable_forms[i].code != type->code)
            continue;
        type->code = nullable_forms[i].to;
        type->length = nullable_forms[i].length;
        type->frame = FRAME_U8;
        return;
    }
    uint8_t least = decimal_bytes(type->precision);
    if ((type->code == MS_DECIMALN || type->code == MS_NUMERICN) && type->length < least)
        type->length = least;
}

static const char *make_max(struct ms_type *type)
{
    for (size_t i = 0; i < sizeof max_forms / sizeof *max_forms; i++) {
        if (max_forms[i].code != type->code)
            continue;
        type->code = max_forms[i].to;
        type->length = MS_MAX;
        type->frame = FRAME_PLP;
        return max_forms[i].declared;
    }
    return NULL;
}

enum haul_code ms_bulk_column(const struct ms_column *served, struct arena *arena, struct bulk_column *out,
                              struct haul_error *err)
{
    struct field field = {0};
    if (ms_type_field(served, MOMENTS_MICRO, arena, &field, err))
        return err->code;
    const char *name = strchr(field.sql_type, ':') + 1;
    if (served->type.code == MS_VARIANT || served->type.code == MS_VECTOR)
        return error_set(err, HAUL_UNSUPPORTED,
                         "column \"%s\": haul does not load %s; leave it out with --columns", served->name,
                         name);
    *out = (struct bulk_column){.column = *served};
    out->column.user_type = 0;
    out->declared = make_max(&out->column.type);
    if (!out->declared)
        out->declared = name;
    make_nullable(&out->column.type);
    return HAUL_OK;
}

void ms_bulk_statement(const struct table_name *table, const struct bulk_column *columns, int count,
                       struct sql *sql)
{
    sql_add(sql, "INSERT BULK ");
    ms_sql_table(sql, table);
    for (int i = 0; i < count; i++) {
        sql_add(sql, i ? ", " : " (");
        sql_name(sql, columns[i].column.name);
        sql_add(sql, " %s", columns[i].declared);
    }
    sql_add(sql, ")");
}

/* ---- COLMETADATA ---- */

static enum haul_code put_type(struct wire *wire, const struct ms_type *type, struct haul_error *err)
{
    uint16_t length = (uint16_t)type->length;
    if (ms_wire_put_u8(wire, type->code, err))
        return err->code;
    if (type->frame == FRAME_U16 || type->frame == FRAME_PLP) {
        bool text = ms_type_is_wide(type) || ms_type_is_narrow(type);
        if (ms_wire_put_u16(wire, length, err) ||
            (text && ms_wire_put(wire, type->collation, sizeof type->collation, err)))
            return err->code;
        return HAUL_OK;
    }
    if (type->code == MS_TIME || type->code == MS_DATETIME2 || type->code == MS_DATETIMEOFFSET)
        return ms_wire_put_u8(wire, type->scale, err);
    if (type->code == MS_DATE)
        return HAUL_OK;
    if (ms_wire_put_u8(wire, (uint8_t)length, err))
        return err->code;
    if (type->code == MS_DECIMALN || type->code == MS_NUMERICN)
        return ms_wire_put_u8(wire, type->precision, err) || ms_wire_put_u8(wire, type->scale, err)
                   ? err->code
                   : HAUL_OK;
    return HAUL_OK;
}

static enum haul_code put_name(struct wire *wire, const char *name, struct haul_error *err)
{
    uint16_t units[2];
    unsigned count = 0;
    for (const uint8_t *at = (const uint8_t *)name; *at;)
        count += (unsigned)utf16_of_utf8(&at, units);
    if (count > 128)
        return error_set(err, HAUL_USAGE, "column \"%s\": its name is longer than 128 characters", name);
    return ms_wire_put_u8(wire, (uint8_t)count, err) || ms_put_text(wire, name, err) ? err->code : HAUL_OK;
}

#define FLAGS_UPDATABLE 0x0008u /* "unknown", which all servers take */

static enum haul_code put_columns(struct bulk *bulk, struct haul_error *err)
{
    struct wire *wire = &bulk->session->wire;
    if (ms_wire_put_u8(wire, TOKEN_COLUMNS, err) || ms_wire_put_u16(wire, (uint16_t)bulk->count, err))
        return err->code;
    for (int i = 0; i < bulk->count; i++) {
        const struct ms_column *column = &bulk->columns[i].column;
        uint16_t flags = FLAGS_UPDATABLE | (column->flags & (MS_FLAG_NULLABLE | MS_FLAG_IDENTITY));
        if (ms_wire_put_u32(wire, 0, err) || ms_wire_put_u16(wire, flags, err) ||
            put_type(wire, &column->type, err) || put_name(wire, column->name, err))
            return err->code;
    }
    return HAUL_OK;
}

/* ---- life ---- */

enum haul_code ms_bulk_open(struct bulk *bulk, const struct schema *schema, const struct bulk_column *columns,
                            struct memory *memory, struct haul_error *err)
{
    size_t count = (size_t)schema->count;
    *bulk = (struct bulk){.schema = schema, .columns = columns, .count = schema->count};
    buffer_init(&bulk->spill, memory);
    buffer_init(&bulk->state.scratch, memory);
    bulk->encoders = calloc(count + 1, sizeof *bulk->encoders);
    bulk->state.pieces = calloc(count + 1, sizeof *bulk->state.pieces);
    enum haul_code code = bulk->encoders && bulk->state.pieces ? HAUL_OK : error_nomem(err, "a bulk load");
    for (int i = 0; i < schema->count && !code; i++) {
        struct encoder *encoder = &bulk->encoders[i];
        encoder->state = &bulk->state;
        encoder->column = i;
        buffer_init(&encoder->cache, memory);
        code = ms_encoder_init(encoder, &columns[i].column, &schema->fields[i], &bulk->pages, err);
    }
    if (code)
        ms_bulk_close(bulk);
    return code;
}

void ms_bulk_close(struct bulk *bulk)
{
    for (int i = 0; bulk->encoders && i < bulk->count; i++)
        ms_encoder_release(&bulk->encoders[i]);
    free(bulk->encoders);
    free(bulk->state.pieces);
    buffer_release(&bulk->state.scratch);
    buffer_release(&bulk->spill);
    ms_pages_release(&bulk->pages);
    *bulk = (struct bulk){0};
}

/* ---- a load ---- */

enum haul_code ms_bulk_begin(struct bulk *bulk, struct session *session, const char *statement,
                             struct haul_error *err)
{
    return ms_run(session, statement, err) ? err->code : ms_bulk_stream(bulk, session, err);
}

enum haul_code ms_bulk_stream(struct bulk *bulk, struct session *session, struct haul_error *err)
{
    bulk->session = session;
    bulk->rows = 0;
    bulk->loading = true;
    ms_wire_begin(&session->wire, PACKET_BULK);
    return put_columns(bulk, err);
}

enum haul_code ms_bulk_batch(struct bulk *bulk, const struct batch *batch, struct haul_error *err)
{
    size_t room = 1 + ENCODE_SLACK;
    bulk->direct = true;
    for (int i = 0; i < bulk->count; i++) {
        struct encoder *encoder = &bulk->encoders[i];
        if (ms_encoder_view(encoder, &bulk->schema->fields[i], batch->array.children[i], err))
            return err->code;
        room += encoder->room;
        bulk->direct &= !encoder->pieces;
    }
    bulk->room = room;
    buffer_clear(&bulk->spill);
    return buffer_reserve(&bulk->spill, room, err);
}

/* A row beside the packet, around its pieces. */
static enum haul_code put_row(struct bulk *bulk, const uint8_t *end, struct haul_error *err)
{
    struct wire *wire = &bulk->session->wire;
    const uint8_t *at = bulk->spill.data;
    for (int i = 0; i < bulk->state.piece_count; i++) {
        const struct piece *piece = &bulk->state.pieces[i];
        if (ms_wire_put(wire, at, (size_t)(piece->place - at), err) || ms_piece_send(piece, wire, err))
            return err->code;
        at = piece->place;
    }
    return ms_wire_put(wire, at, (size_t)(end - at), err);
}

/* A row that is not sent has lost nothing: what it counted is found by counting it again. */
static void take_back_losses(struct bulk *bulk, int64_t i)
{
    for (int c = 0; c < bulk->count; c++) {
        struct encoder *encoder = &bulk->encoders[c];
        int64_t before = encoder->lost;
        if (!encoder->loss)
            continue;
        encoder->encode(encoder, i, bulk->spill.data);
        encoder->lost = before - (encoder->lost - before);
    }
}

enum haul_code ms_bulk_losses(struct bulk *bulk, struct collector *collector, struct haul_error *err)
{
    for (int c = 0; c < bulk->count; c++) {
        struct encoder *encoder = &bulk->encoders[c];
        int64_t lost = encoder->lost;
        encoder->lost = 0;
        if (lost && collector_loss(collector, bulk->schema->fields[c].name, encoder->loss, lost, err))
            return err->code;
    }
    return HAUL_OK;
}

void ms_bulk_forget_losses(struct bulk *bulk)
{
    for (int c = 0; c < bulk->count; c++)
        bulk->encoders[c].lost = 0;
}

enum haul_code ms_bulk_row(struct bulk *bulk, int64_t i, struct haul_error *err)
{
    struct wire *wire = &bulk->session->wire;
    bool direct = bulk->direct && wire->packet_bytes - wire->out_used >= bulk->room;
    uint8_t *out = direct ? wire->out + wire->out_used : bulk->spill.data;
    struct encoder *end = bulk->encoders + bulk->count;
    bulk->state.piece_count = 0;
    *out++ = TOKEN_ROW;
    for (struct encoder *encoder = bulk->encoders; encoder < end; encoder++)
        out = encoder->encode(encoder, i, out);
    if (__builtin_expect(bulk->state.misfit != NULL, 0)) {
        take_back_losses(bulk, i);
        return HAUL_OK;
    }
    bulk->rows++;
    if (!direct)
        return put_row(bulk, out, err);
    wire->out_used = (size_t)(out - wire->out);
    return HAUL_OK;
}

/* What the server said instead of listening on. */
static enum haul_code read_refusal(struct bulk *bulk, struct haul_error *err)
{
    ms_bulk_abandon(bulk);
    if (bulk->session->said.code) {
        *err = bulk->session->said;
        return err->code;
    }
    return error_set(err, HAUL_IO, "%s: the server ended the bulk load before its end",
                     bulk->session->server->name);
}

enum haul_code ms_bulk_listen(struct bulk *bulk, struct haul_error *err)
{
    return socket_is_readable(&bulk->session->wire.sock, 0) ? read_refusal(bulk, err) : HAUL_OK;
}

enum haul_code ms_bulk_end(struct bulk *bulk, int64_t *rows, struct haul_error *err)
{
    static const uint8_t done[13] = {TOKEN_DONE};
    struct session *session = bulk->session;
    struct wire *wire = &session->wire;
    bulk->loading = false;
    if (ms_wire_put(wire, done, sizeof done, err) || ms_wire_end(wire, err)) {
        ms_disconnect(session);
        return err->code;
    }
    ms_begin_answer(session);
    if (ms_read_answer(session, err))
        return err->code;
    *rows = session->done_status & DONE_COUNT ? (int64_t)session->done_rows : bulk->rows;
    return HAUL_OK;
}

void ms_bulk_abandon(struct bulk *bulk)
{
    struct haul_error ignored = {0};
    struct session *session = bulk->session;
    if (!bulk->loading)
        return;
    bulk->loading = false;
    if (!ms_is_alive(session))
        return;
    session->wire.sock.cancel = NULL; /* the goodbye itself is not cancelled, it has a deadline */
    session->wire.sock.until_ns = clock_now_ns() + (int64_t)ABANDON_S * 1000000000;
    enum haul_code code = ms_wire_abandon(&session->wire, &ignored);
    if (!code) {
        ms_begin_answer(session);
        code = ms_read_answer(session, &ignored);
    }
    session->wire.sock.until_ns = 0;
    session->wire.sock.cancel = session->context.cancel;
    if (code && session->answering)
        ms_disconnect(session);
}
