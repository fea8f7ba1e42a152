/*
 * merge.c: rows of the staging table into those of the target, by a key.
 *
 * Rows that match by the key are updated in the columns the source has, the rest
 * is inserted; columns the source does not have keep the target's values or get
 * its defaults. The key must be unique in the target, or one row of the source
 * would change several. All is one transaction with the run's row in the ledger,
 * so a merge is done once or not at all.
 *
 * A key that stands twice in the source, or is NULL, says nothing about which
 * row is meant: it is looked for in the staging table before the target is
 * touched. That table so has no unique indexes, and allows NULL in the key.
 */
#include "database/table_sink.h"

#include <string.h>

#define KEY_TEXT_BYTES 400

/* ---- the key ---- */

bool table_sink_is_key(const struct table_sink *sink, const char *column)
{
    for (int i = 0; i < sink->key_count; i++)
        if (strcmp(sink->key[i], column) == 0)
            return true;
    return false;
}

/* "a, b" for messages, cut when it is long. */
static void print_key(const struct table_sink *sink, char text[KEY_TEXT_BYTES])
{
    struct haul_error unused = {0};
    struct buffer all = {0};
    for (int i = 0; i < sink->key_count; i++)
        buffer_printf(&all, &unused, "%s%s", i ? ", " : "", sink->key[i]);
    size_t length = all.length < KEY_TEXT_BYTES ? all.length : KEY_TEXT_BYTES - 1;
    if (length)
        memcpy(text, all.data, length);
    text[length] = '\0';
    buffer_release(&all);
}

/* Names as the target spells them. */
static enum haul_code take_key(struct table_sink *sink, const char *const *names, int count,
                               struct haul_error *err)
{
    const char **key = arena_alloc_array(&sink->arena, (size_t)count + 1, sizeof *key);
    if (!key)
        return error_nomem(err, "a key");
    sink->key = key;
    for (sink->key_count = 0; sink->key_count < count; sink->key_count++) {
        const char *name = names[sink->key_count];
        int at = columns_find(sink->columns, name);
        if (at < 0)
            return error_set(err, HAUL_USAGE, "%s: --key: table %s has no column \"%s\"", sink->place,
                             sink->title, name);
        const char *spelled = sink->columns->list[at].name;
        if (schema_find(&sink->schema, spelled) < 0)
            return error_set(err, HAUL_USAGE,
                             "%s: the source has no column \"%s\", which is in the key of %s", sink->place,
                             spelled, sink->title);
        if (table_sink_is_key(sink, spelled))
            return error_set(err, HAUL_USAGE, "--key names \"%s\" twice", spelled);
        key[sink->key_count] = spelled;
    }
    return HAUL_OK;
}

static bool holds_primary_key(const struct table_sink *sink)
{
    for (int i = 0; i < sink->columns->count; i++)
        if (sink->columns->list[i].key && !table_sink_is_key(sink, sink->columns->list[i].name))
            return false;
    return sink->columns->key_count > 0;
}

/* Is there an index all of whose columns are in the key? Rows come index after index. */
static bool holds_index(const struct table_sink *sink, const struct answer *answer)
{
    bool held = false;
    for (size_t i = 0; i < answer_rows(answer); i++) {
        bool first = i == 0 || strcmp(answer_text(answer, i, 0), answer_text(answer, i - 1, 0)) != 0;
        if (first && held)
            return true;
        held = (first || held) && table_sink_is_key(sink, answer_text(answer, i, 1));
    }
    return held;
}

static enum haul_code check_unique(struct table_sink *sink, struct haul_error *err)
{
    struct sql sql = {.dialect = sink->engine->dialect};
    struct answer answer;
    char key[KEY_TEXT_BYTES];
    if (holds_primary_key(sink))
        return HAUL_OK;
    sink->ops->list_unique(sink, &sql);
    enum haul_code code = engine_ask(sink->engine, sink->connection, &sql, &answer, err);
    bool held = !code && holds_index(sink, &answer);
    answer_release(&answer);
    if (code || held)
        return code;
    print_key(sink, key);
    return error_set(err, HAUL_UNSUPPORTED,
                     "%s: (%s) need not be unique in table %s: there is no primary key and no whole unique "
                     "index on them; make one, or choose another --key",
                     sink->place, key, sink->title);
}

