/*
 * encode.c: the encoders of all types but numerics and arrays.
 *
 * Our dates and timestamps begin in 1970, PostgreSQL's in 2000, and reach less
 * far down (4713 BC): what is before is a misfit here, because the server would
 * refuse it with less to say. A column's field type and its wire form go
 * together by pg_type_read; both were chosen in definition.c or match.c.
 */
#include "database/postgres/encode.h"

#include "database/postgres/wire.h"
#include <stdlib.h>

/* 4713-01-01 BC (Julian day 0), in days since 1970; and what follows 5874897 and 294276 AD. */
#define DAYS_MIN      (-2440588)
#define DAYS_END      2145042906
#define MICROS_MIN    (DAYS_MIN * WIRE_DAY_MICROS)
#define JSONB_VERSION 1

static const char before_time[] = "a date or time before 4713 BC or after PostgreSQL's last year";

static uint8_t *misfits(struct encoder *encoder, const char *why, uint8_t *out)
{
    encoder->misfit = why;
    return out;
}

static uint8_t *encode_bool(struct encoder *encoder, int64_t at, uint8_t *out)
{
    out = wire_put_u32(out, 1);
    *out = bit_get(encoder->values.values, at);
    return out + 1;
}

static uint8_t *encode_2(struct encoder *encoder, int64_t at, uint8_t *out)
{
    uint16_t value;
    memcpy(&value, encoder->values.values + at * 2, 2);
    return wire_put_u16(wire_put_u32(out, 2), value);
}

static uint8_t *encode_4(struct encoder *encoder, int64_t at, uint8_t *out)
{
    uint32_t value;
    memcpy(&value, encoder->values.values + at * 4, 4);
    return wire_put_u32(wire_put_u32(out, 4), value);
}

static uint8_t *encode_8(struct encoder *encoder, int64_t at, uint8_t *out)
{
    uint64_t value;
    memcpy(&value, encoder->values.values + at * 8, 8);
    return wire_put_u64(wire_put_u32(out, 8), value);
}

static uint8_t *encode_uuid(struct encoder *encoder, int64_t at, uint8_t *out)
{
    out = wire_put_u32(out, 16);
    memcpy(out, encoder->values.values + at * 16, 16);
    return out + 16;
}

static uint8_t *encode_date(struct encoder *encoder, int64_t at, uint8_t *out)
{
    int32_t days;
    memcpy(&days, encoder->values.values + at * 4, 4);
    if (days < DAYS_MIN || days >= DAYS_END)
        return misfits(encoder, before_time, out);
    return wire_put_u32(wire_put_u32(out, 4), (uint32_t)(days - WIRE_EPOCH_DAYS));
}

static uint8_t *encode_timestamp(struct encoder *encoder, int64_t at, uint8_t *out)
{
    int64_t micros;
    memcpy(&micros, encoder->values.values + at * 8, 8);
    if (micros < MICROS_MIN)
        return misfits(encoder, before_time, out);
    return wire_put_u64(wire_put_u32(out, 8), (uint64_t)(micros - WIRE_EPOCH_MICROS));
}

/* Microseconds alone: days and months of an interval mean other things. */
static uint8_t *encode_interval(struct encoder *encoder, int64_t at, uint8_t *out)
{
    int64_t micros;
    memcpy(&micros, encoder->values.values + at * 8, 8);
    out = wire_put_u64(wire_put_u32(out, 16), (uint64_t)micros);
    return wire_put_u64(out, 0);
}

static uint8_t *encode_bytes(struct encoder *encoder, int64_t at, uint8_t *out)
{
    const int32_t *offsets = encoder->values.offsets;
    uint32_t length = (uint32_t)(offsets[at + 1] - offsets[at]);
    out = wire_put_u32(out, length);
    memcpy(out, encoder->values.data + offsets[at], length);
    return out + length;
}

static uint8_t *encode_jsonb(struct encoder *encoder, int64_t at, uint8_t *out)
{
    const int32_t *offsets = encoder->values.offsets;
    uint32_t length = (uint32_t)(offsets[at + 1] - offsets[at]);
    out = wire_put_u32(out, length + 1);
    *out++ = JSONB_VERSION;
    memcpy(out, encoder->values.data + offsets[at], length);
    return out + length;
}

