/* The calendar: every edge of it, and nothing it should not read. */
#include "base/calendar.h"
#include "trials.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void date_is(const char *text, int64_t wanted)
{
    int64_t days = 0;
    char out[CALENDAR_TEXT_BYTES];
    if (!calendar_parse_date(text, strlen(text), &days) || days != wanted)
        fail_msg("%s: %" PRId64 ", not %" PRId64, text, days, wanted);
    size_t length = calendar_print_date(days, out);
    out[length] = '\0';
    assert_string_equal(out, text);
}

static void dates(void **state)
{
    (void)state;
    date_is("1970-01-01", 0);
    date_is("1969-12-31", -1);
    date_is("2000-02-29", 11016);
    date_is("2024-02-29", 19782);
    date_is("0001-01-01", -719162);
    date_is("9999-12-31", 2932896);
    date_is("+010000-01-01", 2932897);
    date_is("+000000-12-31", -719163);
    date_is("-000001-12-31", -719529);
    static const char *const wrong[] = {"",
                                        "2024",
                                        "2024-02-30",
                                        "2023-02-29",
                                        "1900-02-29",
                                        "2024-13-01",
                                        "2024-00-10",
                                        "2024-01-00",
                                        "2024-1-1",
                                        "2024-01-1",
                                        "24-01-01",
                                        "02024-01-01",
                                        "2024-01-01 ",
                                        " 2024-01-01",
                                        "2024/01/01",
                                        "20240101",
                                        "+2024-01-01",
                                        "-2024-01-01",
                                        "2024-01-011",
                                        "2024-0a-01",
                                        "2024-01-0:",
                                        "+0000000000000000002024-01-01",
                                        "+99999999999999999-01-01",
                                        "2024-04-31",
                                        "2100-02-29"};
    int64_t days = 42;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (calendar_parse_date(wrong[i], strlen(wrong[i]), &days))
            fail_msg("%s was taken", wrong[i]);
    assert_int_equal(days, 42);
}

/* Day by day through the years -1000 to 3000, counted without any arithmetic on dates. */
static void every_day(void **state)
{
    (void)state;
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t days = calendar_days(-1000, 1, 1);
    for (int64_t y = -1000; y < 3000; y++) {
        for (int m = 1; m <= 12; m++) {
            bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
            int length = lengths[m - 1] + (leap && m == 2);
            assert_false(calendar_valid(y, m, length + 1));
            for (int d = 1; d <= length; d++, days++) {
                int64_t year;
                int month, day;
                calendar_civil(days, &year, &month, &day);
                if (year != y || month != m || day != d || calendar_days(y, m, d) != days ||
                    !calendar_valid(y, m, d))
                    fail_msg("%d-%d-%d", (int)y, m, d);
            }
        }
    }
    assert_int_equal(days, calendar_days(3000, 1, 1));
}

static void days_round_trip(void **state)
{
    (void)state;
    int trials = trials_begin("days", 50000);
    for (int i = 0; i < trials; i++) {
        int64_t days = (int64_t)trials_random() >> (trials_random() % 63), year, back = 0;
        if (i < 2)
            days = i ? INT64_MAX : INT64_MIN;
        int month, day;
        calendar_civil(days, &year, &month, &day);
        assert_true(calendar_valid(year, month, day));
        assert_true(calendar_days(year, month, day) == days);
        char text[CALENDAR_TEXT_BYTES];
        size_t length = calendar_print_date(days, text);
        if (!calendar_parse_date(text, length, &back) || back != days)
            fail_msg("%" PRId64 " printed as %.*s", days, (int)length, text);
    }
}

static void time_is(const char *text, enum time_unit unit, int64_t wanted, const char *printed)
{
    int64_t value = -1;
    char out[CALENDAR_TEXT_BYTES];
    if (!calendar_parse_time(text, strlen(text), unit, &value) || value != wanted)
        fail_msg("%s: %" PRId64 ", not %" PRId64, text, value, wanted);
    size_t length = calendar_print_time(value, unit, true, out);
    out[length] = '\0';
    assert_string_equal(out, printed);
}

static void times(void **state)
{
    (void)state;
    time_is("00:00:00", TIME_SECOND, 0, "00:00:00");
    time_is("23:59:59", TIME_SECOND, 86399, "23:59:59");
    time_is("23:59:59.000", TIME_SECOND, 86399, "23:59:59");
    time_is("23:59:59.9", TIME_MILLI, 86399900, "23:59:59.900");
    time_is("23:59:59.999999", TIME_MICRO, 86399999999, "23:59:59.999999");
    time_is("23:59:59.9999990000000", TIME_MICRO, 86399999999, "23:59:59.999999");
    time_is("23:59:59.999999999", TIME_NANO, 86399999999999, "23:59:59.999999999");
    time_is("12:00:00.0", TIME_NANO, 43200000000000, "12:00:00");
    char out[CALENDAR_TEXT_BYTES];
    size_t length = calendar_print_time(0, TIME_MILLI, false, out);
    assert_int_equal(length, 12);
    assert_memory_equal(out, "00:00:00.000", 12);
    length = calendar_print_time(-1250, TIME_MILLI, true, out);
    assert_int_equal(length, 13);
    assert_memory_equal(out, "-00:00:01.250", 13);
    length = calendar_print_time((int64_t)838 * 3600000000, TIME_MICRO, true, out);
    assert_int_equal(length, 9);
    assert_memory_equal(out, "838:00:00", 9);
    length = calendar_print_time(INT64_MIN, TIME_SECOND, false, out);
    assert_in_range(length, 1, CALENDAR_TEXT_BYTES);
    static const char *const wrong[] = {
        "",         "24:00:00",   "23:60:00",  "23:59:60",      "1:00:00",
        "12:00",    "120000",     "12:00:00.", "12:00:00.1234", "12:00:00 ",
        "-1:00:00", "12:00:00.a", "12:00:0",   "12:00:00,5",    "12:00:00.5Z"};
    int64_t value = 42;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (calendar_parse_time(wrong[i], strlen(wrong[i]), TIME_MILLI, &value))
            fail_msg("%s was taken", wrong[i]);
    assert_false(calendar_parse_time("12:00:00.5", 10, TIME_SECOND, &value));
    assert_false(calendar_parse_time("12:00:00.", 9, TIME_SECOND, &value));
    assert_int_equal(value, 42);
}

