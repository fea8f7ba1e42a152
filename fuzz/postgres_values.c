/*
 * postgres_values: any bytes as values of a binary COPY.
 *
 * What the server sends is foreign: each value is decoded, is a misfit, or is
 * refused as malformed, whatever its bytes; nothing is read beyond them, and what
 * was decoded is a well-formed column that prints.
 *
 * Front of the input: the type; then values, each with its length before it.
 */
#include "fuzz.h"

#include "database/postgres/decode.h"

#define VALUES_MAX 64

struct kind {
    enum wire wire;
    Oid array;
    struct field field;
};

static struct field items[] = {
    {.name = "item", .type = TYPE_INT32, .nullable = true},
    {.name = "item", .type = TYPE_UTF8, .nullable = true},
    {.name = "item", .type = TYPE_BOOL, .nullable = true},
    {.name = "item", .type = TYPE_DATE, .nullable = true},
};

#define LIST(i)                                                                                              \
    {                                                                                                        \
        .type = TYPE_LIST, .nullable = true, .children = &items[i], .child_count = 1                         \
    }

static const struct kind kinds[] = {
    {WIRE_NUMERIC, 0, {.type = TYPE_DECIMAL, .precision = 38, .scale = 10}},
    {WIRE_NUMERIC, 0, {.type = TYPE_DECIMAL, .precision = 15, .scale = 2}},
    {WIRE_NUMERIC, 0, {.type = TYPE_DECIMAL, .precision = 5, .scale = 0}},
    {WIRE_ARRAY, 1007, LIST(0)},
    {WIRE_ARRAY, 1009, LIST(1)},
    {WIRE_ARRAY, 1000, LIST(2)},
    {WIRE_ARRAY, 1182, LIST(3)},
    {WIRE_TIMESTAMP, 0, {.type = TYPE_TIMESTAMP, .unit = TIME_MICRO}},
    {WIRE_TIME, 0, {.type = TYPE_TIME, .unit = TIME_MICRO}},
    {WIRE_DATE, 0, {.type = TYPE_DATE}},
    {WIRE_BOOL, 0, {.type = TYPE_BOOL}},
    {WIRE_JSONB, 0, {.type = TYPE_BINARY}},
    {WIRE_UUID, 0, {.type = TYPE_FIXED_BINARY, .width = 16}},
};

static void must_be_a_column(struct builder *builder, const struct field *field, int64_t rows)
{
    struct haul_error err = {0};
    struct ArrowArray array = {0};
    struct view view;
    struct buffer text = {0};
    must(builder_finish(builder, &array, &err) == HAUL_OK);
    must(array.length == rows);
    must(view_init(&view, field, &array, &err) == HAUL_OK);
    for (int64_t i = 0; i < rows && field->type != TYPE_LIST; i++) /* text of items may be any bytes */
        must(view_print(&view, i, &text, &err) == HAUL_OK);
    buffer_release(&text);
    array.release(&array);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct food food = {data, length};
    const struct kind *kind = &kinds[food_byte(&food) % (sizeof kinds / sizeof *kinds)];
    const struct source_column column = {.wire = kind->wire, .array = kind->array};
    struct field field = kind->field;
    struct builder builder;
    struct decoder decoder;
    struct haul_error err = {0};
    int64_t rows = 0;
    bool malformed = false;
    field.name = "c";
    must(builder_init(&builder, &field, NULL, &err) == HAUL_OK);
    must(builder_reserve(&builder, VALUES_MAX, 0, &err) == HAUL_OK);
    must(pg_decoder_init(&decoder, &column, &builder, &err) == HAUL_OK);
    while (food.length && rows < VALUES_MAX && !malformed) {
        size_t wanted = food_u16(&food), bytes = wanted < food.length ? wanted : food.length;
        uint8_t *exact = malloc(bytes ? bytes : 1);
        must(exact);
        memcpy(exact, food.data, bytes);
        food.data += bytes;
        food.length -= bytes;
        decoder.misfit = NULL;
        enum haul_code code = decoder.decode(&decoder, exact, (uint32_t)bytes, &err);
        must_be_told(code, &err);
        malformed = code != HAUL_OK; /* the reader stops here */
        rows += !code && !decoder.misfit;
        must(malformed || builder.length == rows);
        free(exact);
    }
    if (!malformed)
        must_be_a_column(&builder, &field, rows);
    pg_decoder_release(&decoder);
    builder_release(&builder);
    return 0;
}
