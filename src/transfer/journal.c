/*
 * journal.c: what a run without a ledger has committed.
 *
 * A line is a JSON object whose last member is "crc", the CRC-32 of the line up
 * to the comma before it. The first line binds the journal to its plan by the
 * plan's hash. Each record is written with one write and synced before anything
 * relies on it.
 *
 * A crash can tear only the end: a last line without a newline or with a wrong
 * CRC was never relied on and is left out. Damage anywhere else means that
 * something other than a crash was here: HAUL_INTEGRITY, and nothing is guessed.
 */
#include "transfer/journal.h"
#include "transfer/fingerprint.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define JOURNAL_VERSION 1
#define CRC_TAIL_BYTES  18 /* ,"crc":"xxxxxxxx"} */
#define PATH_BYTES      4096

/* ---- lines ---- */

uint32_t journal_crc(const void *data, size_t length)
{
    uint32_t table[256];
    const uint8_t *bytes = data;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++)
            value = value >> 1 ^ (value & 1 ? 0xedb88320u : 0);
        table[i] = value;
    }
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < length; i++)
        crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 0xff];
    return ~crc;
}

/* Takes `root`; appends it as a line with its CRC. */
static enum haul_code line_append(json_t *root, struct buffer *out, struct haul_error *err)
{
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    if (!text)
        return error_nomem(err, "the journal");
    size_t length = strlen(text) - 1; /* without the closing brace */
    enum haul_code code = buffer_append(out, text, length, err);
    if (!code)
        code = buffer_printf(out, err, ",\"crc\":\"%08x\"}\n", journal_crc(text, length));
    free(text);
    return code;
}

/* The object of a line (without its newline), or NULL when it is damaged. */
static json_t *line_parse(const char *line, size_t length)
{
    char tail[CRC_TAIL_BYTES + 1];
    if (length <= CRC_TAIL_BYTES)
        return NULL;
    size_t body = length - CRC_TAIL_BYTES;
    (void)snprintf(tail, sizeof tail, ",\"crc\":\"%08x\"}", journal_crc(line, body));
    if (memcmp(line + body, tail, CRC_TAIL_BYTES) != 0)
        return NULL;
    return json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
}

static bool put(json_t *object, const char *key, json_t *value)
{
    return value && json_object_set_new(object, key, value) == 0;
}

static bool put_number(json_t *object, const char *key, int64_t number)
{
    return put(object, key, json_integer((json_int_t)number));
}

enum haul_code journal_print(const char *type, const struct receipt *receipt, struct buffer *out,
                             struct haul_error *err)
{
    char hash[HASH_TEXT_BYTES];
    hash_print(receipt->hash, hash);
    if (receipt->unhashed)
        hash[0] = '\0';
    json_t *root = json_object();
    bool done =
        root && put_number(root, "v", JOURNAL_VERSION) && put(root, "type", json_string(type)) &&
        put_number(root, "part", (int64_t)receipt->unit.part) &&
        put_number(root, "first_row", receipt->unit.first_row) && put_number(root, "rows", receipt->rows) &&
        put_number(root, "offered", receipt->rows_offered) &&
        put(root, "last", json_boolean(receipt->last)) && put(root, "hash", json_string(hash)) &&
        put_number(root, "rejects", receipt->reject_count) &&
        put_number(root, "losses", receipt->loss_count) && put_number(root, "bytes", receipt->bytes_written);
    if (done && receipt->text)
        done = put(root, "text", json_string(receipt->text));
    if (done && receipt->rejects)
        done = put(root, "reject_lines", json_string(receipt->rejects));
    if (!done) {
        json_decref(root);
        return error_nomem(err, "a receipt"); /* texts are ours and UTF-8: nothing else can fail */
    }
    return line_append(root, out, err);
}

static bool get_number(const json_t *object, const char *key, int64_t *number)
{
    const json_t *value = json_object_get(object, key);
    *number = json_integer_value(value);
    return json_is_integer(value) && *number >= 0;
}

