/*
 * pack.h: the text of a piece, compressed as it is made: each megabyte of it is a
 * gzip member or zstd frame of its own, so pieces can stand one behind another in
 * a file, be spilled, and be appended by another process, like plain text.
 */
#ifndef HAUL_FORMAT_CSV_PACK_H
#define HAUL_FORMAT_CSV_PACK_H

#include "format/codec.h"
#include "format/decompress.h"

#define CSV_PACK_BYTES ((size_t)1 << 20) /* of text in a member */

struct csv_packer {
    struct codec *codec;  /* NULL: plain text */
    struct buffer text;   /* not compressed yet */
    struct buffer packed; /* members that nobody took yet */
};

/* PACKING_NONE leaves it all zero. */
enum haul_code csv_packer_open(struct csv_packer *packer, enum packing packing, struct memory *memory,
                               struct haul_error *err);
void csv_packer_close(struct csv_packer *packer);

/* The text becomes a member at the end of `packed`, which is the caller's to take. */
enum haul_code csv_packer_pack(struct csv_packer *packer, struct haul_error *err);

static inline bool csv_packer_holds(const struct csv_packer *packer)
{
    return packer->text.length || packer->packed.length;
}

/* Lets go of the buffers: nothing more will come. */
void csv_packer_rest(struct csv_packer *packer);

#endif
