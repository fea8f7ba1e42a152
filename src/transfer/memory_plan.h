/* memory_plan.h: how many workers, how much memory, how big a part. */
#ifndef HAUL_TRANSFER_MEMORY_PLAN_H
#define HAUL_TRANSFER_MEMORY_PLAN_H

#include "base/settings.h"
#include "batch/sink.h"

#define WORKERS_MAX      64
#define MEMORY_BYTES_MIN ((int64_t)8 << 20)

struct memory_plan {
    int workers;       /* --workers, or the CPUs, at most 4 */
    int64_t bytes_max; /* --memory, or 512 MiB, at most a quarter of the machine or cgroup */
};

enum haul_code memory_plan_make(const struct settings *settings, struct memory_plan *plan,
                                struct haul_error *err);

/* Rows and bytes to aim for in a part. `unit_rows` is --unit-rows. */
/* Rows of a SQL unit: --unit-rows, or the sink's wish. */
int64_t memory_plan_unit_rows(const struct settings *settings, const struct sink_terms *terms);

struct split_request memory_plan_split(const struct memory_plan *plan, const struct settings *settings,
                                       const struct source_info *info, const struct sink_terms *terms);

#endif
