/*
 * Files as a sink: order of pieces, resuming from receipts, publishing, folders
 * and their manifest, standard output. A "process" that dies is a sink that is
 * closed; what it journaled are the receipts handed to the next one.
 */
#include "format/file_sink.h"
#include "../store/folder.h"
#include "base/settings.h"
#include "lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>

static const struct haul_option options[] = {
    {.name = "files", .kind = HAUL_OPTION_NUMBER},
    {.name = "manifest-filename", .kind = HAUL_OPTION_PATH},
    {.name = "timestamps", .kind = HAUL_OPTION_TEXT, .preset = "us"},
    {.name = "uuid", .kind = HAUL_OPTION_TEXT, .preset = "binary"},
};

static struct context context;
static struct cancel cancel;
static struct settings settings;
static struct haul_error err;
static struct schema schema;
static struct arena arena;

/* What a transfer would keep. */
static struct receipt journal[64];
static size_t journal_count;

static int set_up(void **state)
{
    (void)state;
    folder_make();
    context_init(&context);
    err = (struct haul_error){0};
    atomic_store(&cancel.asked, 0);
    context.cancel = &cancel;
    if (settings_init(&settings, options, sizeof options / sizeof options[0], &err) ||
        schema_init(&schema, 1, &err))
        return 1;
    context.settings = &settings;
    schema.fields[0] = (struct field){.name = "a", .type = TYPE_UTF8};
    journal_count = 0;
    lines_fail_append = lines_fail_finish = lines_spills = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    settings_release(&settings);
    schema_release(&schema);
    arena_release(&arena);
    folder_remove();
    return 0;
}

/* ---- a transfer in small ---- */

static struct sink *sink_to(const char *name)
{
    struct sink *sink = NULL;
    if (file_sink_open(name, test_formats, NULL, &context, &sink, &err))
        fail_msg("%s", err.message);
    return sink;
}

static enum haul_code negotiated(struct sink *sink, enum sink_mode mode)
{
    struct source_info info = {.schema = schema, .table = "orders", .table_schema = "sales"};
    struct sink_request request = {.mode = mode, .source = &info};
    struct sink_terms terms = {0};
    enum haul_code code = sink->ops->negotiate(sink, &request, &terms, &err);
    if (!code || code == HAUL_EXISTS) {
        assert_true(terms.part_is_unit && terms.ordered);
        assert_int_equal(terms.part_rows, LINES_PART_ROWS);
        assert_int_equal(terms.schema.count, 1);
    }
    sink_terms_release(&terms);
    return code;
}

static struct run_record run_now(void)
{
    return (struct run_record){.name = "h1", .receipts = journal, .receipt_count = journal_count};
}

static enum haul_code prepared(struct sink *sink)
{
    struct run_record run = run_now();
    return sink->ops->prepare(sink, &context, &run, &err);
}

static struct sink *sink_ready(const char *name, enum sink_mode mode)
{
    struct sink *sink = sink_to(name);
    enum haul_code code = negotiated(sink, mode);
    if (code == HAUL_EXISTS && journal_count) /* it may be our own */
        code = HAUL_OK;
    if (code || prepared(sink))
        fail_msg("%s", err.message);
    return sink;
}

static struct batch batch_of(const char *text)
{
    struct batch_builder builder = {0};
    struct batch batch = {0};
    assert_int_equal(batch_builder_init(&builder, &schema, NULL, &err), HAUL_OK);
    assert_int_equal(builder_append_text(&builder.columns[0], text, strlen(text), &err), HAUL_OK);
    assert_int_equal(batch_builder_finish(&builder, &batch, &err), HAUL_OK);
    batch_builder_release(&builder);
    return batch;
}

static enum haul_code claimed(struct sink *sink, const struct context *own, const struct unit *unit,
                              struct writer **writer, enum unit_state *state, struct receipt *receipt)
{
    struct claim claim = {0};
    enum haul_code code = sink->ops->open(sink, own, unit, &claim, &err);
    *writer = claim.writer;
    *state = claim.state;
    *receipt = claim.receipt;
    return code;
}

static struct writer *unit_open(struct sink *sink, uint64_t part, uint64_t parts, enum unit_state *state)
{
    struct writer *writer = NULL;
    struct receipt receipt;
    struct unit unit = {.part = part, .parts = parts};
    if (claimed(sink, &context, &unit, &writer, state, &receipt))
        fail_msg("%s", err.message);
    return writer;
}

