/*
 * write.c: rows into the table, inside the unit's transaction.
 *
 * One prepared INSERT, its values bound anew for each row. OR ABORT, because a
 * constraint that was declared ON CONFLICT REPLACE or IGNORE would otherwise
 * drop rows without a word. A row that a constraint refuses is undone alone (the
 * statement aborts, the transaction goes on) and set aside.
 *
 * What must fail the unit instead: a ROLLBACK from a conflict clause or a trigger,
 * which took the whole transaction; and a trigger's RAISE(FAIL), which refuses a
 * row and keeps it.
 *
 * The rowids a unit got are noted in its receipt when they are an unbroken range,
 * so that a run that appended can be taken back.
 */
#include "database/sqlite/bind.h"
#include "database/sqlite/sink.h"

#include <assert.h>
#include <stdlib.h>

struct sqlite_writer {
    struct writer base;
    struct sqlite_sink *sink;
    struct context context;
    struct bind *binds;
    int64_t rows;                    /* inserted */
    int64_t first_rowid, last_rowid; /* smallest and largest */
};

static void writer_free(struct sqlite_writer *writer)
{
    for (int i = 0; writer->binds && i < writer->sink->base.schema.count; i++)
        buffer_release(&writer->binds[i].text);
    free(writer->binds);
    writer->sink->writing = false;
    free(writer);
}

/* ---- one row ---- */

static enum haul_code reject_row(struct sqlite_writer *writer, const struct batch *batch, int64_t i,
                                 enum haul_code code, const struct reject *why, struct haul_error *err)
{
    struct reject reject = *why;
    char name[BATCH_ROW_NAME_BYTES];
    batch_row_name(batch, i, name);
    reject.part = batch->part;
    reject.row = batch_place(batch, i);
    reject.place = name;
    return collector_reject(writer->context.collector, code, &reject, err);
}

static enum haul_code bind_row(struct sqlite_writer *writer, int64_t i, const char **misfit, int *column,
                               struct haul_error *err)
{
    sqlite3_stmt *insert = writer->sink->insert;
    for (int c = 0; c < writer->sink->base.schema.count; c++) {
        struct bind *bind = &writer->binds[c];
        *column = c;
        if (view_is_null(&bind->view, i)) {
            sqlite3_bind_null(insert, bind->place);
            continue;
        }
        int64_t at = bind->view.indices ? bind->view.indices[i] : i;
        enum haul_code code = bind->put(bind, insert, at, misfit, err);
        if (code || *misfit)
            return code;
    }
    return HAUL_OK;
}

static enum haul_code reject_misfit(struct sqlite_writer *writer, const struct batch *batch, int64_t i,
                                    int column, const char *misfit, struct haul_error *err)
{
    struct bind *bind = &writer->binds[column];
    int64_t at = bind->view.indices ? bind->view.indices[i] : i;
    buffer_clear(&bind->text);
    if (view_print(&bind->values, at, &bind->text, err))
        return err->code;
    return reject_row(writer, batch, i, HAUL_VALUE,
                      &(struct reject){.column = bind->column,
                                       .reason = misfit,
                                       .value = (const char *)bind->text.data,
                                       .value_length = bind->text.length},
                      err);
}

static bool is_row_error(int rc)
{
    return (rc & 0xff) == SQLITE_CONSTRAINT || (rc & 0xff) == SQLITE_MISMATCH;
}

static enum haul_code refuse_row(struct sqlite_writer *writer, const struct batch *batch, int64_t i, int rc,
                                 struct haul_error *err)
{
    sqlite3 *db = writer->sink->control.db;
    if (!is_row_error(rc))
        return sqlite_fail(&writer->sink->control, rc, err);
    if (sqlite3_get_autocommit(db))
        return error_set(err, HAUL_CONSTRAINT,
                         "%s: table \"%s\": a ROLLBACK of its constraints or triggers undid the "
                         "unit: %s",
                         writer->sink->base.place, writer->sink->base.work, sqlite3_errmsg(db));
    if (sqlite3_changes(db))
        return error_set(err, HAUL_CONSTRAINT,
                         "%s: table \"%s\": a trigger's RAISE(FAIL) refused a row and kept it: %s",
                         writer->sink->base.place, writer->sink->base.work, sqlite3_errmsg(db));
    return reject_row(writer, batch, i, HAUL_CONSTRAINT, &(struct reject){.reason = sqlite3_errmsg(db)}, err);
}

static void note_row(struct sqlite_writer *writer)
{
    int64_t rowid = sqlite3_last_insert_rowid(writer->sink->control.db);
    if (!writer->rows || rowid < writer->first_rowid)
        writer->first_rowid = rowid;
    if (!writer->rows || rowid > writer->last_rowid)
        writer->last_rowid = rowid;
    writer->rows++;
}

static enum haul_code write_row(struct sqlite_writer *writer, const struct batch *batch, int64_t i,
                                struct haul_error *err)
{
    const char *misfit = NULL;
    int column = 0;
    if (bind_row(writer, i, &misfit, &column, err))
        return error_prefix(err, "column \"%s\"", writer->binds[column].column);
    if (misfit)
        return reject_misfit(writer, batch, i, column, misfit, err);
    sqlite3_stmt *insert = writer->sink->insert;
    int rc = sqlite3_step(insert);
    if (rc == SQLITE_DONE) {
        bool in = sqlite3_changes(writer->sink->control.db) == 1;
        sqlite3_reset(insert);
        if (!in)
            return reject_row(writer, batch, i, HAUL_CONSTRAINT,
                              &(struct reject){.reason = "a trigger of the table left the row out"}, err);
        note_row(writer);
        return HAUL_OK;
    }
    enum haul_code code = refuse_row(writer, batch, i, rc, err);
    sqlite3_reset(insert);
    return code;
}

