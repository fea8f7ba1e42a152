/*
 * socket.c: the network door on the loopback: what is refused, silent, cut,
 * cancelled or late is told; what is whole arrives.
 */
#include "base/socket.h"
#include "base/clock.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static int listen_on(int type, int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, type, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static void connects_and_carries(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct socket client = {0}, server = {0};
    int port;
    int listener = listen_on(SOCK_STREAM, &port);
    struct socket_target target = {.host = "localhost", .port = port, .wait_ms = 5000};
    assert_int_equal(socket_connect(&client, &target, &err), HAUL_OK);
    assert_int_equal(socket_adopt(&server, accept(listener, NULL, NULL), "peer", &err), HAUL_OK);
    char seen[16];
    size_t got;
    assert_false(socket_is_readable(&server, 0));
    assert_int_equal(socket_write(&client, "hello", 5, &err), HAUL_OK);
    assert_true(socket_is_readable(&server, 1000));
    assert_int_equal(socket_read(&server, seen, sizeof seen, &got, &err), HAUL_OK);
    assert_int_equal(got, 5);
    assert_memory_equal(seen, "hello", 5);
    socket_close(&client);
    socket_close(&client);
    assert_int_equal(socket_read(&server, seen, sizeof seen, &got, &err), HAUL_OK);
    assert_int_equal(got, 0);
    socket_close(&server);
    close(listener);
}

static void refused_is_told(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct socket client = {0};
    int port;
    close(listen_on(SOCK_STREAM, &port));
    struct socket_target target = {.host = "127.0.0.1", .port = port, .wait_ms = 5000};
    assert_int_equal(socket_connect(&client, &target, &err), HAUL_NETWORK);
    assert_non_null(strstr(err.message, "connection refused"));
    assert_true(err.retryable);
    assert_false(client.opened);
}

static void unknown_names_and_ports(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct socket client = {0};
    struct socket_target target = {.host = "no-such-host.invalid", .port = 1433, .wait_ms = 1000};
    assert_int_equal(socket_connect(&client, &target, &err), HAUL_NETWORK);
    assert_non_null(strstr(err.message, "no-such-host.invalid"));
    target = (struct socket_target){.host = "127.0.0.1", .port = 70000, .wait_ms = 1000};
    assert_int_equal(socket_connect(&client, &target, &err), HAUL_USAGE);
}

static void pair(struct socket *a, struct socket *b)
{
    int fds[2];
    struct haul_error err = {0};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_int_equal(socket_adopt(a, fds[0], "a", &err), HAUL_OK);
    assert_int_equal(socket_adopt(b, fds[1], "b", &err), HAUL_OK);
}

static void deadlines_hold(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct socket a, b;
    char seen[4];
    size_t got;
    pair(&a, &b);
    int64_t start_ns = clock_now_ns();
    a.until_ns = start_ns + 120 * 1000000;
    assert_int_equal(socket_read(&a, seen, sizeof seen, &got, &err), HAUL_NETWORK);
    assert_non_null(strstr(err.message, "in time"));
    assert_true(clock_now_ns() - start_ns < (int64_t)5 * 1000000000);
    size_t size = (size_t)16 << 20; /* more than any socket buffer: the write waits too */
    char *much = calloc(1, size);
    a.until_ns = clock_now_ns() + 120 * 1000000;
    assert_int_equal(socket_write(&a, much, size, &err), HAUL_NETWORK);
    free(much);
    socket_close(&a);
    socket_close(&b);
}

static void *cancel_soon(void *user)
{
    struct cancel *cancel = user;
    clock_sleep_ms(80, NULL);
    atomic_store(&cancel->asked, 1);
    return NULL;
}

static void waits_can_be_cancelled(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct cancel cancel = {0};
    struct socket a, b;
    pthread_t thread;
    char seen[4];
    size_t got;
    pair(&a, &b);
    a.cancel = &cancel;
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, &cancel), 0);
    assert_int_equal(socket_read(&a, seen, sizeof seen, &got, &err), HAUL_CANCELLED);
    pthread_join(thread, NULL);
    socket_close(&a);
    socket_close(&b);
}

static void a_closed_end_is_no_signal(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct socket a, b;
    pair(&a, &b);
    socket_close(&b);
    assert_int_equal(socket_write(&a, "x", 1, &err), HAUL_NETWORK); /* SIGPIPE would end us */
    assert_non_null(strstr(err.message, "the connection was lost"));
    socket_close(&a);
    assert_int_equal(socket_write(&a, "x", 1, &err), HAUL_NETWORK);
}

static void *answer_second(void *user)
{
    int fd = *(int *)user;
    char seen[16];
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    assert_true(recv(fd, seen, sizeof seen, 0) > 0); /* the first question is lost */
    size = sizeof from;
    assert_true(recvfrom(fd, seen, sizeof seen, 0, (struct sockaddr *)&from, &size) > 0);
    assert_int_equal(sendto(fd, "pong", 4, 0, (struct sockaddr *)&from, size), 4);
    return NULL;
}

static void datagrams_are_asked_again(void **state)
{
    (void)state;
    struct haul_error err = {0};
    int port;
    int fd = listen_on(SOCK_DGRAM, &port);
    pthread_t thread;
    char seen[8];
    size_t got;
    struct socket_target target = {.host = "127.0.0.1", .port = port, .wait_ms = 1000};
    struct socket_question question = {"ping", 4, 4, seen, sizeof seen};
    assert_int_equal(pthread_create(&thread, NULL, answer_second, &fd), 0);
    assert_int_equal(socket_ask(&target, &question, &got, &err), HAUL_OK);
    assert_int_equal(got, 4);
    pthread_join(thread, NULL);
    question.tries = 2;
    target.wait_ms = 200;
    assert_int_equal(socket_ask(&target, &question, &got, &err), HAUL_NETWORK);
    close(fd);
}

static void addresses_are_no_names(void **state)
{
    (void)state;
    assert_true(socket_is_address("127.0.0.1"));
    assert_true(socket_is_address("::1"));
    assert_false(socket_is_address("db1"));
    assert_false(socket_is_address("1.2.3"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connects_and_carries),      cmocka_unit_test(refused_is_told),
        cmocka_unit_test(unknown_names_and_ports),   cmocka_unit_test(deadlines_hold),
        cmocka_unit_test(waits_can_be_cancelled),    cmocka_unit_test(a_closed_end_is_no_signal),
        cmocka_unit_test(datagrams_are_asked_again), cmocka_unit_test(addresses_are_no_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
