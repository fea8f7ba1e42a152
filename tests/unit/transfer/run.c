/* run.c: whole runs over the fakes: new, continued, refused, failing, dying. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// clang-format off
#include <cmocka.h>
// clang-format on
#include "base/file.h"
#include "fake.h"
#include <stdio.h>
#include <stdlib.h>

#define NONE ((const char *const[]){NULL})

static struct world *world;
static char home[128];

static int setup(void **state)
{
    (void)state;
    world = world_new();
    home_make(home);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_free(world);
    home_remove(home);
    return 0;
}

/* Every row that should be in is in once, all others not at all. */
static void assert_exact(void)
{
    for (int64_t id = 0; id < world->rows; id++) {
        bool out = (world->bad_every && id % world->bad_every == 0) ||
                   (world->refuse_every && id % world->refuse_every == 0);
        if (world->seen[id] != !out)
            fail_msg("row %lld is in %d times", (long long)id, world->seen[id]);
    }
}

static void assert_finished(void)
{
    assert_exact();
    assert_true(world->published);
    assert_int_equal(home_count(home), 0);
}

static void use_file(void)
{
    world->part_is_unit = world->ordered = true;
}

static void use_ledger(void)
{
    world->ledger = true;
    world->writers_max = 1;
}

static void test_file(void **state)
{
    struct job job;
    (void)state;
    use_file();
    assert_int_equal(job_once(&job, world, home, NONE), HAUL_OK);
    assert_finished();
    assert_int_equal(job.result.rows, 1000);
    assert_int_equal(job.result.rows_resumed, 0);
    assert_int_equal(job.result.bytes_written, 10000);
    assert_int_equal(job.result.bytes_read, 20000);
    assert_int_equal(world->commits, 4);
    assert_int_equal(job.events[HAUL_EVENT_START], 1);
    assert_int_equal(job.events[HAUL_EVENT_FINISH], 1);
    assert_true(job.events[HAUL_EVENT_PROGRESS] > 0);
    assert_int_equal(job.result.run[0], 'h');
    assert_int_equal(strlen(job.result.run), 16);
}

static void test_ledger_units(void **state)
{
    struct job job;
    char hash[33];
    (void)state;
    use_ledger();
    assert_int_equal(job_once(&job, world, home, (const char *const[]){"unit-rows", "130", NULL}), HAUL_OK);
    assert_finished();
    assert_int_equal(world->commits, 3 * 3 + 1);
    memcpy(hash, job.result.hash, sizeof hash);
    for (int i = 0; i < WORLD_UNITS_MAX; i++)
        if (world->units[i].in)
            assert_int_equal(world->units[i].first_row % 130, 0);
    /* the same rows have the same hash, whoever carries them in whatever units */
    world->made = world->published = world->finished = false;
    memset(world->units, 0, sizeof world->units);
    memset(world->seen, 0, sizeof world->seen);
    world->plan[0] = 0;
    assert_int_equal(job_once(&job, world, home, (const char *const[]){"workers", "1", NULL}), HAUL_OK);
    assert_finished();
    assert_string_equal(job.result.hash, hash);
    assert_int_equal(world->commits, 10 + 4);
}

static void test_empty(void **state)
{
    struct job job;
    (void)state;
    world->rows = 0;
    use_file();
    assert_int_equal(job_once(&job, world, home, NONE), HAUL_OK);
    assert_int_equal(world->commits, 1);
    assert_finished();
}

/* Exactly on a unit's end: no empty unit follows. */
static void test_boundary(void **state)
{
    struct job job;
    (void)state;
    use_ledger();
    world->rows = 600;
    assert_int_equal(job_once(&job, world, home, (const char *const[]){"unit-rows", "100", NULL}), HAUL_OK);
    assert_int_equal(world->commits, 6);
    assert_finished();
}

