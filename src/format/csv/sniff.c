/*
 * sniff.c: what a sample says.
 *
 * The delimiter is the candidate that gives most records the same number of
 * fields, at least two. Types are guessed from the first 4 MiB (at most 20,000
 * records) and 256 KiB each from the middle and the end of a large file. There
 * the quote state is not known: a sample begins behind the first line end and
 * counts only when all its records have the right number of fields; a wrong one
 * could only turn a type into text.
 */
#include "format/csv/sniff.h"

#include "base/number.h"

#include <string.h>
#include <strings.h>

#define COUNTS 256 /* numbers of fields told apart */

static const struct field text_field = {.name = "", .type = TYPE_UTF8};

enum haul_code csv_sniffer_init(struct csv_sniffer *sniffer, const struct context *context,
                                const struct file_bytes *bytes, const struct csv_dialect *dialect,
                                struct haul_error *err)
{
    memset(sniffer, 0, sizeof *sniffer);
    sniffer->context = context;
    sniffer->bytes = bytes;
    sniffer->dialect = *dialect;
    csv_block_init(&sniffer->block, context->memory);
    buffer_init(&sniffer->trimmed, context->memory);
    if (csv_parser_init(&sniffer->parser, &text_field, false, &sniffer->dialect, context->memory, err))
        return err->code;
    sniffer->parser.err = err;
    csv_scan_init(&sniffer->scan, &sniffer->dialect, &context->cpu);
    return HAUL_OK;
}

void csv_sniffer_release(struct csv_sniffer *sniffer)
{
    csv_block_release(&sniffer->block);
    buffer_release(&sniffer->trimmed);
    csv_parser_release(&sniffer->parser);
    memset(sniffer, 0, sizeof *sniffer);
}

/* ---- the delimiter ---- */

/* How evenly the block's records are cut: 0..1000. */
static int evenness(const struct csv_block *block)
{
    uint32_t counts[COUNTS] = {0};
    uint32_t records = 0, best = 0, first = 0;
    for (size_t i = 0; i < block->misfit_count; i++) {
        const struct csv_misfit *record = &block->misfits[i];
        if (record->start == record->end)
            continue;
        uint32_t fields = record->fields < COUNTS ? record->fields : COUNTS - 1;
        first = records++ ? first : fields;
        counts[fields]++;
    }
    for (uint32_t i = 2; i < COUNTS; i++)
        best = counts[i] > counts[best] || best < 2 ? i : best;
    if (!records || !counts[best])
        return 0;
    int score = (int)((uint64_t)counts[best] * 1000 / records);
    return first == best ? score : score / 2;
}

enum haul_code csv_sniff_delimiter(struct csv_sniffer *sniffer, const struct csv_text *text,
                                   struct haul_error *err)
{
    const char *candidates = csv_name_wants_tabs(sniffer->bytes->file->name) ? "\t,;|" : ",;\t|";
    char best = candidates[0];
    int best_score = 0;
    for (const char *at = candidates; *at; at++) {
        if (*at == sniffer->dialect.comment)
            continue;
        csv_dialect_set_delimiter(&sniffer->dialect, at, 1);
        csv_scan_init(&sniffer->scan, &sniffer->dialect, &sniffer->context->cpu);
        if (csv_block_scan(&sniffer->block, &sniffer->scan, CSV_COLUMNS_UNKNOWN, text, err))
            return err->code;
        int score = evenness(&sniffer->block);
        if (score > best_score) {
            best_score = score;
            best = *at;
        }
    }
    if (best_score == 0)
        best = sniffer->dialect.comment == ',' ? ';' : ',';
    csv_dialect_set_delimiter(&sniffer->dialect, &best, 1);
    csv_scan_init(&sniffer->scan, &sniffer->dialect, &sniffer->context->cpu);
    return HAUL_OK;
}

enum haul_code csv_sniff_first(struct csv_sniffer *sniffer, const struct csv_text *text, size_t *start,
                               size_t *end, size_t *fields, struct haul_error *err)
{
    struct csv_block *block = &sniffer->block;
    *fields = *start = *end = 0;
    for (size_t at = 0; at < text->length; at += block->bytes) {
        struct csv_text rest = {text->data + at, text->length - at, text->final};
        if (csv_block_scan(block, &sniffer->scan, CSV_COLUMNS_UNKNOWN, &rest, err))
            return err->code;
        for (size_t i = 0; i < block->misfit_count; i++) {
            const struct csv_misfit *record = &block->misfits[i];
            if (record->start == record->end)
                continue;
            *start = at + record->start;
            *end = at + csv_next_record(rest.data, rest.length, record->end);
            *end = *end < text->length ? *end : text->length;
            *fields = record->fields;
            return HAUL_OK;
        }
        if (!block->bytes)
            break;
    }
    return HAUL_OK;
}

