/*
 * lines.h: a tiny format for tests: "LINES a:utf8,b:int64", then a row a line with
 * commas between values, then "END pieces rows". A part is LINES_PART_ROWS rows.
 * Next to it "text" (.txt), which has no magic, and "other" (.oth), which only
 * has one.
 */
#ifndef HAUL_TESTS_LINES_H
#define HAUL_TESTS_LINES_H

#include "base/number.h"
#include "batch/builder.h"
#include "batch/view.h"
#include "format/format.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAGIC     "LINES "
#define LINES_PART_ROWS 2

static atomic_int lines_inputs_open, lines_inputs_most, lines_inputs_opened, lines_spills;
static atomic_int lines_fail_append; /* the n-th append from now fails half-way; 0 none */
static atomic_int lines_fail_finish;

/* ---- reading ---- */

struct lines_input {
    struct format_input input;
    struct buffer bytes;
    struct schema schema;
    const char *rows[4096];
    int row_count, next_part;
};

static inline enum haul_code lines_schema(const char *header, size_t length, struct schema *schema,
                                          struct haul_error *err)
{
    int count = 1, column = 0;
    for (size_t i = 0; i < length; i++)
        count += header[i] == ',';
    enum haul_code code = schema_init(schema, count, err);
    char *text = code ? NULL : arena_text_n(&schema->arena, header, length), *save = NULL;
    if (!code && !text)
        code = error_nomem(err, "columns");
    for (char *name = text ? strtok_r(text, ",", &save) : NULL; name && !code;
         name = strtok_r(NULL, ",", &save)) {
        char *colon = strchr(name, ':');
        *colon = '\0';
        code = field_parse_type(colon + 1, &schema->arena, &schema->fields[column], err);
        schema->fields[column++].name = name;
    }
    return code;
}

static inline enum haul_code lines_describe(struct format_input *input, struct source_info *info,
                                            struct haul_error *err)
{
    struct lines_input *lines = (struct lines_input *)input;
    info->rows = lines->row_count;
    info->rows_exact = info->order_fixed = info->replayable = true;
    return schema_copy(&lines->schema, &info->schema, err);
}

static inline enum haul_code lines_split(struct format_input *input, const struct split_request *request,
                                         struct arena *arena, struct part *part, bool *more,
                                         struct haul_error *err)
{
    (void)request;
    struct lines_input *lines = (struct lines_input *)input;
    int first = lines->next_part++ * LINES_PART_ROWS;
    *more = first < lines->row_count || first == 0;
    if (!*more)
        return HAUL_OK;
    part->spec = arena_printf(arena, "rows %d", first);
    part->rows = lines->row_count - first < LINES_PART_ROWS ? lines->row_count - first : LINES_PART_ROWS;
    part->bytes = -1;
    return part->spec ? HAUL_OK : error_nomem(err, "a part");
}

struct lines_reader {
    struct reader reader;
    struct lines_input *lines;
    struct memory *memory;
    int row, end;
};

static inline enum haul_code lines_row(struct batch_builder *builder, const char *row, struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    for (int i = 0; i < builder->schema->count && !code; i++) {
        size_t length = strcspn(row, ",\n");
        code = builder_append_text(&builder->columns[i], row, length, err);
        row += length + (row[length] == ',');
    }
    return code;
}

static inline enum haul_code lines_next(struct reader *reader, int64_t rows_max, struct batch *batch,
                                        bool *end, struct haul_error *err)
{
    struct lines_reader *self = (struct lines_reader *)reader;
    struct batch_builder builder = {0};
    *end = self->row >= self->end;
    if (*end)
        return HAUL_OK;
    enum haul_code code = batch_builder_init(&builder, &self->lines->schema, self->memory, err);
    int64_t rows = 0;
    for (; rows < rows_max && self->row < self->end && !code; rows++)
        code = lines_row(&builder, self->lines->rows[self->row++], err);
    if (!code)
        code = batch_builder_finish(&builder, batch, err);
    if (!code)
        batch->rows_offered = rows;
    batch_builder_release(&builder);
    return code;
}

static inline void lines_reader_close(struct reader *reader)
{
    free(reader);
}

static const struct reader_ops lines_reader_ops = {.next = lines_next, .close = lines_reader_close};

static inline enum haul_code lines_open(struct format_input *input, const struct context *context,
                                        const struct part *part, int64_t first_row, struct reader **reader,
                                        struct haul_error *err)
{
    struct lines_input *lines = (struct lines_input *)input;
    int first = 0;
    if (sscanf(part->spec, "rows %d", &first) != 1)
        return error_set(err, HAUL_INTERNAL, "spec %s", part->spec);
    struct lines_reader *self = calloc(1, sizeof *self);
    if (!self)
        return error_nomem(err, "a reader");
    *self = (struct lines_reader){
        {&lines_reader_ops}, lines, context->memory, first + (int)first_row, first + LINES_PART_ROWS};
    if (self->end > lines->row_count)
        self->end = lines->row_count;
    *reader = &self->reader;
    return HAUL_OK;
}

