/* made.h: columns that the target makes itself are not written. */
#ifndef HAUL_MADE_H
#define HAUL_MADE_H

#include "job.h"

/* Where the target makes columns that the source has, too, and --columns was not given, "columns" becomes
 * the others, a note says so, and *source is opened anew. */
enum haul_code made_leave_out(struct haul_job *job, struct sink *sink, const struct sink_request *request,
                              struct source **source, struct haul_error *err);

#endif
