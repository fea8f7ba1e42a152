/* Files of this machine: what is meant by a name, reading, writing, publishing. */
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
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>

static struct context context;
static struct haul_error err;

static int set_up(void **state)
{
    (void)state;
    folder_make();
    context_init(&context);
    err = (struct haul_error){0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove();
    return 0;
}

/* ---- names ---- */

/* The names found, without the folder, joined by spaces; or the error's message. */
static const char *listed(const char *pattern)
{
    static char text[4096];
    struct arena arena = {0};
    const char **names = NULL;
    size_t count = 0, used = 0;
    text[0] = '\0';
    if (store_local.list(pattern, &arena, &names, &count, &err))
        snprintf(text, sizeof text, "%s", err.message);
    else
        for (size_t i = 0; i < count; i++) {
            assert_memory_equal(names[i], folder_path, strlen(folder_path));
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? " " : "",
                                     names[i] + strlen(folder_path) + 1);
        }
    arena_release(&arena);
    return text;
}

static void patterns_are_expanded(void **state)
{
    (void)state;
    mkdir(in_folder("sub"), 0700);
    mkdir(in_folder("part-dir.csv"), 0700);
    file_put("part-2.csv", "x");
    file_put("part-10.csv", "x");
    file_put("part-\xc3\xa9.csv", "x");
    file_put(".part-9.csv", "x");
    file_put("part_manifest.json", "{}");
    file_put("sub/part-1.csv", "x");
    assert_string_equal(listed(in_folder("part-*.csv")), "part-10.csv part-2.csv part-\xc3\xa9.csv");
    assert_string_equal(listed(in_folder("part-?.csv")), "part-2.csv");
    assert_string_equal(listed(in_folder("*")), "part-10.csv part-2.csv part-\xc3\xa9.csv");
    assert_string_equal(listed(in_folder("*.json")), "part_manifest.json");
    assert_string_equal(listed(in_folder("s*/part-[0-9].csv")), "sub/part-1.csv");
    assert_string_equal(listed(in_folder(".part*")), ".part-9.csv");
    assert_non_null(strstr(listed(in_folder("x*.csv")), "no file matches"));
    assert_int_equal(err.code, HAUL_NOT_FOUND);
    assert_non_null(strstr(listed(in_folder("none/*.csv")), "no file matches"));
}

static void a_name_with_a_star_is_a_name(void **state)
{
    (void)state;
    file_put("a[1]*.csv", "x");
    file_put("a1b.csv", "x");
    assert_string_equal(listed(in_folder("a[1]*.csv")), "a[1]*.csv");
}

static void a_folder_is_its_data_files(void **state)
{
    (void)state;
    mkdir(in_folder("out"), 0700);
    assert_non_null(strstr(listed(in_folder("out/")), "no data files"));
    assert_int_equal(err.code, HAUL_NOT_FOUND);
    mkdir(in_folder("out/sub"), 0700);
    file_put("out/b.csv", "x");
    file_put("out/a.csv", "x");
    file_put("out/.hidden.csv", "x");
    file_put("out/orders_manifest.json", "{}");
    assert_string_equal(listed(in_folder("out/")), "out/a.csv out/b.csv");
    assert_string_equal(listed(in_folder("out")), "out/a.csv out/b.csv");
}

static void a_missing_name_says_the_near_ones(void **state)
{
    (void)state;
    file_put("orders2.csv", "x");
    file_put("zebra.parquet", "x");
    const char *message = listed(in_folder("orders.csv"));
    assert_int_equal(err.code, HAUL_NOT_FOUND);
    assert_non_null(strstr(message, "orders.csv: no such file"));
    assert_non_null(strstr(message, "near: orders2.csv"));
    assert_null(strstr(message, "zebra"));
    assert_non_null(strstr(listed(in_folder("nofolder/x.csv")), "no such file"));
    assert_non_null(strstr(listed(in_folder("nofolder/")), "no such folder"));
    assert_int_not_equal(store_local.list("", &(struct arena){0}, &(const char **){0}, &(size_t){0}, &err),
                         HAUL_OK);
}

