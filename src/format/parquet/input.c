/*
 * input.c: a Parquet file, seen from its end.
 *
 * Opening reads the last 8 bytes, then the footer they point to, and turns its
 * schema into ours. Nothing of it is trusted: lengths are compared with the
 * file's size, counts with each other, and what the row groups say of their
 * place is checked when a column is opened. Files that are encrypted, wholly or
 * in part, are refused here by name.
 *
 * Parts: "rg N" or "rg N-M", row groups in the file's order; "rg none" is the
 * one part of a file without row groups. Specification: sections 1, 13 and 16.
 */
#include "format/parquet/input.h"
#include "base/settings.h"
#include "format/parquet/arrow_schema.h"
#include "format/parquet/match.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static struct parquet_input *parquet(struct format_input *input)
{
    return (struct parquet_input *)(void *)input;
}

/* ---- the footer ---- */

static enum haul_code magic_check(struct input_file *file, const uint8_t *tail, struct haul_error *err)
{
    uint8_t head[PARQUET_MAGIC_BYTES];
    enum haul_code code = input_read_all(file, 0, head, sizeof head, err);
    if (code)
        return code;
    const uint8_t *last = tail + PARQUET_TAIL_BYTES - PARQUET_MAGIC_BYTES;
    if (!memcmp(last, "PARE", PARQUET_MAGIC_BYTES) || !memcmp(head, "PARE", PARQUET_MAGIC_BYTES))
        return error_set(err, HAUL_UNSUPPORTED,
                         "the file is encrypted (PARE); haul cannot read encrypted Parquet");
    if (memcmp(head, PARQUET_MAGIC, PARQUET_MAGIC_BYTES))
        return error_set(err, HAUL_DATA, "it does not begin with PAR1, so it is not a Parquet file");
    if (memcmp(last, PARQUET_MAGIC, PARQUET_MAGIC_BYTES))
        return error_set(
            err, HAUL_DATA,
            "it does not end with PAR1: it was cut short or is still being written; copy it again");
    return HAUL_OK;
}

static enum haul_code footer_read(struct parquet_input *input, struct haul_error *err)
{
    uint8_t tail[PARQUET_TAIL_BYTES];
    struct input_file *file = input->file;
    if (file->size < 0)
        return error_set(err, HAUL_UNSUPPORTED,
                         "Parquet is read from its end, so it cannot come from a stream; "
                         "save it in a file first");
    if (file->size < (int64_t)(PARQUET_MAGIC_BYTES + PARQUET_TAIL_BYTES))
        return error_set(err, HAUL_DATA, "its %lld bytes are too few for a Parquet file",
                         (long long)file->size);
    enum haul_code code = input_read_all(file, file->size - (int64_t)sizeof tail, tail, sizeof tail, err);
    if (!code)
        code = magic_check(file, tail, err);
    if (code)
        return code;
    uint32_t length = 0;
    memcpy(&length, tail, sizeof length);
    if ((int64_t)length > file->size - (int64_t)(PARQUET_MAGIC_BYTES + PARQUET_TAIL_BYTES))
        return error_set(err, HAUL_DATA, "its footer says %u bytes, more than the file has", length);
    if (length > FOOTER_BYTES_MAX)
        return error_set(err, HAUL_LIMIT, "its footer has %u bytes, more than the %zu haul reads", length,
                         FOOTER_BYTES_MAX);
    input->data_end = file->size - (int64_t)sizeof tail - length;
    code = buffer_resize(&input->bytes, length, err);
    return code ? code : input_read_all(file, input->data_end, input->bytes.data, length, err);
}

static enum haul_code group_check(const struct parquet_input *input, size_t i, struct haul_error *err)
{
    const struct row_group *group = &input->meta.row_groups.items[i];
    if (group->num_rows < 0)
        return error_set(err, HAUL_DATA, "row group %zu has %lld rows", i, (long long)group->num_rows);
    if (group->columns.count != (size_t)input->tree.leaf_count)
        return error_set(err, HAUL_DATA, "row group %zu has %zu columns where the schema has %d", i,
                         group->columns.count, input->tree.leaf_count);
    return HAUL_OK;
}

