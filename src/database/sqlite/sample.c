/*
 * sample.c: counts what is in the columns, then decides.
 *
 * The declared type stays when the sample fits it, or when the values are of
 * mixed classes: then nothing fits all of them, and those that do not fit are
 * rejects that name --schema. It gives way when all values are of one other
 * kind: a DATE column full of Unix seconds is int64, one full of "12 May" is utf8.
 * A type so found is a decision for the run, not a promise: each value is still
 * checked when it is read.
 */
#include "database/sqlite/sample.h"

#include "database/sqlite/fetch.h"
#include <stdio.h>
#include <stdlib.h>

struct census {
    int64_t seen[SQLITE_NULL + 1]; /* by storage class */
    int64_t values;                /* not NULL */
    int64_t misfits;               /* do not fit the declared type */
    int64_t misfit_doubles;        /* numbers that are no exact float64 */
};

struct sampler {
    struct sqlite_source *source;
    struct batch_builder builder; /* takes the values that fit; thrown away */
    struct fetch *fetches;
    struct census *columns;
    int64_t rows, bytes;
};

/* ---- counting ---- */

static enum haul_code count_value(struct sampler *sampler, sqlite3_stmt *statement, int i,
                                  struct haul_error *err)
{
    const struct fetch *fetch = &sampler->fetches[i];
    struct census *census = &sampler->columns[i];
    int class = sqlite3_column_type(statement, fetch->place);
    const char *misfit = NULL;
    census->seen[class]++;
    if (class == SQLITE_NULL)
        return HAUL_OK;
    census->values++;
    if (class == SQLITE_INTEGER) {
        int64_t value = sqlite3_column_int64(statement, fetch->place);
        census->misfit_doubles += value > (1LL << 53) || value < -(1LL << 53);
    }
    if (fetch->append(fetch, statement, class, &misfit, err))
        return err->code;
    census->misfits += misfit != NULL;
    sampler->bytes +=
        class == SQLITE_TEXT || class == SQLITE_BLOB ? sqlite3_column_bytes(statement, fetch->place) : 8;
    return HAUL_OK;
}

static enum haul_code count_rows(struct sampler *sampler, sqlite3_stmt *statement, int64_t low, int64_t rows,
                                 struct haul_error *err)
{
    sqlite3_reset(statement);
    sqlite_range_bind(sampler->source, &(struct range){low, INT64_MAX}, statement);
    for (int64_t count = 0; count < rows && sampler->bytes < SAMPLE_BYTES; count++) {
        bool row = false;
        if (sqlite_step(&sampler->source->connection, statement, &row, err))
            return err->code;
        if (!row)
            return HAUL_OK;
        sampler->rows++;
        for (int i = 0; i < sampler->source->schema.count; i++)
            if (count_value(sampler, statement, i, err))
                return err->code;
    }
    return HAUL_OK;
}

/* The rowid at `step` of SAMPLE_SPREAD between the smallest and the largest. */
static int64_t spread(int64_t low, int64_t high, int step)
{
    return (int64_t)(low + ((int128_t)high - low) * step / SAMPLE_SPREAD);
}

static enum haul_code rowid_bounds(struct sqlite_source *source, struct range *bounds, struct haul_error *err)
{
    char low[64], high[64];
    snprintf(low, sizeof low, "SELECT min(%s) FROM ", source->table.rowid);
    snprintf(high, sizeof high, "SELECT max(%s) FROM ", source->table.rowid);
    if (sqlite_table_number(&source->connection, low, source->table.name, &bounds->low, err))
        return err->code;
    return sqlite_table_number(&source->connection, high, source->table.name, &bounds->high, err);
}

static enum haul_code count_spread(struct sampler *sampler, sqlite3_stmt *statement, struct haul_error *err)
{
    struct range bounds = {0};
    if (rowid_bounds(sampler->source, &bounds, err))
        return err->code;
    for (int step = 1; step < SAMPLE_SPREAD; step++)
        if (count_rows(sampler, statement, spread(bounds.low, bounds.high, step), SAMPLE_ROWS_SPREAD, err))
            return err->code;
    return HAUL_OK;
}

