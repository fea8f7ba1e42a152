/*
 * native.c: values as SQL Server's programs keep them in memory, into columns.
 *
 * All numbers are little-endian. Foreign values are checked where ours have limits:
 * decimals against their precision, days against the year 9999, times against a day,
 * floats against what a server would take.
 */
#include "format/bcp/native.h"
#include "format/bcp/column.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define DAY_TICKS 25920000u /* of 1/300 s */
#define DAY_UNITS ((uint64_t)864000000000)

typedef enum bcp_fault (*store_fn)(struct bcp_decoder *decoder, const uint8_t *from, uint8_t *value);

struct made {
    uint8_t *values, *flags;
};

/* Goes over the slice; `size` and `store` are constants where it is inlined. */
static inline __attribute__((always_inline)) void each(struct bcp_decoder *decoder,
                                                       const struct bcp_slice *slice, struct made made,
                                                       uint32_t size, store_fn store)
{
    const size_t width = decoder->width;
    for (size_t r = 0; r < slice->rows; r++, made.values += width) {
        struct bcp_span span = slice->spans[r * slice->stride];
        enum bcp_fault fault = span.length == SPAN_NULL ? FAULT_NULL : FAULT_SIZE;
        if (span.length == size)
            fault = store(decoder, slice->data + span.at, made.values);
        made.flags[r] = (uint8_t)fault;
        if (fault)
            memset(made.values, 0, width);
    }
}

#define NATIVE(name, size)                                                                                   \
    static void name(struct bcp_decoder *decoder, const struct bcp_slice *slice, uint8_t *values,            \
                     uint8_t *flags)                                                                         \
    {                                                                                                        \
        each(decoder, slice, (struct made){values, flags}, size, store_##name);                              \
    }

#define COPY(name, size)                                                                                     \
    static inline enum bcp_fault store_##name(struct bcp_decoder *decoder, const uint8_t *from,              \
                                              uint8_t *value)                                                \
    {                                                                                                        \
        (void)decoder;                                                                                       \
        memcpy(value, from, size);                                                                           \
        return FAULT_NONE;                                                                                   \
    }                                                                                                        \
    NATIVE(name, size)

COPY(plain_1, 1)
COPY(plain_2, 2)
COPY(plain_4, 4)
COPY(plain_8, 8)

static inline enum bcp_fault store_bit(struct bcp_decoder *decoder, const uint8_t *from, uint8_t *value)
{
    (void)decoder;
    *value = *from != 0;
    return FAULT_NONE;
}
NATIVE(bit, 1)

static inline enum bcp_fault store_flt4(struct bcp_decoder *decoder, const uint8_t *from, uint8_t *value)
{
    float number;
    (void)decoder;
    memcpy(&number, from, sizeof number);
    memcpy(value, from, sizeof number);
    return isfinite(number) ? FAULT_NONE : FAULT_NATIVE;
}
NATIVE(flt4, 4)

static inline enum bcp_fault store_flt8(struct bcp_decoder *decoder, const uint8_t *from, uint8_t *value)
{
    double number;
    (void)decoder;
    memcpy(&number, from, sizeof number);
    memcpy(value, from, sizeof number);
    return isfinite(number) ? FAULT_NONE : FAULT_NATIVE;
}
NATIVE(flt8, 8)

static inline enum bcp_fault put_decimal(uint8_t *value, int128_t number)
{
    memcpy(value, &number, sizeof number);
    return FAULT_NONE;
}

static inline enum bcp_fault store_money(struct bcp_decoder *decoder, const uint8_t *from, uint8_t *value)
{
    uint32_t half[2];
    (void)decoder;
    memcpy(half, from, sizeof half);
    return put_decimal(value, (int64_t)((uint64_t)half[0] << 32 | half[1]));
}
NATIVE(money, 8)

static inline enum bcp_fault store_money4(struct bcp_decoder *decoder, const uint8_t *from, uint8_t *value)
{
    int32_t number;
    (void)decoder;
    memcpy(&number, from, sizeof number);
    return put_decimal(value, number);
}
NATIVE(money4, 4)

/* Precision, scale, sign (1: not negative), magnitude. */
static inline enum bcp_fault store_decimal(struct bcp_decoder *decoder, const uint8_t *from, uint8_t *value)
{
    uint128_t size;
    const int precision = from[0], scale = from[1];
    memcpy(&size, from + 3, sizeof size);
    if (precision < 1 || precision > 38 || scale > precision || from[2] > 1 ||
        size >= (uint128_t)number_power10(38))
        return FAULT_NATIVE;
    int128_t number = from[2] ? (int128_t)size : -(int128_t)size;
    if (scale != decoder->field->scale &&
        !number_decimal_rescale(number, scale, decoder->field->scale, &number))
        return FAULT_RANGE;
    if (!number_decimal_fits(number, decoder->field->precision))
        return FAULT_RANGE;
    return put_decimal(value, number);
}
NATIVE(decimal, 19)

