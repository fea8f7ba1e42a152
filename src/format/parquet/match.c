/*
 * match.c: two schemas, element by element.
 *
 * Columns of the same Arrow type may still be stored differently: required or
 * optional (other levels), an int32 or 5 bytes for a decimal, INT96 or INT64 for
 * a timestamp, lists of two or three levels. Pages cannot be moved between such
 * columns without decoding them. Annotations may differ in age only: an element
 * that has just the old one agrees with one that has both.
 */
#include "format/parquet/match.h"
#include "format/parquet/distrust.h"
#include <stdio.h>

#define TEXT_BYTES 256

/* "a.list.element" */
static void path_print(const struct tree *tree, size_t element, char out[TEXT_BYTES])
{
    size_t chain[SCHEMA_PATH_MAX], depth = 0, length = 0;
    for (int32_t at = (int32_t)element; at > 0 && depth < SCHEMA_PATH_MAX; at = tree->parents[at])
        chain[depth++] = (size_t)at;
    out[0] = '\0';
    while (depth > 0 && length < TEXT_BYTES - 1) {
        struct slice name = tree->elements[chain[--depth]].name;
        int wrote = snprintf(out + length, TEXT_BYTES - length, "%.*s%s", (int)name.length,
                             (const char *)name.data, depth ? "." : "");
        length += wrote > 0 ? (size_t)wrote : 0;
    }
}

static const char *repetition_name(const struct schema_element *element)
{
    static const char *const names[] = {"required", "optional", "repeated"};
    return element->repetition >= 0 && element->repetition <= 2 ? names[element->repetition] : "?";
}

static const char *logical_name(const struct schema_element *element)
{
    static const char *const names[] = {
        "",      " STRING",    " MAP",     " LIST",     " ENUM",      " DECIMAL", " DATE",
        " TIME", " TIMESTAMP", "",         " INTEGER",  " UNKNOWN",   " JSON",    " BSON",
        " UUID", " FLOAT16",   " VARIANT", " GEOMETRY", " GEOGRAPHY",
    };
    for (int i = 1; element->logical && i < (int)(sizeof names / sizeof names[0]); i++)
        if (thrift_has(element->logical, i))
            return names[i];
    return "";
}

static void element_print(const struct schema_element *element, char out[TEXT_BYTES])
{
    if (!thrift_has(element, ELEMENT_TYPE))
        (void)snprintf(out, TEXT_BYTES, "a %s group of %d%s", repetition_name(element), element->num_children,
                       logical_name(element));
    else if (element->type == PARQUET_FIXED)
        (void)snprintf(out, TEXT_BYTES, "%s %s(%d)%s", repetition_name(element),
                       parquet_type_name(element->type), element->type_length, logical_name(element));
    else
        (void)snprintf(out, TEXT_BYTES, "%s %s%s", repetition_name(element), parquet_type_name(element->type),
                       logical_name(element));
}

static enum haul_code logical_equal(const struct schema_element *a, const struct schema_element *b,
                                    bool *equal, struct haul_error *err)
{
    struct buffer one = {0}, two = {0};
    *equal = true;
    if (!a->logical || !b->logical)
        return HAUL_OK;
    struct file_metadata left = {0}, right = {0};
    struct schema_element with_a = {.logical = a->logical, .has = 1u << ELEMENT_LOGICAL},
                          with_b = {.logical = b->logical, .has = 1u << ELEMENT_LOGICAL};
    left.schema.items = &with_a;
    right.schema.items = &with_b;
    left.schema.count = right.schema.count = 1;
    enum haul_code code = thrift_write(&thrift_file_metadata, &left, &one, err);
    if (!code)
        code = thrift_write(&thrift_file_metadata, &right, &two, err);
    *equal = !code && one.length == two.length && memcmp(one.data, two.data, one.length) == 0;
    buffer_release(&one);
    buffer_release(&two);
    return code;
}

static bool stored_alike(const struct schema_element *a, const struct schema_element *b)
{
    bool leaf = thrift_has(a, ELEMENT_TYPE);
    if (leaf != (bool)thrift_has(b, ELEMENT_TYPE) || a->repetition != b->repetition ||
        a->name.length != b->name.length || memcmp(a->name.data, b->name.data, a->name.length) != 0)
        return false;
    if (!leaf)
        return a->num_children == b->num_children;
    return a->type == b->type && (a->type != PARQUET_FIXED || a->type_length == b->type_length);
}

enum haul_code parquet_adoptable(const struct parquet_input *input, struct haul_error *err)
{
    char path[TEXT_BYTES];
    struct distrust distrust = distrust_of(&input->meta);
    if (distrust.chunks_short)
        return error_set(err, HAUL_UNSUPPORTED,
                         "it was written by a parquet-mr before 1.2.9, which gives wrong sizes of columns; "
                         "--rowgroup-size N writes it anew");
    for (size_t i = 0; i < input->tree.element_count; i++) {
        const struct schema_element *element = &input->tree.elements[i];
        if (!thrift_has(element, ELEMENT_LOGICAL) || !element->logical || element->logical->has)
            continue;
        path_print(&input->tree, i, path);
        return error_set(err, HAUL_UNSUPPORTED,
                         "column \"%s\" has a logical type haul does not know; --rowgroup-size N writes it "
                         "without",
                         path);
    }
    return HAUL_OK;
}

static enum haul_code element_differs(const struct parquet_input *input, const struct parquet_input *first,
                                      size_t place, struct haul_error *err)
{
    char path[TEXT_BYTES], its[TEXT_BYTES], other[TEXT_BYTES];
    path_print(&input->tree, place, path);
    element_print(&input->tree.elements[place], its);
    element_print(&first->tree.elements[place], other);
    return error_set(
        err, HAUL_DATA,
        "column \"%.200s\" is stored as %s, in %.200s as %s; row groups can only be kept when all "
        "files store their columns alike (--rowgroup-size N writes them anew)",
        path, its, first->file->name, other);
}

enum haul_code parquet_match(struct format_input *base, struct format_input *base_first,
                             struct haul_error *err)
{
    const struct parquet_input *input = (const struct parquet_input *)(const void *)base,
                               *first = (const struct parquet_input *)(const void *)base_first;
    size_t count = input->tree.element_count;
    enum haul_code code = parquet_adoptable(input, err);
    if (code)
        return code;
    if (count > first->tree.element_count)
        count = first->tree.element_count;
    for (size_t i = 1; i < count; i++) {
        bool equal = stored_alike(&input->tree.elements[i], &first->tree.elements[i]);
        if (equal)
            code = logical_equal(&input->tree.elements[i], &first->tree.elements[i], &equal, err);
        if (code)
            return code;
        if (!equal)
            return element_differs(input, first, i, err);
    }
    if (input->tree.element_count == first->tree.element_count)
        return HAUL_OK;
    return error_set(err, HAUL_DATA, "its schema has %zu elements, that of %.200s has %zu",
                     input->tree.element_count, first->file->name, first->tree.element_count);
}
