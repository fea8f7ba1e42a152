/*
 * haul.h: the public interface of libhaul.
 *
 * haul moves tables between databases and files, in bulk, exactly. A program
 * describes one piece of work as a *job* (a set of named options, the same
 * names as on haul's command line), then runs it: copy, verify, list, ping, inspect,
 * or read it as an Arrow stream.
 *
 *     struct haul_error err = {0};
 *     struct haul_job *job = NULL;
 *     if (haul_job_new(&job, &err) || haul_job_set(job, "source", "orders.csv", &err) ||
 *         haul_job_set(job, "target", "orders.parquet", &err) || haul_copy(job, NULL, &err))
 *         fprintf(stderr, "%s\n", err.message);
 *     haul_job_free(job);
 *
 * Chapters: 1 errors, 2 Arrow, 3 about this library, 4 options, 5 jobs,
 * 6 copying, 7 looking, 8 streams.
 *
 * Rules that hold everywhere: each call that can fail returns enum haul_code
 * (0 is success) and fills *err, which lives on the caller's stack. The library
 * never prints, never exits, and keeps no global state. Text is UTF-8. Every
 * `char **` result is freed with haul_free. A job is used by one thread at a
 * time; haul_job_cancel alone may be called from anywhere, a signal handler
 * included.
 */
#ifndef HAUL_H
#define HAUL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef HAUL_API
#define HAUL_API __attribute__((visibility("default")))
#endif

/* ---- 1. Errors ---------------------------------------------------------- */

/* What kind of thing went wrong. The exit code of the program follows from it
 * and from the side it happened on (haul_exit_code). */
enum haul_code {
    HAUL_OK = 0,
    HAUL_USAGE,       /* the caller asked for something that makes no sense */
    HAUL_NOT_FOUND,   /* no such file, table, column, run */
    HAUL_EXISTS,      /* the target is there already and the mode is create */
    HAUL_PERMISSION,  /* not allowed */
    HAUL_SPACE,       /* disk, quota or server storage is full */
    HAUL_IO,          /* a read, write, fsync or rename failed */
    HAUL_NETWORK,     /* connection refused, cut, timed out */
    HAUL_TLS,         /* certificate or handshake */
    HAUL_LOGIN,       /* the server does not accept who we are */
    HAUL_DATA,        /* foreign bytes are malformed: file, wire, JSON */
    HAUL_VALUE,       /* a value the target type cannot hold exactly */
    HAUL_CONSTRAINT,  /* the target refuses a row: key, check, not null */
    HAUL_BUSY,        /* held by somebody else: a lock, a run of this name */
    HAUL_CHANGED,     /* source or target is not the one the plan knows; retryable: a snapshot was lost */
    HAUL_INTEGRITY,   /* counts, hashes or checksums disagree */
    HAUL_UNSUPPORTED, /* understood, but haul cannot do it */
    HAUL_LIMIT,       /* memory budget or another stated limit */
    HAUL_NOMEM,       /* the operating system gave no memory */
    HAUL_REJECTS,     /* more rows refused than --max-errors allows */
    HAUL_CANCELLED,   /* interrupted by the caller */
    HAUL_INTERNAL     /* our mistake */
};

enum haul_side { HAUL_SIDE_NONE = 0, HAUL_SIDE_SOURCE, HAUL_SIDE_TARGET };

#define HAUL_ERROR_MESSAGE_BYTES 1024

struct haul_error {
    enum haul_code code;
    enum haul_side side;
    bool retryable;                         /* the same call may succeed later */
    char sqlstate[6];                       /* "" when there is none */
    int32_t vendor_code;                    /* errno or the server's own number, 0 when none */
    char message[HAUL_ERROR_MESSAGE_BYTES]; /* one line, no newline at the end */
};

/* "permission", "space", ...: the class as the JSON events name it. */
HAUL_API const char *haul_code_name(enum haul_code code);

/* The exit code of the program for this error: 0 done, 1 failed, 2 usage,
 * 4 integrity, 5 source failed, 6 target failed, 75 run the same again. */
HAUL_API int haul_exit_code(const struct haul_error *err);

/* ---- 2. Arrow ------------------------------------------------------------ */
/* The Arrow C Data and C Stream interfaces, as the specification gives them. */

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE           2
#define ARROW_FLAG_MAP_KEYS_SORTED    4

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};
#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE
struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};
#endif

/* ---- 3. About this library ------------------------------------------------ */

/* "0.1.0" */
HAUL_API const char *haul_version(void);

/* Line `index` about features and linked libraries ("zstd 1.5.4"); false when
 * it is past the last. */
HAUL_API bool haul_feature(size_t index, char *line, size_t line_bytes);

/* Frees text that a call of this library returned. NULL is fine. */
HAUL_API void haul_free(void *text);

/* ---- 4. Options ----------------------------------------------------------- */

