/* info.c: what describe, negotiate, recall and inspect filled is given back; names of modes. */
#include "batch/inspection.h"
#include "batch/sink.h"
#include "batch/source.h"
#include <string.h>

const char *sink_mode_name(enum sink_mode mode)
{
    static const char *const names[] = {[SINK_CREATE] = "create",
                                        [SINK_APPEND] = "append",
                                        [SINK_TRUNCATE] = "truncate",
                                        [SINK_REPLACE] = "replace",
                                        [SINK_MERGE] = "merge"};
    return names[mode];
}

void source_info_release(struct source_info *info)
{
    schema_release(&info->schema);
    arena_release(&info->arena);
    memset(info, 0, sizeof *info);
}

void sink_terms_release(struct sink_terms *terms)
{
    schema_release(&terms->schema);
    arena_release(&terms->arena);
    memset(terms, 0, sizeof *terms);
}

void run_record_release(struct run_record *record)
{
    arena_release(&record->arena);
    memset(record, 0, sizeof *record);
}

void inspection_release(struct inspection *inspection)
{
    arena_release(&inspection->arena);
    memset(inspection, 0, sizeof *inspection);
}
