/*
 * split.c: cuts a table into parts.
 *
 * By itself only where that is cheap: by ranges of the clustered index, or by
 * partition where another column than the key's first decides the partition.
 * Asked for (--split, --key): by ranges of any columns that can be compared, by
 * partition, or by the checksum of the key, which reads the table once for each
 * part.
 *
 * Bounds of ranges are found by looking at rows, never by dividing numbers, so
 * that gaps and crowds in the key do not matter: each part_rows-th key in order
 * (the index is read once), or, in a table too large for that, the keys of a
 * sample of its pages.
 */
#include "database/mssql/source.h"

#include <stdio.h>

#define PART_ROWS     1048576
#define EXACT_ROWS    ((int64_t)20000000) /* of a larger table a sample is taken */
#define SAMPLE_ROWS   ((int64_t)150000)
#define SAMPLE_OF_ONE 20 /* sampled keys for a part, at least */

void ms_split_release(struct mssql_source *source)
{
    ms_answer_release(&source->bounds);
    source->split_begun = false;
    source->part_index = source->part_count = 0;
}

/* ---- by what ---- */

static void sql_keys(const struct ms_cut *cut, struct sql *sql)
{
    for (int i = 0; i < cut->count; i++) {
        sql_add(sql, i ? ", " : "");
        sql_name(sql, cut->names[i]);
    }
}

/* Asks for the types of the key's columns. *good false: they cannot be cut. */
static enum haul_code find_types(struct mssql_source *source, bool *good, struct haul_error *err)
{
    struct sql sql = {.dialect = &ms_dialect};
    struct ms_answer answer;
    struct ms_cut *cut = &source->cut;
    *good = false;
    if (cut->count < 1 || cut->count > MS_KEY_COLUMNS_MAX)
        return HAUL_OK;
    sql_add(&sql, "SELECT TOP (0) ");
    sql_keys(cut, &sql);
    ms_sql_from(source, &sql);
    if (ms_ask_softly(&source->session, &sql, &answer, err))
        return err->code;
    *good = answer.columns == cut->count;
    for (int i = 0; *good && i < cut->count; i++) {
        cut->types[i] = arena_text(&source->arena, answer.types[i]);
        *good = ms_type_cuts(cut->types[i]);
    }
    ms_answer_release(&answer);
    return HAUL_OK;
}

static enum haul_code fail_split(const struct mssql_source *source, const char *why, struct haul_error *err)
{
    return error_set(err, HAUL_USAGE, "%s: %s", source->server.name, why);
}

static enum haul_code choose_key(struct mssql_source *source, struct haul_error *err)
{
    const struct ms_table *table = &source->table;
    bool good, wished = source->split_wish == SPLIT_KEY;
    const struct ms_key *key = table->order.count || !wished ? &table->order : &table->primary;
    source->cut.names = source->key_wish ? source->key_wish : key->names;
    source->cut.count = source->key_wish ? source->key_wish_count : key->count;
    if (find_types(source, &good, err))
        return err->code;
    if (good) {
        source->split = SPLIT_KEY;
        source->ordered = !source->key_wish && key == &table->order && table->order_unique;
        return HAUL_OK;
    }
    source->cut.count = 0;
    if (source->key_wish)
        return fail_split(source, "--key names no columns whose values can be put in order", err);
    return wished
               ? fail_split(source,
                            "--split key: there is no key it could be split by; name columns with --key", err)
               : HAUL_OK;
}

static enum haul_code choose_partition(struct mssql_source *source, struct haul_error *err)
{
    const struct ms_table *table = &source->table;
    if (!table->partition_function)
        return fail_split(source, "--split partition: the table has no partitions", err);
    source->cut.partition_function = table->partition_function;
    source->cut.partition_column = table->partition_column;
    source->split = SPLIT_PARTITION;
    return HAUL_OK;
}

static enum haul_code choose_checksum(struct mssql_source *source, struct haul_error *err)
{
    const struct ms_table *table = &source->table;
    const struct ms_key *key = table->primary.count ? &table->primary : &table->order;
    source->cut.names = source->key_wish ? source->key_wish : key->names;
    source->cut.count = source->key_wish ? source->key_wish_count : key->count;
    if (source->cut.count < 1 || source->cut.count > MS_KEY_COLUMNS_MAX)
        return fail_split(source, "--split checksum: there is no primary key; name columns with --key", err);
    source->split = SPLIT_CHECKSUM;
    return HAUL_OK;
}

