/*
 * source.h: what the files of the MySQL source share.
 *
 * describe.c finds out what is read and as which types, select.c writes the
 * statements, split.c cuts into parts, snapshot.c makes ready the sessions of
 * the readers, read.c reads, fetch.c turns text of the wire into columns.
 */
#ifndef HAUL_DATABASE_MYSQL_SOURCE_H
#define HAUL_DATABASE_MYSQL_SOURCE_H

#include "base/number.h"
#include "batch/source.h"
#include "database/mysql/catalog.h"
#include <pthread.h>

/* How rows of a table are found: the first column of its primary key. */
enum access {
    ACCESS_PLAIN,   /* one part in the server's order */
    ACCESS_ORDER,   /* one part in the key's order */
    ACCESS_INTEGER, /* ranges of an integer key */
    ACCESS_TEXT,    /* ranges of another key, compared as text */
    ACCESS_BYTES    /* ranges of a binary key */
};

/* A part's spec: "all", "key A..B" (integers, both ends within) or "hex A..B"
 * (bytes of the value, without B). An end that is not there is open. Where one
 * value has many rows an end is "A/B": the rows with A and B or more in the
 * key's second column are behind it. */
#define BOUND_BYTES 1024
struct value {
    int128_t number;
    char hex[BOUND_BYTES]; /* lower-case digits */
};
struct bound {
    bool given, deep;
    struct value first, second;
};
struct range {
    struct bound low, high;
};

/* A worker's session, inside the common snapshot. */
struct slot {
    struct connection connection;
    bool taken, begun;
};

struct mysql_source {
    struct source base;
    struct context context;
    struct server server;
    struct connection connection; /* looks things up */
    struct arena arena;           /* request, columns, query */
    struct source_request request;
    const char *query; /* --query without its last semicolon */

    /* describe */
    struct table table;
    struct schema schema;
    enum form *forms;
    enum access access;
    const char *key;    /* first column of the primary key */
    const char *second; /* the one behind it, when one value can be cut by it; NULL */
    enum access second_access;
    bool lockable; /* the table can be locked for a moment */

    /* split */
    bool split_begun, split_done;
    uint64_t part_index;
    int64_t part_rows;
    struct split_walk *walk; /* integers: ranges still to be looked at */
    struct range next;
    bool deep;              /* one value of the key is being cut: */
    struct range deep_rest; /* what is left of it */
    struct value deep_value;

    pthread_mutex_t mutex; /* guards slots and, while workers run, the connection */
    struct slot *slots;    /* begin */
    int slot_count;
};

enum haul_code my_range_parse(const struct mysql_source *source, const char *spec, struct range *range,
                              struct haul_error *err);
const char *my_range_print(const struct mysql_source *source, const struct range *range, struct arena *arena);

/* SELECT columns FROM ... WHERE range ORDER BY key, from row `skip` on. */
enum haul_code my_select(const struct mysql_source *source, const struct range *range, int64_t skip,
                         struct sql *sql, struct haul_error *err);
void my_select_range(const struct mysql_source *source, const struct range *range, struct sql *sql);
void my_select_equal(const struct mysql_source *source, const struct value *value, struct sql *sql);
void my_select_second(const struct mysql_source *source, const struct value *from, struct sql *sql);

/* What a --query (with --where) is described by. */
enum haul_code my_select_described(const struct mysql_source *source, struct sql *sql,
                                   struct haul_error *err);

enum haul_code my_source_ping(struct source *base, struct ping *ping, struct haul_error *err);
enum haul_code my_source_describe(struct source *base, struct source_info *info, struct haul_error *err);
enum haul_code my_source_split(struct source *base, const struct split_request *request, struct arena *arena,
                               struct part *part, bool *more, struct haul_error *err);
void my_split_release(struct mysql_source *source);
enum haul_code my_source_begin(struct source *base, int workers, struct haul_error *err);
void my_source_end(struct source *base);
enum haul_code my_source_read(struct source *base, const struct context *context, const struct part *part,
                              int64_t first_row, struct reader **reader, struct haul_error *err);

/* May the table be locked for the moment in which snapshots are taken? */
enum haul_code my_snapshot_probe(struct mysql_source *source, struct haul_error *err);

/* A session inside the snapshot, for one reader. */
enum haul_code my_slot_take(struct mysql_source *source, struct slot **slot, struct haul_error *err);

/* `running`: a result is still coming; the server is told to stop it. */
void my_slot_return(struct mysql_source *source, struct slot *slot, MYSQL_RES *running);

#endif
