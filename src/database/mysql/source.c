/*
 * source.c: MySQL and MariaDB as a source of batches.
 *
 * Order of calls: open, then either list, or describe, split until there is no
 * more, begin, readers from several threads, end; close. Nothing is ever
 * written: readers are in READ ONLY transactions.
 */
#include "database/mysql/mysql_wing.h"

#include "database/mysql/source.h"
#include <stdlib.h>

static enum haul_code source_list(struct source *base, haul_table_fn each, void *user, struct haul_error *err)
{
    struct mysql_source *source = (struct mysql_source *)base;
    return my_catalog_list(&source->connection, each, user, err);
}

static void source_close(struct source *base)
{
    struct mysql_source *source = (struct mysql_source *)base;
    my_source_end(base);
    my_split_release(source);
    my_disconnect(&source->connection);
    my_server_release(&source->server);
    my_table_release(&source->table);
    schema_release(&source->schema);
    arena_release(&source->arena);
    pthread_mutex_destroy(&source->mutex);
    free(source);
}

static const struct source_ops source_ops = {
    .name = "mysql",
    .list = source_list,
    .describe = my_source_describe,
    .split = my_source_split,
    .begin = my_source_begin,
    .end = my_source_end,
    .open = my_source_read,
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
static enum haul_code copy_request(struct mysql_source *source, const struct source_request *request,
                                   struct haul_error *err)
{
    struct source_request *copy = &source->request;
    const char **columns =
        arena_alloc_array(&source->arena, (size_t)request->column_count + 1, sizeof *columns);
    copy->table = arena_text(&source->arena, request->table);
    copy->where = arena_text(&source->arena, request->where);
    copy->schema = arena_text(&source->arena, request->schema);
    source->query = request->query ? trim_query(&source->arena, request->query) : NULL;
    bool complete = columns && !copy->table == !request->table && !source->query == !request->query &&
                    !copy->where == !request->where && !copy->schema == !request->schema;
    for (int i = 0; complete && request->columns && i < request->column_count; i++)
        complete = (columns[i] = arena_text(&source->arena, request->columns[i]));
    if (!complete)
        return error_nomem(err, "a source");
    copy->columns = request->columns ? columns : NULL;
    copy->column_count = request->column_count;
    return HAUL_OK;
}

enum haul_code mysql_source_open(const char *uri, const struct context *context,
                                 const struct source_request *request, struct source **out,
                                 struct haul_error *err)
{
    struct mysql_source *source = calloc(1, sizeof *source);
    if (!source)
        return error_nomem(err, "a source");
    source->base.ops = &source_ops;
    source->context = *context;
    pthread_mutex_init(&source->mutex, NULL);
    if (copy_request(source, request, err) || my_server_parse(&source->server, uri, err) ||
        my_connect(&source->connection, &source->server, SESSION_SOURCE, context, err)) {
        source_close(&source->base);
        return err->code;
    }
    *out = &source->base;
    return HAUL_OK;
}
