/* Files as a source: which files and format, equal columns, parts, changes, many files. */
#include "format/file_source.h"
#include "../store/folder.h"
#include "lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

static struct context context;
static struct haul_error err;

static int set_up(void **state)
{
    (void)state;
    folder_make();
    context_init(&context);
    err = (struct haul_error){0};
    lines_inputs_open = lines_inputs_most = lines_inputs_opened = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove();
    assert_int_equal(lines_inputs_open, 0);
    return 0;
}

static enum haul_code opened(const char *name, const char *forced, struct source **source)
{
    struct source_request request = {0};
    *source = NULL;
    return file_source_open(name, test_formats, forced, &context, &request, source, &err);
}

/* Opens and describes; HAUL_OK, or what went wrong. */
static enum haul_code looked(const char *name, const char *forced)
{
    struct source *source = NULL;
    struct source_info info = {0};
    enum haul_code code = opened(name, forced, &source);
    if (!code) {
        code = source->ops->describe(source, &info, &err);
        source_info_release(&info);
        source->ops->close(source);
    }
    return code;
}

static void expect_message(const char *text)
{
    if (!strstr(err.message, text))
        fail_msg("\"%s\" lacks \"%s\"", err.message, text);
}

static void append_rows(const struct batch *batch, char *out)
{
    struct buffer text = {0};
    for (int64_t row = 0; row < batch->array.length; row++) {
        struct view view;
        assert_int_equal(view_init(&view, &batch->schema->fields[0], batch->array.children[0], &err),
                         HAUL_OK);
        assert_int_equal(view_print(&view, row, &text, &err), HAUL_OK);
        assert_int_equal(buffer_append(&text, " ", 1, &err), HAUL_OK);
    }
    strncat(out, text.data ? (char *)text.data : "", text.length);
    buffer_release(&text);
}

/* Reads a part from its row `first_row` on; values of the first column to `out`. */
static enum haul_code read_part(struct source *source, const struct part *part, int64_t first_row, char *out)
{
    struct reader *reader = NULL;
    bool end = false;
    enum haul_code code = source->ops->open(source, &context, part, first_row, &reader, &err);
    while (!code && !end) {
        struct batch batch = {0};
        code = reader->ops->next(reader, 1, &batch, &end, &err);
        if (!code && !end) {
            assert_int_equal(batch.part, part->index);
            append_rows(&batch, out);
        }
        batch_release(&batch);
    }
    if (reader)
        reader->ops->close(reader);
    return code;
}

/* ---- formats ---- */

static void content_and_suffix_must_agree(void **state)
{
    (void)state;
    file_put("a.lines", "LINES a:utf8\nx\n");
    file_put("b.txt", "LINES a:utf8\nx\n");
    file_put("c.lines", "hello\n");
    file_put("d.txt", "hello\n");
    file_put("e.oth", "LINES a:utf8\n");
    file_put("f", "LINES a:utf8\nx\n");
    file_put("g", "\001\002");
    file_put("h.csv.gz", "\001\002");
    assert_int_equal(looked(in_folder("a.lines"), NULL), HAUL_OK);
    assert_int_equal(looked(in_folder("b.txt"), NULL), HAUL_DATA);
    expect_message("b.txt holds Lines; rename it or say --from lines");
    assert_int_equal(looked(in_folder("b.txt"), "lines"), HAUL_OK);
    assert_int_equal(looked(in_folder("c.lines"), NULL), HAUL_DATA);
    expect_message("does not hold Lines, it looks like TXT; rename it or say --from txt");
    assert_int_equal(looked(in_folder("e.oth"), NULL), HAUL_DATA);
    expect_message("e.oth holds Lines");
    assert_int_equal(looked(in_folder("f"), NULL), HAUL_OK);
    assert_int_equal(looked(in_folder("g"), NULL), HAUL_DATA);
    expect_message("cannot tell its format; say --from lines|txt|other");
    assert_int_equal(looked(in_folder("h.csv.gz"), NULL), HAUL_UNSUPPORTED);
    expect_message("unpack it first");
    assert_int_equal(looked(in_folder("a.lines"), "LINES"), HAUL_OK);
    assert_int_equal(looked(in_folder("a.lines"), "nope"), HAUL_USAGE);
    expect_message("there is lines|txt|other");
}