static inline void lines_close(struct format_input *input)
{
    struct lines_input *lines = (struct lines_input *)input;
    buffer_release(&lines->bytes);
    schema_release(&lines->schema);
    free(lines);
    lines_inputs_open--;
}

static const struct format_input_ops lines_input_ops = {
    .describe = lines_describe, .split = lines_split, .open = lines_open, .close = lines_close};

static inline enum haul_code lines_parse(struct lines_input *lines, const char *name, struct haul_error *err)
{
    char *text = (char *)lines->bytes.data, *newline = strchr(text, '\n');
    if (strncmp(text, LINES_MAGIC, 6) != 0 || !newline)
        return error_set(err, HAUL_DATA, "%s: not lines", name);
    for (char *row = newline + 1; *row && strncmp(row, "END ", 4) != 0; row = strchr(row, '\n') + 1)
        lines->rows[lines->row_count++] = row;
    return lines_schema(text + 6, (size_t)(newline - text) - 6, &lines->schema, err);
}

static inline enum haul_code lines_open_input(const struct format_request *request, struct input_file *file,
                                              struct format_input **input, struct haul_error *err)
{
    (void)request;
    struct lines_input *lines = calloc(1, sizeof *lines);
    size_t got = 0;
    if (!lines)
        return error_nomem(err, "lines");
    lines->input.ops = &lines_input_ops;
    lines_inputs_opened++;
    int open = ++lines_inputs_open;
    if (open > lines_inputs_most)
        lines_inputs_most = open;
    enum haul_code code = buffer_resize(&lines->bytes, 65536, err);
    if (!code)
        code = file->ops->read_at(file, 0, lines->bytes.data, 65535, &got, err);
    if (!code)
        code = lines_parse(lines, file->name, err);
    if (code)
        lines_close(&lines->input);
    else
        *input = &lines->input;
    return code;
}

/* ---- writing ---- */

struct lines_piece {
    struct piece piece;
    struct buffer bytes;
    int64_t rows;
    bool sealed;
};

static inline enum haul_code lines_write(struct piece *piece, const struct batch *batch,
                                         struct haul_error *err)
{
    struct lines_piece *self = (struct lines_piece *)piece;
    enum haul_code code = HAUL_OK;
    for (int64_t row = 0; row < batch->array.length && !code; row++, self->rows++)
        for (int i = 0; i < batch->schema->count && !code; i++) {
            struct view view;
            code = view_init(&view, &batch->schema->fields[i], batch->array.children[i], err);
            if (!code)
                code = view_print(&view, row, &self->bytes, err);
            if (!code)
                code = buffer_append(&self->bytes, i + 1 < batch->schema->count ? "," : "\n", 1, err);
        }
    return code;
}

static inline enum haul_code lines_seal(struct piece *piece, struct haul_error *err)
{
    struct lines_piece *self = (struct lines_piece *)piece;
    if (self->sealed)
        return error_set(err, HAUL_INTERNAL, "sealed twice");
    self->sealed = true;
    return HAUL_OK;
}

static inline enum haul_code lines_spill(struct piece *piece, struct haul_error *err)
{
    (void)err;
    (void)piece;
    lines_spills++;
    return HAUL_OK;
}

static inline void lines_piece_close(struct piece *piece)
{
    buffer_release(&((struct lines_piece *)piece)->bytes);
    free(piece);
}

static const struct piece_ops lines_piece_ops = {
    .write = lines_write, .seal = lines_seal, .spill = lines_spill, .close = lines_piece_close};

struct lines_output {
    struct format_output output;
    const struct schema *schema;
    int64_t pieces, rows;
};

static inline enum haul_code lines_piece_new(struct format_output *output, const struct context *context,
                                             const char *folder, struct piece **piece, struct haul_error *err)
{
    (void)output;
    (void)folder;
    struct lines_piece *self = calloc(1, sizeof *self);
    if (!self)
        return error_nomem(err, "a piece");
    self->piece.ops = &lines_piece_ops;
    buffer_init(&self->bytes, context->memory);
    *piece = &self->piece;
    return HAUL_OK;
}

static inline enum haul_code lines_header(const struct lines_output *self, struct output_file *file,
                                          struct haul_error *err)
{
    char text[512] = LINES_MAGIC, type[64];
    for (int i = 0; i < self->schema->count; i++) {
        field_print_type(&self->schema->fields[i], type, sizeof type);
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%s:%s", i ? "," : "", self->schema->fields[i].name,
                 type);
    }
    strcat(text, "\n");
    return file->ops->append(file, text, strlen(text), err);
}

