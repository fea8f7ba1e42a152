/*
 * column_writer.c: filling pages, and which encoding they get.
 *
 * "auto" measures. Values of a chunk's first page go through the dictionary;
 * when the page is full, what the dictionary would cost (indices, and the values
 * it keeps growing by) is compared with the plain form and, for integers, with
 * distances from one to the next. If the dictionary loses, the page is turned
 * back into values and the chunk goes on without one: not again with one later, as
 * DuckDB 2.0 misreads chunks whose first pages have no indices and whose later ones do.
 * If it wins, each later page is asked whether it still does; once it does not, or the
 * dictionary is full, the rest of the chunk is written directly. The choice between plain, delta and split is
 * made once per chunk, at the first page that needs it. Split alone makes nothing smaller, so a sample is
 * compressed in both forms.
 *
 * A dictionary that is full in the middle of a page ends that page before the
 * row that had no room.
 */
#include "format/parquet/column_writer.h"
#include "format/parquet/bitpack.h"
#include "format/parquet/bloom.h"
#include "format/parquet/encode_delta.h"
#include "format/parquet/encode_hybrid.h"
#include "format/parquet/encode_plain.h"
#include "format/parquet/encode_split.h"

#define STEPS_PER_VALUE_MAX 32u                /* of the dictionary's probing; more are hostile values */
#define KEEP_FACTOR         4u                 /* a page's buffer this many times too large is given back */
#define SPLIT_SAMPLE_BYTES  ((size_t)32 << 10) /* of a page, to be compressed plain and split */
#define SPLIT_SAMPLE_LEAST  512u               /* fewer bytes are not worth looking at */

static bool is_integer(const struct column_writer *writer)
{
    return writer->leaf->physical == PARQUET_INT32 || writer->leaf->physical == PARQUET_INT64;
}

/* Halves may be split, too, but not every reader knows. */
static bool is_float(const struct column_writer *writer)
{
    return writer->leaf->physical == PARQUET_FLOAT || writer->leaf->physical == PARQUET_DOUBLE;
}

/* ---- the life of a chunk ---- */

static void choose_at_start(struct column_writer *writer)
{
    enum encoding_wish wish = writer->plan->wish;
    writer->state = wish == WISH_DICTIONARY ? COLUMN_DICTIONARY : COLUMN_UNDECIDED;
    writer->direct = ENCODING_PLAIN;
    writer->direct_chosen = wish == WISH_PLAIN || wish == WISH_DICTIONARY;
    if (wish == WISH_DELTA && is_integer(writer)) {
        writer->direct = ENCODING_DELTA_BINARY_PACKED;
        writer->direct_chosen = true;
    } else if (wish == WISH_DELTA && writer->width == 0) {
        writer->direct = ENCODING_DELTA_LENGTH_BYTE_ARRAY;
        writer->direct_chosen = true;
    } else if (wish == WISH_SPLIT && is_float(writer)) {
        writer->direct = ENCODING_BYTE_STREAM_SPLIT;
        writer->direct_chosen = true;
    }
    if (writer->direct_chosen && wish != WISH_DICTIONARY)
        writer->state = COLUMN_DIRECT;
    if (writer->leaf->physical == PARQUET_BOOLEAN || writer->leaf->field->type == TYPE_NULL) {
        writer->state = COLUMN_DIRECT;
        writer->direct_chosen = true;
        writer->direct = writer->leaf->physical == PARQUET_BOOLEAN && writer->pages->version == 2
                             ? ENCODING_RLE
                             : ENCODING_PLAIN;
    }
}

static void chunk_begin(struct column_writer *writer)
{
    struct memory *memory = writer->plan->memory;
    chunk_init(&writer->chunk, memory);
    dictionary_init(&writer->dictionary, writer->width, writer->plan->dictionary_bytes, memory);
    writer->rows = 0;
    writer->looked_up = 0;
    writer->known_at_start = 0;
    writer->looked_at = false;
    writer->sorted = (writer->order == ORDER_I32 || writer->order == ORDER_I64) && writer->leaf->rep == 0;
    choose_at_start(writer);
}