/* One row "pN" into part N. */
static struct writer *unit_written(struct sink *sink, uint64_t part, uint64_t parts)
{
    enum unit_state state = UNIT_BUSY;
    char text[16];
    struct writer *writer = unit_open(sink, part, parts, &state);
    assert_int_equal(state, UNIT_MINE);
    snprintf(text, sizeof text, "p%d", (int)part);
    struct batch batch = batch_of(text);
    assert_int_equal(writer->ops->write(writer, &batch, &err), HAUL_OK);
    batch_release(&batch);
    return writer;
}

static enum haul_code unit_committed(struct writer *writer, uint64_t part, uint64_t parts,
                                     struct receipt *receipt)
{
    *receipt =
        (struct receipt){.unit = {.part = part, .parts = parts}, .rows = 1, .rows_offered = 1, .last = true};
    return writer->ops->commit(writer, receipt, &arena, &err);
}

/* Does parts from..to, journals them. */
static void run_parts(struct sink *sink, uint64_t from, uint64_t to, uint64_t parts)
{
    for (uint64_t part = from; part <= to; part++) {
        struct writer *writer = unit_written(sink, part, parts);
        if (unit_committed(writer, part, parts, &journal[journal_count++]))
            fail_msg("%s", err.message);
    }
}

static enum haul_code finished(struct sink *sink, const char *manifest)
{
    struct run_record run = run_now();
    return sink->ops->finish(sink, &run, manifest, &err);
}

static void expect_done(struct sink *sink, uint64_t part, uint64_t parts, bool done)
{
    enum unit_state state = UNIT_BUSY;
    struct writer *writer = NULL;
    struct receipt receipt = {0};
    struct unit unit = {.part = part, .parts = parts};
    assert_int_equal(claimed(sink, &context, &unit, &writer, &state, &receipt), HAUL_OK);
    assert_int_equal(state, done ? UNIT_DONE : UNIT_MINE);
    if (done)
        assert_int_equal(receipt.rows, 1);
    else
        writer->ops->abort(writer);
}

static void expect_message(const char *text)
{
    if (!strstr(err.message, text))
        fail_msg("\"%s\" lacks \"%s\"", err.message, text);
}

#define TEMP   ".a.lines.haul-h1.part"
#define WHOLE3 "LINES a:utf8\np0\np1\np2\nEND 3 3\n"

/* ---- one file ---- */

static void a_file_appears_when_it_is_whole(void **state)
{
    (void)state;
    struct sink *sink = sink_ready(in_folder("a.lines"), SINK_CREATE);
    assert_true(file_there(TEMP));
    run_parts(sink, 0, 2, 3);
    assert_false(file_there("a.lines"));
    assert_int_equal(finished(sink, "{}"), HAUL_OK);
    assert_string_equal(file_get("a.lines"), WHOLE3);
    assert_int_equal(finished(sink, "{}"), HAUL_OK); /* again: nothing to do */
    assert_int_equal(folder_count(""), 1);
    sink->ops->close(sink);
}

struct worker {
    struct writer *writer;
    uint64_t part;
    enum haul_code code;
    struct receipt receipt;
    struct haul_error err;
    struct arena arena;
};

static void *worker_commit(void *user)
{
    struct worker *worker = user;
    worker->receipt = (struct receipt){
        .unit = {.part = worker->part, .parts = 3}, .rows = 1, .rows_offered = 1, .last = true};
    worker->code =
        worker->writer->ops->commit(worker->writer, &worker->receipt, &worker->arena, &worker->err);
    return NULL;
}

static void pieces_come_in_part_order(void **state)
{
    (void)state;
    struct sink *sink = sink_ready(in_folder("a.lines"), SINK_CREATE);
    struct worker workers[3] = {0};
    pthread_t threads[3];
    for (uint64_t part = 0; part < 3; part++)
        workers[part] = (struct worker){.part = part, .writer = unit_written(sink, part, 3)};
    for (int part = 2; part >= 0; part--) {
        pthread_create(&threads[part], NULL, worker_commit, &workers[part]);
        usleep(5000);
    }
    for (int part = 0; part < 3; part++) {
        pthread_join(threads[part], NULL);
        assert_int_equal(workers[part].code, HAUL_OK);
    }
    assert_int_equal(atoi(workers[0].receipt.text), 16);
    assert_int_equal(atoi(workers[2].receipt.text), 22);
    assert_int_equal(workers[0].receipt.bytes_written, 16);
    assert_int_equal(workers[2].receipt.bytes_written, 3);
    assert_non_null(strstr(workers[1].receipt.text, " rows 1"));
    for (int part = 0; part < 3; part++)
        arena_release(&workers[part].arena);
    assert_int_equal(finished(sink, NULL), HAUL_OK);
    assert_string_equal(file_get("a.lines"), WHOLE3);
    sink->ops->close(sink);
}

