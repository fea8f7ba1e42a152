/*
 * calendar.c: days and dates, and their ISO 8601 text.
 *
 * Days become dates by counting in eras of 400 years (146,097 days) that begin
 * on 1 March, so that the leap day is an era's, a century's and a year's last
 * day. The era is split off first, with floor division: the rest is small and
 * nothing overflows, not even for INT64_MIN days. Sums that may leave 64 bits
 * on the way (a timestamp near the ends of int64) are made in 128.
 *
 * No libc time function: they know zones, leap seconds and locales, and none
 * of those belong to a value. "60" seconds and "24:00:00" are refused.
 */
#include "base/calendar.h"
#include "base/digits.h"
#include "base/number.h"
#include <string.h>

#define DAYS_PER_ERA    146097
#define YEARS_PER_ERA   400
#define DAYS_TO_EPOCH   719468 /* from 0000-03-01 to 1970-01-01 */
#define SECONDS_PER_DAY 86400

static const int unit_digits[] = {[TIME_SECOND] = 0, [TIME_MILLI] = 3, [TIME_MICRO] = 6, [TIME_NANO] = 9};
static const int64_t powers10[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};

int64_t calendar_units_per_second(enum time_unit unit)
{
    return powers10[unit_digits[unit]];
}

static inline int64_t floor_divide(int64_t value, int64_t by, int64_t *rest)
{
    int64_t quotient = value / by;
    *rest = value % by;
    if (*rest < 0) {
        *rest += by;
        quotient--;
    }
    return quotient;
}

static int128_t days_exact(int64_t year, int month, int day)
{
    int64_t year_of_era;
    int64_t era = floor_divide(year, YEARS_PER_ERA, &year_of_era);
    if (month <= 2) { /* belongs to the year that began in March before */
        year_of_era--;
        if (year_of_era < 0) {
            year_of_era += YEARS_PER_ERA;
            era--;
        }
    }
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (int128_t)era * DAYS_PER_ERA + day_of_era - DAYS_TO_EPOCH;
}

int64_t calendar_days(int64_t year, int month, int day)
{
    return (int64_t)days_exact(year, month, day);
}

void calendar_civil(int64_t days, int64_t *year, int *month, int *day)
{
    int64_t day_of_era;
    int64_t era = floor_divide(days, DAYS_PER_ERA, &day_of_era);
    day_of_era += DAYS_TO_EPOCH % DAYS_PER_ERA;
    era += DAYS_TO_EPOCH / DAYS_PER_ERA;
    if (day_of_era >= DAYS_PER_ERA) {
        day_of_era -= DAYS_PER_ERA;
        era++;
    }
    uint32_t rest = (uint32_t)day_of_era;
    uint32_t year_of_era = (rest - rest / 1460 + rest / 36524 - rest / (DAYS_PER_ERA - 1)) / 365;
    uint32_t day_of_year = rest - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t march_month = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * march_month + 2) / 5 + 1);
    *month = (int)march_month + (march_month < 10 ? 3 : -9);
    *year = era * YEARS_PER_ERA + year_of_era + (*month <= 2);
}

bool calendar_valid(int64_t year, int month, int day)
{
    static const int8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12 || day < 1)
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return day <= lengths[month - 1] + (month == 2 && leap);
}

/* ---- Reading: a cursor that every function moves on, or fails ---- */

struct cursor {
    const char *at, *end;
};

static bool read_char(struct cursor *cursor, char wanted)
{
    if (cursor->at == cursor->end || *cursor->at != wanted)
        return false;
    cursor->at++;
    return true;
}

static inline unsigned digit_of(char letter)
{
    return (unsigned)(unsigned char)letter - '0';
}

static bool read_two(struct cursor *cursor, int *value)
{
    if (cursor->end - cursor->at < 2)
        return false;
    unsigned high = digit_of(cursor->at[0]), low = digit_of(cursor->at[1]);
    if (high > 9 || low > 9)
        return false;
    *value = (int)(high * 10 + low);
    cursor->at += 2;
    return true;
}

