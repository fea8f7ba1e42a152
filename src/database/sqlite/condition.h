/* condition.h: is the text of --where one condition? */
#ifndef HAUL_DATABASE_SQLITE_CONDITION_H
#define HAUL_DATABASE_SQLITE_CONDITION_H

#include "base/error.h"

/* HAUL_USAGE when it would end the parentheses it is put into, or the statement. */
enum haul_code sqlite_condition_check(const char *where, struct haul_error *err);

#endif
