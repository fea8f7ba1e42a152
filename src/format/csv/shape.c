/*
 * shape.c: from a file and its options to a shape.
 *
 * Order: bytes (at least one whole record of them), byte order mark, delimiter,
 * number of columns, types, header, names, --schema. What --schema says wins over
 * what was seen; columns it names are not sniffed, and a column that was sniffed
 * is strict.
 */
#include "format/csv/shape.h"

#include "base/unicode.h"
#include "format/csv/names.h"
#include "format/csv/sniff.h"
#include <string.h>

#define NAMES_ASKED   16
#define MEMORY_PRESET ((size_t)512 << 20)

struct finder {
    struct csv_shape *shape;
    struct file_bytes *bytes;
    const struct context *context;
    struct csv_sniffer sniffer;
    struct csv_schema_entry *entries;
    int entry_count;
    struct buffer sample;    /* of a file; a stream's is bytes->head */
    size_t bom;              /* and skipped lines: where the text begins */
    size_t first, first_end; /* the first record, in the sample */
};

void csv_shape_release(struct csv_shape *shape)
{
    schema_release(&shape->schema);
    memset(shape, 0, sizeof *shape);
}

/* ---- bytes ---- */

static struct buffer *sample_of(struct finder *finder)
{
    return finder->bytes->file->size < 0 ? &finder->bytes->head : &finder->sample;
}

/* The first `want` bytes; *final when the file has no more. */
static enum haul_code read_sample(struct finder *finder, size_t want, bool *final, struct haul_error *err)
{
    struct buffer *sample = sample_of(finder);
    struct file_bytes beyond = {.file = finder->bytes->file};
    const int64_t size = finder->bytes->file->size;
    size_t got = 0, have = sample->length;
    if (size >= 0 && (uint64_t)size < want)
        want = (size_t)size;
    if (buffer_reserve(sample, want - have, err) ||
        file_bytes_read(&beyond, (int64_t)have, sample->data + have, want - have, &got, err))
        return err->code;
    sample->length = have + got;
    *final = sample->length < want || size == (int64_t)sample->length;
    return HAUL_OK;
}

static void check_bom(struct finder *finder)
{
    const struct buffer *sample = sample_of(finder);
    finder->bom = sample->length >= 3 && !memcmp(sample->data, "\xef\xbb\xbf", 3) ? 3 : 0;
}

/* The text begins behind the lines that --skip-lines passes over. False: they are
 * not all there yet. */
static bool skip_lines(struct finder *finder, bool final)
{
    const struct buffer *sample = sample_of(finder);
    size_t at = 0, length = sample->length;
    check_bom(finder);
    at = finder->bom;
    for (int64_t i = 0; i < finder->sniffer.dialect.skip_lines; i++) {
        while (at < length && sample->data[at] != '\n' && sample->data[at] != '\r')
            at++;
        if (!final && at + 1 >= length)
            return false;
        at = csv_next_record(sample->data, length, at);
    }
    finder->bom = at;
    return true;
}

static struct csv_text text_from(struct finder *finder, size_t from, bool final)
{
    const struct buffer *sample = sample_of(finder);
    return (struct csv_text){sample->data + from, sample->length - from, final};
}

/* The line of the first record, or of the quote in it that is not closed. */
static uint64_t line_of_first(struct finder *finder)
{
    const struct csv_block *block = &finder->sniffer.block;
    const uint8_t *data = sample_of(finder)->data;
    size_t at = finder->first > finder->bom ? finder->first : finder->bom;
    if (block->quoted && block->data)
        at = (size_t)(block->data - data) + block->quote_at;
    return 1 + csv_scan_count_lines(data, at);
}

/* Files are looked at before the run has its budget: a quarter of what it will be. */
static size_t first_record_max(const struct context *context)
{
    int64_t said = context->settings ? settings_number(context->settings, "memory") : -1;
    size_t most = window_record_max(context->memory);
    size_t quarter = (said > 0 ? (size_t)said : MEMORY_PRESET) / 4;
    quarter = quarter > CSV_SAMPLE_BYTES ? quarter : CSV_SAMPLE_BYTES;
    return quarter < most ? quarter : most;
}