void column_writer_init(struct column_writer *writer, const struct node *leaf, const struct column_plan *plan,
                        struct page_writer *pages)
{
    memset(writer, 0, sizeof *writer);
    writer->leaf = leaf;
    writer->plan = plan;
    writer->pages = pages;
    writer->order = statistics_order(leaf);
    writer->width = dense_width(leaf);
    buffer_init(&writer->def, plan->memory);
    buffer_init(&writer->rep, plan->memory);
    buffer_init(&writer->values, plan->memory);
    buffer_init(&writer->indices, plan->memory);
    buffer_init(&writer->known, plan->memory);
    chunk_begin(writer);
}

void column_writer_release(struct column_writer *writer)
{
    chunk_release(&writer->chunk);
    dictionary_release(&writer->dictionary);
    buffer_release(&writer->def);
    buffer_release(&writer->rep);
    buffer_release(&writer->values);
    buffer_release(&writer->indices);
    buffer_release(&writer->known);
}

/* ---- encoding a page ---- */

static const uint32_t *page_indices(const struct column_writer *writer)
{
    return (const uint32_t *)(const void *)writer->indices.data;
}

static int index_width(const struct column_writer *writer)
{
    return writer->dictionary.count > 0 ? bitpack_width(writer->dictionary.count - 1) : 0;
}

static enum haul_code encode_indices(struct column_writer *writer, struct haul_error *err)
{
    struct buffer *out = &writer->pages->values;
    uint8_t width = (uint8_t)index_width(writer);
    buffer_clear(out);
    enum haul_code code = buffer_append(out, &width, 1, err);
    return code ? code : encode_hybrid(page_indices(writer), writer->page_values, width, out, err);
}

static enum haul_code encode_bools_v2(struct column_writer *writer, struct buffer *out,
                                      struct haul_error *err)
{
    uint32_t length = 0;
    enum haul_code code = buffer_append(out, &length, sizeof length, err);
    if (!code)
        code = encode_hybrid_bytes(writer->values.data, writer->page_values, 1, &writer->pages->scratch, out,
                                   err);
    if (code)
        return code;
    length = (uint32_t)(out->length - sizeof length);
    memcpy(out->data, &length, sizeof length);
    return HAUL_OK;
}

static enum haul_code encode_deltas(struct column_writer *writer, struct buffer *out, struct haul_error *err)
{
    const void *values = writer->values.data;
    return writer->width == 4 ? encode_delta_i32(values, writer->page_values, out, err)
                              : encode_delta_i64(values, writer->page_values, out, err);
}

/* Values that are not in a dictionary: *encoded gets their bytes. */
static enum haul_code encode_direct(struct column_writer *writer, struct slice *encoded,
                                    struct haul_error *err)
{
    struct buffer *out = &writer->pages->values;
    enum haul_code code = HAUL_OK;
    buffer_clear(out);
    if (writer->direct == ENCODING_RLE)
        code = encode_bools_v2(writer, out, err);
    else if (writer->leaf->physical == PARQUET_BOOLEAN)
        code = encode_plain_bools(writer->values.data, writer->page_values, out, err);
    else if (writer->direct == ENCODING_DELTA_BINARY_PACKED)
        code = encode_deltas(writer, out, err);
    else if (writer->direct == ENCODING_DELTA_LENGTH_BYTE_ARRAY)
        code =
            encode_delta_length(writer->values.data, writer->page_values, &writer->pages->scratch, out, err);
    else if (writer->direct == ENCODING_BYTE_STREAM_SPLIT)
        code = encode_split(writer->values.data, writer->page_values, writer->width, out, err);
    else
        out = &writer->values;
    *encoded = (struct slice){out->data, out->length};
    return code;
}

/* ---- choosing ---- */

