/*
 * file_output.c: one file, its turn, its durable end.
 *
 * Workers encode pieces side by side; the file takes them in part order.
 * `next_part` says whose turn it is: that worker alone touches the file and the
 * format's output, without the lock; the others wait on `turn`, and look at the
 * cancel signal every WAIT_MS. The worker with the lowest part never waits.
 *
 * A piece is in when its bytes are synced; `durable` is where it ends. If an
 * append or a sync fails, nobody knows what the format's output thinks is in the
 * file, and after a failed sync not even the kernel does: the file is cut back
 * and every later call gets the same error. The next process goes on from the
 * receipts (docs/unit.md, "Killed at").
 */
#include "format/file_output.h"

#include "base/file.h"
#include "base/number.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WAIT_MS 50

void file_output_init(struct file_output *output, const struct output_setup *setup, const char *path,
                      const char *temp, uint64_t first_part)
{
    *output = (struct file_output){
        .setup = setup, .path = path, .temp = temp, .first_part = first_part, .next_part = first_part};
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&output->turn, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&output->lock, NULL);
}

static void output_close(struct file_output *output)
{
    if (output->format)
        output->format->ops->close(output->format);
    if (output->file)
        output->file->ops->close(output->file);
    output->format = NULL;
    output->file = NULL;
}

void file_output_release(struct file_output *output)
{
    if (!output->setup)
        return;
    output_close(output);
    pthread_cond_destroy(&output->turn);
    pthread_mutex_destroy(&output->lock);
    *output = (struct file_output){0};
}

bool output_receipt_parse(const char *text, struct output_receipt *receipt)
{
    *receipt = (struct output_receipt){0};
    const char *first = text ? strchr(text, ' ') : NULL;
    if (!first)
        return false;
    const char *second = strchr(first + 1, ' ');
    size_t inode_bytes = second ? (size_t)(second - first) - 1 : strlen(first + 1);
    if (second && second[1])
        receipt->note = second + 1;
    return number_parse_i64(text, (size_t)(first - text), &receipt->offset) && receipt->offset >= 0 &&
           number_parse_u64(first + 1, inode_bytes, &receipt->inode);
}

/* ---- making and continuing ---- */

static enum haul_code output_begin(struct file_output *output, struct haul_error *err)
{
    const struct output_setup *setup = output->setup;
    struct file_identity identity;
    enum haul_code code = HAUL_OK;
    if (setup->local) {
        code = path_identify(output->temp, &identity, err);
        output->inode = code ? 0 : identity.inode;
    }
    if (!code)
        code = setup->format->open_output(setup->request, setup->schema, &output->format, err);
    if (code)
        output_close(output);
    else
        output->state = OUTPUT_OPEN;
    return code;
}

enum haul_code file_output_create(struct file_output *output, struct haul_error *err)
{
    const struct output_setup *setup = output->setup;
    enum haul_code code = setup->store->remove(output->temp, err);
    if (!code)
        code = setup->store->create(output->path, output->temp, setup->request->context, &output->file, err);
    if (!code)
        code = output_begin(output, err);
    return code;
}

static enum haul_code output_restore(struct file_output *output, const struct receipt *receipts, size_t count,
                                     struct haul_error *err)
{
    struct output_receipt text;
    for (size_t i = 0; i < count; i++) {
        if (!output_receipt_parse(receipts[i].text, &text))
            return error_set(err, HAUL_INTEGRITY, "%s: a receipt is not understood", output->path);
        enum haul_code code = output->format->ops->restore(output->format, text.note, text.offset, err);
        if (code)
            return error_prefix(err, "%s: going on where it was left", output->path);
        output->rows += receipts[i].rows;
    }
    output->durable = text.offset;
    output->next_part = output->first_part + count;
    return HAUL_OK;
}

enum haul_code file_output_resume(struct file_output *output, const struct receipt *receipts, size_t count,
                                  struct haul_error *err)
{
    const struct output_setup *setup = output->setup;
    struct output_receipt last;
    if (count == 0 || !output_receipt_parse(receipts[count - 1].text, &last))
        return error_set(err, HAUL_INTEGRITY, "%s: a receipt is not understood", output->path);
    enum haul_code code = setup->store->reopen(output->path, output->temp, last.offset,
                                               setup->request->context, &output->file, err);
    if (!code)
        code = output_begin(output, err);
    if (!code && setup->local && output->inode != last.inode)
        code = error_set(err, HAUL_CHANGED,
                         "%s is another file than the one that was written; --restart begins anew",
                         output->temp);
    if (!code)
        code = output_restore(output, receipts, count, err);
    if (code) {
        output_close(output);
        output->state = OUTPUT_ABSENT;
    }
    return code;
}

/* ---- the turn ---- */

static enum haul_code failure_get(const struct file_output *output, struct haul_error *err)
{
    if (output->state != OUTPUT_BROKEN)
        return HAUL_OK;
    *err = output->failure;
    return err->code;
}

enum haul_code file_output_failure(struct file_output *output, struct haul_error *err)
{
    pthread_mutex_lock(&output->lock);
    enum haul_code code = failure_get(output, err);
    pthread_mutex_unlock(&output->lock);
    return code;
}

