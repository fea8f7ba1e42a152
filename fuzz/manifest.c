/*
 * manifest: any bytes as a manifest of files.
 *
 * It is read or refused with a sentence. What was read lists each name once, and
 * no name can lead out of the folder; counts are not negative; the columns have
 * names, and their types print as a text of the same type.
 */
#include "fuzz.h"

#include "manifest.h"

#define TYPE_BYTES 8192

static void check_name(const char *name)
{
    must(name[0] && name[0] != '/' && !strchr(name, '\n'));
    for (const char *part = name; part; part = strchr(part, '/')) {
        part += *part == '/';
        size_t length = strcspn(part, "/");
        must(length > 0 && strncmp(part, ".", length) != 0 && strncmp(part, "..", length) != 0);
    }
}

static void check_columns(const struct schema *schema)
{
    for (int i = 0; i < schema->count; i++) {
        char text[TYPE_BYTES];
        struct arena arena = {0};
        struct field again = {0};
        struct haul_error err = {0};
        must(schema->fields[i].name);
        field_print_type(&schema->fields[i], text, sizeof text);
        if (strlen(text) + 1 < sizeof text) {
            must_be_told(field_parse_type(text, &arena, &again, &err), &err);
            must(!err.code && field_equal(&schema->fields[i], &again, false));
        }
        arena_release(&arena);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct arena arena = {0};
    struct manifest_listing listing = {0};
    struct haul_error err = {0};
    must_be_told(manifest_sums_parse((const char *)data, length, &arena, &listing, &err), &err);
    must(!listing.summary || listing.count == 0);
    for (size_t i = 0; !err.code && i < listing.count; i++) {
        if (!listing.tables)
            check_name(listing.entries[i].name);
        must(listing.entries[i].rows >= -1 && listing.entries[i].bytes >= -1);
        for (size_t j = 0; j < i && i < 64; j++)
            must(strcmp(listing.entries[i].name, listing.entries[j].name) != 0);
    }
    if (!err.code && listing.hashed)
        check_columns(&listing.sums.schema);
    manifest_listing_release(&listing);
    arena_release(&arena);
    return 0;
}