/* ---- choosing ---- */

struct form {
    encode_fn encode;
    size_t width; /* with the 4 bytes of the length */
    bool sized;
};

static const struct form forms[] = {
    [WIRE_TEXT] = {encode_bytes, 4, true},
    [WIRE_BOOL] = {encode_bool, 5, false},
    [WIRE_INT2] = {encode_2, 6, false},
    [WIRE_INT4] = {encode_4, 8, false},
    [WIRE_INT8] = {encode_8, 12, false},
    [WIRE_OID] = {encode_4, 8, false},
    [WIRE_FLOAT4] = {encode_4, 8, false},
    [WIRE_FLOAT8] = {encode_8, 12, false},
    [WIRE_NUMERIC] = {pg_encode_numeric, PG_NUMERIC_WIDTH, false},
    [WIRE_BYTES] = {encode_bytes, 4, true},
    [WIRE_UUID] = {encode_uuid, 20, false},
    [WIRE_JSONB] = {encode_jsonb, 5, true},
    [WIRE_DATE] = {encode_date, 8, false},
    [WIRE_TIME] = {encode_8, 12, false},
    [WIRE_TIMESTAMP] = {encode_timestamp, 12, false},
    [WIRE_TIMESTAMPTZ] = {encode_timestamp, 12, false},
    [WIRE_INTERVAL] = {encode_interval, 20, false},
    [WIRE_ARRAY] = {pg_encode_array, PG_ARRAY_HEAD, true},
    [WIRE_CAST] = {NULL, 4, true},
};

enum haul_code pg_encoder_init(struct encoder *encoder, const struct sink_column *column,
                               const struct field *field, struct memory *memory, struct haul_error *err)
{
    const struct form *form = &forms[column->wire];
    *encoder = (struct encoder){
        .encode = form->encode, .column = column, .width = form->width, .sized = form->sized};
    buffer_init(&encoder->text, memory);
    if (column->wire != WIRE_ARRAY)
        return HAUL_OK;
    encoder->item = calloc(1, sizeof *encoder->item);
    if (!encoder->item)
        return error_nomem(err, "a writer");
    form = &forms[column->item];
    *encoder->item = (struct encoder){
        .encode = form->encode, .column = column, .width = form->width, .sized = form->sized};
    encoder->item->values.field = encoder->item->view.field = &field->children[0];
    buffer_init(&encoder->item->text, memory);
    return HAUL_OK;
}

void pg_encoder_release(struct encoder *encoder)
{
    buffer_release(&encoder->text);
    if (encoder->item)
        buffer_release(&encoder->item->text);
    free(encoder->item);
    *encoder = (struct encoder){0};
}

enum haul_code pg_encoder_view(struct encoder *encoder, const struct field *field,
                               const struct ArrowArray *array, struct haul_error *err)
{
    if (view_init(&encoder->view, field, array, err))
        return err->code;
    encoder->values = encoder->view;
    if (encoder->view.indices && view_dictionary(&encoder->view, &encoder->values, err))
        return err->code;
    if (!encoder->item)
        return HAUL_OK;
    if (view_child(&encoder->values, 0, &encoder->item->view, err))
        return err->code;
    encoder->item->values = encoder->item->view;
    if (encoder->item->view.indices)
        return view_dictionary(&encoder->item->view, &encoder->item->values, err);
    return HAUL_OK;
}

static size_t bytes_of(const struct encoder *encoder, int64_t i)
{
    int64_t at = pg_encoder_at(encoder, i);
    return (size_t)(encoder->values.offsets[at + 1] - encoder->values.offsets[at]);
}

size_t pg_encoder_room(const struct encoder *encoder, int64_t i)
{
    if (!encoder->sized || view_is_null(&encoder->view, i))
        return encoder->width;
    size_t count = bytes_of(encoder, i);
    if (!encoder->item)
        return encoder->width + count;
    size_t bytes = encoder->width + count * encoder->item->width;
    int64_t first = encoder->values.offsets[pg_encoder_at(encoder, i)];
    for (size_t k = 0; encoder->item->sized && k < count; k++)
        if (!view_is_null(&encoder->item->view, first + (int64_t)k))
            bytes += bytes_of(encoder->item, first + (int64_t)k);
    return bytes;
}
