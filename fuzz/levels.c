/*
 * levels: any bytes as the repetition and definition levels of a page.
 *
 * Whatever is in the page, a level is never beyond its maximum, and reading in
 * small pieces gives the same levels, or the same failure, as reading at once;
 * with a maximum of 1 the bits say the same as the bytes.
 *
 * Front of the input: max_repetition, max_definition, flags (v2, legacy), count (2).
 */
#include "fuzz.h"

#include "format/parquet/levels.h"

#define COUNT_MAX 5000

struct levels_case {
    struct page page;
    unsigned max_repetition, max_definition;
    size_t count;
};

/* True when all levels could be read; pieces of `step`. */
static bool read_all(const struct levels_case *c, size_t step, uint8_t *repetition, uint8_t *definition)
{
    struct page page = c->page;
    struct levels rep = {0}, def = {0};
    struct haul_error err = {0};
    enum haul_code code = levels_open(&page, c->max_repetition, c->max_definition, &rep, &def, &err);
    for (size_t at = 0; !code && at < c->count; at += step) {
        size_t n = c->count - at < step ? c->count - at : step;
        code = levels_read(&rep, repetition + at, n, &err);
        if (!code)
            code = levels_read(&def, definition + at, n, &err);
        for (size_t i = at; !code && i < at + n; i++)
            must(repetition[i] <= c->max_repetition && definition[i] <= c->max_definition);
    }
    must_be_told(code, &err);
    return code == HAUL_OK;
}

static void compare_bits(const struct levels_case *c, const uint8_t *definition, size_t step)
{
    static uint8_t bits[COUNT_MAX / 8 + 16];
    struct page page = c->page;
    struct levels rep = {0}, def = {0};
    struct haul_error err = {0};
    int64_t all = 0, counted = 0;
    memset(bits, 0, sizeof bits);
    must(!levels_open(&page, c->max_repetition, c->max_definition, &rep, &def, &err));
    for (size_t at = 0; at < c->count; at += step) {
        size_t n = c->count - at < step ? c->count - at : step;
        int64_t ones = 0;
        must(!levels_read_bits(&def, bits, (int64_t)at, n, &ones, &err));
        all += ones;
    }
    for (size_t i = 0; i < c->count; i++) {
        must(((bits[i / 8] >> (i % 8)) & 1) == definition[i]);
        counted += definition[i];
    }
    must(all == counted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static uint8_t a[2][COUNT_MAX], b[2][COUNT_MAX];
    struct food food = {data, length};
    struct levels_case c = {.max_repetition = food_byte(&food) % 65,
                            .max_definition = food_byte(&food) % 130};
    uint8_t flags = food_byte(&food);
    c.count = food_u16(&food) % COUNT_MAX;
    size_t split = flags & 1 ? food_byte(&food) : 0, step = 1 + flags / 4;
    struct buffer text = food_rest(&food);
    bool v2 = flags & 1;
    split = split < text.length ? split : text.length;
    c.page.type = v2 ? PAGE_DATA_V2 : PAGE_DATA;
    c.page.value_count = (int32_t)c.count;
    c.page.definition_encoding = c.page.repetition_encoding = flags & 2 ? ENCODING_BIT_PACKED : ENCODING_RLE;
    if (v2) {
        c.page.repetition = (struct slice){text.data, split};
        c.page.definition = (struct slice){text.data + split, text.length - split};
        c.page.body = (struct slice){text.data + text.length, 0};
    } else
        c.page.body = (struct slice){text.data, text.length};
    bool whole = read_all(&c, COUNT_MAX, a[0], a[1]);
    must(read_all(&c, step, b[0], b[1]) == whole);
    if (whole)
        must(memcmp(a[0], b[0], c.count) == 0 && memcmp(a[1], b[1], c.count) == 0);
    if (whole && c.max_definition == 1)
        compare_bits(&c, a[1], step);
    buffer_release(&text);
    return 0;
}
