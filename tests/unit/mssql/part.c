/* part.c: parts as text and as conditions; --parameters. */
#include "database/mssql/part.h"
#include "database/mssql/dialect.h"
#include "database/mssql/parameter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const names[] = {"a", "b]"};
static const struct ms_cut cut = {.names = names, .types = {"int", "varchar(9)"}, .count = 2};

static const struct {
    const char *spec, *sql;
} parts[] = {
    {"all", ""},
    {"partition 7", "($PARTITION.[f]([a]) = 7)"},
    {"checksum 3/8", "(ABS(CHECKSUM([a], [b]]]) % 8) = 3)"},
    {"key * *", "(1 = 1)"},
    {"key x3132,x x3133,n", "([a] >= CAST(N'12' AS int) AND ([a] > CAST(N'12' AS int) OR ([a] = CAST(N'12' "
                            "AS int) AND [b]]] >= CAST(N'' AS "
                            "varchar(9)))) AND ([a] <= CAST(N'13' AS int) OR [a] IS NULL) AND (([a] < "
                            "CAST(N'13' AS int) OR [a] IS NULL) OR "
                            "([a] = CAST(N'13' AS int) AND 1 = 0)))"},
    {"key n,x27 *", "(1 = 1 AND ([a] IS NOT NULL OR ([a] IS NULL AND [b]]] >= CAST(N'''' AS varchar(9)))))"},
};

static void parts_are_text_and_conditions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct haul_error err = {0};
        struct arena arena = {0};
        struct ms_part part;
        struct ms_cut whole = cut;
        struct sql sql = {.dialect = &ms_dialect};
        whole.partition_function = "f";
        whole.partition_column = "a";
        assert_int_equal(ms_part_parse(parts[i].spec, 2, &arena, &part, &err), HAUL_OK);
        assert_string_equal(ms_part_print(&part, 2, &arena), parts[i].spec);
        ms_sql_part(&sql, &whole, &part);
        assert_string_equal(sql_text(&sql, &err), parts[i].sql);
        sql_release(&sql);
        arena_release(&arena);
    }
}

static void parts_of_others_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "al",
                                      "partition 0",
                                      "partition -1",
                                      "partition 7 ",
                                      "checksum 8/8",
                                      "checksum 1",
                                      "checksum -1/2",
                                      "key",
                                      "key *",
                                      "key x31 *",
                                      "key x3,x31 *",
                                      "key x00,n *",
                                      "key x3g,n *",
                                      "key n,n,n *",
                                      "key n, *",
                                      "key 1;DROP,n *",
                                      "key N,n *"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct haul_error err = {0};
        struct arena arena = {0};
        struct ms_part part;
        assert_int_equal(ms_part_parse(bad[i], 2, &arena, &part, &err), HAUL_INTEGRITY);
        arena_release(&arena);
    }
}

static void values_are_written_in_any_language(void **state)
{
    (void)state;
    static const char *const values[][3] = {
        {"bit", "true", "CAST(1 AS bit)"},
        {"binary(2)", "00ff", "CAST(0x00ff AS binary(2))"},
        {"rowversion", "0000000000000007", "CAST(0x0000000000000007 AS binary(8))"},
        {"datetime", "1998-08-12 12:34:56.997000",
         "CAST(CAST(N'1998-08-12 12:34:56.997000' AS datetime2(7)) AS datetime)"},
        {"time(7)", "12:34:56.123456700", "CAST(N'12:34:56.1234567' AS time(7))"},
        {"datetimeoffset(7)", "2025-12-31 18:00:00.123456Z",
         "CAST(N'2025-12-31 18:00:00.123456 +00:00' AS datetimeoffset(7))"},
        {"nvarchar(9)", "it's", "CAST(N'it''s' AS nvarchar(9))"},
        {"int", NULL, "NULL"},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct haul_error err = {0};
        struct sql sql = {.dialect = &ms_dialect};
        ms_sql_value(&sql, values[i][0], values[i][1]);
        assert_string_equal(sql_text(&sql, &err), values[i][2]);
        assert_true(ms_type_cuts(values[i][0]));
        sql_release(&sql);
    }
    assert_false(ms_type_cuts("xml") || ms_type_cuts("varchar(max)") || ms_type_cuts("sql_variant") ||
                 ms_type_cuts("int; DROP") || ms_type_cuts("") || ms_type_cuts(NULL));
}

static void parameters_are_typed(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct arena arena = {0};
    struct ms_parameters all;
    assert_int_equal(ms_parameters_parse("12,'fr''ed', NULL,N'\xc3\xa9',-1.50,1e3,0x01fF,9223372036854775807",
                                         &arena, &all, &err),
                     HAUL_OK);
    static const enum ms_parameter_kind kinds[] = {PARAMETER_INTEGER, PARAMETER_TEXT,    PARAMETER_NULL,
                                                   PARAMETER_TEXT,    PARAMETER_DECIMAL, PARAMETER_FLOAT,
                                                   PARAMETER_BYTES,   PARAMETER_INTEGER};
    assert_int_equal(all.count, sizeof kinds / sizeof *kinds);
    for (int i = 0; i < all.count; i++)
        assert_int_equal(all.list[i].kind, kinds[i]);
    assert_string_equal(all.list[1].text, "fr'ed");
    assert_int_equal(all.list[4].precision, 3);
    assert_int_equal(all.list[4].scale, 2);
    assert_int_equal(all.list[6].length, 2);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_text_and_conditions), cmocka_unit_test(parts_of_others_are_refused),
        cmocka_unit_test(values_are_written_in_any_language), cmocka_unit_test(parameters_are_typed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
