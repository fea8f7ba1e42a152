/*
 * decode: any bytes as the values of a page, in any encoding and physical type.
 *
 * Reading in small pieces must give the same values, or fail, where reading at
 * once does; memory stays within what the input justifies (a budget of 16 MiB).
 *
 * Front of the input: physical type, encoding, type length, count (2), step.
 */
#include "fuzz.h"

#include "format/parquet/values.h"

#define COUNT_MAX 3000
#define WIDTH_MAX 24
#define BYTES_MAX ((size_t)16 << 20)

struct decode_case {
    enum parquet_type physical;
    int type_length;
    int32_t encoding;
    struct slice body;
    size_t count;
    struct memory *memory;
};

struct decoded {
    uint8_t fixed[COUNT_MAX * WIDTH_MAX];
    int32_t lengths[COUNT_MAX];
    struct buffer bytes;
};

static enum haul_code read_piece(struct values *values, const struct decode_case *c, struct decoded *out,
                                 size_t at, size_t n, struct haul_error *err)
{
    if (values->encoding == ENCODING_RLE_DICTIONARY)
        return values_indices(values, (uint32_t *)(void *)out->fixed + at, n, err);
    if (c->physical == PARQUET_BOOLEAN)
        return values_bools(values, out->fixed + at, n, err);
    if (c->physical != PARQUET_BYTE_ARRAY)
        return values_fixed(values, out->fixed + at * values->width, n, err);
    must(values_within(values, n, 100) >= 1);
    return values_bytes(values, out->lengths + at, n, &out->bytes, err);
}

static bool read_all(const struct decode_case *c, size_t step, struct decoded *out)
{
    struct values values = {0};
    struct haul_error err = {0};
    values_init(&values, c->physical, c->type_length, c->memory);
    enum haul_code code = values_open(&values, c->encoding, c->body, c->count, &err);
    for (size_t at = 0; !code && at < c->count; at += step)
        code = read_piece(&values, c, out, at, c->count - at < step ? c->count - at : step, &err);
    must_be_told(code, &err);
    must(code != HAUL_INTERNAL);
    values_release(&values);
    return code == HAUL_OK;
}

static void check(const struct decode_case *c, const struct decoded *a, const struct decoded *b)
{
    size_t total = 0;
    must(memcmp(a->fixed, b->fixed, sizeof a->fixed) == 0);
    must(memcmp(a->lengths, b->lengths, sizeof a->lengths) == 0);
    must(a->bytes.length == b->bytes.length);
    must(!a->bytes.length || memcmp(a->bytes.data, b->bytes.data, a->bytes.length) == 0);
    for (size_t i = 0; i < c->count; i++) {
        must(a->lengths[i] >= 0);
        total += (size_t)a->lengths[i];
    }
    must(total == a->bytes.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static struct decoded a, b;
    struct food food = {data, length};
    struct decode_case c = {.physical = food_byte(&food) % PARQUET_TYPE_COUNT};
    struct haul_error err = {0};
    c.encoding = food_byte(&food) % (ENCODING_COUNT + 1);
    c.type_length = 1 + food_byte(&food) % WIDTH_MAX;
    c.count = food_u16(&food) % COUNT_MAX;
    size_t step = 1 + food_byte(&food);
    struct buffer text = food_rest(&food);
    c.body = (struct slice){text.data, text.length};
    must(!memory_open(&c.memory, BYTES_MAX, 1, &err));
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    buffer_init(&a.bytes, c.memory);
    buffer_init(&b.bytes, c.memory);
    bool whole = read_all(&c, COUNT_MAX, &a);
    bool pieces = read_all(&c, step, &b);
    must(whole == pieces ||
         (c.physical == PARQUET_BYTE_ARRAY && a.bytes.length + b.bytes.length > BYTES_MAX / 8));
    if (whole && pieces)
        check(&c, &a, &b);
    buffer_release(&a.bytes);
    buffer_release(&b.bytes);
    memory_close(c.memory);
    buffer_release(&text);
    return 0;
}
