/* ping.c: what a SQLite file says of itself: the library's version, and whether file and folder let us write.
 */
#include "database/sqlite/source.h"

#include "database/sqlite/catalog.h"
#include <string.h>
#include <unistd.h>

static bool is_writable(const char *path, struct arena *arena)
{
    char *folder = arena_text(arena, path), *slash = folder ? strrchr(folder, '/') : NULL;
    if (slash)
        slash[slash == folder] = '\0'; /* a journal is made beside the file */
    return folder && access(path, W_OK) == 0 && access(slash ? folder : ".", W_OK) == 0;
}

static enum haul_code round_trip(void *user, struct haul_error *err)
{
    return sqlite_run(user, "SELECT 1", err);
}

enum haul_code sqlite_source_ping(struct source *base, struct ping *ping, struct haul_error *err)
{
    struct sqlite_source *source = (struct sqlite_source *)base;
    struct table table = {0};
    bool found = false, writable = is_writable(source->path, &ping->arena);
    enum ping_right right = writable ? RIGHT_YES : RIGHT_NO;
    ping->product = "SQLite";
    ping->version = sqlite3_libversion();
    ping->server = source->path;
    ping->schema = "main";
    ping->state = writable ? "read-write" : "read-only";
    ping->table = source->request.table;
    ping->create = ping->ledger = right;
    if (ping_measure(round_trip, &source->connection, &ping->latency_ms, err))
        return err->code;
    if (ping->table && sqlite_table_read(&source->connection, ping->table, &table, &found, err))
        return err->code;
    if (found) {
        ping->found = arena_printf(&ping->arena, "main.%s", table.name);
        ping->read = RIGHT_YES;
        ping->insert = right;
    }
    sqlite_table_release(&table);
    return ping->found || !found ? HAUL_OK : error_nomem(err, "a table's name");
}
