/* Errors: messages are one line of UTF-8, exit codes tell a scheduler what to do. */
#include "base/error.h"
#include "base/unicode.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

static int exit_of(enum haul_code code, enum haul_side side, bool retryable)
{
    struct haul_error err = {.code = code, .side = side, .retryable = retryable};
    return haul_exit_code(&err);
}

static void exit_codes(void **state)
{
    (void)state;
    assert_int_equal(exit_of(HAUL_OK, HAUL_SIDE_NONE, false), 0);
    assert_int_equal(haul_exit_code(NULL), 0);
    assert_int_equal(exit_of(HAUL_USAGE, HAUL_SIDE_SOURCE, true), 2);
    assert_int_equal(exit_of(HAUL_CHANGED, HAUL_SIDE_TARGET, false), 4);
    assert_int_equal(exit_of(HAUL_CHANGED, HAUL_SIDE_SOURCE, true), 75);
    assert_int_equal(exit_of(HAUL_INTEGRITY, HAUL_SIDE_NONE, true), 4);
    assert_int_equal(exit_of(HAUL_CANCELLED, HAUL_SIDE_SOURCE, false), 75);
    assert_int_equal(exit_of(HAUL_NETWORK, HAUL_SIDE_SOURCE, true), 75);
    assert_int_equal(exit_of(HAUL_NETWORK, HAUL_SIDE_SOURCE, false), 5);
    assert_int_equal(exit_of(HAUL_EXISTS, HAUL_SIDE_TARGET, false), 6);
    assert_int_equal(exit_of(HAUL_IO, HAUL_SIDE_NONE, false), 1);
    assert_int_equal(exit_of(HAUL_REJECTS, HAUL_SIDE_TARGET, false), 1);
    assert_int_equal(exit_of(HAUL_NOMEM, HAUL_SIDE_SOURCE, false), 1);
    assert_int_equal(exit_of((enum haul_code)99, HAUL_SIDE_SOURCE, false), 1);
}

static void names(void **state)
{
    (void)state;
    for (int code = HAUL_OK; code <= HAUL_INTERNAL; code++) {
        const char *name = haul_code_name((enum haul_code)code);
        assert_non_null(name);
        for (int other = 0; other < code; other++)
            assert_string_not_equal(name, haul_code_name((enum haul_code)other));
    }
    assert_string_equal(haul_code_name(HAUL_PERMISSION), "permission");
    assert_string_equal(haul_code_name((enum haul_code) - 1), "internal");
}

static void message_is_one_clean_line(void **state)
{
    (void)state;
    struct haul_error err = {
        .side = HAUL_SIDE_SOURCE, .retryable = true, .sqlstate = "40001", .vendor_code = 7};
    assert_int_equal(error_set(&err, HAUL_DATA, "a\nb\x1b[0m\x7f \xff \xc3\xa9 %s", "\xe2\x82"), HAUL_DATA);
    assert_string_equal(err.message, "a\\x0Ab\\x1B[0m\\x7F \\xFF \xc3\xa9 \\xE2\\x82");
    assert_int_equal(err.side, HAUL_SIDE_NONE);
    assert_false(err.retryable);
    assert_string_equal(err.sqlstate, "");
    assert_int_equal(err.vendor_code, 0);
}

static void long_message_is_cut_between_characters(void **state)
{
    (void)state;
    char text[3000];
    for (size_t shift = 0; shift < 4; shift++) {
        memset(text, 'x', sizeof text);
        for (size_t i = shift; i + 4 < sizeof text; i += 4)
            memcpy(text + i, "\xf0\x9f\x98\x80", 4);
        text[sizeof text - 1] = '\0';
        struct haul_error err = {0};
        error_set(&err, HAUL_DATA, "%s", text);
        size_t length = strlen(err.message);
        assert_in_range(length, HAUL_ERROR_MESSAGE_BYTES - 5, HAUL_ERROR_MESSAGE_BYTES - 1);
        assert_true(unicode_is_valid((const uint8_t *)err.message, length));
        assert_null(strstr(err.message, "\\x"));
    }
}

static void prefix_may_quote_the_message(void **state)
{
    (void)state;
    struct haul_error err = {0};
    error_set(&err, HAUL_DATA, "line 7");
    err.side = HAUL_SIDE_SOURCE;
    assert_int_equal(error_prefix(&err, "%s", "orders.csv"), HAUL_DATA);
    assert_string_equal(err.message, "orders.csv: line 7");
    assert_int_equal(err.side, HAUL_SIDE_SOURCE);
    error_set(&err, HAUL_IO, "again: %s", err.message);
    assert_string_equal(err.message, "again: orders.csv: line 7");
    for (int i = 0; i < 200; i++)
        error_prefix(&err, "a place that takes room");
    assert_int_equal(strlen(err.message), HAUL_ERROR_MESSAGE_BYTES - 1);
}

static void errno_becomes_a_code(void **state)
{
    (void)state;
    struct haul_error err = {0};
    assert_int_equal(error_set_errno(&err, ENOSPC, "cannot write %s", "x"), HAUL_SPACE);
    assert_string_equal(err.message, "cannot write x: No space left on device");
    assert_int_equal(err.vendor_code, ENOSPC);
    assert_int_equal(error_set_errno(&err, EACCES, "x"), HAUL_PERMISSION);
    assert_int_equal(error_set_errno(&err, ENOENT, "x"), HAUL_NOT_FOUND);
    assert_int_equal(error_set_errno(&err, EIO, "x"), HAUL_IO);
    assert_int_equal(error_set_errno(&err, ECONNRESET, "x"), HAUL_NETWORK);
    assert_true(err.retryable);
    assert_int_equal(error_set_errno(&err, 99999, "x"), HAUL_IO);
    assert_string_equal(err.message, "x: unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_codes),
        cmocka_unit_test(names),
        cmocka_unit_test(message_is_one_clean_line),
        cmocka_unit_test(long_message_is_cut_between_characters),
        cmocka_unit_test(prefix_may_quote_the_message),
        cmocka_unit_test(errno_becomes_a_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
