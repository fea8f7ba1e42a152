/*
 * source.c: SQL Server as a source of batches.
 *
 * Order of calls: open, then either list, or describe and readers; close. One
 * session looks things up; each reader has its own. Nothing is ever written.
 */
#include "database/mssql/source.h"

#include "base/settings.h"
#include "database/mssql/mssql.h"
#include "database/request.h"
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

static enum ms_moments wanted_moments(const struct context *context)
{
    const char *text = context->settings ? settings_text(context->settings, "timestamps") : NULL;
    return text && !strcmp(text, "ns")      ? MOMENTS_NANO
           : text && !strcmp(text, "exact") ? MOMENTS_EXACT
                                            : MOMENTS_MICRO;
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
    source->moments = wanted_moments(context);
    if (request->schema)
        error_set(err, HAUL_UNSUPPORTED,
                  "--schema: SQL Server says its types itself; cast columns in a --query");
    if (request->schema || request_copy(request, &source->arena, &source->request, &source->query, err) ||
        ms_server_open(&source->server, uri, context->login, err) ||
        ms_connect(&source->session, &source->server, context, err)) {
        source_close(&source->base);
        return err->code;
    }
    *out = &source->base;
    return HAUL_OK;
}
