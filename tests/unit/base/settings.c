/* What a run is told and tells: options, cancellation, notes, rejects and losses. */
#include "base/settings.h"
#include "base/clock.h"
#include "base/collector.h"
#include "base/context.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static const struct haul_option table[] = {
    {"workers", 'w', HAUL_OPTION_NUMBER, HAUL_FOR_COPY, "Run", "N", NULL, "threads"},
    {"memory", 'm', HAUL_OPTION_SIZE, HAUL_FOR_COPY, "Run", "SIZE", "512MiB", "budget"},
    {"header", 0, HAUL_OPTION_FLAG, HAUL_FOR_COPY, "CSV", NULL, "true", "first line"},
    {"strict", 0, HAUL_OPTION_FLAG, HAUL_FOR_COPY, "Run", NULL, NULL, "losses"},
    {"mode", 0, HAUL_OPTION_CHOICE, HAUL_FOR_COPY, "Target", "create|append|truncate|replace", "create",
     "how"},
    {"rowgroup-size", 0, HAUL_OPTION_TEXT, HAUL_FOR_COPY, "Parquet", "ROWS", NULL, "size"},
    {"reject-file", 0, HAUL_OPTION_PATH, HAUL_FOR_COPY, "Run", "FILE", NULL, "where"},
};

static void options(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct settings settings;
    assert_int_equal(settings_init(&settings, table, 7, &err), HAUL_OK);
    assert_int_equal(settings_number(&settings, "workers"), -1);
    assert_int_equal(settings_number(&settings, "memory"), 512 << 20);
    assert_true(settings_flag(&settings, "header"));
    assert_false(settings_flag(&settings, "strict"));
    assert_null(settings_text(&settings, "reject-file"));
    assert_false(settings_given(&settings, "memory"));

    assert_int_equal(settings_set(&settings, "workers", "4", &err), HAUL_OK);
    assert_int_equal(settings_set(&settings, "workers", "5", &err), HAUL_OK);
    assert_int_equal(settings_set(&settings, "memory", "1GB", &err), HAUL_OK);
    assert_int_equal(settings_set(&settings, "header", "No", &err), HAUL_OK);
    assert_int_equal(settings_set(&settings, "strict", "1", &err), HAUL_OK);
    assert_int_equal(settings_set(&settings, "mode", "replace", &err), HAUL_OK);
    assert_int_equal(settings_set(&settings, "rowgroup-size", "128MiB", &err), HAUL_OK);
    assert_int_equal(settings_number(&settings, "workers"), 5);
    assert_int_equal(settings_number(&settings, "memory"), 1000000000);
    assert_false(settings_flag(&settings, "header"));
    assert_true(settings_flag(&settings, "strict"));
    assert_string_equal(settings_text(&settings, "mode"), "replace");

    static const char *const wrong[][3] = {{"workers", "many", "--workers"},
                                           {"workers", "", "--workers"},
                                           {"workers", "99999999999999999999", "whole"},
                                           {"memory", "64XB", "MiB"},
                                           {"memory", "-1", "--memory"},
                                           {"memory", "99999999999TiB", "--memory"},
                                           {"header", "maybe", "true or false"},
                                           {"mode", "creat", "create|append"},
                                           {"mode", "", "create|append"},
                                           {"mode", "create|append", "--mode"},
                                           {"worker", "4", "workers"},
                                           {"rowgroup", "4", "rowgroup-size"},
                                           {"zzz", "1", "haul --help"}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(settings_set(&settings, wrong[i][0], wrong[i][1], &err), HAUL_USAGE);
        if (!strstr(err.message, wrong[i][2]))
            fail_msg("%s", err.message);
    }
    assert_int_equal(settings_set(&settings, "mode", NULL, &err), HAUL_USAGE);
    assert_string_equal(settings_text(&settings, "mode"), "replace");
    settings_release(&settings);
    settings_release(&settings);
}

static void sizes(void **state)
{
    (void)state;
    struct haul_error err = {0};
    static const struct {
        const char *text;
        int64_t bytes;
    } good[] = {{"0", 0},
                {"4096", 4096},
                {"1KiB", 1024},
                {"1k", 1024},
                {"1KB", 1000},
                {"64MiB", 64 << 20},
                {"64m", 64 << 20},
                {"2G", (int64_t)2 << 30},
                {"1TB", 1000000000000},
                {"7B", 7},
                {"8388607TiB", (int64_t)8388607 << 40}};
    int64_t bytes;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(settings_parse_size(good[i].text, &bytes, &err), HAUL_OK);
        assert_int_equal(bytes, good[i].bytes);
    }
    static const char *const wrong[] = {"",      "MiB",  "1.5GiB",     "-1",    "+1",
                                        "1 MiB", "1PiB", "8388608TiB", "1MiBs", "0x10"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(settings_parse_size(wrong[i], &bytes, &err), HAUL_USAGE);
}

