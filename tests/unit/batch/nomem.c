/*
 * nomem.c: every allocation of a batch's whole life (build, cast, hash, export,
 * import) fails, once alone and once with all that follow. Alone it may be
 * survived (a buffer asks again for less); otherwise there is an error that says
 * so. Nothing is leaked, which the address sanitizer sees.
 */
#include "../support/failing.h"
#include "table.h"

#include "batch/cast.h"
#include "batch/hash.h"
#include "batch/stream.h"

static enum haul_code build(const struct schema *schema, struct batch *batch, struct haul_error *err)
{
    static const char *const texts[] = {"1", "2", "x", "q", "3", "y", NULL, NULL, NULL, "4", "5", "z"};
    struct batch_builder builder = {0};
    enum haul_code code = batch_builder_init(&builder, schema, NULL, err);
    for (int i = 0; !code && i < 12; i++) {
        struct builder *column = &builder.columns[i % 3], *leaf = i % 3 == 2 ? &column->children[0] : column;
        if (!texts[i])
            code = builder_append_null(column, err);
        else
            code = builder_append_text(leaf, texts[i], strlen(texts[i]), err);
        if (!code && texts[i] && leaf != column)
            code = builder_append_list(column, err);
    }
    if (!code)
        code = batch_builder_finish(&builder, batch, err);
    batch_builder_release(&builder);
    return code;
}

static enum haul_code convert(const struct schema *from, const struct schema *to,
                              const struct context *context, struct batch *batch, struct haul_error *err)
{
    struct cast *cast = NULL;
    struct hasher hasher = {0};
    struct hash128 sum;
    enum haul_code code = cast_open(from, to, &cast, err);
    if (!code)
        code = cast_apply(cast, context, batch, err);
    if (!code)
        code = hasher_init(&hasher, to, true, NULL, err);
    if (!code)
        code = hash_batch(&hasher, batch, &sum, err);
    hasher_release(&hasher);
    cast_close(cast);
    return code;
}

/* Out and in again, copied once and moved once. */
static enum haul_code pass_door(const struct schema *schema, const struct context *context,
                                struct batch *batch, struct haul_error *err)
{
    struct ArrowSchema foreign = {0};
    struct import *import = NULL;
    struct batch copied = {0}, moved = {0};
    enum haul_code code = schema_export(schema, &foreign, err);
    if (!code)
        code = import_open(&foreign, &import, err);
    if (!code)
        code = import_copy(import, context, &batch->array, &copied, err);
    if (!code)
        code = import_array(import, context, &batch->array, &moved, err);
    batch_release(&copied);
    batch_release(&moved);
    import_close(import);
    if (foreign.release)
        foreign.release(&foreign);
    return code;
}

static enum haul_code live(const struct schema *from, const struct schema *to, struct haul_error *err)
{
    struct reject_limit limit = {.max = -1};
    struct collector collector = {.limit = &limit};
    struct context context;
    struct batch batch = {0};
    context_init(&context);
    context.collector = &collector;
    enum haul_code code = build(from, &batch, err);
    if (!code)
        code = convert(from, to, &context, &batch, err);
    if (!code)
        code = pass_door(to, &context, &batch, err);
    batch_release(&batch);
    collector_release(&collector);
    return code;
}

static void test_every_allocation(void **state)
{
    (void)state;
    static const char *const from_types[] = {"utf8", "int64", "list<item: utf8>"}, *const to_types[] = {
                                                                                       "int32", "int64",
                                                                                       "utf8"};
    struct schema from = {0}, to = {0};
    table_schema(&from, from_types, 3);
    table_schema(&to, to_types, 3);
    for (int on = 0; on < 2; on++) {
        long count = 0;
        bool failed = true;
        for (; failed && count < 10000; count++) {
            struct haul_error err = {0};
            failing_begin(count, on);
            enum haul_code code = live(&from, &to, &err);
            failed = failing_end();
            assert_true(code == (failed ? HAUL_NOMEM : HAUL_OK) || (failed && !on && !code));
        }
        assert_true(count > 50 && count < 10000);
    }
    schema_release(&from);
    schema_release(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_allocation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
