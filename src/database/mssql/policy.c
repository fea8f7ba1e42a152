/*
 * policy.c: hints, chosen and asked for.
 *
 * Nothing is changed silently: constraints are checked, NULL stays NULL, and
 * triggers, which could change or drop rows, fire only when asked. The rest is
 * for speed:
 *
 *     heap without indexes   TABLOCK, any number of streams: bulk update locks let each other in
 *     heap with indexes      no TABLOCK: it would lock the others out
 *     clustered index        in its order by one stream (ORDER), or any number without hints
 *     columnstore            102,400 rows or more at a time, so that they are compressed at once; no TABLOCK
 *
 * ORDER is promised only for a key of numbers or dates that the source reads in
 * order: text sorts differently elsewhere, and a promise that is broken fails the load.
 *
 * --hint has bcp's words: TABLOCK, ORDER(a, b), ROWS_PER_BATCH=n,
 * KILOBYTES_PER_BATCH=n, CHECK_CONSTRAINTS, FIRE_TRIGGERS, KEEP_NULLS; NO_ before
 * one without an argument takes it back.
 */
#include "database/mssql/policy.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COLUMNSTORE_ROWS 1048576 /* a row group */

/* ---- what the table is ---- */

static bool is_plain_heap(const struct target *target)
{
    return target->storage == STORAGE_HEAP && target->indexes == 0;
}

/* Without and with TABLOCK. Only a heap without indexes is locked so that other streams may come in. */
static const char *stream_words(const struct target *target, bool lock)
{
    static const char *const plain[] = {"a heap without indexes: several streams, no TABLOCK",
                                        "a heap without indexes: TABLOCK, several streams at once"};
    static const char *const words[][2] = {
        [STORAGE_UNKNOWN] = {"the server does not say how the table is stored: no TABLOCK",
                             "the server does not say how the table is stored: TABLOCK, one stream"},
        [STORAGE_HEAP] = {"a heap with indexes: several streams, no TABLOCK",
                          "a heap with indexes: TABLOCK, which lets in one stream"},
        [STORAGE_CLUSTERED] = {"a clustered index: several streams, no TABLOCK",
                               "a clustered index: TABLOCK, which lets in one stream"},
        [STORAGE_COLUMNSTORE] = {"a clustered columnstore: row groups of up to 1,048,576 rows, no TABLOCK",
                                 "a clustered columnstore: TABLOCK, which lets in one stream"},
    };
    return is_plain_heap(target) ? plain[lock] : words[target->storage][lock];
}

static bool is_plainly_ordered(const struct field *field)
{
    return (field->type >= TYPE_INT8 && field->type <= TYPE_UINT64) || field->type == TYPE_DATE ||
           field->type == TYPE_DECIMAL;
}

/* Do the source's rows come in the order of the clustered index? */
static bool is_sorted(const struct target *target, const struct source_info *source)
{
    if (!source->order_fixed || !source->key_count || source->key_count != target->cluster_count)
        return false;
    for (int i = 0; i < source->key_count; i++) {
        int place = schema_find(&source->schema, source->key[i]);
        if (place < 0 || strcasecmp(source->key[i], target->cluster[i]) != 0 ||
            !is_plainly_ordered(&source->schema.fields[place]))
            return false;
    }
    return true;
}

static enum haul_code set_order(struct policy *policy, const struct target *target, struct arena *arena,
                                struct haul_error *err)
{
    struct sql sql = {.dialect = &ms_dialect};
    for (int i = 0; i < target->cluster_count; i++) {
        sql_add(&sql, i ? ", " : "");
        sql_name(&sql, target->cluster[i]);
    }
    policy->order = sql_keep(&sql, arena, err);
    policy->writers_max = 1;
    return policy->order ? HAUL_OK : err->code;
}

static enum haul_code choose(struct policy *policy, const struct target *target,
                             const struct source_info *source, struct arena *arena, struct haul_error *err)
{
    policy->check_constraints = policy->keep_nulls = true;
    policy->tablock = is_plain_heap(target);
    if (target->storage == STORAGE_COLUMNSTORE)
        policy->unit_rows = COLUMNSTORE_ROWS;
    if (target->storage == STORAGE_CLUSTERED && target->indexes == 0 && is_sorted(target, source))
        return set_order(policy, target, arena, err);
    return HAUL_OK;
}

