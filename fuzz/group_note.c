/*
 * group_note: any bytes as what a receipt keeps of a row group.
 *
 * It comes from a journal on disk or a ledger, so it may be anybody's. It is read
 * within its bounds or refused; what is accepted lies within the bytes.
 *
 * Front of the input: the number of columns.
 */
#include "fuzz.h"

#include "format/parquet/group_note.h"

static void must_lie_within(struct slice part, const struct buffer *all)
{
    if (part.length)
        must(part.data >= all->data && part.data + part.length <= all->data + all->length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct food food = {data, length};
    int leaves = food_byte(&food) % 8;
    struct buffer text = food_rest(&food);
    struct arena arena = {0};
    struct haul_error err = {0};
    struct group_note note = {0};
    size_t used = 0;
    const struct slice input = {text.data, text.length};
    enum haul_code code = group_note_read(input, leaves, &arena, &note, &used, &err);
    must_be_told(code, &err);
    if (code == HAUL_OK) {
        must(used <= text.length && note.row_group.columns.count == (size_t)leaves);
        for (int i = 0; i < leaves; i++) {
            must_lie_within(note.column_indexes[i], &text);
            must_lie_within(note.offset_indexes[i], &text);
        }
    }
    arena_release(&arena);
    buffer_release(&text);
    return 0;
}
