/* Streams: the window at the start, order, cancelling, standard input and output. */
#include "store/stream.h"
#include "base/file.h"
#include "folder.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>

static struct context context;
static struct cancel cancel;
static struct haul_error err;

static int set_up(void **state)
{
    (void)state;
    context_init(&context);
    atomic_store(&cancel.asked, 0);
    context.cancel = &cancel;
    err = (struct haul_error){0};
    return 0;
}

struct feed {
    int fd;
    int64_t bytes, step;
};

/* Byte i of the stream is i * 7 modulo 251. */
static uint8_t feed_byte(int64_t i)
{
    return (uint8_t)(i * 7 % 251);
}

static void *feed_run(void *user)
{
    struct feed *feed = user;
    uint8_t bytes[8192];
    for (int64_t i = 0; i < feed->bytes;) {
        int64_t step = feed->step < feed->bytes - i ? feed->step : feed->bytes - i;
        for (int64_t k = 0; k < step; k++)
            bytes[k] = feed_byte(i + k);
        if (write(feed->fd, bytes, (size_t)step) != step)
            break;
        i += step;
    }
    close(feed->fd);
    return NULL;
}

static struct input_file *stream_of(int fd)
{
    struct file file = {.fd = -1};
    struct input_file *input = NULL;
    assert_int_equal(file_adopt(&file, fd, "pipe", &err), HAUL_OK);
    assert_int_equal(stream_input_open(&file, "pipe", &context, &input, &err), HAUL_OK);
    close(fd);
    return input;
}

static void expect_bytes(struct input_file *input, int64_t offset, size_t length, size_t expected)
{
    uint8_t *bytes = malloc(length);
    size_t got = 0;
    assert_int_equal(input->ops->read_at(input, offset, bytes, length, &got, &err), HAUL_OK);
    assert_int_equal(got, expected);
    for (size_t i = 0; i < got; i++)
        if (bytes[i] != feed_byte(offset + (int64_t)i))
            fail_msg("byte %lld differs", (long long)offset + (long long)i);
    free(bytes);
}

static void the_start_can_be_read_again(void **state)
{
    (void)state;
    const int64_t total = 9 * 1000 * 1000 + 17, window = (int64_t)STREAM_WINDOW_BYTES;
    int ends[2];
    uint8_t byte;
    size_t got;
    pthread_t thread;
    assert_int_equal(pipe(ends), 0);
    struct feed feed = {.fd = ends[1], .bytes = total, .step = 5003};
    pthread_create(&thread, NULL, feed_run, &feed);
    struct input_file *input = stream_of(ends[0]);
    assert_int_equal(input->size, -1);
    expect_bytes(input, 0, 65536, 65536);
    expect_bytes(input, 0, 1 << 20, 1 << 20);
    expect_bytes(input, 100, 10, 10);
    expect_bytes(input, 0, (size_t)window - 5, (size_t)window - 5);
    expect_bytes(input, 0, 64, 64);
    expect_bytes(input, window - 5, 100000, 100000); /* across the window's end */
    assert_int_equal(input->ops->read_at(input, 0, &byte, 1, &got, &err), HAUL_UNSUPPORTED);
    assert_non_null(strstr(err.message, "once only"));
    assert_int_equal(input->ops->read_at(input, window + 5000000, &byte, 1, &got, &err), HAUL_UNSUPPORTED);
    int64_t at = window - 5 + 100000;
    expect_bytes(input, at, 4000000, 4000000);
    expect_bytes(input, at + 4000000, 4000000, (size_t)(total - at - 4000000));
    expect_bytes(input, total, 10, 0);
    input->ops->close(input);
    pthread_join(thread, NULL);
}

static void a_short_stream_ends(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct feed feed = {.fd = ends[1], .bytes = 10, .step = 3};
    feed_run(&feed);
    struct input_file *input = stream_of(ends[0]);
    expect_bytes(input, 0, 65536, 10);
    expect_bytes(input, 0, 65536, 10);
    expect_bytes(input, 4, 3, 3);
    expect_bytes(input, 10, 3, 0);
    input->ops->close(input);
}

static void *cancel_soon(void *user)
{
    (void)user;
    usleep(30000);
    atomic_store(&cancel.asked, 1);
    return NULL;
}