static void test_limit(void **state)
{
    struct job job;
    (void)state;
    for (int64_t limit = 0; limit <= 1001;
         limit += limit == 299 || limit == 300 || limit == 999 || limit == 1000 ? 1 : 299) {
        char text[24];
        teardown(NULL);
        setup(NULL);
        use_file();
        (void)snprintf(text, sizeof text, "%lld", (long long)limit);
        assert_int_equal(job_once(&job, world, home, (const char *const[]){"limit", text, NULL}), HAUL_OK);
        int64_t expected = limit < 1000 ? limit : 1000;
        assert_int_equal(job.result.rows, expected);
        for (int64_t id = 0; id < 1000; id++)
            assert_int_equal(world->seen[id], id < expected);
        assert_int_equal(home_count(home), 0);
    }
}

/* ---- dying ---- */

/* Dies at every step in turn; the next run must end with every row in once. */
static void die_everywhere(const char *const *options)
{
    int steps = 1;
    for (;; steps++) {
        teardown(NULL);
        setup(NULL);
        extern void (*world_shape)(void);
        world_shape();
        world->die_at = steps;
        int code = job_in_child(world, home, options);
        if (code == HAUL_OK)
            break;
        assert_int_equal(code, WORLD_DIED);
        world->die_at = 0;
        bool published = world->published;
        code = job_in_child(world, home, options);
        if (published && code == HAUL_EXISTS)
            code = HAUL_OK; /* it was all done: the second is a new run, which the mode forbids */
        assert_int_equal(code, HAUL_OK);
        assert_exact();
        assert_true(world->published);
        assert_int_equal(world->removed, 0);
        if (!published)
            assert_int_equal(home_count(home), 0);
    }
    assert_true(steps > 20);
    assert_finished();
}
void (*world_shape)(void);

static void shape_file(void)
{
    use_file();
    world->rows = 700;
}

static void shape_folder(void)
{
    use_file();
    world->ordered = false;
    world->rows = 700;
}

static void shape_ledger(void)
{
    use_ledger();
    world->rows = 700;
}

static void shape_cut(void)
{
    use_file();
    world->one_part = true;
    world->rows = 700;
    world->part_rows_wish = 200;
}

static void test_die_file(void **state)
{
    (void)state;
    world_shape = shape_file;
    die_everywhere((const char *const[]){"workers", "2", NULL});
}

static void test_die_folder(void **state)
{
    (void)state;
    world_shape = shape_folder;
    die_everywhere((const char *const[]){"workers", "2", NULL});
}

static void test_die_ledger(void **state)
{
    (void)state;
    world_shape = shape_ledger;
    die_everywhere((const char *const[]){"unit-rows", "128", "workers", "2", NULL});
}

static void test_die_cut(void **state)
{
    (void)state;
    world_shape = shape_cut;
    die_everywhere((const char *const[]){"workers", "2", "rowgroup-size", "200", NULL});
}

static void test_die_limit(void **state)
{
    (void)state;
    use_file();
    world->die_at = 12;
    assert_int_equal(job_in_child(world, home, (const char *const[]){"limit", "650", NULL}), WORLD_DIED);
    world->die_at = 0;
    assert_int_equal(job_in_child(world, home, (const char *const[]){"limit", "650", NULL}), HAUL_OK);
    for (int64_t id = 0; id < 1000; id++)
        assert_int_equal(world->seen[id], id < 650);
}

/* ---- deciding ---- */

/* With one worker, so that it is known what was in. */
static void die_half_way(const char *const *options)
{
    const char *all[24] = {"workers", "1"};
    for (int i = 0; options[i]; i++)
        all[i + 2] = options[i];
    world->die_at = 30;
    assert_int_equal(job_in_child(world, home, all), WORLD_DIED);
    world->die_at = 0;
}

static void test_continued_says_so(void **state)
{
    struct job job;
    (void)state;
    use_file();
    die_half_way(NONE);
    assert_int_equal(job_once(&job, world, home, NONE), HAUL_OK);
    assert_true(job.result.rows_resumed > 0);
    assert_finished();
}