static size_t measure_delta(const struct column_writer *writer)
{
    const void *values = writer->values.data;
    if (!is_integer(writer) || writer->page_values == 0)
        return SIZE_MAX;
    return writer->width == 4 ? encode_delta_measure_i32(values, writer->page_values)
                              : encode_delta_measure_i64(values, writer->page_values);
}

/* Deltas must be clearly smaller: plain values decode faster and compress better. */
static bool delta_is_worth(size_t delta, size_t plain)
{
    return delta != SIZE_MAX && delta < plain - plain / 5;
}

/* Do floats compress clearly better with their bytes split? Theirs are like one
 * another at the same place (sign, exponent), hardly ever one after the other. */
static enum haul_code measure_split(struct column_writer *writer, bool *worth, struct haul_error *err)
{
    struct slice sample = {writer->values.data, writer->values.length};
    struct buffer *split = &writer->pages->values;
    size_t plain_length = 0, split_length = 0;
    *worth = false;
    if (!is_float(writer) || !writer->pages->codec || sample.length < SPLIT_SAMPLE_LEAST)
        return HAUL_OK;
    if (sample.length > SPLIT_SAMPLE_BYTES)
        sample.length = SPLIT_SAMPLE_BYTES;
    buffer_clear(split);
    if (encode_split(sample.data, sample.length / writer->width, writer->width, split, err) ||
        page_measure(writer->pages, sample, &plain_length, err) ||
        page_measure(writer->pages, (struct slice){split->data, split->length}, &split_length, err))
        return err->code;
    *worth = split_length < plain_length - plain_length / 32;
    return HAUL_OK;
}

/* Between plain, delta and split; the page is there in plain form. */
static enum haul_code choose_direct(struct column_writer *writer, struct haul_error *err)
{
    bool split = false;
    if (writer->direct_chosen || writer->page_values == 0)
        return HAUL_OK;
    writer->direct_chosen = true;
    if (measure_split(writer, &split, err))
        return err->code;
    if (split)
        writer->direct = ENCODING_BYTE_STREAM_SPLIT;
    else if (delta_is_worth(measure_delta(writer), writer->page_plain))
        writer->direct = ENCODING_DELTA_BINARY_PACKED;
    return HAUL_OK;
}

/* Values that were new in the second half of the page: what the dictionary keeps growing by. */
static size_t growth_bytes(const struct column_writer *writer)
{
    const uint32_t *indices = page_indices(writer);
    uint32_t first_half = writer->known_at_start;
    for (size_t i = 0; i < writer->page_values / 2; i++)
        first_half = indices[i] >= first_half ? indices[i] + 1 : first_half;
    uint64_t grown = writer->dictionary.count - first_half;
    return (size_t)(2 * grown * writer->dictionary.values.length / (writer->dictionary.count + 1u));
}

static bool is_hostile(const struct column_writer *writer)
{
    return writer->dictionary.steps > STEPS_PER_VALUE_MAX * writer->looked_up;
}

static enum haul_code expand_page(struct column_writer *writer, struct haul_error *err)
{
    buffer_clear(&writer->values);
    return dictionary_expand(&writer->dictionary, page_indices(writer), writer->page_values, &writer->values,
                             err);
}

/* The end of the first page. Afterwards page->values holds the page in plain form. */
static enum haul_code decide(struct column_writer *writer, bool last, struct haul_error *err)
{
    if (writer->page_values == 0)
        return HAUL_OK;
    enum haul_code code = encode_indices(writer, err);
    if (!code)
        code = expand_page(writer, err);
    if (code)
        return code;
    size_t indexed = writer->pages->values.length;
    indexed += last ? writer->dictionary.values.length : growth_bytes(writer);
    size_t direct = writer->page_plain, delta = measure_delta(writer);
    if (delta_is_worth(delta, direct))
        direct = delta;
    writer->state = indexed < direct ? COLUMN_DICTIONARY : COLUMN_DIRECT;
    if (writer->state != COLUMN_DIRECT)
        return HAUL_OK;
    dictionary_release(&writer->dictionary);
    buffer_release(&writer->indices);
    return choose_direct(writer, err);
}

