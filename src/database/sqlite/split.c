/*
 * split.c: cuts a table into ranges of rowids or keys with about equal numbers
 * of rows, however sparse or skewed they are.
 *
 * It walks from boundary to boundary: the key that stands `part_rows` rows
 * after the last one. That costs a walk over the table's B-tree, without
 * reading values, and nothing else balances a table whose rows were mostly
 * deleted. The first part begins at INT64_MIN and the last ends at INT64_MAX, so
 * a row that appears before the readers begin is in one of them all the same.
 *
 * A key that is no integer (a table that is not STRICT may hold such) ends the
 * walk: the rest is one part.
 */
#include "database/sqlite/source.h"

#define PART_ROWS 1000000 /* when nobody has a wish */

/* Rows per part from the wishes, evened out over the number of parts. */
static enum haul_code begin_split(struct sqlite_source *source, const struct split_request *request,
                                  struct haul_error *err)
{
    int64_t most = request->part_rows > 0 ? request->part_rows : PART_ROWS, total = 0;
    if (request->part_bytes > 0 && source->row_bytes > 0) {
        double rows = (double)request->part_bytes / source->row_bytes;
        most = rows < 1 ? 1 : rows < (double)most ? (int64_t)rows : most;
    }
    if (sqlite_table_number(&source->connection, "SELECT count(*) FROM ", source->table.name, &total, err))
        return err->code;
    int64_t parts = total / most + (total % most > 0);
    source->part_rows = parts ? total / parts + (total % parts > 0) : most;
    source->part_low = INT64_MIN;
    source->part_index = 0;
    source->split_begun = true;
    source->split_done = false;
    return HAUL_OK;
}

/* The key `part_rows` rows behind `low`; *found false: there are not so many. */
static enum haul_code find_boundary(struct sqlite_source *source, sqlite3_stmt *statement, int64_t *boundary,
                                    bool *found, struct haul_error *err)
{
    sqlite_range_bind(source, &(struct range){source->part_low, INT64_MAX}, statement);
    sqlite3_bind_int64(statement, 3, source->part_rows);
    if (sqlite_step(&source->connection, statement, found, err))
        return err->code;
    if (!*found)
        return HAUL_OK;
    *found = sqlite3_column_type(statement, 0) == SQLITE_INTEGER;
    *boundary = sqlite3_column_int64(statement, 0);
    *found = *found && *boundary > source->part_low;
    return HAUL_OK;
}

/* Rows from `low` to the end. */
static enum haul_code count_rest(struct sqlite_source *source, int64_t *rows, struct haul_error *err)
{
    struct sql sql = {.dialect = &sqlite_dialect};
    struct range rest = {source->part_low, INT64_MAX};
    sqlite3_stmt *statement = NULL;
    bool row;
    const char *text = sqlite_select_range(source, true, &rest, &sql, err);
    enum haul_code code = text ? sqlite_prepare(&source->connection, text, &statement, err) : err->code;
    if (!code) {
        sqlite_range_bind(source, &rest, statement);
        code = sqlite_step(&source->connection, statement, &row, err);
        *rows = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    sql_release(&sql);
    return code;
}

static enum haul_code next_range(struct sqlite_source *source, struct range *range, int64_t *rows,
                                 struct haul_error *err)
{
    struct sql sql = {.dialect = &sqlite_dialect};
    struct range rest = {source->part_low, INT64_MAX};
    sqlite3_stmt *statement = NULL;
    int64_t boundary = 0;
    bool found = false;
    const char *text = sqlite_select_range(source, false, &rest, &sql, err);
    enum haul_code code = text ? sqlite_prepare(&source->connection, text, &statement, err) : err->code;
    if (!code)
        code = find_boundary(source, statement, &boundary, &found, err);
    sqlite3_finalize(statement);
    sql_release(&sql);
    if (code)
        return code;
    *range = (struct range){source->part_low, found ? boundary - 1 : INT64_MAX};
    *rows = source->part_rows;
    source->split_done = !found;
    if (!found)
        return count_rest(source, rows, err);
    source->part_low = boundary;
    return HAUL_OK;
}

static enum haul_code next_part(struct sqlite_source *source, struct arena *arena, struct part *part,
                                struct haul_error *err)
{
    struct range range;
    int64_t rows = -1;
    bool ranged = source->access == ACCESS_ROWID || source->access == ACCESS_KEY;
    if (!ranged) {
        source->split_done = true;
        part->spec = arena_text(arena, "all");
    } else {
        if (next_range(source, &range, &rows, err))
            return err->code;
        part->spec = arena_printf(arena, "%s %lld..%lld", source->access == ACCESS_ROWID ? "rowid" : "key",
                                  (long long)range.low, (long long)range.high);
    }
    part->index = source->part_index++;
    part->rows = source->request.where ? -1 : rows;
    part->bytes = part->rows < 0 ? -1 : (int64_t)((double)part->rows * source->row_bytes);
    return part->spec ? HAUL_OK : error_nomem(err, "parts");
}

enum haul_code sqlite_source_split(struct source *base, const struct split_request *request,
                                   struct arena *arena, struct part *part, bool *more, struct haul_error *err)
{
    struct sqlite_source *source = (struct sqlite_source *)base;
    bool ranged = source->access == ACCESS_ROWID || source->access == ACCESS_KEY;
    if (!source->split_begun && ranged && begin_split(source, request, err))
        return err->code;
    source->split_begun = true;
    *more = !source->split_done;
    if (!*more) {
        source->split_begun = source->split_done = false; /* a second walk may follow */
        source->part_index = 0;
        return HAUL_OK;
    }
    return next_part(source, arena, part, err);
}
