/*
 * table.h: small tables for the tests of this room, made from types and texts.
 * A nested value is JSON: a list of its items, members or [key, value] pairs,
 * scalars in it as strings.
 */
#ifndef TESTS_BATCH_TABLE_H
#define TESTS_BATCH_TABLE_H

#include "batch/builder.h"
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define assert_ok(call)                                                                                      \
    do {                                                                                                     \
        struct haul_error *checked = &err;                                                                   \
        if (call)                                                                                            \
            fail_msg("%s", checked->message);                                                                \
    } while (0)

static void table_append_json(struct builder *builder, const json_t *value)
{
    struct haul_error err = {0};
    if (json_is_null(value)) {
        assert_ok(builder_append_null(builder, &err));
    } else if (builder->field->type == TYPE_STRUCT) {
        for (size_t i = 0; i < json_array_size(value); i++)
            table_append_json(&builder->children[i], json_array_get(value, i));
        assert_ok(builder_append_struct(builder, &err));
    } else if (builder->field->child_count) {
        for (size_t i = 0; i < json_array_size(value); i++)
            table_append_json(&builder->children[0], json_array_get(value, i));
        assert_ok(builder_append_list(builder, &err));
    } else {
        assert_ok(builder_append_text(builder, json_string_value(value), json_string_length(value), &err));
    }
}

/* NULL appends a null. */
static inline void table_append(struct builder *builder, const char *text)
{
    struct haul_error err = {0};
    if (!text) {
        assert_ok(builder_append_null(builder, &err));
    } else if (builder->field->child_count || builder->field->type == TYPE_STRUCT) {
        json_t *value = json_loads(text, 0, NULL);
        assert_non_null(value);
        table_append_json(builder, value);
        json_decref(value);
    } else {
        assert_ok(builder_append_text(builder, text, strlen(text), &err));
    }
}

static inline void table_schema(struct schema *schema, const char *const *types, int count)
{
    struct haul_error err = {0};
    assert_ok(schema_init(schema, count, &err));
    for (int i = 0; i < count; i++) {
        assert_ok(field_parse_type(types[i], &schema->arena, &schema->fields[i], &err));
        schema->fields[i].name = arena_printf(&schema->arena, "c%d", i);
    }
}

/* Texts row by row. */
static inline void table_batch(const struct schema *schema, const char *const *texts, int rows,
                               struct memory *memory, struct batch *batch)
{
    struct haul_error err = {0};
    struct batch_builder builder = {0};
    assert_ok(batch_builder_init(&builder, schema, memory, &err));
    for (int i = 0; i < rows * schema->count; i++)
        table_append(&builder.columns[i % schema->count], texts[i]);
    assert_ok(batch_builder_finish(&builder, batch, &err));
    batch_builder_release(&builder);
}

static inline void table_expect(const struct field *field, const struct ArrowArray *array, int64_t row,
                                const char *text)
{
    struct haul_error err = {0};
    struct view view;
    struct buffer out = {0};
    assert_ok(view_init(&view, field, array, &err));
    assert_int_equal(view_is_null(&view, row), text == NULL);
    assert_ok(view_print(&view, row, &out, &err));
    assert_ok(buffer_append(&out, "", 1, &err));
    assert_string_equal((char *)out.data, text ? text : "");
    buffer_release(&out);
}

#endif
