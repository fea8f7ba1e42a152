/*
 * cast.h: from the source's schema to the one the target takes.
 *
 * A cast is exact or says so: each pair of types has one row in the cast table
 * (cast.c) with the loss it may bring. A value that cannot be held goes to the
 * collector as a reject; one that is held but loses something is counted.
 */
#ifndef HAUL_BATCH_CAST_H
#define HAUL_BATCH_CAST_H

#include "base/context.h"
#include "batch/batch.h"

struct cast;

/* `from` and `to` have the same column count, matched by place, and outlive the
 * cast. HAUL_UNSUPPORTED names the column when there is no way. */
enum haul_code cast_open(const struct schema *from, const struct schema *to, struct cast **cast, struct haul_error *err);
void cast_close(struct cast *cast);

bool cast_is_identity(const struct cast *cast);

/* What column `i` may lose ("fractional digits beyond microseconds"); NULL nothing. */
const char *cast_loss(const struct cast *cast, int i);

/* Replaces the batch by its cast form. Rows that cannot be cast are dropped and
 * collected in context->collector. */
enum haul_code cast_apply(struct cast *cast, const struct context *context, struct batch *batch, struct haul_error *err);

#endif
