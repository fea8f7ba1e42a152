/* types.c: the type table, both ways. */
#include "support.h"

static const char *written(const struct field *field, struct arena *arena)
{
    const char *text = pg_type_write(field, arena);
    assert_non_null(text);
    return text;
}

/* A name of PostgreSQL's becomes a field, and that field the name again. */
static void names_come_back(void **unused)
{
    (void)unused;
    const char *const names[] = {
        "boolean",
        "smallint",
        "integer",
        "bigint",
        "oid",
        "real",
        "double precision",
        "numeric(12,2)",
        "numeric(38,0)",
        "numeric",
        "numeric(1000,3)",
        "numeric(3,-2)",
        "text",
        "character varying(20)",
        "character varying",
        "character(5)",
        "name",
        "json",
        "jsonb",
        "xml",
        "bytea",
        "uuid",
        "date",
        "time without time zone",
        "time(3) without time zone",
        "timestamp without time zone",
        "timestamp(0) with time zone",
        "timestamp with time zone",
        "interval",
        "inet",
        "time with time zone",
        "bit(5)",
        "bit varying(7)",
        "int4range",
        "integer[]",
        "numeric(10,2)[]",
        "timestamp with time zone[]",
        "character varying(7)[]",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct arena arena = {0};
        struct field field = {.name = "c"};
        enum wire wire;
        struct haul_error err = {0};
        struct pg_type type = pg_type_of_name(names[i]);
        assert_string_equal(type.text, names[i]);
        assert_int_equal(pg_type_read(&type, &arena, &field, &wire, &err), HAUL_OK);
        assert_string_equal(written(&field, &arena), names[i]);
        arena_release(&arena);
    }
}

static void fields_mean_what_they_say(void **unused)
{
    (void)unused;
    static const struct {
        const char *name, *type;
        enum wire wire;
    } cases[] = {
        {"numeric(12,2)", "decimal(12,2)", WIRE_NUMERIC},
        {"numeric(3,-2)", "decimal(5,0)", WIRE_NUMERIC},
        {"numeric(2,4)", "decimal(4,4)", WIRE_NUMERIC},
        {"numeric", "utf8", WIRE_CAST},
        {"numeric(39,2)", "utf8", WIRE_CAST},
        {"timestamp with time zone", "timestamp[us, UTC]", WIRE_TIMESTAMPTZ},
        {"timestamp(3) without time zone", "timestamp[us]", WIRE_TIMESTAMP},
        {"interval", "utf8", WIRE_CAST},
        {"time with time zone", "utf8", WIRE_CAST},
        {"integer[]", "list<item: int32>", WIRE_ARRAY},
        {"numeric[]", "utf8", WIRE_CAST},
        {"no such type", "utf8", WIRE_TEXT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena = {0};
        struct field field = {.name = "c"};
        enum wire wire;
        struct haul_error err = {0};
        char text[96];
        struct pg_type type = pg_type_of_name(cases[i].name);
        assert_int_equal(pg_type_read(&type, &arena, &field, &wire, &err), HAUL_OK);
        field_print_type(&field, text, sizeof text);
        assert_string_equal(text, cases[i].type);
        assert_int_equal(wire, cases[i].wire);
        arena_release(&arena);
    }
}

/* A foreign file may say anything about where a column came from. */
static void origins_are_not_believed(void **unused)
{
    (void)unused;
    const char *const lies[] = {"postgres:text); DROP TABLE t; --",
                                "postgres:integer",
                                "postgres:numeric(12,2)",
                                "postgres:",
                                "postgres:character varying(0)",
                                "postgres:character varying(99999999)",
                                "mssql:money",
                                "postgres:bit(-1)",
                                "postgres:inet(3,4)",
                                "postgres:text[]"};
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct arena arena = {0};
        struct field field = {.name = "c", .type = TYPE_UTF8, .sql_type = lies[i]};
        assert_string_equal(written(&field, &arena), "text");
        arena_release(&arena);
    }
}

static void ours_become_theirs(void **unused)
{
    (void)unused;
    static struct field item = {.name = "item", .type = TYPE_UINT8, .nullable = true};
    static struct field text_item = {.name = "item", .type = TYPE_UTF8, .nullable = true};
    static const struct {
        struct field field;
        const char *declared;
    } cases[] = {
        {{.type = TYPE_INT8}, "smallint"},
        {{.type = TYPE_UINT16}, "integer"},
        {{.type = TYPE_UINT32}, "bigint"},
        {{.type = TYPE_UINT64}, "numeric(20,0)"},
        {{.type = TYPE_FLOAT16}, "real"},
        {{.type = TYPE_DECIMAL, .precision = 38, .scale = 38}, "numeric(38,38)"},
        {{.type = TYPE_TIMESTAMP, .unit = TIME_NANO, .timezone = "Europe/Paris"}, "timestamp with time zone"},
        {{.type = TYPE_DURATION, .unit = TIME_SECOND}, "interval"},
        {{.type = TYPE_FIXED_BINARY, .width = 16, .extension = "arrow.uuid"}, "uuid"},
        {{.type = TYPE_FIXED_BINARY, .width = 4}, "bytea"},
        {{.type = TYPE_UTF8, .extension = "arrow.json"}, "json"},
        {{.type = TYPE_LIST, .children = &text_item, .child_count = 1}, "text[]"},
        {{.type = TYPE_LIST, .children = &item, .child_count = 1}, "json"},
        {{.type = TYPE_NULL}, "text"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena = {0};
        struct field from = cases[i].field, stored = {0};
        struct haul_error err = {0};
        from.name = "c";
        assert_int_equal(pg_stored_field(&from, &arena, &stored, &err), HAUL_OK);
        assert_string_equal(written(&stored, &arena), cases[i].declared);
        arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_come_back),
        cmocka_unit_test(fields_mean_what_they_say),
        cmocka_unit_test(origins_are_not_believed),
        cmocka_unit_test(ours_become_theirs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
