/*
 * read.c: batches out of row groups.
 *
 * A reader goes through its row groups one after another; all columns of one
 * advance together, in steps of rows, the first of them small, to see how big
 * rows are. Before a step each column is asked how many rows its text surely
 * allows, so that no batch comes near the 2 GiB that offsets can say, whatever
 * the file holds; a batch ends when it has its rows or about BATCH_BYTES. Rows
 * before `first_row` are skipped by row group, then decoded and dropped.
 *
 * Memory: per column a page, its decompressed form, a dictionary, and what is
 * read ahead; and the batch. Specification: sections 4, 6 and 16.
 */
#include "batch/array.h"
#include "format/parquet/column.h"
#include "format/parquet/input.h"
#include <stdlib.h>

enum {
    AHEAD_LEAST = 8 << 10,
    AHEAD_MOST = 256 << 10,
    STEP_ROWS = 4096,
    FIRST_STEP_ROWS = 64,
    BATCH_ROWS_LEAST = 64
};

struct parquet_reader {
    struct reader base;
    struct parquet_input *input;
    struct page_supply supply;
    struct column *columns; /* one per selected field */
    int column_count;
    struct batch_builder builder;
    size_t group, last;             /* the current row group; > last: finished */
    bool started;                   /* the current group's columns are open */
    int64_t group_left;             /* its rows not given yet */
    int64_t place;                  /* rows of the part given or skipped so far */
    int64_t rows_wish;              /* rows that make about BATCH_BYTES */
    int64_t step_rows;              /* what the last step's size says about the next one's */
    enum dictionaries dictionaries; /* columns of few words may be given as indices, */
    bool indexed;                   /* and in the batch at hand some are */
};

/* ---- row groups ---- */

static const struct row_group *group_of(const struct parquet_reader *reader)
{
    return &reader->input->meta.row_groups.items[reader->group];
}

static enum haul_code place_prefix(const struct parquet_reader *reader, int column, struct haul_error *err)
{
    return error_prefix(err, "row group %zu: column \"%s\"", reader->group,
                        reader->input->selected.fields[column].name);
}

static enum haul_code group_start(struct parquet_reader *reader, struct haul_error *err)
{
    const struct row_group *group = group_of(reader);
    /* A batch of indices ends with its group: small groups would make small batches. */
    enum dictionaries dictionaries = group->num_rows >= BATCH_ROWS ? reader->dictionaries : DICTIONARIES_NONE;
    for (int i = 0; i < reader->column_count; i++)
        if (column_start(&reader->columns[i], &reader->supply, group, dictionaries, err))
            return place_prefix(reader, i, err);
    reader->group_left = group->num_rows;
    reader->started = true;
    return HAUL_OK;
}

static enum haul_code group_finish(struct parquet_reader *reader, struct haul_error *err)
{
    for (int i = 0; i < reader->column_count; i++)
        if (column_finish(&reader->columns[i], err))
            return place_prefix(reader, i, err);
    reader->started = false;
    reader->group++;
    return HAUL_OK;
}

/* Stands before a row, or behind the last group. */
static enum haul_code group_ready(struct parquet_reader *reader, struct haul_error *err)
{
    while (reader->group <= reader->last) {
        enum haul_code code = HAUL_OK;
        if (!reader->started)
            code = group_start(reader, err);
        if (code || reader->group_left)
            return code;
        code = group_finish(reader, err);
        if (code)
            return code;
    }
    return HAUL_OK;
}

/* ---- steps ---- */

static int64_t builder_bytes(const struct builder *builder)
{
    enum type_layout layout = type_table[builder->field->type].layout;
    int64_t bytes = builder->length / 8;
    if (builder->indexed)
        bytes += builder->length * 4;
    else if (layout == LAYOUT_FIXED)
        bytes += builder->length * field_width(builder->field);
    else if (layout == LAYOUT_LIST)
        bytes += builder->length * 4;
    else if (layout == LAYOUT_BYTES)
        bytes +=
            builder->length * 4 + ((const int32_t *)(const void *)builder->offsets.data)[builder->length];
    for (int i = 0; i < builder->field->child_count; i++)
        bytes += builder_bytes(&builder->children[i]);
    return bytes;
}

static int64_t batch_bytes_now(const struct parquet_reader *reader)
{
    int64_t bytes = 0;
    for (int i = 0; i < reader->column_count; i++)
        bytes += builder_bytes(&reader->builder.columns[i]);
    return bytes;
}

