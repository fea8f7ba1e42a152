/*
 * snapshot.c: several connections that see one state of the database.
 *
 * SQLite has no snapshot to hand from one connection to another (the C API for
 * it is not built in everywhere). So all of them begin, each with a real read,
 * for BEGIN alone takes no snapshot; and a connection that stands outside asks
 * before and after whether anybody committed (PRAGMA data_version). Nobody did:
 * all see the same. Somebody did: again. In rollback-journal mode the first
 * reader keeps writers from committing, so the second try is the last.
 */
#include "database/sqlite/source.h"

#include "base/clock.h"
#include <stdlib.h>

#define TRIES_MAX    20
#define TRY_AFTER_MS 10

static enum haul_code data_version(struct connection *monitor, int64_t *version, struct haul_error *err)
{
    return sqlite_number(monitor, "PRAGMA data_version", NULL, 0, version, err);
}

/* All slots in a read transaction of their own. */
static enum haul_code begin_all(struct sqlite_source *source, struct haul_error *err)
{
    for (int i = 0; i < source->slot_count; i++) {
        struct connection *connection = &source->slots[i].connection;
        int64_t tables;
        sqlite_rollback(connection);
        if (sqlite_run(connection, "BEGIN", err) ||
            sqlite_number(connection, "SELECT count(*) FROM sqlite_schema", NULL, 0, &tables, err))
            return err->code;
    }
    return HAUL_OK;
}

static enum haul_code agree(struct sqlite_source *source, struct haul_error *err)
{
    for (int i = 0; i < TRIES_MAX; i++) {
        int64_t before, after;
        if (data_version(&source->connection, &before, err) || begin_all(source, err) ||
            data_version(&source->connection, &after, err) || context_check(&source->context, err))
            return err->code;
        if (before == after)
            return HAUL_OK;
        clock_sleep_ms(TRY_AFTER_MS, source->context.cancel);
    }
    error_set(err, HAUL_BUSY,
              "%s: others commit so often that %d connections did not get one snapshot; use --workers 1",
              source->path, source->slot_count);
    err->retryable = true;
    return err->code;
}

void sqlite_source_end(struct source *base)
{
    struct sqlite_source *source = (struct sqlite_source *)base;
    for (int i = 0; i < source->slot_count; i++)
        sqlite_disconnect(&source->slots[i].connection);
    free(source->slots);
    source->slots = NULL;
    source->slot_count = 0;
}

enum haul_code sqlite_source_begin(struct source *base, int workers, struct haul_error *err)
{
    struct sqlite_source *source = (struct sqlite_source *)base;
    sqlite_source_end(base);
    source->slots = calloc((size_t)workers, sizeof *source->slots);
    if (!source->slots)
        return error_nomem(err, "connections");
    enum haul_code code = HAUL_OK;
    for (int i = 0; i < workers && !code; i++, source->slot_count++)
        code =
            sqlite_connect(&source->slots[i].connection, source->path, CONNECT_READ, &source->context, err);
    if (!code)
        code = agree(source, err);
    if (code)
        sqlite_source_end(base);
    return code;
}
