/*
 * view.c: one column as plain pointers, after a check of its shape.
 *
 * The check is cheap (a few comparisons, no look at values), because a view is
 * made for every column of every batch. It makes sure that a leaf loop which
 * stays within `length` reads through no null pointer. Contents (offsets that
 * run backwards, indices out of bounds) were checked where they came in:
 * builders make them right, import.c looks at foreign ones.
 */
#include "batch/view.h"

#include "batch/array.h"

static const int32_t no_offsets[1] = {0};
static const uint8_t no_data[1] = {0};

static const char *column_name(const struct view *view)
{
    return view->field->name ? view->field->name : "";
}

static enum haul_code bad_shape(const struct view *view, const char *what, struct haul_error *err)
{
    return error_set(err, HAUL_DATA, "column \"%s\": the array is malformed: %s", column_name(view), what);
}

static enum haul_code init_values(struct view *view, struct haul_error *err)
{
    const struct ArrowArray *array = view->array;
    const void *second = array->n_buffers > 1 ? array->buffers[1] : NULL;
    if (array->dictionary) {
        view->indices = second;
        return second || !view->length ? HAUL_OK : bad_shape(view, "a dictionary without indices", err);
    }
    switch (type_table[view->field->type].layout) {
    case LAYOUT_BITS:
    case LAYOUT_FIXED:
        view->values = second;
        return second || !view->length ? HAUL_OK : bad_shape(view, "no values", err);
    case LAYOUT_BYTES:
    case LAYOUT_LIST:
        view->offsets = second ? second : no_offsets;
        if (!second && view->length)
            return bad_shape(view, "no offsets", err);
        if (view->field->child_count)
            return HAUL_OK;
        if (!array->buffers[2] && view->offsets[view->length] != 0)
            return bad_shape(view, "no data", err);
        view->data = array->buffers[2] ? array->buffers[2] : no_data;
        return HAUL_OK;
    default:
        return HAUL_OK;
    }
}

static enum haul_code check_counts(const struct view *view, struct haul_error *err)
{
    const struct ArrowArray *array = view->array;
    if (!array->release || array->length < 0 || array->offset != 0)
        return bad_shape(view, "released, of negative length or not at offset 0", err);
    if (array->n_buffers != (array->dictionary ? 2 : array_buffer_count(view->field)))
        return bad_shape(view, "wrong number of buffers", err);
    if (array->n_buffers && !array->buffers)
        return bad_shape(view, "no buffers", err);
    if (!array->dictionary && array->n_children != view->field->child_count)
        return bad_shape(view, "wrong number of children", err);
    if (array->n_children && !array->children)
        return bad_shape(view, "no children", err);
    return HAUL_OK;
}

enum haul_code view_init(struct view *view, const struct field *field, const struct ArrowArray *array,
                         struct haul_error *err)
{
    *view = (struct view){.field = field, .length = array->length, .array = array};
    if (check_counts(view, err))
        return err->code;
    view->null_count = array_null_count(field, array);
    if (view->null_count && field->type != TYPE_NULL) {
        view->validity = array->buffers[0];
        if (!view->validity)
            return bad_shape(view, "nulls but no validity", err);
    }
    return init_values(view, err);
}

enum haul_code view_child(const struct view *view, int i, struct view *child, struct haul_error *err)
{
    if (i < 0 || i >= view->field->child_count || view->indices || view->array->dictionary)
        return error_set(err, HAUL_INTERNAL, "column \"%s\" has no child %d", column_name(view), i);
    if (view_init(child, &view->field->children[i], view->array->children[i], err))
        return err->code;
    int64_t needed = view->offsets ? view->offsets[view->length] : view->length;
    if (child->length < needed)
        return bad_shape(view, "a child is too short", err);
    return HAUL_OK;
}

enum haul_code view_dictionary(const struct view *view, struct view *values, struct haul_error *err)
{
    if (!view->array->dictionary)
        return error_set(err, HAUL_INTERNAL, "column \"%s\" is no dictionary", column_name(view));
    return view_init(values, view->field, view->array->dictionary, err);
}
