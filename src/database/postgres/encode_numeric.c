/*
 * encode_numeric.c: decimal to numeric.
 *
 * The wire form is described in decode_numeric.c. The value is brought to a
 * scale that is a multiple of 4, then cut into digits to the base 10000 from the
 * end; zeros at the end are left out, as PostgreSQL does. Values of up to 18
 * decimal digits, nearly all there are, never touch 128-bit division.
 */
#include "database/postgres/encode.h"

#include "base/number.h"
#include "database/postgres/wire.h"

#define DIGITS_MAX 12

/* Digits from the end, least significant first; returns their count. */
static int cut_64(uint64_t value, uint16_t *digits)
{
    int count = 0;
    for (; value; value /= 10000)
        digits[count++] = (uint16_t)(value % 10000);
    return count;
}

static int cut_128(uint128_t value, uint16_t *digits)
{
    static const uint64_t chunk = 10000000000000000u; /* 10000^4 */
    int count = 0;
    while (value > UINT64_MAX) {
        uint64_t low = (uint64_t)(value % chunk);
        value /= chunk;
        for (int i = 0; i < 4; i++, low /= 10000)
            digits[count++] = (uint16_t)(low % 10000);
    }
    return count + cut_64((uint64_t)value, digits + count);
}

/* The last digit alone when the scale is no multiple of 4: value x 10^pad may not
 * fit in 128 bits, so the fraction's last digit is split off first. */
static int split(uint128_t value, int scale, uint16_t *digits)
{
    static const unsigned powers[] = {1, 10, 100, 1000};
    int rest = scale % 4, count = 0;
    if (rest) {
        unsigned by = powers[rest];
        if (value <= UINT64_MAX) {
            digits[count++] = (uint16_t)((uint64_t)value % by * powers[4 - rest]);
            value = (uint64_t)value / by;
        } else {
            digits[count++] = (uint16_t)((unsigned)(value % by) * powers[4 - rest]);
            value /= by;
        }
    }
    return count +
           (value <= UINT64_MAX ? cut_64((uint64_t)value, digits + count) : cut_128(value, digits + count));
}

uint8_t *pg_encode_numeric(struct encoder *encoder, int64_t at, uint8_t *out)
{
    uint16_t digits[DIGITS_MAX];
    int128_t value;
    int scale = encoder->values.field->scale;
    memcpy(&value, encoder->values.values + at * (int64_t)sizeof value, sizeof value);
    bool negative = value < 0;
    int count = split(negative ? -(uint128_t)value : (uint128_t)value, scale, digits), first = 0;
    int weight = count - 1 - (scale + 3) / 4;
    while (first < count && digits[first] == 0)
        first++;
    if (first == count)
        weight = 0;
    while (count > first && digits[count - 1] == 0) { /* "0.5": none before the point */
        count--;
        weight--;
    }
    out = wire_put_u32(out, (uint32_t)(8 + (count - first) * 2));
    out = wire_put_u16(out, (uint16_t)(count - first));
    out = wire_put_u16(out, (uint16_t)weight);
    out = wire_put_u16(out, negative ? WIRE_NUMERIC_NEGATIVE : WIRE_NUMERIC_POSITIVE);
    out = wire_put_u16(out, (uint16_t)scale);
    for (int i = count - 1; i >= first; i--)
        out = wire_put_u16(out, digits[i]);
    return out;
}