static void test_changed_source(void **state)
{
    struct job job;
    (void)state;
    use_file();
    die_half_way(NONE);
    (void)snprintf(world->identity, sizeof world->identity, "v2");
    assert_int_equal(job_once(&job, world, home, NONE), HAUL_OK);
    assert_int_equal(job.result.rows_resumed, 0);
    assert_int_equal(world->removed, 1);
    assert_finished();
}

static void test_changed_but_static(void **state)
{
    struct job job;
    (void)state;
    use_file();
    die_half_way(NONE);
    (void)snprintf(world->identity, sizeof world->identity, "v2");
    assert_int_equal(job_once(&job, world, home, (const char *const[]){"static-source", "true", NULL}),
                     HAUL_OK);
    assert_true(job.result.rows_resumed > 0);
    assert_finished();
}

static void test_changed_append(void **state)
{
    struct job job;
    const char *const append[] = {"mode", "append", "unit-rows", "100", NULL};
    (void)state;
    use_ledger();
    die_half_way(append);
    (void)snprintf(world->identity, sizeof world->identity, "v2");
    assert_int_equal(job_once(&job, world, home, append), HAUL_CHANGED);
    assert_non_null(strstr(job.err.message, "--static-source"));
    assert_non_null(strstr(job.err.message, "--restart"));
    assert_int_equal(world->removed, 0);
}

static void test_restart(void **state)
{
    struct job job;
    (void)state;
    use_ledger();
    die_half_way((const char *const[]){"unit-rows", "100", NULL});
    assert_int_equal(
        job_once(&job, world, home, (const char *const[]){"unit-rows", "100", "restart", "true", NULL}),
        HAUL_OK);
    assert_int_equal(job.result.rows_resumed, 0);
    assert_int_equal(world->removed, 1);
    assert_finished();
}

static void test_name_of_other_job(void **state)
{
    struct job job;
    (void)state;
    use_file();
    die_half_way((const char *const[]){"run", "nightly", NULL});
    const char *const other[] = {"run", "nightly", "where", "id > 3", NULL};
    assert_int_equal(job_once(&job, world, home, other), HAUL_CHANGED);
    assert_int_equal(world->removed, 0);
    const char *const again[] = {"run", "nightly", "where", "id > 3", "restart", "true", NULL};
    assert_int_equal(job_once(&job, world, home, again), HAUL_OK);
    assert_int_equal(world->removed, 1);
}

static void finished_name(void)
{
    struct job job;
    const char *const named[] = {"run", "nightly", NULL};
    assert_int_equal(job_once(&job, world, home, named), HAUL_OK);
    assert_false(job.result.already_complete);
    int commits = world->commits, prepared = world->prepared;
    assert_int_equal(job_once(&job, world, home, named), HAUL_OK);
    assert_true(job.result.already_complete);
    assert_int_equal(job.result.rows, 1000);
    assert_int_equal(world->commits, commits);
    assert_int_equal(world->prepared, prepared);
    assert_exact();
}

static void test_finished_name_file(void **state)
{
    (void)state;
    use_file();
    finished_name();
    assert_int_equal(home_count(home), 1);
}

static void test_finished_name_ledger(void **state)
{
    (void)state;
    use_ledger();
    finished_name();
}

static void test_bad_names(void **state)
{
    static const char *const names[] = {
        "",    ".x",       "a/b",
        "a b", "\xc3\xa4", "0123456789012345678901234567890123456789012345678901234567890123"};
    struct job job;
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(job_once(&job, world, home, (const char *const[]){"run", names[i], NULL}),
                         HAUL_USAGE);
    assert_int_equal(home_count(home), 0);
}

static void test_exists(void **state)
{
    struct job job;
    (void)state;
    use_file();
    world->exists = true;
    assert_int_equal(job_once(&job, world, home, NONE), HAUL_EXISTS);
    assert_int_equal(job.err.side, HAUL_SIDE_TARGET);
    assert_int_equal(home_count(home), 0);
    assert_int_equal(world->prepared, 0);
}

