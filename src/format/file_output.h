/*
 * file_output.h: one file being written: pieces from many workers, appended in
 * part order.
 */
#ifndef HAUL_FORMAT_FILE_OUTPUT_H
#define HAUL_FORMAT_FILE_OUTPUT_H

#include "batch/sink.h"
#include "format/format.h"

#include <pthread.h>

enum output_state {
    OUTPUT_ABSENT, /* nothing made yet */
    OUTPUT_OPEN,
    OUTPUT_BROKEN, /* an append or the end failed: only `durable` bytes count */
    OUTPUT_PUBLISHED
};

/* What all outputs of a sink share. */
struct output_setup {
    const struct store_ops *store;
    const struct format *format;
    const struct format_request *request;
    const struct schema *schema;
    const char *spill_folder;
    bool adopts; /* parts are taken as they are */
    bool local; /* has an inode, can be looked at by path */
};

struct file_output {
    const struct output_setup *setup;
    const char *path, *temp;
    uint64_t first_part;
    enum output_state state;
    struct output_file *file;
    struct format_output *format;
    int64_t durable; /* the end of the last committed piece */
    uint64_t inode;
    int64_t rows, bytes;       /* committed; of the whole file when published */
    bool ended;                /* the format's end is written */
    struct haul_error failure; /* BROKEN: what it was */
    uint64_t next_part;        /* whose turn it is */
    pthread_mutex_t lock;      /* of next_part, state, failure */
    pthread_cond_t turn;
};

/* What the text of a receipt says: "OFFSET INODE NOTE". */
struct output_receipt {
    int64_t offset;
    uint64_t inode;
    const char *note; /* NULL when empty */
};
bool output_receipt_parse(const char *text, struct output_receipt *receipt);

/* `path` and `temp` outlive the output. */
void file_output_init(struct file_output *output, const struct output_setup *setup, const char *path,
                      const char *temp, uint64_t first_part);
/* Closes; the temporary file stays. */
void file_output_release(struct file_output *output);

/* A new temporary file; one that a dead process left is removed first. */
enum haul_code file_output_create(struct file_output *output, struct haul_error *err);

/* Goes on behind `count` pieces that are in: receipts in part order, without a
 * gap, from first_part on. `rows` is theirs. */
enum haul_code file_output_resume(struct file_output *output, const struct receipt *receipts, size_t count,
                                  struct haul_error *err);

/* What broke it; HAUL_OK when nothing did. */
enum haul_code file_output_failure(struct file_output *output, struct haul_error *err);

bool file_output_is_turn(struct file_output *output, uint64_t part);
enum haul_code file_output_wait(struct file_output *output, uint64_t part, const struct context *context,
                                struct haul_error *err);

/* Appends and syncs a sealed piece; whose turn it is calls it. Fills the receipt's
 * text (in `arena`) and bytes. After an error the file is cut back and broken. */
enum haul_code file_output_append(struct file_output *output, struct piece *piece, struct receipt *receipt,
                                  struct arena *arena, struct haul_error *err);

/* Whose turn it is may put finished bytes of its piece there before the commit,
 * and must cut them off again when the unit is aborted. */
enum haul_code file_output_drain(struct file_output *output, struct piece *piece, struct haul_error *err);
void file_output_cut(struct file_output *output);

/* Writes the end and takes the final name. May be called again after an error of
 * the publishing, and after success. */
enum haul_code file_output_publish(struct file_output *output, bool replace, const struct context *context,
                                   struct haul_error *err);

#endif
