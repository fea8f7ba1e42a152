/*
 * target.c: a table asked about itself.
 *
 * What a value must be like is told by the wire (a SELECT without rows), because
 * that is what the load will be held against; the catalog says which columns
 * cannot be written, have a default, or are the key, and how the table is stored.
 * Each view of the catalog is asked for by itself: on a server that lacks it the
 * answer is empty, and what it would have said stays unknown.
 */
#include "database/mssql/target.h"

#include "database/mssql/answer.h"
#include "database/mssql/types.h"

#define ROWVERSION_TYPE             189
#define INDEX_CLUSTERED             1
#define INDEX_COLUMNSTORE_CLUSTERED 5

void target_release(struct target *target)
{
    ms_table_release(&target->table);
    ms_columns_release(&target->served);
    arena_release(&target->arena);
    *target = (struct target){0};
}

/* "SELECT ... FROM sys.", the view and more, and " = object_id ORDER BY ...". */
struct question {
    const char *before, *view, *where, *order;
};

static enum haul_code ask_about(struct session *session, const struct ms_table *table,
                                const struct question *question, struct ms_answer *answer,
                                struct haul_error *err)
{
    struct sql sql = {.dialect = &ms_dialect};
    *answer = (struct ms_answer){0};
    if (!*table->object_id)
        return HAUL_OK;
    sql_add(&sql, "SELECT %s FROM ", question->before);
    ms_sql_sys(&sql, table);
    sql_add(&sql, "%s WHERE %s = %s%s", question->view, question->where, table->object_id,
            question->order ? question->order : "");
    return ms_ask_softly(session, &sql, answer, err);
}

/* ---- columns ---- */

enum haul_code target_describe(struct session *session, const struct table_name *table,
                               struct ms_columns *columns, struct haul_error *err)
{
    struct sql sql = {.dialect = &ms_dialect};
    enum ms_event event = MS_DONE;
    sql_add(&sql, "SELECT * FROM ");
    ms_sql_table(&sql, table);
    sql_add(&sql, " WHERE 1 = 0");
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? ms_send_batch(session, text, err) : err->code;
    sql_release(&sql);
    while (!code && event != MS_COLUMNS && event != MS_END)
        code = ms_next(session, &event, err);
    if (code)
        return code;
    if (event == MS_COLUMNS) {
        ms_columns_release(columns);
        *columns = session->columns; /* and its texts */
        session->columns = (struct ms_columns){0};
        return ms_read_answer(session, err);
    }
    return error_set(err, HAUL_DATA, "%s: the server does not describe table \"%s\"", session->server->name,
                     table->name);
}

static enum haul_code list_columns(struct target *target, struct haul_error *err)
{
    struct columns *columns = &target->columns;
    columns->list =
        arena_alloc_array(&target->arena, (size_t)target->served.count + 1, sizeof *columns->list);
    if (!columns->list)
        return error_nomem(err, "columns");
    columns->count = target->served.count;
    for (int i = 0; i < columns->count; i++) {
        const struct ms_column *served = &target->served.columns[i];
        struct column *column = &columns->list[i];
        char declared[64];
        ms_type_print(&served->type, declared, sizeof declared);
        column->name = served->name;
        column->declared = arena_text(&target->arena, declared);
        column->not_null = !(served->flags & MS_FLAG_NULLABLE);
        column->generated = (served->flags & MS_FLAG_COMPUTED) || served->user_type == MS_USER_ROWVERSION;
        column->has_default = served->flags & MS_FLAG_IDENTITY;
        target->identity |= (served->flags & MS_FLAG_IDENTITY) != 0;
        if (!column->declared)
            return error_nomem(err, "columns");
    }
    return HAUL_OK;
}

static struct column *column_of(struct target *target, const char *name)
{
    int at = columns_find(&target->columns, name);
    return at < 0 ? NULL : &target->columns.list[at];
}

