/*
 * layers.c: looking and opening.
 *
 * Compression is told by the first bytes, whatever the name says; a name that
 * promises it where there is none is refused, as one of the two is a mistake.
 * The encoding is what --charset says, else what a byte order mark says, else
 * UTF-8. UTF-16 without a mark would pass for text full of NULs, so it is looked
 * for in the first two characters.
 */
#include "format/csv/layers.h"

#include "base/settings.h"
#include <string.h>

void csv_layers_close(struct csv_layers *layers)
{
    if (layers->text)
        layers->text->ops->close(layers->text);
    if (layers->unpacked)
        layers->unpacked->ops->close(layers->unpacked);
    layers->text = layers->unpacked = NULL;
}

static enum haul_code find_packing(struct csv_layers *layers, const struct input_file *file,
                                   const struct file_head *head, struct haul_error *err)
{
    enum packing said = packing_by_suffix(file->name);
    layers->packing = packing_by_magic(head->bytes, head->length);
    if (said == PACKING_NONE || layers->packing != PACKING_NONE || head->length == 0)
        return HAUL_OK;
    return error_set(err, HAUL_DATA, "%s holds no %s data, whatever its name says; rename it", file->name,
                     packing_name(said));
}

/* "a\0,\0": no mark, but what else. */
static bool like_utf16(const struct file_head *head)
{
    const uint8_t *bytes = head->bytes;
    if (head->length < 4)
        return false;
    return (bytes[0] && !bytes[1] && bytes[2] && !bytes[3]) ||
           (!bytes[0] && bytes[1] && !bytes[2] && bytes[3]);
}

static enum haul_code find_charset(struct csv_layers *layers, const struct file_head *head,
                                   const struct context *context, struct haul_error *err)
{
    const char *said = context->settings ? settings_text(context->settings, "charset") : NULL;
    const char *mark = csv_charset_by_mark(head);
    if (said && csv_charset_parse(said, layers->charset, err))
        return err->code;
    if (!said || (strcmp(layers->charset, "utf-16") == 0 && mark[0]))
        memcpy(layers->charset, mark, strlen(mark) + 1);
    if (strcmp(layers->charset, "utf-16") == 0)
        memcpy(layers->charset, "utf-16le", sizeof "utf-16le");
    if (!said && like_utf16(head) && !mark[0])
        return error_set(err, HAUL_UNSUPPORTED,
                         "the text looks like UTF-16 without a byte order mark; say --charset %s (or utf-8)",
                         head->bytes[0] ? "utf-16le" : "utf-16be");
    return HAUL_OK;
}

static enum haul_code refuse_packed(const struct csv_layers *layers, const struct file_head *head,
                                    struct haul_error *err)
{
    bool parquet = head->length >= 4 && memcmp(head->bytes, "PAR1", 4) == 0;
    if (!parquet && !(head->length >= 15 && memcmp(head->bytes, "SQLite format 3", 15) == 0))
        return HAUL_OK;
    return error_set(err, HAUL_UNSUPPORTED, "a %s file in %s data; unpack it first",
                     parquet ? "Parquet" : "SQLite", packing_name(layers->packing));
}

static enum haul_code find_layers(struct csv_layers *layers, struct input_file *file,
                                  const struct context *context, struct file_head *head,
                                  struct haul_error *err)
{
    if (file_head_read(file, head, err) || find_packing(layers, file, head, err))
        return err->code;
    if (layers->packing != PACKING_NONE) {
        if (decompress_open(file, layers->packing, head, context, &layers->unpacked, err) ||
            file_head_read(layers->unpacked, head, err) || refuse_packed(layers, head, err))
            return err->code;
    }
    if (find_charset(layers, head, context, err))
        return err->code;
    if (!layers->charset[0])
        return HAUL_OK;
    if (csv_charset_open(csv_layers_top(layers, file), layers->charset, head, context, &layers->text, err))
        return err->code;
    head->length = 0;
    return HAUL_OK;
}

enum haul_code csv_layers_find(struct csv_layers *layers, struct input_file *file,
                               const struct context *context, struct file_head *head, struct haul_error *err)
{
    memset(layers, 0, sizeof *layers);
    enum haul_code code = find_layers(layers, file, context, head, err);
    if (code)
        csv_layers_close(layers);
    return code;
}

enum haul_code csv_layers_open(const struct csv_layers *like, struct input_file *file,
                               const struct context *context, struct csv_layers *layers,
                               struct haul_error *err)
{
    *layers = *like;
    layers->unpacked = layers->text = NULL;
    enum haul_code code = HAUL_OK;
    if (like->packing != PACKING_NONE)
        code = decompress_open(file, like->packing, NULL, context, &layers->unpacked, err);
    if (!code && like->charset[0])
        code =
            csv_charset_open(csv_layers_top(layers, file), like->charset, NULL, context, &layers->text, err);
    if (code)
        csv_layers_close(layers);
    return code;
}
