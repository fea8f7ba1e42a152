/*
 * Each allocation of the ground floor fails once: the call says so, nothing is
 * lost or leaked, and the same call succeeds afterwards. Linked with --wrap for
 * the allocation calls, so that the n-th of them fails, and for those system
 * calls of the file door that do not fail on their own.
 */
#include "../support/failing.h"
#include "base/buffer.h"
#include "base/collector.h"
#include "base/file.h"
#include "base/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>

#define WRAP(result, name, failure, arguments, values)                                                       \
    result __real_##name arguments;                                                                          \
    result __wrap_##name arguments;                                                                          \
    result __wrap_##name arguments                                                                           \
    {                                                                                                        \
        return failing_now(ENOMEM) ? failure : __real_##name values;                                         \
    }

#define MMAP        (void *at, size_t size, int protection, int flags, int fd, off_t offset)
#define MMAP_VALUES (at, size, protection, flags, fd, offset)

WRAP(void *, mmap, MAP_FAILED, MMAP, MMAP_VALUES)
WRAP(void *, mmap64, MAP_FAILED, MMAP, MMAP_VALUES) /* what it is called where offsets have 64 bits */
WRAP(void *, mremap, MAP_FAILED, (void *block, size_t old_size, size_t new_size, int flags),
     (block, old_size, new_size, flags))

/* ---- System calls of the file door ---- */

static int rename_errno, sync_errno, syncs; /* 0: the real call */

int __real_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags);
int __wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags);
int __real_fsync(int fd);
int __wrap_fsync(int fd);

int __wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    if (!rename_errno)
        return __real_renameat2(from_fd, from, to_fd, to, flags);
    errno = rename_errno;
    return -1;
}

int __wrap_fsync(int fd)
{
    syncs++;
    if (!sync_errno)
        return __real_fsync(fd);
    errno = sync_errno;
    return -1;
}

static void touch(const char *path)
{
    struct haul_error err = {0};
    struct file file = {0};
    assert_int_equal(file_open(&file, path, FILE_CREATE, &err), HAUL_OK);
    file_close(&file);
}

static void renames_without_the_system_call(void **state)
{
    (void)state;
    struct haul_error err = {0};
    char folder[] = "/tmp/haul-failing-XXXXXX", a[64], b[64], c[64];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(a, sizeof a, "%s/a", folder);
    (void)snprintf(b, sizeof b, "%s/b", folder);
    (void)snprintf(c, sizeof c, "%s/c", folder);
    touch(a);
    touch(b);
    static const int missing[] = {EINVAL, ENOSYS};
    for (int i = 0; i < 2; i++) {
        rename_errno = missing[i];
        assert_int_equal(path_rename(a, b, false, &err), HAUL_EXISTS);
        assert_true(path_exists(a) && path_exists(b));
        assert_int_equal(path_rename(a, c, false, &err), HAUL_OK);
        assert_true(!path_exists(a) && path_exists(c));
        assert_int_equal(path_rename(c, a, false, &err), HAUL_OK);
    }
    rename_errno = EIO;
    assert_int_equal(path_rename(a, c, false, &err), HAUL_IO);
    assert_true(path_exists(a) && !path_exists(c));
    rename_errno = 0;
    sync_errno = EIO;
    assert_int_equal(path_rename(a, c, false, &err), HAUL_IO); /* done, but not known to last */
    sync_errno = 0;
    assert_int_equal(path_remove(b, &err), HAUL_OK);
    assert_int_equal(path_remove(c, &err), HAUL_OK);
    assert_int_equal(path_remove_folder(folder, &err), HAUL_OK);
}

static void a_failed_sync_is_final(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct file file = {0};
    assert_int_equal(file_open(&file, "/tmp", FILE_UNLINKED, &err), HAUL_OK);
    sync_errno = EIO;
    syncs = 0;
    assert_int_equal(file_sync(&file, &err), HAUL_IO);
    assert_int_equal(syncs, 1);
    sync_errno = 0;
    file_close(&file);
}

typedef enum haul_code (*scene_fn)(struct haul_error *err);

/* Plays the scene with its first allocation failing, then its second, ... until
 * none is left to fail. One failure alone may be survived (a buffer tries a
 * smaller growth); when all after it fail too, it must be told. */
