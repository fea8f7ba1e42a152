/*
 * parse.c: text fields into values, by bcp's rules.
 *
 * Blanks around a number or a date do not count. A decimal has no exponent. Dates are
 * ISO ("2018-12-03 00:00:00.000", also with a T); which parts are there decides what a
 * literal is, as in ODBC: a date gets midnight, a time 1900-01-01, a missing offset is
 * UTC. Digits that the column cannot hold are an error, never rounded away; but the
 * digit of 100 ns that microseconds have no room for is a counted loss, as on the wire.
 */
#include "format/bcp/column.h"

#include "batch/text.h"
#include <ctype.h>
#include <math.h>
#include <string.h>

struct text {
    const char *at, *end;
};

static struct text trimmed(const char *text, size_t length)
{
    struct text t = {text, text + length};
    while (t.at < t.end && (*t.at == ' ' || *t.at == '\t'))
        t.at++;
    while (t.end > t.at && (t.end[-1] == ' ' || t.end[-1] == '\t'))
        t.end--;
    return t;
}

/* Of a field that has its width alone blanks are NULL. */
static enum bcp_fault blank(const struct bcp_decoder *decoder)
{
    return decoder->fixed ? FAULT_NULL : FAULT_CAST;
}

/* ---- numbers ---- */

static bool all_digits(struct text t)
{
    t.at += t.at < t.end && (*t.at == '-' || *t.at == '+');
    for (const char *c = t.at; c < t.end; c++)
        if (!isdigit((unsigned char)*c))
            return false;
    return t.at < t.end;
}

static inline enum bcp_fault parse_integer(struct bcp_decoder *decoder, struct text t, int64_t min,
                                           int64_t max, int64_t *value)
{
    if (t.at == t.end)
        return blank(decoder);
    if (!number_parse_i64(t.at, (size_t)(t.end - t.at), value))
        return all_digits(t) ? FAULT_RANGE : FAULT_CAST;
    return *value < min || *value > max ? FAULT_RANGE : FAULT_NONE;
}

#define INTEGER(name, type, min, max)                                                                        \
    static enum bcp_fault name(struct bcp_decoder *decoder, const char *text, size_t length, uint8_t *value) \
    {                                                                                                        \
        int64_t number = 0;                                                                                  \
        enum bcp_fault fault = parse_integer(decoder, trimmed(text, length), min, max, &number);             \
        type narrow = (type)number;                                                                          \
        memcpy(value, &narrow, sizeof narrow);                                                               \
        return fault;                                                                                        \
    }

INTEGER(parse_bool, uint8_t, 0, 1)
INTEGER(parse_i8, int8_t, INT8_MIN, INT8_MAX)
INTEGER(parse_u8, uint8_t, 0, UINT8_MAX)
INTEGER(parse_i16, int16_t, INT16_MIN, INT16_MAX)
INTEGER(parse_u16, uint16_t, 0, UINT16_MAX)
INTEGER(parse_i32, int32_t, INT32_MIN, INT32_MAX)
INTEGER(parse_u32, uint32_t, 0, UINT32_MAX)
INTEGER(parse_i64, int64_t, INT64_MIN, INT64_MAX)

static enum bcp_fault parse_u64(struct bcp_decoder *decoder, const char *text, size_t length, uint8_t *value)
{
    struct text t = trimmed(text, length);
    uint64_t number = 0;
    if (t.at == t.end)
        return blank(decoder);
    bool fine = number_parse_u64(t.at, (size_t)(t.end - t.at), &number);
    memcpy(value, &number, sizeof number);
    return fine ? FAULT_NONE : all_digits(t) ? FAULT_RANGE : FAULT_CAST;
}

/* "12.50", ".50", "-.5", "12." */
static bool is_plain_decimal(struct text t)
{
    size_t digits = 0, points = 0;
    t.at += t.at < t.end && (*t.at == '-' || *t.at == '+');
    for (const char *c = t.at; c < t.end; c++) {
        digits += isdigit((unsigned char)*c) != 0;
        points += *c == '.';
        if (!isdigit((unsigned char)*c) && *c != '.')
            return false;
    }
    return digits && points <= 1;
}