static bool get_text(const json_t *object, const char *key, struct arena *arena, const char **text)
{
    const json_t *value = json_object_get(object, key);
    *text = value ? arena_text(arena, json_string_value(value)) : NULL;
    return !value || *text;
}

static bool receipt_parse(const json_t *root, const char *type, struct receipt *receipt, struct arena *arena)
{
    int64_t version, part;
    const char *found = json_string_value(json_object_get(root, "type"));
    const char *hash = json_string_value(json_object_get(root, "hash"));
    const json_t *last = json_object_get(root, "last");
    bool whole =
        get_number(root, "v", &version) && version == JOURNAL_VERSION && found && strcmp(found, type) == 0 &&
        get_number(root, "part", &part) && get_number(root, "first_row", &receipt->unit.first_row) &&
        get_number(root, "rows", &receipt->rows) && get_number(root, "offered", &receipt->rows_offered) &&
        get_number(root, "rejects", &receipt->reject_count) &&
        get_number(root, "losses", &receipt->loss_count) &&
        get_number(root, "bytes", &receipt->bytes_written) && json_is_boolean(last) && hash &&
        (!hash[0] || hash_parse(hash, &receipt->hash)) && get_text(root, "text", arena, &receipt->text) &&
        get_text(root, "reject_lines", arena, &receipt->rejects);
    if (!whole)
        return false;
    receipt->unit.part = (uint64_t)part;
    receipt->last = json_is_true(last);
    receipt->unhashed = !hash[0];
    return true;
}

enum haul_code journal_parse(const char *line, size_t length, const char *type, struct receipt *receipt,
                             struct arena *arena, struct haul_error *err)
{
    *receipt = (struct receipt){0};
    json_t *root = line_parse(line, length);
    bool whole = root && receipt_parse(root, type, receipt, arena);
    json_decref(root);
    return whole ? HAUL_OK : error_set(err, HAUL_INTEGRITY, "a record is damaged");
}

static enum haul_code binding_print(const char *plan, struct buffer *out, struct haul_error *err)
{
    char hash[HASH_TEXT_BYTES];
    hash_print(fingerprint_text(plan, strlen(plan)), hash);
    json_t *root = json_object();
    if (root && put_number(root, "v", JOURNAL_VERSION) && put(root, "type", json_string("plan")) &&
        put(root, "hash", json_string(hash)))
        return line_append(root, out, err);
    json_decref(root);
    return error_nomem(err, "the journal");
}

/* ---- writing ---- */

static enum haul_code text_print(const char *plan, const struct receipt *receipts, size_t count,
                                 struct buffer *out, struct haul_error *err)
{
    enum haul_code code = binding_print(plan, out, err);
    for (size_t i = 0; !code && i < count; i++)
        code = journal_print("unit", &receipts[i], out, err);
    return code;
}

static enum haul_code text_write(const char *path, const struct buffer *text, struct haul_error *err)
{
    char temp[PATH_BYTES];
    struct file file = {.fd = -1};
    if (snprintf(temp, sizeof temp, "%s.new", path) >= (int)sizeof temp)
        return error_set(err, HAUL_USAGE, "%s: the name is too long", path);
    if (path_remove(temp, err) || file_open(&file, temp, FILE_CREATE_PRIVATE, err))
        return err->code;
    enum haul_code code = file_write(&file, text->data, text->length, err);
    if (!code)
        code = file_sync(&file, err);
    file_close(&file);
    return code ? code : path_rename(temp, path, true, err);
}

enum haul_code journal_create(struct journal *journal, const char *path, const char *plan,
                              const struct receipt *receipts, size_t count, struct haul_error *err)
{
    struct buffer text = {0};
    journal_close(journal);
    enum haul_code code = text_print(plan, receipts, count, &text, err);
    if (!code)
        code = text_write(path, &text, err);
    buffer_release(&text);
    if (!code)
        code = file_open(&journal->file, path, FILE_APPEND, err);
    journal->open = code == HAUL_OK;
    return code;
}