static enum haul_code write_dictionary(struct column_writer *writer, struct haul_error *err)
{
    struct chunk *chunk = &writer->chunk;
    struct slice values = {writer->dictionary.values.data, writer->dictionary.values.length};
    struct page_size size = {0};
    if (writer->dictionary.count == 0 || chunk->dictionary.length > 0)
        return HAUL_OK;
    enum haul_code code = page_write_dictionary(writer->pages, values, writer->dictionary.count,
                                                &chunk->dictionary, &size, err);
    chunk->plain_bytes += size.plain;
    dictionary_release(&writer->dictionary);
    return code;
}

/* From here on values are written directly; the page must be empty. */
static enum haul_code leave_dictionary(struct column_writer *writer, struct haul_error *err)
{
    bool used = writer->chunk.encoded[ENCODING_RLE_DICTIONARY] > 0;
    enum haul_code code = used ? write_dictionary(writer, err) : HAUL_OK;
    dictionary_release(&writer->dictionary);
    buffer_release(&writer->indices);
    writer->state = COLUMN_DIRECT;
    return code;
}

/* ---- ending a page ---- */

static void page_reset(struct column_writer *writer)
{
    writer->page_rows = 0;
    writer->page_levels = 0;
    writer->page_values = 0;
    writer->page_filled = 0;
    writer->page_plain = 0;
    memset(&writer->bounds, 0, sizeof writer->bounds);
    buffer_clear(&writer->def);
    buffer_clear(&writer->rep);
    buffer_clear(&writer->indices);
    writer->known_at_start = writer->dictionary.count;
    if (writer->values.capacity > KEEP_FACTOR * writer->plan->page_bytes)
        buffer_release(&writer->values);
    buffer_clear(&writer->values);
}

static enum haul_code page_put(struct column_writer *writer, enum parquet_encoding encoding,
                               struct slice values, struct haul_error *err)
{
    struct chunk *chunk = &writer->chunk;
    struct page page = {
        .levels = writer->page_levels,
        .nulls = writer->page_levels - writer->page_values,
        .rows = writer->page_rows,
        .def_max = writer->leaf->def,
        .rep_max = writer->leaf->rep,
        .def = writer->def.length > 0 ? writer->def.data : NULL,
        .rep = writer->rep.data,
        .encoding = encoding,
        .values = values,
        .own = values.data && values.data == writer->values.data ? &writer->values : NULL,
    };
    struct page_size size = {0};
    enum haul_code code = page_write_data(writer->pages, &page, &chunk->pages, &size, err);
    if (code)
        return code;
    struct page_note note = {
        .stored = size.stored, .first_row = writer->rows, .null_count = (int64_t)page.nulls};
    code = chunk_note(chunk, &note, &writer->bounds, writer->order, err);
    chunk->plain_bytes += size.plain;
    chunk->values += (int64_t)page.levels;
    chunk->encoded[encoding]++;
    writer->rows += page.rows;
    return code;
}

/* Strings by the dictionary are compared once per page each, not once per value. */
static enum haul_code bound_indexed_strings(struct column_writer *writer, struct haul_error *err)
{
    const struct dictionary *dictionary = &writer->dictionary;
    const uint32_t *places = (const uint32_t *)(const void *)dictionary->places.data;
    const uint32_t *indices = page_indices(writer);
    struct buffer *used = &writer->pages->scratch;
    buffer_clear(used);
    enum haul_code code = buffer_resize(used, dictionary->count, err);
    if (code)
        return code;
    for (size_t i = 0; i < writer->page_values; i++)
        used->data[indices[i]] = 1;
    for (uint32_t i = 0; i < dictionary->count; i++) {
        if (!used->data[i])
            continue;
        int32_t start = (int32_t)(places[i] + sizeof(uint32_t)), end = (int32_t)places[i + 1];
        struct strings one = {dictionary->values.data, dictionary->values.length, &start, &end};
        bounds_add_strings(&writer->bounds, &one, 0, 1);
    }
    return HAUL_OK;
}

