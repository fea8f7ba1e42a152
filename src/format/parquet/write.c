/*
 * write.c: a Parquet file from pieces.
 *
 * append puts the row groups of a piece behind what is there, column chunk by
 * column chunk, and makes a record of each (group_note.h), because only now are
 * their offsets known. The records are all that finish needs; a run that is
 * continued by another process gets them back from the receipts. finish writes
 * column indexes, offset indexes and the footer. Nothing in the file depends on
 * time, machine or chance.
 *
 * Pieces may also be row groups of other files (adopt.h); then the footer says
 * what those files' footers say together (head.h).
 */
#include "format/parquet/write.h"
#include "format/parquet/adopt.h"
#include "format/parquet/arrow_schema.h"
#include "format/parquet/base64.h"
#include "format/parquet/head.h"
#include "format/parquet/write_options.h"

#define CREATED_BY   "haul version 0.1.0"
#define INDEX_WINDOW ((size_t)1 << 20) /* of index bytes gathered before they are appended */
#define ORDINAL_MAX  INT16_MAX

struct output {
    struct format_output base;
    struct schema schema;
    struct tree tree;
    struct arena arena; /* the tree */
    struct write_plan plan;
    const struct context *context;
    struct head head;      /* when row groups were adopted */
    struct buffer records; /* of all row groups in the file */
    size_t group_count;
};

static struct output *output_of(struct format_output *output)
{
    return (struct output *)output;
}

static enum haul_code output_piece(struct format_output *base, const struct context *context,
                                   const char *spill_folder, struct piece **piece, struct haul_error *err)
{
    return parquet_piece_open(&output_of(base)->plan, context, spill_folder, piece, err);
}

/* ---- appending ---- */

static enum haul_code append_magic(struct output_file *file, struct haul_error *err)
{
    return file->offset > 0 ? HAUL_OK : file->ops->append(file, PARQUET_MAGIC, PARQUET_MAGIC_BYTES, err);
}

static enum haul_code append_group(struct output *output, const struct group *group,
                                   const struct spill *spill, struct output_file *file, struct buffer *record,
                                   struct haul_error *err)
{
    struct group_place place = {&output->tree, output->plan.codec, output->plan.page_version, file->offset};
    enum haul_code code = group_note_write(group, &place, record, err);
    for (int i = 0; !code && i < output->tree.leaf_count; i++) {
        code = page_store_write(&group->chunks[i].dictionary, spill, file, err);
        if (!code)
            code = page_store_write(&group->chunks[i].pages, spill, file, err);
    }
    for (int i = 0; !code && i < output->tree.leaf_count; i++)
        code = page_store_write(&group->chunks[i].bloom, spill, file, err);
    return code;
}

static enum haul_code note_print(const struct buffer *record, struct arena *arena, const char **note,
                                 struct haul_error *err)
{
    char *text = arena_alloc(arena, base64_length(record->length) + 1);
    if (!text)
        return error_nomem(err, "a receipt");
    base64_print(record->data, record->length, text);
    *note = text;
    return HAUL_OK;
}

static enum haul_code append_groups(struct output *output, const struct parquet_piece *piece,
                                    struct output_file *file, struct buffer *record, struct haul_error *err)
{
    enum haul_code code = append_magic(file, err);
    for (size_t g = 0; !code && g < piece->group_count; g++)
        code = append_group(output, &piece->groups[g], &piece->spill, file, record, err);
    return code ? code : buffer_reserve(&output->records, record->length, err);
}

static enum haul_code output_adopt(struct format_output *base, struct format_input *input, const char *spec,
                                   struct piece **piece, struct haul_error *err)
{
    (void)base;
    return adopted_piece_open(input, spec, piece, err);
}

static enum haul_code head_take(struct output *output, const struct parquet_input *input,
                                struct buffer *record, struct haul_error *err)
{
    char dropped[HEAD_KEY_BYTES];
    bool changed = false;
    enum haul_code code = head_merge(&output->head, &input->meta, &changed, dropped, err);
    if (!code && dropped[0])
        context_note(output->context,
                     "%s: its metadata \"%s\" is not that of the files before, and is left out",
                     input->file->name, dropped);
    return code || !changed ? code : head_write(&output->head, record, err);
}

