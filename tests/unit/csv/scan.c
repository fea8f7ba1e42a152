/*
 * Scanning: the loops against a parser that goes byte by byte and knows nothing
 * of blocks, over small hand-made inputs and many generated ones of every
 * length around the block size, in several dialects, cut at any byte.
 */
#include "format/csv/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROOM 4096

struct expected {
    uint32_t ends[ROOM], records[ROOM], line_ends[ROOM];
    size_t end_count, record_count, complete;
    bool quoted;
};

static void expect_end(struct expected *out, size_t at, bool record)
{
    out->ends[out->end_count++] = (uint32_t)at;
    if (record) {
        out->line_ends[out->record_count] = (uint32_t)at;
        out->records[out->record_count++] = (uint32_t)out->end_count;
    }
}

/* The definition again, field by field instead of byte by byte. */
static size_t walk_field(const struct csv_dialect *d, const char *text, size_t length, size_t at, bool *open)
{
    bool quoted = at < length && d->quote >= 0 && text[at] == (char)d->quote;
    *open = false;
    if (quoted) {
        *open = true;
        for (at++; at < length; at++) {
            if (d->escape >= 0 && text[at] == (char)d->escape) {
                at++;
                continue;
            }
            if (text[at] != (char)d->quote)
                continue;
            if (d->escape < 0 && at + 1 < length && text[at + 1] == (char)d->quote) {
                at++;
                continue;
            }
            *open = false;
            at++;
            break;
        }
    }
    for (; at < length; at++) {
        if (d->escape >= 0 && text[at] == (char)d->escape) {
            at++;
            continue;
        }
        if (text[at] == '\n' || text[at] == '\r')
            break;
        if (length - at >= d->delimiter_length && memcmp(text + at, d->delimiter, d->delimiter_length) == 0)
            break;
    }
    return at < length ? at : length;
}

static void walk(const struct csv_dialect *d, const char *text, size_t length, struct expected *out)
{
    size_t at = 0;
    memset(out, 0, sizeof *out);
    while (at < length) {
        bool open = false;
        bool begins = at == out->complete && d->comment >= 0 && text[at] == (char)d->comment;
        size_t end = begins ? at + strcspn(text + at, "\r\n") : walk_field(d, text, length, at, &open);
        if (end == length) {
            out->quoted = open;
            if (open)
                return;
            expect_end(out, length, true);
            out->complete = length;
            return;
        }
        bool record = text[end] == '\n' || text[end] == '\r';
        expect_end(out, end, record);
        at = end + (record ? 1 : d->delimiter_length);
        if (text[end] == '\r' && at < length && text[at] == '\n')
            at++;
        if (record)
            out->complete = at;
        else if (at >= length) { /* an empty last field */
            expect_end(out, length, true);
            out->complete = length;
        }
    }
}

static void run(const struct csv_dialect *d, bool fast, const char *text, size_t length, bool final,
                struct csv_marks *marks)
{
    struct cpu_features cpu = {fast, fast, fast};
    struct csv_scan scan;
    csv_scan_init(&scan, d, &cpu);
    csv_scan_run(&scan, (const uint8_t *)text, length, final, marks);
}

static void check_final(const struct csv_dialect *d, bool fast, const char *text, size_t length)
{
    static uint32_t ends[ROOM], records[ROOM];
    static struct expected want;
    walk(d, text, length, &want);
    struct csv_marks marks = {.ends = ends, .records = records, .capacity = ROOM};
    run(d, fast, text, length, true, &marks);
    assert_int_equal(marks.reached, length);
    assert_int_equal(marks.quoted, want.quoted);
    assert_int_equal(marks.record_count, want.record_count);
    assert_int_equal(marks.complete, want.complete);
    assert_memory_equal(records, want.records, want.record_count * 4);
    assert_memory_equal(ends, want.ends, marks.fields_complete * 4);
    assert_int_equal(marks.lines, csv_scan_count_lines((const uint8_t *)text, want.complete));
    if (want.quoted)
        assert_int_equal(text[marks.quote_at], d->quote);

    struct csv_marks only = {.records = records, .capacity = ROOM};
    run(d, fast, text, length, true, &only);
    assert_int_equal(only.record_count, want.record_count);
    assert_int_equal(only.complete, want.complete);
    assert_memory_equal(records, want.line_ends, want.record_count * 4);
}