/* Will the next page by the dictionary cost less than its values would? */
static bool dictionary_pays(const struct column_writer *writer, size_t encoded)
{
    return !is_hostile(writer) &&
           (writer->plan->wish == WISH_DICTIONARY || encoded + growth_bytes(writer) < writer->page_plain);
}

static enum haul_code end_indexed_page(struct column_writer *writer, struct haul_error *err)
{
    struct buffer *encoded = &writer->pages->values;
    enum haul_code code = encode_indices(writer, err);
    if (!code)
        code = page_put(writer, ENCODING_RLE_DICTIONARY, (struct slice){encoded->data, encoded->length}, err);
    bool pays = dictionary_pays(writer, encoded->length);
    page_reset(writer);
    return code || pays ? code : leave_dictionary(writer, err);
}

static enum haul_code end_direct_page(struct column_writer *writer, struct haul_error *err)
{
    struct slice encoded = {0};
    enum haul_code code = choose_direct(writer, err);
    if (!code)
        code = encode_direct(writer, &encoded, err);
    if (!code)
        code = page_put(writer, writer->direct, encoded, err);
    page_reset(writer);
    return code;
}

/* `last`: no more rows in this row group. */
static enum haul_code end_page(struct column_writer *writer, bool last, struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    if (writer->page_levels == 0)
        return HAUL_OK;
    if (writer->width == 0 && writer->state != COLUMN_DIRECT && writer->page_values > 0)
        code = bound_indexed_strings(writer, err);
    if (!code && writer->state == COLUMN_UNDECIDED)
        code = decide(writer, last, err);
    if (code)
        return code;
    if (writer->state == COLUMN_DIRECT)
        return end_direct_page(writer, err);
    if (writer->page_values > 0)
        return end_indexed_page(writer, err);
    code = page_put(writer, ENCODING_PLAIN, (struct slice){0}, err); /* NULLs only */
    page_reset(writer);
    return code;
}

/* ---- filling a page ---- */

static enum haul_code take_levels(struct column_writer *writer, const struct feed *feed,
                                  struct feed_place place, const struct page_cut *cut, struct haul_error *err)
{
    bool all_there = cut->values == cut->levels && writer->def.length == 0;
    enum haul_code code = HAUL_OK;
    if (feed->rep)
        code = buffer_append(&writer->rep, feed->rep + place.level, cut->levels, err);
    if (code || all_there)
        return code;
    size_t missing = writer->page_levels - writer->def.length;
    code = buffer_reserve(&writer->def, missing + cut->levels, err);
    if (code)
        return code;
    memset(writer->def.data + writer->def.length, writer->leaf->def, missing + cut->levels);
    writer->def.length += missing;
    if (feed->def)
        memcpy(writer->def.data + writer->def.length, feed->def + place.level, cut->levels);
    writer->def.length += cut->levels;
    return HAUL_OK;
}

/* Values that are entries of the batch's dictionary are looked up once each. */
static enum haul_code look_up_entries(struct column_writer *writer, const struct dense *values, size_t first,
                                      size_t count, size_t *done, struct haul_error *err)
{
    uint32_t *out = (uint32_t *)(void *)(writer->indices.data + writer->indices.length);
    uint32_t *known = (uint32_t *)(void *)writer->known.data;
    enum haul_code code = HAUL_OK;
    for (*done = 0; *done < count; ++*done) {
        uint32_t *entry = &known[values->entries[first + *done]];
        if (!*entry) {
            struct strings one = strings_from(&values->strings, first + *done);
            size_t added = 0;
            code = dictionary_add_strings(&writer->dictionary, &one, 1, out + *done, &added, err);
            if (code || !added)
                break;
            *entry = out[*done] + 1;
        }
        out[*done] = *entry - 1;
    }
    return code;
}

