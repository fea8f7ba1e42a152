/* shared.c: what all databases share: SQL text over a dialect, names as users write them, columns paired,
 * definitions, staging names. */
#include "base/arena.h"
#include "database/column.h"
#include "database/definition.h"
#include "database/engine.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static const struct dialect brackets = {
    .engine = "Test",
    .open = '[',
    .close = ']',
    .literal = "N'",
    .name_characters_max = 30,
    .parts_max = 3,
    .example = "db.s.t",
    .case_blind = true,
    .columns_max = 3,
    .nullable = " NULL",
    .table_tail = " TAIL",
};

static const struct dialect quotes = {
    .engine = "Test",
    .open = '"',
    .close = '"',
    .literal = "E'",
    .backslash = true,
    .name_bytes_max = 30,
    .parts_max = 1,
    .example = "t",
    .nullable = "",
    .table_tail = "",
};

static void assert_sql(struct sql *sql, const char *wanted)
{
    struct haul_error err = {0};
    const char *text = sql_text(sql, &err);
    assert_non_null(text);
    assert_string_equal(text, wanted);
    sql_release(sql);
}

static void names_and_values_are_quoted(void **unused)
{
    (void)unused;
    struct sql sql = {.dialect = &brackets};
    sql_table(&sql, "a]b", "c[d");
    sql_literal(&sql, "it's \\ ]");
    assert_sql(&sql, "[a]]b].[c[d]N'it''s \\ ]'");
    sql_literal(&sql, NULL); /* it may be used anew */
    assert_sql(&sql, "NULL");
    sql.dialect = &quotes;
    sql_name(&sql, "a\"b");
    sql_literal(&sql, "it's \\");
    assert_sql(&sql, "\"a\"\"b\"E'it\\'s \\\\'");
}

static void limits_count_what_the_database_counts(void **unused)
{
    (void)unused;
    const char *umlauts = "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
                          "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"; /* 16 characters, 32 bytes */
    struct haul_error err = {0};
    struct sql sql = {.dialect = &brackets};
    sql_name(&sql, umlauts);
    assert_non_null(sql_text(&sql, &err));
    sql_release(&sql);
    sql.dialect = &quotes;
    sql_name(&sql, umlauts);
    assert_null(sql_text(&sql, &err));
    assert_int_equal(err.code, HAUL_UNSUPPORTED);
    assert_non_null(strstr(err.message, "32 bytes"));
    sql_release(&sql);
    const char *const bad[] = {"", "\xff", "a\xc3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        sql_name(&sql, bad[i]);
        assert_null(sql_text(&sql, &err));
        sql_release(&sql);
    }
}

static void names_have_the_dialects_parts(void **unused)
{
    (void)unused;
    static const struct {
        const char *text, *database, *schema, *name;
    } good[] = {
        {"t", NULL, NULL, "t"},   {"s.t", NULL, "s", "t"},         {"d.s.[x.y]]z]", "d", "s", "x.y]z"},
        {"d..t", "d", NULL, "t"}, {"\"a.b\".t", NULL, "a.b", "t"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct arena arena = {0};
        struct table_name name;
        struct haul_error err = {0};
        assert_int_equal(table_name_parse(&brackets, good[i].text, &arena, &name, &err), HAUL_OK);
        assert_string_equal(name.name, good[i].name);
        assert_string_equal(name.schema ? name.schema : "-", good[i].schema ? good[i].schema : "-");
        assert_string_equal(name.database ? name.database : "-", good[i].database ? good[i].database : "-");
        arena_release(&arena);
    }
    const char *const bad[] = {"", ".", "s.", "a.b.c.d", "[a", "[a]b", "d.s."};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct arena arena = {0};
        struct table_name name;
        struct haul_error err = {0};
        assert_int_equal(table_name_parse(&brackets, bad[i], &arena, &name, &err), HAUL_USAGE);
        arena_release(&arena);
    }
    struct arena arena = {0};
    struct table_name name;
    struct haul_error err = {0};
    assert_int_equal(table_name_parse(&quotes, "s.t", &arena, &name, &err), HAUL_USAGE);
    arena_release(&arena);
}

/* ---- columns ---- */

static struct column list[] = {
    {.name = "Id", .not_null = true, .key = 2},
    {.name = "id", .key = 1},
    {.name = "Need", .not_null = true},
    {.name = "Two", .generated = true, .not_null = true},
    {.name = "given", .not_null = true, .has_default = true},
};
static const struct columns columns = {list, 5, 2};

static void columns_are_found_exactly_then_without_case(void **unused)
{
    (void)unused;
    assert_int_equal(columns_find(&columns, "Id"), 0);
    assert_int_equal(columns_find(&columns, "id"), 1);
    assert_int_equal(columns_find(&columns, "ID"), -1); /* two of them */
    assert_int_equal(columns_find(&columns, "NEED"), 2);
    assert_int_equal(columns_find(&columns, "no"), -1);
}

static void all_that_does_not_fit_is_told_at_once(void **unused)
{
    (void)unused;
    struct arena arena = {0};
    struct schema source = {0};
    struct haul_error err = {0};
    int *places;
    assert_int_equal(schema_init(&source, 3, &err), HAUL_OK);
    source.fields[0].name = "given";
    source.fields[1].name = "two";
    source.fields[2].name = "none";
    assert_int_equal(columns_pair(&columns, &source, "\"t\"", &arena, &places, &err), HAUL_UNSUPPORTED);
    assert_non_null(strstr(err.message, "\"t\" does not fit"));
    assert_non_null(strstr(err.message, "\"two\" is generated"));
    assert_non_null(strstr(err.message, "\"none\" is not in the table"));
    assert_non_null(strstr(err.message, "\"Need\" is NOT NULL"));
    source.fields[1].name = "NEED";
    source.fields[2].name = "Id";
    assert_int_equal(columns_pair(&columns, &source, "\"t\"", &arena, &places, &err), HAUL_OK);
    assert_int_equal(places[0], 4);
    assert_int_equal(places[1], 2);
    assert_int_equal(places[2], 0);
    schema_release(&source);
    arena_release(&arena);
}

