/*
 * loading.h: plays the transfer: a source's columns said in one line, rows as
 * text, units opened, written and committed one by one.
 */
#ifndef TESTS_UNIT_SQLITE_LOADING_H
#define TESTS_UNIT_SQLITE_LOADING_H

#include "database.h"

struct loading {
    struct sink *sink;
    struct source_info info;
    struct sink_terms terms;
    struct sink_request request;
    struct run_record run, known;
    bool found;
    struct arena arena;
};

/* "id:int64!,name:utf8": a schema; '!' is NOT NULL. */
static inline void make_info(struct database *base, struct source_info *info, const char *columns)
{
    char text[2048], *rest = text, *entry;
    int count = 1, depth = 0;
    snprintf(text, sizeof text, "%s", columns);
    for (char *at = text; *at; at++) {
        depth += (strchr("([<", *at) != NULL) - (strchr(")]>", *at) != NULL);
        if (*at == ',' && !depth) {
            *at = ';';
            count++;
        }
    }
    assert_ok(base, schema_init(&info->schema, count, &base->err));
    for (int i = 0; (entry = strsep(&rest, ";")); i++) {
        struct field *field = &info->schema.fields[i];
        char *type = strrchr(entry, ':');
        if (strchr(entry, '<'))
            type = strchr(entry, ':');
        *type++ = 0;
        bool not_null = type[strlen(type) - 1] == '!';
        type[strlen(type) - not_null] = 0;
        field->name = arena_text(&info->schema.arena, entry);
        assert_ok(base, field_parse_type(type, &info->schema.arena, field, &base->err));
        field->nullable = !not_null;
    }
    info->table = "t";
    info->rows = info->bytes = -1;
    info->order_fixed = info->replayable = true;
    info->identity = "same";
    info->consistency = "none";
}

static inline void loading_init(struct database *base, struct loading *load, enum sink_mode mode,
                                const char *columns)
{
    *load = (struct loading){0};
    make_info(base, &load->info, columns);
    load->request = (struct sink_request){.mode = mode, .source = &load->info};
    load->run = (struct run_record){.name = "r1", .fingerprint = "f1", .plan = "{}"};
    assert_ok(base, sqlite_sink_open(base->path, &base->context, &load->sink, &base->err));
}

static inline enum haul_code loading_negotiate(struct database *base, struct loading *load)
{
    sink_terms_release(&load->terms);
    return load->sink->ops->negotiate(load->sink, &load->request, &load->terms, &base->err);
}

static inline enum haul_code loading_recall(struct database *base, struct loading *load)
{
    run_record_release(&load->known);
    return load->sink->ops->recall(load->sink, load->run.name, &load->known, &load->found, &base->err);
}

static inline enum haul_code loading_prepare(struct database *base, struct loading *load)
{
    struct run_record run = load->run;
    run.receipts = load->known.receipts;
    run.receipt_count = load->known.receipt_count;
    return load->sink->ops->prepare(load->sink, &base->context, &run, &base->err);
}

/* Up to the first unit. */
static inline enum haul_code loading_begin(struct database *base, struct loading *load)
{
    enum haul_code code = loading_negotiate(base, load);
    if (!code)
        code = loading_recall(base, load);
    return code ? code : loading_prepare(base, load);
}

static inline void append_value(struct database *base, struct builder *builder, const char *text)
{
    if (!strcmp(text, "NULL"))
        assert_ok(base, builder_append_null(builder, &base->err));
    else
        assert_ok(base, builder_append_text(builder, text, strlen(text), &base->err));
}

/* Rows "1|a\n2|b\n" of the terms' schema. */
static inline void make_batch(struct database *base, const struct schema *schema, const char *rows,
                              struct batch *batch)
{
    struct batch_builder builder;
    char *text = strdup(rows), *rest = text, *row;
    int64_t count = 0;
    assert_ok(base, batch_builder_init(&builder, schema, base->memory, &base->err));
    while ((row = strsep(&rest, "\n")) && (*row || rest)) {
        for (int c = 0; c < schema->count; c++) {
            char *value = strsep(&row, "|");
            append_value(base, &builder.columns[c], value ? value : "NULL");
        }
        count++;
    }
    assert_ok(base, batch_builder_finish(&builder, batch, &base->err));
    batch->rows_offered = count;
    batch_builder_release(&builder);
    free(text);
}

static inline enum haul_code unit_open(struct database *base, struct loading *load, uint64_t part,
                                       int64_t first_row, struct writer **writer, enum unit_state *state,
                                       struct receipt *receipt)
{
    struct unit unit = {part, first_row, 0};
    struct claim claim = {.receipt = {.unit = unit}};
    enum haul_code code = load->sink->ops->open(load->sink, &base->context, &unit, &claim, &base->err);
    *writer = claim.writer;
    *state = claim.state;
    *receipt = claim.receipt;
    return code;
}

static inline enum haul_code unit_write(struct database *base, struct loading *load, struct writer *writer,
                                        uint64_t part, int64_t first_row, const char *rows, int64_t *offered)
{
    struct batch batch;
    make_batch(base, &load->terms.schema, rows, &batch);
    batch.part = part;
    batch.first_row = first_row;
    *offered = batch.rows_offered;
    enum haul_code code = writer->ops->write(writer, &batch, &base->err);
    batch_release(&batch);
    return code;
}

/* A whole unit; its rejects stay in the collector. */
static inline enum haul_code load_unit(struct database *base, struct loading *load, uint64_t part,
                                       int64_t first_row, const char *rows)
{
    struct writer *writer;
    enum unit_state state;
    struct receipt receipt;
    int64_t offered, rejects = base->collector.reject_count;
    enum haul_code code = unit_open(base, load, part, first_row, &writer, &state, &receipt);
    if (code)
        return code;
    assert_int_equal(state, UNIT_MINE);
    code = unit_write(base, load, writer, part, first_row, rows, &offered);
    receipt.rows_offered = offered;
    receipt.reject_count = base->collector.reject_count - rejects;
    receipt.rows = offered - receipt.reject_count;
    receipt.last = true;
    receipt.hash = (struct hash128){7, 9};
    if (!code)
        code = writer->ops->commit(writer, &receipt, &load->arena, &base->err);
    if (code)
        writer->ops->abort(writer);
    return code;
}

static inline enum haul_code loading_finish(struct database *base, struct loading *load)
{
    return load->sink->ops->finish(load->sink, &load->run, NULL, &base->err);
}

static inline void loading_release(struct loading *load)
{
    run_record_release(&load->known);
    sink_terms_release(&load->terms);
    if (load->sink)
        load->sink->ops->close(load->sink);
    source_info_release(&load->info);
    arena_release(&load->arena);
    *load = (struct loading){0};
}

/* A whole run of one unit. */
static inline void load_all(struct database *base, enum sink_mode mode, const char *columns, const char *rows)
{
    struct loading load;
    loading_init(base, &load, mode, columns);
    assert_ok(base, loading_begin(base, &load));
    assert_ok(base, load_unit(base, &load, 0, 0, rows));
    assert_ok(base, loading_finish(base, &load));
    loading_release(&load);
}

#endif
