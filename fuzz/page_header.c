/*
 * page_header: any bytes as the header of a Parquet page.
 *
 * A header that is accepted has sizes and counts that make sense, and reads back
 * the same when written. One that is only cut is told apart from one that is
 * wrong: with any more bytes behind it, "cut" must not have been a lie, which is
 * tried by giving the parser every shorter input of an accepted one.
 */
#include "fuzz.h"

#include "format/parquet/page_header.h"

static void check(const struct page_header *header)
{
    must(header->uncompressed_size >= 0 && header->compressed_size >= 0);
    if (header->type == PAGE_DATA)
        must(header->data && header->data->num_values >= 0);
    if (header->type == PAGE_DICTIONARY)
        must(header->dictionary && header->dictionary->num_values >= 0);
    if (header->type == PAGE_DATA_V2)
        must(header->data_v2 && header->data_v2->definition_bytes >= 0 &&
             header->data_v2->repetition_bytes >= 0 &&
             header->data_v2->definition_bytes <=
                 header->compressed_size - header->data_v2->repetition_bytes);
}

static void read_again(const struct page_header *header)
{
    struct buffer once = {0}, twice = {0};
    struct arena arena = {0};
    struct haul_error err = {0};
    struct page_header second = {0};
    size_t used = 0;
    must(!page_header_write(header, &once, &err));
    const struct slice text = {once.data, once.length};
    must(!page_header_parse(text, &second, &arena, &used, &err));
    must(used == once.length);
    must(!page_header_write(&second, &twice, &err));
    must(once.length == twice.length && memcmp(once.data, twice.data, once.length) == 0);
    buffer_release(&once);
    buffer_release(&twice);
    arena_release(&arena);
}

static void cut_short(const struct buffer *text, size_t used)
{
    size_t step = used / 16 + 1;
    for (size_t length = 0; length < used; length += step) {
        struct arena arena = {0};
        struct haul_error err = {0};
        struct page_header header = {0};
        size_t ending = 0;
        const struct slice part = {text->data, length};
        must(page_header_parse(part, &header, &arena, &ending, &err) && ending == THRIFT_CUT);
        arena_release(&arena);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct food food = {data, length};
    struct buffer text = food_rest(&food);
    struct arena arena = {0};
    struct haul_error err = {0};
    struct page_header header = {0};
    size_t used = 0;
    const struct slice input = {text.data, text.length};
    enum haul_code code = page_header_parse(input, &header, &arena, &used, &err);
    must_be_told(code, &err);
    if (code == HAUL_OK) {
        must(used <= text.length);
        check(&header);
        read_again(&header);
        cut_short(&text, used);
    }
    arena_release(&arena);
    buffer_release(&text);
    return 0;
}