static void a_key_is_told_when_all_of_it_is_read(void **unused)
{
    (void)unused;
    struct source_info info = {0};
    struct haul_error err = {0};
    assert_int_equal(schema_init(&info.schema, 2, &err), HAUL_OK);
    info.schema.fields[0].name = "Id";
    info.schema.fields[1].name = "id";
    assert_int_equal(columns_set_key(&columns, &info, &err), HAUL_OK);
    assert_int_equal(info.key_count, 2);
    assert_string_equal(info.key[0], "id");
    assert_string_equal(info.key[1], "Id");
    info.key = NULL;
    info.key_count = 0;
    info.schema.fields[1].name = "other";
    assert_int_equal(columns_set_key(&columns, &info, &err), HAUL_OK);
    assert_int_equal(info.key_count, 0);
    source_info_release(&info);
}

/* ---- definitions ---- */

static const char *define(void *sink, int place, const struct field *from, bool key, struct haul_error *err)
{
    struct schema *schema = sink;
    (void)err;
    schema->fields[place].name = from->name;
    schema->fields[place].nullable = from->nullable;
    return key ? "KEYED" : "PLAIN";
}

static const char *defined(const struct dialect *dialect, const char *const *names, int count,
                           struct arena *arena, struct haul_error *err)
{
    static const char *const key[] = {"b"};
    struct source_info info = {.key = key, .key_count = 1};
    struct schema schema = {0};
    const struct definer definer = {dialect, define, &schema, &schema, arena};
    assert_int_equal(schema_init(&info.schema, count, err), HAUL_OK);
    for (int i = 0; i < count; i++) {
        info.schema.fields[i].name = names[i];
        info.schema.fields[i].nullable = i == 0;
    }
    const char *text = table_define(&definer, &info, err);
    schema_release(&schema);
    schema_release(&info.schema);
    return text;
}

static void tables_are_defined(void **unused)
{
    (void)unused;
    struct arena arena = {0};
    struct haul_error err = {0};
    const char *const names[] = {"a", "b", "B", "c"};
    assert_string_equal(defined(&brackets, names, 2, &arena, &err),
                        "([a] PLAIN NULL, [b] KEYED NOT NULL, PRIMARY KEY ([b])) TAIL");
    assert_string_equal(defined(&quotes, names, 1, &arena, &err), "(\"a\" PLAIN)"); /* the key is not there */
    assert_null(defined(&brackets, names, 3, &arena, &err));
    assert_non_null(strstr(err.message, "are one to Test"));
    assert_non_null(defined(&quotes, names, 4, &arena, &err));
    assert_null(defined(&brackets, names, 4, &arena, &err));
    assert_non_null(strstr(err.message, "at most 3"));
    assert_null(defined(&quotes, names, 0, &arena, &err));
    arena_release(&arena);
}

static void staging_names_fit(void **unused)
{
    (void)unused;
    struct arena arena = {0};
    struct haul_error err = {0};
    const char *longest = "x23456789012345678901234567890";
    const struct dialect *const dialects[] = {&brackets, &quotes};
    for (int i = 0; i < 2; i++) {
        struct sql sql = {.dialect = dialects[i]};
        const char *one = staging_name(dialects[i], longest, "r1", &arena);
        const char *two = staging_name(dialects[i], longest, "r2", &arena);
        assert_string_not_equal(one, two);
        assert_non_null(strstr(one, "__haul_"));
        sql_name(&sql, one);
        assert_non_null(sql_text(&sql, &err));
        sql_release(&sql);
    }
    struct dialect free = quotes;
    free.name_bytes_max = 0;
    assert_string_equal(staging_name(&free, "t", "r1", &arena), "t__haul_r1");
    arena_release(&arena);
}

/* ---- answers ---- */

static void answers_are_rows_of_text(void **unused)
{
    (void)unused;
    struct answer answer = {.columns = 2};
    struct haul_error err = {0};
    const char *const cells[] = {"7", NULL, "t", "x", "true", "0"};
    assert_int_equal(answer_rows(&answer), 0);
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        assert_int_equal(answer_add(&answer, cells[i], &err), HAUL_OK);
    assert_int_equal(answer_rows(&answer), 3);
    assert_int_equal(answer_number(&answer, 0, 0), 7);
    assert_null(answer_cell(&answer, 0, 1));
    assert_string_equal(answer_text(&answer, 0, 1), "");
    assert_true(answer_yes(&answer, 1, 0) && answer_yes(&answer, 2, 0) && !answer_yes(&answer, 2, 1));
    answer_release(&answer);
    answer_release(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_values_are_quoted),
        cmocka_unit_test(limits_count_what_the_database_counts),
        cmocka_unit_test(names_have_the_dialects_parts),
        cmocka_unit_test(columns_are_found_exactly_then_without_case),
        cmocka_unit_test(all_that_does_not_fit_is_told_at_once),
        cmocka_unit_test(a_key_is_told_when_all_of_it_is_read),
        cmocka_unit_test(tables_are_defined),
        cmocka_unit_test(staging_names_fit),
        cmocka_unit_test(answers_are_rows_of_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
