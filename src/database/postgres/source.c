/*
 * source.c: PostgreSQL as a source of batches.
 *
 * Order of calls: open, then either list, or describe, split until there is no
 * more, begin, readers from several threads, end; close. Nothing is ever
 * written: every session reads in a READ ONLY transaction.
 *
 * The snapshot is taken by the first describe and held until close, so that
 * schema, plan and rows are of one moment. That keeps vacuum from removing rows
 * deleted since: the price of a consistent copy.
 */
#include "database/postgres/postgres.h"

#include "database/postgres/source.h"
#include <stdlib.h>
#include <string.h>

static enum haul_code source_list(struct source *base, haul_table_fn each, void *user, struct haul_error *err)
{
    struct postgres_source *source = (struct postgres_source *)base;
    return pg_catalog_list(&source->connection, each, user, err);
}

static void source_close(struct source *base)
{
    struct postgres_source *source = (struct postgres_source *)base;
    pg_source_end(base);
    pg_disconnect(&source->connection);
    pg_server_release(&source->server);
    pg_table_release(&source->table);
    schema_release(&source->schema);
    arena_release(&source->arena);
    pthread_mutex_destroy(&source->mutex);
    free(source);
}

static const struct source_ops source_ops = {
    .name = "postgres",
    .list = source_list,
    .describe = pg_source_describe,
    .split = pg_source_split,
    .begin = pg_source_begin,
    .end = pg_source_end,
    .open = pg_source_read,
    .close = source_close,
};

/* The query goes into parentheses: no semicolon may stand at its end. */
static const char *trim_query(struct arena *arena, const char *query)
{
    size_t length = strlen(query);
    while (length && strchr(" \t\r\n;", query[length - 1]))
        length--;
    return arena_text_n(arena, query, length);
}

/* The request's texts may go; ours stay. */
static enum haul_code copy_request(struct postgres_source *source, const struct source_request *request,
                                   struct haul_error *err)
{
    struct source_request *copy = &source->request;
    const char **columns =
        arena_alloc_array(&source->arena, (size_t)request->column_count + 1, sizeof *columns);
    copy->table = arena_text(&source->arena, request->table);
    copy->query = arena_text(&source->arena, request->query);
    copy->where = arena_text(&source->arena, request->where);
    copy->schema = arena_text(&source->arena, request->schema);
    source->query = request->query ? trim_query(&source->arena, request->query) : NULL;
    bool complete = columns && !copy->table == !request->table && !source->query == !request->query &&
                    !copy->where == !request->where && !copy->schema == !request->schema &&
                    !copy->query == !request->query;
    for (int i = 0; complete && request->columns && i < request->column_count; i++)
        complete = (columns[i] = arena_text(&source->arena, request->columns[i]));
    if (!complete)
        return error_nomem(err, "a source");
    copy->columns = request->columns ? columns : NULL;
    copy->column_count = request->column_count;
    return HAUL_OK;
}

enum haul_code postgres_source_open(const char *uri, const struct context *context,
                                    const struct source_request *request, struct source **out,
                                    struct haul_error *err)
{
    struct postgres_source *source = calloc(1, sizeof *source);
    if (!source)
        return error_nomem(err, "a source");
    source->base.ops = &source_ops;
    source->context = *context;
    pthread_mutex_init(&source->mutex, NULL);
    if (copy_request(source, request, err) || pg_server_parse(&source->server, uri, err) ||
        pg_connect(&source->connection, &source->server, SESSION_SOURCE, context, err)) {
        source_close(&source->base);
        return err->code;
    }
    *out = &source->base;
    return HAUL_OK;
}
