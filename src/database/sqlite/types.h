/*
 * types.h: declared types of SQLite and the types of ours they mean: the one
 * table, read both ways.
 *
 * A declared type of SQLite promises little: it only sets the column's
 * affinity, and any column may hold any value. So a reading of a declared type
 * is a *guess* unless it is `certain`; sample.h looks at the values before it is
 * believed, and each value is checked when it is read.
 */
#ifndef HAUL_DATABASE_SQLITE_TYPES_H
#define HAUL_DATABASE_SQLITE_TYPES_H

#include "batch/type.h"

/* What SQLite itself makes of a value that is stored in a column. */
enum affinity { AFFINITY_BLOB, AFFINITY_TEXT, AFFINITY_NUMERIC, AFFINITY_INTEGER, AFFINITY_REAL };
enum affinity sqlite_affinity(const char *declared);

enum certainty {
    TYPE_CERTAIN, /* the name says it and people mean it */
    TYPE_LIKELY,  /* to be confirmed by looking at values */
    TYPE_OPEN     /* the declared type says nothing */
};

/* Sets type, precision, scale, width, unit, timezone and extension of `field`. */
enum certainty sqlite_type_read(const char *declared, struct field *field);

/* The declared type for a new column that holds `field` exactly and reads back
 * as the same type: that of its origin when it came from SQLite, parsed and
 * printed from the table, never pasted; else ours. NULL: no memory. */
const char *sqlite_type_write(const struct field *field, struct arena *arena);

#endif