static void a_waiting_piece_can_be_cancelled(void **state)
{
    (void)state;
    struct sink *sink = sink_ready(in_folder("a.lines"), SINK_CREATE);
    struct writer *writer = unit_written(sink, 1, 3);
    pthread_t thread;
    struct worker worker = {.part = 1, .writer = writer};
    pthread_create(&thread, NULL, worker_commit, &worker);
    usleep(10000);
    atomic_store(&cancel.asked, 1);
    pthread_join(thread, NULL);
    assert_int_equal(worker.code, HAUL_CANCELLED);
    writer->ops->abort(writer);
    arena_release(&worker.arena);
    sink->ops->close(sink);
    assert_true(file_there(TEMP));
}

static void who_holds_the_reserve_spills_before_waiting(void **state)
{
    (void)state;
    struct memory *root = NULL, *share = NULL;
    struct context own = context;
    struct writer *writers[2] = {0};
    struct receipt receipt;
    enum unit_state unit_state;
    pthread_t thread;
    assert_int_equal(memory_open(&root, 8 << 20, 1, &err), HAUL_OK);
    assert_int_equal(memory_share(root, &share, &err), HAUL_OK);
    own.memory = share;
    void *large = memory_alloc(share, 7 << 20);
    assert_non_null(large);
    assert_true(memory_borrowed(share));
    struct sink *sink = sink_ready(in_folder("a.lines"), SINK_CREATE);
    for (uint64_t part = 0; part < 2; part++) {
        struct unit unit = {.part = part, .parts = 3};
        assert_int_equal(claimed(sink, &own, &unit, &writers[part], &unit_state, &receipt), HAUL_OK);
    }
    struct worker second = {.part = 1, .writer = writers[1]};
    pthread_create(&thread, NULL, worker_commit, &second);
    for (int i = 0; i < 10000 && !lines_spills; i++)
        usleep(1000);
    assert_int_equal(unit_committed(writers[0], 0, 3, &receipt), HAUL_OK);
    pthread_join(thread, NULL);
    assert_int_equal(second.code, HAUL_OK);
    assert_int_equal(lines_spills, 1); /* the second only: the first had its turn */
    arena_release(&second.arena);
    memory_free(share, large, 7 << 20);
    sink->ops->close(sink);
    memory_close(share);
    memory_close(root);
}

static void an_empty_table_is_one_empty_piece(void **state)
{
    (void)state;
    struct sink *sink = sink_ready(in_folder("a.lines"), SINK_CREATE);
    assert_int_equal(finished(sink, NULL), HAUL_OK);
    assert_string_equal(file_get("a.lines"), "LINES a:utf8\nEND 1 0\n");
    sink->ops->close(sink);
}

static void an_aborted_unit_leaves_nothing(void **state)
{
    (void)state;
    struct sink *sink = sink_ready(in_folder("a.lines"), SINK_CREATE);
    struct writer *writer = unit_written(sink, 0, 3);
    writer->ops->abort(writer);
    run_parts(sink, 0, 2, 3);
    assert_int_equal(finished(sink, NULL), HAUL_OK);
    assert_string_equal(file_get("a.lines"), WHOLE3);
    sink->ops->close(sink);
}

/* ---- failures and resuming ---- */

static void a_failed_append_stops_and_is_resumed(void **state)
{
    (void)state;
    struct receipt receipt;
    struct sink *sink = sink_ready(in_folder("a.lines"), SINK_CREATE);
    run_parts(sink, 0, 0, 3);
    struct writer *writer = unit_written(sink, 1, 3), *later = unit_written(sink, 2, 3);
    lines_fail_append = 1;
    assert_int_equal(unit_committed(writer, 1, 3, &receipt), HAUL_SPACE);
    writer->ops->abort(writer);
    assert_string_equal(file_get(TEMP), "LINES a:utf8\np0\n");
    err = (struct haul_error){0};
    assert_int_equal(unit_committed(later, 2, 3, &receipt), HAUL_SPACE); /* the same error */
    expect_message("the disk is full");
    later->ops->abort(later);
    assert_int_equal(finished(sink, NULL), HAUL_SPACE);
    sink->ops->close(sink);

    sink = sink_ready(in_folder("a.lines"), SINK_CREATE);
    expect_done(sink, 0, 3, true);
    run_parts(sink, 1, 2, 3);
    lines_fail_finish = 1;
    assert_int_equal(finished(sink, NULL), HAUL_SPACE);
    assert_false(file_there("a.lines"));
    sink->ops->close(sink);

    sink = sink_ready(in_folder("a.lines"), SINK_CREATE);
    for (uint64_t part = 0; part < 3; part++)
        expect_done(sink, part, 3, true);
    assert_int_equal(finished(sink, NULL), HAUL_OK);
    assert_string_equal(file_get("a.lines"), WHOLE3);
    assert_int_equal(folder_count(""), 1);
    sink->ops->close(sink);
}

