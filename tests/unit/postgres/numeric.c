/* numeric.c: decimals to the wire and back at every precision and scale, and
 * what no decimal can hold. */
#include "support.h"

#include "base/number.h"

static uint64_t state = 88172645463325252u;

static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static int128_t random_decimal(int digits)
{
    int128_t value = 0;
    for (int i = 0; i < digits; i++)
        value = value * 10 + (int128_t)(next() % 10);
    return next() & 1 ? -value : value;
}

static size_t encode(const struct field *field, int128_t value, uint8_t *out)
{
    struct encoder encoder = {.values = {.field = field, .values = (const uint8_t *)&value}};
    uint8_t *end = pg_encode_numeric(&encoder, 0, out);
    assert_int_equal(wire_u32(out), end - out - 4);
    assert_true(end - out <= PG_NUMERIC_WIDTH);
    return (size_t)(end - out);
}

static void assert_canonical(const uint8_t *numeric)
{
    int count = wire_u16(numeric);
    if (count)
        assert_true(wire_u16(numeric + 8) && wire_u16(numeric + 8 + (count - 1) * 2));
    for (int i = 0; i < count; i++)
        assert_in_range(wire_u16(numeric + 8 + i * 2), 0, 9999);
}

static void goes_and_comes_back(void **unused)
{
    (void)unused;
    const struct source_column column = {.wire = WIRE_NUMERIC};
    for (int precision = 1; precision <= 38; precision++)
        for (int scale = 0; scale <= precision; scale++) {
            struct column_in in = {
                .field = {.name = "n", .type = TYPE_DECIMAL, .precision = precision, .scale = scale}};
            uint8_t bytes[PG_NUMERIC_WIDTH];
            int128_t wanted[8];
            column_open(&in, &column, 8);
            for (int i = 0; i < 8; i++) {
                wanted[i] = i == 0   ? 0
                            : i == 1 ? number_power10(precision) - 1
                            : i == 2 ? 1 - number_power10(precision)
                            : i == 3 ? 1
                                     : random_decimal(1 + (int)(next() % (uint64_t)precision));
                size_t length = encode(&in.field, wanted[i], bytes);
                assert_canonical(bytes + 4);
                assert_int_equal(column_put(&in, bytes + 4, length - 4), HAUL_OK);
                assert_null(in.decoder.misfit);
            }
            assert_memory_equal(in.builder.values.data, wanted, sizeof wanted);
            column_close(&in);
        }
}

static size_t make(uint8_t *out, const uint16_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        wire_put_u16(out + i * 2, words[i]);
    return count * 2;
}

#define PUT(in, ...)                                                                                         \
    column_put(in, bytes, make(bytes, (const uint16_t[]){__VA_ARGS__}, sizeof((uint16_t[]){__VA_ARGS__}) / 2))

static void misfits_are_named(void **unused)
{
    (void)unused;
    uint8_t bytes[64];
    const struct source_column column = {.wire = WIRE_NUMERIC};
    struct column_in in = {.field = {.name = "n", .type = TYPE_DECIMAL, .precision = 5, .scale = 2}};
    column_open(&in, &column, 8);
    assert_int_equal(PUT(&in, 0, 0, 0xC000, 0), HAUL_OK); /* NaN */
    assert_non_null(strstr(in.decoder.misfit, "NaN"));
    assert_int_equal(PUT(&in, 0, 0, 0xD000, 0), HAUL_OK); /* infinity */
    assert_non_null(in.decoder.misfit);
    assert_int_equal(PUT(&in, 0, 0, 0xF000, 0), HAUL_OK);
    assert_non_null(in.decoder.misfit);
    assert_int_equal(PUT(&in, 1, 0, 0, 0, 1000), HAUL_OK); /* 1000.00 has six digits */
    assert_non_null(in.decoder.misfit);
    assert_int_equal(PUT(&in, 1, (uint16_t)-1, 0, 3, 10), HAUL_OK); /* 0.001 */
    assert_non_null(in.decoder.misfit);
    assert_int_equal(PUT(&in, 1, (uint16_t)-9, 0, 3, 10), HAUL_OK);
    assert_non_null(in.decoder.misfit);
    assert_int_equal(PUT(&in, 1, 32767, 0, 0, 1), HAUL_OK);
    assert_non_null(in.decoder.misfit);
    assert_int_equal(PUT(&in, 2, 0, 0x4000, 2, 999, 9900), HAUL_OK);
    assert_null(in.decoder.misfit);
    assert_column(&in, "-999.99\n");
    column_close(&in);
}

static void lies_are_refused(void **unused)
{
    (void)unused;
    uint8_t bytes[64];
    const struct source_column column = {.wire = WIRE_NUMERIC};
    struct column_in in = {.field = {.name = "n", .type = TYPE_DECIMAL, .precision = 38, .scale = 10}};
    column_open(&in, &column, 8);
    assert_int_equal(PUT(&in, 3, 0, 0, 0, 1, 2), HAUL_DATA); /* more digits said than there are */
    assert_int_equal(PUT(&in, 1, 0, 0, 0, 1, 2), HAUL_DATA);
    assert_int_equal(PUT(&in, 0xffff, 0, 0, 0), HAUL_DATA);
    assert_int_equal(PUT(&in, 1, 0, 0, 0, 10000), HAUL_DATA);
    assert_int_equal(column_put(&in, "\0\0\0", 3), HAUL_DATA);
    assert_int_equal(column_put(&in, "", 0), HAUL_DATA);
    assert_non_null(strstr(in.err.message, "column \"n\""));
    column_close(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_and_comes_back),
        cmocka_unit_test(misfits_are_named),
        cmocka_unit_test(lies_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