/* ---- reading ---- */

static void reads_at_any_place(void **state)
{
    (void)state;
    struct input_file *file = NULL;
    char bytes[16] = "";
    size_t got = 99;
    file_put("a.csv", "0123456789");
    assert_int_equal(store_local.open(in_folder("a.csv"), &context, &file, &err), HAUL_OK);
    assert_int_equal(file->size, 10);
    assert_string_equal(file->name, in_folder("a.csv"));
    assert_non_null(strstr(file->identity, "size 10 "));
    assert_int_equal(file->ops->read_at(file, 7, bytes, 8, &got, &err), HAUL_OK);
    assert_int_equal(got, 3);
    assert_memory_equal(bytes, "789", 3);
    assert_int_equal(file->ops->read_at(file, 10, bytes, 8, &got, &err), HAUL_OK);
    assert_int_equal(got, 0);
    assert_int_equal(input_read_all(file, 2, bytes, 8, &err), HAUL_OK);
    assert_int_equal(input_read_all(file, 3, bytes, 8, &err), HAUL_DATA);
    assert_non_null(strstr(err.message, "cut short at byte 10"));
    file->ops->close(file);
}

static void a_change_is_seen(void **state)
{
    (void)state;
    struct input_file *file = NULL;
    file_put("a.csv", "0123456789");
    assert_int_equal(store_local.open(in_folder("a.csv"), &context, &file, &err), HAUL_OK);
    assert_int_equal(file->ops->check(file, &err), HAUL_OK);
    file_put("a.csv", "012345678");
    assert_int_equal(file->ops->check(file, &err), HAUL_CHANGED);
    assert_non_null(strstr(err.message, "had 10 bytes and has 9"));
    file_put("a.csv", "0123456789");
    struct timeval times[2] = {{1, 0}, {1, 0}};
    assert_int_equal(utimes(in_folder("a.csv"), times), 0);
    assert_int_equal(file->ops->check(file, &err), HAUL_CHANGED);
    file->ops->close(file);
}

static void what_cannot_be_read_is_told(void **state)
{
    (void)state;
    struct input_file *file = NULL;
    mkdir(in_folder("sub"), 0700);
    assert_int_equal(store_local.open(in_folder("sub"), &context, &file, &err), HAUL_USAGE);
    assert_non_null(strstr(err.message, "is a folder"));
    assert_int_equal(store_local.open(in_folder("none.csv"), &context, &file, &err), HAUL_NOT_FOUND);
    assert_null(file);
}

static void a_device_is_a_stream(void **state)
{
    (void)state;
    struct input_file *file = NULL;
    char byte;
    size_t got = 1;
    assert_int_equal(store_local.open("/dev/null", &context, &file, &err), HAUL_OK);
    assert_int_equal(file->size, -1);
    assert_string_equal(file->identity, "");
    assert_int_equal(file->ops->read_at(file, 0, &byte, 1, &got, &err), HAUL_OK);
    assert_int_equal(got, 0);
    file->ops->close(file);
}

/* ---- writing ---- */

static struct output_file *created(const char *name, const char *temp)
{
    struct output_file *file = NULL;
    char path[512];
    snprintf(path, sizeof path, "%s", in_folder(name));
    assert_int_equal(store_local.create(path, in_folder(temp), &context, &file, &err), HAUL_OK);
    return file;
}

static void appended(struct output_file *file, const char *text)
{
    assert_int_equal(file->ops->append(file, text, strlen(text), &err), HAUL_OK);
}

static void is_invisible_until_published(void **state)
{
    (void)state;
    struct output_file *file = created("a.csv", ".a.part");
    appended(file, "hello ");
    appended(file, "world");
    assert_int_equal(file->offset, 11);
    assert_false(file_there("a.csv"));
    assert_int_equal(file->ops->truncate(file, 5, &err), HAUL_OK);
    assert_int_equal(file->offset, 5);
    appended(file, "!");
    assert_int_equal(file->ops->publish(file, false, &err), HAUL_OK);
    assert_string_equal(file_get("a.csv"), "hello!");
    assert_int_equal(folder_count(""), 1);
}

