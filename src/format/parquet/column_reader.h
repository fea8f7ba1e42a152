/*
 * column_reader.h: one leaf column, chunk after chunk, into a builder.
 *
 * Order of calls: init once; start for each row group; then either read_rows
 * (flat columns: no lists and structs around them), or, for nested ones
 * (assemble.c), page and levels by hand and append_slots.
 */
#ifndef HAUL_FORMAT_PARQUET_COLUMN_READER_H
#define HAUL_FORMAT_PARQUET_COLUMN_READER_H

#include "batch/builder.h"
#include "batch/source.h"
#include "format/parquet/convert.h"
#include "format/parquet/levels.h"
#include "format/parquet/values.h"

/* A chunk's dictionary, in the form of the Arrow field. */
struct word_list {
    struct buffer values;  /* fixed width */
    struct buffer offsets; /* of byte arrays: count + 1 int32 */
    struct buffer data;
    size_t count;
    size_t longest; /* byte array */
    bool loaded;
};

struct column_reader {
    const struct node *leaf;
    struct page_reader pages;
    struct levels repetition, definition;
    struct values values;
    struct word_list words;
    struct convert convert;
    enum dictionaries may_index; /* the group is large enough for batches of indices */
    int64_t chunk_left;          /* levels of the chunk in pages not opened yet */
    size_t page_left;            /* levels of the page not consumed */
    int64_t page_offset;         /* for messages */
};

void column_reader_init(struct column_reader *column, const struct node *leaf, struct memory *memory);
void column_reader_release(struct column_reader *column);

/* Begins a chunk. */
enum haul_code column_reader_start(struct column_reader *column, struct page_supply *supply,
                                   const struct column_chunk *chunk, struct haul_error *err);

/* Opens the next page when the current one is used up; an empty page is passed
 * over. HAUL_DATA when the chunk has no more. */
enum haul_code column_reader_page(struct column_reader *column, struct haul_error *err);

/* How many of the next `rows` rows of a flat column surely have at most
 * `bytes_max` bytes of text; at least 1. Opens a page when it must. */
enum haul_code column_reader_within(struct column_reader *column, int64_t rows, size_t bytes_max,
                                    int64_t *within, struct haul_error *err);

/* Of a flat column whose page is open: are its values few words, so that the
 * next rows are better given as indices into the chunk's dictionary? */
bool column_reader_indexes(const struct column_reader *column);

/* A copy of that dictionary. */
enum haul_code column_reader_words(const struct column_reader *column, struct memory *memory,
                                   struct ArrowArray *values, struct haul_error *err);

/* Appends the next `rows` rows of a flat column. */
enum haul_code column_reader_rows(struct column_reader *column, struct builder *builder, int64_t rows,
                                  struct haul_error *err);

/* Takes `slots` rows of the page into the builder; `present` of them have values,
 * as the builder's validity (already there, from builder->length on) says. Room
 * for them was reserved. */
enum haul_code column_reader_slots(struct column_reader *column, struct builder *builder, size_t slots,
                                   size_t present, struct haul_error *err);

/* Puts "page at offset N" before the message. Returns err->code. */
enum haul_code column_reader_place(const struct column_reader *column, struct haul_error *err);

/* column_values.c: */
enum haul_code word_list_load(struct column_reader *column, const struct page *page, struct haul_error *err);
void word_list_init(struct word_list *words, struct memory *memory);
void word_list_release(struct word_list *words);

#endif