static void what_is_not_there_is_told(void **state)
{
    (void)state;
    struct source *source = NULL;
    struct source_request request = {.query = "SELECT 1"};
    file_put("empty.lines", "");
    assert_int_equal(looked(in_folder("empty.lines"), NULL), HAUL_DATA);
    expect_message("empty.lines is empty: no header");
    assert_int_equal(looked(in_folder("emptx.lines"), NULL), HAUL_NOT_FOUND);
    expect_message("near: empty.lines");
    assert_int_equal(file_source_open("x", test_formats, NULL, &context, &request, &source, &err),
                     HAUL_USAGE);
    expect_message("--query needs a database");
}

static void a_folder_keeps_to_one_format(void **state)
{
    (void)state;
    mkdir(in_folder("out"), 0700);
    file_put("out/README.md", "hello");
    assert_int_equal(looked(in_folder("out/"), NULL), HAUL_NOT_FOUND);
    expect_message("no file in this folder has a known suffix");
    file_put("out/_SUCCESS", "");
    file_put("out/1.lines", "LINES a:utf8\nx\n");
    file_put("out/2.lin", "LINES a:utf8\ny\n");
    assert_int_equal(looked(in_folder("out"), NULL), HAUL_OK);
    file_put("out/3.txt", "z\n");
    assert_int_equal(looked(in_folder("out"), NULL), HAUL_USAGE);
    expect_message("Lines and TXT files; say --from lines or --from txt");
    assert_int_equal(looked(in_folder("out"), "lines"), HAUL_OK);
    assert_int_equal(looked(in_folder("out/*"), NULL), HAUL_DATA);
}

/* ---- describing ---- */

static void files_add_up(void **state)
{
    (void)state;
    struct source *source = NULL;
    struct source_info info = {0};
    char identity[256];
    file_put("part-1.lines", "LINES a:utf8,b:int64\nx,1\ny,2\nz,3\n");
    file_put("part-2.lines", "LINES a:utf8,b:int64\n");
    assert_int_equal(opened(in_folder("part-*.lines"), NULL, &source), HAUL_OK);
    assert_int_equal(source->ops->describe(source, &info, &err), HAUL_OK);
    assert_int_equal(info.schema.count, 2);
    assert_int_equal(info.rows, 3);
    assert_true(info.rows_exact && info.order_fixed && info.replayable);
    assert_int_equal(info.bytes, 33 + 21);
    assert_int_equal(info.splits_max, 0);
    assert_string_equal(info.table, "part");
    assert_string_equal(info.consistency, "file");
    assert_non_null(strstr(info.identity, "files 2 sum "));
    snprintf(identity, sizeof identity, "%s", info.identity);
    source_info_release(&info);
    source->ops->close(source);
    file_put("part-2.lines", "LINES a:utf8,b:int64\nw,4\n");
    assert_int_equal(opened(in_folder("part-*.lines"), NULL, &source), HAUL_OK);
    assert_int_equal(source->ops->describe(source, &info, &err), HAUL_OK);
    assert_string_not_equal(info.identity, identity);
    source_info_release(&info);
    source->ops->close(source);
}

static void columns_must_be_equal(void **state)
{
    (void)state;
    file_put("p1.lines", "LINES a:utf8,b:int64\n");
    file_put("p2.lines", "LINES a:utf8,b:utf8\n");
    assert_int_equal(looked(in_folder("p*.lines"), NULL), HAUL_DATA);
    expect_message("p2.lines: column \"b\" is utf8, in ");
    expect_message("p1.lines it is int64");
    file_put("p2.lines", "LINES b:int64,a:utf8\n");
    assert_int_equal(looked(in_folder("p*.lines"), NULL), HAUL_DATA);
    expect_message("has column \"b\" (int64) where ");
    expect_message("has \"a\" (utf8)");
    file_put("p2.lines", "LINES a:utf8,b:int64,c:bool\n");
    assert_int_equal(looked(in_folder("p*.lines"), NULL), HAUL_DATA);
    expect_message("p2.lines has 3 columns");
    expect_message("\"c\" is in one of them only");
}

/* ---- parts and reading ---- */

