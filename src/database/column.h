/*
 * column.h: the columns of a table as a catalog tells them, and what is asked of
 * them in the same way whatever the database: which are read, which are the key,
 * and which of them takes each of a source's columns.
 */
#ifndef HAUL_DATABASE_COLUMN_H
#define HAUL_DATABASE_COLUMN_H

#include "batch/source.h"

struct column {
    const char *name;
    const char *declared; /* the type as the catalog writes it; "" none */
    bool not_null;
    bool has_default; /* or is numbered by the database */
    bool generated;   /* always computed: cannot be written */
    int key;          /* place in the primary key from 1, 0 not in it */
};

/* Of one table; part of each wing's own struct table. */
struct columns {
    struct column *list;
    int count, key_count;
};

/* By its name, else without regard to case when only one fits so; -1. */
int columns_find(const struct columns *columns, const char *name);

/* The columns a request names, all when it names none: their places, in `arena`. */
enum haul_code columns_choose(const struct columns *columns, const struct source_request *request,
                              struct arena *arena, int **places, int *count, struct haul_error *err);

/* The names of the primary key, in its order, in `arena`; NULL and no error without one. */
enum haul_code columns_key(const struct columns *columns, struct arena *arena, const char ***names,
                           struct haul_error *err);

/* Says in `info` what the primary key is, when all of it is read. */
enum haul_code columns_set_key(const struct columns *columns, struct source_info *info,
                               struct haul_error *err);
enum haul_code info_set_key(struct source_info *info, const char *const *names, int count,
                            struct haul_error *err);

/* For each of the source's columns the place of that which takes it, in `arena`.
 * All that does not fit stands in one error about the table `title`. */
enum haul_code columns_pair(const struct columns *columns, const struct schema *source, const char *title,
                            struct arena *arena, int **places, struct haul_error *err);

#endif
