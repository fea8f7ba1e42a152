/* bulk_copy.h: the words of bcp, as those of a copy. The lobby's. */
#ifndef HAUL_BULK_COPY_H
#define HAUL_BULK_COPY_H

#include "job.h"

enum haul_code settle_bcp(struct haul_job *job, struct haul_error *err);

#endif
