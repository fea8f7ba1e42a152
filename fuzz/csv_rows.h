/*
 * csv_rows.h: a CSV text and its dialect from the input of a fuzz target, and its
 * rows printed, so that two ways of reading can be compared as text.
 *
 * Front of the input: a byte of flags for the dialect; the text follows.
 */
#ifndef HAUL_FUZZ_CSV_ROWS_H
#define HAUL_FUZZ_CSV_ROWS_H

#include "rows.h"

#include "base/settings.h"
#include "format/csv/csv.h"
#include "format/csv/input.h"

static inline void csv_option(struct settings *settings, const char *name, const char *value)
{
    struct haul_error err = {0};
    must(!settings_set(settings, name, value, &err));
}

/* The options that `flags` stand for. */
static inline void csv_options(struct settings *settings, uint8_t flags)
{
    static const char *const delimiters[] = {NULL, ",", ";", "\\t", "||", "&|", "|", "ab"};
    struct haul_error err = {0};
    size_t count;
    const struct haul_option *table = haul_options(&count);
    must(!settings_init(settings, table, count, &err));
    if (delimiters[flags & 7])
        csv_option(settings, "delimiter", delimiters[flags & 7]);
    if (flags & 8)
        csv_option(settings, "header", flags & 16 ? "yes" : "no");
    if (flags & 32)
        csv_option(settings, "escape", "\\");
    if (flags & 64)
        csv_option(settings, "null", "NA");
    if ((flags & 128) && !(flags & 32))
        csv_option(settings, "quote", flags & 16 ? "none" : "'");
}

static inline void csv_print(void *user, const struct batch *batch)
{
    struct buffer *out = user;
    struct haul_error err = {0};
    for (int64_t r = 0; r < batch->array.length; r++)
        for (int i = 0; i < batch->schema->count; i++) {
            struct view view;
            must(!view_init(&view, &batch->schema->fields[i], batch->array.children[i], &err));
            must(!buffer_append(out, view_is_null(&view, r) ? "~" : "'", 1, &err));
            if (!view_is_null(&view, r))
                must(!view_print(&view, r, out, &err));
            must(!buffer_append(out, i + 1 < batch->schema->count ? "|" : "\n", 1, &err));
        }
}

static inline void csv_print_rejects(const struct rows *rows, struct buffer *out)
{
    struct haul_error err = {0};
    for (const struct reject_node *node = rows->collector.rejects; node; node = node->next)
        must(!buffer_printf(out, &err, "! %s %s: %s\n", node->reject.place ? node->reject.place : "?",
                            node->reject.column ? node->reject.column : "", node->reject.reason));
}

static inline void must_be_same(const struct buffer *a, const struct buffer *b)
{
    if (a->length == b->length && (!a->length || memcmp(a->data, b->data, a->length) == 0))
        return;
    fprintf(stderr, "one way:\n%.*s\nthe other way:\n%.*s\n", (int)a->length, (const char *)a->data,
            (int)b->length, (const char *)b->data);
    abort();
}

#endif