static void near_names(void **state)
{
    (void)state;
    static const char *const names[] = {"orders", "order_lines", "customer", "id", "OrderDate", "quantity"};
    char out[64];
    settings_near("oders", names, 6, out, sizeof out);
    assert_string_equal(out, "orders");
    settings_near("roders", names, 6, out, sizeof out);
    assert_string_equal(out, "orders");
    settings_near("order", names, 6, out, sizeof out);
    assert_string_equal(out, "orders, order_lines, OrderDate");
    settings_near("ORDERS", names, 6, out, sizeof out);
    assert_string_equal(out, "orders");
    settings_near("orderdaet", names, 6, out, sizeof out);
    assert_string_equal(out, "OrderDate");
    settings_near("xy", names, 6, out, sizeof out);
    assert_string_equal(out, "");
    settings_near("", names, 6, out, sizeof out);
    assert_string_equal(out, "");
    settings_near("order", names, 6, out, 10);
    assert_string_equal(out, "orders");
    char word[200];
    memset(word, 'o', sizeof word);
    word[199] = '\0';
    settings_near(word, names, 6, out, sizeof out);
    assert_string_equal(out, "");
}

static void rejects_are_refused_at_first(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct collector collector = {0};
    struct reject reject = {.row = 16,
                            .place = "line 17",
                            .column = "c",
                            .reason = "not a number",
                            .value = "abcdef",
                            .value_length = 3};
    assert_int_equal(collector_reject(&collector, HAUL_DATA, &reject, &err), HAUL_DATA);
    assert_string_equal(err.message,
                        "line 17, column \"c\": not a number: 'abc' (use --max-errors N --reject-file "
                        "FILE to set such rows aside)");
    reject = (struct reject){.part = 2, .row = 4, .reason = "too many fields"};
    assert_int_equal(collector_reject(&collector, HAUL_DATA, &reject, &err), HAUL_DATA);
    assert_string_equal(err.message,
                        "row 5 of part 3: too many fields (use --max-errors N --reject-file FILE to set "
                        "such rows aside)");
    assert_int_equal(collector.reject_count, 0);
    char value[5000];
    memset(value, 'v', sizeof value);
    reject.value = value;
    reject.value_length = sizeof value;
    assert_int_equal(collector_reject(&collector, HAUL_VALUE, &reject, &err), HAUL_VALUE);
    assert_non_null(strstr(err.message, "vvv'... (use --max-errors"));
    collector_release(&collector);
}

static void rejects_are_kept_up_to_the_limit(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct reject_limit limit = {.max = 5};
    struct collector collector = {.limit = &limit};
    char value[3000];
    memset(value, 'v', sizeof value);
    struct reject reject = {
        .row = 1, .column = "c", .reason = "bad", .value = value, .value_length = sizeof value};
    atomic_store(&limit.finished, 3);
    assert_int_equal(collector_reject(&collector, HAUL_DATA, &reject, &err), HAUL_OK);
    memset(value, 'w', sizeof value);
    reject.row = 2;
    reject.value = NULL;
    assert_int_equal(collector_reject(&collector, HAUL_DATA, &reject, &err), HAUL_OK);
    assert_int_equal(collector_reject(&collector, HAUL_DATA, &reject, &err), HAUL_REJECTS);
    assert_non_null(strstr(err.message, "--max-errors 5"));
    assert_int_equal(collector.reject_count, 2);
    const struct reject *first = &collector.rejects->reject, *second = &collector.rejects->next->reject;
    assert_string_equal(first->place, "row 2");
    assert_int_equal(first->value_length, COLLECTOR_VALUE_BYTES);
    assert_int_equal(first->value[COLLECTOR_VALUE_BYTES - 1], 'v');
    assert_null(second->value);
    assert_int_equal(second->value_length, 0);
    assert_null(collector.rejects->next->next);
    collector_reset(&collector);
    assert_ptr_equal(collector.limit, &limit);
    assert_int_equal(collector.reject_count, 0);

    limit.max = -1;
    reject.value = value;
    reject.value_length = sizeof value;
    int count = 0;
    while (!collector_reject(&collector, HAUL_DATA, &reject, &err))
        count++;
    assert_int_equal(err.code, HAUL_REJECTS);
    assert_in_range(count, 10000, COLLECTOR_BYTES_MAX / COLLECTOR_VALUE_BYTES);
    collector_release(&collector);
}

