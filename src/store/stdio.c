/*
 * stdio.c: the name "-": standard input as a stream to read (stream.c), and
 * standard output to write.
 *
 * What is written goes out at once: nothing can be cut back, synced or
 * published. A reader that closes our output early (`| head`) is no failure of
 * ours; it is told apart by vendor_code EPIPE, and the program ends quietly.
 * SIGPIPE is the program's business, not the library's. Bytes go out in pieces
 * that a pipe takes whole once it is ready (PIPE_BUF), so that no write blocks
 * where the cancel signal could not be seen.
 */
#include "base/file.h"
#include "store/copy.h"
#include "store/stream.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAIT_MS 50

struct stdio_output {
    struct output_file output;
    struct file file;
    const struct context *context;
    size_t step_max; /* bytes of one write */
};

static enum haul_code stdio_wait(const struct stdio_output *out, struct haul_error *err)
{
    for (;;) {
        enum haul_code code = context_check(out->context, err);
        if (code)
            return code;
        struct pollfd wait = {.fd = out->file.fd, .events = POLLOUT};
        int ready = poll(&wait, 1, WAIT_MS);
        if (ready > 0)
            return HAUL_OK;
        if (ready < 0 && errno != EINTR)
            return error_set_errno(err, errno, "standard output");
    }
}

static enum haul_code stdio_error(struct haul_error *err)
{
    if (err->vendor_code != EPIPE)
        return err->code;
    error_set(err, HAUL_IO, "standard output was closed");
    err->vendor_code = EPIPE;
    return err->code;
}

static enum haul_code stdio_append(struct output_file *file, const void *data, size_t length,
                                   struct haul_error *err)
{
    struct stdio_output *out = (struct stdio_output *)file;
    const uint8_t *bytes = data;
    while (length > 0) {
        size_t step = length < out->step_max ? length : out->step_max;
        enum haul_code code = stdio_wait(out, err);
        if (code)
            return code;
        if (file_write(&out->file, bytes, step, err))
            return stdio_error(err);
        bytes += step;
        length -= step;
        file->offset += (int64_t)step;
    }
    return HAUL_OK;
}

static enum haul_code stdio_truncate(struct output_file *file, int64_t offset, struct haul_error *err)
{
    if (offset == file->offset)
        return HAUL_OK;
    return error_set(err, HAUL_UNSUPPORTED, "standard output: what was written cannot be taken back");
}

static enum haul_code stdio_sync(struct output_file *file, struct haul_error *err)
{
    (void)file;
    (void)err;
    return HAUL_OK;
}

static void stdio_close(struct output_file *file)
{
    struct stdio_output *out = (struct stdio_output *)file;
    file_close(&out->file);
    free(out);
}

static enum haul_code stdio_publish(struct output_file *file, bool replace, struct haul_error *err)
{
    (void)replace;
    (void)err;
    stdio_close(file);
    return HAUL_OK;
}

static const struct output_file_ops stdio_output_ops = {.append = stdio_append,
                                                        .copy_from = copy_through,
                                                        .truncate = stdio_truncate,
                                                        .sync = stdio_sync,
                                                        .publish = stdio_publish,
                                                        .close = stdio_close};

static enum haul_code stdio_list(const char *pattern, struct arena *arena, const char ***names, size_t *count,
                                 struct haul_error *err)
{
    *names = arena_alloc_array(arena, 1, sizeof **names);
    char *name = arena_text(arena, pattern);
    if (!*names || !name)
        return error_nomem(err, "a name");
    (*names)[0] = name;
    *count = 1;
    return HAUL_OK;
}

static enum haul_code stdio_open(const char *name, const struct context *context, struct input_file **input,
                                 struct haul_error *err)
{
    (void)name;
    if (isatty(STDIN_FILENO))
        return error_set(err, HAUL_USAGE,
                         "standard input is a terminal: send it a file (haul copy - ... < FILE)");
    struct file file = {.fd = -1};
    enum haul_code code = file_adopt(&file, STDIN_FILENO, "standard input", err);
    if (!code)
        code = stream_input_open(&file, "standard input", context, input, err);
    if (code)
        file_close(&file);
    return code;
}

static enum haul_code stdio_create(const char *name, const char *temp, const struct context *context,
                                   struct output_file **file, struct haul_error *err)
{
    (void)name;
    (void)temp;
    struct stdio_output *out = calloc(1, sizeof *out);
    if (!out)
        return error_nomem(err, "standard output");
    enum haul_code code = file_adopt(&out->file, STDOUT_FILENO, "standard output", err);
    if (code) {
        free(out);
        return code;
    }
    struct stat stat;
    bool regular = fstat(STDOUT_FILENO, &stat) == 0 && S_ISREG(stat.st_mode);
    out->step_max = regular ? (size_t)1 << 20 : PIPE_BUF;
    out->context = context;
    out->output =
        (struct output_file){.ops = &stdio_output_ops, .name = "standard output", .temp = "", .stream = true};
    *file = &out->output;
    return HAUL_OK;
}

static enum haul_code stdio_reopen(const char *name, const char *temp, int64_t offset,
                                   const struct context *context, struct output_file **file,
                                   struct haul_error *err)
{
    (void)name;
    (void)temp;
    (void)offset;
    (void)context;
    (void)file;
    return error_set(err, HAUL_UNSUPPORTED, "standard output cannot be continued");
}

static enum haul_code stdio_remove(const char *name, struct haul_error *err)
{
    (void)name;
    (void)err;
    return HAUL_OK;
}

const struct store_ops store_stdio = {.name = "stdio",
                                      .list = stdio_list,
                                      .open = stdio_open,
                                      .create = stdio_create,
                                      .reopen = stdio_reopen,
                                      .remove = stdio_remove};
