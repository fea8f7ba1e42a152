/* dialect.h: SQL text in MySQL's dialect. */
#ifndef HAUL_DATABASE_MYSQL_DIALECT_H
#define HAUL_DATABASE_MYSQL_DIALECT_H

#include "database/sql.h"

extern const struct dialect my_dialect;

#endif
