/* dialect.c: names and values as SQL, names as users write them, and URIs. */
#include "support.h"

static void assert_sql(struct sql *sql, const char *wanted)
{
    struct haul_error err = {0};
    const char *text = sql_text(sql, &err);
    assert_non_null(text);
    assert_string_equal(text, wanted);
    sql_release(sql);
}

static void names_are_quoted(void **unused)
{
    (void)unused;
    struct sql sql = {.dialect = &pg_dialect};
    sql_table(&sql, "a\"b", "Order Details");
    assert_sql(&sql, "\"a\"\"b\".\"Order Details\"");
    sql_name(&sql, "x\"; DROP TABLE t; --");
    assert_sql(&sql, "\"x\"\"; DROP TABLE t; --\"");
    sql_literal(&sql, "it's \\ so");
    assert_sql(&sql, " E'it\\'s \\\\ so'");
}

static void bad_names_are_refused(void **unused)
{
    (void)unused;
    const char *const bad[] = {"\xff", "a\xc3", "",
                               "x234567890123456789012345678901234567890123456789012345678901234"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sql sql = {.dialect = &pg_dialect};
        struct haul_error err = {0};
        sql_name(&sql, bad[i]);
        assert_null(sql_text(&sql, &err));
        assert_int_not_equal(err.code, HAUL_OK);
        sql_release(&sql);
    }
    struct sql sql = {.dialect = &pg_dialect};
    struct haul_error err = {0};
    sql_literal(&sql, "\xc3'"); /* CVE-2025-1094: half a character before a quote */
    assert_null(sql_text(&sql, &err));
    sql_release(&sql);
}

static void names_are_parsed(void **unused)
{
    (void)unused;
    static const struct {
        const char *text, *schema, *name;
        bool folded;
    } cases[] = {
        {"orders", NULL, "orders", true},
        {"public.orders", "public", "orders", true},
        {"\"Order Details\"", NULL, "Order Details", false},
        {"\"a.b\".\"c\"\"d\"", "a.b", "c\"d", false},
        {"[dbo].[x]]y]", "dbo", "x]y", false},
        {"S.\"t\"", "S", "t", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena = {0};
        struct table_name name;
        struct haul_error err = {0};
        assert_int_equal(table_name_parse(&pg_dialect, cases[i].text, &arena, &name, &err), HAUL_OK);
        assert_string_equal(name.name, cases[i].name);
        assert_int_equal(!name.schema, !cases[i].schema);
        if (name.schema)
            assert_string_equal(name.schema, cases[i].schema);
        assert_int_equal(name.folded, cases[i].folded);
        arena_release(&arena);
    }
    const char *const bad[] = {"", ".", "a.", ".a", "a.b.c", "\"a", "\"a\"b", "[a", "\"\""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct arena arena = {0};
        struct table_name name;
        struct haul_error err = {0};
        assert_int_equal(table_name_parse(&pg_dialect, bad[i], &arena, &name, &err), HAUL_USAGE);
        arena_release(&arena);
    }
}

/* ---- URIs ---- */

static const char *value_of(const struct server *server, const char *key)
{
    for (int i = 0; i < server->count; i++)
        if (strcmp(server->keys[i], key) == 0)
            return server->values[i];
    return "";
}

static void parse(struct server *server, const char *uri)
{
    struct haul_error err = {0};
    if (pg_server_parse(server, uri, NULL, &err))
        fail_msg("%s: %s", uri, err.message);
}

static void what_nobody_said(void **unused)
{
    (void)unused;
    struct server server;
    unsetenv("PGSSLMODE");
    unsetenv("PGSERVICE");
    setenv("HOME", "/nonexistent", 1);
    parse(&server, "postgresql://me:p@ss:w@db.example.org:5433/shop");
    assert_string_equal(value_of(&server, "password"), "p@ss:w");
    assert_string_equal(value_of(&server, "host"), "db.example.org");
    assert_string_equal(value_of(&server, "sslmode"), "verify-full");
    assert_string_equal(value_of(&server, "client_encoding"), "UTF8");
    assert_string_equal(server.name, "db.example.org/shop");
    pg_server_release(&server);
    parse(&server, "postgres://me@localhost,127.0.0.2/shop?CLIENT_ENCODING=latin1");
    assert_string_equal(value_of(&server, "sslmode"), "require");
    assert_true(server.tls_optional);
    assert_string_equal(value_of(&server, "client_encoding"), "UTF8");
    pg_server_release(&server);
    parse(&server, "postgresql://localhost,db.example.org/shop");
    assert_string_equal(value_of(&server, "sslmode"), "verify-full");
    pg_server_release(&server);
    parse(&server, "postgresql://db.example.org/shop?SSLMode=prefer");
    assert_string_equal(value_of(&server, "sslmode"), "prefer");
    assert_string_equal(value_of(&server, "sslrootcert"), "");
    pg_server_release(&server);
    parse(&server, "postgresql:///host=evil%20dbname=x?host=/tmp");
    assert_string_equal(value_of(&server, "dbname"), "host=evil dbname=x");
    pg_server_release(&server);
    pg_server_release(&server);
}

static void bad_uris_keep_their_secrets(void **unused)
{
    (void)unused;
    const char *const bad[] = {"postgresql://u:secret@[::1/x", "postgresql://u:secret@h:port/x?bogus=secret",
                               "postgresql://u:secret%00@h/x", "postgresql://u:secret@h/x?secret"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct server server;
        struct haul_error err = {0};
        if (pg_server_parse(&server, bad[i], NULL, &err))
            assert_null(strstr(err.message, "secret"));
        pg_server_release(&server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_quoted),
        cmocka_unit_test(bad_names_are_refused),
        cmocka_unit_test(names_are_parsed),
        cmocka_unit_test(what_nobody_said),
        cmocka_unit_test(bad_uris_keep_their_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
