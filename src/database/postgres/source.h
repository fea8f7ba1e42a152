/*
 * source.h: what the files of the PostgreSQL source share.
 *
 * describe.c finds out what is read and as which types, select.c writes the
 * statements, split.c cuts into parts, snapshot.c makes ready the sessions of
 * the readers, read.c reads, decode.c turns bytes of the wire into columns.
 */
#ifndef HAUL_DATABASE_POSTGRES_SOURCE_H
#define HAUL_DATABASE_POSTGRES_SOURCE_H

#include "batch/source.h"
#include "database/postgres/catalog.h"
#include <pthread.h>

struct source_column {
    enum wire wire;
    Oid array; /* WIRE_ARRAY: its type */
};

/* A worker's session, inside the common snapshot. */
struct slot {
    struct connection connection;
    bool taken, named;
};

struct postgres_source {
    struct source base;
    struct context context;
    struct server server;
    struct connection connection; /* looks things up, and holds the snapshot */
    struct arena arena;           /* request, columns, query */
    struct source_request request;
    const char *query; /* --query without its last semicolon */

    /* describe */
    char snapshot[64]; /* "" none yet */
    struct table table;
    struct schema schema;
    struct source_column *columns;
    bool sliced;         /* parts are ranges of ctid */
    const char *key;     /* or ranges of this column (key_range.c); NULL no */
    const char **bounds; /* of its histogram */
    int bound_count;

    /* split */
    int64_t next_block, part_blocks;
    uint64_t part_index;
    bool split_done;
    int share, share_count; /* of a key */
    const char *next_low;

    pthread_mutex_t mutex; /* guards slots and, while workers run, the holder */
    struct slot *slots;    /* begin */
    int slot_count;
};

/* ---- parts: "all", "ctid A..B": blocks from A up to B, without B; no B: to the end;
 * or "key NAME A..B", the same of a column's values (key_range.c) ---- */

#define NAME_ROOM       64
#define KEY_BOUND_BYTES 512

struct range {
    int64_t low, high; /* high -1: no end */
    bool keyed, has_from, has_to;
    char column[NAME_ROOM], from[KEY_BOUND_BYTES], to[KEY_BOUND_BYTES];
};

/* Finds key and bounds; none: source->key stays NULL. */
enum haul_code pg_key_find(struct postgres_source *source, struct haul_error *err);
const char *pg_key_next(struct postgres_source *source, const struct split_request *request,
                        struct arena *arena); /* the next part's spec; NULL: no memory */
const char *pg_key_spec(const char *key, const char *low, const char *high, struct arena *arena);
bool pg_key_parse(const struct postgres_source *source, const char *spec, struct range *range);
void pg_key_add(const struct range *range, struct sql *sql);

enum haul_code pg_range_parse(const struct postgres_source *source, const char *spec, struct range *range,
                              struct haul_error *err);

/* "COPY (SELECT columns FROM ... WHERE ...) TO STDOUT (FORMAT binary)" */
enum haul_code pg_select_copy(const struct postgres_source *source, const struct range *range,
                              struct sql *sql, struct haul_error *err);

/* What a --query (with --where) is described by. */
enum haul_code pg_select_described(const struct postgres_source *source, struct sql *sql,
                                   struct haul_error *err);

enum haul_code pg_source_ping(struct source *base, struct ping *ping, struct haul_error *err);
enum haul_code pg_source_describe(struct source *base, struct source_info *info, struct haul_error *err);
enum haul_code pg_source_split(struct source *base, const struct split_request *request, struct arena *arena,
                               struct part *part, bool *more, struct haul_error *err);
enum haul_code pg_source_begin(struct source *base, int workers, struct haul_error *err);
void pg_source_end(struct source *base);
enum haul_code pg_source_read(struct source *base, const struct context *context, const struct part *part,
                              int64_t first_row, struct reader **reader, struct haul_error *err);

/* Begins the holder's transaction and exports its snapshot; nothing when it is there. */
enum haul_code pg_snapshot_take(struct postgres_source *source, struct haul_error *err);

/* A session inside the snapshot, for one reader; a lost one is opened anew. */
enum haul_code pg_slot_take(struct postgres_source *source, const struct context *context, struct slot **slot,
                            struct haul_error *err);
void pg_slot_return(struct postgres_source *source, struct slot *slot);

#endif
