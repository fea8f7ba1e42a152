/* Floating point: correctly rounded, shortest, whatever the process locale says. */
#include "base/float_powers.h"
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

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Against the C library, which rounds correctly. */
static void same_as_strtod(const char *text)
{
    double value = 42;
    float single = 42;
    if (!number_parse_f64(text, strlen(text), &value) || bits_of(value) != bits_of(strtod(text, NULL)))
        fail_msg("%.100s: %a, not %a", text, value, strtod(text, NULL));
    if (!number_parse_f32(text, strlen(text), &single) ||
        memcmp(&single, &(float){strtof(text, NULL)}, 4) != 0)
        fail_msg("%.100s: %a, not %a", text, (double)single, (double)strtof(text, NULL));
}

static void edges_read(void **state)
{
    (void)state;
    static const char *const texts[] = {"0",
                                        "-0",
                                        "0.0",
                                        "-0.0",
                                        "1",
                                        ".5",
                                        "5.",
                                        "+5.5",
                                        "1e0",
                                        "1E5",
                                        "1e+5",
                                        "1e-5",
                                        "0e99999999999999999999",
                                        "1e99999999999999999999",
                                        "-1e99999999999999999999",
                                        "1e-99999999999999999999",
                                        "4.9e-324",
                                        "5e-324",
                                        "2.5e-324",
                                        "2.4703282292062327e-324",
                                        "2.4703282292062328e-324",
                                        "2.2250738585072011e-308",
                                        "2.2250738585072014e-308",
                                        "1.7976931348623157e308",
                                        "1.7976931348623158e308",
                                        "1.7976931348623159e308",
                                        "9007199254740992",
                                        "9007199254740993",
                                        "9007199254740993.00000000000000000000000000000000001",
                                        "9007199254740995",
                                        "18446744073709551615",
                                        "18446744073709551616",
                                        "123456789012345678901234567890",
                                        "1e22",
                                        "1e23",
                                        "8.5e22",
                                        "3.4028235e38",
                                        "3.4028236e38",
                                        "1.401298464324817e-45",
                                        "7.006492321624085e-46",
                                        "16777217",
                                        "16777219",
                                        "0.1",
                                        "0.3",
                                        "2.5",
                                        "1.15",
                                        "1e-400",
                                        "1e400",
                                        "0000000000000000000000000000000000000001.5",
                                        "0.00000000000000000000000000000000000000015e38",
                                        "6.02214076e23",
                                        "1.00000005960464477539062500",
                                        "1.000000059604644775390625000000000000000000001"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        same_as_strtod(texts[i]);
}

static void long_texts_read(void **state)
{
    (void)state;
    char text[4000];
    /* 2^-1074 / 2, a tie of 751 digits, then the same with something far behind it */
    int length = snprintf(text, sizeof text, "%.1074f", 0x1p-1074);
    text[length - 1] = '2';
    same_as_strtod(text);
    memset(text, '0', sizeof text);
    text[1] = '.';
    length = snprintf(text, sizeof text, "%.1075f", 0x1p-1074);
    memset(text + length, '0', 2000);
    text[length + 2000] = '\0';
    same_as_strtod(text);
    /* halfway between 1 and the next double: 52 digits and more behind */
    length = snprintf(text, sizeof text, "1.00000000000000011102230246251565404236316680908203125");
    same_as_strtod(text);
    memset(text + length, '0', 1500);
    text[length + 1500] = '\0';
    same_as_strtod(text);
    text[length + 1499] = '1';
    same_as_strtod(text);
    memset(text, '9', 3000);
    memcpy(text + 3000, "e-3000", 7);
    same_as_strtod(text);
}

static void names_and_nonsense(void **state)
{
    (void)state;
    double value = 42;
    float single;
    assert_true(number_parse_f64("nan", 3, &value) && isnan(value));
    assert_true(number_parse_f64("NaN", 3, &value) && isnan(value));
    assert_true(number_parse_f64("-inf", 4, &value) && isinf(value) && value < 0);
    assert_true(number_parse_f64("+Infinity", 9, &value) && isinf(value) && value > 0);
    assert_true(number_parse_f32("-INF", 4, &single) && isinf(single) && single < 0);
    static const char *const wrong[] = {"",        "-",      "+",   ".",   "-.",    "e5",    "1e",
                                        "1e+",     "1.2.3",  " 1",  "1 ",  "0x10",  "1f",    "infi",
                                        "infinit", "nan(1)", "1,5", "--1", "1e5.5", "1_000", ".e1"};
    value = 42;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(number_parse_f64(wrong[i], strlen(wrong[i]), &value));
        assert_false(number_parse_f32(wrong[i], strlen(wrong[i]), &single));
    }
    assert_true(value == 42);
}

