/*
 * journal: a run's memory as it is found on disk: journal records and the plan.
 *
 * A damaged record is an error. To get behind the checksum the target computes it
 * for half of the inputs; a record that is then accepted must print and parse to
 * itself. The first byte chooses: a record as it is, a record with its checksum
 * made right, a plan.
 */
#include "fuzz.h"

#include "transfer/journal.h"
#include "transfer/plan.h"

static void record_again(const struct receipt *first)
{
    struct buffer once = {0}, twice = {0};
    struct arena arena = {0};
    struct haul_error err = {0};
    struct receipt second;
    must(!journal_print("unit", first, &once, &err));
    must(once.length > 0 && once.data[once.length - 1] == '\n');
    must(!journal_parse((const char *)once.data, once.length - 1, "unit", &second, &arena, &err));
    must(!journal_print("unit", &second, &twice, &err));
    must(once.length == twice.length && memcmp(once.data, twice.data, once.length) == 0);
    buffer_release(&once);
    buffer_release(&twice);
    arena_release(&arena);
}

static void record(const struct buffer *line)
{
    struct arena arena = {0};
    struct haul_error err = {0};
    struct receipt receipt;
    enum haul_code code =
        journal_parse((const char *)line->data, line->length, "unit", &receipt, &arena, &err);
    must_be_told(code, &err);
    if (code == HAUL_OK)
        record_again(&receipt);
    arena_release(&arena);
}

static void plan(struct buffer *text)
{
    struct plan plan = {0};
    struct haul_error err = {0};
    must(!buffer_append(text, "", 1, &err));
    enum haul_code code = plan_parse((const char *)text->data, &plan, &err);
    must_be_told(code, &err);
    if (code == HAUL_OK)
        must(plan.part_count <= PLAN_PARTS_MAX && plan.identity);
    for (uint64_t i = 0; code == HAUL_OK && i < plan.part_count; i++)
        must(plan.parts[i].index == i && plan.parts[i].spec);
    plan_release(&plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct food food = {data, length};
    struct haul_error err = {0};
    unsigned kind = food_byte(&food) % 3;
    struct buffer text = food_rest(&food);
    if (kind == 1)
        must(!buffer_printf(&text, &err, ",\"crc\":\"%08x\"}", journal_crc(text.data, text.length)));
    if (kind == 2)
        plan(&text);
    else
        record(&text);
    buffer_release(&text);
    return 0;
}