enum haul_option_kind {
    HAUL_OPTION_FLAG,   /* "true" or "false"; the command line gives no value */
    HAUL_OPTION_NUMBER, /* a whole number */
    HAUL_OPTION_SIZE,   /* bytes: 64MiB, 1GB, 4096 */
    HAUL_OPTION_TEXT,
    HAUL_OPTION_CHOICE, /* one of `values` */
    HAUL_OPTION_PATH
};

/* The commands an option belongs to, as bits. */
#define HAUL_FOR_COPY    1u
#define HAUL_FOR_LIST    2u
#define HAUL_FOR_INSPECT 4u
#define HAUL_FOR_VERIFY  8u
#define HAUL_FOR_COMBINE 16u
#define HAUL_FOR_PING    32u
#define HAUL_FOR_EXPORT  64u
#define HAUL_FOR_IMPORT  128u
#define HAUL_FOR_PURGE   256u
#define HAUL_FOR_BCP     512u

/* One row of the one table that the parser, the help, the man page and the
 * shell completion are made from. */
struct haul_option {
    const char *name; /* "rowgroup-size" */
    char letter;      /* 'q', or 0 */
    enum haul_option_kind kind;
    unsigned commands;  /* HAUL_FOR_... */
    const char *group;  /* heading in the help: "Source", "Target", ... */
    const char *values; /* CHOICE: "create|append|truncate|replace"; else the placeholder: "N", "FILE" */
    const char *preset; /* default as text, or NULL */
    const char *help;   /* one sentence without a full stop */
    const char *also;   /* other spellings, blanks between: names, and single letters; NULL none */
};

/* The table; *count gets its length. "source" and "target" are rows of it. */
HAUL_API const struct haul_option *haul_options(size_t *count);

/* The row of a name (its first `length` bytes) or another spelling, and of a letter,
 * among those of `commands` (0: of any); NULL none. */
HAUL_API const struct haul_option *haul_option_find(const char *name, size_t length, unsigned commands);
HAUL_API const struct haul_option *haul_option_letter(char letter, unsigned commands);

/* ---- 5. Jobs --------------------------------------------------------------- */

struct haul_job;

enum haul_event_kind {
    HAUL_EVENT_START,    /* message: what will be done */
    HAUL_EVENT_NOTE,     /* message: something the user should know */
    HAUL_EVENT_WARNING,  /* message: a loss, a refused row, a retry */
    HAUL_EVENT_PROGRESS, /* counters */
    HAUL_EVENT_FINISH    /* counters, final */
};

struct haul_event {
    enum haul_event_kind kind;
    const char *run;       /* the run's name */
    const char *table;     /* what is being moved */
    const char *message;   /* NULL for progress */
    const char *waiting;   /* "source", "encode", "sink" or "": where time goes now */
    int64_t rows;          /* committed or on their way */
    int64_t rows_expected; /* -1 when unknown */
    int64_t bytes_read;    /* source bytes, as the source counts them */
    int64_t bytes_written;
    double seconds; /* since the run began */
};

/* Called from the thread that runs the job, never from a worker. */
typedef void (*haul_event_fn)(void *user, const struct haul_event *event);

HAUL_API enum haul_code haul_job_new(struct haul_job **job, struct haul_error *err);
HAUL_API void haul_job_free(struct haul_job *job);

/* Sets one option by its name in haul_options, or another spelling ("workers", "4"). The value is
 * checked here; a name that is not known is an error that names the near ones. */
HAUL_API enum haul_code haul_job_set(struct haul_job *job, const char *name, const char *value,
                                     struct haul_error *err);

/* The value that was set, as text; NULL when none was. Valid until it is set again. */
HAUL_API const char *haul_job_get(const struct haul_job *job, const char *name);

HAUL_API void haul_job_on_event(struct haul_job *job, haul_event_fn callback, void *user);

/* A row that is set aside, or the last one that is allowed no more. */
struct haul_reject {
    const char *place;  /* "row 16", "line 17" */
    int field;          /* of the source's row, from 1; 0 not known */
    const char *column; /* NULL: the whole row */
    const char *reason;
    const char *value; /* without a NUL at its end; NULL none */
    size_t value_length;
    const char *line; /* the row's fields, each with a tab behind it: BCP files; NULL none */
    size_t line_length;
};

/* Called when a row is refused, before its unit is committed, by any thread but one at a time. A unit that is
 * tried again is told again. */
typedef void (*haul_reject_fn)(void *user, const struct haul_reject *reject);
HAUL_API void haul_job_on_reject(struct haul_job *job, haul_reject_fn callback, void *user);

/* Called when a server wants a password and neither an option, the connection's
 * name, its URI nor the environment has one. Writes it to `password`; false:
 * there is nobody to ask, and the call fails at once. `server` is for the
 * question. The library wipes `password` afterwards. Called by the thread that
 * runs the job. Without a callback nobody is asked. */
typedef bool (*haul_password_fn)(void *user, const char *server, char *password, size_t password_bytes);
HAUL_API void haul_job_on_password(struct haul_job *job, haul_password_fn callback, void *user);