/* "2024", or a sign and at least six digits. */
static bool read_year(struct cursor *cursor, int64_t *year)
{
    bool negative = read_char(cursor, '-');
    bool wide = negative || read_char(cursor, '+');
    const char *start = cursor->at;
    uint64_t value = 0;
    while (cursor->at < cursor->end && digit_of(*cursor->at) <= 9 && cursor->at - start < 18)
        value = value * 10 + digit_of(*cursor->at++);
    ptrdiff_t digits = cursor->at - start;
    *year = negative ? -(int64_t)value : (int64_t)value;
    return wide ? digits >= 6 : digits == 4;
}

static bool read_date(struct cursor *cursor, int128_t *days)
{
    int64_t year;
    int month, day;
    if (!read_year(cursor, &year) || !read_char(cursor, '-') || !read_two(cursor, &month) ||
        !read_char(cursor, '-') || !read_two(cursor, &day) || !calendar_valid(year, month, day))
        return false;
    *days = days_exact(year, month, day);
    return true;
}

/* ".5" in units; digits beyond the unit must be zeros. */
static bool read_fraction(struct cursor *cursor, int digits, int64_t *value)
{
    *value = 0;
    if (!read_char(cursor, '.'))
        return true;
    int count = 0;
    while (cursor->at < cursor->end && digit_of(*cursor->at) <= 9) {
        unsigned digit = digit_of(*cursor->at++);
        if (count < digits) {
            *value = *value * 10 + digit;
            count++;
        } else if (digit != 0) {
            return false;
        } else if (digits == 0) {
            count = 1;
        }
    }
    if (count == 0)
        return false;
    if (digits > 0)
        *value *= powers10[digits - count];
    return true;
}

/* Units since midnight. */
static bool read_time(struct cursor *cursor, enum time_unit unit, int64_t *value)
{
    int hour, minute, second;
    int64_t fraction;
    if (!read_two(cursor, &hour) || !read_char(cursor, ':') || !read_two(cursor, &minute) ||
        !read_char(cursor, ':') || !read_two(cursor, &second) || hour > 23 || minute > 59 || second > 59)
        return false;
    if (!read_fraction(cursor, unit_digits[unit], &fraction))
        return false;
    int64_t seconds = hour * 3600 + minute * 60 + second;
    *value = seconds * calendar_units_per_second(unit) + fraction;
    return true;
}

/* "Z", "+hh:mm", "+hhmm", "+hh", or nothing. */
static bool read_zone(struct cursor *cursor, struct calendar_zone *zone)
{
    *zone = (struct calendar_zone){.given = true};
    if (read_char(cursor, 'Z'))
        return true;
    bool negative = read_char(cursor, '-');
    if (!negative && !read_char(cursor, '+')) {
        zone->given = false;
        return true;
    }
    int hours, minutes = 0;
    if (!read_two(cursor, &hours))
        return false;
    bool colon = read_char(cursor, ':');
    if ((colon || cursor->at < cursor->end) && !read_two(cursor, &minutes))
        return false;
    zone->offset_minutes = (hours * 60 + minutes) * (negative ? -1 : 1);
    return hours <= 23 && minutes <= 59;
}

bool calendar_parse_date(const char *text, size_t length, int64_t *days)
{
    struct cursor cursor = {text, text + length};
    int128_t exact;
    if (!read_date(&cursor, &exact) || cursor.at != cursor.end || exact != (int64_t)exact)
        return false;
    *days = (int64_t)exact;
    return true;
}

bool calendar_parse_time(const char *text, size_t length, enum time_unit unit, int64_t *value)
{
    struct cursor cursor = {text, text + length};
    int64_t units;
    if (!read_time(&cursor, unit, &units) || cursor.at != cursor.end)
        return false;
    *value = units;
    return true;
}

bool calendar_parse_moment(const char *text, size_t length, enum time_unit unit, int64_t *value,
                           struct calendar_zone *zone)
{
    struct cursor cursor = {text, text + length};
    struct calendar_zone found = {0};
    int128_t days;
    int64_t units;
    if (!read_date(&cursor, &days) || !(read_char(&cursor, ' ') || read_char(&cursor, 'T')) ||
        !read_time(&cursor, unit, &units))
        return false;
    if (zone && !read_zone(&cursor, &found))
        return false;
    if (cursor.at != cursor.end)
        return false;
    int128_t ahead = (int128_t)found.offset_minutes * 60;
    int128_t moment = (days * SECONDS_PER_DAY - ahead) * calendar_units_per_second(unit) + units;
    if (moment != (int64_t)moment)
        return false;
    *value = (int64_t)moment;
    if (zone)
        *zone = found;
    return true;
}

