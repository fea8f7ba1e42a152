/* chinook.c: a real database, the one Chinook publishes: every table is read with
 * the types its columns mean and loaded into another, table for table the same. */
#include "loading.h"

#include "base/file.h"

struct names {
    char names[32][64];
    int64_t rows[32];
    int count;
};

static const char *chinook_path(void)
{
    static char path[512];
    const char *home = getenv("HAUL_DATA");
    snprintf(path, sizeof path, "%s/chinook/Chinook_Sqlite.sqlite", home ? home : SHARED_DATA);
    return path;
}

static void note_name(void *user, const struct haul_table *table)
{
    struct names *names = user;
    assert_true(names->count < 32 && table->rows_exact && table->bytes > 0);
    names->rows[names->count] = table->rows;
    snprintf(names->names[names->count++], 64, "%s", table->name);
}

/* Reads all of it; the description stays in `reading`. */
static void read_table(struct database *base, const char *path, const char *table, struct reading *reading)
{
    char own[sizeof base->path];
    memcpy(own, base->path, sizeof own);
    snprintf(base->path, sizeof base->path, "%s", path == base->path ? own : path);
    assert_ok(base, reading_all(base, reading, &(struct source_request){.table = table}, 500));
    memcpy(base->path, own, sizeof own);
}

static void copy_table(struct database *base, struct reading *from)
{
    struct loading load = {.run = {.name = "r1", .fingerprint = "f1", .plan = "{}"}};
    load.request = (struct sink_request){.mode = SINK_CREATE, .source = &from->info};
    assert_ok(base, sqlite_sink_open(base->path, &base->context, &load.sink, &base->err));
    assert_ok(base, loading_begin(base, &load));
    assert_ok(base, from->source->ops->begin(from->source, 1, &base->err));
    for (int i = 0; i < from->part_count; i++) {
        struct reader *reader;
        struct writer *writer;
        struct batch batch;
        enum unit_state state;
        struct receipt receipt;
        bool end = false;
        assert_ok(base, from->source->ops->open(from->source, &base->context, &from->parts[i], 0, &reader,
                                                &base->err));
        assert_ok(base, unit_open(base, &load, (uint64_t)i, 0, &writer, &state, &receipt));
        while (reader->ops->next(reader, 100, &batch, &end, &base->err) == HAUL_OK && !end) {
            assert_ok(base, writer->ops->write(writer, &batch, &base->err));
            receipt.rows += batch.array.length;
            batch_release(&batch);
        }
        assert_ok(base, writer->ops->commit(writer, &receipt, &load.arena, &base->err));
        reader->ops->close(reader);
    }
    assert_ok(base, loading_finish(base, &load));
    loading_release(&load);
}

static void every_table_is_copied(void **state)
{
    struct database *base = *state;
    struct source *source;
    struct names names = {0};
    if (!path_exists(chinook_path()))
        skip();
    assert_ok(base, sqlite_source_open(chinook_path(), &base->context, &(struct source_request){0}, &source,
                                       &base->err));
    assert_ok(base, source->ops->list(source, note_name, &names, &base->err));
    source->ops->close(source);
    assert_int_equal(names.count, 11);
    for (int i = 0; i < names.count; i++) {
        struct reading from, to;
        char types[2][1024];
        read_table(base, chinook_path(), names.names[i], &from);
        assert_int_equal(from.rows, names.rows[i]);
        copy_table(base, &from);
        read_table(base, base->path, names.names[i], &to);
        assert_string_equal(reading_types(&from, types[0], 1024), reading_types(&to, types[1], 1024));
        assert_string_equal(reading_text(&from), reading_text(&to));
        assert_int_equal(from.info.key_count, to.info.key_count);
        reading_release(&from);
        reading_release(&to);
    }
}

static void columns_have_the_types_they_mean(void **state)
{
    struct database *base = *state;
    struct reading reading;
    char types[1024];
    if (!path_exists(chinook_path()))
        skip();
    read_table(base, chinook_path(), "Invoice", &reading);
    assert_string_equal(reading_types(&reading, types, sizeof types),
                        "int64,int64,timestamp[us],utf8,utf8,utf8,utf8,utf8,decimal(10,2)");
    assert_non_null(strstr(reading_text(&reading), "|1.98\n"));
    reading_release(&reading);
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
    const struct CMUnitTest tests[] = {TEST(every_table_is_copied), TEST(columns_have_the_types_they_mean)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
