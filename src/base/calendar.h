/*
 * calendar.h: days, times and moments, and their ISO 8601 text. Proleptic
 * Gregorian calendar. Years 0001 to 9999 print as four digits; others print
 * with a sign and at least six digits ("+012345-01-01") and read back.
 */
#ifndef HAUL_BASE_CALENDAR_H
#define HAUL_BASE_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum time_unit { TIME_SECOND, TIME_MILLI, TIME_MICRO, TIME_NANO };

#define CALENDAR_TEXT_BYTES 64

int64_t calendar_days(int64_t year, int month, int day); /* days since 1970-01-01; the date must be valid */
void calendar_civil(int64_t days, int64_t *year, int *month, int *day);
bool calendar_valid(int64_t year, int month, int day);

int64_t calendar_units_per_second(enum time_unit unit);

/* Whole text or false. Digits of a fraction beyond the unit must be zeros. */
bool calendar_parse_date(const char *text, size_t length, int64_t *days);                   /* 2024-02-29 */
bool calendar_parse_time(const char *text, size_t length, enum time_unit unit, int64_t *value); /* 23:59:59[.f] */

struct calendar_zone {
    bool given;         /* a zone stood there: the value is UTC */
    int offset_minutes; /* 0 when not */
};

/* date, 'T' or space, time; a zone (Z, +hh:mm, +hhmm, +hh) only when `zone` is
 * given: then *value is UTC. */
bool calendar_parse_moment(const char *text, size_t length, enum time_unit unit, int64_t *value,
                           struct calendar_zone *zone);

/* Return the length, no NUL. A fraction is printed with all digits of the unit,
 * or not at all when it is zero and `trim`. Timestamps: "2024-02-29 23:59:59.5",
 * with "Z" at the end when `utc`. */
size_t calendar_print_date(int64_t days, char *out);
size_t calendar_print_time(int64_t value, enum time_unit unit, bool trim, char *out);
size_t calendar_print_timestamp(int64_t value, enum time_unit unit, bool utc, bool trim, char *out);

#endif
