/* Numbers: exact both ways, at every edge, and refused when they are not whole. */
#include "base/number.h"
#include "trials.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <locale.h>
#include <math.h>
#include <string.h>

static bool i64_is(const char *text, int64_t wanted)
{
    int64_t value;
    return number_parse_i64(text, strlen(text), &value) && value == wanted;
}

static bool u64_is(const char *text, uint64_t wanted)
{
    uint64_t value;
    return number_parse_u64(text, strlen(text), &value) && value == wanted;
}

static void whole_numbers_read(void **state)
{
    (void)state;
    assert_true(i64_is("0", 0) && i64_is("-0", 0) && i64_is("+7", 7) && i64_is("007", 7));
    assert_true(i64_is("12345678", 12345678) && i64_is("123456789", 123456789));
    assert_true(i64_is("1234567890123456", 1234567890123456) &&
                i64_is("-12345678901234567", -12345678901234567));
    assert_true(i64_is("9223372036854775807", INT64_MAX) && i64_is("-9223372036854775808", INT64_MIN));
    assert_true(i64_is("-000000000000000000000000000009223372036854775808", INT64_MIN));
    assert_true(u64_is("18446744073709551615", UINT64_MAX) && u64_is("00018446744073709551615", UINT64_MAX));
    assert_true(u64_is("9999999999999999999", 9999999999999999999u));
    static const char *const wrong[] = {"",         "-",        "+",     "--1",         "+-1",       "-+1",
                                        "1 ",       " 1",       "1a",    "a1",          "1.0",       "1e3",
                                        "0x10",     "1_0",      "1,000", "12345678a",   "/",         ":",
                                        "1234567/", "1234567:", "\xb2",  "1234567\xb1", "12345678 ", "1\t"};
    int64_t value = 42;
    uint64_t size = 42;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(number_parse_i64(wrong[i], strlen(wrong[i]), &value));
        assert_false(number_parse_u64(wrong[i], strlen(wrong[i]), &size));
    }
    assert_false(number_parse_i64("9223372036854775808", 19, &value));
    assert_false(number_parse_i64("-9223372036854775809", 20, &value));
    assert_false(number_parse_u64("18446744073709551616", 20, &size));
    assert_false(number_parse_u64("99999999999999999999", 20, &size));
    assert_false(number_parse_u64("100000000000000000000", 21, &size));
    assert_false(number_parse_u64("-1", 2, &size));
    assert_false(number_parse_i64("1\0", 2, &value));
    assert_int_equal(value, 42);
    assert_int_equal(size, 42);
}

static void whole_numbers_round_trip(void **state)
{
    (void)state;
    char text[NUMBER_TEXT_BYTES], wanted[NUMBER_TEXT_BYTES];
    int trials = trials_begin("whole numbers", 50000);
    for (int i = 0; i < trials; i++) {
        uint64_t value = trials_random() >> (trials_random() % 64);
        if (i < 4)
            value = (uint64_t[]){0, UINT64_MAX, (uint64_t)INT64_MAX, (uint64_t)INT64_MAX + 1}[i];
        size_t length = number_print_u64(value, text);
        assert_int_equal(length, snprintf(wanted, sizeof wanted, "%" PRIu64, value));
        assert_memory_equal(text, wanted, length);
        text[length] = '\0';
        assert_true(u64_is(text, value));
        int64_t negative = (int64_t)(0 - value);
        length = number_print_i64(negative, text);
        assert_int_equal(length, snprintf(wanted, sizeof wanted, "%" PRId64, negative));
        assert_memory_equal(text, wanted, length);
        text[length] = '\0';
        assert_true(i64_is(text, negative));
    }
}

static void decimal_check(const char *text, int precision, int scale, const char *printed)
{
    int128_t value;
    char out[NUMBER_TEXT_BYTES];
    bool read = number_parse_decimal(text, strlen(text), precision, scale, &value);
    if (!printed) {
        assert_false(read);
        return;
    }
    assert_true(read);
    size_t length = number_print_decimal(value, scale, out);
    out[length] = '\0';
    assert_string_equal(out, printed);
}

#define NINES38 "99999999999999999999999999999999999999"
#define ZEROS38 "00000000000000000000000000000000000000"

