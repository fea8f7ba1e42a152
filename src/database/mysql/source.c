/*
 * source.c: MySQL and MariaDB as a source of batches.
 *
 * Order of calls: open, then either list, or describe, split until there is no
 * more, begin, readers from several threads, end; close. Nothing is ever
 * written: readers are in READ ONLY transactions.
 */
#include "database/mysql/mysql_wing.h"

#include "database/mysql/source.h"
#include "database/request.h"
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
    .ping = my_source_ping,
    .describe = my_source_describe,
    .split = my_source_split,
    .begin = my_source_begin,
    .end = my_source_end,
    .open = my_source_read,
    .close = source_close,
};

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
    if (request_copy(request, &source->arena, &source->request, &source->query, err) ||
        my_server_parse(&source->server, uri, context->login, err) ||
        my_connect_first(&source->connection, &source->server, SESSION_SOURCE, context, err)) {
        source_close(&source->base);
        return err->code;
    }
    *out = &source->base;
    return HAUL_OK;
}