static void constraints_may_be_fatal(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct reject_limit limit = {.max = 5, .constraints_fatal = true};
    struct collector collector = {.limit = &limit}, none = {0};
    const struct reject reject = {.row = 2, .reason = "CHECK"};
    assert_int_equal(collector_reject(&collector, HAUL_VALUE, &reject, &err), HAUL_OK);
    assert_int_equal(collector_reject(&collector, HAUL_CONSTRAINT, &reject, &err), HAUL_CONSTRAINT);
    assert_string_equal(err.message, "row 3: CHECK"); /* and no advice that would not help */
    assert_true(collector_allows(&collector, HAUL_VALUE));
    assert_false(collector_allows(&collector, HAUL_CONSTRAINT));
    limit.constraints_fatal = false;
    assert_true(collector_allows(&collector, HAUL_CONSTRAINT));
    limit.max = 0;
    assert_false(collector_allows(&collector, HAUL_CONSTRAINT));
    assert_false(collector_allows(&none, HAUL_VALUE));
    assert_false(collector_allows(NULL, HAUL_VALUE));
    collector_release(&collector);
}

static void losses_are_counted(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct reject_limit limit = {0};
    struct collector collector = {.limit = &limit};
    char name[] = "at";
    assert_int_equal(collector_loss(&collector, name, "offset", 3, &err), HAUL_OK);
    name[0] = 'x';
    assert_int_equal(collector_loss(&collector, "at", "offset", 4, &err), HAUL_OK);
    assert_int_equal(collector_loss(&collector, "at", "100 ns digit", 1, &err), HAUL_OK);
    assert_int_equal(collector_loss(&collector, "at", "offset", 0, &err), HAUL_OK);
    assert_int_equal(collector.loss_count, 8);
    int64_t sum = 0;
    for (const struct loss *loss = collector.losses; loss; loss = loss->next) {
        assert_string_equal(loss->column, "at");
        sum += loss->count;
    }
    assert_int_equal(sum, 8);
    limit.strict = true;
    assert_int_equal(collector_loss(&collector, "at", "offset", 1, &err), HAUL_VALUE);
    assert_non_null(strstr(err.message, "1 value would lose its offset (--strict)"));
    collector_release(&collector);
}

static void losses_are_told_in_good_english(void **state)
{
    (void)state;
    static const struct {
        const char *what, *one, *two;
    } rows[] = {
        {"offset", "1 value lost its offset", "2 values lost their offset"},
        {"the sign of -0.0", "1 value lost the sign of -0.0", "2 values lost the sign of -0.0"},
        {"NaN, stored as NULL", "1 value: NaN, stored as NULL", "2 values: NaN, stored as NULL"},
        {"taken as UTC", "1 value: taken as UTC", "2 values: taken as UTC"},
    };
    char text[LOSS_TEXT_BYTES];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        loss_print(rows[i].what, 1, false, text);
        assert_string_equal(text, rows[i].one);
        loss_print(rows[i].what, 2, false, text);
        assert_string_equal(text, rows[i].two);
    }
}

static void note_keep(void *user, bool warning, const char *message)
{
    (void)snprintf(user, 64, "%d %s", warning, message);
}

static void contexts(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct cancel cancel = {0};
    struct context context;
    char told[64] = "";
    context_init(&context);
    assert_int_equal(context_check(&context, &err), HAUL_OK);
    context_note(&context, "nobody listens");
    context.cancel = &cancel;
    context.note = note_keep;
    context.note_user = told;
    context_warn(&context, "%d rows", 7);
    assert_string_equal(told, "1 7 rows");
    context_note(&context, "done");
    assert_string_equal(told, "0 done");
    assert_int_equal(context_check(&context, &err), HAUL_OK);
    int64_t start_ns = clock_now_ns();
    clock_sleep_ms(20, &cancel);
    assert_true(clock_now_ns() - start_ns >= 20000000);
    atomic_store(&cancel.asked, 1);
    assert_int_equal(context_check(&context, &err), HAUL_CANCELLED);
    clock_sleep_ms(1000000, &cancel);
    assert_true(clock_wall_us() > 1700000000000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options),
        cmocka_unit_test(sizes),
        cmocka_unit_test(near_names),
        cmocka_unit_test(rejects_are_refused_at_first),
        cmocka_unit_test(rejects_are_kept_up_to_the_limit),
        cmocka_unit_test(constraints_may_be_fatal),
        cmocka_unit_test(losses_are_counted),
        cmocka_unit_test(losses_are_told_in_good_english),
        cmocka_unit_test(contexts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
