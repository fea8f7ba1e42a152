/* Names of files, made and read back. */
#include "format/file_names.h"
#include "lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct arena arena;
static struct haul_error err;

static int tear_down(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static void tables_from_names(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"orders.lines", "orders"},
        {"in/part-*.lines", "part"},
        {"in/out/", "out"},
        {"a.b.LIN", "a.b"},
        {"/x/.hidden.lines", "hidden"},
        {"*.lines", "data"},
        {"in/", "in"},
        {"noend", "noend"},
        {"part_[0-9].lines", "part"},
        {"/", "data"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        assert_string_equal(name_table(pairs[i][0], &lines_format, &arena), pairs[i][1]);
}

static void folders_of_names(void **state)
{
    (void)state;
    assert_string_equal(name_folder("a/b.csv", &arena), "a/");
    assert_string_equal(name_folder("b.csv", &arena), "./");
    assert_string_equal(name_folder("/b.csv", &arena), "/");
    assert_string_equal(name_folder("a/out//", &arena), "a/");
}

static void expect_stem(const char *schema, const char *table, const char *expected)
{
    const char *stem = NULL;
    assert_int_equal(name_stem(schema, table, &arena, &stem, &err), HAUL_OK);
    assert_string_equal(stem, expected);
}

static void stems_are_safe(void **state)
{
    (void)state;
    char longest[200];
    const char *stem = NULL;
    expect_stem("sales", "orders", "sales_orders");
    expect_stem(NULL, "Order Details", "Order%20Details");
    expect_stem("", "orders", "orders");
    expect_stem(NULL, "../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd");
    expect_stem(NULL, ".x", "%2Ex");
    expect_stem(NULL, "a\nb\"c\\d%", "a%0Ab%22c%5Cd%25");
    expect_stem(NULL,
                "stra\xc3\x9f"
                "e",
                "stra\xc3\x9f"
                "e");
    memset(longest, 'x', sizeof longest);
    longest[160] = '\0';
    expect_stem(NULL, longest, longest);
    longest[160] = 'x';
    longest[161] = '\0';
    assert_int_equal(name_stem(NULL, longest, &arena, &stem, &err), HAUL_UNSUPPORTED);
    longest[160] = '\0';
    assert_int_equal(name_stem("s", longest, &arena, &stem, &err), HAUL_UNSUPPORTED);
}

static bool number_of(const char *name, const char *stem, uint64_t *number)
{
    return name_part_number(name, strlen(name), stem, ".lines", number);
}

static void part_numbers_are_read_back(void **state)
{
    (void)state;
    uint64_t number = 0;
    assert_string_equal(name_part("s_t", 7, ".lines", &arena), "s_t_part_00007.lines");
    assert_true(number_of("s_t_part_00007.lines", "s_t", &number));
    assert_int_equal(number, 7);
    assert_true(number_of(name_part("t", 12345678, ".lines", &arena), "t", &number));
    assert_int_equal(number, 12345678);
    assert_true(name_part_number("t_part_00008.lines.haul-h1.part", 18, "t", ".lines", &number));
    assert_int_equal(number, 8);
    assert_false(number_of("s_t_part_7.lines", "s_t", &number));
    assert_false(number_of("t_part_123456789.lines", "t", &number));
    assert_false(number_of("s_t_part_00007.lines", "t", &number));
    assert_false(number_of("t_part_00007.lines.bak", "t", &number));
    assert_false(number_of("t_part_00007.lin", "t", &number));
    assert_false(number_of("t_part_0000x.lines", "t", &number));
    assert_false(number_of("t_part_.lines", "t", &number));
    assert_false(number_of("t", "t", &number));
}

static void temporary_names_are_known_again(void **state)
{
    (void)state;
    bool own = false;
    assert_string_equal(name_temp("a/b.csv", "h12", &arena), "a/.b.csv.haul-h12.part");
    assert_string_equal(name_temp("b.csv", "x.haul-y", &arena), ".b.csv.haul-x.haul-y.part");
    assert_int_equal(name_temp_base(".b.csv.haul-h12.part", "h12", &own), 5);
    assert_true(own);
    assert_int_equal(name_temp_base(".b.csv.haul-x.haul-y.part", "x.haul-y", &own), 5);
    assert_true(own);
    assert_int_equal(name_temp_base(".b.csv.haul-h12.part", "h1", &own), 5);
    assert_false(own);
    assert_int_equal(name_temp_base(".b.csv.haul-h12.part", "12", &own), 5);
    assert_false(own);
    assert_int_equal(name_temp_base("b.csv.haul-h12.part", "h12", &own), 0);
    assert_int_equal(name_temp_base(".haul-h12.part", "h12", &own), 0);
    assert_int_equal(name_temp_base(".b.csv.part", "h12", &own), 0);
    assert_int_equal(name_temp_base(".b.csv.haul-h12", "h12", &own), 0);
}

static void long_names_still_fit(void **state)
{
    (void)state;
    char name[260], run[64];
    memset(name, 'n', 255);
    memcpy(name + 169, "\xc3\xa9", 2); /* a character across the place of the cut */
    name[255] = '\0';
    memset(run, 'r', 63);
    run[63] = '\0';
    const char *temp = name_temp(name, run, &arena);
    assert_in_range(strlen(temp), 200, 255);
    assert_int_equal(temp[1 + 169], '.');
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tables_from_names),
        TEST(folders_of_names),
        TEST(stems_are_safe),
        TEST(part_numbers_are_read_back),
        TEST(temporary_names_are_known_again),
        TEST(long_names_still_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