static void test_duplicate_run(void **state)
{
    struct job job;
    struct file lock;
    char path[256];
    struct haul_error err = {0};
    (void)state;
    use_file();
    (void)snprintf(path, sizeof path, "%s/.haul-twice", home);
    assert_int_equal(path_make_folder(path, &err), HAUL_OK);
    (void)snprintf(path, sizeof path, "%s/.haul-twice/lock", home);
    assert_int_equal(file_open(&lock, path, FILE_APPEND, &err), HAUL_OK);
    assert_int_equal(file_lock(&lock, &err), HAUL_OK);
    assert_int_equal(job_in_child(world, home, (const char *const[]){"run", "twice", NULL}), HAUL_BUSY);
    assert_int_equal(world->prepared, 0);
    file_close(&lock);
    assert_int_equal(job_once(&job, world, home, (const char *const[]){"run", "twice", NULL}), HAUL_OK);
}

/* ---- failing ---- */

static void test_retry_write(void **state)
{
    struct job job;
    (void)state;
    use_ledger();
    world->fail_at = 12;
    world->fail_count = 2;
    world->fail_passes = true;
    assert_int_equal(job_once(&job, world, home, (const char *const[]){"unit-rows", "100", NULL}), HAUL_OK);
    assert_true(job.events[HAUL_EVENT_WARNING] >= 2);
    assert_finished();
}

static void test_retry_lost_answer(void **state)
{
    struct job job;
    (void)state;
    for (int at = 5; at < 60; at += 3) {
        teardown(NULL);
        setup(NULL);
        use_ledger();
        world->rows = 400;
        world->fail_at = at;
        world->fail_count = 1;
        world->fail_passes = world->lose_answer = true;
        enum haul_code code = job_once(&job, world, home, (const char *const[]){"unit-rows", "100", NULL});
        if (code != HAUL_OK) /* prepare and finish are not tried again here, but by the next run */
            assert_int_equal(job_once(&job, world, home, (const char *const[]){"unit-rows", "100", NULL}),
                             HAUL_OK);
        assert_finished();
        assert_int_equal(job.result.rows, 400);
    }
}

static void test_retry_source(void **state)
{
    struct job job;
    (void)state;
    use_file();
    world->source_fail_at = 450;
    world->source_fails = 3;
    world->source_fail_passes = true;
    assert_int_equal(job_once(&job, world, home, NONE), HAUL_OK);
    assert_finished();
}

/* At any batch of a unit, its first included, by the reader ahead too. */
static void test_retry_source_anywhere(void **state)
{
    struct job job;
    (void)state;
    for (int64_t at = 0; at < 400; at += 32) {
        teardown(NULL);
        setup(NULL);
        use_ledger();
        world->rows = 400;
        world->source_fail_at = at;
        world->source_fails = 1;
        world->source_fail_passes = true;
        assert_int_equal(
            job_once(&job, world, home, (const char *const[]){"unit-rows", "128", "retries", "1", NULL}),
            HAUL_OK);
        assert_finished();
    }
}

static void test_retries_spent(void **state)
{
    struct job job;
    (void)state;
    use_file();
    world->source_fail_at = 450;
    world->source_fails = 1000;
    world->source_fail_passes = true;
    assert_int_equal(job_once(&job, world, home, (const char *const[]){"retries", "1", NULL}), HAUL_NETWORK);
    assert_true(job.err.retryable);
    assert_int_equal(job.err.side, HAUL_SIDE_SOURCE);
    assert_int_equal(haul_exit_code(&job.err), 75);
    assert_int_equal(home_count(home), 1);
    world->source_fails = 0;
    assert_int_equal(job_once(&job, world, home, (const char *const[]){"retries", "1", NULL}), HAUL_OK);
    assert_finished();
}