enum haul_code journal_append(struct journal *journal, const struct receipt *receipt, struct haul_error *err)
{
    struct buffer line = {0};
    enum haul_code code = journal_print("unit", receipt, &line, err);
    if (!code)
        code = file_write(&journal->file, line.data, line.length, err);
    if (!code)
        code = file_sync(&journal->file, err);
    buffer_release(&line);
    return code;
}

void journal_close(struct journal *journal)
{
    if (journal->open)
        file_close(&journal->file);
    *journal = (struct journal){.file = {.fd = -1}};
}

/* ---- reading ---- */

static enum haul_code file_load(const char *path, struct buffer *text, struct haul_error *err)
{
    struct file file = {.fd = -1};
    struct file_identity identity;
    size_t got = 0;
    if (file_open(&file, path, FILE_READ, err))
        return err->code;
    enum haul_code code = file_identify(&file, &identity, err);
    if (!code && identity.size > JOURNAL_BYTES_MAX)
        code =
            error_set(err, HAUL_LIMIT, "%s is larger than any journal of ours; --restart discards it", path);
    if (!code)
        code = buffer_resize(text, (size_t)identity.size, err);
    if (!code)
        code = file_read_at(&file, 0, text->data, text->length, &got, err);
    text->length = got;
    file_close(&file);
    return code;
}

static enum haul_code error_damaged(const char *path, size_t line, struct haul_error *err)
{
    return error_set(
        err, HAUL_INTEGRITY,
        "%s: record %zu is damaged, so what is committed is not known; --restart discards the run", path,
        line);
}

static enum haul_code binding_check(const char *path, const char *line, size_t length, const char *plan,
                                    struct haul_error *err)
{
    struct buffer expected = {0};
    if (binding_print(plan, &expected, err))
        return err->code;
    bool same = expected.length == length + 1 && memcmp(expected.data, line, length) == 0;
    buffer_release(&expected);
    if (same)
        return HAUL_OK;
    return error_set(err, HAUL_INTEGRITY,
                     "%s is not the journal of the plan beside it; --restart discards the run", path);
}

static size_t lines_count(const struct buffer *text)
{
    size_t count = 0;
    for (size_t i = 0; i < text->length; i++)
        count += text->data[i] == '\n';
    return count;
}

static enum haul_code text_parse(const char *path, const struct buffer *text, const char *plan,
                                 struct run_record *record, struct haul_error *err)
{
    size_t lines = lines_count(text);
    struct receipt *receipts = arena_alloc_array(&record->arena, lines + 1, sizeof *receipts);
    if (!receipts)
        return error_nomem(err, "the journal");
    const char *at = (const char *)text->data;
    for (size_t i = 0; i < lines; i++) {
        const char *newline = memchr(at, '\n', text->length - (size_t)(at - (const char *)text->data));
        size_t length = (size_t)(newline - at);
        if (i == 0) {
            if (binding_check(path, at, length, plan, err))
                return err->code;
        } else if (journal_parse(at, length, "unit", &receipts[record->receipt_count], &record->arena, err)) {
            if (i + 1 < lines || newline + 1 < (const char *)text->data + text->length)
                return error_damaged(path, i + 1, err);
            *err = (struct haul_error){0};
        } else {
            record->receipt_count++;
        }
        at = newline + 1;
    }
    record->receipts = receipts;
    return HAUL_OK;
}

enum haul_code journal_read(const char *path, const char *plan, struct run_record *record,
                            struct haul_error *err)
{
    struct buffer text = {0};
    record->receipts = NULL;
    record->receipt_count = 0;
    if (!path_exists(path))
        return HAUL_OK;
    enum haul_code code = file_load(path, &text, err);
    if (!code)
        code = text_parse(path, &text, plan, record, err);
    buffer_release(&text);
    return code;
}
