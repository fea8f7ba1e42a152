/*
 * arrow_schema: any bytes as the Arrow schema that a Parquet file may carry.
 *
 * The key's value is a flatbuffer in base64; the target makes the base64, so that
 * the bytes reach the flatbuffer. Whatever stands there, names and types of the
 * columns stay but for two things: an int64 may become a duration, a timestamp in
 * UTC may get another zone. What haul prints it finds again.
 *
 * Front of the input: a byte; odd: the rest is the text as it is, without base64.
 */
#include "fuzz.h"

#include "format/parquet/arrow_schema.h"
#include "format/parquet/base64.h"

static const struct field item = {.name = "element", .type = TYPE_INT64, .nullable = true};
static const struct field columns[] = {
    {.name = "a", .type = TYPE_INT64, .nullable = true},
    {.name = "t", .type = TYPE_TIMESTAMP, .unit = TIME_MICRO, .timezone = "UTC"},
    {.name = "l",
     .type = TYPE_LIST,
     .nullable = true,
     .children = (struct field *)(uintptr_t)&item,
     .child_count = 1},
    {.name = "s", .type = TYPE_UTF8},
};
#define COLUMNS 4

static void make(struct schema *schema)
{
    struct haul_error err = {0};
    must(!schema_init(schema, COLUMNS, &err));
    for (int i = 0; i < COLUMNS; i++)
        must(!field_copy(&columns[i], &schema->arena, &schema->fields[i], &err));
}

static void apply(const void *text, size_t length, struct schema *schema)
{
    struct key_value pair = {.has = 1u << KEY_VALUE_VALUE,
                             .key = {(const uint8_t *)ARROW_SCHEMA_KEY, strlen(ARROW_SCHEMA_KEY)},
                             .value = {text, length}};
    struct file_metadata file = {.key_values = {&pair, 1}};
    thrift_set(&file, FILE_KEY_VALUES);
    arrow_schema_apply(&file, schema);
}

static void check(const struct field *field, const struct field *was)
{
    must(!strcmp(field->name, was->name) && field->child_count == was->child_count);
    must(field->type == was->type || (was->type == TYPE_INT64 && field->type == TYPE_DURATION));
    must((field->timezone != NULL) == (was->timezone != NULL));
    must(!field->timezone || strlen(field->timezone) > 0);
    for (int i = 0; i < field->child_count; i++)
        check(&field->children[i], &was->children[i]);
}

static void find_again(const struct schema *schema)
{
    struct buffer text = {0};
    struct haul_error err = {0};
    struct schema again = {0};
    make(&again);
    must(!arrow_schema_print(schema, &text, &err));
    apply(text.data, text.length, &again);
    for (int i = 0; i < COLUMNS; i++) {
        const char *zone = schema->fields[i].timezone;
        must(field_equal(&schema->fields[i], &again.fields[i], true));
        must(!zone || !strcmp(zone, again.fields[i].timezone));
    }
    schema_release(&again);
    buffer_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct food food = {data, length};
    bool bare = food_byte(&food) & 1;
    struct buffer bytes = food_rest(&food);
    char *text = malloc(base64_length(bytes.length) + 1);
    struct schema schema = {0};
    must(text);
    base64_print(bytes.data, bytes.length, text);
    make(&schema);
    if (bare)
        apply(bytes.data, bytes.length, &schema);
    else
        apply(text, base64_length(bytes.length), &schema);
    for (int i = 0; i < COLUMNS; i++)
        check(&schema.fields[i], &columns[i]);
    find_again(&schema);
    schema_release(&schema);
    free(text);
    buffer_release(&bytes);
    return 0;
}
