/*
 * decode_exact.c: --timestamps exact: values that no single column holds, as
 * structs.
 *
 *     datetime2(7)        timestamp[us], nanoseconds: the rest, 0 to 900
 *     datetimeoffset(n)   timestamp[us, UTC], offset_minutes; n = 7 also nanoseconds
 *     sql_variant         type: its base type as SQL Server writes it; value: text
 *
 * The one before the last is Arrow's timestamp_with_offset. The decoder works on
 * one child (`builder`), as it would on a column; the struct's validity and the
 * other children are filled beside it.
 */
#include "database/mssql/decode.h"

#include "base/calendar.h"
#include "database/mssql/moment.h"
#include <stdio.h>

enum { CHILD_MOMENT = 0, CHILD_TYPE = 0, CHILD_VALUE = 1 };

static bool is_variant(const struct decoder *decoder)
{
    return decoder->decode == ms_decode_variant;
}

enum haul_code ms_exact_begin(struct decoder *decoder, struct builder *outer, int64_t rows,
                              struct haul_error *err)
{
    decoder->outer = outer;
    decoder->builder = &outer->children[is_variant(decoder) ? CHILD_VALUE : CHILD_MOMENT];
    if ((decoder->nullable && builder_add_validity(outer, err)) || builder_reserve(outer, rows, 0, err))
        return err->code;
    for (int i = 0; i < outer->field->child_count; i++)
        if (builder_reserve(&outer->children[i], rows, 0, err))
            return err->code;
    for (int i = 1; !is_variant(decoder) && i < outer->field->child_count; i++)
        decoder->small[i - 1] = (int16_t *)(void *)outer->children[i].values.data;
    return HAUL_OK;
}

void ms_exact_end(struct decoder *decoder, int64_t rows)
{
    struct builder *outer = decoder->outer;
    for (int i = 0; i < outer->field->child_count; i++)
        outer->children[i].length = rows;
    outer->length = rows;
    outer->null_count = decoder->nulls;
}

bool ms_exact_put_type(struct decoder *decoder, const char *type)
{
    return !builder_append_bytes(&decoder->outer->children[CHILD_TYPE], type, strlen(type),
                                 decoder->state->err);
}

void ms_exact_null(struct decoder *decoder, int64_t row)
{
    if (is_variant(decoder)) {
        (void)ms_exact_put_type(decoder, ""); /* without bytes, and room was made */
        return;
    }
    for (int i = 0; i < EXACT_SMALL && decoder->small[i]; i++)
        decoder->small[i][row] = 0;
}

static bool store_moment(struct decoder *decoder, const uint8_t *p, int64_t row)
{
    uint64_t units;
    uint32_t day = p[decoder->time_bytes] | (uint32_t)p[decoder->time_bytes + 1] << 8 |
                   (uint32_t)p[decoder->time_bytes + 2] << 16;
    int16_t offset = 0, nanos;
    memcpy(&units, p, sizeof units); /* the window is padded */
    units &= decoder->mask;
    if (decoder->zoned)
        memcpy(&offset, p + decoder->time_bytes + 3, sizeof offset);
    if (units >= decoder->limit || day > DAY_MAX || offset < -OFFSET_MAX || offset > OFFSET_MAX)
        return ms_decode_malformed(decoder, "a moment outside of its range");
    int64_t micros = (int64_t)units * decoder->multiply / decoder->divide;
    int64_t value = ((int64_t)day - DAYS_TO_1970) * DAY_US + micros;
    nanos = (int16_t)(decoder->divide > 1 ? units % 10 * 100 : 0);
    memcpy(decoder->values + row * 8, &value, sizeof value);
    if (decoder->zoned)
        decoder->small[0][row] = offset;
    int16_t *rest = decoder->small[decoder->zoned];
    if (rest)
        rest[row] = nanos;
    return true;
}

const uint8_t *ms_decode_exact_moment(struct decoder *decoder, const uint8_t *at, const uint8_t *end,
                                      int64_t row)
{
    if (at == end)
        return ms_decode_wants(decoder, 1);
    if (*at == 0)
        return ms_decode_null_value(decoder, at + 1, row);
    if (*at != decoder->bytes)
        return ms_decode_malformed(decoder, "another length");
    if ((size_t)(end - at) <= decoder->bytes)
        return ms_decode_wants(decoder, (size_t)decoder->bytes + 1);
    return store_moment(decoder, at + 1, row) ? at + 1 + decoder->bytes : NULL;
}
