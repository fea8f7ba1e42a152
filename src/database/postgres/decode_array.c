/*
 * decode_array.c: a one-dimensional array to a list.
 *
 * On the wire (array_send): dimensions, has-nulls flag, oid of the element type,
 * for each dimension its length and lower bound, then the elements with their
 * lengths. The declared type does not fix the dimensions: a value with more than
 * one, or with a lower bound other than 1, is a misfit, for a list has neither.
 * Counts are checked against the bytes there are before anything is reserved.
 */
#include "database/postgres/decode.h"

#include "database/postgres/wire.h"

#define HEAD_BYTES      12
#define DIMENSION_BYTES 8
#define IS_NULL         0xffffffffu

static const char not_a_list[] = "an array of several dimensions or with another lower bound than 1; "
                                 "--schema 'COLUMN:utf8' reads its text";

static enum haul_code decode_items(struct decoder *decoder, const uint8_t *at, const uint8_t *end,
                                   uint32_t count, struct haul_error *err)
{
    struct decoder *item = decoder->item;
    for (uint32_t i = 0; i < count; i++) {
        if (end - at < 4)
            return pg_decode_malformed(decoder, (uint32_t)(end - at), err);
        uint32_t length = wire_u32(at);
        at += 4;
        if (length == IS_NULL) {
            if (builder_append_null(item->builder, err))
                return err->code;
            continue;
        }
        if (length > (size_t)(end - at))
            return pg_decode_malformed(decoder, length, err);
        item->misfit = NULL;
        if (item->decode(item, at, length, err))
            return err->code;
        if (item->misfit) {
            decoder->misfit = item->misfit;
            return HAUL_OK;
        }
        at += length;
    }
    return at == end ? HAUL_OK : pg_decode_malformed(decoder, (uint32_t)(end - at), err);
}

static void close_list(struct builder *builder)
{
    int32_t *offsets = (int32_t *)(void *)builder->offsets.data;
    offsets[builder->length + 1] = (int32_t)builder->children[0].length;
    pg_decode_close(builder);
}

enum haul_code pg_decode_array(struct decoder *decoder, const uint8_t *data, uint32_t length,
                               struct haul_error *err)
{
    struct builder *child = decoder->item->builder;
    if (length < HEAD_BYTES || wire_u32(data + 8) != decoder->item_oid)
        return pg_decode_malformed(decoder, length, err);
    uint32_t dimensions = wire_u32(data);
    if (dimensions == 0 && length == HEAD_BYTES) {
        close_list(decoder->builder);
        return HAUL_OK;
    }
    if (length < HEAD_BYTES + DIMENSION_BYTES)
        return pg_decode_malformed(decoder, length, err);
    uint32_t count = wire_u32(data + HEAD_BYTES), rest = length - HEAD_BYTES - DIMENSION_BYTES;
    if (dimensions != 1 || wire_u32(data + HEAD_BYTES + 4) != 1) {
        decoder->misfit = not_a_list;
        return HAUL_OK;
    }
    if (count > rest / 4)
        return pg_decode_malformed(decoder, length, err);
    int64_t rows = child->length, nulls = child->null_count;
    if (builder_reserve(child, count, 0, err) ||
        decode_items(decoder, data + HEAD_BYTES + DIMENSION_BYTES, data + length, count, err))
        return err->code;
    if (decoder->misfit) { /* the items so far go again */
        child->length = rows;
        child->null_count = nulls;
        return HAUL_OK;
    }
    close_list(decoder->builder);
    return HAUL_OK;
}
