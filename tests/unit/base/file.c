/* The file door: what each call does, and what it says when it cannot. */
#include "base/file.h"
#include "base/clock.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[256];

static const char *in_folder(const char *name)
{
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, 512, "%s/%s", folder, name);
    return path;
}

static int folder_make(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/haul-file-XXXXXX", base ? base : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

static enum haul_code remove_each(void *user, const char *name, struct haul_error *err)
{
    (void)user;
    return path_remove(in_folder(name), err);
}

static int folder_clear(void **state)
{
    (void)state;
    struct haul_error err = {0};
    if (path_list(folder, remove_each, NULL, &err) || path_remove_folder(folder, &err))
        return -1;
    return 0;
}

static void write_file(const char *name, const char *text)
{
    struct haul_error err = {0};
    struct file file = {0};
    assert_int_equal(file_open(&file, in_folder(name), FILE_CREATE, &err), HAUL_OK);
    assert_int_equal(file_write(&file, text, strlen(text), &err), HAUL_OK);
    assert_int_equal(file_sync(&file, &err), HAUL_OK);
    assert_int_equal(file_close_checked(&file, &err), HAUL_OK);
}

static void assert_content(const char *name, const char *wanted)
{
    struct haul_error err = {0};
    struct file file = {0};
    char text[256];
    size_t got = 0;
    assert_int_equal(file_open(&file, in_folder(name), FILE_READ, &err), HAUL_OK);
    assert_int_equal(file_read_at(&file, 0, text, sizeof text, &got, &err), HAUL_OK);
    assert_int_equal(got, strlen(wanted));
    assert_memory_equal(text, wanted, got);
    file_close(&file);
}

static void reads_and_writes(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct file file = {0};
    struct file_identity first, second;
    char text[16];
    size_t got = 0;
    file_close(&file); /* all zero: standard input stays open */
    assert_true(fcntl(0, F_GETFD) >= 0 || errno == EBADF);
    write_file("a", "0123456789");
    assert_int_equal(file_open(&file, in_folder("a"), FILE_UPDATE, &err), HAUL_OK);
    assert_int_equal(file_read_at(&file, 8, text, sizeof text, &got, &err), HAUL_OK);
    assert_int_equal(got, 2);
    assert_int_equal(file_read_at(&file, 100, text, sizeof text, &got, &err), HAUL_OK);
    assert_int_equal(got, 0);
    assert_int_equal(file_read(&file, text, 4, &got, &err), HAUL_OK);
    assert_memory_equal(text, "0123", got);
    assert_int_equal(file_identify(&file, &first, &err), HAUL_OK);
    assert_int_equal(first.size, 10);
    assert_int_equal(file_write_at(&file, 12, "x", 1, &err), HAUL_OK);
    assert_int_equal(file_truncate(&file, 11, &err), HAUL_OK);
    assert_int_equal(path_identify(in_folder("a"), &second, &err), HAUL_OK);
    assert_int_equal(second.size, 11);
    assert_int_equal(second.inode, first.inode);
    assert_int_equal(file_close_checked(&file, &err), HAUL_OK);
    assert_int_equal(file_close_checked(&file, &err), HAUL_OK);
    file_close(&file);

    assert_int_equal(file_open(&file, in_folder("log"), FILE_APPEND, &err), HAUL_OK);
    assert_int_equal(file_write(&file, "one", 3, &err), HAUL_OK);
    file_close(&file);
    assert_int_equal(file_open(&file, in_folder("log"), FILE_APPEND, &err), HAUL_OK);
    assert_int_equal(file_write(&file, "two", 3, &err), HAUL_OK);
    file_close(&file);
    assert_content("log", "onetwo");
}

static void creation_never_replaces(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct file file = {0};
    struct stat facts;
    write_file("new", "old");
    assert_int_equal(file_open(&file, in_folder("new"), FILE_CREATE, &err), HAUL_EXISTS);
    assert_non_null(strstr(err.message, in_folder("new")));
    assert_int_equal(symlink(in_folder("elsewhere"), in_folder("link")), 0);
    assert_int_equal(file_open(&file, in_folder("link"), FILE_CREATE_PRIVATE, &err), HAUL_EXISTS);
    assert_false(path_exists(in_folder("elsewhere")));
    mode_t mask = umask(027);
    assert_int_equal(file_open(&file, in_folder("public"), FILE_CREATE, &err), HAUL_OK);
    assert_int_equal(fstat(file.fd, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0640);
    file_close(&file);
    assert_int_equal(file_open(&file, in_folder("private"), FILE_CREATE_PRIVATE, &err), HAUL_OK);
    assert_int_equal(fstat(file.fd, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    file_close(&file);
    umask(mask);
}

static void errors_name_the_path(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct file file = {0};
    struct file_identity identity;
    assert_int_equal(file_open(&file, in_folder("none"), FILE_READ, &err), HAUL_NOT_FOUND);
    assert_non_null(strstr(err.message, in_folder("none")));
    assert_int_equal(file_open(&file, in_folder("none"), FILE_UPDATE, &err), HAUL_NOT_FOUND);
    assert_int_equal(path_identify(in_folder("none"), &identity, &err), HAUL_NOT_FOUND);
    assert_int_equal(file_open(&file, folder, FILE_READ, &err), HAUL_USAGE);
    assert_non_null(strstr(err.message, folder));
    assert_null(file.path);
    assert_int_equal(path_list(in_folder("none"), remove_each, NULL, &err), HAUL_NOT_FOUND);
    assert_int_equal(path_sync_folder(in_folder("none"), &err), HAUL_NOT_FOUND);
    assert_int_equal(path_rename(in_folder("none"), in_folder("x"), true, &err), HAUL_NOT_FOUND);
    assert_int_equal(path_remove(in_folder("none"), &err), HAUL_OK);
    assert_int_equal(path_remove_folder(in_folder("none"), &err), HAUL_OK);
}

static void a_full_disk_is_said(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct file file = {0}, from = {0};
    if (!path_exists("/dev/full"))
        skip();
    assert_int_equal(file_open(&file, "/dev/full", FILE_UPDATE, &err), HAUL_OK);
    assert_int_equal(file_write(&file, "x", 1, &err), HAUL_SPACE);
    assert_int_equal(err.vendor_code, ENOSPC);
    assert_non_null(strstr(err.message, "/dev/full"));
    assert_int_equal(file_write_at(&file, 0, "x", 1, &err), HAUL_SPACE);
    write_file("source", "text");
    assert_int_equal(file_open(&from, in_folder("source"), FILE_READ, &err), HAUL_OK);
    assert_int_equal(file_copy_range(&from, 0, 4, &file, &err), HAUL_SPACE);
    file_close(&from);
    file_close(&file);
}

static void copies_ranges_to_the_end(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct file from = {0}, to = {0}, log = {0};
    write_file("from", "0123456789");
    assert_int_equal(file_open(&from, in_folder("from"), FILE_READ, &err), HAUL_OK);
    assert_int_equal(file_open(&to, in_folder("to"), FILE_CREATE, &err), HAUL_OK);
    assert_int_equal(file_write(&to, "<", 1, &err), HAUL_OK);
    assert_int_equal(file_copy_range(&from, 3, 4, &to, &err), HAUL_OK);
    assert_int_equal(file_write(&to, ">", 1, &err), HAUL_OK);
    assert_content("to", "<3456>");
    assert_int_equal(file_copy_range(&from, 8, 4, &to, &err), HAUL_CHANGED);
    assert_non_null(strstr(err.message, "2 bytes early"));
    assert_int_equal(file_open(&log, in_folder("appended"), FILE_APPEND, &err), HAUL_OK);
    assert_int_equal(file_copy_range(&from, 0, 2, &log, &err), HAUL_OK); /* not by copy_file_range */
    assert_content("appended", "01");
    file_close(&log);
    file_close(&from);
    file_close(&to);
}

static void renames_without_replacing(void **state)
{
    (void)state;
    struct haul_error err = {0};
    write_file("r1", "one");
    write_file("r2", "two");
    assert_int_equal(path_rename(in_folder("r1"), in_folder("r2"), false, &err), HAUL_EXISTS);
    assert_content("r1", "one");
    assert_content("r2", "two");
    assert_int_equal(path_rename(in_folder("r1"), in_folder("r3"), false, &err), HAUL_OK);
    assert_false(path_exists(in_folder("r1")));
    assert_int_equal(path_rename(in_folder("r3"), in_folder("r2"), true, &err), HAUL_OK);
    assert_content("r2", "one");
}

static void locks_exclude(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct file one = {0}, two = {0};
    write_file("lock", "");
    assert_int_equal(file_open(&one, in_folder("lock"), FILE_UPDATE, &err), HAUL_OK);
    assert_int_equal(file_open(&two, in_folder("lock"), FILE_UPDATE, &err), HAUL_OK);
    assert_int_equal(file_lock(&one, &err), HAUL_OK);
    assert_int_equal(file_lock(&two, &err), HAUL_BUSY);
    assert_non_null(strstr(err.message, "lock"));
    file_close(&one);
    assert_int_equal(file_lock(&two, &err), HAUL_OK);
    file_close(&two);
}

static void spill_files_have_no_name(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct file file = {0};
    struct stat facts;
    assert_int_equal(file_open(&file, folder, FILE_UNLINKED, &err), HAUL_OK);
    assert_int_equal(file_write(&file, "spilled", 7, &err), HAUL_OK);
    assert_int_equal(fstat(file.fd, &facts), 0);
    assert_int_equal(facts.st_nlink, 0);
    assert_int_equal(facts.st_size, 7);
    file_close(&file);
    assert_int_equal(file_open(&file, in_folder("no-such"), FILE_UNLINKED, &err), HAUL_NOT_FOUND);
}

static void pipes(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct file in = {0};
    int ends[2];
    bool ready = true;
    char text[8];
    size_t got = 0;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(file_adopt(&in, ends[0], "standard input", &err), HAUL_OK);
    assert_int_equal(file_wait(&in, 5, &ready, &err), HAUL_OK);
    assert_false(ready);
    assert_int_equal(write(ends[1], "abc", 3), 3);
    assert_int_equal(file_wait(&in, 1000, &ready, &err), HAUL_OK);
    assert_true(ready);
    assert_int_equal(file_read(&in, text, sizeof text, &got, &err), HAUL_OK);
    assert_int_equal(got, 3);
    close(ends[1]);
    assert_int_equal(file_wait(&in, 1000, &ready, &err), HAUL_OK);
    assert_true(ready);
    assert_int_equal(file_read(&in, text, sizeof text, &got, &err), HAUL_OK);
    assert_int_equal(got, 0);
    assert_int_equal(file_sync(&in, &err), HAUL_OK);
    file_close(&in);
    assert_int_equal(fcntl(ends[0], F_GETFD), 0); /* the caller's own stays open */
    close(ends[0]);
    assert_int_equal(file_adopt(&in, 9999, "no such", &err), HAUL_IO);
}

struct seen {
    char text[64];
    int count, stop_after;
};

static enum haul_code see(void *user, const char *name, struct haul_error *err)
{
    struct seen *seen = user;
    if (seen->stop_after && seen->count == seen->stop_after)
        return error_set(err, HAUL_CANCELLED, "enough");
    seen->count++;
    strcat(seen->text, name);
    strcat(seen->text, " ");
    return HAUL_OK;
}

static void folders(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct seen seen = {0}, cut = {.stop_after = 1};
    char inner[512];
    (void)snprintf(inner, sizeof inner, "%s", in_folder("inner"));
    assert_int_equal(path_make_folder_private(inner, &err), HAUL_OK);
    assert_int_equal(path_make_folder_private(inner, &err), HAUL_OK);
    assert_true(path_is_folder(inner));
    write_file("inner/b", "");
    write_file("inner/a", "");
    write_file("inner/\xc3\xa9", "");
    write_file("inner/B", "");
    assert_int_equal(path_list(inner, see, &seen, &err), HAUL_OK);
    assert_string_equal(seen.text, "B a b \xc3\xa9 ");
    assert_int_equal(path_list(inner, see, &cut, &err), HAUL_CANCELLED);
    assert_int_equal(cut.count, 1);
    assert_int_equal(path_remove_folder(inner, &err), HAUL_EXISTS);
    assert_int_equal(path_remove(in_folder("inner/a"), &err), HAUL_OK);
    assert_int_equal(path_remove(in_folder("inner/b"), &err), HAUL_OK);
    assert_int_equal(path_remove(in_folder("inner/B"), &err), HAUL_OK);
    assert_int_equal(path_remove(in_folder("inner/\xc3\xa9"), &err), HAUL_OK);
    assert_int_equal(path_remove_folder(inner, &err), HAUL_OK);
    write_file("plain", "");
    assert_int_equal(path_make_folder(in_folder("plain"), &err), HAUL_EXISTS);
    assert_int_equal(path_make_folder(in_folder("plain/x"), &err), HAUL_NOT_FOUND);
    assert_false(path_is_folder(in_folder("plain")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes),
        cmocka_unit_test(creation_never_replaces),
        cmocka_unit_test(errors_name_the_path),
        cmocka_unit_test(a_full_disk_is_said),
        cmocka_unit_test(copies_ranges_to_the_end),
        cmocka_unit_test(renames_without_replacing),
        cmocka_unit_test(locks_exclude),
        cmocka_unit_test(spill_files_have_no_name),
        cmocka_unit_test(pipes),
        cmocka_unit_test(folders),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_clear);
}
