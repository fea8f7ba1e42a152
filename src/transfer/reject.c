/*
 * reject.c: refused rows as lines of JSON, and the file they end in.
 *
 *     {"part":0,"row":16,"place":"line 17","column":"price","reason":"...","value":"abc"}
 *
 * `row` counts from 0 within the part. A value that is not UTF-8 stands as
 * "value_hex". A unit collects rejects in the order its reader, its cast and its
 * writer met them; the lines are ordered by row, so that a file does not depend
 * on how far anybody read ahead.
 */
#include "transfer/reject.h"
#include "base/file.h"
#include "base/unicode.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define PATH_BYTES 4096

static int row_compare(const void *left, const void *right)
{
    const struct reject_node *a = *(const struct reject_node *const *)left;
    const struct reject_node *b = *(const struct reject_node *const *)right;
    if (a->reject.part != b->reject.part)
        return a->reject.part < b->reject.part ? -1 : 1;
    if (a->reject.row != b->reject.row)
        return a->reject.row < b->reject.row ? -1 : 1;
    const char *x = a->reject.column ? a->reject.column : "", *y = b->reject.column ? b->reject.column : "";
    return strcmp(x, y);
}

static bool put(json_t *object, const char *key, json_t *value)
{
    return value && json_object_set_new(object, key, value) == 0;
}

static bool put_hex(json_t *object, const char *key, const char *data, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    char *hex = malloc(length * 2 + 1);
    if (!hex)
        return false;
    for (size_t i = 0; i < length; i++) {
        hex[2 * i] = digits[(unsigned char)data[i] >> 4];
        hex[2 * i + 1] = digits[data[i] & 15];
    }
    bool done = put(object, key, json_stringn(hex, length * 2));
    free(hex);
    return done;
}

/* Names and reasons may quote foreign bytes: those are hex then, as values are. */
static bool put_text(json_t *object, const char *key, const char *text, size_t length)
{
    char hex_key[32];
    if (!text)
        return true;
    if (unicode_is_valid((const uint8_t *)text, length))
        return put(object, key, json_stringn_nocheck(text, length));
    (void)snprintf(hex_key, sizeof hex_key, "%s_hex", key);
    return put_hex(object, hex_key, text, length);
}

static char *line_print(const struct reject *reject)
{
    json_t *line = json_object();
    bool done = line && put(line, "part", json_integer((json_int_t)reject->part)) &&
                put(line, "row", json_integer((json_int_t)reject->row)) &&
                put_text(line, "place", reject->place, reject->place ? strlen(reject->place) : 0) &&
                put_text(line, "column", reject->column, reject->column ? strlen(reject->column) : 0) &&
                put_text(line, "reason", reject->reason, strlen(reject->reason)) &&
                put_text(line, "value", reject->value, reject->value_length);
    char *text = done ? json_dumps(line, JSON_COMPACT) : NULL;
    json_decref(line);
    return text;
}

static enum haul_code lines_print(struct reject_node **nodes, size_t count, struct buffer *out,
                                  struct haul_error *err)
{
    for (size_t i = 0; i < count; i++) {
        char *line = line_print(&nodes[i]->reject);
        if (!line)
            return error_nomem(err, "a refused row");
        enum haul_code code = buffer_append(out, line, strlen(line), err);
        if (!code)
            code = buffer_append(out, "\n", 1, err);
        free(line);
        if (code)
            return code;
    }
    return HAUL_OK;
}

enum haul_code reject_lines(const struct collector *collector, struct arena *arena, const char **lines,
                            struct haul_error *err)
{
    *lines = NULL;
    size_t count = 0, room = (size_t)collector->reject_count;
    if (room == 0)
        return HAUL_OK;
    struct reject_node **nodes = malloc(room * sizeof *nodes);
    if (!nodes)
        return error_nomem(err, "the refused rows");
    for (struct reject_node *node = collector->rejects; node && count < room; node = node->next)
        nodes[count++] = node;
    qsort(nodes, count, sizeof *nodes, row_compare);
    struct buffer text = {0};
    enum haul_code code = lines_print(nodes, count, &text, err);
    free(nodes);
    if (!code) {
        *lines = arena_text_n(arena, (const char *)text.data, text.length);
        code = *lines ? HAUL_OK : error_nomem(err, "the refused rows");
    }
    buffer_release(&text);
    return code;
}

static enum haul_code temp_open(const char *path, char temp[PATH_BYTES], struct file *file,
                                struct haul_error *err)
{
    if (snprintf(temp, PATH_BYTES, "%s.part", path) >= PATH_BYTES)
        return error_set(err, HAUL_USAGE, "--reject-file: the name is too long");
    if (path_remove(temp, err) || file_open(file, temp, FILE_CREATE_PRIVATE, err))
        return error_prefix(err, "--reject-file");
    return HAUL_OK;
}

enum haul_code reject_file_check(const char *path, struct haul_error *err)
{
    char temp[PATH_BYTES];
    struct file file = {.fd = -1};
    if (path_is_folder(path))
        return error_set(err, HAUL_USAGE, "--reject-file %s is a folder; a file is wanted", path);
    if (temp_open(path, temp, &file, err))
        return err->code;
    file_close(&file);
    return path_remove(temp, err);
}

enum haul_code reject_file_write(const char *path, const struct receipt *receipts, size_t count,
                                 struct haul_error *err)
{
    char temp[PATH_BYTES];
    struct file file = {.fd = -1};
    if (temp_open(path, temp, &file, err))
        return err->code;
    enum haul_code code = HAUL_OK;
    for (size_t i = 0; !code && i < count; i++)
        if (receipts[i].rejects)
            code = file_write(&file, receipts[i].rejects, strlen(receipts[i].rejects), err);
    if (!code)
        code = file_sync(&file, err);
    file_close(&file);
    if (!code)
        code = path_rename(temp, path, true, err);
    if (code) {
        struct haul_error ignored = {0};
        (void)path_remove(temp, &ignored);
        return error_prefix(err, "--reject-file");
    }
    return HAUL_OK;
}
