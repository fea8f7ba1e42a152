/*
 * failing.c: every allocation of a whole run, ours and SQLite's, fails once:
 * the call says so or does without, nothing crashes or leaks, and what is in the
 * database is all of a unit or none of it.
 */
#include "../support/failing.h"
#include "loading.h"

/* SQLite's own allocations pass through here as well. */
static void *sqlite_malloc(int size)
{
    size_t *block = malloc((size_t)size + 16);
    if (block)
        *block = (size_t)size;
    return block ? (char *)block + 16 : NULL;
}

static void sqlite_free(void *block)
{
    free((char *)block - 16);
}

static void *sqlite_realloc(void *block, int size)
{
    size_t *moved = realloc((char *)block - 16, (size_t)size + 16);
    if (moved)
        *moved = (size_t)size;
    return moved ? (char *)moved + 16 : NULL;
}

static int sqlite_size(void *block)
{
    return (int)*(size_t *)(void *)((char *)block - 16);
}

static int sqlite_round(int size)
{
    return (size + 7) & ~7;
}

static int sqlite_start(void *user)
{
    (void)user;
    return SQLITE_OK;
}

static void sqlite_stop(void *user)
{
    (void)user;
}

/* ---- reading ---- */

static enum haul_code read_once(struct database *base, long fail_at)
{
    struct reading reading;
    failing_begin(fail_at, false);
    enum haul_code code =
        reading_describe(base, &reading, &(struct source_request){.table = "t", .schema = "b:utf8"});
    if (!code)
        code = reading_split(base, &reading, 2);
    if (!code)
        code = reading.source->ops->begin(reading.source, 2, &base->err);
    for (int i = 0; !code && i < reading.part_count; i++) {
        struct reader *reader;
        bool end = false;
        code = reading.source->ops->open(reading.source, &base->context, &reading.parts[i], 0, &reader,
                                         &base->err);
        bool opened = !code;
        while (!code && !end) {
            struct batch batch;
            code = reader->ops->next(reader, 1000, &batch, &end, &base->err);
            if (!code && !end) {
                reading.rows += batch.array.length;
                batch_release(&batch);
            }
        }
        if (opened)
            reader->ops->close(reader);
    }
    if (!code)
        assert_int_equal(reading.rows, 3);
    failing_end();
    reading_release(&reading);
    return code;
}

static void reading_survives(void **state)
{
    struct database *base = *state;
    long n = 0;
    enum haul_code code;
    sql(base, "CREATE TABLE t(a DECIMAL(10,2), b TEXT, c DATE); INSERT INTO t VALUES(1,'x','2024-01-01'),"
              "('bad',2,'2024-01-01'),(0.5,x'00',5),(3,'y',NULL),(4,'z','2024-01-02')");
    do {
        collector_reset(&base->collector);
        allow_rejects(base);
        base->err = (struct haul_error){0};
        code = read_once(base, n++);
        if (code)
            assert_true(code == HAUL_NOMEM || code == HAUL_LIMIT);
    } while (failing_failed());
    print_message("%ld allocations failed while reading\n", n);
}

/* ---- writing ---- */

static enum haul_code write_once(struct database *base, const struct batch *batch, long fail_at)
{
    struct loading load = {0};
    struct writer *writer = NULL;
    enum unit_state unit_state;
    struct receipt receipt;
    make_info(base, &load.info, "id:int64!,name:utf8,d:decimal(10,2)");
    load.request = (struct sink_request){.mode = SINK_REPLACE, .source = &load.info};
    load.run = (struct run_record){.name = "r1", .fingerprint = "f1", .plan = "{}"};
    failing_begin(fail_at, false);
    enum haul_code code = sqlite_sink_open(base->path, &base->context, &load.sink, &base->err);
    if (!code)
        code = loading_begin(base, &load);
    if (!code)
        code = unit_open(base, &load, 0, 0, &writer, &unit_state, &receipt);
    if (!code && unit_state == UNIT_MINE) {
        code = writer->ops->write(writer, batch, &base->err);
        receipt.rows = receipt.rows_offered = 2;
        if (!code)
            code = writer->ops->commit(writer, &receipt, &load.arena, &base->err);
        if (code)
            writer->ops->abort(writer);
    }
    if (!code)
        code = loading_finish(base, &load);
    failing_end();
    loading_release(&load);
    return code;
}

static void writing_survives(void **state)
{
    struct database *base = *state;
    struct source_info info = {0};
    struct batch batch;
    long n = 0;
    enum haul_code code;
    make_info(base, &info, "id:int64!,name:utf8,d:decimal(10,2)");
    make_batch(base, &info.schema, "1|one|1.00\n2|NULL|0.50\n", &batch);
    sql(base, "CREATE TABLE t(a); CREATE INDEX i ON t(a); DROP INDEX i; INSERT INTO t VALUES('old')");
    do {
        base->err = (struct haul_error){0};
        code = write_once(base, &batch, n++);
        if (code)
            assert_true(code == HAUL_NOMEM || code == HAUL_LIMIT);
        else
            assert_rows(base, "SELECT * FROM t", "1|one|1.00\n2|NULL|0.50\n");
    } while (failing_failed());
    assert_rows(base, "SELECT finished, (SELECT count(*) FROM haul_units) FROM haul_runs", "1|0\n");
    batch_release(&batch);
    source_info_release(&info);
    print_message("%ld allocations failed while writing\n", n);
}

static int setup(void **state)
{
    *state = database_open();
    return 0;
}

static int teardown(void **state)
{
    failing_end();
    database_close(*state);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    static const sqlite3_mem_methods methods = {sqlite_malloc, sqlite_free,  sqlite_realloc, sqlite_size,
                                                sqlite_round,  sqlite_start, sqlite_stop,    NULL};
    sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    const struct CMUnitTest tests[] = {TEST(reading_survives), TEST(writing_survives)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