static void only_the_unbroken_run_counts(void **state)
{
    (void)state;
    struct sink *sink = sink_ready(in_folder("a.lines"), SINK_CREATE);
    run_parts(sink, 0, 2, 3);
    sink->ops->close(sink);
    journal[1] = journal[2]; /* killed before part 1 was journaled */
    journal_count = 2;
    sink = sink_ready(in_folder("a.lines"), SINK_CREATE);
    assert_string_equal(file_get(TEMP), "LINES a:utf8\np0\n");
    expect_done(sink, 0, 3, true);
    expect_done(sink, 1, 3, false);
    expect_done(sink, 2, 3, false);
    sink->ops->close(sink);

    journal[0] = journal[1]; /* only the last: nothing counts */
    journal_count = 1;
    sink = sink_ready(in_folder("a.lines"), SINK_CREATE);
    assert_string_equal(file_get(TEMP), "");
    journal_count = 0;
    run_parts(sink, 0, 2, 3);
    assert_int_equal(finished(sink, NULL), HAUL_OK);
    assert_string_equal(file_get("a.lines"), WHOLE3);
    sink->ops->close(sink);
}

/* A record of an attempt that was cut back since points behind the end. */
static void a_receipt_behind_the_end_does_not_count(void **state)
{
    (void)state;
    struct sink *sink = sink_ready(in_folder("a.lines"), SINK_CREATE);
    run_parts(sink, 0, 2, 3);
    sink->ops->close(sink);
    assert_int_equal(truncate(in_folder(TEMP), 20), 0); /* part 1 ends at 19, part 2 at 22 */
    sink = sink_ready(in_folder("a.lines"), SINK_CREATE);
    assert_int_equal(strlen(file_get(TEMP)), 19);
    expect_done(sink, 1, 3, true);
    journal_count = 2;
    run_parts(sink, 2, 2, 3);
    assert_int_equal(finished(sink, NULL), HAUL_OK);
    assert_string_equal(file_get("a.lines"), WHOLE3);
    sink->ops->close(sink);
}

static void another_file_is_not_continued(void **state)
{
    (void)state;
    struct sink *sink = sink_ready(in_folder("a.lines"), SINK_CREATE);
    run_parts(sink, 0, 1, 3);
    sink->ops->close(sink);
    assert_int_equal(rename(in_folder(TEMP), in_folder("kept")), 0);
    file_put(TEMP, "LINES a:utf8\nq0\nq1\n");
    sink = sink_to(in_folder("a.lines"));
    assert_int_equal(negotiated(sink, SINK_CREATE), HAUL_OK);
    assert_int_equal(prepared(sink), HAUL_CHANGED);
    expect_message("--restart");
    assert_int_equal(unlink(in_folder(TEMP)), 0);
    assert_int_equal(prepared(sink), HAUL_CHANGED); /* neither name */
    expect_message("neither is the file");
    assert_int_equal(unlink(in_folder("kept")), 0);
    sink->ops->close(sink);
}

static void what_was_published_is_known_again(void **state)
{
    (void)state;
    struct unit unit = {.part = 2, .parts = 3};
    struct writer *writer;
    struct receipt receipt;
    enum unit_state unit_state;
    struct sink *sink = sink_ready(in_folder("a.lines"), SINK_CREATE);
    run_parts(sink, 0, 2, 3);
    assert_int_equal(finished(sink, NULL), HAUL_OK);
    sink->ops->close(sink);
    sink = sink_ready(in_folder("a.lines"), SINK_CREATE);
    for (uint64_t part = 0; part < 3; part++)
        expect_done(sink, part, 3, true);
    assert_int_equal(finished(sink, NULL), HAUL_OK);
    assert_string_equal(file_get("a.lines"), WHOLE3);
    sink->ops->close(sink);
    journal_count = 2; /* published, but not by these receipts */
    sink = sink_ready(in_folder("a.lines"), SINK_CREATE);
    assert_int_equal(claimed(sink, &context, &unit, &writer, &unit_state, &receipt), HAUL_CHANGED);
    sink->ops->close(sink);
    file_put("b", "another");
    assert_int_equal(rename(in_folder("b"), in_folder("a.lines")), 0);
    sink = sink_to(in_folder("a.lines"));
    assert_int_equal(negotiated(sink, SINK_CREATE), HAUL_EXISTS);
    assert_int_equal(prepared(sink), HAUL_CHANGED);
    sink->ops->close(sink);
    assert_string_equal(file_get("a.lines"), "another");
}

