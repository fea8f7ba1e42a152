/*
 * source.c: SQLite as a source of batches.
 *
 * Order of calls: open, then either list, or describe, split until there is no
 * more, begin, readers from several threads, end; close. The database is only
 * ever read. One connection of its own looks things up (describe, split); each
 * worker's reader has another, and all of those see one snapshot.
 *
 * A reader that stays inside its read transaction keeps a rollback-journal
 * database from being written and the WAL of another from being reset; that is
 * the price of a consistent copy.
 */
#include "database/sqlite/sqlite.h"

#include "database/request.h"
#include "database/sqlite/source.h"
#include <stdlib.h>

static enum haul_code source_list(struct source *base, haul_table_fn each, void *user, struct haul_error *err)
{
    struct sqlite_source *source = (struct sqlite_source *)base;
    return sqlite_catalog_list(&source->connection, each, user, err);
}

static void source_close(struct source *base)
{
    struct sqlite_source *source = (struct sqlite_source *)base;
    sqlite_source_end(base);
    sqlite_disconnect(&source->connection);
    sqlite_table_release(&source->table);
    schema_release(&source->schema);
    arena_release(&source->arena);
    free(source);
}

static const struct source_ops source_ops = {
    .name = "sqlite",
    .list = source_list,
    .ping = sqlite_source_ping,
    .describe = sqlite_source_describe,
    .split = sqlite_source_split,
    .begin = sqlite_source_begin,
    .end = sqlite_source_end,
    .open = sqlite_source_read,
    .close = source_close,
};

enum haul_code sqlite_source_open(const char *path, const struct context *context,
                                  const struct source_request *request, struct source **out,
                                  struct haul_error *err)
{
    struct sqlite_source *source = calloc(1, sizeof *source);
    if (!source)
        return error_nomem(err, "a source");
    source->base.ops = &source_ops;
    source->context = *context;
    source->path = arena_text(&source->arena, path);
    if (!source->path)
        error_nomem(err, "a source");
    if (!source->path || request_copy(request, &source->arena, &source->request, NULL, err) ||
        sqlite_connect(&source->connection, path, CONNECT_READ, context, err)) {
        source_close(&source->base);
        return err->code;
    }
    *out = &source->base;
    return HAUL_OK;
}
