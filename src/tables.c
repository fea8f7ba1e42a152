/*
 * tables.c: see tables.h.
 *
 * Each table is a source of its own engine, opened anew for each reader and walked
 * from end to end, so that a unit that failed can be read again. Nobody else writes
 * to staging tables: a later process may read a table again that it did not finish.
 */
#include "tables.h"

#include "batch/walk.h"
#include "registry.h"
#include <stdlib.h>
#include <string.h>

#define TABLES_MAX 65536

struct tables_source {
    struct source source;
    struct context context;
    const char *uri, *model;
    const char **names;
    size_t count, next;        /* next: of the split */
    int64_t rows;              /* that they must have, or -1 */
    struct haul_error missing; /* of the first that is not there */
    const char **columns;
    int column_count; /* 0 before describe */
    struct arena arena;
};

struct tables_reader {
    struct reader reader;
    struct context context;
    struct source *inner;
    struct source_info info;
    struct walk walk;
    uint64_t part;
};

static enum haul_code open_one(const struct tables_source *self, const char *name,
                               const struct context *context, struct source **inner, struct haul_error *err)
{
    struct source_request request = {.table = name,
                                     .columns = self->column_count ? self->columns : NULL,
                                     .column_count = self->column_count};
    return registry_open_source(self->uri, context, &request, inner, err);
}

/* ---- describing ---- */

static enum haul_code keep_columns(struct tables_source *self, const struct schema *schema,
                                   struct haul_error *err)
{
    self->columns = arena_alloc_array(&self->arena, (size_t)schema->count + 1, sizeof *self->columns);
    for (int i = 0; self->columns && i < schema->count; i++)
        if (!(self->columns[i] = arena_text(&self->arena, schema->fields[i].name)))
            return error_nomem(err, "the columns of a table");
    self->column_count = schema->count;
    return self->columns ? HAUL_OK : error_nomem(err, "the columns of a table");
}

static enum haul_code join(const struct tables_source *self, size_t index, struct source_info *info,
                           const struct source_info *more, struct haul_error *err)
{
    int64_t sum;
    for (int i = 0; i < info->schema.count && i < more->schema.count; i++)
        if (!field_equal(&info->schema.fields[i], &more->schema.fields[i], true))
            return error_set(err, HAUL_DATA, "%s: column \"%s\" has another type than in %s",
                             self->names[index], more->schema.fields[i].name, self->names[0]);
    bool known = info->rows >= 0 && more->rows >= 0 && !__builtin_add_overflow(info->rows, more->rows, &sum);
    info->rows = known ? sum : -1;
    info->rows_exact &= more->rows_exact;
    return HAUL_OK;
}

static enum haul_code describe_one(struct tables_source *self, const char *name, struct source_info *info,
                                   struct haul_error *err)
{
    struct source *inner = NULL;
    enum haul_code code = open_one(self, name, &self->context, &inner, err);
    if (code == HAUL_OK)
        code = inner->ops->describe(inner, info, err);
    if (inner)
        inner->ops->close(inner);
    return code ? error_prefix(err, "%s", name) : HAUL_OK;
}

static enum haul_code fail_missing(const struct tables_source *self, struct haul_error *err)
{
    *err = self->missing;
    return err->code;
}

/* The first that is there says what the columns are. */
static enum haul_code describe_next(struct tables_source *self, size_t index, struct source_info *info,
                                    struct haul_error *err)
{
    struct source_info one = {0};
    struct haul_error why = {0};
    enum haul_code code = describe_one(self, self->names[index], &one, &why);
    if (code == HAUL_NOT_FOUND) {
        self->missing = self->missing.code ? self->missing : why;
        source_info_release(&one);
        return HAUL_OK;
    }
    if (code) {
        *err = why;
    } else if (!self->column_count) {
        *info = one;
        return keep_columns(self, &info->schema, err);
    } else {
        code = join(self, index, info, &one, err);
    }
    source_info_release(&one);
    return code;
}

static enum haul_code tables_describe(struct source *base, struct source_info *info, struct haul_error *err)
{
    struct tables_source *self = (struct tables_source *)base;
    for (size_t i = 0; i < self->count; i++)
        if (describe_next(self, i, info, err))
            return err->code;
    if (!self->column_count && !self->model)
        return fail_missing(self, err);
    if (!self->column_count &&
        (describe_one(self, self->model, info, err) || keep_columns(self, &info->schema, err)))
        return err->code;
    info->order_fixed = false;
    info->replayable = true;
    info->splits_max = 0;
    info->rows_promised = self->rows >= 0;
    if (info->rows_promised) {
        info->rows = self->rows;
        info->rows_exact = true;
    }
    info->consistency = "none";
    info->identity = "tables";
    info->key = NULL;
    info->key_count = 0;
    return HAUL_OK;
}

