/* list.h: the local files a name, a pattern or a folder stands for. Inner to store/. */
#ifndef HAUL_STORE_LIST_H
#define HAUL_STORE_LIST_H

#include "store/store.h"

#define LIST_NAMES_MAX ((size_t)1 << 20)

/* As store_ops.list. */
enum haul_code list_files(const char *pattern, struct arena *arena, const char ***names, size_t *count,
                          struct haul_error *err);

/* HAUL_NOT_FOUND for a name that is not there, with the near names of its folder. */
enum haul_code list_missing(const char *name, struct haul_error *err);

#endif
