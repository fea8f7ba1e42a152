/*
 * layout.h: what a format file says: one field after another, how each is stored
 * in the data file and which column of the table it is. Classic format files
 * (classic.c) and XML ones (xml_read.c, xml_write.c) are two spellings of it.
 *
 * How a field ends, in the order the words count: a prefix with its length, the
 * fixed size of its type, a terminator, or else `length` bytes of text.
 */
#ifndef HAUL_FORMAT_BCP_LAYOUT_H
#define HAUL_FORMAT_BCP_LAYOUT_H

#include "format/bcp/sql_type.h"
#include "store/store.h"

#define BCP_FIELDS_MAX     1024       /* as BULK INSERT has it */
#define BCP_FILE_BYTES_MAX (4u << 20) /* of a format file */
#define BCP_END_BYTES_MAX  64         /* of a terminator */
#define BCP_LENGTH_MAX     (1u << 30) /* of a field's length */

struct bcp_field {
    const char *id; /* FIELD ID, or the host field order */
    enum bcp_host host;
    int prefix;         /* 0, 1, 2, 4, 8 */
    uint32_t length;    /* bytes at most, exactly when nothing else ends it; 0 none */
    const uint8_t *end; /* the terminator as it stands in the data file */
    size_t end_length;
    int column;            /* of the table, from 1; 0: skipped */
    const char *name;      /* of that column */
    const char *collation; /* "" none */
    struct bcp_type type;  /* of that column, where the file says so (XML); SQL_NONE */
    bool not_null;         /* the same */
    bool alone;            /* no format file: the collation is the column's, and says nothing of the file */
};

struct bcp_layout {
    const char *version; /* "14.0" */
    bool xml;
    struct bcp_field *fields;
    int count;
    int columns; /* fields whose column is not 0 */
    struct arena arena;
};
void bcp_layout_release(struct bcp_layout *layout);

/* Room for `count` zeroed fields. */
enum haul_code bcp_layout_init(struct bcp_layout *layout, int count, struct haul_error *err);

/* Reads a format file of either kind; errors name it, with line and field. */
enum haul_code bcp_layout_open(const char *name, const struct context *context, struct bcp_layout *layout,
                               struct haul_error *err);
enum haul_code bcp_layout_parse(const uint8_t *text, size_t length, struct bcp_layout *layout,
                                struct haul_error *err);
enum haul_code bcp_classic_parse(const char *text, size_t length, struct bcp_layout *layout,
                                 struct haul_error *err);
enum haul_code bcp_xml_parse(const char *text, size_t length, struct bcp_layout *layout,
                             struct haul_error *err);

/* What is wrong with a field whatever the spelling: no way to end, a prefix that is
 * none, a length its type does not have. Also counts `columns`. */
enum haul_code bcp_layout_check(struct bcp_layout *layout, struct haul_error *err);

/* Appends the format file. */
enum haul_code bcp_classic_print(const struct bcp_layout *layout, struct buffer *out, struct haul_error *err);
enum haul_code bcp_xml_print(const struct bcp_layout *layout, struct buffer *out, struct haul_error *err);

/* ---- terminators ---- */

/* The bytes that a terminator's text stands for: \t \n \r \\ \0 \", 0x and pairs of
 * hex digits, or itself. False: longer than BCP_END_BYTES_MAX or half a pair. */
bool bcp_end_parse(const char *text, size_t length, uint8_t out[BCP_END_BYTES_MAX], size_t *out_length);

/* The reverse, as a format file has it between its quotes. */
enum haul_code bcp_end_print(const uint8_t *end, size_t length, struct buffer *out, struct haul_error *err);

#endif