enum haul_code table_sink_choose_key(struct table_sink *sink, const struct sink_request *request,
                                     struct haul_error *err)
{
    const char **primary = NULL;
    if (!request->key && columns_key(sink->columns, &sink->arena, &primary, err))
        return err->code;
    if (!request->key && !primary)
        return error_set(err, HAUL_USAGE,
                         "%s: table %s has no primary key; say with --key A,B which columns tell which rows "
                         "are the same",
                         sink->place, sink->title);
    const char *const *names = request->key ? request->key : primary;
    if (take_key(sink, names, request->key ? request->key_count : sink->columns->key_count, err))
        return err->code;
    return check_unique(sink, err);
}

/* ---- what the source says twice ---- */

static void add_key(const struct table_sink *sink, const char *between, struct sql *sql)
{
    for (int i = 0; i < sink->key_count; i++) {
        sql_add(sql, "%s", i ? between : "");
        sql_name(sql, sink->key[i]);
    }
}

static void add_work(const struct table_sink *sink, struct sql *sql)
{
    sql_table(sql, sink->schema_name, sink->work);
}

static enum haul_code check_nulls(struct table_sink *sink, struct haul_error *err)
{
    struct sql sql = {.dialect = sink->engine->dialect};
    char key[KEY_TEXT_BYTES];
    int64_t rows = 0;
    sql_add(&sql, "SELECT %s FROM ", sink->engine->count);
    add_work(sink, &sql);
    sql_add(&sql, " WHERE ");
    add_key(sink, " IS NULL OR ", &sql);
    sql_add(&sql, " IS NULL");
    if (engine_ask_number(sink->engine, sink->connection, &sql, &rows, err))
        return err->code;
    if (rows == 0)
        return HAUL_OK;
    print_key(sink, key);
    return error_set(
        err, HAUL_CONSTRAINT,
        "%s: %lld rows of the source have NULL in the key (%s) of %s; nothing was changed: leave "
        "them out (--where, --query), then --restart",
        sink->place, (long long)rows, key, sink->title);
}

/* One key that stands most often, and how often. */
static enum haul_code show_double(struct table_sink *sink, char text[KEY_TEXT_BYTES], int64_t *times,
                                  struct haul_error *err)
{
    struct sql sql = {.dialect = sink->engine->dialect};
    struct answer answer;
    struct buffer all = {0};
    sql_add(&sql, "SELECT %s", sink->engine->top_one);
    add_key(sink, ", ", &sql);
    sql_add(&sql, ", COUNT(*) FROM ");
    add_work(sink, &sql);
    sql_add(&sql, " GROUP BY ");
    add_key(sink, ", ", &sql);
    sql_add(&sql, " HAVING COUNT(*) > 1 ORDER BY COUNT(*) DESC%s", sink->engine->limit_one);
    enum haul_code code = engine_ask(sink->engine, sink->connection, &sql, &answer, err);
    bool found = !code && answer_rows(&answer) > 0;
    for (int i = 0; found && !code && i < sink->key_count; i++)
        code = buffer_printf(&all, err, "%s%s", i ? ", " : "", answer_text(&answer, 0, i));
    *times = found ? answer_number(&answer, 0, sink->key_count) : 0;
    size_t length = all.length < KEY_TEXT_BYTES ? all.length : KEY_TEXT_BYTES - 1;
    if (length)
        memcpy(text, all.data, length);
    text[length] = '\0';
    buffer_release(&all);
    answer_release(&answer);
    return code;
}

static enum haul_code check_doubles(struct table_sink *sink, struct haul_error *err)
{
    struct sql sql = {.dialect = sink->engine->dialect};
    char key[KEY_TEXT_BYTES], example[KEY_TEXT_BYTES];
    int64_t keys = 0, times = 0;
    sql_add(&sql, "SELECT %s FROM (SELECT COUNT(*) AS n FROM ", sink->engine->count);
    add_work(sink, &sql);
    sql_add(&sql, " GROUP BY ");
    add_key(sink, ", ", &sql);
    sql_add(&sql, " HAVING COUNT(*) > 1) AS d");
    if (engine_ask_number(sink->engine, sink->connection, &sql, &keys, err))
        return err->code;
    if (keys == 0)
        return HAUL_OK;
    if (show_double(sink, example, &times, err))
        return err->code;
    print_key(sink, key);
    return error_set(err, HAUL_CONSTRAINT,
                     "%s: %lld %s more than once in the source: (%s) = (%s) %lld times; nothing was "
                     "changed in %s: leave one row of each (--query), then --restart",
                     sink->place, (long long)keys, keys == 1 ? "key stands" : "keys stand", key, example,
                     (long long)times, sink->title);
}

/* ---- the merge ---- */