static void a_run_without_units_begins_anew(void **state)
{
    (void)state;
    struct sink *sink = sink_ready(in_folder("a.lines"), SINK_CREATE);
    run_parts(sink, 0, 1, 3);
    sink->ops->close(sink);
    journal_count = 0;
    sink = sink_ready(in_folder("a.lines"), SINK_CREATE);
    assert_string_equal(file_get(TEMP), "");
    sink->ops->close(sink);
}

static void remove_takes_what_the_run_made(void **state)
{
    (void)state;
    struct run_record run;
    struct sink *sink = sink_ready(in_folder("a.lines"), SINK_CREATE);
    run_parts(sink, 0, 1, 3);
    run = run_now();
    file_put(".b.lines.haul-h2.part", "another run's");
    assert_int_equal(sink->ops->remove(sink, &run, &err), HAUL_OK);
    assert_false(file_there(TEMP));
    assert_int_equal(sink->ops->remove(sink, &run, &err), HAUL_OK);
    journal_count = 0;
    assert_int_equal(prepared(sink), HAUL_OK);
    run_parts(sink, 0, 2, 3);
    assert_int_equal(finished(sink, NULL), HAUL_OK);
    run = run_now();
    assert_int_equal(sink->ops->remove(sink, &run, &err), HAUL_OK); /* its own, published */
    assert_false(file_there("a.lines"));
    file_put("a.lines", "somebody's");
    assert_int_equal(sink->ops->remove(sink, &run, &err), HAUL_OK);
    assert_string_equal(file_get("a.lines"), "somebody's");
    sink->ops->close(sink);
    assert_true(file_there(".b.lines.haul-h2.part"));
}

/* ---- modes ---- */

static enum haul_code refused(const char *name, enum sink_mode mode)
{
    struct sink *sink = NULL;
    enum haul_code code = file_sink_open(name, test_formats, NULL, &context, &sink, &err);
    if (!code) {
        code = negotiated(sink, mode);
        sink->ops->close(sink);
    }
    return code;
}

static void modes_of_one_file(void **state)
{
    (void)state;
    file_put("a.lines", "old");
    assert_int_equal(refused(in_folder("a.lines"), SINK_CREATE), HAUL_EXISTS);
    expect_message("--mode replace");
    assert_int_equal(refused(in_folder("a.lines"), SINK_APPEND), HAUL_USAGE);
    expect_message("means a folder");
    assert_int_equal(refused(in_folder("a.lines"), SINK_MERGE), HAUL_UNSUPPORTED);
    struct sink *sink = sink_ready(in_folder("a.lines"), SINK_REPLACE);
    run_parts(sink, 0, 2, 3);
    assert_string_equal(file_get("a.lines"), "old");
    assert_int_equal(finished(sink, NULL), HAUL_OK);
    assert_string_equal(file_get("a.lines"), WHOLE3);
    sink->ops->close(sink);
    sink = sink_to(in_folder("a.lines"));
    journal_count = 0;
    assert_int_equal(negotiated(sink, SINK_CREATE), HAUL_EXISTS);
    assert_int_equal(prepared(sink), HAUL_EXISTS);
    sink->ops->close(sink);
}

static void a_name_taken_meanwhile_is_kept(void **state)
{
    (void)state;
    struct sink *sink = sink_ready(in_folder("a.lines"), SINK_CREATE);
    run_parts(sink, 0, 2, 3);
    file_put("a.lines", "somebody's");
    assert_int_equal(finished(sink, NULL), HAUL_EXISTS);
    expect_message("appeared while this run was writing");
    assert_string_equal(file_get("a.lines"), "somebody's");
    assert_int_equal(unlink(in_folder("a.lines")), 0);
    assert_int_equal(finished(sink, NULL), HAUL_OK); /* the end is not written twice */
    assert_string_equal(file_get("a.lines"), WHOLE3);
    sink->ops->close(sink);
}

static void places_that_cannot_be_written(void **state)
{
    (void)state;
    assert_int_equal(refused(in_folder("no/a.lines"), SINK_CREATE), HAUL_NOT_FOUND);
    expect_message("does not exist; make it first");
    assert_int_equal(refused(in_folder("no/out/"), SINK_CREATE), HAUL_NOT_FOUND);
    file_put("file", "x");
    assert_int_equal(refused(in_folder("file/a.lines"), SINK_CREATE), HAUL_NOT_FOUND);
    assert_int_equal(refused(in_folder("file/"), SINK_CREATE), HAUL_USAGE);
    expect_message("is a file; a folder is wanted");
    assert_int_equal(mkfifo(in_folder("pipe.lines"), 0600), 0);
    assert_int_equal(refused(in_folder("pipe.lines"), SINK_REPLACE), HAUL_UNSUPPORTED);
    assert_int_equal(refused(in_folder("a.what"), SINK_CREATE), HAUL_USAGE);
    expect_message("say --to lines|txt|other");
    assert_int_equal(refused("-", SINK_CREATE), HAUL_USAGE);
    assert_int_equal(refused("", SINK_CREATE), HAUL_USAGE);
    assert_int_equal(settings_set(&settings, "files", "0", &err), HAUL_OK);
    assert_int_equal(refused(in_folder("out/"), SINK_CREATE), HAUL_USAGE);
    assert_int_equal(settings_set(&settings, "files", "2", &err), HAUL_OK);
    assert_int_equal(refused("-", SINK_CREATE), HAUL_USAGE);
    expect_message("--files needs a folder");
}

