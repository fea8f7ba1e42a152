/*
 * store.c: which store a name means, and what all of them share.
 *
 * A store is one table of operations (store.h). "-" is standard input and
 * output, "memory:NAME" lives in this process, everything else is a path. A
 * file that has a colon in its name is written "./a:b", which is a path again.
 */
#include "store/store.h"

#include <string.h>

const struct store_ops *store_for(const char *name)
{
    if (strcmp(name, "-") == 0)
        return &store_stdio;
    if (strncmp(name, "memory:", 7) == 0)
        return &store_memory;
    return &store_local;
}

enum haul_code input_read_all(struct input_file *file, int64_t offset, void *data, size_t length,
                              struct haul_error *err)
{
    size_t got = 0;
    enum haul_code code = file->ops->read_at(file, offset, data, length, &got, err);
    if (code || got == length)
        return code;
    return error_set(err, HAUL_DATA, "%s is cut short at byte %lld: %zu more were expected there", file->name,
                     (long long)offset + (long long)got, length - got);
}
