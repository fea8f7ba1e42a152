/*
 * file_folder.h: a folder target: which of its files are ours, and which run's.
 */
#ifndef HAUL_FORMAT_FILE_FOLDER_H
#define HAUL_FORMAT_FILE_FOLDER_H

#include "base/file.h"
#include "format/format.h"

/* How the files of one table are called in one folder. */
struct folder_naming {
    const char *folder; /* with a slash at its end */
    const char *stem;   /* NULL: no part is recognised */
    const char *suffix;
    const char *run; /* whose temporary names are "own" */
};

/* The first data file or manifest in it, "" when there is none. */
enum haul_code folder_data_file(const char *folder, const struct format *const *formats, struct arena *arena,
                                const char **found, struct haul_error *err);

/* The first data file that is not of the table `stem`, "" when there is none. */
enum haul_code folder_foreign_file(const struct folder_naming *naming, const struct format *const *formats,
                                   struct arena *arena, const char **found, struct haul_error *err);

/* The number behind the highest one in use, by published files and by the
 * temporary files of other runs. */
enum haul_code folder_next_number(const struct folder_naming *naming, uint64_t *number,
                                  struct haul_error *err);

/* The number of the file, published or temporary and own, that has this inode. */
enum haul_code folder_find_inode(const struct folder_naming *naming, uint64_t inode, bool *found,
                                 uint64_t *number, struct haul_error *err);

/* Files a run has written, by what its receipts say: sorted by inode, each once. */
struct folder_mark {
    uint64_t inode;
    int64_t bytes_min;
};
struct folder_ours {
    struct folder_mark *marks;
    size_t count;
};
bool folder_is_ours(const struct folder_ours *ours, const struct file_identity *identity);

/* Removes published files of the table that are ours. */
enum haul_code folder_remove_ours(const struct folder_naming *naming, const struct folder_ours *ours,
                                  struct haul_error *err);

enum haul_code folder_remove_temps(const struct folder_naming *naming, struct haul_error *err);

/* Removes published files of the table numbered `from` and above. */
enum haul_code folder_remove_parts(const struct folder_naming *naming, uint64_t from, struct haul_error *err);

#endif