static void parts_follow_one_another(void **state)
{
    (void)state;
    struct source *source = NULL;
    struct arena arena = {0};
    struct part parts[8];
    const struct split_request request = {.part_rows = -1, .part_bytes = -1};
    char values[256] = "";
    int count = 0;
    bool more = true;
    file_put("p1.lines", "LINES a:utf8\na\nb\nc\n");
    file_put("p2.lines", "LINES a:utf8\n");
    file_put("p3.lines", "LINES a:utf8\nd\n");
    assert_int_equal(opened(in_folder("p*.lines"), NULL, &source), HAUL_OK);
    for (; more && count < 8; count += more) {
        assert_int_equal(source->ops->split(source, &request, &arena, &parts[count], &more, &err), HAUL_OK);
        if (more)
            assert_int_equal(parts[count].index, count);
    }
    assert_int_equal(count, 4);
    assert_string_equal(parts[1].spec, "file 0|rows 2");
    assert_string_equal(parts[2].spec, "file 1|rows 0");
    assert_int_equal(parts[2].rows, 0);
    assert_int_equal(source->ops->begin(source, 2, &err), HAUL_OK);
    for (int i = 0; i < count; i++)
        assert_int_equal(read_part(source, &parts[i], 0, values), HAUL_OK);
    assert_string_equal(values, "a b c d ");
    values[0] = '\0';
    assert_int_equal(read_part(source, &parts[0], 1, values), HAUL_OK);
    assert_string_equal(values, "b ");
    source->ops->end(source);
    arena_release(&arena);
    source->ops->close(source);
}

static void a_foreign_spec_is_refused(void **state)
{
    (void)state;
    struct source *source = NULL;
    char out[16] = "";
    file_put("p1.lines", "LINES a:utf8\na\n");
    assert_int_equal(opened(in_folder("p1.lines"), NULL, &source), HAUL_OK);
    struct part part = {.spec = (char[]){"rowid 1..5"}};
    assert_int_equal(read_part(source, &part, 0, out), HAUL_INTEGRITY);
    part.spec = (char[]){"file 1|rows 0"};
    assert_int_equal(read_part(source, &part, 0, out), HAUL_CHANGED);
    part.spec = (char[]){"file 99999999999999999999|rows 0"};
    assert_int_equal(read_part(source, &part, 0, out), HAUL_INTEGRITY);
    part.spec = NULL;
    assert_int_equal(read_part(source, &part, 0, out), HAUL_INTEGRITY);
    source->ops->close(source);
}

static void a_changed_file_gives_no_more_rows(void **state)
{
    (void)state;
    struct source *source = NULL;
    struct reader *reader = NULL;
    struct batch batch = {0};
    bool end;
    file_put("p1.lines", "LINES a:utf8\na\nb\n");
    assert_int_equal(opened(in_folder("p1.lines"), NULL, &source), HAUL_OK);
    struct part part = {.spec = (char[]){"file 0|rows 0"}};
    assert_int_equal(source->ops->open(source, &context, &part, 0, &reader, &err), HAUL_OK);
    assert_int_equal(reader->ops->next(reader, 1, &batch, &end, &err), HAUL_OK);
    batch_release(&batch);
    file_put("p1.lines", "LINES a:utf8\na\nb\nc\n");
    assert_int_equal(reader->ops->next(reader, 1, &batch, &end, &err), HAUL_CHANGED);
    assert_null(batch.array.release);
    reader->ops->close(reader);
    source->ops->close(source);
}

static void standard_input_is_read(void **state)
{
    (void)state;
    struct source *source = NULL;
    struct source_info info = {0};
    char values[64] = "";
    int ends[2], saved = dup(0);
    const char text[] = "LINES a:utf8\na\nb\n";
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], text, sizeof text - 1), sizeof text - 1);
    close(ends[1]);
    dup2(ends[0], 0);
    close(ends[0]);
    assert_int_equal(opened("-", NULL, &source), HAUL_OK);
    assert_int_equal(source->ops->describe(source, &info, &err), HAUL_OK);
    dup2(saved, 0);
    close(saved);
    assert_string_equal(info.table, "stdin");
    assert_string_equal(info.consistency, "none");
    assert_int_equal(info.bytes, -1);
    assert_int_equal(info.splits_max, 1);
    assert_false(info.replayable);
    struct part part = {.spec = (char[]){"file 0|rows 0"}};
    assert_int_equal(read_part(source, &part, 0, values), HAUL_OK);
    assert_string_equal(values, "a b ");
    source_info_release(&info);
    source->ops->close(source);
}