static enum haul_code groups_check(struct parquet_input *input, struct haul_error *err)
{
    for (size_t i = 0; i < input->meta.row_groups.count; i++) {
        enum haul_code code = group_check(input, i, err);
        if (code)
            return code;
        if (__builtin_add_overflow(input->rows, input->meta.row_groups.items[i].num_rows, &input->rows))
            return error_set(err, HAUL_DATA, "its row groups have more rows than can be counted");
    }
    if (input->meta.num_rows == input->rows || input->meta.num_rows == 0) /* some writers leave it 0 */
        return HAUL_OK;
    return error_set(err, HAUL_DATA, "its footer counts %lld rows and its row groups have %lld",
                     (long long)input->meta.num_rows, (long long)input->rows);
}

static enum haul_code footer_parse(struct parquet_input *input, struct haul_error *err)
{
    size_t used = 0;
    struct slice bytes = {input->bytes.data, input->bytes.length};
    enum haul_code code = thrift_parse(&thrift_file_metadata, bytes, &input->meta, &input->arena, &used, err);
    if (code)
        return code;
    if (thrift_has(&input->meta, FILE_ENCRYPTION))
        return error_set(err, HAUL_UNSUPPORTED,
                         "the file has encrypted columns; haul cannot read encrypted Parquet");
    code = schema_from_parquet(&input->meta, &input->all, &input->tree, err);
    if (code)
        return code;
    if (input->all.count == 0)
        return error_set(err, HAUL_UNSUPPORTED, "the file has no columns");
    code = schema_sql_types_apply(&input->meta, &input->all, err);
    if (code)
        return code;
    arrow_schema_apply(&input->meta, &input->all);
    return groups_check(input, err);
}

/* --int96: says what of our schema they are read as. */
static void int96_units(struct parquet_input *input, const struct settings *settings)
{
    const char *unit = settings ? settings_text(settings, "int96") : NULL;
    if (!unit || strcmp(unit, "us") != 0)
        return;
    for (int i = 0; i < input->tree.leaf_count; i++) {
        const struct node *leaf = input->tree.leaves[i];
        if (leaf->physical == PARQUET_INT96 && leaf->field->type == TYPE_TIMESTAMP)
            ((struct field *)(uintptr_t)leaf->field)->unit = TIME_MICRO; /* a field of input->all */
    }
}

/* ---- the columns asked for ---- */

static const char *refusal_of(const struct node *node)
{
    const char *refusal = node->refusal;
    for (int i = 0; i < node->child_count && !refusal; i++)
        refusal = refusal_of(&node->children[i]);
    return refusal;
}

static enum haul_code columns_select(struct parquet_input *input, const struct source_request *request,
                                     struct haul_error *err)
{
    int count = request && request->columns ? request->column_count : input->all.count;
    input->places = arena_alloc_array(&input->arena, (size_t)count + 1, sizeof *input->places);
    if (!input->places)
        return error_nomem(err, "the columns");
    enum haul_code code = HAUL_OK;
    if (request && request->columns) {
        code = schema_select(&input->all, request->columns, count, &input->selected, input->places, err);
    } else {
        code = schema_copy(&input->all, &input->selected, err);
        for (int i = 0; i < count; i++)
            input->places[i] = i;
    }
    for (int i = 0; i < count && !code; i++) {
        const char *refusal = refusal_of(&input->tree.columns[input->places[i]]);
        if (refusal)
            code = error_set(err, HAUL_UNSUPPORTED, "column \"%s\": %s; leave it out with --columns",
                             input->selected.fields[i].name, refusal);
    }
    return code;
}

/* ---- what file_source asks ---- */

static enum haul_code input_describe(struct format_input *base, struct source_info *info,
                                     struct haul_error *err)
{
    struct parquet_input *input = parquet(base);
    enum haul_code code = schema_copy(&input->selected, &info->schema, err);
    info->rows = input->rows;
    info->rows_exact = true;
    info->order_fixed = true;
    info->replayable = true;
    info->splits_max = 0;
    return code;
}

static int64_t group_bytes(const struct row_group *group)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < group->columns.count; i++) {
        const struct column_metadata *meta = group->columns.items[i].meta;
        if (meta && meta->total_compressed_size > 0 && bytes <= INT64_MAX / 2 - meta->total_compressed_size)
            bytes += meta->total_compressed_size;
    }
    return bytes;
}

