/* answer.c: tokens beside rows, and answers that are wrong or cut. */
#include "answers.h"

static enum haul_code read_all(const struct bytes *bytes, struct talk *talk, struct haul_error *err)
{
    enum ms_event event = MS_DONE;
    enum haul_code code = HAUL_OK;
    *err = (struct haul_error){0};
    talk_begin(talk, bytes, 13);
    while (!code && event != MS_END)
        code = ms_next(&talk->session, &event, err);
    return code;
}

static void errors_come_at_the_end(void **state)
{
    (void)state;
    static struct bytes bytes;
    struct talk talk;
    struct haul_error err;
    bytes.length = 0;
    add_error(&bytes, 5701, 0, "Changed database");
    add_error(&bytes, 1205, 13, "deadlock");
    add_error(&bytes, 3621, 14, "terminated");
    add_hex(&bytes, "e3 0b 00 0a 00 08 01 00 00 00 00 00 00 00"); /* rolled back */
    add_done(&bytes, 0x02);
    assert_int_equal(read_all(&bytes, &talk, &err), HAUL_BUSY);
    assert_true(err.retryable);
    assert_int_equal(err.vendor_code, 1205);
    assert_non_null(strstr(err.message, "deadlock (error 1205, level 13, state 7, procedure p, line 42)"));
    assert_true(talk.session.transaction_lost);
    assert_true(ms_is_alive(&talk.session)); /* it can be used again */
    talk_end(&talk);
}

static void a_failed_done_is_an_error(void **state)
{
    (void)state;
    static struct bytes bytes;
    struct talk talk;
    struct haul_error err;
    bytes.length = 0;
    add_done(&bytes, 0x02);
    assert_int_equal(read_all(&bytes, &talk, &err), HAUL_IO);
    talk_end(&talk);
}

static void the_environment_is_kept(void **state)
{
    (void)state;
    static struct bytes bytes;
    struct talk talk;
    struct haul_error err;
    bytes.length = 0;
    add_hex(&bytes, "e3 0b 00 08 08 01 02 03 04 05 06 07 08 00"); /* a transaction */
    add_hex(&bytes,
            "e3 0e 00 04 04 38 00 31 00 39 00 32 00 01 30 00 00"); /* packets of 8192 bytes, and one byte */
    add_hex(&bytes, "e3 08 00 07 05 09 04 d0 00 34 00");
    add_hex(&bytes, "79 05 00 00 00 a9 02 00 01 00 e4 02 00 00 00 00 00");
    add_hex(&bytes, "ac 00 00 00 01 00 00 00 00 00 00 26 04 04 07 00 00 00"); /* RETURNVALUE */
    add_done(&bytes, 0);
    assert_int_equal(read_all(&bytes, &talk, &err), HAUL_OK);
    assert_true(talk.session.transaction == 0x0807060504030201u);
    assert_int_equal(talk.session.wire.packet_bytes, 8192);
    assert_int_equal(talk.session.collation[4], 0x34);
    assert_int_equal(talk.session.return_status, 5);
    talk_end(&talk);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "00",                                     /* no such token */
        "d1 00",                                  /* a row without columns */
        "81 01 20",                               /* 8,193 columns */
        "e3 02 00 04 ff",                         /* a text longer than its token */
        "e3 07 00 04 03 30 00 30 00",             /* packets of 00.. bytes, cut */
        "e3 05 00 04 01 30 00 00",                /* packets of 0 bytes */
        "e3 0a 00 14 07 00 00 00 00 01 00 61 00", /* routing to port 0 */
        "ad 01 00 01",                            /* a second login */
        "ae 0a ff ff ff ff",                      /* a feature of 4 GiB */
        "fd 00 00",                               /* cut */
    };
    static struct bytes bytes;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct talk talk;
        struct haul_error err;
        bytes.length = 0;
        add_hex(&bytes, answers[i]);
        assert_int_equal(read_all(&bytes, &talk, &err), HAUL_DATA);
        assert_false(ms_is_alive(&talk.session));
        talk_end(&talk);
    }
}

static void packets_that_lie(void **state)
{
    (void)state;
    static const uint8_t packets[][8] = {
        {4, 1, 0, 0}, {4, 1, 0, 7}, {4, 1, 0xff, 0xff}, {0x17, 3, 3, 0}, {'H', 'T', 'T', 'P'},
    };
    for (size_t i = 0; i < sizeof packets / sizeof *packets; i++) {
        struct wire wire = {0};
        struct haul_error err = {0};
        int fds[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        assert_int_equal(ms_wire_init(&wire, &err), HAUL_OK);
        assert_int_equal(socket_adopt(&wire.sock, fds[0], "db", &err), HAUL_OK);
        assert_int_equal(send(fds[1], packets[i], 8, MSG_NOSIGNAL), 8);
        assert_int_equal(ms_wire_more(&wire, &err), HAUL_DATA);
        ms_wire_release(&wire);
        close(fds[1]);
    }
}

/* An answer cut anywhere is told, and never taken for the end of the rows. */
static void cut_anywhere(void **state)
{
    (void)state;
    static struct bytes whole, cut;
    char seen[512];
    whole.length = 0;
    add_hex(&whole, "81 02 00");
    add_column(&whole, "e7 14 00 09 04 d0 00 34", 'a');
    add_column(&whole, "a5 ff ff", 'b');
    add_hex(&whole, "d1 02 00 41 00 fe ff ff ff ff ff ff ff 01 00 00 00 01 00 00 00 00");
    add_done(&whole, 0x10);
    for (size_t length = 1; length < whole.length; length++) {
        struct talk talk;
        struct haul_error err = {0};
        cut.length = 0;
        add(&cut, whole.data, length);
        talk_begin(&talk, &cut, 4096);
        enum haul_code code = talk_print(&talk, seen, sizeof seen, &err);
        bool at_a_token = length == whole.length - 13 || length == whole.length - 13 - 22;
        assert_true(code == HAUL_DATA || (at_a_token && !code));
        talk_end(&talk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_come_at_the_end),  cmocka_unit_test(a_failed_done_is_an_error),
        cmocka_unit_test(the_environment_is_kept), cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(packets_that_lie),        cmocka_unit_test(cut_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