/* *full: the dictionary has no room; *cut was shortened to the rows before. */
static enum haul_code take_indices(struct column_writer *writer, const struct feed *feed,
                                   struct feed_place place, struct page_cut *cut, bool *full,
                                   struct haul_error *err)
{
    const struct dense *values = feed->values;
    struct buffer *indices = &writer->indices;
    enum haul_code code = buffer_reserve(indices, cut->values * sizeof(uint32_t), err);
    if (code)
        return code;
    uint32_t *out = (uint32_t *)(void *)(indices->data + indices->length);
    size_t done = 0;
    if (writer->width) {
        code = dictionary_add_fixed(&writer->dictionary, values->fixed + place.value * writer->width,
                                    cut->values, out, &done, err);
    } else if (values->entries) {
        code = look_up_entries(writer, values, place.value, cut->values, &done, err);
    } else {
        struct strings strings = strings_from(&values->strings, place.value);
        code = dictionary_add_strings(&writer->dictionary, &strings, cut->values, out, &done, err);
    }
    writer->looked_up += done;
    *full = !code && done < cut->values;
    if (*full)
        *cut = page_cut_before(feed, place, cut, done);
    indices->length += cut->values * sizeof(uint32_t);
    return code;
}

static enum haul_code take_values(struct column_writer *writer, const struct feed *feed,
                                  struct feed_place place, const struct page_cut *cut, struct haul_error *err)
{
    const struct dense *values = feed->values;
    if (writer->width == 0)
        return encode_plain_strings(&values->strings, place.value, cut->values, &writer->values, err);
    return buffer_append(&writer->values, values->fixed + place.value * writer->width,
                         cut->values * writer->width, err);
}

static void take_bounds(struct column_writer *writer, const struct feed *feed, struct feed_place place,
                        const struct page_cut *cut)
{
    const struct dense *values = feed->values;
    if (writer->width == 0 && writer->state == COLUMN_DIRECT)
        bounds_add_strings(&writer->bounds, &values->strings, place.value, cut->values);
    else if (writer->width > 0)
        bounds_add_fixed(&writer->bounds, writer->order, values->fixed + place.value * writer->width,
                         cut->values, writer->width);
}

/* Whether a column is sorted is seen while it comes: most are not, which shows at once. */
static void watch_order(struct column_writer *writer, const uint8_t *values, size_t count)
{
    int64_t last = writer->looked_at ? writer->last_value : INT64_MIN;
    bool sorted = true;
    for (size_t i = 0; i < count && sorted; i++) {
        int64_t value;
        int32_t narrow;
        memcpy(&narrow, values + i * writer->width, sizeof narrow);
        if (writer->width == sizeof value)
            memcpy(&value, values + i * sizeof value, sizeof value);
        else
            value = narrow;
        sorted = value >= last;
        last = value;
        if (!writer->looked_at) {
            writer->first_value = value;
            writer->looked_at = true;
        }
    }
    writer->last_value = last;
    writer->sorted = sorted;
}

static size_t plain_bytes(const struct column_writer *writer, const struct feed *feed,
                          struct feed_place place, const struct page_cut *cut)
{
    if (writer->width)
        return cut->values * writer->width;
    if (writer->state == COLUMN_DIRECT)
        return 0; /* nobody asks */
    return encode_plain_strings_bytes(&feed->values->strings, place.value, cut->values);
}

static enum haul_code take(struct column_writer *writer, const struct feed *feed, struct feed_place place,
                           struct page_cut *cut, bool *full, struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    *full = false;
    if (cut->values > 0 && writer->state == COLUMN_DIRECT)
        code = take_values(writer, feed, place, cut, err);
    else if (cut->values > 0)
        code = take_indices(writer, feed, place, cut, full, err);
    if (!code)
        code = take_levels(writer, feed, place, cut, err);
    if (code)
        return code;
    if (cut->values > 0)
        take_bounds(writer, feed, place, cut);
    if (cut->values > 0 && writer->sorted)
        watch_order(writer, feed->values->fixed + place.value * writer->width, cut->values);
    writer->page_rows += cut->rows;
    writer->page_levels += cut->levels;
    writer->page_values += cut->values;
    writer->page_filled += cut->bytes;
    writer->page_plain += plain_bytes(writer, feed, place, cut);
    return HAUL_OK;
}

