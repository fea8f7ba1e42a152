/*
 * bind.h: one column of a batch into the parameters of an INSERT.
 *
 * How depends on the field's type and on the affinity of the column it goes to,
 * and is chosen once per column. A value the affinity would alter is a misfit.
 */
#ifndef HAUL_DATABASE_SQLITE_BIND_H
#define HAUL_DATABASE_SQLITE_BIND_H

#include "base/context.h"
#include "batch/view.h"
#include "database/sqlite/types.h"
#include <sqlite3.h>

struct bind;

/* Binds value `i`, not NULL, to parameter bind->place. Bytes stay borrowed. */
typedef enum haul_code (*bind_fn)(struct bind *bind, sqlite3_stmt *statement, int64_t i, const char **misfit,
                                  struct haul_error *err);

struct bind {
    bind_fn put;
    int place;          /* from 1 */
    const char *column; /* for messages */
    enum affinity affinity;
    struct view view;   /* the column */
    struct view values; /* its values: the same, or its dictionary's */
    struct buffer text; /* scratch */
    struct collector *collector;
};

/* Sets `put`. */
enum haul_code sqlite_bind_choose(struct bind *bind, const struct field *field, bool uuid_text,
                                  struct haul_error *err);

/* Points the bind at a column of the next batch. */
enum haul_code sqlite_bind_view(struct bind *bind, const struct field *field, const struct ArrowArray *array,
                                struct haul_error *err);

#endif