/* What follows of the table and the hints together. */
static const char *settle(struct policy *policy, const struct target *target)
{
    if (policy->tablock && !is_plain_heap(target))
        policy->writers_max = 1;
    if (policy->order && !policy->tablock)
        return "a clustered index, and the rows come in its order: ORDER, one stream, no TABLOCK";
    return stream_words(target, policy->tablock);
}

/* By Microsoft's "Prerequisites for minimal logging in bulk import"; whether the table is
 * empty and replicated is not asked. */
static const char *logging_of(const struct policy *policy, const struct target *target, struct arena *arena)
{
    bool simple = strcmp(target->recovery, "SIMPLE") == 0 || strcmp(target->recovery, "BULK_LOGGED") == 0;
    if (!*target->recovery)
        return "whether it is minimally logged is not known: the server does not say the recovery model";
    if (!simple)
        return arena_printf(arena, "fully logged: the recovery model is %s", target->recovery);
    if (target->storage == STORAGE_COLUMNSTORE)
        return "minimally logged: rows go into compressed row groups";
    if (!policy->tablock)
        return arena_printf(arena, "fully logged, though the recovery model is %s: there is no TABLOCK",
                            target->recovery);
    if (is_plain_heap(target))
        return arena_printf(arena, "minimally logged: recovery model %s, a heap, TABLOCK", target->recovery);
    if (target->storage == STORAGE_HEAP)
        return arena_printf(arena,
                            "rows minimally logged: recovery model %s, a heap, TABLOCK; its indexes only "
                            "while the table is empty, so in the first batch",
                            target->recovery);
    return arena_printf(arena,
                        "minimally logged while the table is empty, so in the first batch: recovery model "
                        "%s, TABLOCK, no heap",
                        target->recovery);
}

/* ---- --hint ---- */

struct hint_row {
    const char *name;
    size_t flag;   /* offset of a bool, or */
    size_t number; /* of an int64_t */
};

#define FLAG_HINT(name, member)                                                                              \
    {                                                                                                        \
        name, offsetof(struct policy, member), 0                                                             \
    }
#define NUMBER_HINT(name, member)                                                                            \
    {                                                                                                        \
        name, 0, offsetof(struct policy, member)                                                             \
    }

static const struct hint_row hints[] = {
    NUMBER_HINT("ROWS_PER_BATCH", batch_rows),
    NUMBER_HINT("KILOBYTES_PER_BATCH", batch_kib),
    FLAG_HINT("CHECK_CONSTRAINTS", check_constraints),
    FLAG_HINT("FIRE_TRIGGERS", fire_triggers),
    FLAG_HINT("KEEP_NULLS", keep_nulls),
    {"TABLOCK", 0, 0}, /* the first member */
};

static enum haul_code fail_hint(const char *word, size_t length, struct haul_error *err)
{
    return error_set(
        err, HAUL_USAGE,
        "--hint: \"%.*s\" is none; there are TABLOCK, ORDER(column, ...), ROWS_PER_BATCH=n, "
        "KILOBYTES_PER_BATCH=n, CHECK_CONSTRAINTS, FIRE_TRIGGERS, KEEP_NULLS, and NO_ before one "
        "takes it back",
        (int)length, word);
}

