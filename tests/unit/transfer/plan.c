/* plan.c: the plan there and back, what names a run, sizes, and the table of decisions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// clang-format off
#include <cmocka.h>
// clang-format on
#include "fake.h"
#include "transfer/decide.h"
#include "transfer/fingerprint.h"
#include "transfer/memory_plan.h"
#include "transfer/plan.h"
#include "transfer/tally.h"
#include <stdio.h>
#include <stdlib.h>

/* ---- plan ---- */

static void facts_make(struct source_info *info, struct sink_terms *terms)
{
    struct haul_error err = {0};
    *info = (struct source_info){.table = "t", .rows = 5, .identity = "i \"1\"\n", .consistency = "file"};
    *terms = (struct sink_terms){.target = "x.parquet", .resumable = RESUME_REPLAY, .sql = "CREATE \xff"};
    assert_int_equal(schema_init(&info->schema, 1, &err), HAUL_OK);
    info->schema.fields[0] = (struct field){.name = "na\"me", .type = TYPE_INT64, .nullable = true};
    assert_int_equal(schema_copy(&info->schema, &terms->schema, &err), HAUL_OK);
}

static void test_round_trip(void **state)
{
    struct plan plan = {.run = "r1", .unit_rows = 100, .unit_bytes = INT64_MAX, .limit = -1, .cut = true};
    struct plan back = {0};
    struct source_info info;
    struct sink_terms terms;
    struct haul_error err = {0};
    char *json;
    (void)state;
    facts_make(&info, &terms);
    struct plan_facts facts = {
        .source_name = "s", .target_name = "t", .info = &info, .terms = &terms, .workers = 2};
    plan.identity = info.identity;
    hash_print((struct hash128){1, 2}, plan.fingerprint);
    assert_int_equal(plan_hash_schemas(&plan, &facts, &err), HAUL_OK);
    for (int i = 0; i < 40; i++) {
        struct part part = {.spec = arena_printf(&plan.arena, "rows %d\t\"", i), .rows = i, .bytes = -1};
        assert_int_equal(plan_add(&plan, &part, &err), HAUL_OK);
    }
    assert_int_equal(plan_print(&plan, &facts, &json, &err), HAUL_OK);
    assert_int_equal(plan_parse(json, &back, &err), HAUL_OK);
    assert_string_equal(back.run, "r1");
    assert_string_equal(back.identity, info.identity);
    assert_string_equal(back.fingerprint, plan.fingerprint);
    assert_string_equal(back.schema_hash, plan.schema_hash);
    assert_int_equal(back.unit_rows, 100);
    assert_int_equal(back.unit_bytes, INT64_MAX);
    assert_true(back.cut);
    assert_int_equal(back.part_count, 40);
    for (uint64_t i = 0; i < 40; i++) {
        assert_string_equal(back.parts[i].spec, plan.parts[i].spec);
        assert_int_equal(back.parts[i].rows, i);
        assert_int_equal(back.parts[i].index, i);
    }
    /* cut anywhere it is not a plan, and says so */
    for (size_t cut = 0; cut + 1 < strlen(json); cut += 7) {
        char *part = strndup(json, cut);
        struct plan none = {0};
        assert_int_equal(plan_parse(part, &none, &err), HAUL_DATA);
        plan_release(&none);
        free(part);
    }
    free(json);
    plan_release(&plan);
    plan_release(&back);
    source_info_release(&info);
    sink_terms_release(&terms);
}

static void test_later_version(void **state)
{
    struct plan plan = {0};
    struct haul_error err = {0};
    (void)state;
    assert_int_equal(plan_parse("{\"version\":99,\"identity\":\"\"}", &plan, &err), HAUL_CHANGED);
    assert_int_equal(plan_parse("[]", &plan, &err), HAUL_DATA);
    assert_int_equal(plan_parse("", &plan, &err), HAUL_DATA);
    plan_release(&plan);
}

static void test_schema_hash_sees_types(void **state)
{
    struct plan a = {0}, b = {0};
    struct source_info info;
    struct sink_terms terms;
    struct haul_error err = {0};
    (void)state;
    facts_make(&info, &terms);
    struct plan_facts facts = {.info = &info, .terms = &terms};
    assert_int_equal(plan_hash_schemas(&a, &facts, &err), HAUL_OK);
    terms.schema.fields[0].type = TYPE_INT32;
    assert_int_equal(plan_hash_schemas(&b, &facts, &err), HAUL_OK);
    assert_string_not_equal(a.schema_hash, b.schema_hash);
    source_info_release(&info);
    sink_terms_release(&terms);
}

/* ---- names ---- */

static void settings_make(struct settings *settings, const char *name, const char *value)
{
    size_t count;
    const struct haul_option *table = haul_options(&count);
    struct haul_error err = {0};
    assert_int_equal(settings_init(settings, table, count, &err), HAUL_OK);
    if (name)
        assert_int_equal(settings_set(settings, name, value, &err), HAUL_OK);
}

