/*
 * source.c: SQL Server as a source of batches.
 *
 * Order of calls: open, then either list, or describe and readers; close. One
 * session looks things up; each reader has its own. Nothing is ever written.
 */
#include "database/mssql/source.h"

#include "base/settings.h"
#include "database/mssql/mssql.h"
#include <stdlib.h>

bool mssql_accepts(const char *uri)
{
    return ms_server_accepts(uri);
}

static enum haul_code source_list(struct source *base, haul_table_fn each, void *user, struct haul_error *err)
{
    struct mssql_source *source = (struct mssql_source *)base;
    return ms_catalog_list(&source->session, each, user, err);
}

static void source_close(struct source *base)
{
    struct mssql_source *source = (struct mssql_source *)base;
    ms_cancel(&source->session);
    ms_disconnect(&source->session);
    ms_server_release(&source->server);
    ms_table_release(&source->table);
    schema_release(&source->schema);
    arena_release(&source->arena);
    free(source);
}

static const struct source_ops source_ops = {
    .name = "mssql",
    .list = source_list,
    .describe = ms_source_describe,
    .open = ms_source_read,
    .close = source_close,
};

/* The query may go into parentheses: no semicolon may stand at its end. */
static const char *trim_query(struct arena *arena, const char *query)
{
    size_t length = strlen(query);
    while (length && strchr(" \t\r\n;", query[length - 1]))
        length--;
    return arena_text_n(arena, query, length);
}

/* The request's texts may go; ours stay. */
static enum haul_code copy_request(struct mssql_source *source, const struct source_request *request,
                                   struct haul_error *err)
{
    struct source_request *copy = &source->request;
    const char **columns =
        arena_alloc_array(&source->arena, (size_t)request->column_count + 1, sizeof *columns);
    copy->table = arena_text(&source->arena, request->table);
    copy->where = arena_text(&source->arena, request->where);
    source->query = request->query ? trim_query(&source->arena, request->query) : NULL;
    bool complete = columns && !copy->table == !request->table && !source->query == !request->query &&
                    !copy->where == !request->where;
    for (int i = 0; complete && request->columns && i < request->column_count; i++)
        complete = (columns[i] = arena_text(&source->arena, request->columns[i]));
    if (!complete)
        return error_nomem(err, "a source");
    copy->columns = request->columns ? columns : NULL;
    copy->column_count = request->column_count;
    if (request->schema)
        return error_set(err, HAUL_UNSUPPORTED,
                         "--schema: SQL Server says its types itself; cast columns in a --query");
    return HAUL_OK;
}

static enum time_unit wanted_unit(const struct context *context)
{
    const char *text = context->settings ? settings_text(context->settings, "timestamps") : NULL;
    return text && strcmp(text, "ns") == 0 ? TIME_NANO : TIME_MICRO;
}

enum haul_code mssql_source_open(const char *uri, const struct context *context,
                                 const struct source_request *request, struct source **out,
                                 struct haul_error *err)
{
    struct mssql_source *source = calloc(1, sizeof *source);
    if (!source)
        return error_nomem(err, "a source");
    source->base.ops = &source_ops;
    source->context = *context;
    source->unit = wanted_unit(context);
    if (copy_request(source, request, err) || ms_server_parse(&source->server, uri, err) ||
        ms_connect(&source->session, &source->server, context, err)) {
        source_close(&source->base);
        return err->code;
    }
    *out = &source->base;
    return HAUL_OK;
}