/* "ORDER(a, b)": the names are quoted anew. */
static enum haul_code read_order(struct policy *policy, const char *list, size_t length, struct arena *arena,
                                 struct haul_error *err)
{
    struct sql sql = {.dialect = &ms_dialect};
    char *names = arena_text_n(arena, list, length), *rest = names;
    if (!names)
        return error_nomem(err, "--hint");
    for (char *name = strtok_r(names, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        name += strspn(name, " [");
        name[strcspn(name, " ]")] = '\0';
        sql_add(&sql, sql.text.length ? ", " : "");
        sql_name(&sql, name);
    }
    policy->order = sql_keep(&sql, arena, err);
    policy->writers_max = 1;
    return policy->order ? HAUL_OK : err->code;
}

static enum haul_code read_hint(struct policy *policy, const char *word, size_t length, struct arena *arena,
                                struct haul_error *err)
{
    bool off = length > 3 && strncasecmp(word, "NO_", 3) == 0;
    const char *name = off ? word + 3 : word;
    size_t rest = length - (off ? 3 : 0), name_length = strcspn(name, "=,( ");
    name_length = name_length < rest ? name_length : rest;
    if (name_length == 5 && strncasecmp(name, "ORDER", 5) == 0) {
        const char *open = memchr(name, '(', rest), *close = memchr(name, ')', rest);
        policy->order = NULL;
        if (off)
            return HAUL_OK;
        return open && close > open ? read_order(policy, open + 1, (size_t)(close - open - 1), arena, err)
                                    : fail_hint(word, length, err);
    }
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
        if (strlen(hints[i].name) != name_length || strncasecmp(hints[i].name, name, name_length) != 0)
            continue;
        char *end, *value = (char *)(uintptr_t)name + name_length;
        if (!hints[i].number) {
            *((bool *)policy + hints[i].flag) = !off;
            return name_length == rest ? HAUL_OK : fail_hint(word, length, err);
        }
        value += strspn(value, " ");
        int64_t number = !off && *value == '=' ? strtoll(value + 1, &end, 10) : 0;
        *(int64_t *)(void *)((char *)policy + hints[i].number) = number;
        return number > 0 || off ? HAUL_OK : fail_hint(word, length, err);
    }
    return fail_hint(word, length, err);
}

/* Commas inside of parentheses part columns, not hints. */
static size_t hint_length(const char *text)
{
    size_t length = 0;
    for (int depth = 0; text[length] && (depth || text[length] != ','); length++)
        depth += text[length] == '(' ? 1 : text[length] == ')' ? -1 : 0;
    return length;
}

static enum haul_code read_hints(struct policy *policy, const char *text, struct arena *arena,
                                 struct haul_error *err)
{
    while (*text) {
        text += strspn(text, " ,");
        size_t length = hint_length(text), kept = length;
        while (kept && text[kept - 1] == ' ')
            kept--;
        if (kept && read_hint(policy, text, kept, arena, err))
            return err->code;
        text += length;
    }
    return HAUL_OK;
}

enum haul_code policy_make(struct policy *policy, const struct target *target,
                           const struct source_info *source, const char *option, struct arena *arena,
                           struct haul_error *err)
{
    *policy = (struct policy){0};
    if (choose(policy, target, source, arena, err) || (option && read_hints(policy, option, arena, err)))
        return err->code;
    policy->table = settle(policy, target);
    policy->logging = logging_of(policy, target, arena);
    return policy->logging ? HAUL_OK : error_nomem(err, "the plan");
}

/* ---- the statement ---- */

static void add_hint(struct sql *sql, int *count, const char *hint)
{
    sql_add(sql, "%s%s", (*count)++ ? ", " : " WITH (", hint);
}

void policy_add_hints(const struct policy *policy, struct sql *sql)
{
    int count = 0;
    bool optional = !policy->dropped_optional;
    if (policy->check_constraints)
        add_hint(sql, &count, "CHECK_CONSTRAINTS");
    if (policy->fire_triggers)
        add_hint(sql, &count, "FIRE_TRIGGERS");
    if (policy->keep_nulls)
        add_hint(sql, &count, "KEEP_NULLS");
    if (policy->tablock && optional)
        add_hint(sql, &count, "TABLOCK");
    if (policy->order && optional) {
        add_hint(sql, &count, "ORDER (");
        sql_add(sql, "%s)", policy->order);
    }
    if (policy->batch_rows && optional) {
        add_hint(sql, &count, "ROWS_PER_BATCH = ");
        sql_add(sql, "%lld", (long long)policy->batch_rows);
    }
    if (policy->batch_kib && optional) {
        add_hint(sql, &count, "KILOBYTES_PER_BATCH = ");
        sql_add(sql, "%lld", (long long)policy->batch_kib);
    }
    sql_add(sql, count ? ")" : "");
}

bool policy_has_optional(const struct policy *policy)
{
    return !policy->dropped_optional &&
           (policy->tablock || policy->order || policy->batch_rows || policy->batch_kib);
}
