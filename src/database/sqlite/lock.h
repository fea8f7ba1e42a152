/*
 * lock.h: the lock of a run: the file DATABASE.haul-RUN.lock beside the
 * database. The lock itself dies with the process; the file is removed when the
 * run ends or its sink is closed. It is the run's lock, not the table's or the
 * database's: other runs go on beside it.
 */
#ifndef HAUL_DATABASE_SQLITE_LOCK_H
#define HAUL_DATABASE_SQLITE_LOCK_H

#include "base/file.h"

struct run_lock {
    struct file file;
    char *path; /* NULL: not held */
};

/* HAUL_BUSY when another process runs a run of that name. */
enum haul_code sqlite_lock_take(struct run_lock *lock, const char *database, const char *run,
                                struct haul_error *err);
void sqlite_lock_release(struct run_lock *lock);

#endif
