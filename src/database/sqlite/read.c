/*
 * read.c: steps through a statement and fills batches.
 *
 * A batch ends at the rows asked for, at BATCH_ROWS, or when what was read so
 * far has about BATCH_BYTES. A row with a value its column's type does not hold
 * exactly goes to the collector; its place in the batch is filled with NULLs and
 * then dropped, because builders do not go backwards.
 *
 * The statement reads inside the snapshot of its slot (snapshot.c). Values
 * larger than the memory budget allows are refused by SQLite itself
 * (SQLITE_LIMIT_LENGTH) before they are in memory.
 */
#include "database/sqlite/fetch.h"
#include "database/sqlite/source.h"

#include "base/buffer.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

struct sqlite_reader {
    struct reader base;
    const struct sqlite_source *source;
    struct context context;
    struct slot *slot;
    sqlite3_stmt *statement;
    struct schema *schema;
    struct batch_builder builder;
    struct fetch *fetches;
    struct buffer drops;  /* a bit per row of the batch */
    int64_t rows_dropped; /* of the batch */
    uint64_t part;
    int64_t row;       /* place in the part of the next row */
    int64_t rows_most; /* in a batch, by the width of fixed columns */
    int64_t *rowids;   /* of the batch's rows, rows_most of them; NULL: the table has none */
    bool done;
};

static void reader_close(struct reader *base)
{
    struct sqlite_reader *reader = (struct sqlite_reader *)base;
    sqlite3_finalize(reader->statement);
    batch_builder_release(&reader->builder);
    buffer_release(&reader->drops);
    free(reader->fetches);
    free(reader->rowids);
    atomic_store(&reader->slot->taken, false);
    free(reader);
}

/* ---- one row ---- */

/* The type that holds such a value as it is. */
static const char *way_out(const struct field *field, int class)
{
    return class == SQLITE_BLOB || (class == SQLITE_TEXT && field->type == TYPE_UTF8) ? "binary" : "utf8";
}

/* The select's last column is the rowid. */
static int64_t rowid_of(const struct sqlite_reader *reader)
{
    return sqlite3_column_int64(reader->statement, sqlite3_column_count(reader->statement) - 1);
}

/* The misfit as a reject: in words a user can act on. */
static enum haul_code reject_value(struct sqlite_reader *reader, int column, int class, const char *misfit,
                                   struct haul_error *err)
{
    const struct field *field = &reader->source->schema.fields[column];
    char type[96], place[40] = "", reason[512];
    field_print_type(field, type, sizeof type);
    if (reader->rowids)
        snprintf(place, sizeof place, "rowid %lld", (long long)rowid_of(reader));
    if (class == SQLITE_NULL)
        snprintf(reason, sizeof reason, "NULL in a column that is declared NOT NULL");
    else
        snprintf(reason, sizeof reason, "%s in a column read as %s: %s; --schema '%s:%s' reads it as it is",
                 sqlite_class_name(class), type, misfit, field->name, way_out(field, class));
    struct reject reject = {
        .part = reader->part, .row = reader->row, .place = place, .column = field->name, .reason = reason};
    if (class != SQLITE_NULL && class != SQLITE_BLOB) {
        reject.value = (const char *)sqlite3_column_text(reader->statement, reader->fetches[column].place);
        reject.value_length = (size_t)sqlite3_column_bytes(reader->statement, reader->fetches[column].place);
    }
    return collector_reject(reader->context.collector, HAUL_VALUE, &reject, err);
}

/* Fills columns `from` and after with NULLs in a row that will be dropped. */
static enum haul_code drop_row(struct sqlite_reader *reader, int from, int64_t index, struct haul_error *err)
{
    for (int i = from; i < reader->source->schema.count; i++)
        if (builder_append_null(&reader->builder.columns[i], err))
            return err->code;
    if (buffer_resize(&reader->drops, (size_t)index / 8 + 1, err))
        return err->code;
    bit_set(reader->drops.data, index);
    reader->rows_dropped++;
    return HAUL_OK;
}

