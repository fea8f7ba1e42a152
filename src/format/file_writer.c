/*
 * file_writer.c: one unit of a file: a whole part, encoded apart from all others.
 *
 * write and seal touch the worker's own piece; when it is its turn already and the
 * format can, finished bytes go to the file at once. commit waits for the turn;
 * a worker that holds the memory reserve puts its finished bytes on disk before
 * it waits, so that the one it waits for can have the reserve (base/memory.h).
 */
#include "format/file_writer.h"

#include "format/file_source.h"

#include <stdlib.h>
#include <string.h>

struct file_writer {
    struct writer writer;
    struct file_output *output;
    const struct context *context;
    struct piece *piece;
    struct file_part from; /* of an adopted piece */
    uint64_t part;
    bool drained; /* bytes of this uncommitted unit stand in the file */
};

static enum haul_code writer_write(struct writer *writer, const struct batch *batch, struct haul_error *err)
{
    struct file_writer *file = (struct file_writer *)writer;
    if (file->piece->ops->write(file->piece, batch, err))
        return err->code;
    if (!file->output->format->ops->drain || !file_output_is_turn(file->output, file->part))
        return HAUL_OK;
    file->drained = true;
    return file_output_drain(file->output, file->piece, err);
}

static void writer_close(struct file_writer *file)
{
    file->piece->ops->close(file->piece);
    file_source_let_go(&file->from);
    free(file);
}

static void writer_abort(struct writer *writer)
{
    struct file_writer *file = (struct file_writer *)writer;
    if (file->drained)
        file_output_cut(file->output);
    writer_close(file);
}

static enum haul_code writer_commit(struct writer *writer, struct receipt *receipt, struct arena *arena,
                                    struct haul_error *err)
{
    struct file_writer *file = (struct file_writer *)writer;
    struct piece *piece = file->piece;
    if (!receipt->last || receipt->unit.first_row != 0)
        return error_set(err, HAUL_INTERNAL, "a file's unit is a whole part, part %llu was given in pieces",
                         (unsigned long long)file->part);
    enum haul_code code = piece->ops->seal(piece, err);
    if (!code && memory_borrowed(file->context->memory) && !file_output_is_turn(file->output, file->part))
        code = piece->ops->spill(piece, err);
    if (!code)
        code = file_output_wait(file->output, file->part, file->context, err);
    if (!code)
        code = file_output_append(file->output, piece, receipt, arena, err);
    if (!code)
        writer_close(file);
    return code;
}

/* The part as a piece, if the source is files of our format. */
static enum haul_code writer_adopt(struct writer *writer, struct source *source, const struct part *part,
                                   struct receipt *receipt, bool *taken, struct haul_error *err)
{
    struct file_writer *file = (struct file_writer *)writer;
    const struct output_setup *setup = file->output->setup;
    struct format_output *output = file->output->format;
    struct piece *piece = NULL;
    *taken = false;
    if (!setup->adopts || !output->ops->adopt)
        return HAUL_OK;
    if (strcmp(source->ops->name, "file") != 0)
        return error_set(err, HAUL_USAGE, "row groups can only be kept of files; %s is none",
                         source->ops->name);
    enum haul_code code = file_source_take(source, part, &file->from, err);
    if (code)
        return code;
    if (file_source_format(source) != setup->format)
        return error_set(err, HAUL_USAGE, "row groups of %s cannot be kept in %s; use haul copy",
                         file_source_format(source)->name, setup->format->name);
    code = output->ops->adopt(output, file->from.input, file->from.spec, &piece, err);
    if (code)
        return file_source_failed(&file->from, err);
    file->piece->ops->close(file->piece);
    file->piece = piece;
    receipt->rows = piece->rows;
    *taken = true;
    return HAUL_OK;
}

static const struct writer_ops file_writer_ops = {
    .adopt = writer_adopt, .write = writer_write, .commit = writer_commit, .abort = writer_abort};

enum haul_code file_writer_open(struct file_output *output, const struct context *context,
                                const struct unit *unit, struct writer **writer, struct haul_error *err)
{
    struct file_writer *file = calloc(1, sizeof *file);
    if (!file)
        return error_nomem(err, "a writer");
    *file = (struct file_writer){
        .writer.ops = &file_writer_ops, .output = output, .context = context, .part = unit->part};
    enum haul_code code =
        output->format->ops->piece(output->format, context, output->setup->spill_folder, &file->piece, err);
    if (code) {
        free(file);
        return code;
    }
    *writer = &file->writer;
    return HAUL_OK;
}
