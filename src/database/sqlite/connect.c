/*
 * connect.c: opens database files the careful way.
 *
 * The file is named by a URI, because only a URI can say mode=ro: then SQLite
 * never creates the database nor writes to it. What must not be a URI's syntax
 * is percent-escaped. SQLite reads the file at the first statement only, so one
 * is run here at once.
 *
 * A database in WAL mode needs its "-shm" file; on a read-only mount it cannot
 * be made. There, and only there, nobody can change the file, so it may be
 * opened with immutable=1, which needs none; not so when a WAL with content lies
 * beside it, for immutable would read past that.
 *
 * A database file may come from anywhere: its schema is not trusted (no
 * functions with side effects in views), cells are checked, and it is not
 * mapped into memory, for a file cut meanwhile would kill the process.
 */
#include "database/sqlite/connect.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include <stdio.h>
#include <sys/statvfs.h>

#define VERSION_LEAST     3037000 /* STRICT tables, pragma_table_list */
#define LOCK_POLL_MS      10
#define CANCEL_POLL_STEPS 20000 /* virtual machine steps between looks: about a millisecond */

/* ---- errors ---- */

struct meaning {
    int rc; /* extended codes stand before their primary one */
    enum haul_code code;
    const char *advice;
};

static const struct meaning meanings[] = {
    {SQLITE_READONLY_ROLLBACK, HAUL_BUSY,
     "a writer died and left a journal; open the file once with write access (sqlite3 FILE .tables) to "
     "recover it"},
    {SQLITE_READONLY_RECOVERY, HAUL_BUSY,
     "its WAL must be recovered; open the file once with write access (sqlite3 FILE .tables)"},
    {SQLITE_READONLY, HAUL_PERMISSION, "the file or its folder may not be written; change its rights"},
    {SQLITE_IOERR_NOMEM, HAUL_NOMEM, "the machine has no memory left"},
    {SQLITE_BUSY, HAUL_BUSY, "another connection holds it; run again when that is done"},
    {SQLITE_LOCKED, HAUL_BUSY, "another statement holds it; run again when that is done"},
    {SQLITE_FULL, HAUL_SPACE, "make room on the disk, then run again"},
    {SQLITE_IOERR, HAUL_IO, "the file could not be read or written; look at the disk"},
    {SQLITE_NOMEM, HAUL_NOMEM, "the machine has no memory left"},
    {SQLITE_CORRUPT, HAUL_DATA, "the file is damaged; try \"PRAGMA integrity_check\" or a backup"},
    {SQLITE_NOTADB, HAUL_DATA, "it is no SQLite database (or an encrypted one)"},
    {SQLITE_CANTOPEN, HAUL_PERMISSION,
     "look at the rights of the file and its folder (a WAL database needs its -wal and -shm files as well)"},
    {SQLITE_PERM, HAUL_PERMISSION, "look at the rights of the file and its folder"},
    {SQLITE_AUTH, HAUL_PERMISSION, "SQLite does not allow it"},
    {SQLITE_CONSTRAINT, HAUL_CONSTRAINT, NULL},
    {SQLITE_MISMATCH, HAUL_CONSTRAINT, NULL},
    {SQLITE_TOOBIG, HAUL_LIMIT, "a value or row is larger than the limit; raise --memory"},
    {SQLITE_SCHEMA, HAUL_CHANGED, "the tables were changed meanwhile; run again"},
    {SQLITE_INTERRUPT, HAUL_CANCELLED, NULL},
    {SQLITE_MISUSE, HAUL_INTERNAL, NULL},
    {SQLITE_ERROR, HAUL_DATA, NULL},
};

static const struct meaning *meaning_of(int rc)
{
    size_t count = sizeof meanings / sizeof *meanings;
    for (size_t i = 0; i < count; i++)
        if (meanings[i].rc == rc || meanings[i].rc == (rc & 0xff))
            return &meanings[i];
    return &meanings[count - 1];
}

