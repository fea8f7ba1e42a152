/*
 * A small run from two files to one file, and to a folder, in which the n-th call
 * of the machine fails: an allocation, an open, read, write, sync, rename. The
 * run says so, leaves nothing half-done under a final name, and the next process
 * finishes what the receipts say is missing: the same bytes as an undisturbed
 * run, no other file left. Linked with --wrap for these calls; with 64-bit
 * offsets the C library's headers turn open into open64, and so on.
 */
#include "../support/failing.h"
#include "../store/folder.h"
#include "base/settings.h"
#include "format/file_sink.h"
#include "format/file_source.h"
#include "lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/mman.h>

/* ---- calls that fail ---- */

#define WRAP(result, name, failure, errnum, arguments, values)                                               \
    result __real_##name arguments;                                                                          \
    result __wrap_##name arguments;                                                                          \
    result __wrap_##name arguments                                                                           \
    {                                                                                                        \
        return failing_now(errnum) ? failure : __real_##name values;                                         \
    }

WRAP(void *, mmap64, MAP_FAILED, ENOMEM,
     (void *at, size_t size, int protection, int flags, int fd, off_t offset),
     (at, size, protection, flags, fd, offset))
WRAP(int, open64, -1, EIO, (const char *path, int flags, mode_t mode), (path, flags, mode))
WRAP(ssize_t, pread64, -1, EIO, (int fd, void *data, size_t length, off_t offset), (fd, data, length, offset))
WRAP(ssize_t, pwrite64, -1, ENOSPC, (int fd, const void *data, size_t length, off_t offset),
     (fd, data, length, offset))
WRAP(int, ftruncate64, -1, EIO, (int fd, off_t size), (fd, size))
WRAP(int, rename, -1, EIO, (const char *from, const char *to), (from, to))
WRAP(int, renameat2, -1, EIO, (int from_fd, const char *from, int to_fd, const char *to, unsigned flags),
     (from_fd, from, to_fd, to, flags))
WRAP(int, unlink, -1, EIO, (const char *path), (path))
WRAP(int, mkdir, -1, EIO, (const char *path, mode_t mode), (path, mode))

/* Never really done: nobody cuts the power, and there are thousands. */
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    (void)fd;
    return failing_now(EIO) ? -1 : 0;
}

/* ---- a run ---- */

#define PARTS 5

static const struct haul_option options[] = {
    {.name = "files", .kind = HAUL_OPTION_NUMBER},
    {.name = "manifest-filename", .kind = HAUL_OPTION_PATH},
    {.name = "timestamps", .kind = HAUL_OPTION_TEXT, .preset = "us"},
    {.name = "uuid", .kind = HAUL_OPTION_TEXT, .preset = "binary"},
};

static struct context context;
static struct settings settings;

/* The journal survives the process; its texts need no allocation. */
static struct receipt journal[PARTS];
static char journal_texts[PARTS][128];
static size_t journal_count;

struct run {
    struct source *source;
    struct sink *sink;
    struct source_info info;
    struct sink_terms terms;
    struct arena arena;
    struct part parts[PARTS];
};

static void run_release(struct run *run)
{
    sink_terms_release(&run->terms);
    source_info_release(&run->info);
    if (run->sink)
        run->sink->ops->close(run->sink);
    if (run->source)
        run->source->ops->close(run->source);
    arena_release(&run->arena);
}

static enum haul_code run_plan(struct run *run, const char *target, enum sink_mode mode,
                               struct haul_error *err)
{
    struct source_request request = {0};
    const struct split_request split = {.part_rows = -1, .part_bytes = -1};
    enum haul_code code =
        file_source_open(in_folder("p*.lines"), test_formats, NULL, &context, &request, &run->source, err);
    if (!code)
        code = run->source->ops->describe(run->source, &run->info, err);
    if (!code)
        code = file_sink_open(in_folder(target), test_formats, NULL, &context, &run->sink, err);
    struct sink_request wanted = {.mode = mode, .source = &run->info};
    if (!code)
        code = run->sink->ops->negotiate(run->sink, &wanted, &run->terms, err);
    if (code == HAUL_EXISTS && journal_count) /* it may be our own */
        code = HAUL_OK;
    bool more = true;
    for (int i = 0; i < PARTS && !code; i++) {
        code = run->source->ops->split(run->source, &split, &run->arena, &run->parts[i], &more, err);
        assert_true(code || more);
    }
    return code;
}

static enum haul_code part_copy(struct run *run, const struct part *part, struct writer *writer,
                                int64_t *rows, struct haul_error *err)
{
    struct reader *reader = NULL;
    bool end = false;
    enum haul_code code = run->source->ops->open(run->source, &context, part, 0, &reader, err);
    while (!code && !end) {
        struct batch batch = {0};
        code = reader->ops->next(reader, 1, &batch, &end, err);
        if (!code && !end)
            code = writer->ops->write(writer, &batch, err);
        *rows += batch.array.length;
        batch_release(&batch);
    }
    if (reader)
        reader->ops->close(reader);
    return code;
}

