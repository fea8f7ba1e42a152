/*
 * pack.c: text into members. A megabyte is many times the window of gzip and
 * enough for zstd at its fast levels, so little is lost by cutting there.
 */
#include "format/pack.h"

#include <string.h>

enum haul_code packer_open(struct packer *packer, enum packing packing, struct memory *memory,
                           struct haul_error *err)
{
    memset(packer, 0, sizeof *packer);
    buffer_init(&packer->text, memory);
    buffer_init(&packer->packed, memory);
    if (packing == PACKING_NONE)
        return HAUL_OK;
    return codec_open(&packer->codec, packing == PACKING_GZIP ? CODEC_GZIP : CODEC_ZSTD, -1, err);
}

void packer_close(struct packer *packer)
{
    if (packer->codec)
        codec_close(packer->codec);
    packer_rest(packer);
    packer->codec = NULL;
}

void packer_rest(struct packer *packer)
{
    buffer_release(&packer->text);
    buffer_release(&packer->packed);
}

enum haul_code packer_pack(struct packer *packer, struct haul_error *err)
{
    if (!packer->text.length)
        return HAUL_OK;
    if (codec_compress(packer->codec, packer->text.data, packer->text.length, &packer->packed, err))
        return err->code;
    buffer_clear(&packer->text);
    return HAUL_OK;
}

enum haul_code pack_append(enum packing packing, const struct buffer *text, struct output_file *file,
                           struct haul_error *err)
{
    struct packer packer;
    if (packing == PACKING_NONE)
        return file->ops->append(file, text->data, text->length, err);
    enum haul_code code = packer_open(&packer, packing, text->memory, err);
    if (!code)
        code = buffer_append(&packer.text, text->data, text->length, err);
    if (!code)
        code = packer_pack(&packer, err);
    if (!code)
        code = file->ops->append(file, packer.packed.data, packer.packed.length, err);
    packer_close(&packer);
    return code;
}
