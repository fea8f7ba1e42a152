/*
 * frame.h: where the fields of a row are: the first of two stages of reading.
 *
 * A run over the bytes of a window notes for each field of each row where its
 * data is; stage two (column.h) reads it column by column. Nothing here knows of
 * types beyond how many bytes they have.
 *
 * If a field has a prefix or a fixed size and a terminator too, the terminator must
 * follow its data; of text with both the shorter one counts, as in bcp.
 */
#ifndef HAUL_FORMAT_BCP_FRAME_H
#define HAUL_FORMAT_BCP_FRAME_H

#include "format/bcp/layout.h"

#define SPAN_NULL    UINT32_MAX       /* the prefix says NULL */
#define SPAN_CHUNKED (UINT32_MAX - 1) /* u32 length and bytes, until a length of 0 */

/* The data of a field: bytes [at, at + length) of the window. */
struct bcp_span {
    uint32_t at, length;
};

struct bcp_frame_field {
    uint32_t prefix, fixed;
    const uint8_t *end;
    size_t end_length;
    bool wide, text;
};

struct bcp_frame {
    struct bcp_frame_field *fields;
    int count;
    bool ends_open; /* the last field ends with a terminator, which the file's last row may lack */
};
enum haul_code bcp_frame_init(struct bcp_frame *frame, const struct bcp_layout *layout, struct arena *arena,
                              struct haul_error *err);

enum bcp_framed { FRAMED_ALL, FRAMED_MORE, FRAMED_BAD };

struct bcp_run {
    const uint8_t *data;
    size_t length;
    bool final;             /* nothing follows */
    struct bcp_span *spans; /* room for rows_max x count */
    size_t rows_max;
    size_t rows;           /* that are complete */
    size_t bytes;          /* of them */
    enum bcp_framed state; /* of the row behind them: MORE: not all of it is there; BAD: see below */
    int field;             /* of that row, where it stopped */
    const char *why;
};

/* Finds complete rows of data[0, length), which begins with one. FRAMED_ALL: there
 * is room for no more rows, or no bytes are left. */
void bcp_frame_run(const struct bcp_frame *frame, struct bcp_run *run);

#endif