static enum haul_code append_adopted(struct output *output, const struct adopted_piece *piece,
                                     struct output_file *file, struct buffer *record, struct haul_error *err)
{
    struct input_file *from = piece->input->file;
    enum haul_code code = append_magic(file, err);
    if (!code && piece->input->tree.leaf_count != output->tree.leaf_count)
        code = error_set(err, HAUL_INTERNAL, "row groups of other columns");
    if (!code)
        code = head_take(output, piece->input, record, err);
    for (size_t g = piece->range.first; !code && g <= piece->range.last; g++)
        code = adopted_group_append(piece, g, output->context, file, record, err);
    if (!code)
        code = from->ops->check(from, err); /* what was copied is what the footer spoke of */
    return code ? code : buffer_reserve(&output->records, record->length, err);
}

static enum haul_code output_append(struct format_output *base, struct piece *piece, struct output_file *file,
                                    struct arena *arena, const char **note, struct haul_error *err)
{
    struct output *output = output_of(base);
    const struct adopted_piece *adopted = adopted_piece_of(piece);
    const struct parquet_piece *own = adopted ? NULL : (const struct parquet_piece *)piece;
    size_t groups = adopted ? adopted->group_count : own->group_count;
    struct buffer record;
    buffer_init(&record, NULL);
    enum haul_code code = adopted ? append_adopted(output, adopted, file, &record, err)
                                  : append_groups(output, own, file, &record, err);
    if (!code)
        code = note_print(&record, arena, note, err);
    if (!code && record.length > 0)
        buffer_put(&output->records, record.data, record.length);
    if (!code)
        output->group_count += groups;
    buffer_release(&record);
    return code;
}

/* ---- restoring ---- */

/* Counts the records of row groups in `data`, checks that all stand before `offset`,
 * and takes the heads among them. */
static enum haul_code check_records(struct output *output, struct slice data, int64_t offset, size_t *count,
                                    struct haul_error *err)
{
    struct arena arena = {0};
    enum haul_code code = HAUL_OK;
    *count = 0;
    while (!code && data.length > 0) {
        struct group_note note = {0};
        size_t used = 0;
        if (head_is_next(data)) {
            code = head_read(&output->head, data, &used, err);
        } else {
            code = group_note_read(data, output->tree.leaf_count, &arena, &note, &used, err);
            ++*count;
        }
        if (!code && note.row_group.file_offset + note.row_group.total_compressed_size > offset)
            code = error_set(err, HAUL_INTEGRITY, "a receipt names a row group behind the end of the file");
        data.data += used;
        data.length -= used;
    }
    arena_release(&arena);
    return code;
}

static enum haul_code output_restore(struct format_output *base, const char *note, int64_t offset,
                                     struct haul_error *err)
{
    struct output *output = output_of(base);
    size_t before = output->records.length, count = 0;
    enum haul_code code = base64_parse(note ? note : "", note ? strlen(note) : 0, &output->records, err);
    if (!code) {
        struct slice data = {output->records.data + before, output->records.length - before};
        code = check_records(output, data, offset, &count, err);
    }
    if (code)
        output->records.length = before;
    else
        output->group_count += count;
    return code;
}

/* ---- the end ---- */

static enum haul_code read_notes(const struct output *output, struct arena *arena, struct group_note **notes,
                                 struct haul_error *err)
{
    struct slice data = {output->records.data, output->records.length};
    enum haul_code code = HAUL_OK;
    *notes = arena_alloc_array(arena, output->group_count + 1, sizeof **notes);
    if (!*notes)
        return error_nomem(err, "the footer");
    for (size_t g = 0; !code && g < output->group_count;) {
        size_t used = 0;
        if (head_is_next(data))
            used = head_skip(data);
        else
            code = group_note_read(data, output->tree.leaf_count, arena, &(*notes)[g++], &used, err);
        data.data += used;
        data.length -= used;
    }
    return code;
}

struct index_writer { /* gathers small indexes, so that the file sees large writes */
    struct buffer bytes;
    struct output_file *file;
};

static enum haul_code index_flush(struct index_writer *writer, struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    if (writer->bytes.length > 0)
        code = writer->file->ops->append(writer->file, writer->bytes.data, writer->bytes.length, err);
    buffer_clear(&writer->bytes);
    return code;
}

static enum haul_code index_put(struct index_writer *writer, struct slice index, int64_t *offset,
                                int32_t *length, struct haul_error *err)
{
    *offset = writer->file->offset + (int64_t)writer->bytes.length;
    *length = (int32_t)index.length;
    enum haul_code code = buffer_append(&writer->bytes, index.data, index.length, err);
    return code || writer->bytes.length < INDEX_WINDOW ? code : index_flush(writer, err);
}