/* More and more of the file until the first record is whole. */
static enum haul_code find_first(struct finder *finder, size_t *fields, struct haul_error *err)
{
    struct csv_sniffer *sniffer = &finder->sniffer;
    const size_t most = first_record_max(finder->context);
    bool sniff = sniffer->dialect.delimiter_length == 0, final;
    for (size_t want = CSV_SAMPLE_BYTES, next;; want = next) {
        if (read_sample(finder, want, &final, err))
            return err->code;
        if (!skip_lines(finder, final)) {
            next = window_grow(want, most);
            if (next)
                continue;
            return error_set(err, HAUL_LIMIT, "--skip-lines %lld: these lines are longer than memory allows",
                             (long long)sniffer->dialect.skip_lines);
        }
        struct csv_text text = text_from(finder, finder->bom, final);
        if ((sniff && csv_sniff_delimiter(sniffer, &text, err)) ||
            csv_sniff_first(sniffer, &text, &finder->first, &finder->first_end, fields, err))
            return err->code;
        finder->first += finder->bom;
        finder->first_end += finder->bom;
        finder->shape->delimiter_sniffed = sniff;
        if (*fields || final)
            break;
        next = window_grow(want, most);
        if (!next) {
            return error_set(err, HAUL_LIMIT, "line %llu: %s, after %zu MiB; use more --memory%s",
                             (unsigned long long)line_of_first(finder),
                             sniffer->block.quoted ? "a quote that begins here is not closed so far"
                                                   : "the first record does not end so far",
                             want >> 20,
                             sniffer->block.quoted ? ", or --quote none reads quotes as text" : "");
        }
    }
    if (!*fields && sniffer->block.quoted)
        return error_set(
            err, HAUL_DATA,
            "line %llu: a quoted field that begins here is not closed before the end of the file; --quote "
            "none reads quotes as text",
            (unsigned long long)line_of_first(finder));
    sniffer->sample = text_from(finder, *fields ? finder->first : finder->bom, final);
    return HAUL_OK;
}

/* ---- columns ---- */

static enum haul_code make_columns(struct finder *finder, size_t columns, struct haul_error *err)
{
    struct csv_shape *shape = finder->shape;
    if (columns > CSV_COLUMNS_MAX)
        return error_set(err, HAUL_UNSUPPORTED, "line %llu: %zu columns; haul takes at most %d",
                         (unsigned long long)line_of_first(finder), columns, CSV_COLUMNS_MAX);
    if (schema_init(&shape->schema, (int)columns, err))
        return err->code;
    shape->strict = arena_alloc_array(&shape->schema.arena, columns, sizeof *shape->strict);
    if (!shape->strict)
        return error_nomem(err, "columns");
    for (size_t i = 0; i < columns; i++) {
        shape->schema.fields[i].type = TYPE_UTF8;
        shape->schema.fields[i].nullable = true;
    }
    return HAUL_OK;
}

/* Columns of a file without records: those of --schema. */
static enum haul_code columns_of_nothing(struct finder *finder, struct haul_error *err)
{
    struct csv_shape *shape = finder->shape;
    if (!finder->entry_count ||
        (shape->dialect.header != CSV_HEADER_AUTO && shape->dialect.header != CSV_HEADER_NO))
        return error_set(err, HAUL_DATA, "the file is empty: there is no header line%s",
                         finder->entry_count ? "" : " and no --schema to take its place");
    if (make_columns(finder, (size_t)finder->entry_count, err))
        return err->code;
    for (int i = 0; i < finder->entry_count; i++)
        if (field_copy(&finder->entries[i].field, &shape->schema.arena, &shape->schema.fields[i], err))
            return err->code;
    return HAUL_OK;
}

/* Do the names of --schema stand in the first record? Then it is the header,
 * whatever else it looks like. A few are enough to ask. */
static enum haul_code names_stand_there(struct finder *finder, bool *header, struct haul_error *err)
{
    const char **texts;
    if (csv_sniff_texts(&finder->sniffer, &finder->shape->schema.arena, &texts, err))
        return err->code;
    *header = finder->entry_count > 0;
    for (int i = 0; i < finder->entry_count && i < NAMES_ASKED && *header; i++) {
        int c = 0;
        while (c < finder->shape->schema.count && strcmp(texts[c], finder->entries[i].name) != 0)
            c++;
        *header = c < finder->shape->schema.count;
    }
    return HAUL_OK;
}

