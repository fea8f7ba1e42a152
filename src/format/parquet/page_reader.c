/*
 * page_reader.c: from bytes of a file to pages.
 *
 * A window of stored bytes moves over the chunk; a page header is parsed from
 * it, growing the window when the header is cut, then the body is awaited
 * whole. Uncompressed bodies are used where they lie; others are decompressed
 * into `plain`. Sizes are believed only after they were compared with what is
 * left of the chunk and with what the codec can make of so few bytes at most.
 *
 * Chunks of old writers may be a little longer than they say (they forgot the
 * dictionary page's header): CHUNK_SLACK bytes more may be read.
 * Specification: sections 1, 4 and 11.
 */
#include "format/parquet/page_reader.h"
#include <libdeflate.h>

enum { CHUNK_SLACK = 128, RATIO_FREE_BYTES = 1024, KEEP_BYTES = 4 << 20 };

void page_supply_release(struct page_supply *supply)
{
    for (int i = 0; i < CODEC_COUNT; i++) {
        codec_close(supply->codecs[i]);
        supply->codecs[i] = NULL;
    }
    buffer_release(&supply->scratch);
    buffer_release(&supply->indices);
}

/* ---- opening ---- */

static enum haul_code codec_id_of(int32_t codec, enum codec_id *id, struct haul_error *err)
{
    static const enum codec_id ids[] = {
        [PARQUET_UNCOMPRESSED] = CODEC_NONE, [PARQUET_SNAPPY] = CODEC_SNAPPY,
        [PARQUET_GZIP] = CODEC_GZIP,         [PARQUET_LZO] = CODEC_COUNT,
        [PARQUET_BROTLI] = CODEC_BROTLI,     [PARQUET_LZ4] = CODEC_LZ4_HADOOP,
        [PARQUET_ZSTD] = CODEC_ZSTD,         [PARQUET_LZ4_RAW] = CODEC_LZ4_RAW};
    if (codec < 0 || codec > PARQUET_LZ4_RAW)
        return error_set(err, HAUL_UNSUPPORTED, "compression codec %d is not known", codec);
    if (ids[codec] == CODEC_COUNT)
        return error_set(err, HAUL_UNSUPPORTED,
                         "compression %s is not supported; write the file again with zstd",
                         parquet_codec_name(codec));
    *id = ids[codec];
    return HAUL_OK;
}

static enum haul_code supply_codec(struct page_supply *supply, int32_t codec, struct codec **out,
                                   struct haul_error *err)
{
    enum codec_id id = CODEC_NONE;
    enum haul_code code = codec_id_of(codec, &id, err);
    if (!code && !supply->codecs[id])
        code = codec_open(&supply->codecs[id], id, -1, err);
    if (!code)
        *out = supply->codecs[id];
    return code;
}

static int64_t chunk_start(const struct column_metadata *meta)
{
    int64_t start = meta->data_page_offset;
    if (thrift_has(meta, COLUMN_META_DICTIONARY_PAGE_OFFSET) && meta->dictionary_page_offset > 0 &&
        meta->dictionary_page_offset < start)
        start = meta->dictionary_page_offset;
    return start;
}

enum haul_code page_reader_open(struct page_reader *reader, struct page_supply *supply,
                                const struct column_metadata *meta, struct haul_error *err)
{
    int64_t start = chunk_start(meta), end = 0;
    if (start < (int64_t)PARQUET_MAGIC_BYTES || meta->total_compressed_size < 0 ||
        __builtin_add_overflow(start, meta->total_compressed_size, &end) || end > supply->data_end)
        return error_set(err, HAUL_DATA, "its %lld bytes at offset %lld do not lie within the file",
                         (long long)meta->total_compressed_size, (long long)start);
    end = end > supply->data_end - CHUNK_SLACK ? supply->data_end : end + CHUNK_SLACK;
    reader->supply = supply;
    reader->offset = start;
    reader->end = end;
    reader->position = 0;
    buffer_clear(&reader->window);
    reader->window.memory = reader->plain.memory = supply->context->memory;
    reader->codec_number = (enum parquet_codec)meta->codec;
    return supply_codec(supply, meta->codec, &reader->codec, err);
}

void page_reader_close(struct page_reader *reader)
{
    buffer_release(&reader->window);
    buffer_release(&reader->plain);
}

/* ---- the window ---- */

static size_t window_left(const struct page_reader *reader)
{
    return reader->window.length - reader->position;
}