static enum haul_code step_size(struct parquet_reader *reader, int64_t *rows, struct haul_error *err)
{
    for (int i = 0; i < reader->column_count; i++) {
        int64_t within = 0;
        if (column_within(&reader->columns[i], *rows, BATCH_BYTES, &within, err))
            return place_prefix(reader, i, err);
        *rows = within < *rows ? within : *rows;
    }
    return HAUL_OK;
}

static enum haul_code step(struct parquet_reader *reader, int64_t rows, struct haul_error *err)
{
    for (int i = 0; i < reader->column_count; i++)
        if (column_rows(&reader->columns[i], &reader->builder.columns[i], rows, err))
            return place_prefix(reader, i, err);
    reader->group_left -= rows;
    return HAUL_OK;
}

/* Rows of `row_bytes` each that stay within a batch, roughly. */
static int64_t step_rows_of(int64_t row_bytes)
{
    int64_t rows = (int64_t)BATCH_BYTES / (row_bytes + 1);
    return rows < 1 ? 1 : rows < STEP_ROWS ? rows : STEP_ROWS;
}

/* ---- dictionaries ---- */

/* The layout of each column of a new batch. */
static void batch_begin(struct parquet_reader *reader)
{
    reader->indexed = false;
    for (int i = 0; i < reader->column_count; i++) {
        struct column *column = &reader->columns[i];
        column->indexed = column_indexes(column);
        reader->indexed |= column->indexed;
        if (column->indexed)
            builder_begin_indices(&reader->builder.columns[i]);
    }
}

/* A batch has one layout per column: it ends where that changes. */
static bool layout_changes(const struct parquet_reader *reader)
{
    for (int i = 0; i < reader->column_count; i++)
        if (reader->columns[i].indexed != column_indexes(&reader->columns[i]))
            return true;
    return false;
}

static enum haul_code add_dictionaries(struct parquet_reader *reader, struct batch *batch,
                                       struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    for (int i = 0; !code && reader->indexed && i < reader->column_count; i++) {
        struct ArrowArray values = {0};
        if (!reader->columns[i].indexed)
            continue;
        code = column_reader_words(reader->columns[i].leaves, reader->supply.context->memory, &values, err);
        if (!code)
            code = array_add_dictionary(batch->array.children[i], &values, err);
        array_release(&values);
    }
    return code;
}

/* Fills the builders with up to `rows_max` rows; fewer at the end or when they are big. */
static enum haul_code fill(struct parquet_reader *reader, int64_t rows_max, int64_t *rows,
                           struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    for (*rows = 0; *rows < rows_max;) {
        if (*rows && reader->indexed && !reader->group_left)
            return HAUL_OK;
        code = group_ready(reader, err);
        if (code || reader->group > reader->last)
            return code;
        int64_t take = rows_max - *rows;
        take = take < reader->step_rows ? take : reader->step_rows;
        take = take < reader->group_left ? take : reader->group_left;
        code = step_size(reader, &take, err);
        if (!code && *rows && layout_changes(reader))
            return HAUL_OK;
        if (!code && !*rows)
            batch_begin(reader);
        if (!code)
            code = step(reader, take, err);
        if (code)
            return code;
        *rows += take;
        int64_t bytes = batch_bytes_now(reader);
        reader->step_rows = step_rows_of(bytes / *rows);
        if (bytes >= (int64_t)BATCH_BYTES)
            return HAUL_OK;
    }
    return HAUL_OK;
}

static enum haul_code batch_make(struct parquet_reader *reader, int64_t rows_max, struct batch *batch,
                                 struct haul_error *err)
{
    int64_t rows = 0;
    reader->indexed = false;
    enum haul_code code = fill(reader, rows_max, &rows, err);
    if (!code)
        code = batch_builder_finish(&reader->builder, batch, err);
    if (!code)
        code = add_dictionaries(reader, batch, err);
    if (code) {
        batch_release(batch);
        return code;
    }
    batch->first_row = reader->place;
    batch->rows_offered = rows;
    reader->place += rows;
    return HAUL_OK;
}

/* ---- the reader ---- */

static struct parquet_reader *parquet(struct reader *reader)
{
    return (struct parquet_reader *)(void *)reader;
}