static void prints(double value, const char *wanted)
{
    char out[NUMBER_TEXT_BYTES];
    size_t length = number_print_f64(value, out);
    out[length] = '\0';
    assert_string_equal(out, wanted);
}

static void prints_single(float value, const char *wanted)
{
    char out[NUMBER_TEXT_BYTES];
    size_t length = number_print_f32(value, out);
    out[length] = '\0';
    assert_string_equal(out, wanted);
}

static void edges_print(void **state)
{
    (void)state;
    prints(0.0, "0.0");
    prints(-0.0, "-0.0");
    prints(1.0, "1.0");
    prints(1.5, "1.5");
    prints(-123.25, "-123.25");
    prints(0.1, "0.1");
    prints(0.1 + 0.2, "0.30000000000000004");
    prints(100.0, "100.0");
    prints(1e15, "1000000000000000.0");
    prints(1e16, "1e16");
    prints(123456789012345680.0, "1.2345678901234568e17");
    prints(0.0001, "0.0001");
    prints(0.00001, "1e-5");
    prints(0.00012345, "0.00012345");
    prints(17.0001, "17.0001");
    prints(-17.01, "-17.01");
    prints(0.05, "0.05");
    prints(20.5, "20.5");
    prints(99999999999.9999, "99999999999.9999");
    prints(100000000000.25, "100000000000.25");
    prints(0.29999999999999998, "0.3");
    prints(0.30000000000000004, "0.30000000000000004");
    prints(1e300, "1e300");
    prints(1e22, "1e22");
    prints(1e23, "1e23");
    prints(9.5e-322, "9.5e-322");
    prints(5e-324, "5e-324");
    prints(2.2250738585072014e-308, "2.2250738585072014e-308");
    prints(DBL_MAX, "1.7976931348623157e308");
    prints(-DBL_MAX, "-1.7976931348623157e308");
    prints(9007199254740993.0, "9007199254740992.0");
    prints((double)NAN, "nan");
    prints((double)INFINITY, "inf");
    prints(-(double)INFINITY, "-inf");
    prints(0x1p-1022, "2.2250738585072014e-308");
    prints(0x1p+1, "2.0");
    prints_single(0.1f, "0.1");
    prints_single(FLT_MAX, "3.4028235e38");
    prints_single(1e-45f, "1e-45");
    prints_single(16777216.0f, "16777216.0");
    prints_single(-0.0f, "-0.0");
    prints_single(3.3554432e7f, "33554432.0");
    prints_single(8.589973e9f, "8589974000.0"); /* it is 8589973504 */
    prints_single((float)NAN, "nan");
}

/* The digits of the shortest text, as printf can find them. */
static int digits_needed(double value)
{
    char text[64];
    for (int digits = 1; digits < 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*e", digits - 1, value);
        if (strtod(text, NULL) == value)
            return digits;
    }
    return 17;
}

static int digits_in(const char *text, size_t length)
{
    int count = 0, zeros = 0;
    for (size_t i = 0; i < length && text[i] != 'e'; i++) {
        if (text[i] == '0' && count > 0)
            zeros++;
        if (text[i] < '1' || text[i] > '9')
            continue;
        count += zeros + 1;
        zeros = 0;
    }
    return count;
}

static void doubles_round_trip(void **state)
{
    (void)state;
    char text[NUMBER_TEXT_BYTES];
    int trials = trials_begin("doubles", 50000);
    for (int i = 0; i < trials; i++) {
        uint64_t bits = trials_random();
        if (i % 4 == 1)
            bits &= (uint64_t)0xfff << 52; /* powers of two: the gap below is half the gap above */
        if (i % 8 == 2)
            bits &= ~((uint64_t)0x7ff << 52); /* subnormal */
        if (i % 4 == 3)
            bits = bits_of((double)(int64_t)(bits >> 20) / 1000.0);
        if (i % 8 == 4) /* few decimals, and the doubles beside them */
            bits = bits_of((double)(bits >> (10 + trials_random() % 50)) / (i % 3 ? 100.0 : 10000.0)) +
                   (i % 16 == 4);
        double value = double_of(bits), back;
        if (!isfinite(value))
            continue;
        size_t length = number_print_f64(value, text);
        assert_true(length <= 25);
        text[length] = '\0';
        if (!number_parse_f64(text, length, &back) || bits_of(back) != bits_of(value))
            fail_msg("%a printed as %s", value, text);
        if (digits_in(text, length) > digits_needed(value))
            fail_msg("%a printed as %s: not the shortest", value, text);
    }
}