/* ---- Printing ---- */

static inline char *print_two(char *out, uint64_t value)
{
    memcpy(out, number_pairs + 2 * value, 2);
    return out + 2;
}

static char *print_padded(char *out, uint64_t value, int digits)
{
    int at = digits;
    for (; at >= 2; at -= 2, value /= 100)
        memcpy(out + at - 2, number_pairs + 2 * (value % 100), 2);
    if (at > 0)
        out[0] = (char)('0' + value % 10);
    return out + digits;
}

static char *print_year(char *out, int64_t year)
{
    if (year >= 1 && year <= 9999)
        return print_two(print_two(out, (uint64_t)year / 100), (uint64_t)year % 100);
    *out++ = year < 0 ? '-' : '+';
    uint64_t size = year < 0 ? (uint64_t)-year : (uint64_t)year;
    if (size <= 999999)
        return print_padded(out, size, 6);
    return out + number_print_u64(size, out);
}

static char *print_day(char *at, int64_t days)
{
    int64_t year;
    int month, day;
    calendar_civil(days, &year, &month, &day);
    at = print_year(at, year);
    *at++ = '-';
    at = print_two(at, (uint64_t)month);
    *at++ = '-';
    return print_two(at, (uint64_t)day);
}

/* Without the fraction. */
static char *print_seconds(char *at, uint64_t seconds)
{
    uint64_t hours = seconds / 3600;
    uint32_t rest = (uint32_t)(seconds - hours * 3600);
    at = hours > 99 ? at + number_print_u64(hours, at) : print_two(at, hours);
    *at++ = ':';
    at = print_two(at, rest / 60);
    *at++ = ':';
    return print_two(at, rest % 60);
}

static char *print_fraction(char *at, int64_t fraction, enum time_unit unit, bool trim)
{
    if (unit == TIME_SECOND || (trim && fraction == 0))
        return at;
    *at++ = '.';
    return print_padded(at, (uint64_t)fraction, unit_digits[unit]);
}

/* Whole seconds, rounded down, and the units beyond. By constants: the compiler
 * then multiplies instead of dividing. */
static int64_t seconds_split(int64_t value, enum time_unit unit, int64_t *fraction)
{
    switch (unit) {
    case TIME_MILLI:
        return floor_divide(value, 1000, fraction);
    case TIME_MICRO:
        return floor_divide(value, 1000000, fraction);
    case TIME_NANO:
        return floor_divide(value, 1000000000, fraction);
    case TIME_SECOND:
        break;
    }
    *fraction = 0;
    return value;
}

size_t calendar_print_date(int64_t days, char *out)
{
    return (size_t)(print_day(out, days) - out);
}

/* A value that is no time of day (a duration, foreign data) prints with as many
 * hours as it has, a negative one with a sign. */
size_t calendar_print_time(int64_t value, enum time_unit unit, bool trim, char *out)
{
    char *at = out;
    int64_t fraction, seconds = seconds_split(value, unit, &fraction);
    uint64_t size = (uint64_t)seconds;
    if (value < 0) {
        *at++ = '-';
        size = 0 - size;
        if (fraction > 0) { /* -1.25 was split into -2 and .75 */
            size--;
            fraction = calendar_units_per_second(unit) - fraction;
        }
    }
    at = print_seconds(at, size);
    return (size_t)(print_fraction(at, fraction, unit, trim) - out);
}

size_t calendar_print_timestamp(int64_t value, enum time_unit unit, bool utc, bool trim, char *out)
{
    int64_t fraction, second_of_day, seconds = seconds_split(value, unit, &fraction);
    int64_t days = floor_divide(seconds, SECONDS_PER_DAY, &second_of_day);
    char *at = print_day(out, days);
    *at++ = ' ';
    at = print_seconds(at, (uint64_t)second_of_day);
    at = print_fraction(at, fraction, unit, trim);
    if (utc)
        *at++ = 'Z';
    return (size_t)(at - out);
}