/* ---- types ---- */

static bool is_null(const struct csv_dialect *dialect, const uint8_t *field, size_t length)
{
    return length == dialect->null_length && !memcmp(field, dialect->null_text, length);
}

static enum haul_code look_at(struct csv_sniffer *sniffer, struct csv_guess *guess, const uint8_t *field,
                              size_t length)
{
    const uint8_t *text;
    size_t text_length;
    if (is_null(&sniffer->dialect, field, length))
        return HAUL_OK;
    unsigned flags = csv_field_text(&sniffer->parser, field, length, &text, &text_length);
    if (flags) /* refused when it is read */
        return sniffer->parser.failed;
    if (text_length == 0 && sniffer->dialect.null_length == 0)
        return HAUL_OK;
    if (sniffer->float_pass)
        csv_guess_add_float(guess, &sniffer->dialect.forms, (const char *)text, text_length);
    else
        csv_guess_add(guess, &sniffer->dialect.forms, (const char *)text, text_length);
    return HAUL_OK;
}

static enum haul_code slice_of(struct csv_sniffer *sniffer, size_t column, struct csv_slice *out,
                               struct haul_error *err)
{
    const struct csv_block *block = &sniffer->block;
    struct csv_slice slice = {.data = block->data, .ends = block->ends + column, .stride = sniffer->columns};
    slice.starts = column ? block->ends + column - 1 : block->starts;
    slice.start_stride = column ? sniffer->columns : 1;
    slice.start_add = column ? sniffer->dialect.delimiter_length : 0;
    slice.rows = block->rows;
    *out = slice;
    return sniffer->dialect.trim ? csv_slice_trim(out, &sniffer->trimmed, err) : HAUL_OK;
}

/* Nothing more to learn of this column in this pass. */
static bool settled(const struct csv_sniffer *sniffer, const struct csv_guess *guess)
{
    return sniffer->float_pass ? !csv_guess_wants_float(guess)
                               : csv_guess_wants_float(guess) || !guess->possible;
}

static enum haul_code look_at_block(struct csv_sniffer *sniffer, size_t from_row, struct haul_error *err)
{
    for (size_t c = 0; c < sniffer->columns; c++) {
        struct csv_slice slice;
        if (slice_of(sniffer, c, &slice, err))
            return err->code;
        for (size_t r = from_row; r < slice.rows && !settled(sniffer, &sniffer->guesses[c]); r++) {
            size_t length;
            const uint8_t *field = csv_slice_field(&slice, r, &length);
            if (look_at(sniffer, &sniffer->guesses[c], field, length))
                return sniffer->parser.failed;
        }
    }
    return HAUL_OK;
}

static enum haul_code look_at_start(struct csv_sniffer *sniffer, bool skip_first, struct haul_error *err)
{
    const struct csv_text *text = &sniffer->sample;
    sniffer->records = 0;
    for (size_t at = 0; at < text->length && sniffer->records < CSV_SAMPLE_RECORDS;) {
        struct csv_text rest = {text->data + at, text->length - at, text->final};
        if (csv_block_scan(&sniffer->block, &sniffer->scan, sniffer->columns, &rest, err) ||
            look_at_block(sniffer, skip_first && at == 0, err))
            return err->code;
        sniffer->records += (int64_t)sniffer->block.rows;
        if (!sniffer->block.bytes)
            break;
        at += sniffer->block.bytes;
    }
    return HAUL_OK;
}

/* A sample from inside the file, when it can be cut without doubt. */
static enum haul_code look_inside(struct csv_sniffer *sniffer, int64_t offset, struct haul_error *err)
{
    struct buffer bytes;
    size_t got = 0;
    buffer_init(&bytes, sniffer->context->memory);
    enum haul_code code = buffer_resize(&bytes, CSV_SAMPLE_MORE_BYTES, err);
    if (!code)
        code = file_bytes_read(sniffer->bytes, offset, bytes.data, CSV_SAMPLE_MORE_BYTES, &got, err);
    const uint8_t *line = code ? NULL : memchr(bytes.data, '\n', got);
    if (line) {
        struct csv_text text = {line + 1, got - (size_t)(line + 1 - bytes.data), false};
        code = csv_block_scan(&sniffer->block, &sniffer->scan, sniffer->columns, &text, err);
        if (!code && sniffer->block.misfit_count == 0 && !sniffer->block.blanks)
            code = look_at_block(sniffer, 0, err);
    }
    buffer_release(&bytes);
    return code;
}