static void test_permanent_failure(void **state)
{
    struct job job;
    (void)state;
    use_file();
    world->fail_at = 20;
    world->fail_count = 1;
    assert_int_equal(job_once(&job, world, home, NONE), HAUL_IO);
    assert_int_equal(job.err.side, HAUL_SIDE_TARGET);
    assert_false(world->published);
    assert_int_equal(job_once(&job, world, home, NONE), HAUL_OK);
    assert_finished();
}

static void test_failure_before_any_unit_leaves_nothing(void **state)
{
    struct job job;
    (void)state;
    use_file();
    world->source_fail_at = 10;
    world->source_fails = 1;
    assert_int_equal(job_once(&job, world, home, (const char *const[]){"workers", "1", NULL}), HAUL_NETWORK);
    assert_int_equal(home_count(home), 0);
    assert_int_equal(world->removed, 1);
}

static void test_busy_then_mine(void **state)
{
    struct job job;
    (void)state;
    use_ledger();
    world->busy = 3;
    assert_int_equal(job_once(&job, world, home, NONE), HAUL_OK);
    assert_finished();
}

static void test_cancel(void **state)
{
    struct job job;
    (void)state;
    use_file();
    world->cancel_at = 25;
    assert_int_equal(job_once(&job, world, home, NONE), HAUL_CANCELLED);
    assert_int_equal(haul_exit_code(&job.err), 75);
    assert_non_null(strstr(job.err.message, "run the same command again"));
    world->cancel_at = 0;
    assert_int_equal(job_once(&job, world, home, NONE), HAUL_OK);
    assert_finished();
}

/* ---- streams ---- */

static void test_stream_to_ledger(void **state)
{
    struct job job;
    (void)state;
    use_ledger();
    world->replayable = false;
    world->one_part = world->rows_unknown = true;
    world->part_rows = 1000;
    world->fail_at = 12;
    world->fail_count = 3;
    world->fail_passes = true;
    assert_int_equal(job_once(&job, world, home, (const char *const[]){"unit-rows", "300", NULL}), HAUL_OK);
    assert_int_equal(world->reader_opens, 1);
    assert_int_equal(world->commits, 4);
    assert_finished();
}

static void test_stream_is_cut_by_memory(void **state)
{
    struct job job;
    (void)state;
    use_ledger();
    world->replayable = false;
    world->one_part = world->rows_unknown = true;
    world->part_rows = WORLD_ROWS_MAX;
    world->rows = WORLD_ROWS_MAX;
    assert_int_equal(job_once(&job, world, home, (const char *const[]){"memory", "8MiB", NULL}), HAUL_OK);
    assert_true(world->commits > 2);
    assert_finished();
}

static void test_stream_to_file(void **state)
{
    struct job job;
    (void)state;
    use_file();
    world->replayable = false;
    world->one_part = world->rows_unknown = true;
    world->part_rows_wish = 256;
    assert_int_equal(job_once(&job, world, home, NONE), HAUL_OK);
    assert_int_equal(world->commits, 4);
    assert_finished();
}

static void test_stream_failure_leaves_nothing(void **state)
{
    struct job job;
    (void)state;
    use_file();
    world->replayable = false;
    world->one_part = true;
    world->part_rows_wish = 256;
    world->source_fail_at = 900;
    world->source_fails = 1;
    assert_int_equal(job_once(&job, world, home, (const char *const[]){"rowgroup-size", "256", NULL}),
                     HAUL_NETWORK);
    assert_int_equal(home_count(home), 0);
    assert_false(world->published);
}

static void test_unordered_is_one_unit_a_part(void **state)
{
    struct job job;
    (void)state;
    use_ledger();
    world->unordered = true;
    assert_int_equal(job_once(&job, world, home, (const char *const[]){"unit-rows", "100", NULL}), HAUL_OK);
    assert_int_equal(world->commits, 4);
    assert_finished();
}

