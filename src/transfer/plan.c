/*
 * plan.c: what a run will do, as JSON and back.
 *
 * The same text is durable state and what --dry-run shows. A later process needs
 * only a part of it (fingerprint, identity, schema hash, parts, the unit rule);
 * the rest is for people. Numbers are JSON integers; parts are an array of
 * {"spec","rows","bytes"} in source order, so that the index is the part's
 * number.
 */
#include "transfer/plan.h"
#include "batch/cast.h"
#include "transfer/fingerprint.h"
#include <jansson.h>
#include <stdio.h>

#define TYPE_TEXT_BYTES 512

static const char *const resumable_names[] = {"replayable", "staged", "not resumable"};

const char *resumable_name(enum resumable resumable)
{
    return resumable_names[resumable];
}

void plan_release(struct plan *plan)
{
    arena_release(&plan->arena);
    *plan = (struct plan){0};
}

enum haul_code plan_add(struct plan *plan, const struct part *part, struct haul_error *err)
{
    if (plan->part_count >= PLAN_PARTS_MAX)
        return error_set(err, HAUL_LIMIT,
                         "the source falls into more than %u parts; use a larger --rowgroup-size",
                         PLAN_PARTS_MAX);
    if (plan->part_count == plan->part_room) {
        uint64_t room = plan->part_room ? plan->part_room * 2 : 16;
        struct part *parts = arena_alloc_array(&plan->arena, (size_t)room, sizeof *parts);
        if (!parts)
            return error_nomem(err, "the plan");
        if (plan->part_count)
            memcpy(parts, plan->parts, (size_t)plan->part_count * sizeof *parts);
        plan->parts = parts;
        plan->part_room = room;
    }
    struct part *added = &plan->parts[plan->part_count];
    *added = *part;
    added->index = plan->part_count++;
    return HAUL_OK;
}

/* ---- printing ---- */

static enum haul_code schema_describe(const struct schema *schema, struct buffer *out, struct haul_error *err)
{
    char type[TYPE_TEXT_BYTES];
    for (int i = 0; i < schema->count; i++) {
        const struct field *field = &schema->fields[i];
        field_print_type(field, type, sizeof type);
        if (buffer_printf(out, err, "%zu:%s %s\n", strlen(field->name), field->name, type))
            return err->code;
    }
    return buffer_printf(out, err, "--\n");
}

enum haul_code plan_hash_schemas(struct plan *plan, const struct plan_facts *facts, struct haul_error *err)
{
    struct buffer text = {0};
    enum haul_code code = schema_describe(&facts->info->schema, &text, err);
    if (!code)
        code = schema_describe(&facts->terms->schema, &text, err);
    if (!code)
        hash_print(fingerprint_text(text.data, text.length), plan->schema_hash);
    buffer_release(&text);
    return code;
}

/* Text that came from a file or a server may not be UTF-8: then it stands as hex. */
static json_t *json_text(const char *text)
{
    if (!text)
        return json_null();
    json_t *json = json_string(text);
    if (json)
        return json;
    struct buffer hex = {0};
    struct haul_error ignored = {0};
    for (const char *at = text; *at; at++)
        if (buffer_printf(&hex, &ignored, "%02x", (unsigned char)*at))
            break;
    json = hex.length ? json_stringn((const char *)hex.data, hex.length) : NULL;
    buffer_release(&hex);
    return json;
}

/* Adds a new value; false when there was no memory. */
static bool put(json_t *object, const char *key, json_t *value)
{
    return value && json_object_set_new(object, key, value) == 0;
}

static bool put_number(json_t *object, const char *key, int64_t number)
{
    return put(object, key, json_integer((json_int_t)number));
}

static bool put_text(json_t *object, const char *key, const char *text)
{
    return put(object, key, json_text(text));
}