static void a_silent_stream_can_be_cancelled(void **state)
{
    (void)state;
    int ends[2];
    char byte;
    size_t got;
    pthread_t thread;
    assert_int_equal(pipe(ends), 0);
    struct input_file *input = stream_of(ends[0]);
    pthread_create(&thread, NULL, cancel_soon, NULL);
    assert_int_equal(input->ops->read_at(input, 0, &byte, 1, &got, &err), HAUL_CANCELLED);
    pthread_join(thread, NULL);
    input->ops->close(input);
    close(ends[1]);
}

/* Runs with descriptor `fd` replaced by `other` until it is put back. */
static int swap_fd(int fd, int other)
{
    int saved = dup(fd);
    assert_true(saved >= 0);
    assert_int_equal(dup2(other, fd), fd);
    return saved;
}

static void back_fd(int fd, int saved)
{
    dup2(saved, fd);
    close(saved);
}

static void standard_input_is_a_stream(void **state)
{
    (void)state;
    int ends[2];
    struct input_file *input = NULL;
    assert_int_equal(pipe(ends), 0);
    struct feed feed = {.fd = ends[1], .bytes = 1000, .step = 1000};
    feed_run(&feed);
    int saved = swap_fd(0, ends[0]);
    assert_int_equal(store_stdio.open("-", &context, &input, &err), HAUL_OK);
    back_fd(0, saved);
    close(ends[0]);
    expect_bytes(input, 0, 100, 100);
    expect_bytes(input, 0, 2000, 1000);
    assert_int_equal(input->ops->check(input, &err), HAUL_OK);
    input->ops->close(input);
}

static struct output_file *output_to(int fd)
{
    struct output_file *file = NULL;
    int saved = swap_fd(1, fd);
    enum haul_code code = store_stdio.create("-", "", &context, &file, &err);
    back_fd(1, saved);
    assert_int_equal(code, HAUL_OK);
    return file;
}

static void standard_output_is_written_at_once(void **state)
{
    (void)state;
    int ends[2];
    char bytes[64] = "";
    assert_int_equal(pipe(ends), 0);
    struct output_file *file = output_to(ends[1]);
    close(ends[1]);
    assert_true(file->stream);
    assert_int_equal(file->ops->append(file, "a,b\n", 4, &err), HAUL_OK);
    assert_int_equal(read(ends[0], bytes, sizeof bytes), 4);
    assert_int_equal(file->offset, 4);
    assert_int_equal(file->ops->truncate(file, 0, &err), HAUL_UNSUPPORTED);
    assert_int_equal(file->ops->publish(file, false, &err), HAUL_OK);
    assert_int_equal(read(ends[0], bytes, sizeof bytes), 0);
    close(ends[0]);
}

static void a_closed_output_is_told(void **state)
{
    (void)state;
    int ends[2];
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe(ends), 0);
    struct output_file *file = output_to(ends[1]);
    close(ends[1]);
    close(ends[0]);
    assert_int_equal(file->ops->append(file, "x", 1, &err), HAUL_IO);
    assert_int_equal(err.vendor_code, EPIPE);
    assert_string_equal(err.message, "standard output was closed");
    file->ops->close(file);
}

static void a_stuck_output_can_be_cancelled(void **state)
{
    (void)state;
    int ends[2];
    static char bytes[1 << 20];
    pthread_t thread;
    assert_int_equal(pipe(ends), 0);
    struct output_file *file = output_to(ends[1]);
    close(ends[1]);
    pthread_create(&thread, NULL, cancel_soon, NULL);
    assert_int_equal(file->ops->append(file, bytes, sizeof bytes, &err), HAUL_CANCELLED);
    pthread_join(thread, NULL);
    file->ops->close(file);
    close(ends[0]);
}

static void a_full_output_is_told(void **state)
{
    (void)state;
    int fd = open("/dev/full", O_WRONLY);
    if (fd < 0)
        skip();
    struct output_file *file = output_to(fd);
    close(fd);
    assert_int_equal(file->ops->append(file, "x", 1, &err), HAUL_SPACE);
    file->ops->close(file);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_start_can_be_read_again),        TEST(a_short_stream_ends),
        TEST(a_silent_stream_can_be_cancelled),   TEST(standard_input_is_a_stream),
        TEST(standard_output_is_written_at_once), TEST(a_closed_output_is_told),
        TEST(a_stuck_output_can_be_cancelled),    TEST(a_full_output_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
