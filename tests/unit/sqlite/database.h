/*
 * database.h: a temporary folder with a database, and short ways to fill it by
 * SQL, to read a source as text and to write a sink unit by unit.
 */
#ifndef TESTS_UNIT_SQLITE_DATABASE_H
#define TESTS_UNIT_SQLITE_DATABASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/settings.h"
#include "batch/builder.h"
#include "database/sqlite/sqlite.h"
#include <sqlite3.h>

#define REJECTS_MAX 1000

struct database {
    char folder[64], path[128];
    struct memory *memory;
    struct cancel cancel;
    struct reject_limit limit;
    struct collector collector;
    struct context context;
    struct haul_error err;
};

static inline struct database *database_open(void)
{
    struct database *base = calloc(1, sizeof *base);
    assert_non_null(base);
    snprintf(base->folder, sizeof base->folder, "/tmp/haul-sqlite-XXXXXX");
    assert_non_null(mkdtemp(base->folder));
    snprintf(base->path, sizeof base->path, "%s/t.db", base->folder);
    assert_int_equal(memory_open(&base->memory, 0, 1, &base->err), HAUL_OK);
    context_init(&base->context);
    base->context.memory = base->memory;
    base->context.cancel = &base->cancel;
    base->context.collector = &base->collector;
    return base;
}

static inline void allow_rejects(struct database *base)
{
    base->limit.max = REJECTS_MAX;
    base->collector.limit = &base->limit;
}

static inline enum haul_code remove_one(void *user, const char *name, struct haul_error *err)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", (const char *)user, name);
    return path_remove(path, err);
}

static inline void database_close(struct database *base)
{
    collector_release(&base->collector);
    memory_close(base->memory);
    path_list(base->folder, remove_one, base->folder, &base->err);
    rmdir(base->folder);
    free(base);
}

#define assert_ok(base, call)                                                                                \
    do {                                                                                                     \
        if ((call) != HAUL_OK)                                                                               \
            fail_msg("%s: %s", #call, (base)->err.message);                                                  \
    } while (0)

#define assert_says(base, words)                                                                             \
    do {                                                                                                     \
        if (!strstr((base)->err.message, words))                                                             \
            fail_msg("\"%s\" does not say \"%s\"", (base)->err.message, words);                              \
    } while (0)

/* ---- SQL from outside ---- */

static inline void sql(struct database *base, const char *text)
{
    sqlite3 *db;
    char *message = NULL;
    assert_int_equal(sqlite3_open(base->path, &db), SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, &message))
        fail_msg("%s: %s", text, message);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* The rows of a query: values with '|' between, rows ended by '\n'; freed by the caller. */
static inline char *ask(struct database *base, const char *text)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    struct buffer out = {0};
    assert_int_equal(sqlite3_open(base->path, &db), SQLITE_OK);
    if (sqlite3_prepare_v2(db, text, -1, &statement, NULL))
        fail_msg("%s: %s", text, sqlite3_errmsg(db));
    while (sqlite3_step(statement) == SQLITE_ROW)
        for (int i = 0, count = sqlite3_column_count(statement); i < count; i++) {
            const char *value = (const char *)sqlite3_column_text(statement, i);
            assert_ok(base, buffer_printf(&out, &base->err, "%s%s", value ? value : "NULL",
                                          i + 1 < count ? "|" : "\n"));
        }
    sqlite3_finalize(statement);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    char *result = malloc(out.length + 1);
    assert_non_null(result);
    memcpy(result, out.length ? (const void *)out.data : "", out.length);
    result[out.length] = 0;
    buffer_release(&out);
    return result;
}

static inline void assert_rows(struct database *base, const char *query, const char *rows)
{
    char *found = ask(base, query);
    assert_string_equal(found, rows);
    free(found);
}

/* ---- reading ---- */

struct reading {
    struct source *source;
    struct source_info info;
    struct arena arena;
    struct part parts[512];
    int part_count;
    struct buffer text; /* as ask */
    int64_t rows, offered;
};

