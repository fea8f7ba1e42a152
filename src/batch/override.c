/*
 * override.c: takes --schema apart.
 *
 *     text = entry {',' entry}      entry = name ':' type
 *
 * A comma inside (), [] or <> belongs to the type. The types' own grammar is
 * field_parse_type's.
 */
#include "batch/override.h"

#include "base/settings.h"
#include <string.h>

struct entry {
    const char *name, *type;
};

/* The end of the type that begins at `at`. */
static const char *type_end(const char *at)
{
    int depth = 0;
    for (; *at && (depth || *at != ','); at++)
        depth += (strchr("([<", *at) != NULL) - (strchr(")]>", *at) != NULL);
    return at;
}

/* The end of the name; *skip gets the quote's length, 0 or 1. */
static const char *name_end(const char *at, size_t *skip)
{
    *skip = *at == '"';
    return strchr(at + *skip, *skip ? '"' : ':');
}

static enum haul_code take_entry(const char **at, struct arena *arena, struct entry *entry,
                                 struct haul_error *err)
{
    size_t skip;
    const char *start = *at + strspn(*at, " "), *end = name_end(start, &skip);
    if (!end || end[skip] != ':')
        return error_set(err, HAUL_USAGE, "--schema: \"%s\" is not NAME:TYPE", *at);
    const char *type = end + skip + 1;
    *at = type_end(type);
    entry->name = arena_text_n(arena, start + skip, (size_t)(end - start) - skip);
    entry->type = arena_text_n(arena, type, (size_t)(*at - type));
    if (!entry->name || !entry->type)
        return error_nomem(err, "--schema");
    *at += **at == ',';
    return HAUL_OK;
}

static enum haul_code unknown_column(const char *name, const struct schema *schema, struct haul_error *err)
{
    struct arena arena = {0};
    const char **names = arena_alloc_array(&arena, (size_t)schema->count + 1, sizeof *names);
    char near[256] = "";
    for (int i = 0; names && i < schema->count; i++)
        names[i] = schema->fields[i].name;
    if (names)
        settings_near(name, names, (size_t)schema->count, near, sizeof near);
    arena_release(&arena);
    return error_set(err, HAUL_NOT_FOUND, "--schema: there is no column \"%s\"%s%s", name,
                     near[0] ? "; near to it: " : "", near);
}

static enum haul_code apply(const struct entry *entry, struct schema *schema, bool *forced,
                            struct haul_error *err)
{
    int place = schema_find(schema, entry->name);
    if (place < 0)
        return unknown_column(entry->name, schema, err);
    struct field *field = &schema->fields[place];
    struct field typed = {.name = field->name};
    if (field_parse_type(entry->type, &schema->arena, &typed, err))
        return error_prefix(err, "--schema: column \"%s\"", entry->name);
    typed.nullable = field->nullable;
    typed.sql_type = field->sql_type;
    *field = typed;
    if (forced)
        forced[place] = true;
    return HAUL_OK;
}

enum haul_code schema_override(const char *text, struct schema *schema, bool *forced, struct haul_error *err)
{
    const char *at = text;
    while (*at) {
        struct entry entry = {0};
        if (take_entry(&at, &schema->arena, &entry, err) || apply(&entry, schema, forced, err))
            return err->code;
    }
    return HAUL_OK;
}
