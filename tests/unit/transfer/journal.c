/* journal.c: records, torn tails and flipped bits; the state folder around them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// clang-format off
#include <cmocka.h>
// clang-format on
#include "base/file.h"
#include "fake.h"
#include "transfer/journal.h"
#include "transfer/state.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PLAN "{\"plan\":1}"

static char home[128], path[256];

static int setup(void **state)
{
    (void)state;
    home_make(home);
    (void)snprintf(path, sizeof path, "%s/journal.jsonl", home);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    home_remove(home);
    return 0;
}

static const struct receipt receipts[] = {
    {.unit = {0, 0, 0},
     .rows = 10,
     .rows_offered = 12,
     .last = true,
     .hash = {1, 2},
     .reject_count = 2,
     .text = "4096 17 note",
     .rejects = "{\"a\":1}\n{\"b\":\"\\u0000\"}\n"},
    {.unit = {1, 0, 0}, .rows = 5, .rows_offered = 5, .hash = {UINT64_MAX, 7}, .loss_count = 3},
    {.unit = {1, 5, 0}, .rows = 0, .rows_offered = 0, .last = true, .bytes_written = INT64_MAX, .text = ""},
};

static void journal_make(void)
{
    struct journal journal = {.file = {.fd = -1}};
    struct haul_error err = {0};
    assert_int_equal(journal_create(&journal, path, PLAN, receipts, 1, &err), HAUL_OK);
    for (int i = 1; i < 3; i++)
        assert_int_equal(journal_append(&journal, &receipts[i], &err), HAUL_OK);
    journal_close(&journal);
}

static size_t bytes_read(uint8_t *bytes, size_t room)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t length = fread(bytes, 1, room, file);
    (void)fclose(file);
    assert_true(length < room);
    return length;
}

static void bytes_write(const uint8_t *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    (void)fclose(file);
}

static void assert_receipt(const struct receipt *got, const struct receipt *wanted)
{
    assert_int_equal(got->unit.part, wanted->unit.part);
    assert_int_equal(got->unit.first_row, wanted->unit.first_row);
    assert_int_equal(got->rows, wanted->rows);
    assert_int_equal(got->rows_offered, wanted->rows_offered);
    assert_int_equal(got->last, wanted->last);
    assert_true(hash_equal(got->hash, wanted->hash));
    assert_int_equal(got->reject_count, wanted->reject_count);
    assert_int_equal(got->loss_count, wanted->loss_count);
    assert_int_equal(got->bytes_written, wanted->bytes_written);
    assert_int_equal(!got->text, !wanted->text);
    if (wanted->text)
        assert_string_equal(got->text, wanted->text);
    assert_int_equal(!got->rejects, !wanted->rejects);
    if (wanted->rejects)
        assert_string_equal(got->rejects, wanted->rejects);
}

static void test_round_trip(void **state)
{
    struct run_record record = {0};
    struct haul_error err = {0};
    (void)state;
    journal_make();
    assert_int_equal(journal_read(path, PLAN, &record, &err), HAUL_OK);
    assert_int_equal(record.receipt_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_receipt(&record.receipts[i], &receipts[i]);
    run_record_release(&record);
    assert_int_equal(journal_read(path, "{\"plan\":2}", &record, &err), HAUL_INTEGRITY);
    run_record_release(&record);
}

static void test_absent(void **state)
{
    struct run_record record = {0};
    struct haul_error err = {0};
    (void)state;
    assert_int_equal(journal_read(path, PLAN, &record, &err), HAUL_OK);
    assert_int_equal(record.receipt_count, 0);
}

/* Cut at every byte: what was whole before the cut is there, nothing else, and no error. */
static void test_torn_everywhere(void **state)
{
    static uint8_t bytes[4096];
    (void)state;
    journal_make();
    size_t length = bytes_read(bytes, sizeof bytes);
    for (size_t cut = 0; cut <= length; cut++) {
        struct run_record record = {0};
        struct haul_error err = {0};
        size_t lines = 0;
        for (size_t i = 0; i < cut; i++)
            lines += bytes[i] == '\n';
        bytes_write(bytes, cut);
        assert_int_equal(journal_read(path, PLAN, &record, &err), HAUL_OK);
        assert_int_equal(record.receipt_count, lines > 0 ? lines - 1 : 0);
        for (size_t i = 0; i < record.receipt_count; i++)
            assert_receipt(&record.receipts[i], &receipts[i]);
        run_record_release(&record);
    }
}

/* A flipped bit is found, or falls into the last line, which then does not count. */
static void test_flipped_bits(void **state)
{
    static uint8_t bytes[4096];
    (void)state;
    journal_make();
    size_t length = bytes_read(bytes, sizeof bytes), last = length - 1;
    while (bytes[last - 1] != '\n')
        last--;
    for (size_t bit = 0; bit < length * 8; bit += 7) { /* each byte, some bit of it */
        struct run_record record = {0};
        struct haul_error err = {0};
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        bytes_write(bytes, length);
        enum haul_code code = journal_read(path, PLAN, &record, &err);
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        if (bit / 8 < last - 1) {
            assert_int_equal(code, HAUL_INTEGRITY);
        } else if (code == HAUL_OK) {
            assert_true(record.receipt_count <= 2);
            for (size_t i = 0; i < record.receipt_count; i++)
                assert_receipt(&record.receipts[i], &receipts[i]);
        } else {
            assert_int_equal(code, HAUL_INTEGRITY);
        }
        run_record_release(&record);
    }
}

