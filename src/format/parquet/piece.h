/*
 * piece.h: the rows of one unit as row groups: encoded while they come, kept as
 * finished pages in memory or in a spill file, without a place in a file yet.
 */
#ifndef HAUL_FORMAT_PARQUET_PIECE_H
#define HAUL_FORMAT_PARQUET_PIECE_H

#include "format/format.h"
#include "format/parquet/column_writer.h"
#include "format/parquet/group_note.h"
#include "format/parquet/shred.h"

/* Fixed for a file by its schema and the job's options. */
struct write_plan {
    const struct schema *schema;
    const struct tree *tree;
    enum codec_id codec;
    int codec_level; /* -1: the codec's own */
    int page_version;
    enum encoding_wish wish;
    bool bloom;                      /* Bloom filters of columns whose values are few */
    int64_t group_rows, group_bytes; /* a row group is full when it reaches one of them */
};

struct parquet_piece {
    struct piece base;
    struct context context; /* the worker's */
    const struct write_plan *plan;
    struct column_plan columns_plan;
    struct page_writer pages;
    struct shredder shredder;
    struct column_writer *columns; /* one per leaf */
    int64_t rows, bytes;           /* in the row group being filled */
    struct group *groups;          /* finished ones */
    size_t group_count, group_room;
    struct spill spill;
    size_t relieved_at; /* memory in use after it was last relieved */
    bool sealed;
};

/* `plan` stays borrowed; `spill_folder` too. */
enum haul_code parquet_piece_open(const struct write_plan *plan, const struct context *context,
                                  const char *spill_folder, struct piece **piece, struct haul_error *err);

#endif
