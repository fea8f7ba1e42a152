/*
 * names.c: sorted once, so that a hundred thousand names cost no more than
 * sorting them.
 */
#include "format/csv/names.h"

#include <stdlib.h>
#include <string.h>

struct place {
    const char *name;
    int index;
};

static int by_name(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

static int by_name_only(const void *a, const void *b)
{
    return strcmp(((const struct place *)a)->name, ((const struct place *)b)->name);
}

static enum haul_code name_blanks(struct schema *schema, struct haul_error *err)
{
    for (int i = 0; i < schema->count; i++) {
        struct field *field = &schema->fields[i];
        if (field->name && field->name[0])
            continue;
        field->name = arena_printf(&schema->arena, "column%d", i + 1);
        if (!field->name)
            return error_nomem(err, "column names");
    }
    return HAUL_OK;
}

/* The first of name_2, name_3, ... that nobody has. */
static char *free_name(struct arena *arena, const struct place *places, int count, const char *name,
                       int *next)
{
    for (;;) {
        char *text = arena_printf(arena, "%s_%d", name, (*next)++);
        struct place wanted = {text, 0};
        if (!text || !bsearch(&wanted, places, (size_t)count, sizeof *places, by_name_only))
            return text;
    }
}

enum haul_code csv_names_settle(struct schema *schema, int *changed, struct haul_error *err)
{
    *changed = 0;
    if (name_blanks(schema, err))
        return err->code;
    struct place *places = arena_alloc_array(&schema->arena, (size_t)schema->count + 1, sizeof *places);
    if (!places)
        return error_nomem(err, "column names");
    for (int i = 0; i < schema->count; i++)
        places[i] = (struct place){schema->fields[i].name, i};
    qsort(places, (size_t)schema->count, sizeof *places, by_name);
    int next = 2;
    for (int i = 1; i < schema->count; i++) {
        if (strcmp(places[i].name, places[i - 1].name) != 0) {
            next = 2;
            continue;
        }
        char *name = free_name(&schema->arena, places, schema->count, places[i].name, &next);
        if (!name)
            return error_nomem(err, "column names");
        schema->fields[places[i].index].name = name;
        ++*changed;
    }
    return HAUL_OK;
}