/* Overwrites the passwords in a connection's URI by '*', in place: for words of a
 * command line, which others on the machine can read. Other texts stay as they are. */
HAUL_API void haul_hide_passwords(char *name);

/* Asks the running call to stop. What was committed stays; the run can be
 * continued. Safe in a signal handler and from other threads. */
HAUL_API void haul_job_cancel(struct haul_job *job);

/* Puts the words of export, import, combine or bcp (HAUL_FOR_...: server, table, output-path, ...) into those of a
 * copy (source, target, mode, ...), so that haul_copy and haul_plan do what was asked. For other commands it
 * does nothing. */
HAUL_API enum haul_code haul_settle(struct haul_job *job, unsigned command, struct haul_error *err);

/* ---- 6. Copying ------------------------------------------------------------- */

struct haul_result {
    int64_t rows;         /* rows the target confirmed, resumed units included */
    int64_t rows_resumed; /* of these, found already committed */
    int64_t rejects;      /* rows set aside */
    int64_t losses;       /* values that lost something, all columns */
    int64_t bytes_read;
    int64_t bytes_written;
    double seconds;
    bool already_complete; /* --run NAME was finished before; nothing was done */
    char hash[33];         /* 128-bit sum of row hashes, hex; "" when no values were seen (combine) */
    char run[64];          /* the run's name */
    char consistency[16];  /* "snapshot", "file" or "none": are all rows those of one moment? "" unknown */
};

/* Moves "source" to "target". `result` may be NULL. "source" may be several files,
 * patterns or folders, one a line; with "combine" their row groups are kept as
 * they are (docs/parquet.md), and the result has no hash. */
HAUL_API enum haul_code haul_copy(struct haul_job *job, struct haul_result *result, struct haul_error *err);

/* A command as a whole (HAUL_FOR_COPY, _EXPORT, _IMPORT, _COMBINE): haul_settle, the copy, and what follows
 * it: import with several workers and files goes by staging tables, combine drops them and writes its
 * manifest. */
HAUL_API enum haul_code haul_command(struct haul_job *job, unsigned command, struct haul_result *result,
                                     struct haul_error *err);

/* What haul_copy would do: SQL, parts, type map, losses, memory. Reports here
 * and below are text for people, or JSON (docs/json.md) when "json" is set. */
HAUL_API enum haul_code haul_plan(struct haul_job *job, char **report, struct haul_error *err);

/* Reads "source" and "target" and compares their values. HAUL_INTEGRITY when
 * they differ; the report is given in both cases. `report` may be NULL. */
HAUL_API enum haul_code haul_verify(struct haul_job *job, char **report, struct haul_error *err);

/* Removes what the manifest "source" lists (files of its folder, or tables of the server in the options),
 * then the manifest. With "dry-run" nothing; the report says what. `report` may be NULL. */
HAUL_API enum haul_code haul_purge(struct haul_job *job, char **report, struct haul_error *err);

/* ---- 7. Looking -------------------------------------------------------------- */

struct haul_table {
    const char *schema; /* NULL when the engine has none */
    const char *name;
    const char *kind; /* "table", "view", "file" */
    int64_t rows;     /* -1 when unknown */
    bool rows_exact;
    int64_t bytes; /* -1 when unknown */
};

typedef void (*haul_table_fn)(void *user, const struct haul_table *table);

/* Calls `each` for every table of "source". */
HAUL_API enum haul_code haul_list(struct haul_job *job, haul_table_fn each, void *user,
                                  struct haul_error *err);

/* Connects to "source" and says what is there: version, login, TLS, latency, what may be
 * done (with "table": in that table). HAUL_UNSUPPORTED when it is no database. */
HAUL_API enum haul_code haul_ping(struct haul_job *job, char **report, struct haul_error *err);

/* The format file (docs/bcp.md) of a table or query: "source", after haul_settle also that of the words of bcp,
 * stored as "storage" says. */
HAUL_API enum haul_code haul_format(struct haul_job *job, char **text, struct haul_error *err);

/* What is inside "source": rows, columns, sizes, statistics; "head" rows. */
HAUL_API enum haul_code haul_inspect(struct haul_job *job, char **report, struct haul_error *err);

/* ---- 8. Streams --------------------------------------------------------------- */

/* Opens "source" as an Arrow stream. Rows come in source order. The stream owns
 * what it needs and outlives the job; it is released by its own release. */
HAUL_API enum haul_code haul_read(struct haul_job *job, struct ArrowArrayStream *out, struct haul_error *err);

/* Moves an Arrow stream to "target". The stream is taken (its release becomes
 * NULL) on success and on failure. `result` may be NULL. */
HAUL_API enum haul_code haul_write(struct haul_job *job, struct ArrowArrayStream *in,
                                   struct haul_result *result, struct haul_error *err);

#ifdef __cplusplus
}
#endif
#endif