/* Cut anywhere, the complete records are a prefix of those of the whole. */
static void check_cut(const struct csv_dialect *d, bool fast, const char *text, size_t length, size_t cut)
{
    static uint32_t ends[ROOM], records[ROOM];
    static struct expected want;
    walk(d, text, length, &want);
    char *part = malloc(cut + 1);
    assert_non_null(part);
    memcpy(part, text, cut);
    struct csv_marks marks = {.ends = ends, .records = records, .capacity = ROOM};
    run(d, fast, part, cut, false, &marks);
    free(part);
    assert_true(marks.complete <= cut);
    assert_true(marks.record_count <= want.record_count);
    assert_memory_equal(records, want.records, marks.record_count * 4);
    assert_memory_equal(ends, want.ends, marks.fields_complete * 4);
    if (marks.record_count)
        assert_true(marks.complete > want.line_ends[marks.record_count - 1]);
}

static const struct csv_dialect *dialects(size_t i)
{
    static struct csv_dialect table[8];
    struct csv_dialect *d = &table[i];
    csv_dialect_preset(d);
    if (i == 1)
        d->escape = '\\';
    if (i == 2)
        csv_dialect_set_delimiter(d, "||", 2);
    if (i == 3)
        d->quote = CSV_NONE;
    if (i == 4)
        csv_dialect_set_delimiter(d, "+|a", 3);
    if (i >= 6)
        d->comment = '+';
    if (i == 7)
        d->escape = '\\';
    if (i == 5) {
        d->quote = CSV_NONE;
        d->escape = '\\';
    }
    return d;
}

static bool has_avx2(void)
{
    struct context context;
    context_init(&context);
    return context.cpu.avx2 && context.cpu.pclmul && context.cpu.bmi2;
}

static void test_generated(void **state)
{
    (void)state;
    static const char letters[] = "a,\"\n\r|+a\\b\"\"";
    unsigned seed = 12345;
    char text[301];
    for (int round = 0; round < 30000; round++) {
        size_t length = (size_t)(rand_r(&seed) % (round % 2 ? 20 : 300));
        int spread = 1 + rand_r(&seed) % 12;
        for (size_t i = 0; i < length; i++)
            text[i] = rand_r(&seed) % spread ? 'x' : letters[(size_t)rand_r(&seed) % (sizeof letters - 1)];
        text[length] = 0;
        const struct csv_dialect *d = dialects((size_t)round % 8);
        size_t cut = length ? (size_t)rand_r(&seed) % length : 0;
        for (int fast = 0; fast <= has_avx2(); fast++) {
            check_final(d, fast, text, length);
            check_cut(d, fast, text, length, cut);
        }
    }
}

static void test_every_cut(void **state)
{
    (void)state;
    static const char text[] = "a,\"b\"\"c\",d\r\n\"x\ny\",,\r\n\r\nq\"q,\"\",\"z\"z\"\nlast,\"one\"";
    for (size_t i = 0; i < 8; i++)
        for (size_t cut = 0; cut < sizeof text; cut++)
            for (int fast = 0; fast <= has_avx2(); fast++)
                check_cut(dialects(i), fast, text, sizeof text - 1, cut);
}

static void test_rules(void **state)
{
    (void)state;
    uint32_t ends[256], records[256];
    struct csv_marks marks = {.ends = ends, .records = records, .capacity = 256};
    run(dialects(0), true, "5\" pipe,3\r\nx", 12, true, &marks);
    assert_int_equal(marks.record_count, 2);
    assert_int_equal(ends[0], 7);
    assert_int_equal(ends[1], 9);
    assert_int_equal(marks.lines, 1);
    run(dialects(0), true, "a,b\n1,\"open\nstill", 17, true, &marks);
    assert_true(marks.quoted);
    assert_int_equal(marks.quote_at, 6);
    assert_int_equal(marks.complete, 4);
    assert_true(marks.ascii);
    run(dialects(0), true, "\xc3\xa4\n", 3, true, &marks);
    assert_false(marks.ascii);
}

/* When the room is full, the run stops between blocks and says how far it came. */
static void test_room(void **state)
{
    (void)state;
    uint32_t ends[128], records[128];
    char text[1000];
    memset(text, '\n', sizeof text);
    struct csv_marks marks = {.ends = ends, .records = records, .capacity = 128};
    for (int fast = 0; fast <= has_avx2(); fast++) {
        run(dialects(0), fast, text, sizeof text, true, &marks);
        assert_int_equal(marks.reached, 64);
        assert_int_equal(marks.record_count, 64);
        assert_int_equal(marks.complete, 64);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_generated),
        cmocka_unit_test(test_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
