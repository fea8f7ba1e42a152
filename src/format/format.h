/*
 * format.h: how rows are written in a file: Parquet, CSV, later BCP.
 *
 * A format knows one file. Which files, their names, order, receipts and
 * publishing are the business of file_source.c and file_sink.c, the same for
 * every format.
 *
 * Reading: open_input looks at the file and describes it; it is split in parts
 * ("row group 3", "bytes 0-67108864 from line 1"); a reader reads a part.
 *
 * Writing: each unit is encoded as a *piece*, apart from all others and in
 * parallel with them; pieces are appended to the file one after another, in
 * unit order; finish writes what belongs at the end. What the end needs of a
 * piece (a row group's metadata) is returned by append as one line of text, the
 * note, kept in the unit's receipt and given back with restore when the file is
 * continued by another process.
 *
 * To add a format: a folder here with a `const struct format`, a registry row, a
 * quirks row in the conformance suite, a fuzz target.
 */
#ifndef HAUL_FORMAT_FORMAT_H
#define HAUL_FORMAT_FORMAT_H

#include "batch/inspection.h"
#include "batch/source.h"
#include "store/store.h"

/* ---- reading ---- */
/* An input borrows its file, which outlives it. `open` and the readers are called
 * from any worker; describe, split and inspect from one. */
struct format_input;
struct format_input_ops {
    /* schema, rows, order_fixed, replayable, splits_max. The rest is file_source's. */
    enum haul_code (*describe)(struct format_input *input, struct source_info *info, struct haul_error *err);
    /* As source_ops.split; part->index is not its to set. */
    enum haul_code (*split)(struct format_input *input, const struct split_request *request,
                            struct arena *arena, struct part *part, bool *more, struct haul_error *err);
    enum haul_code (*open)(struct format_input *input, const struct context *context, const struct part *part,
                           int64_t first_row, struct reader **reader, struct haul_error *err);
    /* Facts for `haul inspect`: see struct inspection. NULL: only what describe says. */
    enum haul_code (*inspect)(struct format_input *input, struct inspection *out, struct haul_error *err);
    /* Can parts of both be adopted by one output? HAUL_DATA says what differs. NULL: no matter. */
    enum haul_code (*match)(struct format_input *input, struct format_input *first, struct haul_error *err);
    void (*close)(struct format_input *input);
};
struct format_input { /* first member of each tenant's own struct */
    const struct format_input_ops *ops;
};

/* ---- writing ---- */
/* `piece` is called from any worker, also while another one appends; append,
 * restore and finish are called one after another, in unit order. An output whose
 * append or finish failed is only closed. */
struct piece;
struct piece_ops {
    enum haul_code (*write)(struct piece *piece, const struct batch *batch, struct haul_error *err);
    /* No more rows: encodes what is left. After it the piece holds finished
     * bytes only, in memory or spilled. */
    enum haul_code (*seal)(struct piece *piece, struct haul_error *err);
    /* Moves finished bytes from memory to the spill file. */
    enum haul_code (*spill)(struct piece *piece, struct haul_error *err);
    void (*close)(struct piece *piece);
};
struct piece { /* first member of each tenant's own struct */
    const struct piece_ops *ops;
    int64_t rows; /* of an adopted piece, which cannot be written to */
};

struct format_output;
struct format_output_ops {
    /* An empty piece, for the worker whose context this is. */
    enum haul_code (*piece)(struct format_output *output, const struct context *context,
                            const char *spill_folder, struct piece **piece, struct haul_error *err);
    /* A sealed piece that is a part of a file of the same format, as it stands
     * there; `input` outlives it. NULL: never. */
    enum haul_code (*adopt)(struct format_output *output, struct format_input *input, const char *spec,
                            struct piece **piece, struct haul_error *err);
    /* Appends a sealed piece (and what belongs before the first one). *note is
     * allocated in `arena`; NULL when the format needs none. */
    enum haul_code (*append)(struct format_output *output, struct piece *piece, struct output_file *file,
                             struct arena *arena, const char **note, struct haul_error *err);
    /* Appends what is finished of a piece that is still being written, and takes
     * it out of the piece; called when it is the piece's turn. append appends the
     * rest. After a failure the file is cut back and the piece closed. NULL: only
     * whole pieces can stand in a file. */
    enum haul_code (*drain)(struct format_output *output, struct piece *piece, struct output_file *file,
                            struct haul_error *err);
    /* A piece that stands in the file already, in order; `offset` is where it ends. */
    enum haul_code (*restore)(struct format_output *output, const char *note, int64_t offset,
                              struct haul_error *err);
    /* Writes the end. Not called for a file without pieces before `append` of an
     * empty one: an empty table is one empty piece. */
    enum haul_code (*finish)(struct format_output *output, struct output_file *file, struct haul_error *err);
    void (*close)(struct format_output *output);
};
struct format_output { /* first member of each tenant's own struct */
    const struct format_output_ops *ops;
};

/* Names for openers: what one file's rows are asked to look like. */
struct format_request {
    const struct context *context;       /* settings: --delimiter, --compression, ... */
    const struct source_request *source; /* reading: columns, schema */
    const char *name; /* writing: of the file, for formats whose suffixes differ; NULL unknown */
};

struct format {
    const char *name;            /* "parquet", as --from and --to take it */
    const char *const *suffixes; /* ".parquet", ".parq"; NULL-terminated */
    const char *help;            /* one line */

    /* How sure it is that these first bytes are its own: 0 no, 100 by magic. */
    int (*sniff)(const uint8_t *head, size_t length);

    enum haul_code (*open_input)(const struct format_request *request, struct input_file *file,
                                 struct format_input **input, struct haul_error *err);

    /* The schema the format can hold for these columns: fields it must change
     * are changed in `to` (already a copy); the cast table says what is lost.
     * NULL: every type as it is. */
    enum haul_code (*negotiate)(const struct format_request *request, struct schema *to,
                                struct haul_error *err);

    enum haul_code (*open_output)(const struct format_request *request, const struct schema *schema,
                                  struct format_output **output, struct haul_error *err);

    /* Rows and in-memory bytes a piece should hold (row group size). */
    void (*piece_size)(const struct format_request *request, int64_t *rows, int64_t *bytes);

    bool adopts;                    /* its outputs have `adopt` */
    bool empty_fine;                /* an input of no bytes has no rows; else it is an error */
    enum dictionaries dictionaries; /* that its pieces are glad of */
};

#endif