static enum haul_code read_columns(struct session *session, struct target *target, struct haul_error *err)
{
    static const struct question known = {"name, is_computed, is_identity, default_object_id, system_type_id",
                                          "columns", "object_id", NULL};
    static const struct question always = {"name, generated_always_type", "columns",
                                           "generated_always_type <> 0 AND object_id", NULL};
    struct ms_answer answer;
    if (ask_about(session, &target->table, &known, &answer, err))
        return err->code;
    for (int64_t i = 0; i < answer.rows; i++) {
        struct column *column = column_of(target, ms_answer_text(&answer, i, 0));
        bool identity =
            strcmp(ms_answer_text(&answer, i, 2), "true") == 0 || ms_answer_number(&answer, i, 2) > 0;
        if (!column)
            continue;
        column->generated |= strcmp(ms_answer_text(&answer, i, 1), "true") == 0 ||
                             ms_answer_number(&answer, i, 1) > 0 ||
                             ms_answer_number(&answer, i, 4) == ROWVERSION_TYPE;
        column->has_default |= identity || ms_answer_number(&answer, i, 3) > 0;
        target->identity |= identity;
    }
    ms_answer_release(&answer);
    if (ask_about(session, &target->table, &always, &answer, err))
        return err->code;
    for (int64_t i = 0; i < answer.rows; i++) {
        struct column *column = column_of(target, ms_answer_text(&answer, i, 0));
        if (column)
            column->generated = true;
    }
    ms_answer_release(&answer);
    return HAUL_OK;
}

/* ---- indexes ---- */

static enum haul_code read_key(struct session *session, struct target *target, struct haul_error *err)
{
    static const char view[] =
        "indexes AS i JOIN sys.index_columns AS k ON k.object_id = i.object_id AND k.index_id ="
        " i.index_id JOIN sys.columns AS c ON c.object_id = k.object_id AND c.column_id ="
        " k.column_id";
    static const struct question cluster = {"c.name, CAST(k.is_descending_key AS int)", view,
                                            "i.type = 1 AND k.key_ordinal > 0 AND i.object_id",
                                            " ORDER BY k.key_ordinal"};
    struct ms_answer answer;
    if (ms_table_keys(session, &target->table, err))
        return err->code;
    for (int i = 0; i < target->table.primary.count; i++) {
        struct column *column = column_of(target, target->table.primary.names[i]);
        if (column)
            column->key = ++target->columns.key_count;
    }
    if (ask_about(session, &target->table, &cluster, &answer, err))
        return err->code;
    bool descending = false;
    target->cluster = arena_alloc_array(&target->arena, (size_t)answer.rows + 1, sizeof *target->cluster);
    for (int64_t i = 0; target->cluster && i < answer.rows; i++) {
        const struct column *column = column_of(target, ms_answer_text(&answer, i, 0));
        descending |= ms_answer_number(&answer, i, 1) > 0;
        target->cluster[i] = column ? column->name : "";
    }
    target->cluster_count = descending ? 0 : (int)answer.rows;
    ms_answer_release(&answer);
    return target->cluster ? HAUL_OK : error_nomem(err, "an index");
}

static enum haul_code read_indexes(struct session *session, struct target *target, struct haul_error *err)
{
    static const struct question indexes = {"index_id, CAST(type AS int)", "indexes", "object_id", NULL};
    struct ms_answer answer;
    if (ask_about(session, &target->table, &indexes, &answer, err))
        return err->code;
    target->indexes_told = answer.columns > 0;
    for (int64_t i = 0; i < answer.rows; i++) {
        int64_t type = ms_answer_number(&answer, i, 1);
        if (type == 0 || type == INDEX_CLUSTERED || type == INDEX_COLUMNSTORE_CLUSTERED)
            target->storage = type == 0                 ? STORAGE_HEAP
                              : type == INDEX_CLUSTERED ? STORAGE_CLUSTERED
                                                        : STORAGE_COLUMNSTORE;
        else
            target->indexes++;
    }
    ms_answer_release(&answer);
    return HAUL_OK;
}

/* ---- the rest ---- */

/* The first column of the answer, "a, b". */
static const char *join(const struct ms_answer *answer, struct arena *arena, struct haul_error *err)
{
    const char *all = "";
    for (int64_t i = 0; all && i < answer->rows; i++)
        all = arena_printf(arena, "%s%s%s", all, i ? ", " : "", ms_answer_text(answer, i, 0));
    if (!all)
        error_nomem(err, "names");
    return all;
}