static void fingerprint_of(const char *source, const char *name, const char *value, char out[HASH_TEXT_BYTES])
{
    struct settings settings;
    struct haul_error err = {0};
    settings_make(&settings, name, value);
    assert_int_equal(fingerprint_make(source, "target", &settings, out, &err), HAUL_OK);
    settings_release(&settings);
}

static void test_fingerprint(void **state)
{
    static const char *const shaping[][2] = {{"table", "x"},     {"where", "1"},          {"limit", "5"},
                                             {"mode", "append"}, {"compression", "gzip"}, {"unit-rows", "7"},
                                             {"strict", "true"}, {"columns", "a"},        {"files", "3"}};
    static const char *const others[][2] = {{"workers", "3"},    {"memory", "64MiB"}, {"restart", "true"},
                                            {"run", "x"},        {"retries", "9"},    {"quiet", "true"},
                                            {"max-errors", "4"}, {"mode", "create"},  {"log", "json"}};
    char base[HASH_TEXT_BYTES], other[HASH_TEXT_BYTES];
    (void)state;
    fingerprint_of("source", NULL, NULL, base);
    fingerprint_of("source2", NULL, NULL, other);
    assert_string_not_equal(base, other);
    for (size_t i = 0; i < sizeof shaping / sizeof shaping[0]; i++) {
        fingerprint_of("source", shaping[i][0], shaping[i][1], other);
        assert_string_not_equal(base, other);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        fingerprint_of("source", others[i][0], others[i][1], other);
        assert_string_equal(base, other);
    }
    /* FNV-1a 128 of "" is its offset basis; of "a" as published */
    assert_int_equal(fingerprint_text("", 0).high, 0x6c62272e07bb0142u);
    assert_int_equal(fingerprint_text("a", 1).high, 0xd228cb696f1a8cafu);
    assert_int_equal(fingerprint_text("a", 1).low, 0x78912b704e4a8964u);
}

/* ---- sizes ---- */

static void test_memory_plan(void **state)
{
    struct settings settings;
    struct memory_plan plan;
    struct haul_error err = {0};
    (void)state;
    settings_make(&settings, NULL, NULL);
    assert_int_equal(memory_plan_make(&settings, &plan, &err), HAUL_OK);
    assert_in_range(plan.workers, 1, 4);
    assert_in_range(plan.bytes_max, MEMORY_BYTES_MIN, 512 << 20);
    assert_int_equal(settings_set(&settings, "workers", "65", &err), HAUL_OK);
    assert_int_equal(memory_plan_make(&settings, &plan, &err), HAUL_USAGE);
    assert_int_equal(settings_set(&settings, "workers", "0", &err), HAUL_OK);
    assert_int_equal(memory_plan_make(&settings, &plan, &err), HAUL_USAGE);
    assert_int_equal(settings_set(&settings, "workers", "7", &err), HAUL_OK);
    assert_int_equal(settings_set(&settings, "memory", "1MiB", &err), HAUL_OK);
    assert_int_equal(memory_plan_make(&settings, &plan, &err), HAUL_USAGE);
    assert_int_equal(settings_set(&settings, "memory", "64MiB", &err), HAUL_OK);
    assert_int_equal(memory_plan_make(&settings, &plan, &err), HAUL_OK);
    assert_int_equal(plan.workers, 7);
    assert_int_equal(plan.bytes_max, 64 << 20);
    settings_release(&settings);
}

static int64_t part_rows(int workers, int64_t rows, int64_t wish, bool file, const char *rowgroup)
{
    struct settings settings;
    struct memory_plan plan = {.workers = workers};
    struct source_info info = {.rows = rows};
    struct sink_terms terms = {.part_rows = wish, .part_bytes = -1, .part_is_unit = file};
    settings_make(&settings, rowgroup ? "rowgroup-size" : NULL, rowgroup);
    int64_t result = memory_plan_split(&plan, &settings, &info, &terms).part_rows;
    settings_release(&settings);
    return result;
}

static void test_part_rows(void **state)
{
    (void)state;
    assert_int_equal(part_rows(2, -1, 1048576, true, NULL), 1048576);
    assert_int_equal(part_rows(2, 100000000, 1048576, true, NULL), 1048576);
    assert_int_equal(part_rows(2, 1600000, 1048576, true, NULL), 200001);
    assert_int_equal(part_rows(2, 1000, 1048576, true, NULL), 131072);
    assert_int_equal(part_rows(2, 1000, 5000, true, "5000"), 5000);
    assert_int_equal(part_rows(2, 1000, 5000, true, NULL), 5000);
    assert_int_equal(part_rows(2, -1, -1, false, NULL) % 100000, 0);
    assert_int_equal(part_rows(2, 1600000, -1, false, NULL), 300000);
}

/* All rows one batch, as bcp has it without -b: one part of one worker, however many bytes there are. */
static void test_all_rows_are_one_part(void **state)
{
    struct settings settings;
    struct memory_plan plan = {.workers = 1};
    struct source_info info = {.rows = -1, .bytes = INT64_C(10) << 30};
    struct sink_terms terms = {.part_rows = -1, .part_bytes = -1};
    (void)state;
    settings_make(&settings, "unit-rows", "9223372036854775807");
    struct split_request request = memory_plan_split(&plan, &settings, &info, &terms);
    assert_true(request.part_rows == INT64_MAX && request.part_bytes == -1);
    plan.workers = 2;
    assert_true(memory_plan_split(&plan, &settings, &info, &terms).part_bytes > 0);
    settings_release(&settings);
}

