/* dialect.h: SQL text in PostgreSQL's dialect. */
#ifndef HAUL_DATABASE_POSTGRES_DIALECT_H
#define HAUL_DATABASE_POSTGRES_DIALECT_H

#include "database/sql.h"

extern const struct dialect pg_dialect;

#endif
