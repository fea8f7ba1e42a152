/* server.c: URIs as people write them. */
#include "database/mssql/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void parse(const char *uri, struct server *server)
{
    struct haul_error err = {0};
    assert_int_equal(ms_server_parse(server, uri, &err), HAUL_OK);
}

static void the_parts(void **state)
{
    (void)state;
    struct server server;
    parse("mssql://sa:P%40ss@w/rd@db1:1444/Sales", &server);
    assert_string_equal(server.user, "sa");
    assert_string_equal(server.password, "P@ss@w/rd");
    assert_string_equal(server.host, "db1");
    assert_int_equal(server.port, 1444);
    assert_string_equal(server.database, "Sales");
    assert_string_equal(server.name, "db1/Sales");
    ms_server_release(&server);
    parse("AZURE-SQL://ann@example.com:x@srv.database.windows.net/db", &server);
    assert_string_equal(server.user, "ann@example.com");
    assert_string_equal(server.host, "srv.database.windows.net");
    ms_server_release(&server);
    parse("sqlserver://u:p@db1\\SQL2019/x", &server);
    assert_string_equal(server.instance, "SQL2019");
    ms_server_release(&server);
    parse("sqlserver://u:p@db1/SQL2019?database=x", &server);
    assert_string_equal(server.instance, "SQL2019");
    assert_string_equal(server.database, "x");
    ms_server_release(&server);
    parse("mssql+pyodbc://u:p@[::1]:1500/x?driver=ODBC+Driver+18", &server);
    assert_string_equal(server.host, "::1");
    assert_int_equal(server.port, 1500);
    assert_true(server.loopback);
    assert_string_equal(server.ignored, "driver");
    ms_server_release(&server);
}

static void the_parameters(void **state)
{
    (void)state;
    struct server server;
    parse(
        "mssql://u:p@h/d?ENCRYPT=Strict&trustServerCertificate=YES&ApplicationIntent=readonly&packetsize=8000"
        "&loginTimeout=5&app%20name=etl&HostNameInCertificate=x&MultiSubnetFailover=true&connection_timeout="
        "7",
        &server);
    assert_int_equal(server.encrypt, ENCRYPT_STRICT);
    assert_true(server.trust);
    assert_true(server.read_only);
    assert_true(server.at_once);
    assert_int_equal(server.packet_bytes, 8000);
    assert_int_equal(server.login_s, 7);
    assert_string_equal(server.app, "etl");
    assert_string_equal(server.certificate_host, "x");
    ms_server_release(&server);
    parse("mssql://:token@h/d?Authentication=ActiveDirectoryAccessToken", &server);
    assert_int_equal(server.authentication, AUTH_TOKEN);
    ms_server_release(&server);
}

static void the_environment(void **state)
{
    (void)state;
    struct server server;
    setenv("SQLCMDSERVER", "tcp:db9,1999", 1);
    setenv("SQLCMDUSER", "bob", 1);
    setenv("SQLCMDPASSWORD", "secret", 1);
    parse("mssql:///d", &server);
    assert_string_equal(server.host, "db9");
    assert_int_equal(server.port, 1999);
    assert_string_equal(server.user, "bob");
    assert_string_equal(server.password, "secret");
    ms_server_release(&server);
    unsetenv("SQLCMDSERVER");
    unsetenv("SQLCMDUSER");
    unsetenv("SQLCMDPASSWORD");
}

static void mistakes_are_told_without_secrets(void **state)
{
    (void)state;
    static const char *const uris[][2] = {
        {"mssql://u:secret@h/d?encrpyt=yes", "encrypt"},
        {"mssql://u:secret@h/d?encrypt=maybe", "mandatory"},
        {"mssql://u:secret@h:x/d", "port"},
        {"mssql://u:secret@/d", "no host"},
        {"http://u:secret@h/d", "mssql://"},
        {"mssql://u:secret@h/d?TrustServerCertificate=perhaps", "yes or no"},
    };
    for (size_t i = 0; i < sizeof uris / sizeof *uris; i++) {
        struct server server;
        struct haul_error err = {0};
        assert_int_equal(ms_server_parse(&server, uris[i][0], &err), HAUL_USAGE);
        assert_non_null(strstr(err.message, uris[i][1]));
        assert_null(strstr(err.message, "secret"));
        ms_server_release(&server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts),
        cmocka_unit_test(the_parameters),
        cmocka_unit_test(the_environment),
        cmocka_unit_test(mistakes_are_told_without_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