/* ---- parts ---- */

static enum haul_code tables_split(struct source *base, const struct split_request *request,
                                   struct arena *arena, struct part *part, bool *more, struct haul_error *err)
{
    struct tables_source *self = (struct tables_source *)base;
    (void)request;
    if (self->missing.code)
        return fail_missing(self, err);
    *more = self->next < self->count;
    if (!*more)
        return HAUL_OK;
    part->spec = arena_printf(arena, "table %s", self->names[self->next]);
    part->rows = part->bytes = -1;
    part->index = self->next++;
    return part->spec ? HAUL_OK : error_nomem(err, "a part");
}

static enum haul_code tables_begin(struct source *base, int workers, struct haul_error *err)
{
    const struct tables_source *self = (const struct tables_source *)base;
    (void)workers;
    return fail_missing(self, err);
}

static enum haul_code reader_next(struct reader *base, int64_t rows_max, struct batch *batch, bool *end,
                                  struct haul_error *err)
{
    struct tables_reader *self = (struct tables_reader *)base;
    enum haul_code code = walk_next(&self->walk, rows_max, batch, end, err);
    if (code == HAUL_OK && !*end)
        batch->part = self->part;
    return code;
}

static void reader_close(struct reader *base)
{
    struct tables_reader *self = (struct tables_reader *)base;
    walk_release(&self->walk);
    source_info_release(&self->info);
    if (self->inner)
        self->inner->ops->close(self->inner);
    free(self);
}

static const struct reader_ops reader_ops = {.next = reader_next, .close = reader_close};

static enum haul_code tables_open(struct source *base, const struct context *context, const struct part *part,
                                  int64_t first_row, struct reader **reader, struct haul_error *err)
{
    struct tables_source *self = (struct tables_source *)base;
    if (strncmp(part->spec, "table ", 6) != 0 || first_row != 0)
        return error_set(err, HAUL_INTEGRITY, "a plan's part \"%.60s\" is not one of tables", part->spec);
    struct tables_reader *made = calloc(1, sizeof *made);
    if (!made)
        return error_nomem(err, "a reader");
    made->reader.ops = &reader_ops;
    made->context = *context;
    made->context.login = self->context.login;
    made->part = part->index;
    enum haul_code code = open_one(self, part->spec + 6, &made->context, &made->inner, err);
    if (code == HAUL_OK)
        code = made->inner->ops->describe(made->inner, &made->info, err);
    if (code == HAUL_OK)
        code = walk_init(&made->walk, made->inner, &made->context, err);
    if (code) {
        reader_close(&made->reader);
        return code;
    }
    *reader = &made->reader;
    return HAUL_OK;
}

static void tables_close(struct source *base)
{
    struct tables_source *self = (struct tables_source *)base;
    arena_release(&self->arena);
    free(self);
}

static const struct source_ops source_ops = {.name = "tables",
                                             .describe = tables_describe,
                                             .split = tables_split,
                                             .begin = tables_begin,
                                             .open = tables_open,
                                             .close = tables_close};

static enum haul_code take_names(struct tables_source *self, const char *names, struct haul_error *err)
{
    size_t room = 1;
    for (const char *c = names; *c; c++)
        room += *c == '\n';
    self->names = room <= TABLES_MAX ? arena_alloc_array(&self->arena, room, sizeof *self->names) : NULL;
    if (!self->names)
        return error_set(err, HAUL_LIMIT, "too many tables: %zu", room);
    for (const char *at = names; *at;) {
        size_t length = strcspn(at, "\n");
        if (!(self->names[self->count++] = arena_text_n(&self->arena, at, length)))
            return error_nomem(err, "the names of tables");
        at += length + (at[length] == '\n');
    }
    return self->count ? HAUL_OK : error_set(err, HAUL_USAGE, "no tables were named");
}

enum haul_code tables_source_open(const struct tables_request *request, const struct context *context,
                                  struct source **source, struct haul_error *err)
{
    struct tables_source *self = calloc(1, sizeof *self);
    if (!self)
        return error_nomem(err, "a source");
    self->source.ops = &source_ops;
    self->context = *context;
    self->uri = request->uri;
    self->model = request->model;
    self->rows = request->rows;
    if (take_names(self, request->names, err)) {
        tables_close(&self->source);
        return err->code;
    }
    *source = &self->source;
    return HAUL_OK;
}