/* ---- folders ---- */

#define PART(n)        "out/sales_orders_part_0000" n ".lines"
#define MANIFEST       "out/sales_orders_manifest.json"
#define EMPTY_MANIFEST "{\"version\":2,\"type\":\"files\",\"run\":\"h1\",\"entries\":[],\"files\":[]}"

static struct sink *folder_ready(const char *files, enum sink_mode mode)
{
    assert_int_equal(settings_set(&settings, "files", files, &err), HAUL_OK);
    return sink_ready(in_folder("out/"), mode);
}

static void a_folder_gets_its_files_and_a_manifest(void **state)
{
    (void)state;
    struct sink *sink = folder_ready("2", SINK_CREATE);
    run_parts(sink, 0, 4, 5);
    assert_int_equal(folder_count("out"), 2);
    assert_int_equal(finished(sink, EMPTY_MANIFEST), HAUL_OK);
    assert_string_equal(file_get(PART("0")), "LINES a:utf8\np0\np1\np2\nEND 3 3\n");
    assert_string_equal(file_get(PART("1")), "LINES a:utf8\np3\np4\nEND 2 2\n");
    assert_string_equal(
        file_get(MANIFEST),
        "{\"version\":2,\"type\":\"files\",\"run\":\"h1\",\"entries\":[\n"
        "\"sales_orders_part_00000.lines\",\n\"sales_orders_part_00001.lines\"\n],\"files\":[\n"
        "{\"name\":\"sales_orders_part_00000.lines\",\"rows\":3,\"bytes\":30},\n"
        "{\"name\":\"sales_orders_part_00001.lines\",\"rows\":2,\"bytes\":27}\n]}");
    assert_int_equal(folder_count("out"), 3);
    assert_int_equal(finished(sink, EMPTY_MANIFEST), HAUL_OK);
    assert_int_equal(folder_count("out"), 3);
    sink->ops->close(sink);
    assert_int_equal(refused(in_folder("out/"), SINK_CREATE), HAUL_EXISTS);
    expect_message("--mode replace or --mode append");
}

static void more_files_than_parts_are_not_made(void **state)
{
    (void)state;
    struct sink *sink = folder_ready("4", SINK_CREATE);
    run_parts(sink, 0, 1, 2);
    assert_int_equal(finished(sink, NULL), HAUL_OK);
    assert_int_equal(folder_count("out"), 2);
    assert_string_equal(file_get(PART("1")), "LINES a:utf8\np1\nEND 1 1\n");
    sink->ops->close(sink);
}

static void appending_goes_on_with_the_numbers(void **state)
{
    (void)state;
    struct sink *sink = folder_ready("1", SINK_APPEND);
    run_parts(sink, 0, 0, 1);
    assert_int_equal(finished(sink, EMPTY_MANIFEST), HAUL_OK);
    sink->ops->close(sink);
    journal_count = 0;
    file_put("out/.sales_orders_part_00003.lines.haul-h2.part", "another run's");
    sink = folder_ready("2", SINK_APPEND);
    run_parts(sink, 0, 0, 2);
    assert_true(file_there("out/.sales_orders_part_00004.lines.haul-h1.part"));
    sink->ops->close(sink);
    sink = folder_ready("2", SINK_APPEND); /* finds its numbers again */
    expect_done(sink, 0, 2, true);
    run_parts(sink, 1, 1, 2);
    assert_int_equal(finished(sink, EMPTY_MANIFEST), HAUL_OK);
    sink->ops->close(sink);
    sink = folder_ready("2", SINK_APPEND); /* killed after publishing: the same end again */
    expect_done(sink, 0, 2, true);
    expect_done(sink, 1, 2, true);
    assert_int_equal(finished(sink, EMPTY_MANIFEST), HAUL_OK);
    sink->ops->close(sink);
    assert_string_equal(file_get(MANIFEST),
                        "{\"version\":2,\"type\":\"files\",\"run\":\"h1\",\"entries\":[\n"
                        "\"sales_orders_part_00000.lines\",\n\"sales_orders_part_00004.lines\",\n"
                        "\"sales_orders_part_00005.lines\"\n],\"files\":[\n"
                        "{\"name\":\"sales_orders_part_00000.lines\",\"rows\":1,\"bytes\":24},\n"
                        "{\"name\":\"sales_orders_part_00004.lines\",\"rows\":1,\"bytes\":24},\n"
                        "{\"name\":\"sales_orders_part_00005.lines\",\"rows\":1,\"bytes\":24}\n]}");
    assert_string_equal(file_get(PART("5")), "LINES a:utf8\np1\nEND 1 1\n");
    assert_int_equal(folder_count("out"), 5);
}

