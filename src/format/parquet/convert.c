/*
 * convert.c: leaf loops from a physical type to an Arrow one.
 *
 * Narrow integers and decimals are checked: a file may hold what its own schema
 * denies, and a value is never cut silently. The check is a flag gathered over
 * the loop; only when it is set does a second pass look for the culprit.
 */
#include "format/parquet/convert.h"
#include "base/number.h"

static const char beyond_type[] = "a value is beyond the column's type";
static const char beyond_precision[] = "a decimal has more digits than the column's precision";

/* ---- integers of 8 and 16 bits ---- */

#define DEFINE_NARROW(name, type, low, high)                                                                 \
    static const char *name(const struct convert *convert, const uint8_t *in, size_t count, uint8_t *out,    \
                            size_t *at)                                                                      \
    {                                                                                                        \
        const int32_t *from = (const int32_t *)(const void *)in;                                             \
        type *to = (type *)(void *)out;                                                                      \
        bool beyond = false;                                                                                 \
        (void)convert;                                                                                       \
        for (size_t i = 0; i < count; i++) {                                                                 \
            to[i] = (type)from[i];                                                                           \
            beyond |= from[i] < (low) || from[i] > (high);                                                   \
        }                                                                                                    \
        for (size_t i = 0; beyond && i < count; i++) {                                                       \
            if (from[i] < (low) || from[i] > (high)) {                                                       \
                *at = i;                                                                                     \
                return beyond_type;                                                                          \
            }                                                                                                \
        }                                                                                                    \
        return NULL;                                                                                         \
    }

DEFINE_NARROW(to_int8, int8_t, INT8_MIN, INT8_MAX)
DEFINE_NARROW(to_int16, int16_t, INT16_MIN, INT16_MAX)
DEFINE_NARROW(to_uint8, uint8_t, 0, UINT8_MAX)
DEFINE_NARROW(to_uint16, uint16_t, 0, UINT16_MAX)

/* ---- decimals ---- */

static const char *decimals_check(const int128_t *values, size_t count, int precision, size_t *at)
{
    int128_t limit = number_power10(precision);
    for (size_t i = 0; i < count; i++) {
        if (values[i] >= limit || values[i] <= -limit) {
            *at = i;
            return beyond_precision;
        }
    }
    return NULL;
}

static const char *decimal_from_int32(const struct convert *convert, const uint8_t *in, size_t count,
                                      uint8_t *out, size_t *at)
{
    const int32_t *from = (const int32_t *)(const void *)in;
    int128_t *to = (int128_t *)(void *)out;
    for (size_t i = 0; i < count; i++)
        to[i] = from[i];
    return decimals_check(to, count, convert->precision, at);
}

static const char *decimal_from_int64(const struct convert *convert, const uint8_t *in, size_t count,
                                      uint8_t *out, size_t *at)
{
    const int64_t *from = (const int64_t *)(const void *)in;
    int128_t *to = (int128_t *)(void *)out;
    for (size_t i = 0; i < count; i++)
        to[i] = from[i];
    return decimals_check(to, count, convert->precision, at);
}

/* Big-endian two's complement of `length` bytes; false beyond 128 bits. */
static bool big_endian(const uint8_t *bytes, size_t length, int128_t *value)
{
    uint8_t sign = length && bytes[0] & 0x80 ? 0xff : 0;
    for (; length > 16; bytes++, length--)
        if (bytes[0] != sign || (bytes[1] ^ sign) & 0x80)
            return false;
    uint128_t n = sign ? ~(uint128_t)0 : 0;
    for (size_t i = 0; i < length; i++)
        n = n << 8 | bytes[i];
    *value = (int128_t)n;
    return true;
}

static const char *decimal_from_fixed(const struct convert *convert, const uint8_t *in, size_t count,
                                      uint8_t *out, size_t *at)
{
    int128_t *to = (int128_t *)(void *)out;
    for (size_t i = 0; i < count; i++) {
        if (!big_endian(in + i * convert->width, convert->width, &to[i])) {
            *at = i;
            return beyond_precision;
        }
    }
    return decimals_check(to, count, convert->precision, at);
}

const char *convert_decimal_bytes(const struct byte_values *values, int precision, uint8_t *out, size_t *at)
{
    int128_t *to = (int128_t *)(void *)out;
    const uint8_t *in = values->data;
    for (size_t i = 0; i < values->count; i++) {
        if (!big_endian(in, (size_t)values->lengths[i], &to[i])) {
            *at = i;
            return beyond_precision;
        }
        in += values->lengths[i];
    }
    return decimals_check(to, values->count, precision, at);
}

/* ---- INT96 ---- */

static const char *timestamp_from_int96(const struct convert *convert, const uint8_t *in, size_t count,
                                        uint8_t *out, size_t *at)
{
    static const int64_t epoch_julian_day = 2440588, day_ns = 86400000000000, micro_ns = 1000;
    const int64_t unit_ns = convert->micros ? micro_ns : 1;
    int64_t *to = (int64_t *)(void *)out;
    for (size_t i = 0; i < count; i++) {
        int64_t nanos = 0, days = 0;
        uint32_t julian = 0;
        memcpy(&nanos, in + i * 12, sizeof nanos);
        memcpy(&julian, in + i * 12 + 8, sizeof julian);
        *at = i;
        if (nanos % unit_ns)
            return "an INT96 timestamp has digits below a microsecond, which --int96 us would lose";
        if (__builtin_mul_overflow((int64_t)julian - epoch_julian_day, day_ns / unit_ns, &days) ||
            __builtin_add_overflow(days, nanos / unit_ns, &to[i]))
            return convert->micros
                       ? "an INT96 timestamp is outside the range of timestamp[us]"
                       : "an INT96 timestamp is outside 1677-09-21 to 2262-04-11, the range of nanoseconds";
    }
    return NULL;
}

/* ---- choosing ---- */

static convert_fn decimal_fn(enum parquet_type physical)
{
    if (physical == PARQUET_INT32)
        return decimal_from_int32;
    if (physical == PARQUET_INT64)
        return decimal_from_int64;
    return physical == PARQUET_FIXED ? decimal_from_fixed : NULL;
}

struct convert convert_for(const struct node *leaf)
{
    struct convert convert = {.width = (size_t)leaf->type_length, .precision = leaf->field->precision};
    switch (leaf->field->type) {
    case TYPE_INT8:
        convert.run = to_int8;
        break;
    case TYPE_INT16:
        convert.run = to_int16;
        break;
    case TYPE_UINT8:
        convert.run = to_uint8;
        break;
    case TYPE_UINT16:
        convert.run = to_uint16;
        break;
    case TYPE_DECIMAL:
        convert.run = decimal_fn(leaf->physical);
        break;
    case TYPE_TIMESTAMP:
        convert.run = leaf->physical == PARQUET_INT96 ? timestamp_from_int96 : NULL;
        convert.micros = leaf->field->unit == TIME_MICRO;
        break;
    default:
        break;
    }
    return convert;
}
