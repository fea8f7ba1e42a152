/* fetch.c: texts of the server, good and bad, into columns. */
#include "database/mysql/fetch.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h wants the headers above
#include <cmocka.h>

struct sample {
    const char *declared, *text;
    int64_t value; /* as an integer of the column's width */
    bool good;
};

static const struct sample samples[] = {
    {"tinyint(4)", "-128", -128, true},
    {"tinyint(4)", "128", 0, false},
    {"int(10) unsigned zerofill", "0000000042", 42, true},
    {"bigint unsigned", "18446744073709551615", -1, true},
    {"bigint", "9223372036854775808", 0, false},
    {"date", "1970-01-02", 1, true},
    {"date", "9999-12-31", 2932896, true},
    {"date", "0000-00-00", 0, false},
    {"date", "2024-00-10", 0, false},
    {"date", "2023-02-29", 0, false},
    {"datetime(6)", "1970-01-01 00:00:01.000001", 1000001, true},
    {"datetime", "1969-12-31 23:59:59", -1000000, true},
    {"datetime(1)", "1970-01-01 00:00:00.5", 500000, true},
    {"datetime", "1970-01-01 24:00:00", 0, false},
    {"datetime", "1970-01-01", 0, false},
    {"time(6)", "23:59:59.999999", 86399999999, true},
    {"time", "-00:00:01", 0, false},
    {"time", "24:00:00", 0, false},
    {"time", "1:2:3", 0, false},
};

static int64_t first_value(const struct builder *builder, const struct field *field)
{
    int64_t wide = 0;
    int width = field_width(field);
    memcpy(&wide, builder->values.data, (size_t)width);
    int unused_bits = 64 - 8 * width;
    return unused_bits ? (int64_t)((uint64_t)wide << unused_bits) >> unused_bits : wide;
}

static void check(const struct sample *sample)
{
    struct arena arena = {0};
    struct haul_error err = {0};
    struct field field = {.name = "c", .nullable = true};
    struct builder builder = {0};
    struct fetch fetch;
    enum form form;
    assert_int_equal(my_type_read(sample->declared, &arena, &field, &form, &err), 0);
    assert_int_equal(builder_init(&builder, &field, NULL, &err), 0);
    assert_int_equal(my_fetch_choose(&fetch, form, &builder, &err), 0);
    assert_int_equal(builder_reserve(&builder, 1, 0, &err), 0);
    assert_int_equal(fetch.append(&fetch, sample->text, strlen(sample->text), &err), 0);
    if (!sample->good)
        assert_non_null(fetch.misfit);
    else
        assert_null(fetch.misfit);
    assert_int_equal(builder.length, sample->good);
    if (sample->good)
        assert_int_equal(first_value(&builder, &field), sample->value);
    builder_release(&builder);
    arena_release(&arena);
}

static void test_samples(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        check(&samples[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_samples)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
