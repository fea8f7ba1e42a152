/*
 * head.c: the common part of many footers.
 *
 * It is kept as bytes of our own, parsed, because the files it came from are
 * closed again. Keys that are not the same everywhere are left out: half of the
 * rows would be described wrongly by either value (pandas' index ranges, a
 * writer's time zone). Since keys only ever go, the outcome does not hang on how
 * often a run was interrupted.
 */
#include "format/parquet/head.h"
#include <stdio.h>

void head_release(struct head *head)
{
    buffer_release(&head->bytes);
    arena_release(&head->arena);
    *head = (struct head){0};
}

/* Takes `meta`, which may point into the old head. */
static enum haul_code head_set(struct head *head, const struct file_metadata *meta, struct haul_error *err)
{
    struct head made = {.any = true};
    size_t used = 0;
    enum haul_code code = thrift_write(&thrift_file_metadata, meta, &made.bytes, err);
    if (!code)
        code = thrift_parse(&thrift_file_metadata, (struct slice){made.bytes.data, made.bytes.length},
                            &made.meta, &made.arena, &used, err);
    if (code) {
        head_release(&made);
        return code;
    }
    head_release(head);
    *head = made;
    return HAUL_OK;
}

static bool slices_equal(struct slice a, struct slice b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

static bool has_pair(const struct file_metadata *meta, const struct key_value *pair)
{
    for (size_t i = 0; i < meta->key_values.count; i++) {
        const struct key_value *item = &meta->key_values.items[i];
        if (slices_equal(item->key, pair->key) && slices_equal(item->value, pair->value) &&
            thrift_has(item, KEY_VALUE_VALUE) == thrift_has(pair, KEY_VALUE_VALUE))
            return true;
    }
    return false;
}

static struct file_metadata head_of(const struct file_metadata *meta)
{
    struct file_metadata head = {.version = meta->version == 2 ? 2 : 1};
    head.schema.items = meta->schema.items;
    head.schema.count = meta->schema.count;
    head.key_values.items = meta->key_values.items;
    head.key_values.count = meta->key_values.count;
    if (meta->key_values.count > 0)
        thrift_set(&head, FILE_KEY_VALUES);
    return head;
}

enum haul_code head_merge(struct head *head, const struct file_metadata *meta, bool *changed,
                          char dropped[HEAD_KEY_BYTES], struct haul_error *err)
{
    dropped[0] = '\0';
    *changed = !head->any;
    if (!head->any) {
        struct file_metadata first = head_of(meta);
        return head_set(head, &first, err);
    }
    struct file_metadata next = head_of(&head->meta);
    size_t kept = 0;
    for (size_t i = 0; i < head->meta.key_values.count; i++) {
        struct key_value *item = &head->meta.key_values.items[i];
        if (has_pair(meta, item))
            next.key_values.items[kept++] = *item;
        else
            (void)snprintf(dropped, HEAD_KEY_BYTES, "%.*s", (int)item->key.length,
                           (const char *)item->key.data);
    }
    next.key_values.count = kept;
    *changed = kept < head->meta.key_values.count || (meta->version == 2 && next.version != 2);
    next.version = meta->version == 2 ? 2 : next.version;
    if (kept == 0)
        next.has &= ~(1u << FILE_KEY_VALUES);
    head->meta.key_values.count = kept;
    if (!*changed)
        return HAUL_OK;
    return head_set(head, &next, err);
}

enum haul_code head_write(const struct head *head, struct buffer *out, struct haul_error *err)
{
    uint32_t mark[2] = {HEAD_MARK, (uint32_t)head->bytes.length};
    enum haul_code code = buffer_append(out, mark, sizeof mark, err);
    return code ? code : buffer_append(out, head->bytes.data, head->bytes.length, err);
}

bool head_is_next(struct slice data)
{
    uint32_t mark = 0;
    if (data.length >= 2 * sizeof mark)
        memcpy(&mark, data.data, sizeof mark);
    return mark == HEAD_MARK;
}

size_t head_skip(struct slice data)
{
    uint32_t length = 0;
    memcpy(&length, data.data + sizeof length, sizeof length);
    return 2 * sizeof length + length;
}

enum haul_code head_read(struct head *head, struct slice data, size_t *used, struct haul_error *err)
{
    uint32_t length = 0;
    size_t parsed = 0, begin = 2 * sizeof length;
    struct arena arena = {0};
    struct file_metadata meta = {0};
    if (head_is_next(data))
        memcpy(&length, data.data + sizeof length, sizeof length);
    if (length == 0 || length > data.length - begin)
        return error_set(err, HAUL_DATA, "the receipt of a row group is damaged, or belongs to another file");
    struct slice bytes = {data.data + begin, length};
    enum haul_code code = thrift_parse(&thrift_file_metadata, bytes, &meta, &arena, &parsed, err);
    if (!code)
        code = head_set(head, &meta, err);
    arena_release(&arena);
    *used = begin + length;
    return code;
}
