/*
 * shape.h: how a data file is laid out, and the columns its rows have: from a
 * format file, or from the columns themselves and --storage.
 */
#ifndef HAUL_FORMAT_BCP_SHAPE_H
#define HAUL_FORMAT_BCP_SHAPE_H

#include "format/bcp/layout.h"
#include "format/format.h"

/* What the settings say of BCP files. */
enum bcp_storage { STORAGE_NATIVE, STORAGE_CHAR, STORAGE_UNICODE, STORAGE_UNICODE_NATIVE };

#define PAGE_RAW (-1) /* bytes as they are in the column: of its collation's page */

struct bcp_options {
    const char *format_file; /* NULL none */
    enum bcp_storage storage;
    const char *version;
    bool xml;
    uint8_t field_end[BCP_END_BYTES_MAX], row_end[BCP_END_BYTES_MAX];
    size_t field_end_length, row_end_length;
    int page;        /* of text whose format file names no collation; PAGE_RAW */
    bool page_given; /* --code-page 65001 is stronger than a collation */
    enum bcp_moments_as moments;
    int64_t first_row, last_row; /* from 1; last 0: to the end */
    int64_t parallel;            /* parts a file is cut into; 1: none */
};
enum haul_code bcp_options_read(struct bcp_options *options, const struct context *context,
                                struct haul_error *err);

/* The code page of a field's text. */
int bcp_field_page(const struct bcp_options *options, const struct bcp_field *field);
int bcp_collation_page(const char *collation);

/* The layout that bcp gives files of these columns. */
enum haul_code bcp_layout_derive(struct bcp_layout *layout, const struct schema *schema,
                                 const struct bcp_options *options, struct haul_error *err);

/* The columns of a file in table order, from what is known of them: the format
 * file's types and `like`, the table's columns (NULL: no table). `fields` gets the
 * field of each column, in schema->arena. */
enum haul_code bcp_layout_schema(const struct bcp_layout *layout, const struct bcp_options *options,
                                 const struct schema *like, struct schema *schema, int **fields,
                                 struct haul_error *err);

/* --schema: only text can be read as another type than its own, and a decimal as one
 * of other digits. */
enum haul_code bcp_schema_override(const struct bcp_layout *layout, const int *fields, const char *text,
                                   struct schema *schema, struct haul_error *err);

/* What a column becomes when it is written in this field: `to` is a copy of the
 * source's field. */
enum haul_code bcp_field_negotiate(const struct bcp_field *stored, struct arena *arena, struct field *to,
                                   struct haul_error *err);

#endif