enum haul_code sqlite_fail(const struct connection *connection, int rc, struct haul_error *err)
{
    const struct meaning *meaning = meaning_of(rc);
    if (meaning->code == HAUL_CANCELLED)
        return error_set(err, HAUL_CANCELLED, "cancelled");
    const char *said = connection->db ? sqlite3_errmsg(connection->db) : sqlite3_errstr(rc);
    error_set(err, meaning->code, "%s: %s%s%s", connection->path ? connection->path : "", said,
              meaning->advice ? "; " : "", meaning->advice ? meaning->advice : "");
    err->vendor_code = rc;
    err->retryable = (rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED;
    return err->code;
}

/* ---- waiting ---- */

static bool cancelled(const struct connection *connection)
{
    return connection->cancel && atomic_load(&connection->cancel->asked);
}

static int wait_for_lock(void *user, int tries)
{
    const struct connection *connection = user;
    if (cancelled(connection) || tries >= LOCK_WAIT_MS / LOCK_POLL_MS)
        return 0;
    clock_sleep_ms(LOCK_POLL_MS, connection->cancel);
    return 1;
}

static int stop_statement(void *user)
{
    return cancelled(user);
}

/* ---- opening ---- */

static enum haul_code append_escaped(struct buffer *uri, const char *path, struct haul_error *err)
{
    for (const char *at = path; *at; at++) {
        unsigned char c = (unsigned char)*at;
        bool plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("/._-~", c);
        if (buffer_printf(uri, err, plain ? "%c" : "%%%02X", c))
            return err->code;
    }
    return HAUL_OK;
}

/* "file:rel.db" or "file:///abs.db": with an empty authority a path may begin
 * with two slashes. */
static enum haul_code make_uri(struct buffer *uri, const char *path, const char *tail, struct haul_error *err)
{
    buffer_clear(uri);
    if (buffer_printf(uri, err, path[0] == '/' ? "file://" : "file:") || append_escaped(uri, path, err))
        return err->code;
    return buffer_append(uri, tail, strlen(tail) + 1, err);
}

static enum haul_code open_uri(struct connection *connection, enum connect_mode mode, const char *tail,
                               struct haul_error *err)
{
    static const int flags[] = {
        [CONNECT_READ] = SQLITE_OPEN_READONLY,
        [CONNECT_WRITE] = SQLITE_OPEN_READWRITE,
        [CONNECT_CREATE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
    };
    struct buffer uri = {0};
    enum haul_code code = make_uri(&uri, connection->path, tail, err);
    if (!code) {
        int rc = sqlite3_open_v2((const char *)uri.data, &connection->db,
                                 flags[mode] | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
        if (rc)
            code = sqlite_fail(connection, rc, err);
    }
    buffer_release(&uri);
    if (code)
        return code;
    sqlite3_extended_result_codes(connection->db, 1);
    if (mode == CONNECT_READ)
        sqlite_limit_values(connection, connection->memory);
    sqlite3_busy_handler(connection->db, wait_for_lock, connection);
    sqlite3_progress_handler(connection->db, CANCEL_POLL_STEPS, stop_statement, connection);
    return sqlite_run(connection,
                      "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0;"
                      "PRAGMA schema_version",
                      err);
}

void sqlite_limit_values(struct connection *connection, const struct memory *memory)
{
    size_t most = memory_value_max(memory);
    int now = sqlite3_limit(connection->db, SQLITE_LIMIT_LENGTH, -1);
    if (most < (size_t)now)
        sqlite3_limit(connection->db, SQLITE_LIMIT_LENGTH, (int)most);
}

/* Is this a read-only mount, and no WAL there that immutable would pass over? */
static bool may_be_immutable(const char *path)
{
    struct statvfs mount;
    if (statvfs(path, &mount) || !(mount.f_flag & ST_RDONLY))
        return false;
    char *wal = sqlite3_mprintf("%s-wal", path);
    struct file_identity identity = {0};
    struct haul_error unused = {0};
    bool empty = wal && (path_identify(wal, &identity, &unused) == HAUL_NOT_FOUND || identity.size == 0);
    sqlite3_free(wal);
    return empty;
}

static enum haul_code open_mode(struct connection *connection, enum connect_mode mode, struct haul_error *err)
{
    static const char *const tails[] = {
        [CONNECT_READ] = "?mode=ro", [CONNECT_WRITE] = "?mode=rw", [CONNECT_CREATE] = "?mode=rwc"};
    if (!open_uri(connection, mode, tails[mode], err))
        return HAUL_OK;
    if (mode != CONNECT_READ || (err->vendor_code & 0xff) != SQLITE_CANTOPEN ||
        !may_be_immutable(connection->path))
        return err->code;
    sqlite3_close(connection->db);
    connection->db = NULL;
    return open_uri(connection, mode, "?mode=ro&immutable=1", err);
}

enum haul_code sqlite_connect(struct connection *connection, const char *path, enum connect_mode mode,
                              const struct context *context, struct haul_error *err)
{
    *connection = (struct connection){0};
    if (sqlite3_libversion_number() < VERSION_LEAST)
        return error_set(err, HAUL_UNSUPPORTED, "the SQLite library is version %s; haul needs 3.37 or newer",
                         sqlite3_libversion());
    *connection = (struct connection){.cancel = context->cancel, .memory = context->memory};
    struct file_identity identity;
    if (mode != CONNECT_CREATE && path_identify(path, &identity, err))
        return err->code;
    if (path_is_folder(path))
        return error_set(err, HAUL_USAGE, "%s is a folder, not a SQLite database file", path);
    connection->path = sqlite3_mprintf("%s", path);
    if (!connection->path)
        return error_nomem(err, "a connection");
    if (open_mode(connection, mode, err)) {
        sqlite_disconnect(connection);
        return err->code;
    }
    return HAUL_OK;
}

void sqlite_disconnect(struct connection *connection)
{
    sqlite3_close_v2(connection->db);
    sqlite3_free(connection->path);
    *connection = (struct connection){0};
}

/* ---- statements ---- */

enum haul_code sqlite_prepare(struct connection *connection, const char *sql, sqlite3_stmt **statement,
                              struct haul_error *err)
{
    const char *tail = "";
    int rc = sqlite3_prepare_v3(connection->db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, &tail);
    if (rc)
        return sqlite_fail(connection, rc, err);
    tail += strspn(tail, " \t\r\n;");
    return *tail ? error_set(err, HAUL_USAGE, "a second statement begins at \"%s\"", tail) : HAUL_OK;
}

enum haul_code sqlite_step(struct connection *connection, sqlite3_stmt *statement, bool *row,
                           struct haul_error *err)
{
    int rc = sqlite3_step(statement);
    *row = rc == SQLITE_ROW;
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? HAUL_OK : sqlite_fail(connection, rc, err);
}

enum haul_code sqlite_run(struct connection *connection, const char *sql, struct haul_error *err)
{
    int rc = sqlite3_exec(connection->db, sql, NULL, NULL, NULL);
    return rc ? sqlite_fail(connection, rc, err) : HAUL_OK;
}

enum haul_code sqlite_number(struct connection *connection, const char *sql, const char *text, int64_t absent,
                             int64_t *value, struct haul_error *err)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite_prepare(connection, sql, &statement, err))
        return err->code;
    bool row = false;
    if (text)
        sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
    enum haul_code code = sqlite_step(connection, statement, &row, err);
    if (!code)
        *value = row ? sqlite3_column_int64(statement, 0) : absent;
    sqlite3_finalize(statement);
    return code;
}

void sqlite_rollback(struct connection *connection)
{
    if (connection->db && !sqlite3_get_autocommit(connection->db))
        sqlite3_exec(connection->db, "ROLLBACK", NULL, NULL, NULL);
}