/* Does one more group still fit the part? A wish of -1 for both: a part each. */
static bool part_takes(const struct split_request *request, const struct part *part,
                       const struct row_group *group, int64_t plain)
{
    if (group->num_rows == 0 || part->rows == 0)
        return true;
    if (request->part_rows < 0 && request->part_bytes < 0)
        return false;
    if (request->part_rows >= 0 && group->num_rows > request->part_rows - part->rows)
        return false;
    return request->part_bytes < 0 || plain <= request->part_bytes;
}

static enum haul_code input_split(struct format_input *base, const struct split_request *request,
                                  struct arena *arena, struct part *part, bool *more, struct haul_error *err)
{
    struct parquet_input *input = parquet(base);
    size_t first = input->split_next, last = first, count = input->meta.row_groups.count;
    int64_t plain = 0;
    *more = !input->split_done && (first < count || count == 0);
    if (!*more)
        return HAUL_OK;
    part->rows = part->bytes = 0;
    for (; last < count; last++) {
        const struct row_group *group = &input->meta.row_groups.items[last];
        int64_t size = group->total_byte_size > 0 ? group->total_byte_size : 0;
        if (__builtin_add_overflow(plain, size, &plain))
            plain = INT64_MAX;
        if (last > first && !part_takes(request, part, group, plain))
            break;
        part->rows += group->num_rows;
        part->bytes += group_bytes(group);
    }
    input->split_next = last;
    input->split_done = last >= count;
    if (count == 0)
        part->spec = arena_text(arena, "rg none");
    else if (last - first == 1)
        part->spec = arena_printf(arena, "rg %zu", first);
    else
        part->spec = arena_printf(arena, "rg %zu-%zu", first, last - 1);
    return part->spec ? HAUL_OK : error_nomem(err, "a part");
}

static bool spec_parse(const char *spec, size_t *first, size_t *last)
{
    int read = 0;
    if (!strcmp(spec, "rg none")) {
        *first = 1;
        *last = 0;
        return true;
    }
    if (sscanf(spec, "rg %zu-%zu%n", first, last, &read) == 2 && !spec[read])
        return *first <= *last;
    read = 0;
    if (sscanf(spec, "rg %zu%n", first, &read) != 1 || spec[read])
        return false;
    *last = *first;
    return true;
}

enum haul_code parquet_range(const struct parquet_input *input, const char *spec, struct group_range *range,
                             struct haul_error *err)
{
    if (!spec_parse(spec, &range->first, &range->last))
        return error_set(err, HAUL_DATA, "\"%s\" names no row groups", spec);
    if (range->first <= range->last && range->last >= input->meta.row_groups.count)
        return error_set(err, HAUL_CHANGED, "\"%s\" names row groups the file does not have; it was changed",
                         spec);
    return HAUL_OK;
}

static enum haul_code input_open(struct format_input *base, const struct context *context,
                                 const struct part *part, int64_t first_row, struct reader **reader,
                                 struct haul_error *err)
{
    struct parquet_input *input = parquet(base);
    struct group_range range = {.first_row = first_row};
    if (parquet_range(input, part->spec, &range, err))
        return err->code;
    return parquet_open_reader(input, context, &range, reader, err);
}

static void input_close(struct format_input *base)
{
    struct parquet_input *input = parquet(base);
    schema_release(&input->selected);
    schema_release(&input->all);
    buffer_release(&input->bytes);
    arena_release(&input->arena);
    free(input);
}

static const struct format_input_ops input_ops = {
    .describe = input_describe,
    .split = input_split,
    .open = input_open,
    .inspect = parquet_inspect,
    .match = parquet_match,
    .close = input_close,
};

enum haul_code parquet_open_input(const struct format_request *request, struct input_file *file,
                                  struct format_input **out, struct haul_error *err)
{
    if (request->source && request->source->schema)
        return error_set(err, HAUL_USAGE, "--schema is for files that do not say their types; Parquet does");
    struct parquet_input *input = calloc(1, sizeof *input);
    if (!input)
        return error_nomem(err, "a Parquet file");
    input->base.ops = &input_ops;
    input->file = file;
    buffer_init(&input->bytes, request->context->memory);
    enum haul_code code = footer_read(input, err);
    if (!code)
        code = footer_parse(input, err);
    if (!code)
        int96_units(input, request->context->settings);
    if (!code)
        code = columns_select(input, request->source, err);
    input->dictionaries = request->source ? request->source->dictionaries : DICTIONARIES_NONE;
    if (code)
        input_close(&input->base);
    else
        *out = &input->base;
    return code;
}
