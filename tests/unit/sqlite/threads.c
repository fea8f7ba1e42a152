/* threads.c: several readers at once, and the one state of the database that all
 * of them see while somebody else keeps writing. */
#include "database.h"

#include <pthread.h>
#include <stdatomic.h>

#define THREADS 4
#define ROUNDS  150

struct shared {
    struct database *base;
    struct reading *reading;
    atomic_int next;
    atomic_llong rows, sum;
    atomic_bool failed;
};

/* Parts one after another; sums the second column. */
static void *read_parts(void *user)
{
    struct shared *shared = user;
    struct context context = shared->base->context;
    struct collector collector = {0};
    struct haul_error err = {0};
    context.collector = &collector;
    context.memory = NULL;
    for (int i; (i = atomic_fetch_add(&shared->next, 1)) < shared->reading->part_count;) {
        struct source *source = shared->reading->source;
        struct reader *reader;
        bool end = false;
        if (source->ops->open(source, &context, &shared->reading->parts[i], 0, &reader, &err)) {
            atomic_store(&shared->failed, true);
            break;
        }
        while (!end) {
            struct batch batch;
            if (reader->ops->next(reader, 700, &batch, &end, &err)) {
                atomic_store(&shared->failed, true);
                break;
            }
            if (end)
                break;
            const int64_t *values = batch.array.children[1]->buffers[1];
            for (int64_t row = 0; row < batch.array.length; row++)
                atomic_fetch_add(&shared->sum, values[row]);
            atomic_fetch_add(&shared->rows, batch.array.length);
            batch_release(&batch);
        }
        reader->ops->close(reader);
    }
    collector_release(&collector);
    return NULL;
}

static void read_together(struct shared *shared)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_parts, shared), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_false(atomic_load(&shared->failed));
}

static void fill(struct database *base, const char *mode)
{
    char text[512];
    snprintf(text, sizeof text,
             "PRAGMA journal_mode=%s; CREATE TABLE t(id INTEGER PRIMARY KEY, v INTEGER NOT NULL);"
             "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
             " INSERT INTO t SELECT i, 5 FROM n",
             mode);
    sql(base, text);
}

static void parts_are_read_together(void **state)
{
    struct database *base = *state;
    struct reading reading;
    struct shared shared = {.base = base, .reading = &reading};
    fill(base, "DELETE");
    assert_ok(base, reading_describe(base, &reading, &(struct source_request){.table = "t"}));
    assert_ok(base, reading_split(base, &reading, 1500));
    assert_ok(base, reading.source->ops->begin(reading.source, THREADS, &base->err));
    read_together(&shared);
    assert_int_equal(atomic_load(&shared.rows), 20000);
    assert_int_equal(atomic_load(&shared.sum), 100000);
    reading_release(&reading);
}

/* ---- beside a writer ---- */

struct mover {
    struct database *base;
    atomic_bool stop;
    atomic_int commits;
};

/* Moves amounts from the first rows to the last; the sum stays. */
static void *move_amounts(void *user)
{
    struct mover *mover = user;
    sqlite3 *db;
    if (sqlite3_open(mover->base->path, &db))
        return NULL;
    sqlite3_busy_timeout(db, 5000);
    sqlite3_exec(db, "PRAGMA synchronous=OFF", NULL, NULL, NULL); /* commits as often as it can */
    while (!atomic_load(&mover->stop)) {
        if (!sqlite3_exec(db,
                          "BEGIN IMMEDIATE; UPDATE t SET v = v - 1 WHERE id < 4;"
                          "UPDATE t SET v = v + 1 WHERE id > 19997; COMMIT",
                          NULL, NULL, NULL))
            atomic_fetch_add(&mover->commits, 1);
        usleep(100);
    }
    sqlite3_close(db);
    return NULL;
}

static void readers_see_one_state_beside_a_writer(void **state)
{
    struct database *base = *state;
    struct mover mover = {.base = base};
    pthread_t thread;
    fill(base, "WAL");
    assert_int_equal(pthread_create(&thread, NULL, move_amounts, &mover), 0);
    int read = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct reading reading;
        struct shared shared = {.base = base, .reading = &reading};
        assert_ok(base, reading_describe(base, &reading, &(struct source_request){.table = "t"}));
        assert_ok(base, reading_split(base, &reading, 1500));
        enum haul_code code = reading.source->ops->begin(reading.source, THREADS, &base->err);
        if (!code) {
            read_together(&shared);
            assert_int_equal(atomic_load(&shared.rows), 20000);
            assert_int_equal(atomic_load(&shared.sum), 100000);
            read++;
        } else {
            assert_int_equal(code, HAUL_BUSY);
        }
        reading_release(&reading);
    }
    atomic_store(&mover.stop, true);
    pthread_join(thread, NULL);
    assert_true(read > 0 && atomic_load(&mover.commits) > 0);
    print_message("%d of %d rounds read beside %d commits\n", read, ROUNDS, atomic_load(&mover.commits));
}

static int setup(void **state)
{
    *state = database_open();
    return 0;
}

static int teardown(void **state)
{
    database_close(*state);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(parts_are_read_together),
                                       TEST(readers_see_one_state_beside_a_writer)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