static struct page_room room_left(const struct column_writer *writer)
{
    return (struct page_room){
        .rows = writer->plan->page_rows - writer->page_rows,
        .bytes = writer->plan->page_bytes - writer->page_filled,
        .value_bytes = writer->state == COLUMN_DICTIONARY ? sizeof(uint32_t) : writer->width,
    };
}

static bool page_is_full(const struct column_writer *writer)
{
    return writer->page_rows >= writer->plan->page_rows || writer->page_filled >= writer->plan->page_bytes;
}

static enum haul_code known_begin(struct column_writer *writer, size_t entries, struct haul_error *err)
{
    enum haul_code code = buffer_resize(&writer->known, entries * sizeof(uint32_t), err);
    if (!code)
        memset(writer->known.data, 0, writer->known.length);
    return code;
}

enum haul_code column_writer_add(struct column_writer *writer, const struct feed *feed,
                                 struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    struct feed_place place = {0};
    buffer_clear(&writer->known);
    if (feed->values->entries && writer->state != COLUMN_DIRECT)
        code = known_begin(writer, feed->values->entry_count, err);
    while (!code && place.level < feed->levels) {
        struct page_room room = room_left(writer);
        struct page_cut cut = page_cut_take(feed, place, &room);
        bool full = false;
        code = take(writer, feed, place, &cut, &full, err);
        place.level += cut.levels;
        place.value += cut.values;
        if (!code && (full || page_is_full(writer)))
            code = end_page(writer, false, err);
        if (!code && full)
            code = leave_dictionary(writer, err);
    }
    return code;
}

size_t column_writer_memory(const struct column_writer *writer)
{
    const struct dictionary *dictionary = &writer->dictionary;
    return writer->def.capacity + writer->rep.capacity + writer->values.capacity + writer->indices.capacity +
           writer->known.capacity + dictionary->values.capacity + dictionary->places.capacity +
           dictionary->slots.capacity;
}

enum haul_code column_writer_shrink(struct column_writer *writer, struct haul_error *err)
{
    enum haul_code code = end_page(writer, false, err);
    if (!code && writer->state != COLUMN_DIRECT)
        code = leave_dictionary(writer, err);
    buffer_release(&writer->def);
    buffer_release(&writer->rep);
    buffer_release(&writer->values);
    return code;
}

/* All values are in the dictionary: it was never left. */
static enum haul_code write_bloom(struct column_writer *writer, struct haul_error *err)
{
    struct buffer bytes;
    if (!writer->plan->bloom || writer->state != COLUMN_DICTIONARY || writer->dictionary.count == 0 ||
        writer->leaf->physical == PARQUET_BOOLEAN)
        return HAUL_OK;
    buffer_init(&bytes, writer->plan->memory);
    enum haul_code code = bloom_write(&writer->dictionary, &bytes, err);
    if (!code)
        code = page_store_append(&writer->chunk.bloom, bytes.data, bytes.length, err);
    buffer_release(&bytes);
    return code;
}

enum haul_code column_writer_finish(struct column_writer *writer, struct chunk *chunk, struct haul_error *err)
{
    enum haul_code code = end_page(writer, true, err);
    if (!code && writer->chunk.encoded[ENCODING_RLE_DICTIONARY] > 0)
        code = write_bloom(writer, err);
    if (!code && writer->chunk.encoded[ENCODING_RLE_DICTIONARY] > 0)
        code = write_dictionary(writer, err);
    if (code)
        return code;
    writer->chunk.sorted = writer->sorted && writer->looked_at && writer->chunk.null_count == 0 &&
                           writer->first_value < writer->last_value;
    *chunk = writer->chunk;
    dictionary_release(&writer->dictionary);
    chunk_begin(writer);
    return HAUL_OK;
}
