/*
 * source.h: what the files of the SQLite source share.
 *
 * describe.c finds out what is read and as which types, split.c cuts it into
 * parts, snapshot.c makes ready the connections of the readers, read.c reads.
 */
#ifndef HAUL_DATABASE_SQLITE_SOURCE_H
#define HAUL_DATABASE_SQLITE_SOURCE_H

#include "batch/source.h"
#include "database/sqlite/catalog.h"
#include "database/sqlite/dialect.h"
#include <stdatomic.h>

/* How the rows are reached. */
enum access {
    ACCESS_ROWID, /* by rowid: parts are ranges, in order */
    ACCESS_KEY,   /* by a key of one integer: the same */
    ACCESS_ORDER, /* by a primary key of another kind: one part, in order */
    ACCESS_PLAIN  /* views and queries: one part, in whatever order SQLite likes */
};

struct source_column {
    int place;   /* in the statement */
    bool forced; /* --schema named its type */
};

/* A worker's connection, inside its read transaction. */
struct slot {
    struct connection connection;
    atomic_bool taken;
};

struct sqlite_source {
    struct source base;
    struct context context;
    struct connection connection;
    struct arena arena; /* path, request, columns */
    const char *path;
    struct source_request request;

    /* describe */
    struct table table; /* empty for a query */
    enum access access;
    struct schema schema;
    struct source_column *columns;
    double row_bytes; /* of the rows looked at; 0 unknown */
    bool wide;        /* text is kept as UTF-16 */

    /* split */
    bool split_begun, split_done;
    uint64_t part_index;
    int64_t part_low, part_rows;

    struct slot *slots; /* begin */
    int slot_count;
};

/* ---- parts: A <= rowid <= B. For a key the ends INT64_MIN and INT64_MAX mean no
 * bound, because such a key may hold what is no integer, and B reaches up to
 * B + 1 without it. ---- */

struct range {
    int64_t low, high;
};
enum haul_code sqlite_range_parse(const struct sqlite_source *source, const char *spec, struct range *range,
                                  struct haul_error *err);

/* "SELECT columns, rowid FROM ... WHERE ... ORDER BY ...", for ACCESS_ROWID and
 * ACCESS_KEY within `range`: ?1 and ?2 are bound to what sqlite_range_bind says. */
enum haul_code sqlite_select(const struct sqlite_source *source, const struct range *range, struct sql *sql,
                             struct haul_error *err);

/* Over the same range either count(*), or the keys in order from the ?3rd on, one of them. */
const char *sqlite_select_range(const struct sqlite_source *source, bool count, const struct range *range,
                                struct sql *sql, struct haul_error *err);

void sqlite_range_bind(const struct sqlite_source *source, const struct range *range,
                       sqlite3_stmt *statement);

enum haul_code sqlite_source_ping(struct source *base, struct ping *ping, struct haul_error *err);
enum haul_code sqlite_source_describe(struct source *base, struct source_info *info, struct haul_error *err);
enum haul_code sqlite_source_split(struct source *base, const struct split_request *request,
                                   struct arena *arena, struct part *part, bool *more,
                                   struct haul_error *err);
enum haul_code sqlite_source_begin(struct source *base, int workers, struct haul_error *err);
void sqlite_source_end(struct source *base);
enum haul_code sqlite_source_read(struct source *base, const struct context *context, const struct part *part,
                                  int64_t first_row, struct reader **reader, struct haul_error *err);

/* One line that is the same as long as the file's content is. */
enum haul_code sqlite_identity(struct connection *connection, struct arena *arena, const char **identity,
                               struct haul_error *err);

#endif
