/*
 * charset.c: 64 KiB of bytes at a time become characters.
 *
 * UTF-16 is turned by base/utf16.h, as it is what spreadsheets write and needs no
 * tables; the rest is iconv's. (base/codepage.h has no use here: its values are
 * whole, and its names are Windows' numbers.) A character that is cut by the end of what was read waits
 * for the rest of it; at the end of the file it is an error, like bytes that mean
 * nothing, and like half a surrogate pair. Lines are counted on the way, so that
 * the error can say where to look.
 */
#include "format/csv/charset.h"

#include "base/utf16.h"
#include "format/csv/scan.h"
#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <string.h>

#define IN_BYTES  ((size_t)64 << 10)
#define OUT_BYTES (IN_BYTES * 4) /* no character of ours grows by more */

struct charset_file {
    struct input_file base;
    struct input_file *from;
    struct context context;
    char charset[CSV_CHARSET_BYTES];
    struct file_head head;
    iconv_t iconv;
    bool iconv_open;
    bool utf16, big;
    uint8_t *in, *out;
    size_t in_length, out_length, out_used;
    int64_t taken;  /* bytes of `from` that came into `in` */
    int64_t at;     /* bytes given */
    size_t swapped; /* bytes of `in` that are little-endian now */
    uint64_t line;  /* of the end of `out`, from 1 */
    bool after_cr, in_ended;
};

static struct charset_file *self(struct input_file *file)
{
    return (struct charset_file *)(void *)file;
}

/* ---- names ---- */

static bool is_utf16(const char *charset)
{
    return strcmp(charset, "utf-16le") == 0 || strcmp(charset, "utf-16be") == 0;
}

enum haul_code csv_charset_parse(const char *text, char out[CSV_CHARSET_BYTES], struct haul_error *err)
{
    size_t length = strlen(text);
    bool fine = length > 0 && length + 1 < CSV_CHARSET_BYTES;
    for (size_t i = 0; fine && i <= length; i++) {
        fine = !text[i] || isalnum((unsigned char)text[i]) || strchr("-_.:", text[i]);
        out[i] = (char)tolower((unsigned char)text[i]);
    }
    iconv_t known = (iconv_t)-1;
    if (fine && strncmp(out, "utf16", 5) == 0) { /* utf16le is written so, too */
        memmove(out + 4, out + 3, length - 2);
        out[3] = '-';
    }
    if (fine && (strcmp(out, "utf-8") == 0 || strcmp(out, "utf8") == 0)) {
        out[0] = 0;
        return HAUL_OK;
    }
    if (fine && !is_utf16(out))
        known = iconv_open("UTF-8", out);
    if (!fine || (known == (iconv_t)-1 && !is_utf16(out)))
        return error_set(err, HAUL_USAGE,
                         "--charset %.60s: this system knows no such encoding; try utf-16le, windows-1252, "
                         "latin1, cp437 (iconv -l lists them)",
                         text);
    if (known != (iconv_t)-1)
        (void)iconv_close(known);
    return HAUL_OK;
}

const char *csv_charset_by_mark(const struct file_head *head)
{
    const uint8_t *bytes = head->bytes;
    if (head->length >= 4 && memcmp(bytes, "\xff\xfe\0\0", 4) == 0)
        return "utf-32le";
    if (head->length >= 4 && memcmp(bytes, "\0\0\xfe\xff", 4) == 0)
        return "utf-32be";
    if (head->length >= 2 && memcmp(bytes, "\xff\xfe", 2) == 0)
        return "utf-16le";
    return head->length >= 2 && memcmp(bytes, "\xfe\xff", 2) == 0 ? "utf-16be" : "";
}

/* ---- turning ---- */

/* The line that follows what is in `out`. */
static void count_lines(struct charset_file *file)
{
    if (!file->out_length)
        return;
    file->line += csv_scan_count_lines(file->out, file->out_length);
    file->line -= file->after_cr && file->out[0] == '\n';
    file->after_cr = file->out[file->out_length - 1] == '\r';
}

static enum haul_code no_character(struct charset_file *file, size_t used, bool cut, struct haul_error *err)
{
    count_lines(file);
    return error_set(err, HAUL_DATA, "line %llu, byte %lld: %s; give another --charset",
                     (unsigned long long)file->line,
                     (long long)(file->taken - (int64_t)(file->in_length - used)),
                     cut ? "the text ends in the middle of a character" : "these bytes are no character");
}

/* Bytes of `in` that are new and whole units: the lower byte comes first then. */
static void swap_units(struct charset_file *file)
{
    for (; file->swapped + 1 < file->in_length; file->swapped += 2) {
        uint8_t first = file->in[file->swapped];
        file->in[file->swapped] = file->in[file->swapped + 1];
        file->in[file->swapped + 1] = first;
    }
}

/* Whole characters of `in` into `out`; *used of it are done. False: no character. */
static bool turn_utf16(struct charset_file *file, size_t *used)
{
    const size_t units = file->in_length / 2;
    size_t written = 0;
    if (file->big)
        swap_units(file);
    size_t taken = utf16_to_utf8(file->in, units, file->out, &written);
    file->out_length = written;
    *used = taken * 2;
    file->swapped -= file->big ? *used : 0;
    if (taken + 1 < units)
        return false;
    return taken == units || utf16_is_high((uint16_t)(file->in[*used] | file->in[*used + 1] << 8));
}

