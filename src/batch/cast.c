/*
 * cast.c: the cast table, and batches passed through it.
 *
 * Each row of the table is a set of types to come from, a set to go to, and the
 * function for a column of that pair; the first that fits is taken. A pair that
 * is not in the table has no cast. What a pair may lose is said by cast_loss_of,
 * so that a plan can show it before anything runs.
 *
 * Columns whose type stays are moved, never copied. The others are built anew;
 * only when all of them are there do the moved ones change hands, so that a
 * batch is whole when a cast fails.
 */
#include "batch/cast.h"

#include "batch/array.h"
#include "batch/cast_column.h"
#include <string.h>

#define BIT(type) (1u << (type))
#define INTEGERS  (0xffu << TYPE_INT8) /* int8 to uint64 */
#define FLOATS    (7u << TYPE_FLOAT16)
#define ANY       (BIT(TYPE_COUNT) - 1)
#define NESTED    (BIT(TYPE_LIST) | BIT(TYPE_STRUCT) | BIT(TYPE_MAP))
#define WHOLE     (INTEGERS | BIT(TYPE_BOOL))

_Static_assert(TYPE_UINT64 == TYPE_INT8 + 7 && TYPE_FLOAT64 == TYPE_FLOAT16 + 2 && TYPE_COUNT < 32,
               "the sets below count on the order of enum type_id");

static const struct {
    unsigned from, to;
    cast_fn cast;
} cast_table[] = {
    {BIT(TYPE_NULL), ANY, cast_nulls},
    {WHOLE, WHOLE, cast_integer},
    {INTEGERS, BIT(TYPE_DECIMAL), cast_integer_decimal},
    {INTEGERS, FLOATS, cast_integer_float},
    {FLOATS, INTEGERS, cast_float_integer},
    {FLOATS, FLOATS, cast_float},
    {BIT(TYPE_DECIMAL), BIT(TYPE_DECIMAL), cast_decimal},
    {BIT(TYPE_DECIMAL), INTEGERS, cast_decimal_integer},
    {BIT(TYPE_DECIMAL), FLOATS, cast_decimal_float},
    {BIT(TYPE_TIME), BIT(TYPE_TIME), cast_units},
    {BIT(TYPE_TIMESTAMP), BIT(TYPE_TIMESTAMP), cast_units},
    {BIT(TYPE_DURATION), BIT(TYPE_DURATION), cast_units},
    {BIT(TYPE_DATE), BIT(TYPE_TIMESTAMP), cast_date_timestamp},
    {BIT(TYPE_UTF8) | BIT(TYPE_BINARY), BIT(TYPE_UTF8) | BIT(TYPE_BINARY), cast_bytes},
    {BIT(TYPE_FIXED_BINARY), BIT(TYPE_BINARY), cast_bytes},
    {BIT(TYPE_BINARY), BIT(TYPE_FIXED_BINARY), cast_bytes},
    {ANY & ~BIT(TYPE_UTF8), BIT(TYPE_UTF8), cast_print},
    {BIT(TYPE_UTF8), ANY & ~(NESTED | BIT(TYPE_NULL)), cast_parse},
};

struct cast {
    const struct schema *from, *to;
    cast_fn *columns; /* NULL: the column is moved */
    bool identity;
};

static cast_fn cast_find(const struct field *from, const struct field *to)
{
    for (size_t i = 0; i < sizeof cast_table / sizeof *cast_table; i++)
        if ((cast_table[i].from & BIT(from->type)) && (cast_table[i].to & BIT(to->type)))
            return cast_table[i].cast;
    return NULL;
}

static size_t columns_size(const struct cast *cast)
{
    return (size_t)(cast->to->count ? cast->to->count : 1) * sizeof *cast->columns;
}

static enum haul_code no_cast(const struct field *from, const struct field *to, struct haul_error *err)
{
    char from_type[96], to_type[96];
    field_print_type(from, from_type, sizeof from_type);
    field_print_type(to, to_type, sizeof to_type);
    return error_set(err, HAUL_UNSUPPORTED, "column \"%s\": there is no way from %s to %s", from->name,
                     from_type, to_type);
}

enum haul_code cast_open(const struct schema *from, const struct schema *to, struct cast **cast,
                         struct haul_error *err)
{
    if (from->count != to->count)
        return error_set(err, HAUL_INTERNAL, "a cast from %d columns to %d", from->count, to->count);
    struct cast *made = memory_alloc(NULL, sizeof *made);
    if (!made)
        return error_nomem(err, "a cast");
    *made = (struct cast){.from = from, .to = to, .identity = true};
    made->columns = memory_alloc(NULL, columns_size(made));
    enum haul_code code = made->columns ? HAUL_OK : error_nomem(err, "a cast");
    for (int i = 0; !code && i < to->count; i++) {
        const struct field *a = &from->fields[i], *b = &to->fields[i];
        bool same = field_equal(a, b, false);
        made->columns[i] = same ? NULL : cast_find(a, b);
        made->identity = made->identity && same;
        if (!same && !made->columns[i])
            code = no_cast(a, b, err);
    }
    if (code) {
        cast_close(made);
        return code;
    }
    *cast = made;
    return HAUL_OK;
}