static void decimals_read_exactly(void **state)
{
    (void)state;
    decimal_check("1.5", 10, 2, "1.50");
    decimal_check("-1.5", 10, 2, "-1.50");
    decimal_check("+.5", 10, 2, "0.50");
    decimal_check("5.", 10, 2, "5.00");
    decimal_check("0", 1, 0, "0");
    decimal_check("-0.00", 5, 2, "0.00");
    decimal_check("1.50000" ZEROS38, 2, 1, "1.5");
    decimal_check("1.500", 10, 2, "1.50");
    decimal_check("999999999999999999", 18, 0, "999999999999999999");
    decimal_check("999999999999999999", 17, 0, NULL);
    decimal_check("999999999999999999", 36, 18, "999999999999999999.000000000000000000");
    decimal_check("999999999999999999", 35, 18, NULL);
    decimal_check("9999999999999999999", 38, 19, "9999999999999999999.0000000000000000000");
    decimal_check("12345678.123456789", 17, 9, "12345678.123456789");
    decimal_check("1.505", 10, 2, NULL);
    decimal_check("1e3", 4, 0, "1000");
    decimal_check("1E+3", 4, 0, "1000");
    decimal_check("15e-1", 4, 1, "1.5");
    decimal_check("150e-2", 4, 1, "1.5");
    decimal_check("1e-2", 4, 1, NULL);
    decimal_check("1e4", 4, 0, NULL);
    decimal_check("99.99", 4, 2, "99.99");
    decimal_check("100", 4, 2, NULL);
    decimal_check("0e999999999999999999999999", 4, 2, "0.00");
    decimal_check("1e999999999999999999999999", 38, 0, NULL);
    decimal_check("1e-999999999999999999999999", 38, 38, NULL);
    decimal_check(NINES38, 38, 0, NINES38);
    decimal_check("-" NINES38, 38, 0, "-" NINES38);
    decimal_check("-0." NINES38, 38, 38, "-0." NINES38);
    decimal_check("0." NINES38, 38, 38, "0." NINES38);
    decimal_check("." NINES38 "0", 38, 38, "0." NINES38);
    decimal_check("1e-38", 38, 38,
                  "0.0000000000000000000000000000000000000"
                  "1");
    decimal_check("1", 38, 38, NULL);
    decimal_check("1" NINES38, 38, 0, NULL);
    decimal_check("1" ZEROS38, 38, 0, NULL);
    decimal_check("1" ZEROS38 "e-38", 38, 0, "1");
    decimal_check("0" ZEROS38 ZEROS38 "1", 38, 0, "1");
    decimal_check("0." ZEROS38 "1e39", 38, 0, "1");
    static const char *const wrong[] = {"",    "-",   ".",    "+.",  "1..",  "1.2.3", "e5",
                                        "1e",  "1e+", "1e5.", " 1",  "1 ",   "1e 5",  "--1",
                                        "0x1", "nan", "inf",  "1,5", "1e5e5"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        decimal_check(wrong[i], 38, 0, NULL);
}

static void decimals_round_trip(void **state)
{
    (void)state;
    char text[NUMBER_TEXT_BYTES];
    int trials = trials_begin("decimals", 50000);
    for (int i = 0; i < trials; i++) {
        int precision = 1 + (int)(trials_random() % 38),
            scale = (int)(trials_random() % (unsigned)(precision + 1));
        uint128_t bits = ((uint128_t)trials_random() << 64 | trials_random()) >> (trials_random() % 128);
        int128_t value = (int128_t)(bits % (uint128_t)number_power10(precision));
        if (trials_random() & 1)
            value = -value;
        size_t length = number_print_decimal(value, scale, text);
        int128_t back = 0;
        assert_true(length <= 41);
        assert_true(number_parse_decimal(text, length, precision, scale, &back));
        assert_true(back == value);
        assert_true(number_decimal_fits(value, precision));
    }
    int128_t smallest = (int128_t)((uint128_t)1 << 127);
    size_t length = number_print_decimal(smallest, 0, text);
    text[length] = '\0';
    assert_string_equal(text, "-170141183460469231731687303715884105728");
}

static void decimal_helpers(void **state)
{
    (void)state;
    int128_t power = 1, out = 0;
    for (int n = 0; n <= 38; n++, power = n <= 38 ? power * 10 : power) {
        assert_true(number_power10(n) == power);
        assert_true(number_decimal_fits(power - 1, n) && number_decimal_fits(1 - power, n));
        assert_false(number_decimal_fits(power, n) || number_decimal_fits(-power, n));
    }
    assert_true(number_decimal_rescale(150, 2, 1, &out) && out == 15);
    assert_true(number_decimal_rescale(-15, 1, 3, &out) && out == -1500);
    assert_false(number_decimal_rescale(155, 2, 1, &out));
    assert_false(number_decimal_rescale(number_power10(38), 0, 1, &out));
    assert_true(number_decimal_rescale(0, 0, 100, &out) && out == 0);
    assert_false(number_decimal_rescale(1, 0, 39, &out));
    assert_true(number_decimal_rescale(number_power10(38), 38, 0, &out) && out == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_read),    cmocka_unit_test(whole_numbers_round_trip),
        cmocka_unit_test(decimals_read_exactly), cmocka_unit_test(decimals_round_trip),
        cmocka_unit_test(decimal_helpers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