/* A sample may end in the middle of a character. */
static bool is_other_charset(const struct csv_text *sample)
{
    const size_t partly = sample->final ? 0 : 3;
    return unicode_valid_prefix(sample->data, sample->length) + partly < sample->length;
}

static enum haul_code decide_header(struct finder *finder, struct haul_error *err)
{
    struct csv_shape *shape = finder->shape;
    size_t columns = (size_t)shape->schema.count;
    struct arena *arena = &shape->schema.arena;
    bool header = shape->dialect.header != CSV_HEADER_AUTO && shape->dialect.header != CSV_HEADER_NO;
    bool ask = shape->dialect.header == CSV_HEADER_AUTO;
    finder->sniffer.columns = columns;
    if (ask && names_stand_there(finder, &header, err))
        return err->code;
    ask = ask && !header;
    if (csv_sniff_types(&finder->sniffer, columns, header || ask, arena, err))
        return err->code;
    if (ask && csv_sniff_header(&finder->sniffer, &header, err))
        return err->code;
    if (ask && !header && csv_sniff_types(&finder->sniffer, columns, false, arena, err))
        return err->code;
    shape->header = header;
    shape->sample_records = finder->sniffer.records - header;
    shape->other_charset = is_other_charset(&finder->sniffer.sample);
    return HAUL_OK;
}

static enum haul_code name_columns(struct finder *finder, struct haul_error *err)
{
    struct csv_shape *shape = finder->shape;
    int changed;
    if (shape->header && shape->dialect.header != CSV_HEADER_SKIP) {
        const char **texts;
        if (csv_sniff_texts(&finder->sniffer, &shape->schema.arena, &texts, err))
            return err->code;
        for (int i = 0; i < shape->schema.count; i++) {
            if (!unicode_is_valid((const uint8_t *)texts[i], strlen(texts[i])))
                return error_set(err, HAUL_DATA,
                                 "the header's field %d is not valid UTF-8; say its encoding, as with "
                                 "--charset windows-1252",
                                 i + 1);
            shape->schema.fields[i].name = texts[i];
        }
    }
    if (csv_names_settle(&shape->schema, &changed, err))
        return err->code;
    if (changed)
        context_note(finder->context, "%s: %d column names stand there twice and got a number behind them",
                     finder->bytes->file->name, changed);
    return HAUL_OK;
}

static void sniffed_types(struct finder *finder)
{
    struct csv_shape *shape = finder->shape;
    for (int i = 0; i < shape->schema.count; i++) {
        csv_guess_field(&finder->sniffer.guesses[i], &shape->schema.fields[i]);
        shape->strict[i] = shape->schema.fields[i].type != TYPE_UTF8;
    }
}

/* ---- --schema ---- */

static enum haul_code unknown_name(const struct csv_shape *shape, const char *name, struct haul_error *err)
{
    struct arena arena = {0};
    char near[256] = "";
    const char **names = arena_alloc_array(&arena, (size_t)shape->schema.count, sizeof *names);
    for (int i = 0; names && i < shape->schema.count; i++)
        names[i] = shape->schema.fields[i].name;
    if (names)
        settings_near(name, names, (size_t)shape->schema.count, near, sizeof near);
    arena_release(&arena);
    return error_set(err, HAUL_NOT_FOUND, "--schema: there is no column \"%.100s\"%s%s", name,
                     near[0] ? "; near: " : "", near);
}

static enum haul_code apply_entry(struct csv_shape *shape, const struct csv_schema_entry *entry, int column,
                                  struct haul_error *err)
{
    if (column < 0)
        return unknown_name(shape, entry->name, err);
    shape->strict[column] = false;
    return field_copy(&entry->field, &shape->schema.arena, &shape->schema.fields[column], err);
}

/* Without a header, as many entries as columns name them too, in their order. */
static bool names_by_place(const struct finder *finder)
{
    const struct csv_shape *shape = finder->shape;
    bool named = shape->header && shape->dialect.header != CSV_HEADER_SKIP;
    if (named || finder->entry_count != shape->schema.count)
        return false;
    for (int i = 0; i < finder->entry_count; i++)
        if (schema_find(&shape->schema, finder->entries[i].name) < 0)
            return true;
    return false;
}