static void window_compact(struct page_reader *reader)
{
    size_t left = window_left(reader);
    if (reader->position && left)
        memmove(reader->window.data, reader->window.data + reader->position, left);
    reader->window.length = left;
    reader->position = 0;
}

/* Makes at least `need` bytes stand in the window, or all that are left. */
static enum haul_code window_fill(struct page_reader *reader, size_t need, struct haul_error *err)
{
    if (window_left(reader) >= need)
        return HAUL_OK;
    window_compact(reader);
    size_t more = need - reader->window.length;
    more = more < reader->supply->ahead_bytes ? reader->supply->ahead_bytes : more;
    int64_t left = reader->end - reader->offset;
    more = (int64_t)more > left ? (size_t)left : more;
    if (!more)
        return HAUL_OK;
    enum haul_code code = buffer_reserve(&reader->window, more, err);
    if (!code)
        code = input_read_all(reader->supply->file, reader->offset,
                              reader->window.data + reader->window.length, more, err);
    if (code)
        return code;
    reader->window.length += more;
    reader->offset += (int64_t)more;
    return HAUL_OK;
}

static int64_t window_offset(const struct page_reader *reader)
{
    return reader->offset - (int64_t)window_left(reader);
}

static int64_t chunk_left(const struct page_reader *reader)
{
    return reader->end - window_offset(reader);
}

enum haul_code page_reader_done(struct page_reader *reader, struct haul_error *err)
{
    if (reader->plain.capacity > KEEP_BYTES)
        buffer_release(&reader->plain);
    if (reader->window.capacity <= KEEP_BYTES || window_left(reader) > KEEP_BYTES / 2)
        return HAUL_OK;
    struct buffer rest;
    buffer_init(&rest, reader->window.memory);
    enum haul_code code =
        buffer_append(&rest, reader->window.data + reader->position, window_left(reader), err);
    if (code)
        return code;
    buffer_release(&reader->window);
    reader->window = rest;
    reader->position = 0;
    return HAUL_OK;
}

/* ---- headers ---- */

static enum haul_code header_read(struct page_reader *reader, struct page_header *header, struct arena *arena,
                                  struct haul_error *err)
{
    enum { FIRST_LOOK = 256 };
    for (size_t look = FIRST_LOOK;; look *= 4) {
        enum haul_code code = window_fill(reader, look, err);
        if (code)
            return code;
        size_t left = window_left(reader), used = 0;
        if (left == 0)
            return error_set(err, HAUL_DATA, "the column ends before its last value");
        struct slice bytes = {reader->window.data + reader->position, left};
        code = page_header_parse(bytes, header, arena, &used, err);
        if (!code)
            reader->position += used;
        if (used != THRIFT_CUT || left < look || look >= PAGE_HEADER_BYTES_MAX)
            return code;
    }
}

/* Can `stored` bytes become `plain`? The best each codec can do; brotli has no
 * bound but the budget. */
static bool ratio_possible(enum parquet_codec codec, int64_t stored, int64_t plain)
{
    static const int32_t ratios[] = {
        [PARQUET_UNCOMPRESSED] = 1, [PARQUET_SNAPPY] = 64,  [PARQUET_GZIP] = 1040,
        [PARQUET_LZ4] = 260,        [PARQUET_ZSTD] = 40000, [PARQUET_LZ4_RAW] = 260};
    int64_t ratio = ratios[codec] ? ratios[codec] : INT32_MAX;
    return plain <= RATIO_FREE_BYTES || plain / ratio <= stored;
}

/* ---- bodies ---- */

static enum haul_code crc_check(const struct page_header *header, struct slice stored, struct haul_error *err)
{
    if (!thrift_has(header, PAGE_HEADER_CRC))
        return HAUL_OK;
    uint32_t crc = libdeflate_crc32(0, stored.data, stored.length);
    if (crc == (uint32_t)header->crc)
        return HAUL_OK;
    return error_set(err, HAUL_INTEGRITY, "its checksum is %08x where %08x is stored: the file is damaged",
                     crc, (uint32_t)header->crc);
}

