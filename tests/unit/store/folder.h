/*
 * folder.h: a temporary folder for tests of files, and short ways to look into it.
 */
#ifndef HAUL_TESTS_FOLDER_H
#define HAUL_TESTS_FOLDER_H

#include <dirent.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder_path[128];

static inline void folder_make(void)
{
    const char *home = getenv("TMPDIR");
    snprintf(folder_path, sizeof folder_path, "%s/haul-test-XXXXXX", home && home[0] ? home : "/tmp");
    if (!mkdtemp(folder_path))
        abort();
}

/* "NAME" in the folder; eight texts live at once. */
static inline const char *in_folder(const char *name)
{
    static char texts[8][512];
    static int next;
    char *text = texts[next++ & 7];
    snprintf(text, sizeof texts[0], "%s/%s", folder_path, name);
    return text;
}

static inline int folder_remove_each(const char *path, const struct stat *facts, int kind, struct FTW *place)
{
    (void)facts;
    (void)kind;
    (void)place;
    return remove(path);
}

static inline void folder_remove(void)
{
    nftw(folder_path, folder_remove_each, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void file_put(const char *name, const char *text)
{
    FILE *file = fopen(in_folder(name), "wb");
    if (!file || fwrite(text, 1, strlen(text), file) != strlen(text) || fclose(file))
        abort();
}

/* The bytes as text, or "(absent)". */
static inline const char *file_get(const char *name)
{
    static char text[65536];
    FILE *file = fopen(in_folder(name), "rb");
    if (!file)
        return "(absent)";
    size_t length = fread(text, 1, sizeof text - 1, file);
    text[length] = '\0';
    fclose(file);
    return text;
}

static inline bool file_there(const char *name)
{
    struct stat facts;
    return lstat(in_folder(name), &facts) == 0;
}

/* How many names, hidden ones too. */
static inline int folder_count(const char *name)
{
    int count = 0;
    DIR *folder = opendir(in_folder(name));
    if (!folder)
        return -1;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(folder);
    return count;
}

#endif
