/*
 * file_plan.h: which part goes to which file, and which receipts of an earlier
 * process count. Inner to file_sink.
 */
#ifndef HAUL_FORMAT_FILE_PLAN_H
#define HAUL_FORMAT_FILE_PLAN_H

#include "format/file_folder.h"
#include "format/file_output.h"

/* Part p of P goes to file p x N / P. P 0: not known, everything goes to file 0. */
uint64_t plan_file_of(uint64_t part, uint64_t parts, uint64_t files);
uint64_t plan_first_part(uint64_t file, uint64_t parts, uint64_t files);

/* The receipts of an earlier process, sorted by part, one for each. */
struct receipts {
    struct receipt *items; /* texts copied too */
    size_t count;
    uint64_t parts; /* of the plan, as they say; 0 unknown */
};

enum haul_code receipts_copy(const struct run_record *run, struct arena *arena, struct receipts *receipts,
                             struct haul_error *err);
const struct receipt *receipts_find(const struct receipts *receipts, uint64_t part);

/* The files the receipts of a run speak of. */
enum haul_code plan_ours(const struct run_record *run, struct arena *arena, struct folder_ours *ours,
                         struct haul_error *err);

/* How many of `items` (sorted) form an unbroken run from `first_part` on, in one
 * file of one inode, ending at `size_max` bytes or before. */
size_t receipts_unbroken(const struct receipt *items, size_t count, uint64_t first_part, int64_t size_max);

/* Takes up a file where the receipts say it stands: open behind them, published,
 * or absent when none counts. `items` are those of its parts; *counted gets how
 * many of them are in. */
enum haul_code plan_recover(struct file_output *output, const struct receipt *items, size_t count,
                            size_t *counted, struct haul_error *err);

#endif
