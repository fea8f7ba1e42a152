/* manifest.h: what a folder target keeps beside its files: version 2 of haul's manifest. */
#ifndef HAUL_TRANSFER_MANIFEST_H
#define HAUL_TRANSFER_MANIFEST_H

#include "transfer/plan.h"
#include "transfer/tally.h"

#define MANIFEST_VERSION 2

/* *json is malloc'ed. Receipts must be sorted. */
enum haul_code manifest_print(const struct plan *plan, const struct plan_facts *facts,
                              const struct tally *tally, char **json, struct haul_error *err);

#endif
