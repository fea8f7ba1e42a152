/*
 * decode_variant.c: sql_variant: a value that brings its own type (MS-TDS,
 * "SSVARIANT"), as text.
 *
 * The text is the one haul prints for the type everywhere: decimals with their
 * scale, dates in ISO form, binaries in hexadecimal. Lengths and properties are
 * checked against the base type; a type that must not be inside is malformed.
 */
#include "database/mssql/decode.h"

#include "base/calendar.h"
#include "batch/text.h"
#include "database/mssql/collation.h"
#include "database/mssql/moment.h"
#include "database/mssql/types.h"

#define VARIANT_BYTES_MAX 8016

struct variant {
    struct decoder *decoder;
    uint8_t code;
    const uint8_t *properties, *data;
    size_t property_count, size;
    const char *why; /* a misfit */
};

static bool malformed(struct variant *variant)
{
    return ms_decode_malformed(variant->decoder, "a sql_variant whose inside contradicts itself") != NULL;
}

static bool put(struct variant *variant, const char *text, size_t length)
{
    struct decoder *decoder = variant->decoder;
    if (!ms_decode_room(decoder, length))
        return false;
    memcpy(decoder->data + decoder->data_used, text, length);
    decoder->data_used += length;
    return true;
}

/* ---- numbers ---- */

static bool put_integer(struct variant *variant)
{
    char text[NUMBER_TEXT_BYTES];
    int64_t value = 0;
    memcpy(&value, variant->data, variant->size);
    unsigned unused = (unsigned)(8 - variant->size) * 8;
    if (variant->size > 1) /* tinyint and bit have no sign */
        value = (int64_t)((uint64_t)value << unused) >> unused;
    return put(variant, text, number_print_i64(value, text));
}

static bool put_float(struct variant *variant)
{
    char text[NUMBER_TEXT_BYTES];
    float small;
    double large;
    if (variant->size == 4) {
        memcpy(&small, variant->data, 4);
        return put(variant, text, number_print_f32(small, text));
    }
    memcpy(&large, variant->data, 8);
    return put(variant, text, number_print_f64(large, text));
}

static bool put_money(struct variant *variant)
{
    char text[NUMBER_TEXT_BYTES];
    uint32_t half[2];
    int32_t small;
    int128_t value;
    memcpy(&small, variant->data, 4);
    value = small;
    if (variant->size == 8) {
        memcpy(half, variant->data, 8);
        value = (int64_t)((uint64_t)half[0] << 32 | half[1]);
    }
    return put(variant, text, number_print_decimal(value, 4, text));
}

static bool put_decimal(struct variant *variant)
{
    char text[NUMBER_TEXT_BYTES];
    uint128_t magnitude = 0;
    int precision = variant->properties[0], scale = variant->properties[1];
    if (variant->size < 2 || variant->size > 17 || precision < 1 || precision > 38 || scale > precision)
        return malformed(variant);
    memcpy(&magnitude, variant->data + 1, variant->size - 1);
    if (magnitude >= (uint128_t)number_power10(precision))
        return malformed(variant);
    int128_t value = variant->data[0] ? (int128_t)magnitude : -(int128_t)magnitude;
    return put(variant, text, number_print_decimal(value, scale, text));
}

/* ---- moments ---- */

static bool put_old_datetime(struct variant *variant)
{
    char text[CALENDAR_TEXT_BYTES];
    int64_t days, millis;
    if (variant->size == 4) {
        uint16_t pair[2];
        memcpy(pair, variant->data, 4);
        days = pair[0];
        millis = (int64_t)pair[1] * 60000;
    } else {
        int32_t day;
        uint32_t ticks;
        memcpy(&day, variant->data, 4);
        memcpy(&ticks, variant->data + 4, 4);
        days = day;
        millis = ((int64_t)ticks * 10 + 1) / 3;
    }
    if (days < -53690 || days > 2958463 || millis >= 86400000)
        return malformed(variant);
    int64_t value = (days - DAYS_1900_1970) * 86400000 + millis;
    return put(variant, text, calendar_print_timestamp(value, TIME_MILLI, false, true, text));
}

