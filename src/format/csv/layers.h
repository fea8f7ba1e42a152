/*
 * layers.h: what lies between a file's bytes and its text: compression, then an
 * encoding that is not UTF-8. Plain files have neither and are read as they are.
 *
 * A file with layers is a stream, but one that can be opened again from the start
 * when the file itself can: each reader has its own.
 */
#ifndef HAUL_FORMAT_CSV_LAYERS_H
#define HAUL_FORMAT_CSV_LAYERS_H

#include "format/csv/charset.h"

struct csv_layers {
    enum packing packing;
    char charset[CSV_CHARSET_BYTES]; /* "": UTF-8 */
    struct input_file *unpacked;     /* NULL: not compressed */
    struct input_file *text;         /* NULL: UTF-8 already */
};

static inline bool csv_layers_any(const struct csv_layers *layers)
{
    return layers->packing != PACKING_NONE || layers->charset[0];
}

/* Looks at the file and opens what it needs. `head` gets the first bytes of the
 * text when the looking took them from a stream. */
enum haul_code csv_layers_find(struct csv_layers *layers, struct input_file *file,
                               const struct context *context, struct file_head *head, struct haul_error *err);

/* The same layers again, from the start. */
enum haul_code csv_layers_open(const struct csv_layers *like, struct input_file *file,
                               const struct context *context, struct csv_layers *layers,
                               struct haul_error *err);

/* The uppermost: where the text comes from. */
static inline struct input_file *csv_layers_top(const struct csv_layers *layers, struct input_file *file)
{
    return layers->text ? layers->text : layers->unpacked ? layers->unpacked : file;
}

void csv_layers_close(struct csv_layers *layers);

#endif
