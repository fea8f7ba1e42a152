/* sink.c: PostgreSQL as a sink of batches. */
#include "database/postgres/postgres.h"

enum haul_code postgres_sink_open(const char *uri, const struct context *context, struct sink **sink,
                                  struct haul_error *err)
{
    (void)uri;
    (void)context;
    (void)sink;
    return error_set(err, HAUL_UNSUPPORTED, "writing to PostgreSQL is not built yet");
}