/* ---- rejects ---- */

static int lines_of(const char *path, char *text, size_t bytes)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t length = fread(text, 1, bytes - 1, file);
    (void)fclose(file);
    text[length] = 0;
    int lines = 0;
    for (size_t i = 0; i < length; i++)
        lines += text[i] == '\n';
    return lines;
}

static void test_rejects(void **state)
{
    struct job job;
    char path[256], text[8192], again[8192];
    (void)state;
    use_ledger();
    world->bad_every = 100;
    world->refuse_every = 150;
    (void)snprintf(path, sizeof path, "%s/rejects.jsonl", home);
    const char *const options[] = {"max-errors", "20", "reject-file", path, "unit-rows", "100", NULL};
    assert_int_equal(job_once(&job, world, home, options), HAUL_OK);
    assert_exact();
    /* 0, 100, ... 900 at the source; 150, 450, 750 at the target (0, 300, 600, 900 are gone before) */
    assert_int_equal(job.result.rejects, 13);
    assert_int_equal(job.result.rows, 987);
    assert_int_equal(lines_of(path, text, sizeof text), 13);
    assert_non_null(strstr(
        text,
        "{\"part\":0,\"row\":0,\"place\":\"row 1\",\"column\":\"id\",\"reason\":\"bad at the source\"}"));
    assert_non_null(strstr(text, "{\"part\":0,\"row\":150,\"place\":\"row 151\",\"reason\":\"refused\"}"));
    assert_true(strstr(text, "\"row\":100,") < strstr(text, "\"row\":150,"));

    /* a run that died and was continued has the same file */
    teardown(NULL);
    setup(NULL);
    use_ledger();
    world->bad_every = 100;
    world->refuse_every = 150;
    (void)snprintf(path, sizeof path, "%s/rejects.jsonl", home);
    const char *const same[] = {"max-errors", "20", "reject-file", path, "unit-rows", "100", NULL};
    die_half_way(same);
    assert_int_equal(job_once(&job, world, home, same), HAUL_OK);
    assert_true(job.result.rows_resumed > 0);
    assert_int_equal(lines_of(path, again, sizeof again), 13);
    assert_string_equal(text, again);
}

static void test_too_many_rejects(void **state)
{
    struct job job;
    (void)state;
    use_ledger();
    world->refuse_every = 100;
    assert_int_equal(
        job_once(&job, world, home, (const char *const[]){"max-errors", "5", "unit-rows", "100", NULL}),
        HAUL_REJECTS);
    assert_false(world->published);
    teardown(NULL);
    setup(NULL);
    use_ledger();
    world->refuse_every = 500;
    assert_int_equal(job_once(&job, world, home, NONE), HAUL_CONSTRAINT);
    assert_int_equal(job.err.side, HAUL_SIDE_TARGET);
    assert_int_equal(world->commits, 0);
}

static void test_rejects_are_dropped_on_retry(void **state)
{
    struct job job;
    (void)state;
    use_ledger();
    world->refuse_every = 100;
    world->fail_at = 10;
    world->fail_count = 3;
    world->fail_passes = true;
    assert_int_equal(job_once(&job, world, home, (const char *const[]){"max-errors", "10", NULL}), HAUL_OK);
    assert_int_equal(job.result.rejects, 10);
    assert_finished();
}

static void test_strict(void **state)
{
    struct job job;
    (void)state;
    use_file();
    world->lossy = true;
    assert_int_equal(job_once(&job, world, home, (const char *const[]){"strict", "true", NULL}), HAUL_VALUE);
    assert_false(world->published);
    assert_int_equal(world->commits, 0);
    assert_int_equal(job_once(&job, world, home, NONE), HAUL_OK);
    assert_true(job.result.losses > 0);
}

/* ---- memory ---- */

