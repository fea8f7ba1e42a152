/*
 * read.c: a SELECT's rows, unbuffered (mysql_use_result), into batches.
 *
 * The server sends as fast as rows are taken, so memory is a batch's and one row
 * of the library's. A batch ends at the rows asked for or at BATCH_BYTES of text.
 * A row with a misfit goes to the collector; its place is filled with NULLs and
 * dropped, because builders do not go backwards. Text is looked at as a whole,
 * column by column: when all of it is UTF-8 and no value begins in the middle of
 * a character, each value is.
 *
 * Limit: the library holds a whole row before we see its length (at most the
 * server's max_allowed_packet, 1 GiB).
 */
#include "database/mysql/fetch.h"
#include "database/mysql/source.h"

#include "base/unicode.h"
#include <stdlib.h>

struct mysql_reader {
    struct reader base;
    struct mysql_source *source;
    struct context context;
    struct slot *slot;
    MYSQL_RES *result; /* NULL once all was read */
    struct batch_builder builder;
    struct fetch *fetches;
    struct buffer drops;  /* a bit per row of the batch */
    int64_t rows_dropped; /* of the batch */
    uint64_t part;
    int64_t row; /* place in the part of the batch's first row */
    int64_t rows_most;
};

/* ---- rejects ---- */

struct refusal {
    int column;
    int64_t index;
    const char *reason;
    const char *value;
    size_t length;
};

static enum haul_code mark_drop(struct mysql_reader *reader, int64_t index, struct haul_error *err)
{
    size_t needs = (size_t)index / 8 + 1;
    if (reader->drops.length < needs && buffer_resize(&reader->drops, needs, err))
        return err->code;
    reader->rows_dropped += !bit_get(reader->drops.data, index);
    bit_set(reader->drops.data, index);
    return HAUL_OK;
}

static enum haul_code refuse(struct mysql_reader *reader, const struct refusal *refusal,
                             struct haul_error *err)
{
    struct reject reject = {.part = reader->part,
                            .row = reader->row + refusal->index,
                            .column = reader->source->schema.fields[refusal->column].name,
                            .reason = refusal->reason,
                            .value = refusal->value,
                            .value_length = refusal->length};
    if (collector_reject(reader->context.collector, HAUL_VALUE, &reject, err))
        return err->code;
    return mark_drop(reader, refusal->index, err);
}

/* ---- rows ---- */

static enum haul_code drop_row(struct mysql_reader *reader, const struct refusal *refusal,
                               struct haul_error *err)
{
    if (refuse(reader, refusal, err))
        return err->code;
    for (int i = refusal->column; i < reader->source->schema.count; i++)
        if (builder_append_null(&reader->builder.columns[i], err))
            return err->code;
    return HAUL_OK;
}

static enum haul_code take_row(struct mysql_reader *reader, MYSQL_ROW row, int64_t index, size_t *bytes,
                               struct haul_error *err)
{
    const unsigned long *lengths = mysql_fetch_lengths(reader->result);
    int count = reader->source->schema.count;
    for (int i = 0; i < count; i++) {
        struct fetch *fetch = &reader->fetches[i];
        if (!row[i]) {
            if (builder_append_null(fetch->builder, err))
                return err->code;
            continue;
        }
        if (fetch->append(fetch, row[i], lengths[i], err))
            return err->code;
        *bytes += lengths[i];
        if (__builtin_expect(fetch->misfit != NULL, 0)) {
            struct refusal refusal = {i, index, fetch->misfit, row[i], lengths[i]};
            fetch->misfit = NULL;
            return drop_row(reader, &refusal, err);
        }
    }
    return HAUL_OK;
}

static enum haul_code fill(struct mysql_reader *reader, int64_t rows_max, int64_t *rows,
                           struct haul_error *err)
{
    size_t bytes = 0;
    for (int i = 0; i < reader->source->schema.count; i++)
        if (builder_reserve(&reader->builder.columns[i], rows_max, 0, err))
            return err->code;
    for (*rows = 0; reader->result && *rows < rows_max && bytes < BATCH_BYTES; ++*rows) {
        MYSQL_ROW row = mysql_fetch_row(reader->result);
        if (!row && mysql_errno(reader->slot->connection.my))
            return my_fail(&reader->slot->connection, err);
        if (!row) {
            mysql_free_result(reader->result);
            reader->result = NULL;
            return HAUL_OK;
        }
        if (take_row(reader, row, *rows, &bytes, err))
            return err->code;
    }
    return HAUL_OK;
}

/* ---- batches ---- */

static bool starts_are_good(const struct view *view)
{
    for (int64_t i = 0; i < view->length; i++)
        if (view->offsets[i] < view->offsets[i + 1] && (view->data[view->offsets[i]] & 0xc0) == 0x80)
            return false;
    return true;
}

static enum haul_code check_text(struct mysql_reader *reader, const struct batch *batch, int column,
                                 struct haul_error *err)
{
    struct view view;
    const struct field *field = &reader->source->schema.fields[column];
    if (field->type != TYPE_UTF8)
        return HAUL_OK;
    if (view_init(&view, field, batch->array.children[column], err))
        return err->code;
    if (view.length == 0 ||
        (unicode_is_valid(view.data, (size_t)view.offsets[view.length]) && starts_are_good(&view)))
        return HAUL_OK;
    for (int64_t i = 0; i < view.length; i++) {
        size_t length = (size_t)(view.offsets[i + 1] - view.offsets[i]);
        const uint8_t *text = view.data + view.offsets[i];
        struct refusal refusal = {column, i, "text that is not UTF-8", (const char *)text, length};
        if (!unicode_is_valid(text, length) && refuse(reader, &refusal, err))
            return err->code;
    }
    return HAUL_OK;
}

