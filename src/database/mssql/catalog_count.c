/*
 * catalog_count.c: how many rows a table has, and how many bytes.
 *
 * From the partition statistics, which need VIEW DATABASE STATE; then
 * sys.partitions, then sysindexes of old, then COUNT_BIG: each is asked when the
 * one before it is refused or says nothing. A 0 of statistics is not believed.
 */
#include "database/mssql/catalog.h"

/* Of the heap or the clustered index; the object's number follows. */
static const char *const counts[][2] = {
    {"SELECT SUM(row_count) AS n, SUM(used_page_count) * 8192 AS size FROM ",
     "dm_db_partition_stats WHERE index_id IN (0, 1) AND object_id = "},
    {"SELECT SUM(rows) AS n, NULL AS size FROM ", "partitions WHERE index_id IN (0, 1) AND object_id = "},
    {"SELECT SUM(rows) AS n, NULL AS size FROM ", "sysindexes WHERE indid IN (0, 1) AND id = "},
};
#define COUNT_COUNT (sizeof counts / sizeof *counts)

static enum haul_code count_by(struct session *session, const char *const words[2], struct ms_table *table,
                               struct haul_error *err)
{
    struct ms_answer answer;
    struct sql sql = {.dialect = &ms_dialect};
    sql_add(&sql, "%s", words[0]);
    ms_sql_sys(&sql, table);
    sql_add(&sql, "%s%s", words[1], table->object_id);
    if (ms_ask_softly(session, &sql, &answer, err))
        return err->code;
    if (ms_answer_number(&answer, 0, 0) > 0) {
        table->rows = ms_answer_number(&answer, 0, 0);
        table->bytes = ms_answer_number(&answer, 0, 1);
    }
    ms_answer_release(&answer);
    return HAUL_OK;
}

/* Cheap when the statistics were right: there are none. */
static enum haul_code count_all(struct session *session, struct ms_table *table, struct haul_error *err)
{
    struct ms_answer answer;
    struct sql sql = {.dialect = &ms_dialect};
    sql_add(&sql, "SELECT COUNT_BIG(*) AS n FROM ");
    ms_sql_table(&sql, &table->name);
    if (ms_ask_softly(session, &sql, &answer, err))
        return err->code;
    table->rows = ms_answer_number(&answer, 0, 0);
    table->rows_exact = table->rows >= 0;
    ms_answer_release(&answer);
    return HAUL_OK;
}

enum haul_code ms_table_count(struct session *session, struct ms_table *table, struct haul_error *err)
{
    table->rows = table->bytes = -1;
    if (table->kind != 'U' && !(table->kind == 'S' && !*table->object_id))
        return HAUL_OK; /* a view is not run twice */
    for (size_t i = 0; *table->object_id && i < COUNT_COUNT && table->rows <= 0; i++)
        if (count_by(session, counts[i], table, err))
            return err->code;
    return table->rows > 0 ? HAUL_OK : count_all(session, table, err);
}