static void a_damaged_manifest_is_not_overwritten(void **state)
{
    (void)state;
    mkdir(in_folder("out"), 0700);
    file_put(MANIFEST, "{\"version\":2,\"entries\":[{\"name\":\"x\"");
    struct sink *sink = folder_ready("1", SINK_APPEND);
    run_parts(sink, 0, 0, 1);
    assert_int_equal(finished(sink, EMPTY_MANIFEST), HAUL_DATA);
    expect_message("move it away");
    assert_int_equal(strncmp(file_get(MANIFEST), "{\"version\":2,\"entries\":[{", 25), 0);
    file_put(MANIFEST, "{ \"x\" : \"entries\", \"a\":{\"entries\":[1]},\n \"entries\" : [ \"]x\\\"\" ] }");
    assert_int_equal(finished(sink, EMPTY_MANIFEST), HAUL_OK);
    assert_non_null(strstr(file_get(MANIFEST), "[\n\"]x\\\"\",\n\"sales_orders_part_00000.lines\""));
    sink->ops->close(sink);
}

static char warning[256];

static void keep_warning(void *user, bool is_warning, const char *message)
{
    (void)user;
    if (is_warning)
        snprintf(warning, sizeof warning, "%s", message);
}

static void replacing_a_folder_leaves_what_is_not_ours(void **state)
{
    (void)state;
    mkdir(in_folder("out"), 0700);
    file_put(PART("0"), "old");
    file_put(PART("1"), "old");
    file_put("out/sales_orders_part_00002.txt", "old, of another format");
    file_put("out/notes.lines", "mine");
    file_put("out/sales_orders_part_00001.lines.bak", "mine");
    file_put(MANIFEST, "old");
    warning[0] = '\0';
    context.note = keep_warning;
    struct sink *sink = folder_ready("1", SINK_REPLACE);
    assert_non_null(strstr(warning, "also holds other data (notes.lines)"));
    run_parts(sink, 0, 1, 2);
    assert_string_equal(file_get(PART("0")), "old");
    assert_string_equal(file_get(MANIFEST), "old");
    assert_int_equal(finished(sink, "{\"entries\": []}"), HAUL_OK);
    assert_string_equal(file_get(PART("0")), "LINES a:utf8\np0\np1\nEND 2 2\n");
    assert_false(file_there(PART("1")));
    assert_false(file_there("out/sales_orders_part_00002.txt"));
    assert_non_null(strstr(file_get(MANIFEST), "part_00000.lines"));
    assert_int_equal(folder_count("out"), 4);
    sink->ops->close(sink);
}

static void a_half_published_folder_is_finished(void **state)
{
    (void)state;
    struct sink *sink = folder_ready("2", SINK_CREATE);
    run_parts(sink, 0, 3, 4);
    file_put(PART("1"), "in the way");
    assert_int_equal(finished(sink, EMPTY_MANIFEST), HAUL_EXISTS);
    assert_true(file_there(PART("0")));
    assert_false(file_there(MANIFEST));
    sink->ops->close(sink);
    assert_int_equal(unlink(in_folder(PART("1"))), 0);
    sink = folder_ready("2", SINK_CREATE);
    for (uint64_t part = 0; part < 4; part++)
        expect_done(sink, part, 4, true);
    assert_int_equal(finished(sink, EMPTY_MANIFEST), HAUL_OK);
    assert_string_equal(file_get(PART("1")), "LINES a:utf8\np2\np3\nEND 2 2\n");
    assert_non_null(strstr(file_get(MANIFEST), "\"sales_orders_part_00000.lines\",\"rows\":2,\"bytes\":27"));
    sink->ops->close(sink);
}