static enum haul_code read_row(struct sqlite_reader *reader, int64_t index, struct haul_error *err)
{
    int count = reader->source->schema.count;
    for (int i = 0; i < count; i++) {
        const struct fetch *fetch = &reader->fetches[i];
        int class = sqlite3_column_type(reader->statement, fetch->place);
        const char *misfit = NULL;
        enum haul_code code = HAUL_OK;
        if (class != SQLITE_NULL)
            code = fetch->append(fetch, reader->statement, class, &misfit, err);
        else if (fetch->builder->field->nullable)
            code = builder_append_null(fetch->builder, err);
        else
            misfit = "";
        if (code)
            return error_prefix(err, "column \"%s\"", fetch->builder->field->name);
        if (misfit)
            return reject_value(reader, i, class, misfit, err) ? err->code : drop_row(reader, i, index, err);
    }
    return HAUL_OK;
}

/* ---- a batch ---- */

static size_t bytes_built(const struct sqlite_reader *reader)
{
    size_t bytes = 0;
    for (int i = 0; i < reader->source->schema.count; i++)
        bytes += reader->builder.columns[i].data.length;
    return bytes;
}

static enum haul_code fill(struct sqlite_reader *reader, int64_t rows_max, int64_t *rows,
                           struct haul_error *err)
{
    for (*rows = 0; *rows < rows_max; ++*rows) {
        if (bytes_built(reader) >= BATCH_BYTES)
            return HAUL_OK;
        bool row = false;
        if (sqlite_step(&reader->slot->connection, reader->statement, &row, err))
            return err->code;
        if (!row) {
            reader->done = true;
            return HAUL_OK;
        }
        if (reader->rowids)
            reader->rowids[*rows] = rowid_of(reader);
        if (read_row(reader, *rows, err))
            return err->code;
        reader->row++;
    }
    return HAUL_OK;
}

/* The batch's rows by their rowids; most follow one another. */
static enum haul_code number_rows(const struct sqlite_reader *reader, int64_t rows, struct batch *batch,
                                  struct haul_error *err)
{
    if (!reader->rowids)
        return HAUL_OK;
    batch->number_word = "rowid";
    batch->number_first = reader->rowids[0];
    /* unsigned: rowids reach from INT64_MIN to INT64_MAX */
    if ((uint64_t)reader->rowids[rows - 1] - (uint64_t)reader->rowids[0] == (uint64_t)rows - 1)
        return HAUL_OK;
    size_t bytes = (size_t)rows * sizeof *reader->rowids;
    batch->numbers = memory_alloc(NULL, bytes);
    if (!batch->numbers) {
        batch_release(batch);
        return error_nomem(err, "row numbers");
    }
    memcpy(batch->numbers, reader->rowids, bytes);
    return HAUL_OK;
}

static enum haul_code drop_rows(struct sqlite_reader *reader, int64_t rows, struct batch *batch,
                                struct haul_error *err)
{
    if (!reader->rows_dropped)
        return HAUL_OK;
    if (buffer_resize(&reader->drops, (size_t)(rows + 7) / 8, err) ||
        batch_drop_rows(batch, reader->drops.data, reader->context.memory, err)) {
        batch_release(batch);
        return err->code;
    }
    buffer_clear(&reader->drops);
    reader->rows_dropped = 0;
    return HAUL_OK;
}

static enum haul_code reader_next(struct reader *base, int64_t rows_max, struct batch *batch, bool *end,
                                  struct haul_error *err)
{
    struct sqlite_reader *reader = (struct sqlite_reader *)base;
    *batch = (struct batch){0};
    *end = false;
    int64_t first_row = reader->row, rows = 0;
    if (context_check(&reader->context, err))
        return err->code;
    if (!reader->done &&
        fill(reader, rows_max < reader->rows_most ? rows_max : reader->rows_most, &rows, err))
        return error_prefix(err, "row %lld of part %llu", (long long)reader->row,
                            (unsigned long long)reader->part);
    if (!rows) {
        *end = true;
        return HAUL_OK;
    }
    if (batch_builder_finish(&reader->builder, batch, err))
        return err->code;
    batch->part = reader->part;
    batch->first_row = first_row;
    batch->rows_offered = rows;
    if (number_rows(reader, rows, batch, err))
        return err->code;
    return drop_rows(reader, rows, batch, err);
}

