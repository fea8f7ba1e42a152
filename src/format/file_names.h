/*
 * file_names.h: names of files: what table a file's name means, what files of a
 * folder are called, temporary names, and the way back from a name to its number.
 */
#ifndef HAUL_FORMAT_FILE_NAMES_H
#define HAUL_FORMAT_FILE_NAMES_H

#include "format/format.h"

/* The folder a file is in, with the slash at its end; "./" when none is said. */
const char *name_folder(const char *path, struct arena *arena);

/* A table's name made of "in/part-*.parquet": "part"; "data" when nothing is left. */
const char *name_table(const char *path, const struct format *format, struct arena *arena);

/* "schema_table" with characters unsafe in file names as %XX; schema may be NULL.
 * HAUL_UNSUPPORTED when it gets longer than a file name may be. */
enum haul_code name_stem(const char *schema, const char *table, struct arena *arena, const char **stem,
                         struct haul_error *err);

/* "STEM_part_00012.parquet" */
const char *name_part(const char *stem, uint64_t number, const char *suffix, struct arena *arena);

/* The number in such a name, given as its first `length` bytes; false when it is
 * not one of these. */
bool name_part_number(const char *name, size_t length, const char *stem, const char *suffix,
                      uint64_t *number);

/* ".BASE.haul-RUN.part", in the folder of `path`; BASE is what follows its last slash. */
const char *name_temp(const char *path, const char *run, struct arena *arena);

/* The length of BASE (it begins at name + 1) when `name` (without folder) is such a
 * temporary name, else 0. *own says if it is of `run`. */
size_t name_temp_base(const char *name, const char *run, bool *own);

#endif