static void play_failing(scene_fn scene, bool on, int least)
{
    int failures = 0;
    for (long n = 0; n < 10000; n++, failures++) {
        struct haul_error err = {0};
        failing_begin(n, on);
        enum haul_code code = scene(&err);
        if (!failing_end()) {
            assert_int_equal(code, HAUL_OK);
            break;
        }
        if (code == HAUL_OK && !on)
            continue;
        assert_int_equal(code, HAUL_NOMEM);
        assert_int_equal(err.code, HAUL_NOMEM);
        assert_int_not_equal(strlen(err.message), 0);
    }
    assert_in_range(failures, least, 9999);
}

static void play(scene_fn scene, int least)
{
    play_failing(scene, false, least);
    play_failing(scene, true, least);
}

static enum haul_code buffer_fill(struct memory *memory, struct haul_error *err)
{
    struct buffer buffer;
    char block[3000];
    memset(block, 'x', sizeof block);
    buffer_init(&buffer, memory);
    enum haul_code code = HAUL_OK;
    for (int i = 0; !code && i < 300; i++) {
        size_t before = buffer.length;
        code = buffer_append(&buffer, block, sizeof block, err);
        assert_int_equal(buffer.length, code ? before : before + sizeof block);
    }
    if (!code)
        code = buffer_printf(&buffer, err, "%d", 7);
    buffer_release(&buffer);
    assert_int_equal(memory_used(memory), 0);
    return code;
}

static enum haul_code buffers_scene(struct haul_error *err)
{
    struct memory *root = NULL, *share = NULL;
    enum haul_code code = memory_open(&root, (size_t)16 << 20, 1, err);
    if (!code)
        code = memory_share(root, &share, err);
    if (!code)
        code = buffer_fill(share, err);
    memory_close(share);
    memory_close(root);
    return code;
}

static enum haul_code options_scene(struct haul_error *err)
{
    static const struct haul_option table[] = {{"a", 0, HAUL_OPTION_TEXT, 1, "", "", NULL, ""}};
    struct settings settings = {0};
    char text[5000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    enum haul_code code = settings_init(&settings, table, 1, err);
    if (!code)
        code = settings_set(&settings, "a", text, err);
    if (!code && strcmp(settings_text(&settings, "a"), text) != 0)
        code = HAUL_INTERNAL;
    settings_release(&settings);
    return code;
}

static enum haul_code rejects_scene(struct haul_error *err)
{
    struct reject_limit limit = {.max = -1};
    struct collector collector = {.limit = &limit};
    const struct reject reject = {.column = "c", .reason = "bad", .value = "v", .value_length = 1};
    enum haul_code code = HAUL_OK;
    for (int i = 0; !code && i < 50; i++) {
        code = collector_reject(&collector, HAUL_DATA, &reject, err);
        if (!code)
            code = collector_loss(&collector, "c", i % 2 ? "offset" : "digit", 1, err);
    }
    int64_t count = 0;
    for (const struct reject_node *node = collector.rejects; node; node = node->next)
        count++;
    assert_int_equal(count, collector.reject_count);
    collector_release(&collector);
    return code;
}

static enum haul_code ignore_name(void *user, const char *name, struct haul_error *err)
{
    (void)user;
    (void)name;
    (void)err;
    return HAUL_OK;
}

static enum haul_code files_scene(struct haul_error *err)
{
    struct file from = {0}, to = {0};
    enum haul_code code = file_open(&from, "/proc/self/stat", FILE_READ, err);
    if (!code)
        code = file_open(&to, "/dev/null", FILE_UPDATE, err);
    if (!code)
        code = file_copy_range(&from, 0, 10, &to, err);
    if (!code)
        code = path_list("/proc/self", ignore_name, NULL, err);
    file_close(&from);
    file_close(&to);
    return code;
}

static void buffers(void **state)
{
    (void)state;
    play(buffers_scene, 8);
}

static void options(void **state)
{
    (void)state;
    play(options_scene, 2);
}

static void rejects(void **state)
{
    (void)state;
    play(rejects_scene, 3);
}

static void files(void **state)
{
    (void)state;
    play(files_scene, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffers),
        cmocka_unit_test(options),
        cmocka_unit_test(rejects),
        cmocka_unit_test(files),
        cmocka_unit_test(renames_without_the_system_call),
        cmocka_unit_test(a_failed_sync_is_final),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
