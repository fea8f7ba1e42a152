/* uri.c: what a URI of MySQL means, and that no refusal repeats a password. */
#include "database/mysql/connect.h"
#include "database/mysql/dialect.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
// cmocka.h wants the headers above
#include <cmocka.h>

static void test_pieces(void **state)
{
    (void)state;
    struct server server;
    struct haul_error err = {0};
    assert_int_equal(my_server_parse(&server,
                                     "mysql://me:p@s%3As%2F@db.example:3307/sh%20op?SSL_Mode=Required", NULL,
                                     &err),
                     0);
    assert_string_equal(server.user, "me");
    assert_string_equal(server.password, "p@s:s/");
    assert_string_equal(server.host, "db.example");
    assert_int_equal(server.port, 3307);
    assert_string_equal(server.database, "sh op");
    assert_int_equal(server.tls, TLS_UNVERIFIED);
    assert_string_equal(server.name, "db.example/sh op");
    my_server_release(&server);
    my_server_release(&server);
}

static void test_tls(void **state)
{
    (void)state;
    static const struct {
        const char *uri;
        enum tls_mode mode;
    } cases[] = {{"mysql://db/x", TLS_VERIFIED},
                 {"mysql://localhost/x", TLS_OFF},
                 {"mysql://127.0.0.1/x", TLS_OFF},
                 {"mysql://[::1]:3306/x", TLS_OFF},
                 {"mysql:///x", TLS_OFF},
                 {"mysql://localhost.evil/x", TLS_VERIFIED},
                 {"mysql://db/x?ssl-mode=disabled", TLS_OFF},
                 {"mysql://localhost/?ssl-ca=/a.pem", TLS_VERIFIED}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct server server;
        struct haul_error err = {0};
        assert_int_equal(my_server_parse(&server, cases[i].uri, NULL, &err), 0);
        assert_int_equal(server.tls, cases[i].mode);
        my_server_release(&server);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    static const char *const uris[] = {"mysql:/x",
                                       "mysql://u:canary%@h/",
                                       "mysql://u:canary%0@h/",
                                       "mysql://u:canary%00@h/",
                                       "mysql://u:canary@h:0/",
                                       "mysql://u:canary@h:65536/",
                                       "mysql://u:canary@[::1/",
                                       "mysql://u:canary@h/?a=b",
                                       "mysql://u:canary@h/?ssl-mode",
                                       "mysql://u:canary@h:3306x/"};
    for (size_t i = 0; i < sizeof uris / sizeof *uris; i++) {
        struct server server;
        struct haul_error err = {0};
        assert_int_equal(my_server_parse(&server, uris[i], NULL, &err), HAUL_USAGE);
        assert_null(strstr(err.message, "canary"));
        my_server_release(&server);
    }
}

static void test_quoting(void **state)
{
    (void)state;
    struct sql sql = {.dialect = &my_dialect};
    struct haul_error err = {0};
    sql_table(&sql, "a`b", "select");
    sql_literal(&sql, "it's \\ \n");
    sql_literal(&sql, NULL);
    assert_string_equal(sql_text(&sql, &err), "`a``b`.`select`'it\\'s \\\\ \n'NULL");
    sql_clear(&sql);
    sql_literal(&sql, "\xc3'");
    assert_null(sql_text(&sql, &err));
    assert_int_equal(err.code, HAUL_DATA);
    sql_release(&sql);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pieces), cmocka_unit_test(test_tls),
                                       cmocka_unit_test(test_refusals), cmocka_unit_test(test_quoting)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