static enum haul_code put_column_indexes(struct index_writer *writer, struct group_note *note,
                                         struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    for (size_t i = 0; !code && i < note->row_group.columns.count; i++) {
        struct column_chunk *chunk = &note->row_group.columns.items[i];
        if (note->column_indexes[i].length == 0)
            continue;
        code = index_put(writer, note->column_indexes[i], &chunk->column_index_offset,
                         &chunk->column_index_length, err);
        chunk->has |= 1u << CHUNK_COLUMN_INDEX_OFFSET | 1u << CHUNK_COLUMN_INDEX_LENGTH;
    }
    return code;
}

static enum haul_code put_offset_indexes(struct index_writer *writer, struct group_note *note,
                                         struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    for (size_t i = 0; !code && i < note->row_group.columns.count; i++) {
        struct column_chunk *chunk = &note->row_group.columns.items[i];
        if (note->offset_indexes[i].length == 0) /* adopted, of a file without */
            continue;
        code = index_put(writer, note->offset_indexes[i], &chunk->offset_index_offset,
                         &chunk->offset_index_length, err);
        chunk->has |= 1u << CHUNK_OFFSET_INDEX_OFFSET | 1u << CHUNK_OFFSET_INDEX_LENGTH;
    }
    return code;
}

static enum haul_code append_indexes(struct output *output, struct group_note *notes,
                                     struct output_file *file, struct haul_error *err)
{
    struct index_writer writer = {.file = file};
    enum haul_code code = HAUL_OK;
    for (size_t g = 0; !code && g < output->group_count; g++)
        code = put_column_indexes(&writer, &notes[g], err);
    for (size_t g = 0; !code && g < output->group_count; g++)
        code = put_offset_indexes(&writer, &notes[g], err);
    if (!code)
        code = index_flush(&writer, err);
    buffer_release(&writer.bytes);
    return code;
}

static struct slice text_slice(const char *text)
{
    return (struct slice){(const uint8_t *)text, strlen(text)};
}

/* What Parquet's own types cannot say. */
struct extras {
    struct buffer sql_types, arrow_schema;
    struct key_value *items; /* room for two and those of a head */
    size_t count;
};

static bool extras_have(const struct extras *extras, const char *key)
{
    for (size_t i = 0; i < extras->count; i++)
        if (extras->items[i].key.length == strlen(key) &&
            memcmp(extras->items[i].key.data, key, strlen(key)) == 0)
            return true;
    return false;
}

static void extras_add(struct extras *extras, const char *key, const struct buffer *value)
{
    struct key_value *item = &extras->items[extras->count];
    if (value->length == 0 || extras_have(extras, key))
        return;
    item->key = text_slice(key);
    item->value = (struct slice){value->data, value->length};
    thrift_set(item, KEY_VALUE_VALUE);
    extras->count++;
}

/* Of adopted row groups: what all files agree on. */
static enum haul_code fill_head(const struct output *output, struct arena *arena, struct extras *extras,
                                struct file_metadata *file, struct haul_error *err)
{
    const struct file_metadata *head = &output->head.meta;
    extras->items = arena_alloc_array(arena, head->key_values.count + 2, sizeof *extras->items);
    if (!extras->items)
        return error_nomem(err, "the footer");
    if (!output->head.any)
        return HAUL_OK;
    file->version = head->version;
    file->schema.items = head->schema.items;
    file->schema.count = head->schema.count;
    extras->count = head->key_values.count;
    if (extras->count > 0)
        memcpy(extras->items, head->key_values.items, extras->count * sizeof *extras->items);
    return HAUL_OK;
}

static enum haul_code fill_key_values(const struct output *output, struct extras *extras,
                                      struct file_metadata *file, struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    if (!output->head.any)
        code = schema_sql_types_print(&output->schema, &extras->sql_types, err);
    if (!code && arrow_schema_is_needed(&output->schema))
        code = arrow_schema_print(&output->schema, &extras->arrow_schema, err);
    extras_add(extras, SCHEMA_SQL_TYPES_KEY, &extras->sql_types);
    extras_add(extras, ARROW_SCHEMA_KEY, &extras->arrow_schema);
    if (extras->count > 0)
        thrift_set(file, FILE_KEY_VALUES);
    file->key_values.items = extras->items;
    file->key_values.count = extras->count;
    return code;
}

static enum haul_code fill_groups(const struct output *output, const struct group_note *notes,
                                  struct arena *arena, struct file_metadata *file, struct haul_error *err)
{
    file->row_groups.count = output->group_count;
    file->row_groups.items =
        arena_alloc_array(arena, output->group_count + 1, sizeof *file->row_groups.items);
    if (!file->row_groups.items)
        return error_nomem(err, "the footer");
    for (size_t g = 0; g < output->group_count; g++) {
        struct row_group *group = &file->row_groups.items[g];
        *group = notes[g].row_group;
        file->num_rows += group->num_rows;
        if (g <= ORDINAL_MAX) {
            group->ordinal = (int16_t)g;
            thrift_set(group, ROW_GROUP_ORDINAL);
        }
    }
    return HAUL_OK;
}

