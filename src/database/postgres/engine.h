/* engine.h: PostgreSQL as the shared files know it. */
#ifndef HAUL_DATABASE_POSTGRES_ENGINE_H
#define HAUL_DATABASE_POSTGRES_ENGINE_H

#include "database/ledger.h"
#include "database/postgres/connect.h"
#include "database/postgres/dialect.h"

extern const struct engine pg_engine;

/* Are the ledger's tables ours to use, or can they be made? Else it has no names, and says why. */
enum haul_code pg_ledger_allow(struct ledger *ledger, struct connection *connection, struct haul_error *err);

#endif