/* The digits without a point in front or at the end, for base/number.h. */
static size_t complete_decimal(struct text t, char out[80])
{
    size_t n = 0;
    if (*t.at == '-' || *t.at == '+')
        out[n++] = *t.at++;
    if (*t.at == '.')
        out[n++] = '0';
    memcpy(out + n, t.at, (size_t)(t.end - t.at));
    n += (size_t)(t.end - t.at);
    if (out[n - 1] == '.')
        n--;
    return n;
}

static enum bcp_fault parse_decimal(struct bcp_decoder *decoder, const char *text, size_t length,
                                    uint8_t *value)
{
    const struct field *field = decoder->field;
    struct text t = trimmed(text, length);
    char digits[80];
    int128_t number = 0;
    if (t.at == t.end)
        return blank(decoder);
    if (!is_plain_decimal(t))
        return FAULT_CAST;
    if (t.end - t.at > 76)
        return FAULT_RANGE;
    size_t n = complete_decimal(t, digits);
    bool fine = number_parse_decimal(digits, n, field->precision, field->scale, &number);
    memcpy(value, &number, sizeof number);
    return fine ? FAULT_NONE : FAULT_RANGE;
}

static enum bcp_fault parse_f64(struct bcp_decoder *decoder, const char *text, size_t length, uint8_t *value)
{
    struct text t = trimmed(text, length);
    double number = 0;
    if (t.at == t.end)
        return blank(decoder);
    if (!number_parse_f64(t.at, (size_t)(t.end - t.at), &number) || isalpha((unsigned char)t.end[-1]))
        return FAULT_CAST;
    memcpy(value, &number, sizeof number);
    return isfinite(number) ? FAULT_NONE : FAULT_RANGE;
}

static enum bcp_fault parse_f32(struct bcp_decoder *decoder, const char *text, size_t length, uint8_t *value)
{
    struct text t = trimmed(text, length);
    float number = 0;
    if (t.at == t.end)
        return blank(decoder);
    if (!number_parse_f32(t.at, (size_t)(t.end - t.at), &number) || isalpha((unsigned char)t.end[-1]))
        return FAULT_CAST;
    memcpy(value, &number, sizeof number);
    return isfinite(number) ? FAULT_NONE : FAULT_RANGE;
}

/* ---- dates and times ---- */

#define SECOND_UNITS 10000000 /* of 100 ns */
#define DAY_UNITS    ((int64_t)86400 * SECOND_UNITS)

struct literal {
    bool date, time, offset;
    int64_t days;  /* since 1970 */
    int64_t units; /* of 100 ns since midnight */
    int minutes;   /* of the offset */
};

static bool take_digits(struct text *t, int most, int *value)
{
    int n = 0;
    *value = 0;
    while (n < most && t->at < t->end && isdigit((unsigned char)*t->at)) {
        *value = *value * 10 + (*t->at++ - '0');
        n++;
    }
    return n > 0;
}

static bool take(struct text *t, char c)
{
    if (t->at == t->end || *t->at != c)
        return false;
    t->at++;
    return true;
}

static bool looks_like_date(struct text t)
{
    return t.end - t.at >= 5 && t.at[4] == '-';
}

static enum bcp_fault take_date(struct text *t, struct literal *out)
{
    int year, month, day;
    if (!take_digits(t, 4, &year) || !take(t, '-') || !take_digits(t, 2, &month) || !take(t, '-') ||
        !take_digits(t, 2, &day))
        return FAULT_CAST;
    if (year < 1 || !calendar_valid(year, month, day))
        return FAULT_DATE_FORMAT;
    out->days = calendar_days(year, month, day);
    out->date = true;
    return FAULT_NONE;
}

static enum bcp_fault take_fraction(struct text *t, int64_t *units)
{
    int64_t worth = SECOND_UNITS / 10;
    *units = 0;
    if (!take(t, '.'))
        return FAULT_NONE;
    while (t->at < t->end && isdigit((unsigned char)*t->at)) {
        if (worth == 0 && *t->at != '0')
            return FAULT_DATE_OVERFLOW;
        *units += (*t->at++ - '0') * worth;
        worth /= 10;
    }
    return FAULT_NONE;
}

