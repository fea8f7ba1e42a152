/*
 * schema_text.c: --schema name:type,... apart.
 *
 * A type may hold commas itself ("decimal(12,2)", "timestamp[us, UTC]"), so an
 * entry ends at a comma outside of brackets. A name that holds a comma, a colon
 * or a quote is quoted, its quotes doubled, as CSV would.
 */
#include "format/csv/shape.h"

#include <stdio.h>
#include <string.h>

#define ENTRIES_MAX 1000000

struct cursor {
    const char *at;
    struct arena *arena;
};

static const char *skip_blanks(const char *at)
{
    while (*at == ' ' || *at == '\t' || *at == '\n')
        at++;
    return at;
}

static enum haul_code quoted_name(struct cursor *cursor, const char **name, struct haul_error *err)
{
    char *out = arena_alloc(cursor->arena, strlen(cursor->at) + 1);
    if (!out)
        return error_nomem(err, "--schema");
    size_t length = 0;
    const char *at = cursor->at + 1;
    for (; *at; at++) {
        if (*at == '"' && at[1] != '"')
            break;
        at += *at == '"';
        out[length++] = *at;
    }
    if (*at != '"')
        return error_set(err, HAUL_USAGE, "--schema: a quoted name is not closed: %.60s", cursor->at);
    cursor->at = skip_blanks(at + 1);
    *name = out;
    return HAUL_OK;
}

static enum haul_code plain_name(struct cursor *cursor, const char **name, struct haul_error *err)
{
    size_t length = strcspn(cursor->at, ":,");
    while (length && cursor->at[length - 1] == ' ')
        length--;
    *name = arena_text_n(cursor->arena, cursor->at, length);
    if (!*name)
        return error_nomem(err, "--schema");
    cursor->at = skip_blanks(cursor->at + length);
    return HAUL_OK;
}

/* To the comma outside of brackets, or the end. */
static size_t type_length(const char *at)
{
    size_t length = 0;
    int depth = 0;
    for (; at[length] && !(at[length] == ',' && depth <= 0); length++) {
        if (strchr("([<{", at[length]))
            depth++;
        else if (strchr(")]>}", at[length]))
            depth--;
    }
    return length;
}

static enum haul_code parse_entry(struct cursor *cursor, struct csv_schema_entry *entry,
                                  struct haul_error *err)
{
    cursor->at = skip_blanks(cursor->at);
    if (*cursor->at == '"' ? quoted_name(cursor, &entry->name, err) : plain_name(cursor, &entry->name, err))
        return err->code;
    if (*cursor->at != ':')
        return error_set(err, HAUL_USAGE,
                         "--schema: \"%.60s\" has no type; write NAME:TYPE,... such as id:int64,name:utf8",
                         entry->name);
    cursor->at = skip_blanks(cursor->at + 1);
    size_t length = type_length(cursor->at);
    size_t kept = length;
    while (kept && cursor->at[kept - 1] == ' ')
        kept--;
    char *type = arena_text_n(cursor->arena, cursor->at, kept);
    if (!type)
        return error_nomem(err, "--schema");
    if (field_parse_type(type, cursor->arena, &entry->field, err))
        return error_prefix(err, "--schema, column \"%.60s\"", entry->name);
    entry->field.name = entry->name;
    entry->field.nullable = true;
    cursor->at += length;
    return HAUL_OK;
}

/* An upper bound: one more than the commas. */
static size_t count_entries(const char *text)
{
    size_t count = 1;
    for (; *text; text++)
        count += *text == ',';
    return count;
}

enum haul_code csv_schema_parse(const char *text, struct arena *arena, struct csv_schema_entry **entries,
                                int *count, struct haul_error *err)
{
    struct cursor cursor = {text, arena};
    size_t most = count_entries(text);
    if (most > ENTRIES_MAX)
        return error_set(err, HAUL_USAGE, "--schema: more than %d columns", ENTRIES_MAX);
    struct csv_schema_entry *list = arena_alloc_array(arena, most, sizeof *list);
    if (!list)
        return error_nomem(err, "--schema");
    int found = 0;
    for (;;) {
        if (parse_entry(&cursor, &list[found], err))
            return err->code;
        found++;
        if (!*cursor.at)
            break;
        cursor.at++;
        if (!*skip_blanks(cursor.at)) /* a comma at the end */
            break;
    }
    *entries = list;
    *count = found;
    return HAUL_OK;
}

void csv_schema_print_name(const char *name, char *out, size_t out_bytes)
{
    if (name[0] && !strpbrk(name, ",:\" \t\n")) {
        (void)snprintf(out, out_bytes, "%s", name);
        return;
    }
    size_t at = 0;
    out[at++] = '"';
    for (; *name && at + 3 < out_bytes; name++) {
        if (*name == '"')
            out[at++] = '"';
        out[at++] = *name;
    }
    out[at++] = '"';
    out[at] = 0;
}