static void each_file_of_a_folder_is_resumed(void **state)
{
    (void)state;
    struct sink *sink = folder_ready("2", SINK_CREATE);
    run_parts(sink, 0, 0, 4);
    run_parts(sink, 2, 3, 4);
    struct run_record run = run_now();
    sink->ops->close(sink);
    sink = folder_ready("2", SINK_CREATE);
    expect_done(sink, 0, 4, true);
    expect_done(sink, 1, 4, false);
    expect_done(sink, 2, 4, true);
    expect_done(sink, 3, 4, true);
    file_put("out/README", "mine");
    assert_int_equal(sink->ops->remove(sink, &run, &err), HAUL_OK);
    assert_int_equal(folder_count("out"), 1);
    sink->ops->close(sink);
}

/* ---- without a file ---- */

static void standard_output_gets_bytes_in_order(void **state)
{
    (void)state;
    struct sink *sink = NULL;
    int ends[2], saved = dup(1);
    char bytes[128] = "";
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(file_sink_open("-", test_formats, "lines", &context, &sink, &err), HAUL_OK);
    fflush(stdout);
    dup2(ends[1], 1);
    enum haul_code code = negotiated(sink, SINK_CREATE);
    if (!code)
        code = prepared(sink);
    dup2(saved, 1);
    close(saved);
    close(ends[1]);
    assert_int_equal(code, HAUL_OK);
    run_parts(sink, 0, 2, 3);
    assert_int_equal(finished(sink, NULL), HAUL_OK);
    sink->ops->close(sink);
    assert_int_equal(read(ends[0], bytes, sizeof bytes), (int)strlen(WHOLE3));
    assert_string_equal(bytes, WHOLE3);
    assert_int_equal(read(ends[0], bytes, sizeof bytes), 0);
    close(ends[0]);
}

static void memory_is_written_too(void **state)
{
    (void)state;
    const uint8_t *data = NULL;
    size_t length = 0;
    struct sink *sink = NULL;
    assert_int_equal(file_sink_open("memory:a.lines", test_formats, NULL, &context, &sink, &err), HAUL_OK);
    assert_int_equal(negotiated(sink, SINK_CREATE), HAUL_OK);
    assert_int_equal(prepared(sink), HAUL_OK);
    run_parts(sink, 0, 2, 3);
    assert_int_equal(finished(sink, NULL), HAUL_OK);
    sink->ops->close(sink);
    assert_int_equal(store_memory_get("memory:a.lines", &data, &length, &err), HAUL_OK);
    assert_int_equal(length, strlen(WHOLE3));
    assert_memory_equal(data, WHOLE3, length);
    store_memory_clear();
}

static void calls_out_of_order_are_refused(void **state)
{
    (void)state;
    struct sink *sink = sink_to(in_folder("a.lines"));
    struct unit unit = {.part = 0, .first_row = 5, .parts = 3};
    struct writer *writer;
    struct receipt receipt;
    enum unit_state unit_state;
    assert_int_equal(prepared(sink), HAUL_INTERNAL);
    assert_int_equal(finished(sink, NULL), HAUL_INTERNAL);
    assert_int_equal(negotiated(sink, SINK_CREATE), HAUL_OK);
    assert_int_equal(prepared(sink), HAUL_OK);
    assert_int_equal(claimed(sink, &context, &unit, &writer, &unit_state, &receipt), HAUL_INTERNAL);
    unit = (struct unit){.part = 3, .parts = 3};
    assert_int_equal(claimed(sink, &context, &unit, &writer, &unit_state, &receipt), HAUL_INTERNAL);
    sink->ops->close(sink);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_appears_when_it_is_whole),
        TEST(pieces_come_in_part_order),
        TEST(a_waiting_piece_can_be_cancelled),
        TEST(who_holds_the_reserve_spills_before_waiting),
        TEST(an_empty_table_is_one_empty_piece),
        TEST(an_aborted_unit_leaves_nothing),
        TEST(a_failed_append_stops_and_is_resumed),
        TEST(only_the_unbroken_run_counts),
        TEST(a_receipt_behind_the_end_does_not_count),
        TEST(another_file_is_not_continued),
        TEST(what_was_published_is_known_again),
        TEST(a_run_without_units_begins_anew),
        TEST(remove_takes_what_the_run_made),
        TEST(modes_of_one_file),
        TEST(a_name_taken_meanwhile_is_kept),
        TEST(places_that_cannot_be_written),
        TEST(a_folder_gets_its_files_and_a_manifest),
        TEST(more_files_than_parts_are_not_made),
        TEST(appending_goes_on_with_the_numbers),
        TEST(a_damaged_manifest_is_not_overwritten),
        TEST(replacing_a_folder_leaves_what_is_not_ours),
        TEST(a_half_published_folder_is_finished),
        TEST(each_file_of_a_folder_is_resumed),
        TEST(standard_output_gets_bytes_in_order),
        TEST(memory_is_written_too),
        TEST(calls_out_of_order_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