static void test_crc(void **state)
{
    (void)state;
    assert_int_equal(journal_crc("123456789", 9), 0xcbf43926u); /* the check value of CRC-32 */
    assert_int_equal(journal_crc("", 0), 0);
}

/* ---- the folder ---- */

static const struct sink_ops no_ledger = {.name = "file"};
static struct sink file_sink = {&no_ledger};

static void assert_mode(const char *name, unsigned wanted)
{
    struct stat facts;
    char file[256];
    (void)snprintf(file, sizeof file, "%s/.haul-r%s", home, name);
    assert_int_equal(stat(file, &facts), 0);
    assert_int_equal(facts.st_mode & 07777, wanted);
}

static bool recall(struct state *state, struct run_record *record)
{
    bool found = true;
    struct haul_error err = {0};
    state_init(state, &file_sink);
    assert_int_equal(state_recall(state, home, "r", record, &found, &err), HAUL_OK);
    return found;
}

static void test_folder(void **unused)
{
    struct state state;
    struct run_record record = {0};
    struct haul_error err = {0};
    (void)unused;
    assert_false(recall(&state, &record));
    state_close(&state);
    run_record_release(&record);
    assert_int_equal(home_count(home), 0); /* only looked: nothing stays */

    assert_false(recall(&state, &record));
    assert_int_equal(state_begin(&state, PLAN, &err), HAUL_OK);
    assert_int_equal(state_record(&state, &receipts[0], &err), HAUL_OK);
    assert_mode("", 0700);
    assert_mode("/plan.json", 0600);
    assert_mode("/journal.jsonl", 0600);
    assert_mode("/lock", 0600);
    state_close(&state);
    run_record_release(&record);

    assert_true(recall(&state, &record));
    assert_string_equal(record.plan, PLAN);
    assert_int_equal(record.receipt_count, 1);
    assert_false(record.finished);
    assert_int_equal(state_continue(&state, PLAN, record.receipts, 1, &err), HAUL_OK);
    assert_int_equal(state_finish(&state, NULL, &err), HAUL_OK);
    state_close(&state);
    run_record_release(&record);
    assert_int_equal(home_count(home), 0);
}

static void test_finished(void **unused)
{
    struct state state;
    struct run_record record = {0};
    struct haul_error err = {0};
    struct receipt sums = {.rows = 7, .hash = {3, 4}, .text = "fingerprint"};
    (void)unused;
    assert_false(recall(&state, &record));
    assert_int_equal(state_begin(&state, PLAN, &err), HAUL_OK);
    assert_int_equal(state_finish(&state, &sums, &err), HAUL_OK);
    state_close(&state);
    run_record_release(&record);
    assert_true(recall(&state, &record));
    assert_true(record.finished);
    assert_string_equal(record.fingerprint, "fingerprint");
    assert_int_equal(record.receipts[0].rows, 7);
    state_close(&state);
    run_record_release(&record);
}

static void test_forget(void **unused)
{
    struct state state;
    struct run_record record = {0};
    struct haul_error err = {0};
    (void)unused;
    assert_false(recall(&state, &record));
    assert_int_equal(state_begin(&state, PLAN, &err), HAUL_OK);
    assert_int_equal(state_forget(&state, &err), HAUL_OK);
    state_close(&state);
    run_record_release(&record);
    assert_int_equal(home_count(home), 0);
}

static void test_two_at_once(void **unused)
{
    struct state first, second;
    struct run_record record = {0};
    struct haul_error err = {0};
    bool found;
    (void)unused;
    assert_false(recall(&first, &record));
    run_record_release(&record);
    state_init(&second, &file_sink);
    assert_int_equal(state_recall(&second, home, "r", &record, &found, &err), HAUL_BUSY);
    assert_non_null(strstr(err.message, "another process"));
    state_close(&second);
    run_record_release(&record);
    assert_int_equal(state_begin(&first, PLAN, &err), HAUL_OK);
    state_close(&first);
}

/* A folder target that is not there yet: made for the state, gone again with it. */
static void test_home_is_made(void **unused)
{
    struct state state;
    struct run_record record = {0};
    struct haul_error err = {0};
    char inner[160];
    bool found;
    (void)unused;
    (void)snprintf(inner, sizeof inner, "%s/out/", home);
    state_init(&state, &file_sink);
    assert_int_equal(state_recall(&state, inner, "r", &record, &found, &err), HAUL_OK);
    assert_int_equal(home_count(inner), 1);
    state_close(&state);
    run_record_release(&record);
    assert_int_equal(home_count(home), 0);
}

static void test_no_place(void **unused)
{
    struct state state;
    struct run_record record = {0};
    struct haul_error err = {0};
    bool found;
    (void)unused;
    state_init(&state, &file_sink);
    assert_int_not_equal(state_recall(&state, "/proc/none", "r", &record, &found, &err), HAUL_OK);
    state_close(&state);
    run_record_release(&record);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_round_trip),  TEST(test_absent),       TEST(test_torn_everywhere), TEST(test_flipped_bits),
        TEST(test_crc),         TEST(test_folder),       TEST(test_finished),        TEST(test_forget),
        TEST(test_two_at_once), TEST(test_home_is_made), TEST(test_no_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
