/*
 * decode_numeric.c: numeric to decimal.
 *
 * On the wire (numeric_send): count of digits, weight of the first, sign, scale
 * for display, then the digits, each 0 to 9999, most significant first. The
 * value is the digits as one number to the base 10000, times 10000 to the power
 * of (weight - count + 1). What is wanted is that times 10^scale.
 *
 * Four digits and fewer (16 decimal ones) go through 64 bits, which is nearly
 * all there is; the rest through 128 with a look at every step.
 */
#include "database/postgres/decode.h"

#include "database/postgres/wire.h"

#define HEAD_BYTES  8
#define DIGITS_FAST 4

static const char too_long[] = "a number with more digits than the column holds";
static const char not_finite[] = "NaN or infinity, which a decimal cannot hold";

static void append(struct decoder *decoder, uint128_t magnitude, bool negative)
{
    struct builder *builder = decoder->builder;
    int128_t value = negative ? -(int128_t)magnitude : (int128_t)magnitude;
    memcpy(builder->values.data + (size_t)builder->length * sizeof value, &value, sizeof value);
    pg_decode_close(builder);
}

/* Divides by 10^n, n from 1 to 3; false when digits would be lost. */
static inline bool cut(uint64_t *value, int n)
{
    uint64_t whole = *value, by = n == 1 ? 10 : n == 2 ? 100 : 1000;
    uint64_t quotient = n == 1 ? whole / 10 : n == 2 ? whole / 100 : whole / 1000;
    *value = quotient;
    return quotient * by == whole;
}

/* value x by + more; false when it does not fit. */
static inline bool shift_in(uint128_t *value, unsigned by, unsigned more)
{
    return !__builtin_mul_overflow(*value, (uint128_t)by, value) &&
           !__builtin_add_overflow(*value, (uint128_t)more, value);
}

/* The last digit is cut before it is shifted in: whole it might not fit. */
static void decode_slow(struct decoder *decoder, const uint8_t *digits, int count, int power,
                        uint128_t *value)
{
    static const unsigned powers[] = {1, 10, 100, 1000};
    *value = 0;
    while (count > 0 && wire_u16(digits + (size_t)(count - 1) * 2) == 0) {
        count--;
        power += 4;
    }
    bool fits = count == 0 || power > -4;
    for (int i = 0; i < count - 1 && fits; i++)
        fits = shift_in(value, 10000, wire_u16(digits + (size_t)i * 2));
    if (count && fits) {
        unsigned last = wire_u16(digits + (size_t)(count - 1) * 2), by = powers[power < 0 ? -power : 0];
        fits = last % by == 0 && shift_in(value, 10000 / by, last / by);
    }
    for (; count && fits && power > 0; power--)
        fits = shift_in(value, 10, 0);
    if (!fits)
        decoder->misfit = too_long;
}

static bool digits_are_good(const uint8_t *digits, int count)
{
    for (int i = 0; i < count; i++)
        if (wire_u16(digits + (size_t)i * 2) > 9999)
            return false;
    return true;
}

enum haul_code pg_decode_numeric(struct decoder *decoder, const uint8_t *data, uint32_t length,
                                 struct haul_error *err)
{
    if (length < HEAD_BYTES)
        return pg_decode_malformed(decoder, length, err);
    int count = wire_u16(data), weight = (int16_t)wire_u16(data + 2);
    unsigned sign = wire_u16(data + 4);
    const uint8_t *digits = data + HEAD_BYTES;
    if ((uint32_t)count * 2 + HEAD_BYTES != length || !digits_are_good(digits, count))
        return pg_decode_malformed(decoder, length, err);
    if (sign != WIRE_NUMERIC_POSITIVE && sign != WIRE_NUMERIC_NEGATIVE) {
        decoder->misfit = not_finite;
        return HAUL_OK;
    }
    int power = 4 * (weight - count + 1) + decoder->scale;
    uint128_t value = 0;
    if (count <= DIGITS_FAST && power > -4 && power <= 18) {
        uint64_t sum = 0;
        for (int i = 0; i < count; i++)
            sum = sum * 10000 + wire_u16(digits + (size_t)i * 2);
        if (power < 0 && !cut(&sum, -power))
            decoder->misfit = too_long;
        value = power > 0 ? (uint128_t)sum * (uint128_t)number_power10(power) : sum;
    } else {
        decode_slow(decoder, digits, count, power, &value);
    }
    if (!decoder->misfit && value >= decoder->limit)
        decoder->misfit = too_long;
    if (!decoder->misfit)
        append(decoder, value, sign == WIRE_NUMERIC_NEGATIVE);
    return HAUL_OK;
}