/* ---- the writer ---- */

static enum haul_code writer_write(struct writer *base, const struct batch *batch, struct haul_error *err)
{
    struct sqlite_writer *writer = (struct sqlite_writer *)base;
    const struct schema *schema = &writer->sink->base.schema;
    if (context_check(&writer->context, err))
        return err->code;
    assert(batch->array.n_children == schema->count);
    for (int i = 0; i < schema->count; i++)
        if (sqlite_bind_view(&writer->binds[i], &schema->fields[i], batch->array.children[i], err))
            return err->code;
    enum haul_code code = HAUL_OK;
    for (int64_t i = 0; i < batch->array.length && !code; i++)
        code = write_row(writer, batch, i, err);
    sqlite3_clear_bindings(writer->sink->insert); /* they point into the batch */
    return code;
}

static enum haul_code fill_text(const struct sqlite_writer *writer, struct receipt *receipt,
                                struct arena *arena, struct haul_error *err)
{
    bool unbroken =
        writer->rows && !writer->sink->table.without_rowid &&
        (uint64_t)writer->last_rowid - (uint64_t)writer->first_rowid == (uint64_t)writer->rows - 1;
    receipt->text = NULL;
    if (!unbroken)
        return HAUL_OK;
    receipt->text = arena_printf(arena, "rowid %lld..%lld", (long long)writer->first_rowid,
                                 (long long)writer->last_rowid);
    return receipt->text ? HAUL_OK : error_nomem(err, "a receipt");
}

static enum haul_code writer_commit(struct writer *base, struct receipt *receipt, struct arena *arena,
                                    struct haul_error *err)
{
    struct sqlite_writer *writer = (struct sqlite_writer *)base;
    struct sqlite_sink *sink = writer->sink;
    if (fill_text(writer, receipt, arena, err) ||
        table_sink_settle(&sink->base, &sink->control, writer->rows, receipt, err))
        return err->code;
    if (sqlite_run(&sink->control, "COMMIT", err)) {
        if ((err->vendor_code & 0xff) == SQLITE_CONSTRAINT)
            return error_prefix(
                err,
                "a deferred foreign key of table \"%s\" refuses the unit as a whole (load the "
                "table it refers to first)",
                sink->base.work);
        return err->code;
    }
    writer_free(writer);
    return HAUL_OK;
}

static void writer_abort(struct writer *base)
{
    struct sqlite_writer *writer = (struct sqlite_writer *)base;
    sqlite3_clear_bindings(writer->sink->insert);
    sqlite_rollback(&writer->sink->control);
    writer_free(writer);
}

static const struct writer_ops writer_ops = {
    .write = writer_write, .commit = writer_commit, .abort = writer_abort};

static enum haul_code prepare_insert(struct sqlite_sink *sink, struct haul_error *err)
{
    struct sql sql = {.dialect = &sqlite_dialect};
    if (sink->insert)
        return HAUL_OK;
    sql_add(&sql, "INSERT OR ABORT INTO ");
    sql_name(&sql, sink->base.work);
    sql_add(&sql, " (");
    for (int i = 0; i < sink->base.schema.count; i++) {
        sql_add(&sql, i ? ", " : "");
        sql_name(&sql, sink->columns[i].name);
    }
    sql_add(&sql, ") VALUES (");
    for (int i = 0; i < sink->base.schema.count; i++)
        sql_add(&sql, i ? ", ?%d" : "?%d", i + 1);
    sql_add(&sql, ")");
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? sqlite_prepare(&sink->control, text, &sink->insert, err) : err->code;
    sql_release(&sql);
    return code;
}

enum haul_code sqlite_writer_open(struct table_sink *base, const struct context *context, void *session,
                                  struct writer **out, struct haul_error *err)
{
    struct sqlite_sink *sink = (struct sqlite_sink *)base;
    assert(!sink->writing);
    (void)session;
    struct sqlite_writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return error_nomem(err, "a writer");
    writer->base.ops = &writer_ops;
    writer->sink = sink;
    writer->context = *context;
    writer->binds = calloc((size_t)sink->base.schema.count + 1, sizeof *writer->binds);
    enum haul_code code = writer->binds ? prepare_insert(sink, err) : error_nomem(err, "a writer");
    for (int i = 0; !code && i < sink->base.schema.count; i++) {
        struct bind *bind = &writer->binds[i];
        *bind = (struct bind){.place = i + 1,
                              .column = sink->base.schema.fields[i].name,
                              .affinity = sink->columns[i].affinity,
                              .collector = context->collector};
        buffer_init(&bind->text, context->memory);
        code = sqlite_bind_choose(bind, &sink->base.schema.fields[i], sink->base.uuid_text, err);
    }
    if (code) {
        writer_free(writer);
        return code;
    }
    sink->writing = true;
    *out = &writer->base;
    return HAUL_OK;
}
