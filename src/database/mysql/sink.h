/*
 * sink.h: what the files of the MySQL sink share (database/table_sink.h has the
 * rest of it).
 *
 * sink.c finds the target and makes the run's table, definition.c and match.c say
 * how columns are written, write.c loads (encode.c makes the text), replace.c puts
 * the rows or the table in their place.
 */
#ifndef HAUL_DATABASE_MYSQL_SINK_H
#define HAUL_DATABASE_MYSQL_SINK_H

#include "database/mysql/catalog.h"
#include "database/table_sink.h"

extern const struct engine my_engine;

/* A column that is written. */
struct sink_column {
    const char *name; /* in the target */
    enum form form;
    bool year;    /* two digits would mean another */
    bool trimmed; /* char(n): the server drops spaces at the end */
    int digits;   /* of a second's fraction it keeps */
};

struct mysql_sink {
    struct table_sink base;
    struct server server;
    struct connection control;
    struct table table; /* the target as it is */
    struct sink_column *columns;
    const char *load_sql; /* LOAD DATA LOCAL ... INTO work (columns) */
};

/* table_sink_ops: definition.c, match.c */
enum haul_code my_begin_columns(struct table_sink *base, int count, struct haul_error *err);
const char *my_define_column(void *object, int place, const struct field *from, bool key,
                             struct haul_error *err);
enum haul_code my_match_column(struct table_sink *base, int place, const struct field *from, int at,
                               struct haul_error *err);

/* Sets how a column of that declared type is written. */
void my_column_set(struct mysql_sink *sink, int place, const char *declared, enum form form);

/* The LOAD DATA statement into `work`, in the sink's arena; NULL: err. */
const char *my_load_statement(struct mysql_sink *sink, struct haul_error *err);

/* table_sink_ops: sink.c, replace.c */
enum haul_code my_work_id(struct table_sink *base, const char *name, const char **id, struct haul_error *err);
enum haul_code my_empty(struct table_sink *base, struct haul_error *err);
enum haul_code my_swap(struct table_sink *base, struct haul_error *err);
enum haul_code my_tidy(struct table_sink *base, struct haul_error *err);

/* What would be lost by replacing: HAUL_UNSUPPORTED listing it. */
enum haul_code my_check_dependents(struct table_sink *base, struct haul_error *err);

/* table_sink_ops: write.c */
enum haul_code my_writer_open(struct table_sink *base, const struct context *context, void *session,
                              struct writer **writer, struct haul_error *err);

#endif
