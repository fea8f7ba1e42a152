/*
 * pack.c: text into members. A megabyte is many times the window of gzip and
 * enough for zstd at its fast levels, so little is lost by cutting there.
 */
#include "format/csv/pack.h"

#include <string.h>

enum haul_code csv_packer_open(struct csv_packer *packer, enum packing packing, struct memory *memory,
                               struct haul_error *err)
{
    memset(packer, 0, sizeof *packer);
    buffer_init(&packer->text, memory);
    buffer_init(&packer->packed, memory);
    if (packing == PACKING_NONE)
        return HAUL_OK;
    return codec_open(&packer->codec, packing == PACKING_GZIP ? CODEC_GZIP : CODEC_ZSTD, -1, err);
}

void csv_packer_close(struct csv_packer *packer)
{
    if (packer->codec)
        codec_close(packer->codec);
    csv_packer_rest(packer);
    packer->codec = NULL;
}

void csv_packer_rest(struct csv_packer *packer)
{
    buffer_release(&packer->text);
    buffer_release(&packer->packed);
}

enum haul_code csv_packer_pack(struct csv_packer *packer, struct haul_error *err)
{
    if (!packer->text.length)
        return HAUL_OK;
    if (codec_compress(packer->codec, packer->text.data, packer->text.length, &packer->packed, err))
        return err->code;
    buffer_clear(&packer->text);
    return HAUL_OK;
}