static bool put_column(json_t *columns, const struct field *from, const struct field *to, const char *loss)
{
    char source[TYPE_TEXT_BYTES], target[TYPE_TEXT_BYTES];
    field_print_type(from, source, sizeof source);
    field_print_type(to, target, sizeof target);
    json_t *column = json_object();
    bool done = column && put_text(column, "name", to->name) && put_text(column, "source", source) &&
                put_text(column, "target", target) && (!loss || put_text(column, "may_lose", loss));
    if (done && from->sql_type)
        done = put_text(column, "sql_type", from->sql_type);
    if (done)
        return json_array_append_new(columns, column) == 0;
    json_decref(column);
    return false;
}

static bool put_columns(json_t *root, const struct plan_facts *facts)
{
    const struct schema *from = &facts->info->schema, *to = &facts->terms->schema;
    struct cast *cast = NULL;
    struct haul_error ignored = {0};
    json_t *columns = json_array();
    if (!put(root, "columns", columns))
        return false;
    if (cast_open(from, to, &cast, &ignored))
        cast = NULL;
    bool done = true;
    for (int i = 0; done && i < to->count && i < from->count; i++)
        done = put_column(columns, &from->fields[i], &to->fields[i], cast ? cast_loss(cast, i) : NULL);
    if (cast)
        cast_close(cast);
    return done;
}

static bool put_parts(json_t *root, const struct plan *plan)
{
    json_t *parts = json_array();
    if (!put(root, "parts", parts))
        return false;
    for (uint64_t i = 0; i < plan->part_count; i++) {
        const struct part *part = &plan->parts[i];
        json_t *one = json_object();
        bool done = one && put_text(one, "spec", part->spec) && put_number(one, "rows", part->rows) &&
                    put_number(one, "bytes", part->bytes);
        if (!done) {
            json_decref(one);
            return false;
        }
        if (json_array_append_new(parts, one))
            return false;
    }
    return !plan->parts_capped || put(root, "parts_capped", json_true());
}

static bool put_plan(json_t *root, const struct plan *plan)
{
    return put_number(root, "version", PLAN_VERSION) && put_text(root, "run", plan->run) &&
           put_text(root, "fingerprint", plan->fingerprint) &&
           put_text(root, "schema_hash", plan->schema_hash) && put_text(root, "identity", plan->identity) &&
           put_number(root, "unit_rows", plan->unit_rows) &&
           put_number(root, "unit_bytes", plan->unit_bytes) && put_number(root, "limit", plan->limit) &&
           put(root, "cut", json_boolean(plan->cut));
}

/* Is the table that was there still the same object when the run is finished? */
static bool keeps_object(enum sink_mode mode)
{
    return mode != SINK_CREATE && mode != SINK_REPLACE;
}

static bool put_facts(json_t *root, const struct plan_facts *facts)
{
    const struct sink_terms *terms = facts->terms;
    return put_text(root, "source", facts->source_name) &&
           put_text(root, "source_table", facts->info->table) &&
           put_text(root, "target", facts->target_name) && put_text(root, "target_table", terms->target) &&
           put_text(root, "mode", sink_mode_name(facts->mode)) &&
           put_number(root, "rows", facts->info->rows) &&
           put(root, "rows_exact", json_boolean(facts->info->rows_exact)) &&
           put_text(root, "consistency", facts->info->consistency) &&
           (!facts->info->consistency_note ||
            put_text(root, "consistency_note", facts->info->consistency_note)) &&
           put_text(root, "resumable", resumable_name(terms->resumable)) &&
           put_text(root, "target_identity", keeps_object(facts->mode) ? terms->identity : NULL) &&
           put_text(root, "resume_note", terms->resume_note) && put_text(root, "sql", terms->sql) &&
           put_number(root, "workers", facts->workers) && put_number(root, "memory", facts->memory_bytes);
}