static enum haul_code part_run(struct run *run, const struct part *part, struct haul_error *err)
{
    struct unit unit = {.part = part->index, .parts = PARTS};
    struct receipt receipt = {0};
    struct claim claim = {.state = UNIT_BUSY};
    int64_t rows = 0;
    enum haul_code code = run->sink->ops->open(run->sink, &context, &unit, &claim, err);
    if (code || claim.state == UNIT_DONE)
        return code;
    code = part_copy(run, part, claim.writer, &rows, err);
    receipt = (struct receipt){.unit = unit, .rows = rows, .rows_offered = rows, .last = true};
    if (!code)
        code = claim.writer->ops->commit(claim.writer, &receipt, &run->arena, err);
    if (code) {
        claim.writer->ops->abort(claim.writer);
        return code;
    }
    size_t place = 0;
    while (place < journal_count && journal[place].unit.part != unit.part)
        place++;
    assert_true(place < PARTS);
    snprintf(journal_texts[place], sizeof journal_texts[0], "%s", receipt.text);
    journal[place] = receipt;
    journal[place].text = journal_texts[place];
    journal_count += place == journal_count;
    return HAUL_OK;
}

static enum haul_code run_all(const char *target, enum sink_mode mode, struct haul_error *err)
{
    struct run run = {0};
    struct run_record record = {.name = "h1", .receipts = journal, .receipt_count = journal_count};
    enum haul_code code = run_plan(&run, target, mode, err);
    if (!code)
        code = run.sink->ops->prepare(run.sink, &context, &record, err);
    for (int i = 0; i < PARTS && !code; i++)
        code = part_run(&run, &run.parts[i], err);
    if (!code)
        code = run.sink->ops->finish(run.sink, &record, "{\"entries\":[],\"files\":[]}", err);
    run_release(&run);
    return code;
}

/* ---- the tests ---- */

static void begin(const char *files)
{
    struct haul_error err = {0};
    folder_make();
    context_init(&context);
    assert_int_equal(settings_init(&settings, options, sizeof options / sizeof options[0], &err), HAUL_OK);
    if (files)
        assert_int_equal(settings_set(&settings, "files", files, &err), HAUL_OK);
    context.settings = &settings;
    journal_count = 0;
    file_put("p1.lines", "LINES a:utf8,b:int64\na,1\nb,2\nc,3\n");
    file_put("p2.lines", "LINES a:utf8,b:int64\nd,4\ne,5\nf,6\ng,7\nh,8\n");
    mkdir(in_folder("out"), 0700);
}

static void end(void)
{
    settings_release(&settings);
    folder_remove();
    assert_int_equal(lines_inputs_open, 0);
}

#define SINGLE "LINES a:utf8,b:int64\na,1\nb,2\nc,3\nd,4\ne,5\nf,6\ng,7\nh,8\nEND 5 8\n"
#define FIRST  "LINES a:utf8,b:int64\na,1\nb,2\nc,3\nd,4\ne,5\nEND 3 5\n"
#define SECOND "LINES a:utf8,b:int64\nf,6\ng,7\nh,8\nEND 2 3\n"

static void expect_single(void)
{
    assert_string_equal(file_get("out/o.lines"), SINGLE);
    assert_int_equal(folder_count("out"), 1);
}

static void expect_folder(void)
{
    assert_string_equal(file_get("out/p_part_00000.lines"), FIRST);
    assert_string_equal(file_get("out/p_part_00001.lines"), SECOND);
    assert_non_null(strstr(file_get("out/p_manifest.json"), "00001.lines\",\"rows\":3,"));
    assert_int_equal(folder_count("out"), 3);
}

struct scene {
    const char *target, *files;
    enum sink_mode mode;
    void (*expect)(void);
};

/* Whatever stands under a final name is whole. */
static void expect_nothing_half(void)
{
    static const char *const names[] = {"out/o.lines", "out/p_part_00000.lines", "out/p_part_00001.lines"};
    for (int i = 0; i < 3; i++) {
        const char *text = file_get(names[i]);
        if (strcmp(text, "(absent)") != 0)
            assert_non_null(strstr(text, "\nEND "));
    }
}

static void each_call_fails_once(const struct scene *scene)
{
    int failures = 0;
    for (long n = 0; n < 5000; n++) {
        struct haul_error err = {0}, again = {0};
        begin(scene->files);
        failing_begin(n, false);
        enum haul_code code = run_all(scene->target, scene->mode, &err);
        bool failed = failing_end();
        if (code) {
            failures++;
            assert_int_equal(code, err.code);
            assert_true(err.message[0] != '\0' && failed);
            expect_nothing_half();
            if (run_all(scene->target, scene->mode, &again))
                fail_msg("call %ld failed (%s), then: %s", n, err.message, again.message);
        }
        scene->expect();
        end();
        if (!failed) {
            assert_true(failures > 100);
            printf("# %s: %d of %ld calls stopped the run\n", scene->target, failures, n);
            return;
        }
    }
    fail_msg("no end");
}

static void to_one_file(void **state)
{
    (void)state;
    each_call_fails_once(&(struct scene){"out/o.lines", NULL, SINK_CREATE, expect_single});
}

static void to_a_folder(void **state)
{
    (void)state;
    each_call_fails_once(&(struct scene){"out/", "2", SINK_CREATE, expect_folder});
}

static void to_a_folder_appending(void **state)
{
    (void)state;
    each_call_fails_once(&(struct scene){"out/", "2", SINK_APPEND, expect_folder});
}

static void to_a_folder_replacing(void **state)
{
    (void)state;
    each_call_fails_once(&(struct scene){"out/", "2", SINK_REPLACE, expect_folder});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(to_one_file),
        cmocka_unit_test(to_a_folder),
        cmocka_unit_test(to_a_folder_appending),
        cmocka_unit_test(to_a_folder_replacing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