static enum haul_code fill_orders(const struct output *output, struct arena *arena,
                                  struct file_metadata *file, struct haul_error *err)
{
    size_t count = (size_t)output->tree.leaf_count;
    file->column_orders.count = count;
    file->column_orders.items = arena_alloc_array(arena, count + 1, sizeof *file->column_orders.items);
    if (!file->column_orders.items)
        return error_nomem(err, "the footer");
    for (size_t i = 0; i < count; i++)
        thrift_set(&file->column_orders.items[i], COLUMN_ORDER_TYPE);
    thrift_set(file, FILE_COLUMN_ORDERS);
    return HAUL_OK;
}

/* The footer, its length and the magic. */
static enum haul_code footer_print(const struct file_metadata *metadata, struct buffer *out,
                                   struct haul_error *err)
{
    enum haul_code code = thrift_write(&thrift_file_metadata, metadata, out, err);
    if (!code && out->length > FOOTER_BYTES_MAX)
        return error_set(err, HAUL_LIMIT,
                         "the footer would be %zu bytes: use larger row groups (--rowgroup-size)",
                         out->length);
    uint32_t length = (uint32_t)out->length;
    if (!code)
        code = buffer_append(out, &length, sizeof length, err);
    return code ? code : buffer_append(out, PARQUET_MAGIC, PARQUET_MAGIC_BYTES, err);
}

static enum haul_code append_footer(struct output *output, const struct group_note *notes,
                                    struct arena *arena, struct output_file *file, struct haul_error *err)
{
    struct buffer footer = {0};
    struct extras extras = {0};
    struct file_metadata metadata = {.version = 1, .created_by = text_slice(CREATED_BY)};
    metadata.schema.items = output->tree.elements;
    metadata.schema.count = output->tree.element_count;
    thrift_set(&metadata, FILE_CREATED_BY);
    enum haul_code code = fill_groups(output, notes, arena, &metadata, err);
    if (!code)
        code = fill_head(output, arena, &extras, &metadata, err);
    if (!code)
        code = fill_key_values(output, &extras, &metadata, err);
    if (!code)
        code = fill_orders(output, arena, &metadata, err);
    if (!code)
        code = footer_print(&metadata, &footer, err);
    if (!code)
        code = file->ops->append(file, footer.data, footer.length, err);
    buffer_release(&footer);
    buffer_release(&extras.sql_types);
    buffer_release(&extras.arrow_schema);
    return code;
}

static enum haul_code output_finish(struct format_output *base, struct output_file *file,
                                    struct haul_error *err)
{
    struct output *output = output_of(base);
    struct arena arena = {0};
    struct group_note *notes = NULL;
    enum haul_code code = append_magic(file, err);
    if (!code)
        code = read_notes(output, &arena, &notes, err);
    if (!code)
        code = append_indexes(output, notes, file, err);
    if (!code)
        code = append_footer(output, notes, &arena, file, err);
    arena_release(&arena);
    return code;
}

/* ---- life ---- */

static void output_close(struct format_output *base)
{
    struct output *output = output_of(base);
    head_release(&output->head);
    schema_release(&output->schema);
    arena_release(&output->arena);
    buffer_release(&output->records);
    memory_free(NULL, output, sizeof *output);
}

static const struct format_output_ops ops = {
    .piece = output_piece,
    .adopt = output_adopt,
    .append = output_append,
    .restore = output_restore,
    .finish = output_finish,
    .close = output_close,
};

enum haul_code parquet_open_output(const struct format_request *request, const struct schema *schema,
                                   struct format_output **out, struct haul_error *err)
{
    struct output *output = memory_alloc(NULL, sizeof *output);
    if (!output)
        return error_nomem(err, "the Parquet file");
    memset(output, 0, sizeof *output);
    output->base.ops = &ops;
    output->context = request->context;
    enum haul_code code = write_options_read(request->context, &output->plan, err);
    if (!code)
        code = schema_copy(schema, &output->schema, err);
    if (!code)
        code = schema_to_parquet(&output->schema, &output->tree, &output->arena, err);
    output->plan.schema = &output->schema;
    output->plan.tree = &output->tree;
    if (code)
        output_close(&output->base);
    else
        *out = &output->base;
    return code;
}
