/*
 * catalog_index.c: the keys of a table, and how it is partitioned.
 *
 * The primary key is what identifies rows. What rows are cut by is the clustered
 * index, because ranges of another cost a look-up for each row. Where a server
 * tells no indexes, INFORMATION_SCHEMA has the primary key, which is clustered
 * unless somebody said otherwise.
 */
#include "database/mssql/catalog.h"

enum { COL_INDEX, COL_TYPE, COL_UNIQUE, COL_PRIMARY, COL_NAME };

#define TYPE_CLUSTERED 1 /* sys.indexes.type; 5 is a clustered columnstore, which has no key */

static enum haul_code add_name(struct ms_key *key, const struct ms_answer *answer, int64_t row,
                               struct arena *arena, struct haul_error *err)
{
    if (!key->names)
        key->names = arena_alloc_array(arena, (size_t)answer->rows, sizeof *key->names);
    const char *name = arena_text(arena, ms_answer_text(answer, row, COL_NAME));
    if (!key->names || !name)
        return error_nomem(err, "a key");
    key->names[key->count++] = name;
    return HAUL_OK;
}

static enum haul_code take_keys(struct ms_table *table, const struct ms_answer *answer,
                                struct haul_error *err)
{
    for (int64_t i = 0; i < answer->rows; i++) {
        bool clustered = ms_answer_number(answer, i, COL_TYPE) == TYPE_CLUSTERED;
        if (ms_answer_text(answer, i, COL_PRIMARY)[0] != '0' &&
            ms_answer_text(answer, i, COL_PRIMARY)[0] != 'f' &&
            add_name(&table->primary, answer, i, &table->arena, err))
            return err->code;
        if (clustered && add_name(&table->order, answer, i, &table->arena, err))
            return err->code;
        if (clustered)
            table->order_unique = ms_answer_text(answer, i, COL_UNIQUE)[0] != '0' &&
                                  ms_answer_text(answer, i, COL_UNIQUE)[0] != 'f';
    }
    return HAUL_OK;
}

static void add_join(struct sql *sql, const struct ms_table *table, const char *view, const char *on)
{
    sql_add(sql, " JOIN ");
    ms_sql_sys(sql, table);
    sql_add(sql, "%s ON %s", view, on);
}

static enum haul_code read_indexes(struct session *session, struct ms_table *table, struct ms_answer *answer,
                                   struct haul_error *err)
{
    struct sql sql = {.dialect = &ms_dialect};
    sql_add(&sql, "SELECT i.index_id, i.type, i.is_unique, i.is_primary_key, c.name FROM ");
    ms_sql_sys(&sql, table);
    sql_add(&sql, "indexes AS i");
    add_join(&sql, table, "index_columns AS k", "k.object_id = i.object_id AND k.index_id = i.index_id");
    add_join(&sql, table, "columns AS c", "c.object_id = k.object_id AND c.column_id = k.column_id");
    sql_add(&sql,
            " WHERE i.object_id = %s AND (i.type = 1 OR i.is_primary_key = 1) AND i.is_disabled = 0"
            " AND k.key_ordinal > 0 ORDER BY i.index_id, k.key_ordinal",
            table->object_id);
    return ms_ask_softly(session, &sql, answer, err);
}

/* The same columns as read_indexes gives. */
static enum haul_code read_primary(struct session *session, const struct ms_table *table,
                                   struct ms_answer *answer, struct haul_error *err)
{
    struct sql sql = {.dialect = &ms_dialect};
    sql_add(&sql, "SELECT 1 AS i, 1 AS t, 1 AS u, 1 AS p, k.COLUMN_NAME FROM ");
    if (table->name.database) {
        sql_name(&sql, table->name.database);
        sql_add(&sql, ".");
    }
    sql_add(&sql, "INFORMATION_SCHEMA.TABLE_CONSTRAINTS AS c JOIN ");
    if (table->name.database) {
        sql_name(&sql, table->name.database);
        sql_add(&sql, ".");
    }
    sql_add(&sql, "INFORMATION_SCHEMA.KEY_COLUMN_USAGE AS k ON k.CONSTRAINT_SCHEMA = c.CONSTRAINT_SCHEMA"
                  " AND k.CONSTRAINT_NAME = c.CONSTRAINT_NAME WHERE c.CONSTRAINT_TYPE = 'PRIMARY KEY'"
                  " AND k.TABLE_NAME = ");
    sql_literal(&sql, table->name.name);
    sql_add(&sql, " AND k.TABLE_SCHEMA = ");
    sql_literal(&sql, table->name.schema ? table->name.schema : "dbo");
    sql_add(&sql, " ORDER BY k.ORDINAL_POSITION");
    return ms_ask_softly(session, &sql, answer, err);
}

static enum haul_code read_partitions(struct session *session, struct ms_table *table, struct haul_error *err)
{
    struct sql sql = {.dialect = &ms_dialect};
    struct ms_answer answer;
    sql_add(&sql, "SELECT f.name, c.name, f.fanout FROM ");
    ms_sql_sys(&sql, table);
    sql_add(&sql, "indexes AS i");
    add_join(&sql, table, "partition_schemes AS s", "s.data_space_id = i.data_space_id");
    add_join(&sql, table, "partition_functions AS f", "f.function_id = s.function_id");
    add_join(&sql, table, "index_columns AS k",
             "k.object_id = i.object_id AND k.index_id = i.index_id AND k.partition_ordinal = 1");
    add_join(&sql, table, "columns AS c", "c.object_id = k.object_id AND c.column_id = k.column_id");
    sql_add(&sql, " WHERE i.index_id IN (0, 1) AND i.object_id = %s", table->object_id);
    if (ms_ask_softly(session, &sql, &answer, err))
        return err->code;
    if (answer.rows == 1 && ms_answer_number(&answer, 0, 2) > 0) {
        table->partition_function = arena_text(&table->arena, ms_answer_text(&answer, 0, 0));
        table->partition_column = arena_text(&table->arena, ms_answer_text(&answer, 0, 1));
        int64_t count = ms_answer_number(&answer, 0, 2);
        table->partitions = count > 15000 ? 15000 : (int)count; /* the most a table can have */
        if (!table->partition_function || !table->partition_column) {
            ms_answer_release(&answer);
            return error_nomem(err, "a table");
        }
    }
    ms_answer_release(&answer);
    return HAUL_OK;
}

enum haul_code ms_table_keys(struct session *session, struct ms_table *table, struct haul_error *err)
{
    struct ms_answer answer = {0};
    bool unknown = !*table->object_id; /* a server without sys.objects */
    if (table->kind != 'U' && !(table->kind == 'S' && unknown))
        return HAUL_OK;
    if (!unknown && read_indexes(session, table, &answer, err))
        return err->code;
    if (!answer.columns && read_primary(session, table, &answer, err))
        return err->code;
    enum haul_code code = take_keys(table, &answer, err);
    ms_answer_release(&answer);
    return code || unknown ? code : read_partitions(session, table, err);
}