static enum bcp_fault take_time(struct text *t, struct literal *out)
{
    int hour, minute, second = 0;
    int64_t fraction = 0;
    if (!take_digits(t, 2, &hour) || !take(t, ':') || !take_digits(t, 2, &minute))
        return FAULT_CAST;
    if (take(t, ':') && !take_digits(t, 2, &second))
        return FAULT_CAST;
    if (hour > 23 || minute > 59 || second > 59)
        return FAULT_DATE_FORMAT;
    enum bcp_fault fault = take_fraction(t, &fraction);
    out->units = ((int64_t)hour * 3600 + minute * 60 + second) * SECOND_UNITS + fraction;
    out->time = true;
    return fault;
}

static enum bcp_fault take_offset(struct text *t, struct literal *out)
{
    int hour, minute;
    if (t->at == t->end)
        return FAULT_NONE;
    (void)take(t, ' ');
    out->offset = true;
    if (take(t, 'Z'))
        return t->at == t->end ? FAULT_NONE : FAULT_CAST;
    bool west = t->at < t->end && *t->at == '-';
    if (!take(t, west ? '-' : '+') || !take_digits(t, 2, &hour) || !take(t, ':') ||
        !take_digits(t, 2, &minute) || t->at != t->end)
        return FAULT_CAST;
    out->minutes = (hour * 60 + minute) * (west ? -1 : 1);
    return hour > 14 || minute > 59 || hour * 60 + minute > 840 ? FAULT_DATE_FORMAT : FAULT_NONE;
}

static enum bcp_fault read_literal(struct bcp_decoder *decoder, const char *text, size_t length,
                                   struct literal *out)
{
    struct text t = trimmed(text, length);
    enum bcp_fault fault = FAULT_NONE;
    *out = (struct literal){.days = -25567}; /* 1900-01-01 */
    if (t.at == t.end)
        return blank(decoder);
    if (looks_like_date(t)) {
        fault = take_date(&t, out);
        if (fault || t.at == t.end)
            return fault;
        if (!take(&t, ' ') && !take(&t, 'T'))
            return FAULT_CAST;
    }
    fault = take_time(&t, out);
    return fault ? fault : take_offset(&t, out);
}

static enum bcp_fault parse_date(struct bcp_decoder *decoder, const char *text, size_t length, uint8_t *value)
{
    struct literal literal;
    enum bcp_fault fault = read_literal(decoder, text, length, &literal);
    int32_t days = (int32_t)literal.days;
    memcpy(value, &days, sizeof days);
    if (fault)
        return fault;
    return !literal.date ? FAULT_CAST : literal.units ? FAULT_DATE_OVERFLOW : FAULT_NONE;
}

/* What the column's SQL type has no room for. */
static enum bcp_fault check_scale(const struct bcp_decoder *decoder, int64_t units)
{
    static const int64_t steps[] = {10000000, 1000000, 100000, 10000, 1000, 100, 10, 1};
    int64_t step = 1;
    if (decoder->type.sql == SQL_SMALLDATETIME)
        step = (int64_t)60 * SECOND_UNITS;
    else if (decoder->type.sql == SQL_DATETIME)
        step = steps[3];
    else if (bcp_sqls[decoder->type.sql].args == ARGS_SCALE)
        step = steps[decoder->type.scale];
    return units % step ? FAULT_DATE_OVERFLOW : FAULT_NONE;
}

/* Units of 100 ns into the column's own. */
static enum bcp_fault put_moment(struct bcp_decoder *decoder, int64_t days, int64_t units, uint8_t *value)
{
    int64_t made;
    const int64_t per_second = decoder->per_second;
    int64_t part =
        per_second > SECOND_UNITS ? units * (per_second / SECOND_UNITS) : units / (SECOND_UNITS / per_second);
    if (per_second < SECOND_UNITS && units % (SECOND_UNITS / per_second)) {
        if (per_second < 1000000)
            return FAULT_DATE_OVERFLOW;
        decoder->lost++;
    }
    if (__builtin_mul_overflow(days, 86400 * per_second, &made) || __builtin_add_overflow(made, part, &made))
        return FAULT_DATE_OVERFLOW;
    memcpy(value, &made, sizeof made);
    return FAULT_NONE;
}