/* Time of day in nanoseconds, then days since 1970, of what the type has. */
static bool load(struct variant *variant, int64_t *nanos, int64_t *days)
{
    unsigned scale = variant->code == MS_DATE ? 0 : variant->properties[0];
    size_t time_bytes = variant->code == MS_DATE ? 0 : scale <= 2 ? 3 : scale <= 4 ? 4 : 5;
    size_t rest = variant->code == MS_TIME ? 0 : variant->code == MS_DATETIMEOFFSET ? 5 : 3;
    uint64_t units = 0;
    uint32_t day = 0;
    if (scale > 7 || variant->size != time_bytes + rest)
        return malformed(variant);
    memcpy(&units, variant->data, time_bytes);
    if (rest)
        memcpy(&day, variant->data + time_bytes, 3);
    uint64_t per_second = (uint64_t)number_power10((int)scale);
    if (day > DAY_MAX || units >= 86400 * per_second)
        return malformed(variant);
    *nanos = (int64_t)(units * (1000000000 / per_second));
    *days = (int64_t)day - DAYS_TO_1970;
    return true;
}

/* With as many digits behind the second as the type has. */
static size_t print_time(int64_t nanos, unsigned scale, char *out)
{
    size_t length = calendar_print_time(nanos, TIME_NANO, false, out);
    return length - (9 - scale) - (scale == 0);
}

/* "2024-02-29 23:59:59.1234567 +05:30": the local time and its offset. */
static bool put_moment(struct variant *variant)
{
    char text[CALENDAR_TEXT_BYTES * 2 + 16];
    int64_t nanos = 0, days = 0;
    int16_t offset = 0;
    if (!load(variant, &nanos, &days))
        return false;
    bool zoned = variant->code == MS_DATETIMEOFFSET;
    if (zoned)
        memcpy(&offset, variant->data + variant->size - 2, 2);
    if (offset < -840 || offset > 840)
        return malformed(variant);
    nanos += (int64_t)offset * 60000000000;
    int64_t turn = nanos < 0 ? -1 : nanos >= (int64_t)86400 * 1000000000;
    days += turn;
    nanos -= turn * 86400 * 1000000000;
    size_t used = 0;
    if (variant->code != MS_TIME)
        used = calendar_print_date(days, text);
    if (variant->code == MS_DATETIME2 || zoned)
        text[used++] = ' ';
    if (variant->code != MS_DATE)
        used += print_time(nanos, variant->properties[0], text + used);
    if (zoned) {
        int minutes = offset < 0 ? -offset : offset;
        const char sign[] = {offset < 0 ? '-' : '+',          (char)('0' + minutes / 600),
                             (char)('0' + minutes / 60 % 10), ':',
                             (char)('0' + minutes % 60 / 10), (char)('0' + minutes % 10)};
        text[used++] = ' ';
        memcpy(text + used, sign, sizeof sign);
        used += sizeof sign;
    }
    return put(variant, text, used);
}

/* ---- the rest ---- */

static bool put_guid(struct variant *variant)
{
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    uint8_t bytes[16];
    char text[UUID_TEXT_BYTES];
    for (int i = 0; i < 16; i++)
        bytes[i] = variant->data[order[i]];
    uuid_print(bytes, text);
    return put(variant, text, sizeof text);
}

static bool put_binary(struct variant *variant)
{
    static const char digits[] = "0123456789abcdef";
    struct decoder *decoder = variant->decoder;
    if (!ms_decode_room(decoder, variant->size * 2 + 2))
        return false;
    uint8_t *out = decoder->data + decoder->data_used;
    *out++ = '0';
    *out++ = 'x';
    for (size_t i = 0; i < variant->size; i++) {
        *out++ = (uint8_t)digits[variant->data[i] >> 4];
        *out++ = (uint8_t)digits[variant->data[i] & 15];
    }
    decoder->data_used += variant->size * 2 + 2;
    return true;
}

static bool put_text(struct variant *variant)
{
    struct decoder *decoder = variant->decoder;
    struct codepage page = {0};
    if (variant->code == MS_NVARCHAR || variant->code == MS_NCHAR)
        return ms_append_wide(decoder, variant->data, variant->size, &variant->why);
    /* A page of its own for the value: variants are rare, their collations many. */
    if (codepage_open(&page, ms_collation_page(variant->properties), decoder->state->err))
        return false;
    struct codepage *before = decoder->page;
    decoder->page = &page;
    bool good = ms_append_narrow(decoder, variant->data, variant->size, &variant->why);
    decoder->page = before;
    codepage_release(&page);
    return good;
}