static void moment_is(const char *text, enum time_unit unit, int64_t wanted, bool zoned, int offset)
{
    int64_t value = -1;
    struct calendar_zone zone = {!zoned, -1};
    if (!calendar_parse_moment(text, strlen(text), unit, &value, &zone) || value != wanted)
        fail_msg("%s: %" PRId64 ", not %" PRId64, text, value, wanted);
    assert_int_equal(zone.given, zoned);
    assert_int_equal(zone.offset_minutes, offset);
}

static void timestamps(void **state)
{
    (void)state;
    moment_is("1970-01-01 00:00:00", TIME_NANO, 0, false, 0);
    moment_is("1970-01-01T00:00:01Z", TIME_MILLI, 1000, true, 0);
    moment_is("1970-01-01 00:00:00+01:30", TIME_SECOND, -5400, true, 90);
    moment_is("1970-01-01 00:00:00-0130", TIME_SECOND, 5400, true, -90);
    moment_is("1970-01-01 00:00:00.25+02", TIME_MILLI, -7199750, true, 120);
    moment_is("0001-01-01 00:00:00", TIME_MICRO, -62135596800000000, false, 0);
    moment_is("9999-12-31 23:59:59.999999", TIME_MICRO, 253402300799999999, false, 0);
    moment_is("1677-09-21 00:12:43.145224192", TIME_NANO, INT64_MIN, false, 0);
    moment_is("2262-04-11 23:47:16.854775807Z", TIME_NANO, INT64_MAX, true, 0);
    moment_is("2262-04-12 01:47:16.854775807+02:00", TIME_NANO, INT64_MAX, true, 120);
    int64_t value = 42;
    struct calendar_zone zone;
    static const char *const wrong[] = {"",
                                        "1970-01-01",
                                        "1970-01-01 ",
                                        "1970-01-01 00:00",
                                        "1970-01-01  00:00:00",
                                        "1970-01-01 00:00:60",
                                        "1970-01-01 24:00:00",
                                        "1970-01-01 00:00:00 Z",
                                        "1970-01-01 00:00:00z",
                                        "1970-01-01 00:00:00+1",
                                        "1970-01-01 00:00:00+24:00",
                                        "1970-01-01 00:00:00+01:60",
                                        "1970-01-01 00:00:00+01:",
                                        "1970-01-01 00:00:00+01:3",
                                        "1970-01-01 00:00:00+01:300",
                                        "1970-01-01_00:00:00",
                                        "1970-01-01 00:00:00ZZ",
                                        "1677-09-21 00:12:43.145224191",
                                        "2262-04-11 23:47:16.854775808"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (calendar_parse_moment(wrong[i], strlen(wrong[i]), TIME_NANO, &value, &zone))
            fail_msg("%s was taken", wrong[i]);
    assert_false(calendar_parse_moment("1970-01-01 00:00:00Z", 20, TIME_NANO, &value, NULL));
    assert_true(calendar_parse_moment("1970-01-01 00:00:00", 19, TIME_NANO, &value, NULL));
    assert_int_equal(value, 0);
}

static void timestamps_round_trip(void **state)
{
    (void)state;
    char text[CALENDAR_TEXT_BYTES];
    int trials = trials_begin("timestamps", 50000);
    for (int i = 0; i < trials; i++) {
        enum time_unit unit = (enum time_unit)(i & 3);
        int64_t value = (int64_t)trials_random() >> (trials_random() % 63), back = 0;
        if (i < 8)
            value = i & 4 ? INT64_MAX : INT64_MIN;
        bool utc = trials_random() & 1;
        struct calendar_zone zone = {!utc, -1};
        size_t length = calendar_print_timestamp(value, unit, utc, trials_random() & 1, text);
        assert_true(length < CALENDAR_TEXT_BYTES);
        if (!calendar_parse_moment(text, length, unit, &back, &zone) || back != value)
            fail_msg("%" PRId64 " printed as %.*s", value, (int)length, text);
        assert_int_equal(zone.given, utc);
        assert_int_equal(zone.offset_minutes, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates), cmocka_unit_test(every_day),  cmocka_unit_test(days_round_trip),
        cmocka_unit_test(times), cmocka_unit_test(timestamps), cmocka_unit_test(timestamps_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
