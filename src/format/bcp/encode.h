/*
 * encode.h: the cells of a column (format/cell.h) as a field of a BCP file has them:
 * native values, text, UTF-16, code pages.
 *
 * An encoder belongs to one field. Of a dictionary the values are encoded once for a
 * batch. NULL and what the field cannot hold are lengths that no value has; the text
 * of a cell that is refused is the reason, for people.
 */
#ifndef HAUL_FORMAT_BCP_ENCODE_H
#define HAUL_FORMAT_BCP_ENCODE_H

#include "base/codepage.h"
#include "base/number.h"
#include "format/bcp/shape.h"
#include "format/cell.h"

#define CELL_NULL (SIZE_MAX - 1)

struct bcp_encoder;
/* Values into slots of CELL_SLOT_BYTES, and cells. */
typedef void (*bcp_encode_fn)(struct bcp_encoder *encoder, const struct view *view, struct cells *cells);

/* Days, times and moments of any unit and layout, also the structs of --timestamps exact. */
struct bcp_moments {
    const uint8_t *values;
    size_t width;                   /* 4 or 8 */
    int64_t per_second;             /* units of it */
    const int16_t *offsets, *nanos; /* NULL none */
};

struct bcp_encoder {
    const struct bcp_field *stored;
    const struct field *field;
    struct bcp_type type;
    bcp_encode_fn encode; /* NULL: by print, or strings and bytes */
    cell_print_fn print;
    struct codepage page;
    bool narrow;       /* of a code page that is not UTF-8 */
    bool odd_end;      /* the terminator may come in numbers and dates too */
    int64_t lost_ends; /* texts that hold their own terminator, */
    int64_t lost_nuls; /* or are a single NUL, which means the empty text */
    struct bcp_moments moments;
    struct buffer slots, scratch, wide, entries;
};

enum haul_code bcp_encoder_init(struct bcp_encoder *encoder, const struct bcp_field *stored,
                                const struct field *field, const struct bcp_options *options,
                                struct memory *memory, struct haul_error *err);
void bcp_encoder_release(struct bcp_encoder *encoder);

enum haul_code bcp_encode_begin(struct bcp_encoder *encoder, const struct view *view, struct haul_error *err);
enum haul_code bcp_encode_column(struct bcp_encoder *encoder, const struct view *view, struct cells *cells,
                                 struct haul_error *err);

/* ---- between the files ---- */

bcp_encode_fn bcp_native_choose(const struct bcp_encoder *encoder); /* encode_native.c */
bcp_encode_fn bcp_text_choose(const struct bcp_encoder *encoder);   /* encode_text.c */

static inline void cell_refuse(struct cells *cells, size_t row, const char *why)
{
    cells->cell[row * cells->stride] = (struct cell){(const uint8_t *)why, CELL_REFUSED};
    cells->refused = true;
}

static inline uint8_t *bcp_slot(struct bcp_encoder *encoder, size_t row)
{
    return encoder->slots.data + row * CELL_SLOT_BYTES;
}

/* A moment as SQL Server counts: days since 1970 and units of 100 ns of the day. */
struct bcp_moment {
    int64_t days;
    int64_t units;
    int offset;
    bool exact; /* false: it has digits finer than 100 ns */
};
/* The columns behind moments: the view's own, or the members of its struct. */
void bcp_moments_find(struct bcp_moments *moments, const struct view *view);
struct bcp_moment bcp_moment_at(const struct bcp_encoder *encoder, int64_t row);

#define BCP_DAY_UNITS ((int64_t)864000000000)

#endif
