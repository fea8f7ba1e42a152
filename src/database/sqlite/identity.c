/*
 * identity.c: when is a database file the same file.
 *
 * Size, time and inode say little after a change inside a page; SQLite's change
 * counter and schema cookie (file format, section 1.3) say more, and in WAL mode,
 * where the counter rests, the WAL's size, time and header (its salts change when
 * it begins anew). An empty WAL is as good as none.
 *
 * The bytes are read through SQLite's own file handles. Opening and closing the
 * file a second time would drop every POSIX lock this process holds on it
 * ("How To Corrupt An SQLite Database File", section 2.2).
 */
#include "database/sqlite/source.h"

#include "base/file.h"

#define CHANGE_COUNTER_AT 24
#define SCHEMA_COOKIE_AT  40
#define WAL_SALTS_AT      16

static uint32_t read_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Bytes of the database (or its WAL), zeros where the file is too short. */
static void read_file(struct connection *connection, int which, int64_t offset, uint8_t *out, int length)
{
    sqlite3_file *file = NULL;
    memset(out, 0, (size_t)length);
    if (!sqlite3_file_control(connection->db, "main", which, &file) && file && file->pMethods)
        file->pMethods->xRead(file, out, length, offset);
}

enum haul_code sqlite_identity(struct connection *connection, struct arena *arena, const char **identity,
                               struct haul_error *err)
{
    struct file_identity file, wal = {0};
    struct haul_error absent = {0};
    uint8_t counter[4], cookie[4], salts[8] = {0};
    if (path_identify(connection->path, &file, err))
        return err->code;
    char *wal_path = arena_printf(arena, "%s-wal", connection->path);
    if (!wal_path)
        return error_nomem(err, "an identity");
    if (path_identify(wal_path, &wal, &absent) || !wal.size)
        wal = (struct file_identity){0};
    read_file(connection, SQLITE_FCNTL_FILE_POINTER, CHANGE_COUNTER_AT, counter, sizeof counter);
    read_file(connection, SQLITE_FCNTL_FILE_POINTER, SCHEMA_COOKIE_AT, cookie, sizeof cookie);
    if (wal.size)
        read_file(connection, SQLITE_FCNTL_JOURNAL_POINTER, WAL_SALTS_AT, salts, sizeof salts);
    *identity =
        arena_printf(arena, "size %lld time %lld inode %llu.%llu change %u schema %u wal %lld.%lld.%08x%08x",
                     (long long)file.size, (long long)file.mtime_ns, (unsigned long long)file.device,
                     (unsigned long long)file.inode, read_u32(counter), read_u32(cookie), (long long)wal.size,
                     (long long)wal.mtime_ns, read_u32(salts), read_u32(salts + 4));
    return *identity ? HAUL_OK : error_nomem(err, "an identity");
}
