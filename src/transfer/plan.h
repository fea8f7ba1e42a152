/*
 * plan.h: what a run will do, as data: durable before its first unit, shown by
 * --dry-run, read again by the process that goes on.
 */
#ifndef HAUL_TRANSFER_PLAN_H
#define HAUL_TRANSFER_PLAN_H

#include "batch/sink.h"

#define PLAN_VERSION   1
#define PLAN_PARTS_MAX 1000000u

struct plan {
    char run[64];
    char fingerprint[HASH_TEXT_BYTES];
    char schema_hash[HASH_TEXT_BYTES]; /* of the columns on both sides: names and types */
    const char *identity;              /* of the source */
    int64_t unit_rows;                 /* a unit ends at each multiple of it; INT64_MAX: never */
    int64_t unit_bytes;                /* and when its batches hold so much; INT64_MAX: never */
    int64_t limit;                     /* --limit; -1 none */
    bool cut;          /* the source's one part is cut into many by unit_rows: unit k is (k, 0) */
    bool parts_capped; /* dry run: there are more parts than shown */
    struct part *parts;
    uint64_t part_count;
    uint64_t part_room;
    struct arena arena;
};

void plan_release(struct plan *plan);

/* Adds a part (its spec is in plan->arena already); index becomes its place. */
enum haul_code plan_add(struct plan *plan, const struct part *part, struct haul_error *err);

/* What the JSON says beside the plan itself. */
struct plan_facts {
    const char *source_name, *target_name;
    enum sink_mode mode;
    const struct source_info *info;
    const struct sink_terms *terms;
    int workers;
    int64_t memory_bytes;
};

/* Fills schema_hash from both schemas. */
enum haul_code plan_hash_schemas(struct plan *plan, const struct plan_facts *facts, struct haul_error *err);

/* *json is malloc'ed. */
enum haul_code plan_print(const struct plan *plan, const struct plan_facts *facts, char **json,
                          struct haul_error *err);

/* The reverse, for what a later process needs. HAUL_DATA when it is not a plan,
 * HAUL_UNSUPPORTED when it is of a later version. */
enum haul_code plan_parse(const char *json, struct plan *plan, struct haul_error *err);

/* Was it made for this object as its target? Also true when it does not say. */
bool plan_is_of(const char *json, const char *target_identity);

const char *resumable_name(enum resumable resumable);

#endif
