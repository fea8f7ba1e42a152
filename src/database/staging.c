/*
 * staging.c: tables beside the target, made like it and dropped again: what an
 * import with several workers loads into. How a table is made like another is the
 * wing's word (table_sink_ops.like); dropping is the same everywhere.
 */
#include "database/table_sink.h"

static enum haul_code parse(struct table_sink *sink, const char *text, struct table_name *name,
                            struct haul_error *err)
{
    return table_name_parse(sink->engine->dialect, text, &sink->arena, name, err);
}

enum haul_code table_sink_make_like(struct sink *base, const char *name, const char *model, bool columnstore,
                                    struct haul_error *err)
{
    struct table_sink *sink = (struct table_sink *)base;
    struct staging staging = {.columnstore = columnstore};
    if (parse(sink, name, &staging.name, err) || parse(sink, model, &staging.model, err) ||
        sink->ops->control(sink, false, err) || sink->ops->like(sink, &staging, err))
        return error_prefix(err, "making staging table %s", name);
    return HAUL_OK;
}

enum haul_code table_sink_drop(struct sink *base, const char *name, struct haul_error *err)
{
    struct table_sink *sink = (struct table_sink *)base;
    struct table_name gone;
    struct sql sql = {.dialect = sink->engine->dialect};
    if (parse(sink, name, &gone, err) || sink->ops->control(sink, false, err))
        return err->code;
    if (!sink->connection) /* a file that is not there has no tables */
        return HAUL_OK;
    sql_add(&sql, "DROP TABLE IF EXISTS ");
    sql_table(&sql, gone.schema, gone.name);
    return engine_run(sink->engine, sink->connection, &sql, NULL, err);
}

enum haul_code table_sink_like(struct table_sink *sink, const struct staging *staging, const char *before,
                               const char *after, struct haul_error *err)
{
    struct sql sql = {.dialect = sink->engine->dialect};
    sql_add(&sql, "CREATE TABLE IF NOT EXISTS ");
    sql_table(&sql, staging->name.schema, staging->name.name);
    sql_add(&sql, " %s", before);
    sql_table(&sql, staging->model.schema, staging->model.name);
    sql_add(&sql, "%s", after);
    return engine_run(sink->engine, sink->connection, &sql, NULL, err);
}
