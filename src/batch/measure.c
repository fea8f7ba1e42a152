/*
 * measure.c: the longest value of each column of text or binaries.
 *
 * A sample could only guess, and no file says it: Parquet's statistics know the
 * first and the last in order. So the source is read whole, once more than it
 * would be, and only when asked. A row that grows between the two readings is
 * found while it is loaded, like any value that its column cannot take.
 */
#include "batch/measure.h"

#include "base/collector.h"
#include "batch/view.h"
#include "batch/walk.h"
#include <stdlib.h>
#include <string.h>

#define ROWS_AT_ONCE 16384

struct measuring {
    struct schema *schema;
    uint32_t *longest; /* of each column */
    bool *wanted;
};

/* A length that was declared stands in parentheses; SQL Server's own types are kept as they are. */
static bool is_wanted(const struct field *field)
{
    const char *declared = field->sql_type;
    return (field->type == TYPE_UTF8 || field->type == TYPE_BINARY) &&
           (!declared || (!strchr(declared, '(') && strncmp(declared, "mssql:", 6) != 0));
}

/* UTF-16 units: one for each character, two beyond the first plane. */
static uint32_t units_of(const uint8_t *text, size_t bytes)
{
    uint32_t units = 0;
    for (size_t i = 0; i < bytes; i++)
        units += (text[i] & 0xc0) != 0x80 ? 1u + (text[i] >= 0xf0) : 0u;
    return units;
}

static void measure_values(const struct view *view, bool text, uint32_t *longest)
{
    for (int64_t i = 0; i < view->length; i++) {
        size_t bytes = (size_t)(view->offsets[i + 1] - view->offsets[i]);
        if (bytes <= *longest) /* it has no more units than bytes */
            continue;
        uint32_t size = text ? units_of(view->data + view->offsets[i], bytes) : (uint32_t)bytes;
        *longest = size > *longest ? size : *longest;
    }
}

static enum haul_code measure_batch(struct measuring *measuring, const struct batch *batch,
                                    struct haul_error *err)
{
    for (int i = 0; i < batch->schema->count; i++) {
        const struct field *field = &batch->schema->fields[i];
        struct view view, values;
        if (!measuring->wanted[i])
            continue;
        if (view_init(&view, field, batch->array.children[i], err))
            return err->code;
        if (view.indices && view_dictionary(&view, &values, err))
            return err->code;
        if (view.length > 0)
            measure_values(view.indices ? &values : &view, field->type == TYPE_UTF8, &measuring->longest[i]);
    }
    return HAUL_OK;
}

static enum haul_code measure_all(struct measuring *measuring, struct source *source,
                                  const struct context *context, struct haul_error *err)
{
    struct walk walk = {0};
    enum haul_code code = walk_init(&walk, source, context, err);
    for (bool end = false; !code && !end;) {
        struct batch batch = {0};
        code = context_check(context, err);
        if (!code)
            code = walk_next(&walk, ROWS_AT_ONCE, &batch, &end, err);
        if (!code && !end)
            code = measure_batch(measuring, &batch, err);
        batch_release(&batch);
        collector_reset(context->collector); /* the run itself will tell of bad rows */
    }
    walk_release(&walk);
    return code;
}

static enum haul_code note_lengths(const struct measuring *measuring, struct haul_error *err)
{
    struct schema *schema = measuring->schema;
    for (int i = 0; i < schema->count; i++) {
        const char *name = schema->fields[i].type == TYPE_UTF8 ? "nvarchar" : "varbinary";
        unsigned longest = measuring->longest[i] ? measuring->longest[i] : 1;
        if (!measuring->wanted[i])
            continue;
        schema->fields[i].sql_type = arena_printf(&schema->arena, "measured:%s(%u)", name, longest);
        if (!schema->fields[i].sql_type)
            return error_nomem(err, "lengths");
    }
    return HAUL_OK;
}

enum haul_code measure_texts(const struct context *context, struct source *source, struct source_info *info,
                             struct haul_error *err)
{
    size_t count = (size_t)info->schema.count + 1;
    struct reject_limit any = {.max = -1};
    struct collector collector = {.limit = &any};
    struct context own = *context;
    struct measuring measuring = {.schema = &info->schema};
    if (!info->replayable)
        return error_set(err, HAUL_USAGE,
                         "--measure reads the source once before, and this one can be read "
                         "only once; make the table first");
    own.collector = &collector;
    measuring.longest = calloc(count, sizeof *measuring.longest);
    measuring.wanted = calloc(count, sizeof *measuring.wanted);
    bool room = measuring.longest && measuring.wanted;
    for (int i = 0; room && i < info->schema.count; i++)
        measuring.wanted[i] = is_wanted(&info->schema.fields[i]);
    enum haul_code code = room ? measure_all(&measuring, source, &own, err) : error_nomem(err, "lengths");
    if (!code)
        code = note_lengths(&measuring, err);
    collector_release(&collector);
    free(measuring.longest);
    free(measuring.wanted);
    return code ? error_prefix(err, "--measure") : HAUL_OK;
}