static void test_many_workers(void **state)
{
    struct job job;
    (void)state;
    use_file();
    world->rows = 20000;
    world->part_rows = 500;
    world->delay_us = 50;
    assert_int_equal(job_once(&job, world, home, (const char *const[]){"workers", "8", NULL}), HAUL_OK);
    assert_finished();
}

/* Whatever the budget: all of it, or an error that says so and a next run that ends it. */
static void test_small_budgets(void **state)
{
    (void)state;
    for (size_t bytes = 4096; bytes < 512 * 1024; bytes += bytes / 3) {
        struct job job;
        struct memory *memory;
        teardown(NULL);
        setup(NULL);
        use_ledger();
        job_init(&job, world, home, (const char *const[]){"unit-rows", "100", NULL});
        assert_int_equal(memory_open(&memory, bytes, 1, &job.err), HAUL_OK);
        job.context.memory = memory;
        enum haul_code code = job_run(&job);
        job_release(&job);
        memory_close(memory);
        if (code == HAUL_OK) {
            assert_finished();
            continue;
        }
        assert_true(code == HAUL_LIMIT || code == HAUL_NOMEM);
        assert_false(world->published);
        assert_int_equal(job_once(&job, world, home, (const char *const[]){"unit-rows", "100", NULL}),
                         HAUL_OK);
        assert_finished();
    }
}

static void test_unordered_into_a_file_starts_over(void **state)
{
    struct job job;
    (void)state;
    use_file();
    world->unordered = world->one_part = true;
    world->part_rows_wish = 200;
    die_half_way((const char *const[]){"rowgroup-size", "200", NULL});
    assert_int_equal(job_once(&job, world, home, (const char *const[]){"rowgroup-size", "200", NULL}),
                     HAUL_OK);
    assert_int_equal(job.result.rows_resumed, 0);
    assert_int_equal(world->removed, 1);
    assert_finished();
}

static void test_plan(void **state)
{
    struct job job;
    char *json = NULL;
    (void)state;
    use_file();
    job_init(&job, world, home, NONE);
    job.transfer.request.dry = true;
    assert_int_equal(transfer_plan(&job.transfer, &json, &job.err), HAUL_OK);
    job_release(&job);
    assert_non_null(strstr(json, "\"resumable\": \"replayable\""));
    assert_non_null(strstr(json, "\"spec\": \"900 1000\""));
    assert_int_equal(world->prepared, 0);
    assert_int_equal(home_count(home), 0);
    free(json);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_file),
        TEST(test_ledger_units),
        TEST(test_empty),
        TEST(test_boundary),
        TEST(test_limit),
        TEST(test_die_file),
        TEST(test_die_folder),
        TEST(test_die_ledger),
        TEST(test_die_cut),
        TEST(test_die_limit),
        TEST(test_continued_says_so),
        TEST(test_changed_source),
        TEST(test_changed_but_static),
        TEST(test_changed_append),
        TEST(test_restart),
        TEST(test_name_of_other_job),
        TEST(test_finished_name_file),
        TEST(test_finished_name_ledger),
        TEST(test_bad_names),
        TEST(test_exists),
        TEST(test_duplicate_run),
        TEST(test_retry_write),
        TEST(test_retry_lost_answer),
        TEST(test_retry_source),
        TEST(test_retry_source_anywhere),
        TEST(test_retries_spent),
        TEST(test_permanent_failure),
        TEST(test_failure_before_any_unit_leaves_nothing),
        TEST(test_busy_then_mine),
        TEST(test_cancel),
        TEST(test_stream_to_ledger),
        TEST(test_stream_is_cut_by_memory),
        TEST(test_stream_to_file),
        TEST(test_stream_failure_leaves_nothing),
        TEST(test_unordered_is_one_unit_a_part),
        TEST(test_rejects),
        TEST(test_too_many_rejects),
        TEST(test_rejects_are_dropped_on_retry),
        TEST(test_strict),
        TEST(test_many_workers),
        TEST(test_small_budgets),
        TEST(test_unordered_into_a_file_starts_over),
        TEST(test_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