static void add_match(const struct table_sink *sink, struct sql *sql)
{
    for (int i = 0; i < sink->key_count; i++) {
        sql_add(sql, i ? " AND haul_old." : "haul_old.");
        sql_name(sql, sink->key[i]);
        sql_add(sql, " = haul_new.");
        sql_name(sql, sink->key[i]);
    }
}

static int add_assignments(const struct table_sink *sink, struct sql *sql)
{
    const char *before = sink->engine->update == UPDATE_JOIN ? "haul_old." : "";
    int count = 0;
    for (int i = 0; i < sink->schema.count; i++) {
        const char *name = sink->schema.fields[i].name;
        if (table_sink_is_key(sink, name))
            continue;
        sql_add(sql, "%s%s", count++ ? ", " : " SET ", before);
        sql_name(sql, name);
        sql_add(sql, " = haul_new.");
        sql_name(sql, name);
    }
    return count;
}

static void add_target(const struct table_sink *sink, struct sql *sql)
{
    sql_table(sql, sink->schema_name, sink->target);
    sql_add(sql, " AS haul_old");
}

static enum haul_code update_rows(struct table_sink *sink, struct haul_error *err)
{
    struct sql sql = {.dialect = sink->engine->dialect}, set = sql;
    enum update_form form = sink->engine->update;
    bool none = add_assignments(sink, &set) == 0;
    const char *assignments = sql_text(&set, err);
    if (none || !assignments) {
        sql_release(&set);
        return none ? HAUL_OK : err->code;
    }
    sql_add(&sql, "UPDATE ");
    if (form == UPDATE_ALIASED)
        sql_add(&sql, "haul_old");
    else
        add_target(sink, &sql);
    if (form != UPDATE_JOIN)
        sql_add(&sql, "%s FROM ", assignments);
    if (form == UPDATE_ALIASED)
        add_target(sink, &sql);
    if (form != UPDATE_FROM)
        sql_add(&sql, " JOIN ");
    add_work(sink, &sql);
    sql_add(&sql, form == UPDATE_FROM ? " AS haul_new WHERE " : " AS haul_new ON ");
    add_match(sink, &sql);
    if (form == UPDATE_JOIN)
        sql_add(&sql, "%s", assignments);
    sql_release(&set);
    if (engine_run(sink->engine, sink->connection, &sql, NULL, err))
        return error_prefix(err, "updating \"%s\"", sink->target);
    return HAUL_OK;
}

static void add_rest(const struct table_sink *sink, struct sql *sql)
{
    sql_add(sql, " FROM ");
    add_work(sink, sql);
    sql_add(sql, " AS haul_new WHERE NOT EXISTS (SELECT 1 FROM ");
    add_target(sink, sql);
    sql_add(sql, " WHERE ");
    add_match(sink, sql);
    sql_add(sql, ")");
}

static enum haul_code insert_rest(struct table_sink *sink, struct haul_error *err)
{
    struct sql sql = {.dialect = sink->engine->dialect};
    sql_add(&sql, "%s", sink->engine->insert);
    sql_table(&sql, sink->schema_name, sink->target);
    sql_add(&sql, " (");
    table_sink_add_columns(sink, &sql);
    sql_add(&sql, ")%s SELECT ", sink->engine->overriding);
    table_sink_add_columns(sink, &sql);
    add_rest(sink, &sql);
    if (engine_run(sink->engine, sink->connection, &sql, NULL, err))
        return error_prefix(err, "inserting into \"%s\"", sink->target);
    return HAUL_OK;
}

static enum haul_code check_rest(struct table_sink *sink, struct haul_error *err)
{
    struct sql sql = {.dialect = sink->engine->dialect};
    int64_t rows = 0;
    sql_add(&sql, "SELECT %s", sink->engine->count);
    add_rest(sink, &sql);
    if (engine_ask_number(sink->engine, sink->connection, &sql, &rows, err))
        return err->code;
    return rows == 0
               ? HAUL_OK
               : error_set(err, HAUL_INTEGRITY, "%s: %lld rows did not reach %s; a trigger left some out",
                           sink->place, (long long)rows, sink->title);
}

enum haul_code table_sink_merge(struct table_sink *sink, struct haul_error *err)
{
    const struct engine *engine = sink->engine;
    if (check_nulls(sink, err) || check_doubles(sink, err) ||
        (engine->lock_before &&
         table_sink_run_on(sink, engine->lock_before, sink->target, engine->lock_after, err)) ||
        update_rows(sink, err) || insert_rest(sink, err))
        return err->code;
    return check_rest(sink, err);
}