static enum haul_code apply_schema(struct finder *finder, struct haul_error *err)
{
    struct csv_shape *shape = finder->shape;
    bool by_place = names_by_place(finder);
    for (int i = 0; i < finder->entry_count; i++) {
        const struct csv_schema_entry *entry = &finder->entries[i];
        int column = by_place ? i : schema_find(&shape->schema, entry->name);
        if (apply_entry(shape, entry, column, err))
            return err->code;
    }
    return HAUL_OK;
}

/* --header match: the columns are those of --schema, no more and no fewer, and
 * come in its order. */
static enum haul_code match_schema(struct finder *finder, struct haul_error *err)
{
    struct csv_shape *shape = finder->shape;
    if (!finder->entry_count)
        return error_set(err, HAUL_USAGE,
                         "--header match needs --schema NAME:TYPE,... to match the names with");
    shape->order = arena_alloc_array(&shape->schema.arena, (size_t)finder->entry_count, sizeof *shape->order);
    bool *named = arena_alloc_array(&shape->schema.arena, (size_t)shape->schema.count, sizeof *named);
    if (!shape->order || !named)
        return error_nomem(err, "columns");
    for (int i = 0; i < finder->entry_count; i++) {
        int column = schema_find(&shape->schema, finder->entries[i].name);
        if (apply_entry(shape, &finder->entries[i], column, err))
            return err->code;
        if (named[column])
            return error_set(err, HAUL_USAGE, "--schema names column \"%.100s\" twice",
                             finder->entries[i].name);
        named[column] = true;
        shape->order[i] = column;
    }
    for (int c = 0; c < shape->schema.count; c++)
        if (!named[c])
            return error_set(
                err, HAUL_DATA,
                "the header has column \"%.100s\", which --schema does not; --header match takes "
                "exactly those, --header yes any",
                shape->schema.fields[c].name);
    return HAUL_OK;
}

/* ---- all of it ---- */

/* One column without a header: blank lines in front are rows too. */
static void find_rows(struct finder *finder, size_t fields)
{
    struct csv_shape *shape = finder->shape;
    size_t at = shape->header ? finder->first_end : finder->first;
    if (!shape->header && fields <= 1)
        at = finder->bom;
    shape->rows_at = (int64_t)at;
    shape->rows_line = 1 + csv_scan_count_lines(sample_of(finder)->data, at);
}

static enum haul_code find_shape(struct finder *finder, struct haul_error *err)
{
    struct csv_shape *shape = finder->shape;
    size_t fields;
    if (find_first(finder, &fields, err))
        return err->code;
    shape->dialect = finder->sniffer.dialect;
    const struct buffer *sample = sample_of(finder);
    if (sample->length == finder->bom || (!fields && shape->dialect.comment >= 0)) {
        find_rows(finder, fields);
        return columns_of_nothing(finder, err);
    }
    if (make_columns(finder, fields ? fields : 1, err) || decide_header(finder, err) ||
        name_columns(finder, err))
        return err->code;
    sniffed_types(finder);
    find_rows(finder, fields);
    if (shape->delimiter_sniffed && memcmp(shape->dialect.delimiter, ",", 2) != 0) {
        char text[CSV_DELIMITER_TEXT_BYTES];
        csv_dialect_print_delimiter(&shape->dialect, text);
        context_note(finder->context, "%s: the delimiter is '%s'", finder->bytes->file->name, text);
    }
    return shape->dialect.header == CSV_HEADER_MATCH ? match_schema(finder, err) : apply_schema(finder, err);
}

enum haul_code csv_shape_find(struct csv_shape *shape, struct file_bytes *bytes,
                              const struct source_request *request, const struct context *context,
                              struct haul_error *err)
{
    struct finder finder = {.shape = shape, .bytes = bytes, .context = context};
    struct arena arena = {0};
    memset(shape, 0, sizeof *shape);
    buffer_init(&finder.sample, context->memory);
    enum haul_code code = csv_dialect_init(&shape->dialect, context->settings, err);
    if (!code && request && request->schema && request->schema[0])
        code = csv_schema_parse(request->schema, &arena, &finder.entries, &finder.entry_count, err);
    if (!code)
        code = csv_sniffer_init(&finder.sniffer, context, bytes, &shape->dialect, err);
    if (!code)
        code = find_shape(&finder, err);
    csv_sniffer_release(&finder.sniffer);
    buffer_release(&finder.sample);
    arena_release(&arena);
    if (code)
        csv_shape_release(shape);
    return code;
}
