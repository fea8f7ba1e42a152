/*
 * codec: each codec on bytes that are anything, and on its own.
 *
 * Decompressing gives exactly the length that was told or HAUL_DATA, and never
 * touches a byte beyond either end (the output block is exactly as long as told);
 * what was compressed comes back.
 *
 * Front of the input: codec, direction, told length (2).
 */
#include "fuzz.h"

#include "format/codec.h"

static void decompress(struct codec *codec, const struct buffer *text, size_t told)
{
    struct haul_error err = {0};
    uint8_t *out = malloc(told ? told : 1);
    must(out);
    enum haul_code code = codec_decompress(codec, text->data, text->length, out, told, &err);
    must_be_told(code, &err);
    must(code == HAUL_OK || code == HAUL_DATA);
    if (code == HAUL_OK) { /* every byte was written: the sanitizer sees them read */
        unsigned sum = 0;
        for (size_t i = 0; i < told; i++)
            sum += out[i];
        must(sum <= told * 255);
    }
    free(out);
}

static void round_trip(struct codec *codec, const struct buffer *text)
{
    struct haul_error err = {0};
    struct buffer packed = {0};
    uint8_t *out = malloc(text->length ? text->length : 1);
    must(out);
    must(!codec_compress(codec, text->data, text->length, &packed, &err));
    must(!codec_decompress(codec, packed.data, packed.length, out, text->length, &err));
    must(!text->length || memcmp(out, text->data, text->length) == 0);
    must(codec_decompress(codec, packed.data, packed.length, out, text->length / 2, &err) ||
         text->length < 2);
    buffer_release(&packed);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static struct codec *codecs[CODEC_COUNT]; /* kept between inputs, as a worker keeps them */
    struct food food = {data, length};
    unsigned id = food_byte(&food) % CODEC_COUNT;
    uint8_t direction = food_byte(&food);
    size_t told = food_u16(&food);
    struct haul_error err = {0};
    if (!codecs[id])
        must(!codec_open(&codecs[id], (enum codec_id)id, -1, &err));
    struct buffer text = food_rest(&food);
    if ((direction & 1) && id != CODEC_LZ4_HADOOP) /* which is only read */
        round_trip(codecs[id], &text);
    else
        decompress(codecs[id], &text, direction & 2 ? told * 64 : told);
    buffer_release(&text);
    return 0;
}