static enum haul_code count_sample(struct sampler *sampler, struct haul_error *err)
{
    struct sqlite_source *source = sampler->source;
    struct range whole = {INT64_MIN, INT64_MAX};
    struct sql sql = {.dialect = &sqlite_dialect};
    sqlite3_stmt *statement = NULL;
    enum haul_code code = sqlite_select(source, &whole, &sql, err);
    if (!code)
        code = sqlite_prepare(&source->connection, sql_text(&sql, err), &statement, err);
    if (!code)
        code = count_rows(sampler, statement, INT64_MIN, SAMPLE_ROWS_FIRST, err);
    if (!code && sampler->rows == SAMPLE_ROWS_FIRST && source->access == ACCESS_ROWID &&
        !source->request.where)
        code = count_spread(sampler, statement, err);
    sqlite3_finalize(statement);
    sql_release(&sql);
    return code;
}

/* ---- deciding ---- */

static void become(struct field *field, enum type_id type)
{
    *field = (struct field){
        .name = field->name, .type = type, .nullable = field->nullable, .sql_type = field->sql_type};
}

static void decide(struct field *field, enum certainty certainty, const struct census *census)
{
    int64_t integers = census->seen[SQLITE_INTEGER], reals = census->seen[SQLITE_FLOAT];
    if (certainty != TYPE_OPEN && !census->misfits)
        return;
    if (!census->values)
        return;
    if (integers == census->values)
        become(field, TYPE_INT64);
    else if (integers + reals == census->values && !census->misfit_doubles)
        become(field, TYPE_FLOAT64);
    else if (census->seen[SQLITE_TEXT] == census->values)
        become(field, TYPE_UTF8);
    else if (census->seen[SQLITE_BLOB] == census->values)
        become(field, TYPE_BINARY);
    else if (certainty == TYPE_OPEN)
        become(field, TYPE_UTF8);
}

static enum haul_code sampler_init(struct sampler *sampler, struct haul_error *err)
{
    struct sqlite_source *source = sampler->source;
    size_t count = (size_t)source->schema.count + 1;
    sampler->fetches = calloc(count, sizeof *sampler->fetches);
    sampler->columns = calloc(count, sizeof *sampler->columns);
    if (!sampler->fetches || !sampler->columns)
        return error_nomem(err, "a sample");
    if (batch_builder_init(&sampler->builder, &source->schema, source->context.memory, err))
        return err->code;
    for (int i = 0; i < source->schema.count; i++) {
        sampler->fetches[i] = (struct fetch){.builder = &sampler->builder.columns[i],
                                             .place = source->columns[i].place,
                                             .forced = source->columns[i].forced,
                                             .wide = source->wide};
        if (sqlite_fetch_choose(&sampler->fetches[i], &source->schema.fields[i], err))
            return err->code;
    }
    return HAUL_OK;
}

/* A query may be costly: it is not run for types that are certain. */
static bool is_needed(const struct sqlite_source *source, const enum certainty *certainty)
{
    bool open = source->access != ACCESS_PLAIN;
    for (int i = 0; i < source->schema.count; i++)
        open |= !source->columns[i].forced && certainty[i] != TYPE_CERTAIN;
    return open;
}

enum haul_code sqlite_sample(struct sqlite_source *source, const enum certainty *certainty,
                             struct haul_error *err)
{
    struct sampler sampler = {.source = source};
    if (!is_needed(source, certainty))
        return HAUL_OK;
    enum haul_code code = sampler_init(&sampler, err);
    if (!code)
        code = count_sample(&sampler, err);
    batch_builder_release(&sampler.builder);
    for (int i = 0; !code && i < source->schema.count; i++)
        if (!source->columns[i].forced && certainty[i] != TYPE_CERTAIN)
            decide(&source->schema.fields[i], certainty[i], &sampler.columns[i]);
    if (!code && sampler.rows)
        source->row_bytes = (double)sampler.bytes / (double)sampler.rows;
    free(sampler.fetches);
    free(sampler.columns);
    return code;
}
