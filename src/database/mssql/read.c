/*
 * read.c: one reader: a session, one statement, its rows.
 *
 * The columns the server then describes must be those of the plan: a table that
 * was altered in between is another table. A reader that is closed early stops
 * the statement.
 */
#include "database/mssql/rows.h"
#include "database/mssql/source.h"

#include <stdlib.h>

struct mssql_reader {
    struct reader base;
    struct mssql_source *source;
    struct context context;
    struct session *session;
    struct ms_rows rows;
    int64_t rows_most; /* in a batch, by the width of fixed columns */
};

static enum haul_code reader_next(struct reader *base, int64_t rows_max, struct batch *batch, bool *end,
                                  struct haul_error *err)
{
    struct mssql_reader *reader = (struct mssql_reader *)base;
    *batch = (struct batch){0};
    *end = false;
    if (context_check(&reader->context, err) ||
        ms_rows_fill(&reader->rows, rows_max < reader->rows_most ? rows_max : reader->rows_most, batch, err))
        return err->code;
    *end = !batch->array.release;
    return HAUL_OK;
}

static void reader_close(struct reader *base)
{
    struct mssql_reader *reader = (struct mssql_reader *)base;
    ms_rows_release(&reader->rows);
    if (reader->session)
        ms_session_return(reader->source, reader->session);
    free(reader);
}

static const struct reader_ops reader_ops = {.next = reader_next, .close = reader_close};

static int64_t rows_by_width(const struct schema *schema)
{
    int64_t width = 1;
    for (int i = 0; i < schema->count; i++)
        width +=
            type_table[schema->fields[i].type].layout == LAYOUT_FIXED ? field_width(&schema->fields[i]) : 12;
    int64_t rows = (int64_t)BATCH_BYTES / width;
    return rows < 1 ? 1 : rows < BATCH_ROWS ? rows : BATCH_ROWS;
}

/* Are the columns those of the plan? */
static enum haul_code check_columns(struct mssql_reader *reader, struct haul_error *err)
{
    const struct mssql_source *source = reader->source;
    struct schema seen = {0};
    enum haul_code code = ms_columns_schema(&reader->session->columns, source->moments, &seen, err);
    bool same = !code && seen.count == source->schema.count;
    for (int i = 0; same && i < seen.count; i++)
        same = field_equal(&seen.fields[i], &source->schema.fields[i], true) &&
               (seen.fields[i].nullable <= source->schema.fields[i].nullable);
    schema_release(&seen);
    if (code || same)
        return code;
    return error_set(err, HAUL_CHANGED,
                     "%s: the columns are not those of the plan any more; run the command again",
                     source->server.name);
}

/* Sends the part's statement and reads to its columns. */
static enum haul_code send(struct mssql_reader *reader, const struct part *part, int64_t first_row,
                           struct haul_error *err)
{
    struct mssql_source *source = reader->source;
    struct sql sql = {.dialect = &ms_dialect};
    struct arena arena = {0};
    struct ms_part rows;
    struct ms_wanted wanted = {.part = &rows, .skip = source->ordered ? first_row : 0};
    enum ms_event event = MS_DONE;
    enum haul_code code = ms_part_parse(part->spec, source->cut.count, &arena, &rows, err);
    if (!code)
        code = ms_select(source, &wanted, &sql, err);
    const char *text = code ? NULL : sql_text(&sql, err);
    if (text)
        code = ms_send_call(reader->session, text, &source->parameters, err);
    sql_release(&sql);
    arena_release(&arena);
    while (!code && event == MS_DONE)
        code = ms_next(reader->session, &event, err);
    if (!code && event != MS_COLUMNS)
        code = error_set(err, HAUL_CHANGED, "%s: the statement gives no rows any more", source->server.name);
    return code;
}

static enum haul_code start(struct mssql_reader *reader, const struct part *part, int64_t first_row,
                            struct haul_error *err)
{
    struct mssql_source *source = reader->source;
    if (ms_session_take(source, &reader->context, &reader->session, err))
        return err->code;
    bool running = reader->session == &source->session && source->running;
    if ((!running && send(reader, part, first_row, err)) || check_columns(reader, err))
        return err->code;
    return ms_rows_open(&reader->rows, reader->session, &source->schema, &reader->context, err);
}

static enum haul_code pass_over(struct mssql_reader *reader, int64_t rows, struct haul_error *err)
{
    bool end = false;
    while (reader->rows.row < rows && !end) {
        struct batch batch;
        if (reader_next(&reader->base, rows - reader->rows.row, &batch, &end, err))
            return err->code;
        batch_release(&batch);
    }
    return HAUL_OK;
}

enum haul_code ms_source_read(struct source *base, const struct context *context, const struct part *part,
                              int64_t first_row, struct reader **out, struct haul_error *err)
{
    struct mssql_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return error_nomem(err, "a reader");
    reader->base.ops = &reader_ops;
    reader->source = (struct mssql_source *)base;
    reader->context = *context;
    reader->rows_most = rows_by_width(&reader->source->schema);
    enum haul_code code = start(reader, part, first_row, err);
    reader->rows.part = part->index;
    if (!code && reader->source->ordered)
        reader->rows.row = first_row;
    if (code || pass_over(reader, first_row, err)) {
        reader_close(&reader->base);
        return err->code;
    }
    *out = &reader->base;
    return HAUL_OK;
}