/* ---- decisions ---- */

static enum haul_code decided(struct found found, enum decision *decision)
{
    const char *why;
    struct haul_error err = {0};
    found.run = "r";
    enum haul_code code = decide(&found, decision, &why, &err);
    if (!code && *decision == DECIDE_START_OVER)
        assert_non_null(why);
    return code;
}

static void test_decisions(void **state)
{
    const struct found good = {
        .any = true, .same_job = true, .same_source = true, .same_columns = true, .can_continue = true};
    struct found found;
    enum decision decision;
    (void)state;
    assert_int_equal(decided((struct found){0}, &decision), HAUL_OK);
    assert_int_equal(decision, DECIDE_NEW);
    assert_int_equal(decided(good, &decision), HAUL_OK);
    assert_int_equal(decision, DECIDE_CONTINUE);
    found = good, found.finished = found.named = true;
    assert_int_equal(decided(found, &decision), HAUL_OK);
    assert_int_equal(decision, DECIDE_COMPLETE);
    found.other_target = true;
    assert_int_equal(decided(found, &decision), HAUL_CHANGED);
    found.other_target = found.same_job = false;
    assert_int_equal(decided(found, &decision), HAUL_CHANGED);
    found.restart = true;
    assert_int_equal(decided(found, &decision), HAUL_OK);
    assert_int_equal(decision, DECIDE_NEW);
    found = good, found.finished = true;
    assert_int_equal(decided(found, &decision), HAUL_OK);
    assert_int_equal(decision, DECIDE_NEW);
    found = good, found.same_job = false;
    assert_int_equal(decided(found, &decision), HAUL_CHANGED);
    found = good, found.same_source = false;
    assert_int_equal(decided(found, &decision), HAUL_OK);
    assert_int_equal(decision, DECIDE_START_OVER);
    found.static_source = true;
    assert_int_equal(decided(found, &decision), HAUL_OK);
    assert_int_equal(decision, DECIDE_CONTINUE);
    found.same_columns = false; /* no promise makes these the same */
    assert_int_equal(decided(found, &decision), HAUL_OK);
    assert_int_equal(decision, DECIDE_START_OVER);
    found = good, found.same_source = false, found.append = true;
    assert_int_equal(decided(found, &decision), HAUL_CHANGED);
    found = good, found.can_continue = false;
    assert_int_equal(decided(found, &decision), HAUL_OK);
    assert_int_equal(decision, DECIDE_START_OVER);
    found.append = true;
    assert_int_equal(decided(found, &decision), HAUL_CHANGED);
    found.restart = true;
    assert_int_equal(decided(found, &decision), HAUL_OK);
    assert_int_equal(decision, DECIDE_START_OVER);
}

/* ---- receipts ---- */

static void receipt_add(struct tally *tally, uint64_t part, int64_t first, int64_t offered, bool last)
{
    struct haul_error err = {0};
    struct receipt receipt = {
        .unit = {part, first, 0}, .rows = offered, .rows_offered = offered, .last = last, .hash = {1, 0}};
    assert_int_equal(tally_add(tally, &receipt, true, &err), HAUL_OK);
}

static void test_tally(void **state)
{
    struct tally tally;
    (void)state;
    tally_init(&tally);
    receipt_add(&tally, 2, 0, 10, true);
    receipt_add(&tally, 0, 10, 5, true);
    receipt_add(&tally, 0, 0, 10, false);
    receipt_add(&tally, 1, 10, 10, true); /* without the one before it */
    receipt_add(&tally, 3, 0, 4, false);
    tally_sort(&tally);
    assert_true(tally_start(&tally, 0).done);
    assert_int_equal(tally_start(&tally, 0).row, 15);
    assert_false(tally_start(&tally, 1).done);
    assert_int_equal(tally_start(&tally, 1).row, 0);
    assert_true(tally_start(&tally, 2).done);
    assert_int_equal(tally_start(&tally, 3).row, 4);
    assert_int_equal(tally_start(&tally, 9).row, 0);
    assert_int_equal(tally.rows, 39);
    assert_int_equal(tally.hash.low, 5);
    tally_keep_prefix(&tally);
    assert_int_equal(tally.count, 1);
    assert_int_equal(tally.rows, 10);
    assert_int_equal(tally.rows_resumed, 10);
    assert_int_equal(tally.hash.low, 1);
    tally_release(&tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_later_version),
        cmocka_unit_test(test_schema_hash_sees_types),
        cmocka_unit_test(test_fingerprint),
        cmocka_unit_test(test_memory_plan),
        cmocka_unit_test(test_part_rows),
        cmocka_unit_test(test_all_rows_are_one_part),
        cmocka_unit_test(test_decisions),
        cmocka_unit_test(test_tally),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