static void a_taken_name_is_not_replaced(void **state)
{
    (void)state;
    struct output_file *file = created("a.csv", ".a.part");
    appended(file, "new");
    file_put("a.csv", "somebody's");
    assert_int_equal(file->ops->publish(file, false, &err), HAUL_EXISTS);
    assert_string_equal(file_get("a.csv"), "somebody's");
    assert_int_equal(file->ops->publish(file, true, &err), HAUL_OK); /* as it was after the error */
    assert_string_equal(file_get("a.csv"), "new");
}

static void a_link_is_replaced_itself(void **state)
{
    (void)state;
    file_put("precious.csv", "precious");
    assert_int_equal(symlink("precious.csv", in_folder("a.csv")), 0);
    struct output_file *file = created("a.csv", ".a.part");
    appended(file, "new");
    assert_int_equal(file->ops->publish(file, false, &err), HAUL_EXISTS);
    assert_int_equal(file->ops->publish(file, true, &err), HAUL_OK);
    assert_string_equal(file_get("precious.csv"), "precious");
    assert_string_equal(file_get("a.csv"), "new");
}

static void a_temporary_name_is_made_once(void **state)
{
    (void)state;
    struct output_file *file = NULL, *first = created("a.csv", ".a.part");
    assert_int_equal(store_local.create(in_folder("a.csv"), in_folder(".a.part"), &context, &file, &err),
                     HAUL_EXISTS);
    first->ops->close(first);
    assert_true(file_there(".a.part"));
    assert_int_equal(store_local.remove(in_folder(".a.part"), &err), HAUL_OK);
    assert_int_equal(store_local.remove(in_folder(".a.part"), &err), HAUL_OK);
    assert_int_equal(symlink("elsewhere", in_folder(".a.part")), 0);
    assert_int_equal(store_local.create(in_folder("a.csv"), in_folder(".a.part"), &context, &file, &err),
                     HAUL_EXISTS);
    assert_false(file_there("elsewhere"));
    assert_null(file);
}

static void a_missing_folder_is_told(void **state)
{
    (void)state;
    struct output_file *file = NULL;
    assert_int_equal(
        store_local.create(in_folder("no/a.csv"), in_folder("no/.a.part"), &context, &file, &err),
        HAUL_NOT_FOUND);
    assert_non_null(strstr(err.message, "its folder does not exist"));
    file_put("file", "x");
    assert_int_not_equal(
        store_local.create(in_folder("file/a.csv"), in_folder("file/.a.part"), &context, &file, &err),
        HAUL_OK);
    assert_null(file);
}

static void goes_on_where_it_was(void **state)
{
    (void)state;
    struct output_file *file = created("a.csv", ".a.part");
    appended(file, "one two three");
    assert_int_equal(file->ops->sync(file, &err), HAUL_OK);
    file->ops->close(file);
    assert_int_equal(store_local.reopen(in_folder("a.csv"), in_folder(".a.part"), 14, &context, &file, &err),
                     HAUL_CHANGED);
    assert_int_equal(store_local.reopen(in_folder("a.csv"), in_folder(".none"), 0, &context, &file, &err),
                     HAUL_NOT_FOUND);
    assert_int_equal(store_local.reopen(in_folder("a.csv"), in_folder(".a.part"), 7, &context, &file, &err),
                     HAUL_OK);
    assert_int_equal(file->offset, 7);
    appended(file, "four");
    assert_int_equal(file->ops->publish(file, false, &err), HAUL_OK);
    assert_string_equal(file_get("a.csv"), "one twofour");
}

