/*
 * footer: any bytes as a Parquet footer.
 *
 * What parses must give a schema or a sentence, and must be stable: written again
 * and parsed again it is the same struct, seen by writing it a second time. The
 * page index structs, which stand alone in a file, go the same way. The input's
 * first byte chooses the struct.
 */
#include "fuzz.h"

#include "format/parquet/footer.h"
#include "format/parquet/schema.h"

#define STRUCT_BYTES_MAX 1024

static void read_schema(const struct file_metadata *file)
{
    struct schema schema = {0};
    struct tree tree = {0};
    struct haul_error err = {0};
    enum haul_code code = schema_from_parquet(file, &schema, &tree, &err);
    must_be_told(code, &err);
    if (code == HAUL_OK) {
        char text[256];
        must(!schema_sql_types_apply(file, &schema, &err));
        for (int i = 0; i < tree.leaf_count; i++)
            schema_path_print(&tree, i, text, sizeof text);
        for (int i = 0; i < schema.count; i++)
            field_print_type(&schema.fields[i], text, sizeof text);
    }
    schema_release(&schema);
}

static void read_again(const struct thrift_table *table, const void *first)
{
    struct buffer once = {0}, twice = {0};
    struct arena arena = {0};
    struct haul_error err = {0};
    _Alignas(16) uint8_t second[STRUCT_BYTES_MAX] = {0};
    size_t used = 0;
    must(!thrift_write(table, first, &once, &err));
    const struct slice text = {once.data, once.length};
    must(!thrift_parse(table, text, second, &arena, &used, &err));
    must(used == once.length);
    must(!thrift_write(table, second, &twice, &err));
    must(once.length == twice.length && memcmp(once.data, twice.data, once.length) == 0);
    buffer_release(&once);
    buffer_release(&twice);
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static const struct thrift_table *const tables[] = {&thrift_file_metadata, &thrift_row_group,
                                                        &thrift_offset_index, &thrift_column_index,
                                                        &thrift_statistics};
    struct food food = {data, length};
    const struct thrift_table *table = tables[food_byte(&food) % 5];
    struct buffer text = food_rest(&food);
    struct arena arena = {0};
    struct haul_error err = {0};
    _Alignas(16) uint8_t out[STRUCT_BYTES_MAX] = {0};
    size_t used = 0;
    must(table->size <= sizeof out);
    const struct slice input = {text.data, text.length};
    enum haul_code code = thrift_parse(table, input, out, &arena, &used, &err);
    must_be_told(code, &err);
    if (code == HAUL_OK) {
        must(used <= text.length);
        if (table == &thrift_file_metadata)
            read_schema((const struct file_metadata *)(const void *)out);
        read_again(table, out);
    }
    arena_release(&arena);
    buffer_release(&text);
    return 0;
}
