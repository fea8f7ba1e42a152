/*
 * definition.c: a table's definition from a schema.
 *
 * A staging table's name must fit whatever the table's and the run's are: where
 * names have a limit it is the beginning of the first and a hash of both.
 */
#include "database/definition.h"

#include "base/unicode.h"
#include <string.h>
#include <strings.h>

#define STAGING_ADDED 25 /* "__haul_", 16 digits, and two to spare */

static enum haul_code check_columns(const struct dialect *dialect, const struct schema *schema,
                                    struct haul_error *err)
{
    if (schema->count == 0)
        return error_set(err, HAUL_UNSUPPORTED, "the source has no columns; %s has no such table",
                         dialect->engine);
    if (dialect->columns_max && schema->count > dialect->columns_max)
        return error_set(err, HAUL_UNSUPPORTED,
                         "the source has %d columns, a table of %s at most %d; choose with --columns",
                         schema->count, dialect->engine, dialect->columns_max);
    for (int i = 0; i < schema->count; i++)
        for (int j = 0; j < i; j++) {
            const char *one = schema->fields[j].name, *other = schema->fields[i].name;
            if (dialect->case_blind ? strcasecmp(one, other) == 0 : strcmp(one, other) == 0)
                return error_set(err, HAUL_UNSUPPORTED,
                                 "columns \"%s\" and \"%s\" are one to %s; leave one out with --columns", one,
                                 other, dialect->engine);
        }
    return HAUL_OK;
}

static bool is_key(const struct source_info *source, const char *name)
{
    for (int i = 0; i < source->key_count; i++)
        if (strcmp(source->key[i], name) == 0)
            return true;
    return false;
}

static void add_key(struct sql *sql, const struct source_info *source)
{
    for (int i = 0; i < source->key_count; i++)
        if (schema_find(&source->schema, source->key[i]) < 0)
            return;
    for (int i = 0; i < source->key_count; i++) {
        sql_add(sql, i ? ", " : ", PRIMARY KEY (");
        sql_name(sql, source->key[i]);
    }
    sql_add(sql, source->key_count ? ")" : "");
}

static enum haul_code add_column(const struct definer *definer, int place, const struct source_info *source,
                                 struct sql *sql, struct haul_error *err)
{
    const struct field *from = &source->schema.fields[place];
    const char *type = definer->column(definer->sink, place, from, is_key(source, from->name), err);
    if (!type)
        return err->code;
    const struct field *field = &definer->schema->fields[place];
    sql_add(sql, place ? ", " : "(");
    sql_name(sql, field->name);
    sql_add(sql, " %s%s", type, field->nullable ? definer->dialect->nullable : " NOT NULL");
    return HAUL_OK;
}

const char *table_define(const struct definer *definer, const struct source_info *source,
                         struct haul_error *err)
{
    struct sql sql = {.dialect = definer->dialect};
    if (check_columns(definer->dialect, &source->schema, err) ||
        schema_init(definer->schema, source->schema.count, err))
        return NULL;
    for (int i = 0; i < source->schema.count; i++)
        if (add_column(definer, i, source, &sql, err)) {
            sql_release(&sql);
            return NULL;
        }
    add_key(&sql, source);
    sql_add(&sql, ")%s", definer->dialect->table_tail);
    return sql_keep(&sql, definer->arena, err);
}

/* ---- staging ---- */

/* FNV-1a */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3u;
    return (hash ^ 0xff) * 0x100000001b3u;
}

static size_t characters_bytes(const char *text, int count)
{
    size_t bytes = 0;
    for (; text[bytes]; bytes++) {
        count -= (text[bytes] & 0xc0) != 0x80;
        if (count < 0)
            break;
    }
    return bytes;
}

const char *staging_name(const struct dialect *dialect, const char *target, const char *run,
                         struct arena *arena)
{
    uint64_t hash = hash_text(hash_text(0xcbf29ce484222325u, target), run);
    size_t kept = strlen(target);
    if (dialect->name_bytes_max)
        kept = unicode_cut((const uint8_t *)target, kept, (size_t)(dialect->name_bytes_max - STAGING_ADDED));
    else if (dialect->name_characters_max)
        kept = characters_bytes(target, dialect->name_characters_max - STAGING_ADDED);
    else
        return arena_printf(arena, "%s__haul_%s", target, run);
    return arena_printf(arena, "%.*s__haul_%016llx", (int)kept, target, (unsigned long long)hash);
}
