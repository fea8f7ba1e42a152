/*
 * definition.h: the columns of a table that will be made, as SQL, and names of
 * staging tables.
 */
#ifndef HAUL_DATABASE_DEFINITION_H
#define HAUL_DATABASE_DEFINITION_H

#include "batch/source.h"
#include "database/sql.h"

struct definer {
    const struct dialect *dialect;
    /* Sets fields[place] of the sink's schema to what is stored of the source's and
     * gives the column's type as SQL; `key`: it is in the primary key. NULL with *err set. */
    const char *(*column)(void *sink, int place, const struct field *from, bool key, struct haul_error *err);
    void *sink;
    struct schema *schema;
    struct arena *arena; /* for the text */
};

/* What follows CREATE TABLE name: "(a int NOT NULL, ..., PRIMARY KEY (a))" and the
 * dialect's tail. NOT NULL where the source says so, and the source's primary key
 * when all of it is there. NULL with *err set. */
const char *table_define(const struct definer *definer, const struct source_info *source,
                         struct haul_error *err);

/* The name of a run's staging table: the target's (cut where names are limited)
 * and what tells runs apart. In `arena`; NULL: no memory. */
const char *staging_name(const struct dialect *dialect, const char *target, const char *run,
                         struct arena *arena);

#endif