enum haul_code ms_split_choose(struct mssql_source *source, struct haul_error *err)
{
    const struct ms_table *table = &source->table;
    source->split = SPLIT_NONE;
    source->ordered = false;
    source->cut = (struct ms_cut){0};
    if (source->split_wish == SPLIT_PARTITION)
        return choose_partition(source, err);
    if (source->split_wish == SPLIT_CHECKSUM)
        return choose_checksum(source, err);
    if (source->split_wish == SPLIT_KEY)
        return choose_key(source, err);
    if (source->split_wish == SPLIT_NONE || source->query)
        return HAUL_OK;
    bool others = table->partitions > 1 &&
                  !(table->order.count && !strcmp(table->order.names[0], table->partition_column));
    return others ? choose_partition(source, err) : choose_key(source, err);
}

/* ---- bounds ---- */

static void sql_where(const struct mssql_source *source, struct sql *sql)
{
    if (source->request.where)
        sql_add(sql, " WHERE (%s\n)", source->request.where);
}

/* The keys of rows part_rows + 1, 2 * part_rows + 1, ... */
static enum haul_code ask_exactly(struct mssql_source *source, int64_t part_rows, struct haul_error *err)
{
    struct sql sql = {.dialect = &ms_dialect};
    sql_add(&sql, "SELECT ");
    sql_keys(&source->cut, &sql);
    sql_add(&sql, " FROM (SELECT ");
    sql_keys(&source->cut, &sql);
    sql_add(&sql, ", ROW_NUMBER() OVER (ORDER BY ");
    sql_keys(&source->cut, &sql);
    sql_add(&sql, ") AS haul_row");
    ms_sql_from(source, &sql);
    sql_where(source, &sql);
    sql_add(&sql, ") AS haul_keys WHERE haul_row > 1 AND haul_row %% %lld = 1 ORDER BY haul_row",
            (long long)(part_rows > 1 ? part_rows : 2));
    return ms_ask_softly(&source->session, &sql, &source->bounds, err);
}

/* Each step-th of the sampled keys stays. */
static void thin_out(struct ms_answer *bounds, int64_t parts)
{
    int64_t kept = 0, width = bounds->columns;
    for (int64_t i = 1; i < parts; i++) {
        int64_t from = (int64_t)((double)bounds->rows * (double)i / (double)parts);
        for (int k = 0; k < width; k++)
            bounds->cells[kept * width + k] = bounds->cells[from * width + k];
        kept++;
    }
    bounds->rows = kept;
}

static enum haul_code ask_sample(struct mssql_source *source, int64_t part_rows, struct haul_error *err)
{
    struct sql sql = {.dialect = &ms_dialect};
    int64_t rows = source->table.rows, parts = rows / part_rows + 1;
    double percent = (double)SAMPLE_ROWS / (double)rows * 100;
    sql_add(&sql, "SELECT TOP (190000) ");
    sql_keys(&source->cut, &sql);
    ms_sql_from(source, &sql);
    sql_add(&sql, " TABLESAMPLE (%.6f PERCENT)", percent < 100 ? percent : 100);
    sql_where(source, &sql);
    sql_add(&sql, " ORDER BY ");
    sql_keys(&source->cut, &sql);
    if (ms_ask_softly(&source->session, &sql, &source->bounds, err))
        return err->code;
    if (source->bounds.rows >= parts * SAMPLE_OF_ONE)
        thin_out(&source->bounds, parts);
    else
        ms_answer_release(&source->bounds);
    return HAUL_OK;
}

/* A bound that is the one before it again would make a part without rows. */
static void drop_repeated(struct ms_answer *bounds)
{
    int64_t kept = 0, width = bounds->columns;
    for (int64_t i = 0; i < bounds->rows; i++) {
        bool same = kept > 0;
        for (int k = 0; same && k < width; k++) {
            const char *a = bounds->cells[i * width + k], *b = bounds->cells[(kept - 1) * width + k];
            same = (!a && !b) || (a && b && strcmp(a, b) == 0);
        }
        for (int k = 0; !same && k < width; k++)
            bounds->cells[kept * width + k] = bounds->cells[i * width + k];
        kept += !same;
    }
    bounds->rows = kept;
}

static enum haul_code find_bounds(struct mssql_source *source, int64_t part_rows, struct haul_error *err)
{
    const struct ms_table *table = &source->table;
    bool whole = table->name.name && !source->request.where && table->rows >= 0;
    if (whole && table->rows <= part_rows + part_rows / 4)
        return HAUL_OK;
    if (whole && table->rows > EXACT_ROWS && table->kind == 'U' && ask_sample(source, part_rows, err))
        return err->code;
    if (!source->bounds.columns && ask_exactly(source, part_rows, err))
        return err->code;
    if (!source->bounds.columns)
        context_note(&source->context, "%s: the server finds no ranges of the key: all is read in one part",
                     source->server.name);
    drop_repeated(&source->bounds);
    return HAUL_OK;
}