void cast_close(struct cast *cast)
{
    if (!cast)
        return;
    if (cast->columns)
        memory_free(NULL, cast->columns, columns_size(cast));
    memory_free(NULL, cast, sizeof *cast);
}

bool cast_is_identity(const struct cast *cast)
{
    return cast->identity;
}

const char *cast_loss(const struct cast *cast, int i)
{
    return cast->columns[i] ? cast_loss_of(&cast->from->fields[i], &cast->to->fields[i]) : NULL;
}

enum haul_code cast_reject(struct cast_column *column, int64_t i, const char *reason)
{
    struct buffer *scratch = column->scratch;
    char name[BATCH_ROW_NAME_BYTES];
    buffer_clear(scratch);
    if (view_print(&column->view, i, scratch, column->err))
        return column->err->code;
    batch_row_name(column->batch, i, name);
    struct reject reject = {.part = column->batch->part,
                            .row = batch_place(column->batch, i),
                            .place = name,
                            .column = column->from->name,
                            .reason = reason,
                            .value = scratch->data ? (const char *)scratch->data : "",
                            .value_length = scratch->length};
    bit_set(column->drop, i);
    if (collector_reject(column->context->collector, HAUL_VALUE, &reject, column->err))
        return column->err->code;
    return builder_append_null(&column->builder, column->err);
}

struct applier {
    const struct cast *cast;
    const struct context *context;
    struct batch *batch;
    struct buffer drop, scratch;
    struct haul_error *err;
};

static enum haul_code apply_column(struct applier *applier, int i, struct ArrowArray *out)
{
    struct cast_column column = {.context = applier->context,
                                 .batch = applier->batch,
                                 .from = &applier->cast->from->fields[i],
                                 .to = &applier->cast->to->fields[i],
                                 .drop = applier->drop.data,
                                 .scratch = &applier->scratch,
                                 .err = applier->err};
    struct haul_error *err = applier->err;
    if (view_init(&column.view, column.from, applier->batch->array.children[i], err))
        return err->code;
    column.values = column.view;
    if (column.view.indices && view_dictionary(&column.view, &column.values, err))
        return err->code;
    if (builder_init(&column.builder, column.to, applier->context->memory, err))
        return err->code;
    enum haul_code code = builder_reserve(&column.builder, column.view.length, 0, err);
    if (!code)
        code = applier->cast->columns[i](&column);
    if (!code && column.losses)
        code = collector_loss(applier->context->collector, column.from->name,
                              cast_loss_of(column.from, column.to), column.losses, err);
    if (!code)
        code = builder_finish(&column.builder, out, err);
    builder_release(&column.builder);
    return code;
}

static enum haul_code apply_columns(struct applier *applier)
{
    const struct cast *cast = applier->cast;
    struct batch *batch = applier->batch;
    struct ArrowArray made = {0};
    if (array_init(&made, batch->array.length, 1, cast->to->count, applier->err))
        return applier->err->code;
    for (int i = 0; i < cast->to->count; i++)
        if (cast->columns[i] && apply_column(applier, i, made.children[i])) {
            array_release(&made);
            return applier->err->code;
        }
    for (int i = 0; i < cast->to->count; i++)
        if (!cast->columns[i])
            array_move(batch->array.children[i], made.children[i]);
    array_release(&batch->array);
    batch->array = made;
    batch->schema = cast->to;
    return HAUL_OK;
}

enum haul_code cast_apply(struct cast *cast, const struct context *context, struct batch *batch,
                          struct haul_error *err)
{
    if (batch->array.n_children != cast->to->count)
        return error_set(err, HAUL_INTERNAL, "a batch of %lld columns in a cast of %d",
                         (long long)batch->array.n_children, cast->to->count);
    if (cast->identity) {
        batch->schema = cast->to;
        return HAUL_OK;
    }
    struct applier applier = {.cast = cast, .context = context, .batch = batch, .err = err};
    buffer_init(&applier.drop, context->memory);
    buffer_init(&applier.scratch, context->memory);
    enum haul_code code = buffer_resize(&applier.drop, (size_t)(batch->array.length + 7) / 8 + 1, err);
    if (!code)
        code = apply_columns(&applier);
    if (!code)
        code = batch_drop_rows(batch, applier.drop.data, context->memory, err);
    buffer_release(&applier.drop);
    buffer_release(&applier.scratch);
    return code;
}
