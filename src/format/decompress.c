/*
 * decompress.c: gzip by zlib, zstd by libzstd, both fed 128 KiB at a time.
 *
 * Members and frames follow one another without anything between, and are read
 * as one text (RFC 1952 section 2.2, RFC 8878 section 3.1). Zeros behind the last
 * gzip member are padding, as gzip itself takes them; anything else there is an
 * error, as is an end in the middle: a file that was cut must not look like a
 * shorter table. Checksums are the libraries' to check.
 *
 * Memory is what the window needs: 32 KiB for gzip; for zstd what the frame says,
 * 128 MiB or the largest value of the budget at most.
 */
#include "format/decompress.h"

#include <string.h>
#include <strings.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define IN_BYTES       ((size_t)128 << 10)
#define GZIP_ONLY      (15 + 16) /* inflateInit2: largest window, gzip header */
#define WINDOW_LOG_MIN 20
#define WINDOW_LOG_MAX 27

struct packed_file {
    struct input_file base;
    struct input_file *from;
    struct context context;
    enum packing packing;
    struct file_head head;
    uint8_t *in;
    size_t in_length, in_used;
    int64_t taken; /* bytes of `from` that came into `in` */
    int64_t at;    /* bytes given */
    bool in_ended;
    bool inside; /* of a member or frame */
    bool begun;  /* there was one */
    bool ended;
    z_stream zlib;
    bool zlib_open;
    ZSTD_DCtx *zstd;
};

static struct packed_file *self(struct input_file *file)
{
    return (struct packed_file *)(void *)file;
}

/* ---- which ---- */

const char *packing_name(enum packing packing)
{
    static const char *const names[] = {"none", "gzip", "zstd"};
    return names[packing];
}

enum packing packing_by_magic(const uint8_t *head, size_t length)
{
    if (length >= 3 && memcmp(head, "\x1f\x8b\x08", 3) == 0)
        return PACKING_GZIP;
    if (length < 4)
        return PACKING_NONE;
    bool skippable = (head[0] & 0xf0) == 0x50 && memcmp(head + 1, "\x2a\x4d\x18", 3) == 0;
    return skippable || memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0 ? PACKING_ZSTD : PACKING_NONE;
}

enum packing packing_by_suffix(const char *name)
{
    size_t length = strlen(name);
    if (length > 3 && strcasecmp(name + length - 3, ".gz") == 0)
        return PACKING_GZIP;
    return length > 4 && strcasecmp(name + length - 4, ".zst") == 0 ? PACKING_ZSTD : PACKING_NONE;
}

enum haul_code file_head_read(struct input_file *file, struct file_head *head, struct haul_error *err)
{
    head->length = 0;
    return file->ops->read_at(file, 0, head->bytes, sizeof head->bytes, &head->length, err);
}

/* ---- what is read ---- */

static int64_t place_of(const struct packed_file *file)
{
    return file->taken - (int64_t)(file->in_length - file->in_used);
}

static enum haul_code damaged(const struct packed_file *file, const char *what, struct haul_error *err)
{
    return error_set(err, HAUL_DATA, "the %s data is damaged near byte %lld (%s); get the file again",
                     packing_name(file->packing), (long long)place_of(file), what ? what : "malformed");
}

static enum haul_code cut_short(const struct packed_file *file, struct haul_error *err)
{
    return error_set(err, HAUL_DATA,
                     "the %s data is cut short: it ends at byte %lld, in the middle; get the file again",
                     packing_name(file->packing), (long long)file->taken);
}

/* More bytes into `in` when it has none left. */
static enum haul_code more_input(struct packed_file *file, struct haul_error *err)
{
    size_t got = 0;
    if (file->in_used < file->in_length || file->in_ended)
        return HAUL_OK;
    if (context_check(&file->context, err))
        return err->code;
    file->in_used = file->in_length = 0;
    if (file->taken == 0 && file->head.length) {
        memcpy(file->in, file->head.bytes, file->head.length);
        got = file->head.length;
    } else if (file->from->ops->read_at(file->from, file->taken, file->in, IN_BYTES, &got, err)) {
        return err->code;
    } else {
        file->in_ended = got < IN_BYTES;
    }
    file->in_length = got;
    file->taken += (int64_t)got;
    return got || file->in_ended ? HAUL_OK : more_input(file, err);
}

/* ---- gzip ---- */

/* Behind a member: another one, padding, or the end. */
static enum haul_code gzip_begin(struct packed_file *file, struct haul_error *err)
{
    while (file->begun && !file->ended && file->in[file->in_used] == 0) {
        file->in_used++;
        if (more_input(file, err))
            return err->code;
        file->ended = file->in_used == file->in_length;
        if (!file->ended && file->in[file->in_used] != 0)
            return damaged(file, "something follows the padding behind its end", err);
    }
    if (file->ended)
        return HAUL_OK;
    if (file->begun && file->in[file->in_used] != 0x1f)
        return damaged(file, "what follows its end is not gzip", err);
    int result = file->zlib_open ? inflateReset(&file->zlib) : inflateInit2(&file->zlib, GZIP_ONLY);
    if (result != Z_OK)
        return error_nomem(err, "gzip");
    file->zlib_open = file->inside = file->begun = true;
    return HAUL_OK;
}