/* Decompresses `stored` behind the first `kept` bytes, which are copied as they are. */
static enum haul_code body_decompress(struct page_reader *reader, struct slice stored, size_t kept,
                                      size_t length, struct haul_error *err)
{
    if (!ratio_possible(reader->codec_number, (int64_t)(stored.length - kept), (int64_t)(length - kept)))
        return error_set(err, HAUL_DATA, "%zu stored bytes cannot become %zu", stored.length, length);
    buffer_clear(&reader->plain);
    enum haul_code code = buffer_reserve(&reader->plain, length, err);
    if (code)
        return code;
    if (kept)
        memcpy(reader->plain.data, stored.data, kept);
    if (length > kept || stored.length > kept)
        code = codec_decompress(reader->codec, stored.data + kept, stored.length - kept,
                                reader->plain.data + kept, length - kept, err);
    reader->plain.length = length;
    return code;
}

static bool body_is_plain(const struct page_reader *reader, const struct page_header *header)
{
    if (reader->codec_number == PARQUET_UNCOMPRESSED)
        return true;
    const struct data_page_header_v2 *v2 = header->type == PAGE_DATA_V2 ? header->data_v2 : NULL;
    return v2 && thrift_has(v2, DATA_PAGE_V2_COMPRESSED) && !v2->is_compressed;
}

/* The level bytes of a v2 page are never compressed. */
static size_t body_kept(const struct page_header *header)
{
    if (header->type != PAGE_DATA_V2)
        return 0;
    return (size_t)header->data_v2->definition_bytes + (size_t)header->data_v2->repetition_bytes;
}

static bool page_is_wanted(int32_t type)
{
    return type == PAGE_DATA || type == PAGE_DICTIONARY || type == PAGE_DATA_V2;
}

static enum haul_code body_read(struct page_reader *reader, const struct page_header *header,
                                struct slice *body, struct haul_error *err)
{
    size_t length = (size_t)header->compressed_size, plain = (size_t)header->uncompressed_size;
    if ((int64_t)length > chunk_left(reader))
        return error_set(err, HAUL_DATA, "its %zu bytes reach beyond the column", length);
    enum haul_code code = window_fill(reader, length, err);
    if (code)
        return code;
    struct slice stored = {reader->window.data + reader->position, length};
    reader->position += length;
    if (!page_is_wanted(header->type))
        return HAUL_OK;
    code = crc_check(header, stored, err);
    if (code)
        return code;
    if (body_is_plain(reader, header)) {
        *body = stored;
        return plain == length
                   ? HAUL_OK
                   : error_set(err, HAUL_DATA, "%zu uncompressed bytes stand where %zu are announced", length,
                               plain);
    }
    code = body_decompress(reader, stored, body_kept(header), plain, err);
    *body = (struct slice){reader->plain.data, plain};
    return code;
}

/* ---- pages ---- */

static void page_fill(struct page *page, const struct page_header *header, struct slice body)
{
    *page = (struct page){.type = header->type, .body = body};
    if (header->type == PAGE_DICTIONARY) {
        page->value_count = header->dictionary->num_values;
        page->encoding = header->dictionary->encoding;
    } else if (header->type == PAGE_DATA) {
        page->value_count = header->data->num_values;
        page->encoding = header->data->encoding;
        page->definition_encoding = header->data->definition_level_encoding;
        page->repetition_encoding = header->data->repetition_level_encoding;
    } else {
        const struct data_page_header_v2 *v2 = header->data_v2;
        page->value_count = v2->num_values;
        page->encoding = v2->encoding;
        page->repetition = (struct slice){body.data, (size_t)v2->repetition_bytes};
        page->definition = (struct slice){body.data + v2->repetition_bytes, (size_t)v2->definition_bytes};
        page->body.data += body_kept(header);
        page->body.length -= body_kept(header);
    }
}

static enum haul_code page_read(struct page_reader *reader, struct page *page, bool *found,
                                struct arena *arena, struct haul_error *err)
{
    struct page_header header;
    int64_t offset = window_offset(reader);
    struct slice body = {0};
    enum haul_code code = header_read(reader, &header, arena, err);
    if (!code)
        code = body_read(reader, &header, &body, err);
    if (code)
        return error_prefix(err, "page at offset %lld", (long long)offset);
    *found = page_is_wanted(header.type);
    if (*found)
        page_fill(page, &header, body);
    page->offset = offset;
    return HAUL_OK;
}

enum haul_code page_reader_next(struct page_reader *reader, struct page *page, struct haul_error *err)
{
    bool found = false;
    while (!found) {
        struct arena arena = {0};
        enum haul_code code = context_check(reader->supply->context, err);
        if (!code)
            code = page_read(reader, page, &found, &arena, err);
        arena_release(&arena);
        if (code)
            return code;
    }
    return HAUL_OK;
}