static enum haul_code read_triggers(struct session *session, struct target *target, struct haul_error *err)
{
    static const struct question inserts = {
        "t.name", "triggers AS t JOIN sys.trigger_events AS e ON e.object_id = t.object_id",
        "t.is_disabled = 0 AND e.type_desc = 'INSERT' AND t.parent_id", NULL};
    static const struct question all = {"name", "triggers", "is_disabled = 0 AND parent_id", NULL};
    struct ms_answer answer;
    if (ask_about(session, &target->table, &inserts, &answer, err))
        return err->code;
    if (!answer.columns && ask_about(session, &target->table, &all, &answer, err))
        return err->code;
    target->triggers = join(&answer, &target->arena, err);
    target->trigger_names =
        arena_alloc_array(&target->arena, (size_t)answer.rows + 1, sizeof *target->trigger_names);
    bool complete = target->triggers && target->trigger_names;
    for (int64_t i = 0; complete && i < answer.rows; i++)
        complete = (target->trigger_names[i] = arena_text(&target->arena, ms_answer_text(&answer, i, 0)));
    target->trigger_count = complete ? (int)answer.rows : 0;
    ms_answer_release(&answer);
    return complete ? HAUL_OK : error_nomem(err, "triggers");
}

/* Asked now: a question that fails inside of a transaction takes it along. */
static enum haul_code read_right(struct session *session, struct target *target, struct haul_error *err)
{
    struct sql full = {.dialect = &ms_dialect}, sql = {.dialect = &ms_dialect};
    struct ms_answer answer;
    ms_sql_table(&full, &target->table.name);
    const char *text = sql_text(&full, err);
    sql_add(&sql, "SELECT HAS_PERMS_BY_NAME(");
    sql_literal(&sql, text ? text : "");
    sql_add(&sql, ", 'OBJECT', 'ALTER') AS a");
    sql_release(&full);
    if (ms_ask_softly(session, &sql, &answer, err))
        return err->code;
    target->may_alter = ms_answer_number(&answer, 0, 0) > 0;
    ms_answer_release(&answer);
    return HAUL_OK;
}

static enum haul_code read_database(struct session *session, struct target *target, struct haul_error *err)
{
    static const struct question references = {
        "TOP (1) name", "foreign_keys", "parent_object_id <> referenced_object_id AND referenced_object_id",
        NULL};
    struct ms_answer answer;
    if (ask_about(session, &target->table, &references, &answer, err))
        return err->code;
    target->referenced = answer.rows > 0;
    ms_answer_release(&answer);
    if (read_right(session, target, err))
        return err->code;
    return ms_recovery_model(session, target->table.name.database, &target->arena, &target->recovery, err);
}

enum haul_code ms_recovery_model(struct session *session, const char *database, struct arena *arena,
                                 const char **model, struct haul_error *err)
{
    struct sql sql = {.dialect = &ms_dialect};
    struct ms_answer answer;
    sql_add(&sql, "SELECT recovery_model_desc FROM sys.databases WHERE name = ");
    if (database)
        sql_literal(&sql, database);
    else
        sql_add(&sql, "DB_NAME()");
    if (ms_ask_softly(session, &sql, &answer, err))
        return err->code;
    *model = arena_text(arena, answer.rows ? ms_answer_text(&answer, 0, 0) : "");
    ms_answer_release(&answer);
    return *model ? HAUL_OK : error_nomem(err, "the recovery model");
}

enum haul_code target_read(struct session *session, struct target *target, struct haul_error *err)
{
    if (target_describe(session, &target->table.name, &target->served, err) || list_columns(target, err) ||
        read_columns(session, target, err) || read_key(session, target, err) ||
        read_indexes(session, target, err) || read_triggers(session, target, err) ||
        read_database(session, target, err))
        return err->code;
    return HAUL_OK;
}

enum haul_code target_untrusted(struct session *session, const struct ms_table *table, struct arena *arena,
                                const char **names, struct haul_error *err)
{
    static const char *const views[] = {"check_constraints", "foreign_keys"};
    *names = "";
    for (int i = 0; i < 2; i++) {
        const struct question question = {"name", views[i], "is_not_trusted = 1 AND parent_object_id", NULL};
        struct ms_answer answer;
        if (ask_about(session, table, &question, &answer, err))
            return err->code;
        const char *more = join(&answer, arena, err);
        ms_answer_release(&answer);
        if (!more)
            return err->code;
        *names = arena_printf(arena, "%s%s%s", *names, **names && *more ? ", " : "", more);
        if (!*names)
            return error_nomem(err, "names");
    }
    return HAUL_OK;
}