bool file_output_is_turn(struct file_output *output, uint64_t part)
{
    pthread_mutex_lock(&output->lock);
    bool turn = output->next_part == part;
    pthread_mutex_unlock(&output->lock);
    return turn;
}

static void turn_sleep(struct file_output *output)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += WAIT_MS * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_cond_timedwait(&output->turn, &output->lock, &until);
}

enum haul_code file_output_wait(struct file_output *output, uint64_t part, const struct context *context,
                                struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    pthread_mutex_lock(&output->lock);
    while (output->next_part < part && output->state == OUTPUT_OPEN && !(code = context_check(context, err)))
        turn_sleep(output);
    if (!code)
        code = failure_get(output, err);
    if (!code && output->next_part != part)
        code = error_set(err, HAUL_INTERNAL, "%s: part %llu comes when part %llu is expected", output->path,
                         (unsigned long long)part, (unsigned long long)output->next_part);
    pthread_mutex_unlock(&output->lock);
    return code;
}

static void turn_pass(struct file_output *output)
{
    pthread_mutex_lock(&output->lock);
    output->next_part++;
    pthread_cond_broadcast(&output->turn);
    pthread_mutex_unlock(&output->lock);
}

/* ---- bytes ---- */

static enum haul_code output_break(struct file_output *output, const struct haul_error *err)
{
    struct haul_error ignored = {0};
    if (!output->file->stream)
        (void)output->file->ops->truncate(output->file, output->durable, &ignored);
    pthread_mutex_lock(&output->lock);
    output->state = OUTPUT_BROKEN;
    output->failure = *err;
    pthread_cond_broadcast(&output->turn);
    pthread_mutex_unlock(&output->lock);
    return err->code;
}

enum haul_code file_output_append(struct file_output *output, struct piece *piece, struct receipt *receipt,
                                  struct arena *arena, struct haul_error *err)
{
    const char *note = NULL, *text = NULL;
    enum haul_code code = output->format->ops->append(output->format, piece, output->file, arena, &note, err);
    if (!code)
        code = output->file->ops->sync(output->file, err);
    if (!code) {
        text = arena_printf(arena, "%lld %llu %s", (long long)output->file->offset,
                            (unsigned long long)output->inode, note ? note : "");
        code = text ? HAUL_OK : error_nomem(err, "a receipt");
    }
    if (code)
        return output_break(output, err);
    receipt->text = text;
    receipt->bytes_written = output->file->offset - output->durable;
    output->durable = output->file->offset;
    output->rows += receipt->rows;
    turn_pass(output);
    return HAUL_OK;
}

enum haul_code file_output_drain(struct file_output *output, struct piece *piece, struct haul_error *err)
{
    enum haul_code code = file_output_failure(output, err);
    return code ? code : output->format->ops->drain(output->format, piece, output->file, err);
}

/* What went down a pipe cannot be taken back: then nothing more may follow it. */
void file_output_cut(struct file_output *output)
{
    struct haul_error err = {0};
    if (output->state != OUTPUT_OPEN || output->file->offset == output->durable)
        return;
    if (output->file->stream)
        error_set(&err, HAUL_IO, "%s: rows of a part that failed are out already; it cannot be begun again",
                  output->path);
    else
        (void)output->file->ops->truncate(output->file, output->durable, &err);
    if (err.code)
        (void)output_break(output, &err);
}

/* ---- the end ---- */

/* A table without rows is one empty piece. */
static enum haul_code output_append_empty(struct file_output *output, const struct context *context,
                                          struct haul_error *err)
{
    struct piece *piece = NULL;
    struct arena arena = {0};
    struct receipt receipt = {0};
    enum haul_code code =
        output->format->ops->piece(output->format, context, output->setup->spill_folder, &piece, err);
    if (code)
        return code;
    code = piece->ops->seal(piece, err);
    if (!code)
        code = file_output_append(output, piece, &receipt, &arena, err);
    piece->ops->close(piece);
    arena_release(&arena);
    return code;
}

static enum haul_code output_end(struct file_output *output, const struct context *context,
                                 struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    if (output->next_part == output->first_part)
        code = output_append_empty(output, context, err);
    if (code || output->ended)
        return code;
    code = output->format->ops->finish(output->format, output->file, err);
    if (code)
        return output_break(output, err);
    output->ended = true;
    output->bytes = output->file->offset;
    return HAUL_OK;
}

enum haul_code file_output_publish(struct file_output *output, bool replace, const struct context *context,
                                   struct haul_error *err)
{
    if (output->state == OUTPUT_PUBLISHED)
        return HAUL_OK;
    enum haul_code code = file_output_failure(output, err);
    if (!code)
        code = output_end(output, context, err);
    if (!code)
        code = output->file->ops->publish(output->file, replace, err);
    if (code == HAUL_EXISTS)
        return error_set(err, HAUL_EXISTS,
                         "%s appeared while this run was writing; move it away and run the same again, or "
                         "replace it with --mode replace",
                         output->path);
    if (code)
        return code;
    output->file = NULL;
    output->state = OUTPUT_PUBLISHED;
    output_close(output);
    return HAUL_OK;
}
