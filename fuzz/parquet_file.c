/*
 * parquet_file: any bytes as a whole Parquet file.
 *
 * Opened, described, inspected, split and read to its end within a budget of
 * 8 MiB, whatever its sizes claim. All values of each batch are touched by
 * hashing its rows, so that a bad offset is seen; strings that are called text
 * are text. A file that reads at once reads the same in batches of 7 rows, and with
 * columns of few values given as dictionaries.
 */
#include "rows.h"

#include "base/unicode.h"
#include "format/parquet/parquet.h"

#define BUDGET   ((size_t)8 << 20)
#define ROWS_MAX 200000 /* read of one input: runs of NULLs are cheap to claim */

struct total {
    struct hasher hasher;
    struct hash128 sum;
    struct haul_error err;
    int64_t rows;
};

static void text_is_text(const struct view *view)
{
    if (view->indices || !view->length)
        return;
    for (int64_t i = 0; i < view->length; i++)
        must(view->offsets[i] <= view->offsets[i + 1]);
    if (view->field->type == TYPE_UTF8)
        must(unicode_is_valid(view->data + view->offsets[0],
                              (size_t)(view->offsets[view->length] - view->offsets[0])));
}

static void look(void *user, const struct batch *batch)
{
    struct total *total = user;
    struct hash128 sum;
    for (int i = 0; i < batch->schema->count; i++) {
        struct view view;
        must(!view_init(&view, &batch->schema->fields[i], batch->array.children[i], &total->err));
        must(view.length == batch->array.length);
        if (type_table[view.field->type].layout == LAYOUT_BYTES)
            text_is_text(&view);
    }
    must(!hash_batch(&total->hasher, batch, &sum, &total->err));
    total->sum = hash_add(total->sum, sum);
    total->rows += batch->array.length;
}

/* True when it was read to its end. */
static bool read_all(const struct buffer *bytes, int64_t rows_max, enum dictionaries dictionaries,
                     struct total *total)
{
    struct rows rows = {.source.dictionaries = dictionaries};
    struct arena arena = {0};
    struct split_request request = {.part_rows = 1, .part_bytes = -1};
    bool whole = rows_open(&rows, &format_parquet, bytes, BUDGET), more = whole;
    if (whole)
        must(!hasher_init(&total->hasher, &rows.info.schema, false, NULL, &total->err));
    int64_t offered = 0;
    while (whole && more && offered < ROWS_MAX) {
        struct part part = {.rows = -1, .bytes = -1};
        whole = rows.input->ops->split(rows.input, &request, &arena, &part, &more, &rows.err) == HAUL_OK;
        if (whole && more && part.rows > ROWS_MAX)
            break;
        if (whole && more)
            whole = rows_read(&rows, &part, rows_max, &offered, look, total);
    }
    must_be_told(rows.err.code, &rows.err);
    must(rows.err.code != HAUL_INTERNAL);
    if (whole && !more)
        must(offered == rows.info.rows);
    hasher_release(&total->hasher);
    arena_release(&arena);
    rows_close(&rows);
    return whole;
}

static void inspect(const struct buffer *bytes)
{
    struct rows rows = {0};
    struct inspection inspection = {0};
    if (rows_open(&rows, &format_parquet, bytes, BUDGET)) {
        enum haul_code code = rows.input->ops->inspect(rows.input, &inspection, &rows.err);
        must_be_told(code, &rows.err);
    }
    arena_release(&inspection.arena);
    rows_close(&rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct food food = {data, length};
    struct buffer bytes = food_rest(&food);
    struct total once = {0}, pieces = {0};
    bool whole = read_all(&bytes, BATCH_ROWS, DICTIONARIES_NONE, &once);
    if (whole && once.rows < 5000) {
        must(read_all(&bytes, 7, DICTIONARIES_NONE, &pieces));
        must(hash_equal(once.sum, pieces.sum) && once.rows == pieces.rows);
    } else if (whole && once.rows < ROWS_MAX) { /* row groups that are large enough for dictionaries */
        must(read_all(&bytes, BATCH_ROWS, DICTIONARIES_ALL, &pieces));
        must(hash_equal(once.sum, pieces.sum) && once.rows == pieces.rows);
    }
    inspect(&bytes);
    buffer_release(&bytes);
    return 0;
}