/* ---- many files ---- */

#define MANY 300

struct many_reader {
    struct source *source;
    int first, wrong;
};

static void *read_many(void *user)
{
    struct many_reader *many = user;
    struct haul_error own = {0};
    for (int i = many->first; i < MANY; i += 2) {
        char spec[64];
        snprintf(spec, sizeof spec, "file %d|rows 0", i);
        struct part part = {.index = (uint64_t)i, .spec = spec};
        struct reader *reader = NULL;
        struct batch batch = {0};
        bool end;
        enum haul_code code = many->source->ops->open(many->source, &context, &part, 0, &reader, &own);
        if (!code)
            code = reader->ops->next(reader, 10, &batch, &end, &own);
        many->wrong += code || batch.array.length != 1 || batch.part != part.index;
        batch_release(&batch);
        if (reader)
            reader->ops->close(reader);
    }
    return NULL;
}

static void few_of_many_files_are_open(void **state)
{
    (void)state;
    struct source *source = NULL;
    struct source_info info = {0};
    pthread_t threads[2];
    struct many_reader many[2];
    for (int i = 0; i < MANY; i++) {
        char name[32];
        snprintf(name, sizeof name, "p%03d.lines", i);
        file_put(name, "LINES a:utf8\nx\n");
    }
    assert_int_equal(opened(in_folder("p*.lines"), NULL, &source), HAUL_OK);
    assert_int_equal(file_source_count(source), MANY);
    assert_int_equal(source->ops->describe(source, &info, &err), HAUL_OK);
    assert_int_equal(info.rows, MANY);
    source_info_release(&info);
    for (int i = 0; i < 2; i++) {
        many[i] = (struct many_reader){.source = source, .first = i};
        pthread_create(&threads[i], NULL, read_many, &many[i]);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(many[i].wrong, 0);
    }
    assert_in_range(lines_inputs_most, 2, 64);
    file_put("p007.lines", "LINES a:utf8\nx\ny\n"); /* closed by now: seen when it is opened again */
    char out[16] = "";
    struct part part = {.spec = (char[]){"file 7|rows 0"}};
    assert_int_equal(read_part(source, &part, 0, out), HAUL_CHANGED);
    source->ops->close(source);
}

/* ---- looking ---- */

static void count_table(void *user, const struct haul_table *table)
{
    int64_t *rows = user;
    assert_string_equal(table->kind, "file");
    assert_non_null(strstr(table->name, ".lines"));
    assert_true(table->bytes > 0 && table->rows_exact);
    *rows = *rows * 10 + table->rows;
}

static void lists_and_inspects(void **state)
{
    (void)state;
    struct source *source = NULL;
    struct inspection inspection = {0};
    int64_t rows = 0;
    file_put("p1.lines", "LINES a:utf8\na\nb\n");
    file_put("p2.lines", "LINES b:int64\n1\n");
    assert_int_equal(opened(in_folder("p*"), NULL, &source), HAUL_OK);
    assert_int_equal(source->ops->list(source, count_table, &rows, &err), HAUL_OK);
    assert_int_equal(rows, 21);
    assert_ptr_equal(file_source_format(source), &lines_format);
    assert_string_equal(file_source_name(source, 1), in_folder("p2.lines"));
    assert_int_equal(file_source_inspect(source, 1, &inspection, &err), HAUL_OK);
    assert_string_equal(inspection.format, "lines");
    assert_int_equal(inspection.rows, 1);
    assert_int_equal(inspection.bytes, 16);
    arena_release(&inspection.arena);
    source->ops->close(source);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(content_and_suffix_must_agree),
        TEST(what_is_not_there_is_told),
        TEST(a_folder_keeps_to_one_format),
        TEST(files_add_up),
        TEST(columns_must_be_equal),
        TEST(parts_follow_one_another),
        TEST(a_foreign_spec_is_refused),
        TEST(a_changed_file_gives_no_more_rows),
        TEST(standard_input_is_read),
        TEST(few_of_many_files_are_open),
        TEST(lists_and_inspects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