/* ---- parts ---- */

static int64_t wanted_rows(const struct mssql_source *source, const struct split_request *request)
{
    const struct ms_table *table = &source->table;
    int64_t rows = request->part_rows > 0 ? request->part_rows : PART_ROWS;
    if (request->part_bytes > 0 && table->rows > 0 && table->bytes > table->rows) {
        int64_t fit = request->part_bytes / (table->bytes / table->rows);
        rows = fit < rows ? fit : rows;
    }
    return rows > 0 ? rows : 1;
}

/* Says how the table is cut, and why it is not when it could be in several parts. */
static void tell_split(const struct mssql_source *source, int64_t part_rows)
{
    struct sql keys = {.dialect = &ms_dialect};
    struct haul_error ignored = {0};
    sql_keys(&source->cut, &keys);
    const char *text = sql_text(&keys, &ignored);
    const char *how = source->split == SPLIT_PARTITION  ? "as it is partitioned"
                      : source->split == SPLIT_CHECKSUM ? "by the checksum of "
                                                        : "by ranges of ";
    if (source->part_count > 1 && text)
        context_note(&source->context, "%s: %lld parts, %s%s", source->server.name,
                     (long long)source->part_count, how, source->split == SPLIT_PARTITION ? "" : text);
    else if (source->split == SPLIT_NONE && source->split_wish != SPLIT_NONE &&
             source->table.rows > part_rows)
        context_note(
            &source->context,
            "%s: one part: the table has no key whose ranges could be read at the same time (--split "
            "checksum --key A,B reads it once for each part)",
            source->server.name);
    sql_release(&keys);
}

static enum haul_code begin_split(struct mssql_source *source, const struct split_request *request,
                                  struct haul_error *err)
{
    int64_t part_rows = wanted_rows(source, request), rows = source->table.rows;
    ms_split_release(source);
    source->split_begun = true;
    source->part_count = 1;
    if (source->split == SPLIT_PARTITION)
        source->part_count = source->table.partitions > 0 ? source->table.partitions : 1;
    if (source->split == SPLIT_CHECKSUM) {
        int64_t parts = rows > 0 ? (rows + part_rows - 1) / part_rows : 1;
        source->part_count = parts > MS_CHECKSUMS_MAX ? MS_CHECKSUMS_MAX : parts > 0 ? parts : 1;
    }
    if (source->split == SPLIT_KEY) {
        if (find_bounds(source, part_rows, err))
            return err->code;
        source->part_count = source->bounds.rows + 1;
    }
    if (!source->split_told)
        tell_split(source, part_rows);
    source->split_told = true;
    return HAUL_OK;
}

static void set_bound(const struct ms_answer *bounds, int64_t row, struct ms_bound *bound)
{
    bound->given = row >= 0 && row < bounds->rows;
    for (int i = 0; bound->given && i < bounds->columns; i++)
        bound->values[i] = bounds->cells[row * bounds->columns + i];
}

static void next_part(const struct mssql_source *source, struct ms_part *part)
{
    *part = (struct ms_part){0};
    if (source->split == SPLIT_PARTITION) {
        part->kind = PART_PARTITION;
        part->number = (int)source->part_index + 1;
    } else if (source->split == SPLIT_CHECKSUM && source->part_count > 1) {
        part->kind = PART_CHECKSUM;
        part->number = (int)source->part_index;
        part->of = (int)source->part_count;
    } else if (source->part_count > 1) {
        part->kind = PART_KEY;
        set_bound(&source->bounds, source->part_index - 1, &part->low);
        set_bound(&source->bounds, source->part_index, &part->high);
    }
}

enum haul_code ms_source_split(struct source *base, const struct split_request *request, struct arena *arena,
                               struct part *part, bool *more, struct haul_error *err)
{
    struct mssql_source *source = (struct mssql_source *)base;
    struct ms_part next;
    if (!source->split_begun && begin_split(source, request, err))
        return err->code;
    *more = source->part_index < source->part_count;
    if (!*more) {
        ms_split_release(source); /* a second walk may follow */
        return HAUL_OK;
    }
    next_part(source, &next);
    part->index = (uint64_t)source->part_index++;
    part->rows = part->bytes = -1; /* an estimate is no number of rows */
    part->spec = (char *)(uintptr_t)ms_part_print(&next, source->cut.count, arena);
    return part->spec ? HAUL_OK : error_nomem(err, "parts");
}
