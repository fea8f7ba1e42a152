/*
 * blocks.c: filling, spilling and draining. When memory has no room for another
 * block, those that are full go to the spill file and the room is used again.
 */
#include "format/blocks.h"

#include <string.h>

#define BLOCK_BYTES ((size_t)1 << 20)

static struct buffer *block_at(struct blocks *blocks, size_t i)
{
    return (struct buffer *)(void *)blocks->list.data + i;
}

static size_t block_count(const struct blocks *blocks)
{
    return blocks->list.length / sizeof(struct buffer);
}

/* What the packer has not compressed yet. */
static enum haul_code append_rest(struct blocks *blocks, struct output_file *file, struct haul_error *err)
{
    struct buffer *packed = &blocks->packer.packed;
    if (!packer_holds(&blocks->packer))
        return HAUL_OK;
    if (packer_pack(&blocks->packer, err) || file->ops->append(file, packed->data, packed->length, err))
        return err->code;
    buffer_clear(packed);
    return HAUL_OK;
}

enum haul_code blocks_spill(struct blocks *blocks, struct haul_error *err)
{
    if (block_count(blocks) == 0 && !packer_holds(&blocks->packer))
        return HAUL_OK;
    if (!blocks->spill && store_spill_open(blocks->spill_folder, &blocks->spill, &blocks->spilled, err))
        return err->code;
    for (size_t i = 0; i < block_count(blocks); i++) {
        struct buffer *block = block_at(blocks, i);
        if (block->length && blocks->spill->ops->append(blocks->spill, block->data, block->length, err))
            return error_prefix(err, "spilling to %s", blocks->spill_folder);
        buffer_release(block);
    }
    buffer_clear(&blocks->list);
    return append_rest(blocks, blocks->spill, err);
}

static enum haul_code new_block(struct blocks *blocks, size_t bytes, struct haul_error *err)
{
    struct buffer block;
    buffer_init(&block, blocks->memory);
    if (buffer_reserve(&block, bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES - BUFFER_PADDING, err))
        return err->code;
    if (buffer_append(&blocks->list, &block, sizeof block, err)) {
        buffer_release(&block);
        return err->code;
    }
    return HAUL_OK;
}

/* Finished bytes behind those of the blocks. */
static enum haul_code keep_packed(struct blocks *blocks, struct haul_error *err)
{
    struct buffer *packed = &blocks->packer.packed;
    if (!packer_holds(&blocks->packer))
        return HAUL_OK;
    if (packer_pack(&blocks->packer, err))
        return err->code;
    size_t count = block_count(blocks);
    struct buffer *last = count ? block_at(blocks, count - 1) : NULL;
    if (!last || last->capacity - last->length < packed->length + BUFFER_PADDING) {
        if (new_block(blocks, packed->length, err))
            return err->code;
        last = block_at(blocks, count);
    }
    buffer_put(last, packed->data, packed->length);
    buffer_clear(packed);
    return HAUL_OK;
}

/* The same in the packer, which is emptied when it is full. */
static enum haul_code make_text_room(struct blocks *blocks, size_t bytes, struct buffer **out,
                                     struct haul_error *err)
{
    struct buffer *text = &blocks->packer.text;
    *out = text;
    if (text->length && text->length + bytes > PACK_BYTES && keep_packed(blocks, err))
        return err->code;
    size_t room = PACK_BYTES - BUFFER_PADDING, want = text->length < room ? room - text->length : 0;
    return buffer_reserve(text, bytes > want ? bytes : want, err);
}

/* A block with room for `bytes` more. */
enum haul_code blocks_room(struct blocks *blocks, size_t bytes, struct buffer **out, struct haul_error *err)
{
    if (blocks->packer.codec)
        return make_text_room(blocks, bytes, out, err);
    size_t count = block_count(blocks);
    struct buffer *last = count ? block_at(blocks, count - 1) : NULL;
    if (!last || last->capacity - last->length < bytes + BUFFER_PADDING) {
        if (new_block(blocks, bytes, err))
            return err->code;
        last = block_at(blocks, count);
    }
    *out = last;
    return HAUL_OK;
}

/* ---- the whole ---- */

bool blocks_hold(const struct blocks *blocks)
{
    return block_count(blocks) || packer_holds(&blocks->packer);
}

enum haul_code blocks_seal(struct blocks *blocks, struct haul_error *err)
{
    if (keep_packed(blocks, err))
        return err->code;
    packer_rest(&blocks->packer);
    return HAUL_OK;
}

static void spill_close(struct blocks *blocks)
{
    if (blocks->spill)
        blocks->spill->ops->close(blocks->spill);
    if (blocks->spilled)
        blocks->spilled->ops->close(blocks->spilled);
    blocks->spill = NULL;
    blocks->spilled = NULL;
}

enum haul_code blocks_drain(struct blocks *blocks, struct output_file *file, struct haul_error *err)
{
    size_t count = block_count(blocks);
    if (blocks->spilled && file->ops->copy_from(file, blocks->spilled, 0, blocks->spilled->size, err))
        return err->code;
    spill_close(blocks);
    for (size_t i = 0; i < count; i++) {
        struct buffer *block = block_at(blocks, i);
        if (block->length && file->ops->append(file, block->data, block->length, err))
            return err->code;
        buffer_clear(block);
        if (i > 0)
            buffer_release(block);
    }
    blocks->list.length = count ? sizeof(struct buffer) : 0;
    return append_rest(blocks, file, err);
}

void blocks_close(struct blocks *blocks)
{
    for (size_t i = 0; i < block_count(blocks); i++)
        buffer_release(block_at(blocks, i));
    buffer_release(&blocks->list);
    packer_close(&blocks->packer);
    spill_close(blocks);
    arena_release(&blocks->arena);
}

enum haul_code blocks_open(struct blocks *blocks, enum packing packing, const char *spill_folder,
                           struct memory *memory, struct haul_error *err)
{
    memset(blocks, 0, sizeof *blocks);
    blocks->memory = memory;
    buffer_init(&blocks->list, memory);
    blocks->spill_folder = arena_text(&blocks->arena, spill_folder ? spill_folder : ".");
    if (!blocks->spill_folder)
        return error_nomem(err, "a piece of a file");
    return packer_open(&blocks->packer, packing, memory, err);
}
