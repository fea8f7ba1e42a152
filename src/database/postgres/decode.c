/*
 * decode.c: the decoders of all types but numerics and arrays.
 *
 * PostgreSQL's dates and timestamps have two infinities, and its timestamps
 * reach beyond ours at the far end: such values are misfits, as is 24:00:00.
 */
#include "database/postgres/decode.h"

#include "database/postgres/wire.h"
#include <stdlib.h>

#define JSONB_VERSION 1

enum haul_code pg_decode_malformed(const struct decoder *decoder, uint32_t length, struct haul_error *err)
{
    const char *name = decoder->builder->field->name;
    return error_set(err, HAUL_DATA, "column \"%s\": the server sent %u bytes that are no value of its type",
                     name ? name : "", length);
}

static enum haul_code misfits(struct decoder *decoder, const char *why)
{
    decoder->misfit = why;
    return HAUL_OK;
}

/* The next row's place in a column of `width` bytes a value. */
static inline uint8_t *place(const struct decoder *decoder, size_t width)
{
    return decoder->builder->values.data + (size_t)decoder->builder->length * width;
}

static enum haul_code decode_bool(struct decoder *decoder, const uint8_t *data, uint32_t length,
                                  struct haul_error *err)
{
    if (length != 1)
        return pg_decode_malformed(decoder, length, err);
    if (data[0])
        bit_set(decoder->builder->values.data, decoder->builder->length);
    pg_decode_close(decoder->builder);
    return HAUL_OK;
}

static enum haul_code decode_2(struct decoder *decoder, const uint8_t *data, uint32_t length,
                               struct haul_error *err)
{
    if (length != 2)
        return pg_decode_malformed(decoder, length, err);
    uint16_t value = wire_u16(data);
    memcpy(place(decoder, 2), &value, 2);
    pg_decode_close(decoder->builder);
    return HAUL_OK;
}

static enum haul_code decode_4(struct decoder *decoder, const uint8_t *data, uint32_t length,
                               struct haul_error *err)
{
    if (length != 4)
        return pg_decode_malformed(decoder, length, err);
    uint32_t value = wire_u32(data);
    memcpy(place(decoder, 4), &value, 4);
    pg_decode_close(decoder->builder);
    return HAUL_OK;
}

static enum haul_code decode_8(struct decoder *decoder, const uint8_t *data, uint32_t length,
                               struct haul_error *err)
{
    if (length != 8)
        return pg_decode_malformed(decoder, length, err);
    uint64_t value = wire_u64(data);
    memcpy(place(decoder, 8), &value, 8);
    pg_decode_close(decoder->builder);
    return HAUL_OK;
}

static enum haul_code decode_uuid(struct decoder *decoder, const uint8_t *data, uint32_t length,
                                  struct haul_error *err)
{
    if (length != 16)
        return pg_decode_malformed(decoder, length, err);
    memcpy(place(decoder, 16), data, 16);
    pg_decode_close(decoder->builder);
    return HAUL_OK;
}

/* ---- times ---- */

static enum haul_code decode_date(struct decoder *decoder, const uint8_t *data, uint32_t length,
                                  struct haul_error *err)
{
    if (length != 4)
        return pg_decode_malformed(decoder, length, err);
    int32_t days = (int32_t)wire_u32(data);
    if (days == INT32_MAX || days == INT32_MIN)
        return misfits(decoder, "an infinite date, which no other system has");
    if (__builtin_add_overflow(days, WIRE_EPOCH_DAYS, &days))
        return misfits(decoder, "a date out of range");
    memcpy(place(decoder, 4), &days, 4);
    pg_decode_close(decoder->builder);
    return HAUL_OK;
}

static enum haul_code decode_timestamp(struct decoder *decoder, const uint8_t *data, uint32_t length,
                                       struct haul_error *err)
{
    if (length != 8)
        return pg_decode_malformed(decoder, length, err);
    int64_t micros = (int64_t)wire_u64(data);
    if (micros == INT64_MAX || micros == INT64_MIN)
        return misfits(decoder, "an infinite timestamp, which no other system has");
    if (__builtin_add_overflow(micros, WIRE_EPOCH_MICROS, &micros))
        return misfits(decoder, "a timestamp beyond 294247-01-10, which 64 bits of microseconds cannot hold");
    memcpy(place(decoder, 8), &micros, 8);
    pg_decode_close(decoder->builder);
    return HAUL_OK;
}

