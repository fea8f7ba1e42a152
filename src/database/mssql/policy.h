/*
 * policy.h: how a table is loaded: the hints of INSERT BULK and how many streams
 * at once, from what the table is and what the user asked for with --hint.
 */
#ifndef HAUL_DATABASE_MSSQL_POLICY_H
#define HAUL_DATABASE_MSSQL_POLICY_H

#include "batch/source.h"
#include "database/mssql/target.h"

struct policy {
    bool tablock, check_constraints, fire_triggers, keep_nulls;
    bool dropped_optional;         /* the server refused the hints that only make it faster */
    int64_t batch_rows, batch_kib; /* ROWS_PER_BATCH, KILOBYTES_PER_BATCH; 0 none */
    const char *order;             /* "[a], [b]": the rows come so; NULL none */
    int writers_max;               /* 0 no limit */
    int64_t unit_rows;             /* wish; 0 none */
    const char *table;             /* what it is and what follows, one line */
    const char *logging;           /* whether it is minimally logged, and why */
};

/* `option` is --hint, NULL none; `source` tells whether the rows are in order. Texts in `arena`. */
enum haul_code policy_make(struct policy *policy, const struct target *target,
                           const struct source_info *source, const char *option, struct arena *arena,
                           struct haul_error *err);

/* " WITH (...)"; nothing when there is no hint. */
void policy_add_hints(const struct policy *policy, struct sql *sql);

/* Is there a hint that only makes the load faster? */
bool policy_has_optional(const struct policy *policy);

#endif
