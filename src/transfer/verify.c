#include "transfer/transfer.h"
enum haul_code transfer_verify(struct context *context, struct source *a, struct source *b, char **json,
                               struct haul_error *err)
{
    (void)context;
    (void)a;
    (void)b;
    *json = NULL;
    return error_set(err, HAUL_UNSUPPORTED, "verify is not there yet");
}