static void a_write_that_fails_moves_nothing(void **state)
{
    (void)state;
    struct rlimit before, small;
    struct input_file *from = NULL;
    struct output_file *file = created("a.csv", ".a.part");
    appended(file, "0123456789");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){.rlim_cur = 15, .rlim_max = before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum haul_code code = file->ops->append(file, "abcdefghij", 10, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_not_equal(code, HAUL_OK);
    assert_int_equal(err.vendor_code, EFBIG);
    assert_int_equal(file->offset, 10);
    file_put("b.csv", "xyz"); /* a copy goes to the offset, not behind what the failure left */
    assert_int_equal(store_local.open(in_folder("b.csv"), &context, &from, &err), HAUL_OK);
    assert_int_equal(file->ops->copy_from(file, from, 0, 2, &err), HAUL_OK);
    from->ops->close(from);
    assert_int_equal(file->ops->publish(file, false, &err), HAUL_OK);
    assert_string_equal(file_get("a.csv"), "0123456789xy");
}

static void copies_from_files_and_memory(void **state)
{
    (void)state;
    struct input_file *from = NULL;
    struct output_file *file = created("b.csv", ".b.part");
    file_put("a.csv", "0123456789");
    appended(file, "<");
    assert_int_equal(store_local.open(in_folder("a.csv"), &context, &from, &err), HAUL_OK);
    assert_int_equal(file->ops->copy_from(file, from, 2, 5, &err), HAUL_OK);
    assert_int_equal(file->offset, 6);
    assert_int_not_equal(file->ops->copy_from(file, from, 8, 5, &err), HAUL_OK); /* too short */
    assert_int_equal(file->offset, 6);
    from->ops->close(from);
    assert_int_equal(store_memory_put("memory:x", "abcdef", 6, &err), HAUL_OK);
    assert_int_equal(store_memory.open("memory:x", &context, &from, &err), HAUL_OK);
    assert_int_equal(file->ops->copy_from(file, from, 1, 3, &err), HAUL_OK);
    from->ops->close(from);
    appended(file, ">");
    assert_int_equal(file->ops->publish(file, false, &err), HAUL_OK);
    assert_string_equal(file_get("b.csv"), "<23456bcd>");
    store_memory_clear();
}

static void spills_and_reads_back(void **state)
{
    (void)state;
    struct output_file *write = NULL, *file = created("a.csv", ".a.part");
    struct input_file *read = NULL;
    char bytes[8] = "";
    assert_int_equal(store_spill_open(folder_path, &write, &read, &err), HAUL_OK);
    assert_int_equal(folder_count(""), 1); /* it has no name */
    appended(write, "first");
    assert_int_equal(input_read_all(read, 1, bytes, 4, &err), HAUL_OK);
    assert_string_equal(bytes, "irst");
    assert_int_equal(file->ops->copy_from(file, read, 0, 5, &err), HAUL_OK);
    assert_int_equal(write->ops->truncate(write, 0, &err), HAUL_OK);
    assert_int_equal(read->size, 0);
    appended(write, "second");
    assert_int_equal(read->size, 6);
    assert_int_equal(file->ops->copy_from(file, read, 0, 6, &err), HAUL_OK);
    write->ops->close(write);
    assert_int_equal(input_read_all(read, 0, bytes, 6, &err), HAUL_OK);
    read->ops->close(read);
    assert_int_equal(file->ops->publish(file, false, &err), HAUL_OK);
    assert_string_equal(file_get("a.csv"), "firstsecond");
    assert_int_not_equal(store_spill_open(in_folder("none"), &write, &read, &err), HAUL_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(patterns_are_expanded),
        TEST(a_name_with_a_star_is_a_name),
        TEST(a_folder_is_its_data_files),
        TEST(a_missing_name_says_the_near_ones),
        TEST(reads_at_any_place),
        TEST(a_change_is_seen),
        TEST(what_cannot_be_read_is_told),
        TEST(a_device_is_a_stream),
        TEST(is_invisible_until_published),
        TEST(a_taken_name_is_not_replaced),
        TEST(a_link_is_replaced_itself),
        TEST(a_temporary_name_is_made_once),
        TEST(a_missing_folder_is_told),
        TEST(goes_on_where_it_was),
        TEST(a_write_that_fails_moves_nothing),
        TEST(copies_from_files_and_memory),
        TEST(spills_and_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