/* ---- dates ---- */

static inline enum bcp_fault put_micros(struct bcp_decoder *decoder, uint8_t *value, int64_t micros)
{
    int64_t units;
    if (__builtin_mul_overflow(micros, decoder->per_second / 1000000, &units))
        return FAULT_RANGE;
    memcpy(value, &units, sizeof units);
    return FAULT_NONE;
}

static inline enum bcp_fault store_datetime(struct bcp_decoder *decoder, const uint8_t *from, uint8_t *value)
{
    int32_t days;
    uint32_t ticks;
    memcpy(&days, from, 4);
    memcpy(&ticks, from + 4, 4);
    if (days < DATETIME_MIN || days > DATETIME_MAX || ticks >= DAY_TICKS)
        return FAULT_NATIVE;
    int64_t millis = ((int64_t)ticks * 10 + 1) / 3;
    return put_micros(decoder, value, ((int64_t)days - DAYS_1900_1970) * 86400000000 + millis * 1000);
}
NATIVE(datetime, 8)

static inline enum bcp_fault store_datetim4(struct bcp_decoder *decoder, const uint8_t *from, uint8_t *value)
{
    uint16_t days, minutes;
    memcpy(&days, from, 2);
    memcpy(&minutes, from + 2, 2);
    if (minutes >= 1440)
        return FAULT_NATIVE;
    return put_micros(decoder, value, ((int64_t)days - DAYS_1900_1970) * 86400000000 + minutes * 60000000LL);
}
NATIVE(datetim4, 4)

static inline int32_t load_day(const uint8_t *from)
{
    return (int32_t)(from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16);
}

static inline enum bcp_fault store_date(struct bcp_decoder *decoder, const uint8_t *from, uint8_t *value)
{
    int32_t day = load_day(from), days = day - DAYS_TO_1970;
    (void)decoder;
    memcpy(value, &days, sizeof days);
    return day <= DAY_MAX ? FAULT_NONE : FAULT_NATIVE;
}
NATIVE(date, 3)

static inline uint64_t load_units(const uint8_t *from)
{
    uint64_t units = 0;
    memcpy(&units, from, 5);
    return units;
}

/* Units of 100 ns into the column's. */
static inline enum bcp_fault put_units(struct bcp_decoder *decoder, int32_t day, uint64_t units,
                                       uint8_t *value)
{
    int64_t days = (int64_t)day - DAYS_TO_1970, made, time;
    if (day < 0 || day > DAY_MAX || units >= DAY_UNITS)
        return FAULT_NATIVE;
    if (decoder->exact)
        return bcp_put_exact(value, days, (int64_t)units, 0);
    if (decoder->per_second == 1000000) {
        decoder->lost += units % 10 != 0;
        time = (int64_t)(units / 10);
    } else {
        time = (int64_t)units * 100;
    }
    if (__builtin_mul_overflow(days, 86400 * decoder->per_second, &made) ||
        __builtin_add_overflow(made, time, &made))
        return FAULT_RANGE;
    memcpy(value, &made, sizeof made);
    return FAULT_NONE;
}

static inline enum bcp_fault store_time(struct bcp_decoder *decoder, const uint8_t *from, uint8_t *value)
{
    return put_units(decoder, DAYS_TO_1970, load_units(from), value);
}
NATIVE(time, 5)

static inline enum bcp_fault store_datetime2(struct bcp_decoder *decoder, const uint8_t *from, uint8_t *value)
{
    return put_units(decoder, load_day(from + 5), load_units(from), value);
}
NATIVE(datetime2, 8)

static inline enum bcp_fault store_datetimeoffset(struct bcp_decoder *decoder, const uint8_t *from,
                                                  uint8_t *value)
{
    int16_t offset;
    memcpy(&offset, from + 8, sizeof offset);
    decoder->lost_offsets += offset != 0 && !decoder->exact;
    if (offset < -840 || offset > 840)
        return FAULT_NATIVE;
    enum bcp_fault fault = put_units(decoder, load_day(from + 5), load_units(from), value);
    if (decoder->exact)
        memcpy(value + offsetof(struct bcp_exact, offset), &offset, sizeof offset);
    return fault;
}
NATIVE(datetimeoffset, 10)

static inline enum bcp_fault store_uniqueid(struct bcp_decoder *decoder, const uint8_t *from, uint8_t *value)
{
    static const uint8_t order[16] = BCP_UNIQUEID_ORDER;
    (void)decoder;
    for (int i = 0; i < 16; i++)
        value[i] = from[order[i]];
    return FAULT_NONE;
}
NATIVE(uniqueid, 16)

bcp_decode_fn bcp_decode_choose(const struct bcp_decoder *decoder)
{
    static const bcp_decode_fn functions[HOST_COUNT] = {BCP_NATIVES(BCP_NATIVE_ROW)};
    return functions[decoder->stored->host];
}
