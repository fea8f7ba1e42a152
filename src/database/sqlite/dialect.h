/* dialect.h: SQL text in SQLite's dialect. */
#ifndef HAUL_DATABASE_SQLITE_DIALECT_H
#define HAUL_DATABASE_SQLITE_DIALECT_H

#include "database/sql.h"

extern const struct dialect sqlite_dialect;

#endif