static enum haul_code reader_next(struct reader *base, int64_t rows_max, struct batch *batch, bool *end,
                                  struct haul_error *err)
{
    struct parquet_reader *reader = parquet(base);
    memset(batch, 0, sizeof *batch);
    enum haul_code code = group_ready(reader, err);
    if (code)
        return code;
    *end = reader->group > reader->last;
    if (*end)
        return HAUL_OK;
    rows_max = rows_max < reader->rows_wish ? rows_max : reader->rows_wish;
    return batch_make(reader, rows_max, batch, err);
}

static void reader_close(struct reader *base)
{
    struct parquet_reader *reader = parquet(base);
    for (int i = 0; reader->columns && i < reader->column_count; i++)
        column_release(&reader->columns[i]);
    free(reader->columns);
    batch_builder_release(&reader->builder);
    page_supply_release(&reader->supply);
    free(reader);
}

static const struct reader_ops reader_ops = {.next = reader_next, .close = reader_close};

static int64_t rows_wish_of(const struct schema *schema)
{
    enum { BYTES_GUESS = 16 };
    int64_t width = 0;
    for (int i = 0; i < schema->count; i++) {
        const struct field *field = &schema->fields[i];
        width += type_table[field->type].layout == LAYOUT_FIXED ? field_width(field) : BYTES_GUESS;
    }
    int64_t rows = (int64_t)BATCH_BYTES / (width ? width : 1);
    rows = rows < BATCH_ROWS ? rows : BATCH_ROWS;
    return rows > BATCH_ROWS_LEAST ? rows : BATCH_ROWS_LEAST;
}

static void supply_init(struct parquet_reader *reader, const struct context *context)
{
    size_t limit = memory_limit(context->memory), leaves = 0;
    for (int i = 0; i < reader->column_count; i++)
        leaves += (size_t)reader->columns[i].node->leaf_count;
    size_t ahead = limit && leaves ? limit / 8 / leaves : AHEAD_MOST;
    ahead = ahead < AHEAD_LEAST ? AHEAD_LEAST : ahead;
    reader->supply.ahead_bytes = ahead < AHEAD_MOST ? ahead : AHEAD_MOST;
    buffer_init(&reader->supply.scratch, context->memory);
    buffer_init(&reader->supply.indices, context->memory);
    reader->supply.file = reader->input->file;
    reader->supply.context = context;
    reader->supply.data_end = reader->input->data_end;
}

static enum haul_code columns_open(struct parquet_reader *reader, const struct context *context,
                                   struct haul_error *err)
{
    struct parquet_input *input = reader->input;
    int count = input->selected.count;
    reader->columns = calloc((size_t)count, sizeof *reader->columns);
    if (!reader->columns)
        return error_nomem(err, "a reader");
    for (int i = 0; i < count; i++, reader->column_count++) {
        const struct node *node = &input->tree.columns[input->places[i]];
        enum haul_code code = column_init(&reader->columns[i], node, context->memory, err);
        if (code)
            return code;
    }
    supply_init(reader, context);
    reader->rows_wish = rows_wish_of(&input->selected);
    reader->step_rows = FIRST_STEP_ROWS;
    return batch_builder_init(&reader->builder, &input->selected, context->memory, err);
}

/* Whole groups first, then rows decoded and dropped. */
static enum haul_code rows_skip(struct parquet_reader *reader, int64_t rows, struct haul_error *err)
{
    while (rows && reader->group <= reader->last && group_of(reader)->num_rows <= rows) {
        rows -= group_of(reader)->num_rows;
        reader->place += group_of(reader)->num_rows;
        reader->group++;
    }
    while (rows && reader->group <= reader->last) {
        struct batch batch = {0};
        bool end = false;
        enum haul_code code = reader_next(&reader->base, rows, &batch, &end, err);
        rows -= end ? rows : batch.rows_offered;
        batch_release(&batch);
        if (code)
            return code;
    }
    return HAUL_OK;
}

enum haul_code parquet_open_reader(struct parquet_input *input, const struct context *context,
                                   const struct group_range *range, struct reader **out,
                                   struct haul_error *err)
{
    struct parquet_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return error_nomem(err, "a reader");
    reader->base.ops = &reader_ops;
    reader->input = input;
    reader->dictionaries = input->dictionaries;
    reader->group = range->first;
    reader->last = range->last;
    enum haul_code code = columns_open(reader, context, err);
    if (!code)
        code = rows_skip(reader, range->first_row, err);
    if (code)
        reader_close(&reader->base);
    else
        *out = &reader->base;
    return code;
}
