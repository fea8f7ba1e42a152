/*
 * blocks.h: the finished bytes of a piece of a text-like file: blocks in memory, a
 * spill file when memory has no room for another one, and, of a compressed file,
 * the packer that the text is made in (pack.h).
 *
 * Blocks are as large as a megabyte or what was asked for at once and never grow,
 * so a piece is never copied.
 */
#ifndef HAUL_FORMAT_BLOCKS_H
#define HAUL_FORMAT_BLOCKS_H

#include "format/pack.h"
#include "store/store.h"

struct blocks {
    struct memory *memory;
    struct buffer list; /* struct buffer: finished bytes, the last one being filled */
    struct packer packer;
    struct output_file *spill;
    struct input_file *spilled;
    struct arena arena; /* the name of the spill folder */
    const char *spill_folder;
};

/* `spill_folder` NULL: the current one. */
enum haul_code blocks_open(struct blocks *blocks, enum packing packing, const char *spill_folder,
                           struct memory *memory, struct haul_error *err);
void blocks_close(struct blocks *blocks);

/* A buffer with room for `bytes` more, to be filled at its end before the next call. */
enum haul_code blocks_room(struct blocks *blocks, size_t bytes, struct buffer **out, struct haul_error *err);

/* Is there anything that spilling would move? */
bool blocks_hold(const struct blocks *blocks);
enum haul_code blocks_spill(struct blocks *blocks, struct haul_error *err);

/* Nothing more will come. */
enum haul_code blocks_seal(struct blocks *blocks, struct haul_error *err);

/* Appends what there is to the file, spilled bytes first; the first block is kept
 * for what comes next. */
enum haul_code blocks_drain(struct blocks *blocks, struct output_file *file, struct haul_error *err);

#endif