static enum haul_code gzip_step(struct packed_file *file, uint8_t *out, size_t room, size_t *made,
                                struct haul_error *err)
{
    z_stream *zlib = &file->zlib;
    *made = 0;
    if (!file->inside && (gzip_begin(file, err) || file->ended))
        return err->code;
    const uInt most = room < IN_BYTES * 8 ? (uInt)room : (uInt)(IN_BYTES * 8);
    const uInt had = (uInt)(file->in_length - file->in_used);
    zlib->next_in = file->in + file->in_used;
    zlib->avail_in = had;
    zlib->next_out = out;
    zlib->avail_out = most;
    int result = inflate(zlib, Z_NO_FLUSH);
    file->in_used += had - zlib->avail_in;
    *made = most - zlib->avail_out;
    if (result == Z_STREAM_END)
        file->inside = false;
    else if (result == Z_MEM_ERROR)
        return error_nomem(err, "gzip");
    else if (result != Z_OK && result != Z_BUF_ERROR)
        return damaged(file, zlib->msg, err);
    return HAUL_OK;
}

/* ---- zstd ---- */

static int window_log(const struct memory *memory)
{
    size_t most = memory_value_max(memory);
    int log = WINDOW_LOG_MAX;
    while (log > WINDOW_LOG_MIN && (size_t)1 << log > most)
        log--;
    return log;
}

static enum haul_code zstd_failed(const struct packed_file *file, size_t result, struct haul_error *err)
{
    ZSTD_ErrorCode code = ZSTD_getErrorCode(result);
    if (code == ZSTD_error_frameParameter_windowTooLarge)
        return error_set(err, HAUL_LIMIT,
                         "the zstd data at byte %lld needs a window of more than %d MiB; use more --memory",
                         (long long)place_of(file), 1 << (window_log(file->context.memory) - 20));
    if (code == ZSTD_error_memory_allocation)
        return error_nomem(err, "zstd");
    return damaged(file, ZSTD_getErrorName(result), err);
}

static enum haul_code zstd_begin(struct packed_file *file, struct haul_error *err)
{
    if (!file->zstd) {
        file->zstd = ZSTD_createDCtx();
        if (!file->zstd)
            return error_nomem(err, "zstd");
        (void)ZSTD_DCtx_setParameter(file->zstd, ZSTD_d_windowLogMax, window_log(file->context.memory));
    }
    file->inside = file->begun = true;
    return HAUL_OK;
}

static enum haul_code zstd_step(struct packed_file *file, uint8_t *out, size_t room, size_t *made,
                                struct haul_error *err)
{
    *made = 0;
    if (!file->inside && zstd_begin(file, err))
        return err->code;
    ZSTD_inBuffer from = {file->in + file->in_used, file->in_length - file->in_used, 0};
    ZSTD_outBuffer to = {out, room, 0};
    size_t result = ZSTD_decompressStream(file->zstd, &to, &from);
    if (ZSTD_isError(result))
        return zstd_failed(file, result, err);
    file->in_used += from.pos;
    *made = to.pos;
    file->inside = result != 0;
    return HAUL_OK;
}

/* ---- the file ---- */

static enum haul_code step(struct packed_file *file, uint8_t *out, size_t room, size_t *made,
                           struct haul_error *err)
{
    *made = 0;
    if (more_input(file, err))
        return err->code;
    const bool empty = file->in_used == file->in_length;
    if (empty && !file->inside) {
        file->ended = true;
        return HAUL_OK;
    }
    enum haul_code code = file->packing == PACKING_GZIP ? gzip_step(file, out, room, made, err)
                                                        : zstd_step(file, out, room, made, err);
    if (!code && empty && *made == 0 && file->inside)
        return cut_short(file, err);
    return code;
}

static enum haul_code packed_read_at(struct input_file *base, int64_t offset, void *data, size_t length,
                                     size_t *got, struct haul_error *err)
{
    struct packed_file *file = self(base);
    size_t done = 0, made = 0;
    *got = 0;
    if (offset != file->at)
        return error_set(err, HAUL_UNSUPPORTED, "a compressed file is read from its start to its end only");
    if (!file->in)
        file->in = memory_alloc(file->context.memory, IN_BYTES);
    if (!file->in)
        return memory_error(file->context.memory, IN_BYTES, "a compressed file", err);
    while (done < length && !file->ended) {
        if (step(file, (uint8_t *)data + done, length - done, &made, err))
            return err->code;
        done += made;
    }
    file->at += (int64_t)done;
    *got = done;
    return HAUL_OK;
}

static enum haul_code packed_check(struct input_file *base, struct haul_error *err)
{
    struct input_file *from = self(base)->from;
    return from->ops->check(from, err);
}

static void packed_close(struct input_file *base)
{
    struct packed_file *file = self(base);
    if (!file)
        return;
    if (file->zlib_open)
        (void)inflateEnd(&file->zlib);
    ZSTD_freeDCtx(file->zstd);
    memory_free(file->context.memory, file->in, IN_BYTES);
    memory_free(NULL, file, sizeof *file);
}

static const struct input_file_ops ops = {packed_read_at, packed_check, packed_close};

enum haul_code decompress_open(struct input_file *packed, enum packing packing, const struct file_head *head,
                               const struct context *context, struct input_file **out, struct haul_error *err)
{
    struct packed_file *file = memory_alloc(NULL, sizeof *file);
    if (!file)
        return error_nomem(err, "a compressed file");
    memset(file, 0, sizeof *file);
    file->base = (struct input_file){&ops, packed->name, "", -1};
    file->from = packed;
    file->context = *context;
    file->packing = packing;
    if (head)
        file->head = *head;
    *out = &file->base;
    return HAUL_OK;
}