static enum bcp_fault parse_time(struct bcp_decoder *decoder, const char *text, size_t length, uint8_t *value)
{
    struct literal literal;
    enum bcp_fault fault = read_literal(decoder, text, length, &literal);
    if (!fault && (literal.date || !literal.time))
        fault = FAULT_CAST;
    if (!fault)
        fault = check_scale(decoder, literal.units);
    if (!fault && literal.offset)
        fault = FAULT_CAST;
    uint8_t wide[8] = {0};
    if (!fault)
        fault = put_moment(decoder, 0, literal.units, wide);
    memcpy(value, wide, decoder->width);
    return fault;
}

static enum bcp_fault parse_timestamp(struct bcp_decoder *decoder, const char *text, size_t length,
                                      uint8_t *value)
{
    struct literal literal;
    enum bcp_fault fault = read_literal(decoder, text, length, &literal);
    if (!fault)
        fault = check_scale(decoder, literal.units);
    if (fault)
        return fault;
    const bool zoned = decoder->field->timezone || decoder->type.sql == SQL_DATETIMEOFFSET;
    if (literal.minutes) {
        decoder->lost_offsets += !(decoder->exact && zoned);
        if (zoned)
            literal.units -= (int64_t)literal.minutes * 60 * SECOND_UNITS;
    }
    if (literal.units < 0 || literal.units >= DAY_UNITS) {
        int64_t step = literal.units < 0 ? -1 : 1;
        literal.units -= step * DAY_UNITS;
        literal.days += step;
    }
    if (decoder->exact)
        return bcp_put_exact(value, literal.days, literal.units, zoned ? literal.minutes : 0);
    return put_moment(decoder, literal.days, literal.units, value);
}

/* ---- bytes ---- */

enum bcp_fault bcp_parse_hex(const char *text, size_t length, uint8_t *out, size_t *written)
{
    *written = 0;
    if (length >= 2 && text[0] == '0' && (text[1] | 32) == 'x') {
        text += 2;
        length -= 2;
    }
    if (length % 2)
        return FAULT_CAST;
    for (size_t i = 0; i < length; i += 2) {
        int high = hex_value(text[i]), low = hex_value(text[i + 1]);
        if (high < 0 || low < 0)
            return FAULT_CAST;
        out[(*written)++] = (uint8_t)(high * 16 + low);
    }
    return FAULT_NONE;
}

/* A shorter one is filled with zeros, as binary(n) does. */
static enum bcp_fault parse_fixed(struct bcp_decoder *decoder, const char *text, size_t length,
                                  uint8_t *value)
{
    size_t written;
    bool marked = length >= 2 && text[0] == '0' && (text[1] | 32) == 'x';
    if (length > (decoder->width + marked) * 2)
        return FAULT_TRUNCATED;
    enum bcp_fault fault = bcp_parse_hex(text, length, value, &written);
    memset(value + written, 0, decoder->width - written);
    return fault;
}

static enum bcp_fault parse_uuid(struct bcp_decoder *decoder, const char *text, size_t length, uint8_t *value)
{
    struct text t = trimmed(text, length);
    if (t.at == t.end)
        return blank(decoder);
    return uuid_parse(t.at, (size_t)(t.end - t.at), value) ? FAULT_NONE : FAULT_CAST;
}

bcp_parse_fn bcp_parse_choose(const struct bcp_decoder *decoder)
{
    static const bcp_parse_fn functions[TYPE_COUNT] = {
        [TYPE_BOOL] = parse_bool,        [TYPE_INT8] = parse_i8,     [TYPE_UINT8] = parse_u8,
        [TYPE_INT16] = parse_i16,        [TYPE_UINT16] = parse_u16,  [TYPE_INT32] = parse_i32,
        [TYPE_UINT32] = parse_u32,       [TYPE_INT64] = parse_i64,   [TYPE_UINT64] = parse_u64,
        [TYPE_FLOAT32] = parse_f32,      [TYPE_FLOAT64] = parse_f64, [TYPE_DECIMAL] = parse_decimal,
        [TYPE_DATE] = parse_date,        [TYPE_TIME] = parse_time,   [TYPE_TIMESTAMP] = parse_timestamp,
        [TYPE_STRUCT] = parse_timestamp,
    };
    if (decoder->field->type == TYPE_FIXED_BINARY)
        return field_is_uuid(decoder->field) ? parse_uuid : parse_fixed;
    return functions[decoder->field->type];
}