static enum haul_code decode_time(struct decoder *decoder, const uint8_t *data, uint32_t length,
                                  struct haul_error *err)
{
    if (length != 8)
        return pg_decode_malformed(decoder, length, err);
    int64_t micros = (int64_t)wire_u64(data);
    if (micros < 0 || micros >= WIRE_DAY_MICROS)
        return misfits(decoder, "the time 24:00:00, which no clock shows");
    memcpy(place(decoder, 8), &micros, 8);
    pg_decode_close(decoder->builder);
    return HAUL_OK;
}

/* ---- bytes ---- */

static enum haul_code decode_bytes(struct decoder *decoder, const uint8_t *data, uint32_t length,
                                   struct haul_error *err)
{
    struct builder *builder = decoder->builder;
    int32_t *offsets = (int32_t *)(void *)builder->offsets.data;
    size_t end = (size_t)offsets[builder->length];
    if (length > (size_t)INT32_MAX - end)
        return error_set(err, HAUL_LIMIT, "column \"%s\": more than 2 GiB of text in one batch",
                         builder->field->name ? builder->field->name : "");
    builder->data.length = end;
    if (builder->data.capacity < end + length + BUFFER_PADDING && buffer_reserve(&builder->data, length, err))
        return err->code;
    memcpy(builder->data.data + end, data, length);
    offsets[builder->length + 1] = (int32_t)(end + length);
    pg_decode_close(builder);
    return HAUL_OK;
}

static enum haul_code decode_jsonb(struct decoder *decoder, const uint8_t *data, uint32_t length,
                                   struct haul_error *err)
{
    if (length < 1 || data[0] != JSONB_VERSION)
        return pg_decode_malformed(decoder, length, err);
    return decode_bytes(decoder, data + 1, length - 1, err);
}

/* ---- choosing ---- */

static const decode_fn decoders[] = {
    [WIRE_TEXT] = decode_bytes,
    [WIRE_BOOL] = decode_bool,
    [WIRE_INT2] = decode_2,
    [WIRE_INT4] = decode_4,
    [WIRE_INT8] = decode_8,
    [WIRE_OID] = decode_4,
    [WIRE_FLOAT4] = decode_4,
    [WIRE_FLOAT8] = decode_8,
    [WIRE_NUMERIC] = pg_decode_numeric,
    [WIRE_BYTES] = decode_bytes,
    [WIRE_UUID] = decode_uuid,
    [WIRE_JSONB] = decode_jsonb,
    [WIRE_DATE] = decode_date,
    [WIRE_TIME] = decode_time,
    [WIRE_TIMESTAMP] = decode_timestamp,
    [WIRE_TIMESTAMPTZ] = decode_timestamp,
    [WIRE_ARRAY] = pg_decode_array,
    [WIRE_CAST] = decode_bytes,
};

enum haul_code pg_decoder_init(struct decoder *decoder, const struct source_column *column,
                               struct builder *builder, struct haul_error *err)
{
    *decoder = (struct decoder){.decode = decoders[column->wire], .builder = builder};
    if (builder->field->type == TYPE_DECIMAL) {
        decoder->limit = (uint128_t)number_power10(builder->field->precision);
        decoder->scale = builder->field->scale;
    }
    if (column->wire != WIRE_ARRAY)
        return HAUL_OK;
    decoder->item = calloc(1, sizeof *decoder->item);
    if (!decoder->item)
        return error_nomem(err, "a reader");
    decoder->item_oid = pg_element_oid(column->array);
    struct source_column item = {.wire = pg_element_wire(column->array)};
    return pg_decoder_init(decoder->item, &item, &builder->children[0], err);
}

void pg_decoder_release(struct decoder *decoder)
{
    free(decoder->item); /* an item has none itself */
    *decoder = (struct decoder){0};
}
