#include "format/parquet/input.h"
enum haul_code parquet_inspect(struct format_input *input, struct inspection *out, struct haul_error *err)
{
    (void)input; (void)out;
    return error_set(err, HAUL_UNSUPPORTED, "inspect");
}
