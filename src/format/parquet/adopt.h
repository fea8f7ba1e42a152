/*
 * adopt.h: row groups of another file as a piece: bytes that are copied, metadata
 * that is rewritten for their new place.
 */
#ifndef HAUL_FORMAT_PARQUET_ADOPT_H
#define HAUL_FORMAT_PARQUET_ADOPT_H

#include "format/parquet/input.h"

struct adopted_piece {
    struct piece base;
    const struct parquet_input *input;
    struct group_range range;
    size_t group_count; /* of them with rows; the others are left behind */
};

/* NULL when it is not one. */
const struct adopted_piece *adopted_piece_of(const struct piece *piece);

/* The row groups a spec of `input` names; checks that they can be taken. */
enum haul_code adopted_piece_open(struct format_input *input, const char *spec, struct piece **piece,
                                  struct haul_error *err);

/* Appends the bytes of row group `group` to the file, and its record
 * (group_note.h) to `record`; nothing when it has no rows. */
enum haul_code adopted_group_append(const struct adopted_piece *piece, size_t group,
                                    const struct context *context, struct output_file *file,
                                    struct buffer *record, struct haul_error *err);

#endif
