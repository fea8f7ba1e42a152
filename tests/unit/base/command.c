/* command.c: the line that a command prints, and commands that fail, hang or never stop. */
#include "base/command.h"
#include "base/clock.h"
#include "base/login.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h wants the headers above
#include <cmocka.h>

static void test_output(void **state)
{
    (void)state;
    char out[64];
    struct haul_error err = {0};
    const struct command_limits limits = {.wait_ms = 10000};
    assert_int_equal(command_read("printf 'a b\\n'; cat", &limits, out, sizeof out, &err), 0);
    assert_string_equal(out, "a b\n");
}

static void test_failures(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum haul_code code;
        const char *says;
    } cases[] = {{"echo canary; exit 7", HAUL_LOGIN, "exit code 7"},
                 {"echo canary; kill -9 $$", HAUL_LOGIN, "signal 9"},
                 {"echo canary; sleep 60", HAUL_LOGIN, "in time"},
                 {"echo canary; exec >&-; sleep 60", HAUL_LOGIN, "in time"},
                 {"yes canary", HAUL_LIMIT, "more than 63 bytes"},
                 {"printf 'canary\\0x'", HAUL_DATA, "NUL"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[64];
        struct haul_error err = {0};
        const struct command_limits limits = {.wait_ms = 300};
        int64_t begun_ns = clock_now_ns();
        assert_int_equal(command_read(cases[i].line, &limits, out, sizeof out, &err), cases[i].code);
        assert_non_null(strstr(err.message, cases[i].says));
        assert_null(strstr(err.message, "canary"));
        assert_true(clock_now_ns() - begun_ns < 20000000000);
    }
}

static void test_cancelled(void **state)
{
    (void)state;
    char out[64];
    struct haul_error err = {0};
    struct cancel cancel = {.asked = 1};
    const struct command_limits limits = {.wait_ms = 60000, .cancel = &cancel};
    assert_int_equal(command_read("sleep 60", &limits, out, sizeof out, &err), HAUL_CANCELLED);
}

static bool answer(void *user, const char *server, char *password, size_t password_bytes)
{
    int *asked = user;
    ++*asked;
    assert_string_equal(server, "db/shop");
    memset(password, 'x', password_bytes); /* without an end */
    return *asked > 1;
}

static void test_asked_once(void **state)
{
    (void)state;
    int asked = 0;
    bool given = true;
    struct haul_error err = {0};
    struct login login = {.ask = answer, .ask_user = &asked};
    assert_int_equal(login_ask(NULL, "db/shop", &given, &err), 0);
    assert_false(given);
    assert_int_equal(login_ask(&login, "db/shop", &given, &err), 0);
    assert_false(given);
    assert_int_equal(login_ask(&login, "db/shop", &given, &err), 0);
    assert_true(given);
    assert_int_equal(strlen(login.password), LOGIN_PASSWORD_BYTES - 1);
    assert_int_equal(login_ask(&login, "db/shop", &given, &err), 0);
    assert_false(given);
    assert_int_equal(asked, 2);
    assert_int_equal(login_keep(&login, "y", &err), 0);
    assert_string_equal(login.password, "y");
    login_release(&login);
    login_release(&login);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_output),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_cancelled),
        cmocka_unit_test(test_asked_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
