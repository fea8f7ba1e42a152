/*
 * copy.c: copy_from of every store.
 *
 * A spilled piece of a row group is a file of this machine and so is the file
 * it goes to: the kernel copies it (copy_file_range, shared extents where the
 * file system can). For any other pair the bytes pass through a buffer of
 * COPY_BYTES; it is small, of fixed size and lives for one call, so it is not
 * charged to a budget.
 */
#include "store/copy.h"

#include <stdlib.h>

#define COPY_BYTES ((size_t)256 << 10)

enum haul_code copy_through(struct output_file *to, struct input_file *from, int64_t offset, int64_t length,
                            struct haul_error *err)
{
    uint8_t *bytes = malloc(COPY_BYTES);
    if (!bytes)
        return error_nomem(err, "a copy buffer");
    enum haul_code code = HAUL_OK;
    while (length > 0 && !code) {
        size_t step = length < (int64_t)COPY_BYTES ? (size_t)length : COPY_BYTES;
        code = input_read_all(from, offset, bytes, step, err);
        if (!code)
            code = to->ops->append(to, bytes, step, err);
        offset += (int64_t)step;
        length -= (int64_t)step;
    }
    free(bytes);
    return code;
}

enum haul_code copy_to_file(struct file *to, struct input_file *from, int64_t offset, int64_t length,
                            bool *done, struct haul_error *err)
{
    struct file *local = local_input_handle(from);
    if (!local)
        local = spill_input_handle(from);
    *done = local != NULL;
    return local ? file_copy_range(local, offset, length, to, err) : HAUL_OK;
}