struct variant_row {
    uint8_t code, properties, size; /* size 0: any */
    bool (*put)(struct variant *variant);
};

static const struct variant_row rows[] = {
    {MS_BIT, 0, 1, put_integer},
    {MS_INT1, 0, 1, put_integer},
    {MS_INT2, 0, 2, put_integer},
    {MS_INT4, 0, 4, put_integer},
    {MS_INT8, 0, 8, put_integer},
    {MS_FLT4, 0, 4, put_float},
    {MS_FLT8, 0, 8, put_float},
    {MS_MONEY, 0, 8, put_money},
    {MS_MONEY4, 0, 4, put_money},
    {MS_DATETIME, 0, 8, put_old_datetime},
    {MS_DATETIM4, 0, 4, put_old_datetime},
    {MS_GUID, 0, 16, put_guid},
    {MS_DATE, 0, 3, put_moment},
    {MS_TIME, 1, 0, put_moment},
    {MS_DATETIME2, 1, 0, put_moment},
    {MS_DATETIMEOFFSET, 1, 0, put_moment},
    {MS_DECIMALN, 2, 0, put_decimal},
    {MS_NUMERICN, 2, 0, put_decimal},
    {MS_BIGVARBINARY, 2, 0, put_binary},
    {MS_BIGBINARY, 2, 0, put_binary},
    {MS_BIGVARCHAR, 7, 0, put_text},
    {MS_BIGCHAR, 7, 0, put_text},
    {MS_NVARCHAR, 7, 0, put_text},
    {MS_NCHAR, 7, 0, put_text},
};

static bool put_value(struct variant *variant)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].code != variant->code)
            continue;
        if (rows[i].properties != variant->property_count || (rows[i].size && rows[i].size != variant->size))
            return malformed(variant);
        return rows[i].put(variant);
    }
    return malformed(variant);
}

/* Its own type, checked by now. */
static bool put_type(const struct variant *variant)
{
    const uint8_t *properties = variant->properties;
    struct ms_type type = {.code = variant->code};
    char text[40];
    if (variant->property_count == 1)
        type.scale = properties[0];
    if (variant->code == MS_DECIMALN || variant->code == MS_NUMERICN) {
        type.precision = properties[0];
        type.scale = properties[1];
    } else if (variant->property_count >= 2) {
        size_t at = variant->property_count - 2;
        type.length = properties[at] | (uint32_t)properties[at + 1] << 8;
    }
    ms_type_print(&type, text, sizeof text);
    return ms_exact_put_type(variant->decoder, text);
}

const uint8_t *ms_decode_variant(struct decoder *decoder, const uint8_t *at, const uint8_t *end, int64_t row)
{
    uint32_t length;
    if (end - at < 4)
        return ms_decode_wants(decoder, 4);
    memcpy(&length, at, sizeof length);
    if (length == 0 && decoder->nullable) {
        ms_decode_null(decoder, row);
        return at + 4;
    }
    if (length < 2 || length > VARIANT_BYTES_MAX + 16)
        return ms_decode_malformed(decoder, "a sql_variant of this length");
    if ((size_t)(end - at) - 4 < length)
        return ms_decode_wants(decoder, (size_t)length + 4);
    struct variant variant = {
        .decoder = decoder, .code = at[4], .property_count = at[5], .properties = at + 6};
    if (variant.property_count > length - 2)
        return ms_decode_malformed(decoder, "a sql_variant whose inside contradicts itself");
    variant.data = variant.properties + variant.property_count;
    variant.size = length - 2 - variant.property_count;
    if (put_value(&variant)) {
        if (decoder->exact && !put_type(&variant))
            return NULL;
        decoder->lost_offsets += !decoder->exact;
        ms_decode_close(decoder, row);
        return at + 4 + length;
    }
    if (!variant.why)
        return NULL;
    ms_decode_misfit(decoder, row, variant.why);
    return at + 4 + length;
}