enum haul_code plan_print(const struct plan *plan, const struct plan_facts *facts, char **json,
                          struct haul_error *err)
{
    json_t *root = json_object();
    bool done = root && put_plan(root, plan) && put_facts(root, facts) && put_columns(root, facts) &&
                put_parts(root, plan);
    *json = done ? json_dumps(root, JSON_INDENT(1)) : NULL;
    json_decref(root);
    return *json ? HAUL_OK : error_nomem(err, "the plan");
}

/* ---- parsing ---- */

static bool get_text(const json_t *object, const char *key, char *out, size_t out_bytes)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (!text || strlen(text) >= out_bytes)
        return false;
    (void)snprintf(out, out_bytes, "%s", text);
    return true;
}

static bool get_number(const json_t *object, const char *key, int64_t *number)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value))
        return false;
    *number = json_integer_value(value);
    return true;
}

static enum haul_code parts_parse(const json_t *parts, struct plan *plan, struct haul_error *err)
{
    size_t i;
    const json_t *one;
    json_array_foreach(parts, i, one)
    {
        struct part part = {0};
        const char *spec = json_string_value(json_object_get(one, "spec"));
        if (!spec || !get_number(one, "rows", &part.rows) || !get_number(one, "bytes", &part.bytes))
            return error_set(err, HAUL_DATA, "part %zu of the plan is damaged", i);
        part.spec = arena_text(&plan->arena, spec);
        if (!part.spec)
            return error_nomem(err, "the plan");
        if (plan_add(plan, &part, err))
            return err->code;
    }
    return HAUL_OK;
}

static enum haul_code root_parse(const json_t *root, struct plan *plan, struct haul_error *err)
{
    int64_t version = 0;
    const char *identity = json_string_value(json_object_get(root, "identity"));
    if (get_number(root, "version", &version) && version != PLAN_VERSION)
        return error_set(err, HAUL_CHANGED,
                         "the plan is of version %lld, this haul knows %d; --restart discards it",
                         (long long)version, PLAN_VERSION);
    bool whole = version == PLAN_VERSION && identity && get_text(root, "run", plan->run, sizeof plan->run) &&
                 get_text(root, "fingerprint", plan->fingerprint, sizeof plan->fingerprint) &&
                 get_text(root, "schema_hash", plan->schema_hash, sizeof plan->schema_hash) &&
                 get_number(root, "unit_rows", &plan->unit_rows) &&
                 get_number(root, "unit_bytes", &plan->unit_bytes) &&
                 get_number(root, "limit", &plan->limit) && json_is_boolean(json_object_get(root, "cut")) &&
                 json_is_array(json_object_get(root, "parts")) && plan->unit_rows > 0 && plan->unit_bytes > 0;
    if (!whole)
        return error_set(err, HAUL_DATA, "the plan is damaged; --restart discards it");
    plan->cut = json_is_true(json_object_get(root, "cut"));
    plan->identity = arena_text(&plan->arena, identity);
    if (!plan->identity)
        return error_nomem(err, "the plan");
    if (parts_parse(json_object_get(root, "parts"), plan, err))
        return err->code;
    if (plan->part_count == 0)
        return error_set(err, HAUL_DATA, "the plan has no parts; --restart discards it");
    return HAUL_OK;
}

bool plan_is_of(const char *json, const char *target_identity)
{
    json_t *root = json ? json_loads(json, 0, NULL) : NULL;
    const char *known = json_string_value(json_object_get(root, "target_identity"));
    bool same = !known || !*known || strcmp(known, target_identity) == 0;
    json_decref(root);
    return same;
}

enum haul_code plan_parse(const char *json, struct plan *plan, struct haul_error *err)
{
    json_error_t where;
    json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, &where);
    if (!root)
        return error_set(err, HAUL_DATA, "the plan is damaged (line %d: %s); --restart discards it",
                         where.line, where.text);
    enum haul_code code = root_parse(root, plan, err);
    json_decref(root);
    if (code)
        plan_release(plan);
    return code;
}
