/*
 * spill.c: the file a worker puts finished bytes in when its share of memory is
 * spent: in the target's folder (the bytes go to that disk anyway), without a
 * name, so that it is gone with the process however that ends.
 *
 * Its two sides, one to append and one to read, share the descriptor; the last
 * one closed closes it. Both belong to one worker. truncate(0) makes the file
 * ready for the next piece.
 */
#include "store/copy.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

struct spill {
    struct output_file output;
    struct input_file input;
    struct file file;
    atomic_int open_sides;
};

static struct spill *spill_of_input(struct input_file *file)
{
    return (struct spill *)(void *)((char *)file - offsetof(struct spill, input));
}

static void spill_let_go(struct spill *spill)
{
    if (atomic_fetch_sub(&spill->open_sides, 1) > 1)
        return;
    file_close(&spill->file);
    free(spill);
}

static void spill_moved_to(struct spill *spill, int64_t offset)
{
    spill->output.offset = offset;
    spill->input.size = offset;
}

static enum haul_code spill_append(struct output_file *file, const void *data, size_t length,
                                   struct haul_error *err)
{
    struct spill *spill = (struct spill *)file;
    enum haul_code code = file_write_at(&spill->file, file->offset, data, length, err);
    if (!code)
        spill_moved_to(spill, file->offset + (int64_t)length);
    return code;
}

static enum haul_code spill_truncate(struct output_file *file, int64_t offset, struct haul_error *err)
{
    struct spill *spill = (struct spill *)file;
    enum haul_code code = file_truncate(&spill->file, offset, err);
    if (!code)
        spill_moved_to(spill, offset);
    return code;
}

static enum haul_code spill_sync(struct output_file *file, struct haul_error *err)
{
    (void)file;
    (void)err;
    return HAUL_OK; /* nobody reads it after a power cut */
}

static enum haul_code spill_publish(struct output_file *file, bool replace, struct haul_error *err)
{
    (void)file;
    (void)replace;
    return error_set(err, HAUL_INTERNAL, "a spill file has no name to publish");
}

static void spill_close_output(struct output_file *file)
{
    spill_let_go((struct spill *)file);
}

static enum haul_code spill_read_at(struct input_file *file, int64_t offset, void *data, size_t length,
                                    size_t *got, struct haul_error *err)
{
    return file_read_at(&spill_of_input(file)->file, offset, data, length, got, err);
}

static enum haul_code spill_check(struct input_file *file, struct haul_error *err)
{
    (void)file;
    (void)err;
    return HAUL_OK;
}

static void spill_close_input(struct input_file *file)
{
    spill_let_go(spill_of_input(file));
}

static const struct output_file_ops spill_output_ops = {.append = spill_append,
                                                        .copy_from = copy_through,
                                                        .truncate = spill_truncate,
                                                        .sync = spill_sync,
                                                        .publish = spill_publish,
                                                        .close = spill_close_output};

static const struct input_file_ops spill_input_ops = {
    .read_at = spill_read_at, .check = spill_check, .close = spill_close_input};

struct file *spill_input_handle(struct input_file *from)
{
    return from->ops == &spill_input_ops ? &spill_of_input(from)->file : NULL;
}

enum haul_code store_spill_open(const char *folder, struct output_file **write, struct input_file **read,
                                struct haul_error *err)
{
    struct spill *spill = calloc(1, sizeof *spill);
    if (!spill)
        return error_nomem(err, "a spill file");
    enum haul_code code = file_open(&spill->file, folder, FILE_UNLINKED, err);
    if (code) {
        free(spill);
        return error_prefix(err, "spill file in %s", folder);
    }
    atomic_init(&spill->open_sides, 2);
    spill->output = (struct output_file){.ops = &spill_output_ops, .name = "spill file", .temp = ""};
    spill->input = (struct input_file){.ops = &spill_input_ops, .name = "spill file", .identity = ""};
    *write = &spill->output;
    *read = &spill->input;
    return HAUL_OK;
}