static void floats_round_trip(void **state)
{
    (void)state;
    char text[NUMBER_TEXT_BYTES];
    int trials = trials_begin("floats", 50000);
    for (int i = 0; i < trials; i++) {
        float value = float_of((uint32_t)trials_random()), back;
        if (i % 4 == 1)
            value = float_of((uint32_t)trials_random() & 0xff800000u);
        if (!isfinite(value))
            continue;
        size_t length = number_print_f32(value, text);
        text[length] = '\0';
        if (!number_parse_f32(text, length, &back) || memcmp(&back, &value, sizeof back) != 0)
            fail_msg("%a printed as %s", (double)value, text);
        assert_true(strtof(text, NULL) == value);
        assert_in_range(length, 3, 19);
    }
}

static void random_texts_read(void **state)
{
    (void)state;
    char text[96];
    int trials = trials_begin("texts", 100000);
    for (int i = 0; i < trials; i++) {
        uint64_t digits = trials_random() >> (trials_random() % 60);
        int exponent = (int)(trials_random() % (i & 1 ? 700 : 50)) - (i & 1 ? 360 : 25);
        if (i % 3 == 0)
            (void)snprintf(text, sizeof text, "%" PRIu64 ".%" PRIu64 "e%d", digits, trials_random(),
                           exponent);
        else
            (void)snprintf(text, sizeof text, "%" PRIu64 "e%d", digits, exponent);
        same_as_strtod(text);
    }
}

/* A text exactly between two doubles goes to the even one, the neighbours of that text do not. */
static void ties_go_to_even(void **state)
{
    (void)state;
    char text[1200];
    int trials = trials_begin("ties", 5000);
    for (int i = 0; i < trials; i++) {
        uint64_t bits = (trials_random() >> 12) | ((uint64_t)(1023 + trials_random() % 64) << 52);
        double low = double_of(bits), high = double_of(bits + 1);
        long double middle = ((long double)low + (long double)high) / 2;
        int length = snprintf(text, sizeof text, "%.70Lf", middle);
        same_as_strtod(text);
        text[length - 1] = '1';
        same_as_strtod(text);
    }
}

/* A long unsigned number, lowest word first. */
struct longnum {
    uint32_t words[64];
};

static void longnum_times5(struct longnum *n)
{
    uint64_t carry = 0;
    for (int i = 0; i < 64; i++) {
        carry += (uint64_t)n->words[i] * 5;
        n->words[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

static void longnum_over5(struct longnum *n)
{
    uint64_t rest = 0;
    for (int i = 63; i >= 0; i--) {
        rest = rest << 32 | n->words[i];
        n->words[i] = (uint32_t)(rest / 5);
        rest %= 5;
    }
}

static int longnum_bit(const struct longnum *n, int i)
{
    return i < 0 ? 0 : (int)(n->words[i / 32] >> (i % 32) & 1);
}

/* The 128 bits from the highest one down are row k's: 10^k and 5^k differ by a shift. */
static void assert_power(const struct longnum *n, int k)
{
    int top = 64 * 32 - 1;
    while (!longnum_bit(n, top))
        top--;
    for (int i = 0; i < 128; i++) {
        uint64_t word = float_powers[k - FLOAT_POWER_FIRST][i / 64];
        if ((int)(word >> (63 - i % 64) & 1) != longnum_bit(n, top - i))
            fail_msg("power %d, bit %d", k, i);
    }
}

static void powers_are_right(void **state)
{
    (void)state;
    struct longnum n = {{1}};
    for (int k = 0; k <= FLOAT_POWER_LAST; k++, longnum_times5(&n))
        assert_power(&n, k);
    n = (struct longnum){.words[63] = 0x80000000u}; /* far more bits than 5^342 takes away */
    for (int k = 0; k >= FLOAT_POWER_FIRST; k--, longnum_over5(&n))
        assert_power(&n, k);
    for (int k = FLOAT_POWER_FIRST; k < 309; k++) {
        char text[32];
        (void)snprintf(text, sizeof text, "1e%d", k);
        int exponent = (int)floorl(log2l(strtold(text, NULL)) + 1e-12L);
        assert_int_equal(float_power_exponent(k), exponent);
    }
}

static void locale_does_not_matter(void **state)
{
    (void)state;
    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "fr_FR.UTF-8")) {
        print_message("# no locale with a decimal comma here\n");
        return;
    }
    prints(1234.5, "1234.5");
    double value = 0;
    assert_true(number_parse_f64("1234567890.12345678901", 22, &value) && value == 1234567890.12345678901);
    setlocale(LC_ALL, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges_read),
        cmocka_unit_test(long_texts_read),
        cmocka_unit_test(names_and_nonsense),
        cmocka_unit_test(edges_print),
        cmocka_unit_test(doubles_round_trip),
        cmocka_unit_test(floats_round_trip),
        cmocka_unit_test(random_texts_read),
        cmocka_unit_test(ties_go_to_even),
        cmocka_unit_test(locale_does_not_matter),
        cmocka_unit_test(powers_are_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
