/*
 * lock.c: takes the lock file so that nobody is left with a lock on a file that
 * is no longer there.
 *
 * Its holder removes the file while it still holds the lock. Somebody who opened
 * the file before may lock it after, when its name is gone or another's. So
 * after locking, the name must still lead to the file that was locked; if not, it
 * starts over. Each round means that another process finished in between.
 */
#include "database/sqlite/lock.h"

#include <sqlite3.h>

#define ROUNDS_MAX 100

/* Does the path still lead to the locked file? */
static enum haul_code is_current(struct file *file, const char *path, bool *current, struct haul_error *err)
{
    struct file_identity ours, named;
    struct haul_error gone = {0};
    if (file_identify(file, &ours, err))
        return err->code;
    *current =
        !path_identify(path, &named, &gone) && named.inode == ours.inode && named.device == ours.device;
    return HAUL_OK;
}

static enum haul_code try_lock(struct file *file, const char *path, bool *current, struct haul_error *err)
{
    if (file_open(file, path, FILE_APPEND, err))
        return err->code;
    enum haul_code code = file_lock(file, err);
    if (!code)
        code = is_current(file, path, current, err);
    if (code || !*current)
        file_close(file);
    return code;
}

enum haul_code sqlite_lock_take(struct run_lock *lock, const char *database, const char *run,
                                struct haul_error *err)
{
    *lock = (struct run_lock){.file.fd = -1};
    char *path = sqlite3_mprintf("%s.haul-%s.lock", database, run);
    if (!path)
        return error_nomem(err, "a lock");
    bool current = false;
    enum haul_code code = HAUL_OK;
    for (int round = 0; round < ROUNDS_MAX && !code && !current; round++)
        code = try_lock(&lock->file, path, &current, err);
    if (!code && !current)
        code = error_set(err, HAUL_BUSY, "%s: others keep taking and dropping the lock", path);
    if (code == HAUL_BUSY)
        error_set(err, HAUL_BUSY, "run %s is being done by another process (it holds %s)", run, path);
    if (code) {
        sqlite3_free(path);
        return code;
    }
    lock->path = path;
    return HAUL_OK;
}

void sqlite_lock_release(struct run_lock *lock)
{
    struct haul_error unused = {0};
    if (!lock->path)
        return;
    path_remove(lock->path, &unused);
    file_close(&lock->file);
    sqlite3_free(lock->path);
    lock->path = NULL;
}
