/*
 * pack.h: the text of a piece, compressed as it is made: each megabyte of it is a
 * gzip member or zstd frame of its own, so pieces can stand one behind another in
 * a file, be spilled, and be appended by another process, like plain text.
 */
#ifndef HAUL_FORMAT_PACK_H
#define HAUL_FORMAT_PACK_H

#include "format/codec.h"
#include "format/decompress.h"
#include "store/store.h"

#define PACK_BYTES ((size_t)1 << 20) /* of text in a member */

struct packer {
    struct codec *codec;  /* NULL: plain text */
    struct buffer text;   /* not compressed yet */
    struct buffer packed; /* members that nobody took yet */
};

/* PACKING_NONE leaves it all zero. */
enum haul_code packer_open(struct packer *packer, enum packing packing, struct memory *memory,
                               struct haul_error *err);
void packer_close(struct packer *packer);

/* The text becomes a member at the end of `packed`, which is the caller's to take. */
enum haul_code packer_pack(struct packer *packer, struct haul_error *err);

static inline bool packer_holds(const struct packer *packer)
{
    return packer->text.length || packer->packed.length;
}

/* Lets go of the buffers: nothing more will come. */
void packer_rest(struct packer *packer);

/* Appends a small text to a file: as it is, or as a member of its own. */
enum haul_code pack_append(enum packing packing, const struct buffer *text, struct output_file *file,
                           struct haul_error *err);

#endif