static enum haul_code look(struct csv_sniffer *sniffer, bool skip_first, struct haul_error *err)
{
    int64_t size = sniffer->bytes->file->size;
    if (look_at_start(sniffer, skip_first, err))
        return err->code;
    if (size < 4 * (int64_t)CSV_SAMPLE_BYTES)
        return HAUL_OK;
    if (look_inside(sniffer, size / 2, err) ||
        look_inside(sniffer, size - (int64_t)CSV_SAMPLE_MORE_BYTES, err))
        return err->code;
    return HAUL_OK;
}

enum haul_code csv_sniff_types(struct csv_sniffer *sniffer, size_t columns, bool skip_first,
                               struct arena *arena, struct haul_error *err)
{
    sniffer->columns = columns;
    sniffer->guesses = arena_alloc_array(arena, columns, sizeof *sniffer->guesses);
    if (!sniffer->guesses)
        return error_nomem(err, "the types of columns");
    for (size_t i = 0; i < columns; i++)
        csv_guess_init(&sniffer->guesses[i]);
    bool wanted = false;
    for (int pass = 0; pass < 2; pass++) {
        sniffer->float_pass = pass == 1;
        if ((pass == 0 || wanted) && look(sniffer, skip_first, err))
            return err->code;
        for (size_t i = 0; i < columns; i++)
            wanted = wanted || csv_guess_wants_float(&sniffer->guesses[i]);
    }
    return HAUL_OK;
}

/* ---- the first record ---- */

enum haul_code csv_sniff_texts(struct csv_sniffer *sniffer, struct arena *arena, const char ***texts,
                               struct haul_error *err)
{
    struct csv_text text = sniffer->sample;
    if (csv_block_scan(&sniffer->block, &sniffer->scan, sniffer->columns, &text, err))
        return err->code;
    *texts = arena_alloc_array(arena, sniffer->columns, sizeof **texts);
    if (!*texts)
        return error_nomem(err, "column names");
    for (size_t c = 0; c < sniffer->columns; c++) {
        struct csv_slice slice;
        size_t length;
        if (slice_of(sniffer, c, &slice, err))
            return err->code;
        const uint8_t *field = csv_slice_field(&slice, 0, &length), *bare;
        if (csv_field_text(&sniffer->parser, field, length, &bare, &length)) {
            if (sniffer->parser.failed)
                return sniffer->parser.failed;
            return error_set(err, HAUL_DATA, "the header's field %zu has text after its closing quote",
                             c + 1);
        }
        (*texts)[c] = arena_text_n(arena, (const char *)bare, length);
        if (!(*texts)[c])
            return error_nomem(err, "column names");
    }
    return HAUL_OK;
}

/* Does it read as a number, a date, a time, true or false, in any form? */
static bool like_a_value(const char *text)
{
    const size_t length = strlen(text);
    double number;
    int64_t moment;
    struct calendar_zone zone;
    if (!strpbrk(text, "0123456789"))
        return !strcasecmp(text, "true") || !strcasecmp(text, "false");
    return number_parse_f64(text, length, &number) || calendar_parse_date(text, length, &moment) ||
           calendar_parse_time(text, length, TIME_NANO, &moment) ||
           calendar_parse_moment(text, length, TIME_MICRO, &moment, &zone);
}

/* A text above values of another type is a name; a value above values of its own
 * type is a row. Above text alone names are told by being neither empty nor
 * values. */
enum haul_code csv_sniff_header(struct csv_sniffer *sniffer, bool *header, struct haul_error *err)
{
    struct arena arena = {0};
    const char **texts;
    enum haul_code code = csv_sniff_texts(sniffer, &arena, &texts, err);
    bool name = false, row = false, plain = true;
    for (size_t c = 0; !code && c < sniffer->columns; c++) {
        const struct csv_guess *guess = &sniffer->guesses[c];
        struct field field = {0};
        csv_guess_field(guess, &field);
        if (!texts[c][0] || like_a_value(texts[c]))
            plain = false;
        if (field.type == TYPE_UTF8 || !texts[c][0])
            continue;
        if (like_a_value(texts[c]) ||
            csv_guess_fits(guess, &sniffer->dialect.forms, texts[c], strlen(texts[c])))
            row = true;
        else
            name = true;
    }
    *header = name || (!row && plain);
    arena_release(&arena);
    return code;
}