static enum haul_code finish_batch(struct mysql_reader *reader, int64_t rows, struct batch *batch,
                                   struct haul_error *err)
{
    batch->part = reader->part;
    batch->first_row = reader->row;
    batch->rows_offered = rows;
    for (int i = 0; i < reader->source->schema.count; i++)
        if (check_text(reader, batch, i, err))
            return err->code;
    if (reader->rows_dropped && (buffer_resize(&reader->drops, (size_t)(rows + 7) / 8, err) ||
                                 batch_drop_rows(batch, reader->drops.data, reader->context.memory, err)))
        return err->code;
    buffer_clear(&reader->drops);
    reader->rows_dropped = 0;
    reader->row += rows;
    return HAUL_OK;
}

static enum haul_code reader_next(struct reader *base, int64_t rows_max, struct batch *batch, bool *end,
                                  struct haul_error *err)
{
    struct mysql_reader *reader = (struct mysql_reader *)base;
    int64_t rows = 0;
    *batch = (struct batch){0};
    *end = false;
    if (context_check(&reader->context, err) ||
        fill(reader, rows_max < reader->rows_most ? rows_max : reader->rows_most, &rows, err))
        return err->code;
    if (rows == 0) {
        *end = true;
        return HAUL_OK;
    }
    if (batch_builder_finish(&reader->builder, batch, err))
        return err->code;
    if (finish_batch(reader, rows, batch, err)) {
        batch_release(batch);
        return err->code;
    }
    return HAUL_OK;
}

/* ---- opening ---- */

static void reader_close(struct reader *base)
{
    struct mysql_reader *reader = (struct mysql_reader *)base;
    free(reader->fetches);
    batch_builder_release(&reader->builder);
    buffer_release(&reader->drops);
    if (reader->slot)
        my_slot_return(reader->source, reader->slot, reader->result);
    free(reader);
}

static const struct reader_ops reader_ops = {.next = reader_next, .close = reader_close};

/* What may be in a batch so that its fixed columns stay within BATCH_BYTES. */
static int64_t rows_by_width(const struct schema *schema)
{
    int64_t width = 1;
    for (int i = 0; i < schema->count; i++)
        width +=
            type_table[schema->fields[i].type].layout == LAYOUT_FIXED ? field_width(&schema->fields[i]) : 4;
    int64_t rows = (int64_t)BATCH_BYTES / width;
    return rows < 1 ? 1 : rows < BATCH_ROWS ? rows : BATCH_ROWS;
}

static enum haul_code choose_fetches(struct mysql_reader *reader, struct haul_error *err)
{
    const struct mysql_source *source = reader->source;
    reader->fetches = calloc((size_t)source->schema.count + 1, sizeof *reader->fetches);
    if (!reader->fetches)
        return error_nomem(err, "a reader");
    for (int i = 0; i < source->schema.count; i++)
        if (my_fetch_choose(&reader->fetches[i], source->forms[i], &reader->builder.columns[i], err))
            return err->code;
    return HAUL_OK;
}

static enum haul_code send(struct mysql_reader *reader, const char *text, struct haul_error *err)
{
    MYSQL *my = reader->slot->connection.my;
    if (mysql_real_query(my, text, strlen(text)))
        return my_fail(&reader->slot->connection, err);
    reader->result = mysql_use_result(my);
    if (!reader->result)
        return my_fail(&reader->slot->connection, err);
    if ((int)mysql_num_fields(reader->result) != reader->source->schema.count)
        return error_set(err, HAUL_CHANGED, "%s: the query has other columns now",
                         reader->source->server.name);
    return HAUL_OK;
}

static enum haul_code start(struct mysql_reader *reader, const struct part *part, int64_t first_row,
                            struct haul_error *err)
{
    struct range range;
    struct sql sql = {.dialect = &my_dialect};
    if (my_range_parse(reader->source, part->spec, &range, err) ||
        my_slot_take(reader->source, &reader->slot, err))
        return err->code;
    reader->slot->connection.cancel = reader->context.cancel;
    enum haul_code code = my_select(reader->source, &range, first_row, &sql, err);
    if (!code)
        code = send(reader, sql_text(&sql, err), err);
    sql_release(&sql);
    return code;
}

enum haul_code my_source_read(struct source *base, const struct context *context, const struct part *part,
                              int64_t first_row, struct reader **out, struct haul_error *err)
{
    struct mysql_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return error_nomem(err, "a reader");
    reader->base.ops = &reader_ops;
    reader->source = (struct mysql_source *)base;
    reader->context = *context;
    reader->part = part->index;
    reader->row = first_row;
    reader->rows_most = rows_by_width(&reader->source->schema);
    buffer_init(&reader->drops, context->memory);
    if (batch_builder_init(&reader->builder, &reader->source->schema, context->memory, err) ||
        choose_fetches(reader, err) || start(reader, part, first_row, err)) {
        reader_close(&reader->base);
        return err->code;
    }
    *out = &reader->base;
    return HAUL_OK;
}
