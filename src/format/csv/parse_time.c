/*
 * parse_time.c: the fast way of dates and timestamps.
 *
 * "YYYY-MM-DD" is one word of eight bytes and two more: the hyphens are compared
 * in place, the digits summed in pairs. "HH:MM:SS" is one word too. Days follow
 * from years that begin in March, so that a leap day is a year's last. Years 0
 * and those of more than four digits go the slow way.
 */
#include "format/csv/digits.h"
#include "format/csv/parse.h"

static const int16_t month_days[16] = {0, 306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275};
static const int8_t month_length[16] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

static inline int32_t days_of(int32_t year, uint32_t month, uint32_t day)
{
    year -= month <= 2;
    return year * 365 + year / 4 - year / 100 + year / 400 + month_days[month] + (int32_t)day - 719469;
}

/* "YYYY-MM-DD"; ten bytes are there. */
static inline bool fast_date(const uint8_t *text, int32_t *days)
{
    const uint64_t hyphens = 0x1d00001d00000000u;
    uint64_t word = digits_word(text, 8);
    uint64_t digits = word ^ hyphens;
    uint32_t tens = (uint32_t)text[8] - '0', ones = (uint32_t)text[9] - '0';
    if (digits_wrong(digits) || (digits & 0xff0000ff00000000u) || tens > 9 || ones > 9)
        return false;
    uint64_t pairs = digits * 10 + (digits >> 8);
    int32_t year = (int32_t)((pairs & 0xff) * 100 + (pairs >> 16 & 0xff));
    uint32_t month = (uint32_t)(pairs >> 40 & 0xff), day = tens * 10 + ones;
    if (year == 0 || month - 1 > 11 || day == 0)
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (day > (uint32_t)month_length[month] + (month == 2 && leap))
        return false;
    *days = days_of(year, month, day);
    return true;
}

static unsigned parse_date(struct csv_parser *parser, const struct csv_slice *slice, uint8_t *values,
                           uint8_t *flags)
{
    int32_t *out = (int32_t *)(void *)values;
    unsigned all = 0;
    for (size_t r = 0; r < slice->rows; r++) {
        size_t length;
        const uint8_t *field = csv_slice_field(slice, r, &length);
        flags[r] = 0;
        if (length != 10 || !fast_date(field, &out[r]))
            all |= flags[r] = (uint8_t)csv_parse_slow(parser, field, length, values + r * 4);
    }
    return all;
}

/* "HH:MM:SS" */
static inline bool fast_clock(const uint8_t *text, int32_t *seconds)
{
    const uint64_t colons = 0x00000a00000a0000u; /* ':' ^ '0' */
    uint64_t digits = digits_word(text, 8) ^ colons;
    if (digits_wrong(digits) || (digits & 0x0000ff0000ff0000u))
        return false;
    uint64_t pairs = digits * 10 + (digits >> 8);
    uint32_t hour = pairs & 0xff, minute = pairs >> 24 & 0xff, second = pairs >> 48 & 0xff;
    *seconds = (int32_t)(hour * 3600 + minute * 60 + second);
    return hour < 24 && minute < 60 && second < 60;
}

struct moment {
    int64_t per_second;
    size_t digits; /* of the unit's fraction */
    bool utc;
};

/* ".123": all digits of the unit, not all of them zero (zeros do not print). */
static inline bool fast_fraction(const struct moment *unit, const uint8_t *text, size_t length,
                                 int64_t *value)
{
    *value = 0;
    if (length == 0)
        return true;
    if (text[0] != '.' || length != unit->digits + 1 || unit->digits == 0)
        return false;
    uint64_t word = digits_word(text + 1, unit->digits < 8 ? unit->digits : 8);
    if (digits_wrong(word))
        return false;
    uint64_t sum = digits_sum(word);
    if (unit->digits == 9) {
        uint32_t last = (uint32_t)text[9] - '0';
        if (last > 9)
            return false;
        sum = sum * 10 + last;
    }
    *value = (int64_t)sum;
    return sum != 0;
}

static inline bool fast_timestamp(const struct moment *unit, const uint8_t *text, size_t length,
                                  int64_t *value)
{
    int32_t days, seconds;
    int64_t fraction;
    if (unit->utc) {
        if (length == 0 || text[length - 1] != 'Z')
            return false;
        length--;
    }
    if (length < 19 || text[10] != ' ' || !fast_date(text, &days) || !fast_clock(text + 11, &seconds) ||
        !fast_fraction(unit, text + 19, length - 19, &fraction))
        return false;
    int64_t whole = (int64_t)days * 86400 + seconds;
    return !__builtin_mul_overflow(whole, unit->per_second, &whole) &&
           !__builtin_add_overflow(whole, fraction, value);
}

static unsigned parse_timestamp(struct csv_parser *parser, const struct csv_slice *slice, uint8_t *values,
                                uint8_t *flags)
{
    static const uint8_t unit_digits[] = {0, 3, 6, 9};
    const struct moment unit = {calendar_units_per_second(parser->field->unit),
                                unit_digits[parser->field->unit], parser->field->timezone != NULL};
    int64_t *out = (int64_t *)(void *)values;
    unsigned all = 0;
    for (size_t r = 0; r < slice->rows; r++) {
        size_t length;
        const uint8_t *field = csv_slice_field(slice, r, &length);
        flags[r] = 0;
        if (!fast_timestamp(&unit, field, length, &out[r]))
            all |= flags[r] = (uint8_t)csv_parse_slow(parser, field, length, values + r * 8);
    }
    return all;
}

csv_parse_fn csv_parse_choose_time(const struct field *field)
{
    if (field->type == TYPE_DATE)
        return parse_date;
    return field->type == TYPE_TIMESTAMP ? parse_timestamp : NULL;
}
