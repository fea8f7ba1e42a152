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
#include "database/request.h"
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
    .ping = pg_source_ping,
    .describe = pg_source_describe,
    .split = pg_source_split,
    .begin = pg_source_begin,
    .end = pg_source_end,
    .open = pg_source_read,
    .close = source_close,
};

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
    if (request_copy(request, &source->arena, &source->request, &source->query, err) ||
        pg_server_parse(&source->server, uri, context->login, err) ||
        pg_connect_first(&source->connection, &source->server, SESSION_SOURCE, context, err)) {
        source_close(&source->base);
        return err->code;
    }
    *out = &source->base;
    return HAUL_OK;
}
