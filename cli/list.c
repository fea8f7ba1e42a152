/*
 * list.c: `haul list`: tables in columns as wide as they need to be, or as JSON.
 *
 * Names stand as --table takes them: quoted where they must be. "~" marks a
 * count that the server only estimates, "?" one that nobody knows.
 */
#include "cli.h"
#include <stdlib.h>
#include <string.h>

struct row {
    char *name, *kind;
    char rows[32], size[32];
};

struct listing {
    bool json, failed, estimated;
    struct row *rows;
    size_t count, room;
    int status;
};

static void list_json(struct listing *listing, const struct haul_table *table)
{
    printf("%s{\"schema\":", listing->count ? ",\n " : "[");
    print_json(stdout, table->schema ? table->schema : "");
    printf(",\"name\":");
    print_json(stdout, table->name);
    printf(",\"kind\":");
    print_json(stdout, table->kind);
    printf(",\"rows\":%lld,\"rows_exact\":%s,\"bytes\":%lld}", (long long)table->rows,
           table->rows_exact ? "true" : "false", (long long)table->bytes);
    listing->count++;
}

/* Would --table read the name as it is? */
static bool is_plain(const char *name)
{
    for (const unsigned char *p = (const unsigned char *)name; *p; p++)
        if (!(*p >= 'a' && *p <= 'z') && !(*p >= 'A' && *p <= 'Z') && !(*p >= '0' && *p <= '9') &&
            *p != '_' && *p < 128)
            return false;
    return *name != 0;
}

static char *append_name(char *to, const char *name, bool is_file)
{
    bool plain = is_file || is_plain(name);
    if (!plain)
        *to++ = '"';
    for (; *name; name++) {
        if (*name == '"' && !plain)
            *to++ = '"';
        *to++ = *name;
    }
    if (!plain)
        *to++ = '"';
    *to = 0;
    return to;
}

static char *full_name(const struct haul_table *table)
{
    const char *schema = table->schema ? table->schema : "";
    bool is_file = strcmp(table->kind, "file") == 0;
    char *name = malloc(2 * (strlen(schema) + strlen(table->name)) + 8), *end = name;
    if (name && *schema) {
        end = append_name(name, schema, false);
        *end++ = '.';
    }
    if (name)
        append_name(end, table->name, is_file);
    return name;
}

static void list_text(struct listing *listing, const struct haul_table *table)
{
    if (listing->count == listing->room) {
        size_t room = listing->room ? 2 * listing->room : 64;
        struct row *rows = realloc(listing->rows, room * sizeof *rows);
        if (!rows) {
            listing->failed = true;
            return;
        }
        listing->rows = rows;
        listing->room = room;
    }
    struct row *row = &listing->rows[listing->count];
    *row = (struct row){.name = full_name(table), .kind = strdup(table->kind), .rows = "?", .size = ""};
    if (strstr(table->kind, "view") && table->rows < 0)
        row->rows[0] = 0; /* nobody counts those */
    if (table->rows >= 0)
        snprintf(row->rows, sizeof row->rows, "%s%lld", table->rows_exact ? "" : "~", (long long)table->rows);
    if (table->bytes >= 0)
        print_size((double)table->bytes, row->size, sizeof row->size);
    listing->estimated |= table->rows >= 0 && !table->rows_exact;
    listing->failed |= !row->name || !row->kind;
    listing->count++;
}

static void list_each(void *user, const struct haul_table *table)
{
    struct listing *listing = user;
    (listing->json ? list_json : list_text)(listing, table);
}

static int width_of(int width, const char *text)
{
    int length = (int)strlen(text);
    return length > width ? length : width;
}

static int list_print(const struct listing *listing)
{
    int rows = 4, size = 4, kind = 4;
    for (size_t i = 0; i < listing->count; i++) {
        rows = width_of(rows, listing->rows[i].rows);
        size = width_of(size, listing->rows[i].size);
        kind = width_of(kind, listing->rows[i].kind);
    }
    if (!listing->count)
        return print_out("no tables\n");
    printf("%*s  %*s  %-*s  name\n", rows, "rows", size, "size", kind, "kind");
    for (size_t i = 0; i < listing->count; i++) {
        const struct row *row = &listing->rows[i];
        printf("%*s  %*s  %-*s  ", rows, row->rows, size, row->size, kind, row->kind);
        print_clean(stdout, row->name);
        printf("\n");
    }
    return print_out(listing->estimated ? "~ is the server's estimate\n" : "");
}

static void listing_release(struct listing *listing)
{
    for (size_t i = 0; i < listing->count && listing->rows; i++) {
        free(listing->rows[i].name);
        free(listing->rows[i].kind);
    }
    free(listing->rows);
}

int run_list(const struct command *command, int count, char **words)
{
    int status = 0;
    struct haul_error err = {0};
    struct progress progress;
    struct haul_job *job = job_from_words(command, count, words, &status);
    if (!job)
        return status;
    struct listing listing = {.json = job_flag(job, "json")};
    progress_init(&progress, job);
    progress.quiet = true; /* warnings only */
    if (haul_list(job, list_each, &listing, &err))
        status = fail(&err);
    else if (listing.failed)
        status = 1;
    else if (listing.json)
        status = print_out(listing.count ? "]\n" : "[]\n");
    else
        status = list_print(&listing);
    listing_release(&listing);
    job_done(job);
    return status;
}
