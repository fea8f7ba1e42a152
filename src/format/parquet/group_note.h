/*
 * group_note.h: what the end of a file needs of a row group that is written: its
 * RowGroup struct with final offsets, and the page index of each column, which
 * goes to the end of the file.
 *
 * A record is lengths (u32) and Thrift structs: RowGroup, then for each leaf
 * ColumnIndex (length 0: none) and OffsetIndex. As base64 it is the note in a
 * unit's receipt.
 */
#ifndef HAUL_FORMAT_PARQUET_GROUP_NOTE_H
#define HAUL_FORMAT_PARQUET_GROUP_NOTE_H

#include "format/codec.h"
#include "format/parquet/chunk.h"

struct group {            /* a finished row group of a piece */
    struct chunk *chunks; /* one per leaf */
    int64_t rows;
};

struct group_place { /* where and how it stands in the file */
    const struct tree *tree;
    enum codec_id codec;
    int page_version;
    int64_t offset; /* of its first byte */
};

/* Appends the record of `group`. */
enum haul_code group_note_write(const struct group *group, const struct group_place *at, struct buffer *out,
                                struct haul_error *err);

struct group_note {
    struct row_group row_group;   /* in the arena; bytes stay in the record */
    struct slice *column_indexes; /* per leaf; length 0: none */
    struct slice *offset_indexes;
};

/* Reads the record at the start of `data`; *used gets its length. HAUL_DATA
 * when it is not one of `leaf_count` columns. */
enum haul_code group_note_read(struct slice data, int leaf_count, struct arena *arena,
                               struct group_note *note, size_t *used, struct haul_error *err)
    __attribute__((nonnull(3, 4, 5, 6)));

#endif