static const struct reader_ops reader_ops = {.next = reader_next, .close = reader_close};

/* ---- opening ---- */

static struct slot *take_slot(struct sqlite_source *source)
{
    for (int i = 0; i < source->slot_count; i++)
        if (!atomic_exchange(&source->slots[i].taken, true))
            return &source->slots[i];
    return NULL;
}

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

static enum haul_code make_fetches(struct sqlite_reader *reader, struct haul_error *err)
{
    const struct sqlite_source *source = reader->source;
    reader->fetches = calloc((size_t)source->schema.count + 1, sizeof *reader->fetches);
    if (!reader->fetches)
        return error_nomem(err, "a reader");
    for (int i = 0; i < source->schema.count; i++) {
        reader->fetches[i] = (struct fetch){.builder = &reader->builder.columns[i],
                                            .place = source->columns[i].place,
                                            .forced = source->columns[i].forced,
                                            .wide = source->wide};
        if (sqlite_fetch_choose(&reader->fetches[i], &source->schema.fields[i], err))
            return err->code;
    }
    return HAUL_OK;
}

static enum haul_code make_rowids(struct sqlite_reader *reader, struct haul_error *err)
{
    if (!reader->source->table.rowid)
        return HAUL_OK;
    reader->rowids = calloc((size_t)reader->rows_most, sizeof *reader->rowids);
    return reader->rowids ? HAUL_OK : error_nomem(err, "a reader");
}

/* Prepares, binds the range, and passes over the rows before the first. */
static enum haul_code start(struct sqlite_reader *reader, const struct part *part, int64_t first_row,
                            struct haul_error *err)
{
    struct connection *connection = &reader->slot->connection;
    struct range range;
    if (sqlite_range_parse(reader->source, part->spec, &range, err))
        return err->code;
    struct sql sql = {.dialect = &sqlite_dialect};
    bool ordered = reader->source->access != ACCESS_PLAIN;
    enum haul_code code = sqlite_select(reader->source, &range, &sql, err);
    if (!code && ordered)
        sql_add(&sql, " LIMIT -1 OFFSET ?3");
    const char *text = code ? NULL : sql_text(&sql, err);
    code = text ? sqlite_prepare(connection, text, &reader->statement, err) : err->code;
    sql_release(&sql);
    if (code)
        return code;
    sqlite_range_bind(reader->source, &range, reader->statement);
    sqlite3_bind_int64(reader->statement, 3, first_row);
    bool row = true;
    for (int64_t i = 0; !ordered && i < first_row && row; i++)
        if (sqlite_step(connection, reader->statement, &row, err))
            return err->code;
    reader->done = !row;
    return HAUL_OK;
}

enum haul_code sqlite_source_read(struct source *base, const struct context *context, const struct part *part,
                                  int64_t first_row, struct reader **out, struct haul_error *err)
{
    struct sqlite_source *source = (struct sqlite_source *)base;
    struct slot *slot = take_slot(source);
    if (!slot)
        return error_set(err, HAUL_INTERNAL, "%s: more readers than workers", source->path);
    struct sqlite_reader *reader = calloc(1, sizeof *reader);
    if (!reader) {
        atomic_store(&slot->taken, false);
        return error_nomem(err, "a reader");
    }
    reader->base.ops = &reader_ops;
    reader->source = source;
    reader->context = *context;
    reader->slot = slot;
    reader->part = part->index;
    reader->row = first_row;
    reader->rows_most = rows_by_width(&source->schema);
    buffer_init(&reader->drops, context->memory);
    sqlite_limit_values(&slot->connection, context->memory);
    if (batch_builder_init(&reader->builder, &source->schema, context->memory, err) ||
        make_fetches(reader, err) || make_rowids(reader, err) || start(reader, part, first_row, err)) {
        reader_close(&reader->base);
        return err->code;
    }
    *out = &reader->base;
    return HAUL_OK;
}
