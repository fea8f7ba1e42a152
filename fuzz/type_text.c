/*
 * type_text: types as --schema and manifests spell them, and --schema itself.
 *
 * What parses must print as a text that parses to the same type.
 */
#include "fuzz.h"

#include "batch/type.h"
#include "format/csv/shape.h"

static char *text_of(const uint8_t *data, size_t length)
{
    char *text = malloc(length + 1);
    must(text);
    if (length)
        memcpy(text, data, length);
    text[length] = 0;
    return text;
}

static void read_again(const struct field *first, struct arena *arena)
{
    static char text[1 << 16];
    struct haul_error err = {0};
    struct field second = {.name = first->name};
    field_print_type(first, text, sizeof text);
    if (strlen(text) + 1 == sizeof text)
        return; /* cut to fit */
    if (field_parse_type(text, arena, &second, &err)) {
        fprintf(stderr, "%s: %s\n", text, err.message);
        abort();
    }
    must(field_equal(first, &second, true));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    char *text = text_of(data, length);
    struct arena arena = {0};
    struct haul_error err = {0};
    struct field field = {.name = "x"};
    struct csv_schema_entry *entries = NULL;
    int count = 0;
    enum haul_code code = field_parse_type(text, &arena, &field, &err);
    must_be_told(code, &err);
    if (code == HAUL_OK)
        read_again(&field, &arena);
    err = (struct haul_error){0};
    code = csv_schema_parse(text, &arena, &entries, &count, &err);
    must_be_told(code, &err);
    for (int i = 0; code == HAUL_OK && i < count; i++) {
        char name[512];
        must(entries[i].name);
        csv_schema_print_name(entries[i].name, name, sizeof name);
        read_again(&entries[i].field, &arena);
    }
    arena_release(&arena);
    free(text);
    return 0;
}