static bool turn_iconv(struct charset_file *file, size_t *used)
{
    char *in = (char *)file->in, *out = (char *)file->out + file->out_length;
    size_t in_left = file->in_length, out_left = OUT_BYTES - file->out_length;
    size_t result = iconv(file->iconv, &in, &in_left, &out, &out_left);
    bool fine = result != (size_t)-1 || errno == EINVAL || errno == E2BIG;
    if (fine && in_left == 0 && file->in_ended) /* what the encoding still holds back */
        (void)iconv(file->iconv, NULL, NULL, &out, &out_left);
    file->out_length = OUT_BYTES - out_left;
    *used = file->in_length - in_left;
    return fine;
}

static enum haul_code more_input(struct charset_file *file, struct haul_error *err)
{
    size_t got = 0;
    if (context_check(&file->context, err))
        return err->code;
    if (file->taken == 0 && file->head.length) {
        got = file->head.length;
        memcpy(file->in, file->head.bytes, got);
    } else {
        const size_t room = IN_BYTES - file->in_length;
        if (file->from->ops->read_at(file->from, file->taken, file->in + file->in_length, room, &got, err))
            return err->code;
        file->in_ended = got < room;
    }
    file->in_length += got;
    file->taken += (int64_t)got;
    return HAUL_OK;
}

static enum haul_code fill(struct charset_file *file, struct haul_error *err)
{
    size_t used = 0;
    count_lines(file);
    file->out_length = file->out_used = 0;
    if (!file->in_ended && more_input(file, err))
        return err->code;
    bool fine = file->utf16 ? turn_utf16(file, &used) : turn_iconv(file, &used);
    if (!fine)
        return no_character(file, used, false, err);
    if (file->in_ended && used < file->in_length && file->out_length == 0)
        return no_character(file, used, true, err);
    file->in_length -= used;
    memmove(file->in, file->in + used, file->in_length);
    return HAUL_OK;
}

/* ---- the file ---- */

static enum haul_code make_room(struct charset_file *file, struct haul_error *err)
{
    if (!file->in)
        file->in = memory_alloc(file->context.memory, IN_BYTES);
    if (!file->out)
        file->out = memory_alloc(file->context.memory, OUT_BYTES);
    if (!file->in || !file->out)
        return memory_error(file->context.memory, OUT_BYTES, "text in another encoding", err);
    if (file->utf16 || file->iconv_open)
        return HAUL_OK;
    file->iconv = iconv_open("UTF-8", file->charset);
    file->iconv_open = file->iconv != (iconv_t)-1;
    return file->iconv_open ? HAUL_OK : error_nomem(err, "text in another encoding");
}

static enum haul_code charset_read_at(struct input_file *base, int64_t offset, void *data, size_t length,
                                      size_t *got, struct haul_error *err)
{
    struct charset_file *file = self(base);
    size_t done = 0;
    *got = 0;
    if (offset != file->at)
        return error_set(err, HAUL_UNSUPPORTED, "text in another encoding is read from start to end only");
    if (make_room(file, err))
        return err->code;
    while (done < length) {
        size_t left = file->out_length - file->out_used, step = length - done < left ? length - done : left;
        memcpy((uint8_t *)data + done, file->out + file->out_used, step);
        file->out_used += step;
        done += step;
        if (step)
            continue;
        if (file->in_ended && file->in_length == 0)
            break;
        if (fill(file, err))
            return err->code;
    }
    file->at += (int64_t)done;
    *got = done;
    return HAUL_OK;
}

static enum haul_code charset_check(struct input_file *base, struct haul_error *err)
{
    struct input_file *from = self(base)->from;
    return from->ops->check(from, err);
}

static void charset_close(struct input_file *base)
{
    struct charset_file *file = self(base);
    if (!file)
        return;
    if (file->iconv_open)
        (void)iconv_close(file->iconv);
    memory_free(file->context.memory, file->in, IN_BYTES);
    memory_free(file->context.memory, file->out, OUT_BYTES);
    memory_free(NULL, file, sizeof *file);
}

static const struct input_file_ops ops = {charset_read_at, charset_check, charset_close};

enum haul_code csv_charset_open(struct input_file *from, const char *charset, const struct file_head *head,
                                const struct context *context, struct input_file **out,
                                struct haul_error *err)
{
    struct charset_file *file = memory_alloc(NULL, sizeof *file);
    if (!file)
        return error_nomem(err, "text in another encoding");
    memset(file, 0, sizeof *file);
    file->base = (struct input_file){&ops, from->name, "", -1};
    file->from = from;
    file->context = *context;
    file->line = 1;
    file->utf16 = is_utf16(charset);
    file->big = strcmp(charset, "utf-16be") == 0;
    memcpy(file->charset, charset, strlen(charset) + 1);
    if (head)
        file->head = *head;
    *out = &file->base;
    return HAUL_OK;
}