static inline enum haul_code lines_append(struct format_output *output, struct piece *piece,
                                          struct output_file *file, struct arena *arena, const char **note,
                                          struct haul_error *err)
{
    struct lines_output *self = (struct lines_output *)output;
    struct lines_piece *lines = (struct lines_piece *)piece;
    bool fails = lines_fail_append > 0 && --lines_fail_append == 0;
    enum haul_code code = self->pieces ? HAUL_OK : lines_header(self, file, err);
    if (!code)
        code = file->ops->append(file, lines->bytes.data,
                                 fails ? lines->bytes.length / 2 : lines->bytes.length, err);
    if (!code && (fails || !lines->sealed))
        code = error_set(err, HAUL_SPACE, "the disk is full");
    if (code)
        return code;
    self->pieces++;
    self->rows += lines->rows;
    *note = arena_printf(arena, "rows %lld", (long long)lines->rows);
    return *note ? HAUL_OK : error_nomem(err, "a note");
}

static inline enum haul_code lines_restore(struct format_output *output, const char *note, int64_t offset,
                                           struct haul_error *err)
{
    struct lines_output *self = (struct lines_output *)output;
    long long rows;
    if (!note || sscanf(note, "rows %lld", &rows) != 1 || offset <= 0)
        return error_set(err, HAUL_INTEGRITY, "note %s", note ? note : "(none)");
    self->pieces++;
    self->rows += rows;
    return HAUL_OK;
}

static inline enum haul_code lines_finish(struct format_output *output, struct output_file *file,
                                          struct haul_error *err)
{
    struct lines_output *self = (struct lines_output *)output;
    char text[64];
    if (lines_fail_finish > 0 && --lines_fail_finish == 0)
        return error_set(err, HAUL_SPACE, "the disk is full");
    snprintf(text, sizeof text, "END %lld %lld\n", (long long)self->pieces, (long long)self->rows);
    return file->ops->append(file, text, strlen(text), err);
}

static inline void lines_output_close(struct format_output *output)
{
    free(output);
}

static const struct format_output_ops lines_output_ops = {.piece = lines_piece_new,
                                                          .append = lines_append,
                                                          .restore = lines_restore,
                                                          .finish = lines_finish,
                                                          .close = lines_output_close};

static inline enum haul_code lines_open_output(const struct format_request *request,
                                               const struct schema *schema, struct format_output **output,
                                               struct haul_error *err)
{
    (void)request;
    struct lines_output *self = calloc(1, sizeof *self);
    if (!self)
        return error_nomem(err, "lines");
    *self = (struct lines_output){.output.ops = &lines_output_ops, .schema = schema};
    *output = &self->output;
    return HAUL_OK;
}

/* ---- the formats ---- */

static inline int lines_sniff(const uint8_t *head, size_t length)
{
    return length >= 6 && memcmp(head, LINES_MAGIC, 6) == 0 ? 100 : 0;
}

static inline int text_sniff(const uint8_t *head, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (head[i] < 9)
            return 0;
    return 10;
}

static inline int other_sniff(const uint8_t *head, size_t length)
{
    return length >= 5 && memcmp(head, "OTHER", 5) == 0 ? 100 : 0;
}

static inline enum haul_code other_open_input(const struct format_request *request, struct input_file *file,
                                              struct format_input **input, struct haul_error *err)
{
    (void)request;
    (void)input;
    return error_set(err, HAUL_DATA, "%s: is of the other format", file->name);
}

static inline void lines_piece_size(const struct format_request *request, int64_t *rows, int64_t *bytes)
{
    (void)request;
    *rows = LINES_PART_ROWS;
    *bytes = 1000;
}

static const char *const lines_suffixes[] = {".lines", ".lin", NULL};
static const char *const text_suffixes[] = {".txt", NULL};
static const char *const other_suffixes[] = {".oth", NULL};
static const struct format lines_format = {.name = "lines",
                                           .suffixes = lines_suffixes,
                                           .sniff = lines_sniff,
                                           .open_input = lines_open_input,
                                           .open_output = lines_open_output,
                                           .piece_size = lines_piece_size};
static const struct format text_format = {
    .name = "txt", .suffixes = text_suffixes, .sniff = text_sniff, .open_input = lines_open_input};
static const struct format other_format = {
    .name = "other", .suffixes = other_suffixes, .sniff = other_sniff, .open_input = other_open_input};
static const struct format *const test_formats[] = {&lines_format, &text_format, &other_format, NULL};

#endif