static inline enum haul_code reading_describe(struct database *base, struct reading *reading,
                                              const struct source_request *request)
{
    *reading = (struct reading){0};
    enum haul_code code =
        sqlite_source_open(base->path, &base->context, request, &reading->source, &base->err);
    return code ? code : reading->source->ops->describe(reading->source, &reading->info, &base->err);
}

static inline enum haul_code reading_split(struct database *base, struct reading *reading, int64_t part_rows)
{
    struct split_request wish = {part_rows, -1};
    bool more = true;
    while (more && reading->part_count < 511) {
        enum haul_code code = reading->source->ops->split(
            reading->source, &wish, &reading->arena, &reading->parts[reading->part_count], &more, &base->err);
        if (code)
            return code;
        reading->part_count += more;
    }
    return HAUL_OK;
}

static inline void print_batch(struct database *base, struct reading *reading, const struct batch *batch)
{
    const struct schema *schema = &reading->info.schema;
    for (int64_t i = 0; i < batch->array.length; i++)
        for (int c = 0; c < schema->count; c++) {
            struct view view;
            assert_ok(base, view_init(&view, &schema->fields[c], batch->array.children[c], &base->err));
            assert_ok(base, view_is_null(&view, i) ? buffer_append(&reading->text, "NULL", 4, &base->err)
                                                   : view_print(&view, i, &reading->text, &base->err));
            assert_ok(base, buffer_append(&reading->text, c + 1 < schema->count ? "|" : "\n", 1, &base->err));
        }
}

/* Reads a part from `first_row` on. */
static inline enum haul_code reading_part(struct database *base, struct reading *reading, int index,
                                          int64_t first_row)
{
    struct reader *reader;
    bool end = false;
    enum haul_code code = reading->source->ops->open(reading->source, &base->context, &reading->parts[index],
                                                     first_row, &reader, &base->err);
    if (code)
        return code;
    while (!code && !end) {
        struct batch batch;
        code = reader->ops->next(reader, 1000, &batch, &end, &base->err);
        if (code || end)
            break;
        assert_int_equal(batch.rows_offered, batch.array.length + batch.dropped_count);
        reading->rows += batch.array.length;
        reading->offered += batch.rows_offered;
        print_batch(base, reading, &batch);
        batch_release(&batch);
    }
    reader->ops->close(reader);
    return code;
}

static inline void reading_release(struct reading *reading)
{
    source_info_release(&reading->info);
    arena_release(&reading->arena);
    buffer_release(&reading->text);
    if (reading->source)
        reading->source->ops->close(reading->source);
    *reading = (struct reading){0};
}

/* Everything, part by part. */
static inline enum haul_code reading_all(struct database *base, struct reading *reading,
                                         const struct source_request *request, int64_t part_rows)
{
    enum haul_code code = reading_describe(base, reading, request);
    if (!code)
        code = reading_split(base, reading, part_rows);
    if (!code)
        code = reading->source->ops->begin(reading->source, 2, &base->err);
    for (int i = 0; !code && i < reading->part_count; i++)
        code = reading_part(base, reading, i, 0);
    if (!code)
        reading->source->ops->end(reading->source);
    if (!code && buffer_append(&reading->text, "", 1, &base->err))
        code = base->err.code;
    return code;
}

static inline const char *reading_text(const struct reading *reading)
{
    return (const char *)reading->text.data;
}

/* The columns' types: "int64,utf8". */
static inline const char *reading_types(const struct reading *reading, char *out, size_t bytes)
{
    size_t length = 0;
    out[0] = 0;
    for (int i = 0; i < reading->info.schema.count; i++) {
        char type[96];
        field_print_type(&reading->info.schema.fields[i], type, sizeof type);
        length += (size_t)snprintf(out + length, bytes - length, "%s%s", i ? "," : "", type);
    }
    return out;
}

#endif
