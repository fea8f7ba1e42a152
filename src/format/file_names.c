/*
 * file_names.c: names of files, made and read.
 *
 * Tables may be called anything; a file's name may not hold a slash, should not
 * hold what other systems or shells take for something else, and has 255 bytes
 * at most. What is unsafe becomes %XX (as in a URI), UTF-8 letters stay. The
 * temporary name is hidden, says which run it is of, and is made so that it can
 * be recognised again by a later process. Its base is cut when it would get too
 * long; the run's name in it still makes it that run's.
 */
#include "format/file_names.h"

#include "base/number.h"
#include "base/unicode.h"

#include <stdio.h>
#include <string.h>

#define STEM_BYTES_MAX      160
#define TEMP_BASE_BYTES_MAX 170 /* + "." ".haul-" 63 ".part" <= 255 */
#define PART_MIDDLE         "_part_"
#define NUMBER_DIGITS_MIN   5
#define NUMBER_DIGITS_MAX   8
#define TEMP_MIDDLE         ".haul-"
#define TEMP_END            ".part"

static size_t length_without_slashes(const char *path)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    return length;
}

static size_t base_start(const char *path, size_t length)
{
    while (length > 0 && path[length - 1] != '/')
        length--;
    return length;
}

const char *name_folder(const char *path, struct arena *arena)
{
    size_t start = base_start(path, length_without_slashes(path));
    return start ? arena_text_n(arena, path, start) : arena_text(arena, "./");
}

static bool is_trimmed(char c)
{
    return strchr("-_. ", c) != NULL;
}

const char *name_table(const char *path, const struct format *format, struct arena *arena)
{
    size_t end = length_without_slashes(path);
    size_t start = base_start(path, end);
    const char *base = path + start;
    size_t length = end - start;
    for (const char *const *suffix = format->suffixes; *suffix; suffix++) {
        size_t bytes = strlen(*suffix);
        if (length > bytes && strncasecmp(base + length - bytes, *suffix, bytes) == 0) {
            length -= bytes;
            break;
        }
    }
    size_t literal = strcspn(base, "*?[");
    if (literal < length)
        length = literal;
    while (length > 0 && is_trimmed(base[length - 1]))
        length--;
    while (length > 0 && *base == '.') {
        base++;
        length--;
    }
    return length > 0 ? arena_text_n(arena, base, length) : arena_text(arena, "data");
}

static bool is_unsafe(unsigned char c, bool first)
{
    return c < 0x20 || c == 0x7f || (first && (c == '.' || c == '-')) ||
           strchr(" %/\\:*?\"'<>|[]&;$`!~#{}", c) != NULL;
}

/* Returns the place after what was written; never beyond `end`. */
static char *stem_put(char *out, const char *end, const char *text)
{
    const char *from = out;
    for (; *text && end - out > 3; text++) {
        unsigned char c = (unsigned char)*text;
        if (is_unsafe(c, out == from))
            out += snprintf(out, 4, "%%%02X", c);
        else
            *out++ = (char)c;
    }
    return out;
}

enum haul_code name_stem(const char *schema, const char *table, struct arena *arena, const char **stem,
                         struct haul_error *err)
{
    char text[STEM_BYTES_MAX + 8];
    const char *end = text + sizeof text - 1;
    char *out = text;
    if (schema && schema[0]) {
        out = stem_put(out, end, schema);
        if (out < end)
            *out++ = '_';
    }
    out = stem_put(out, end, table);
    *out = '\0';
    if (out - text > STEM_BYTES_MAX)
        return error_set(
            err, HAUL_UNSUPPORTED,
            "table %.40s...: the name is too long for names of files; give a shorter one with --target-table",
            table);
    *stem = arena_text(arena, text);
    return *stem ? HAUL_OK : error_nomem(err, "a file name");
}

const char *name_part(const char *stem, uint64_t number, const char *suffix, struct arena *arena)
{
    return arena_printf(arena, "%s" PART_MIDDLE "%05llu%s", stem, (unsigned long long)number, suffix);
}

bool name_part_number(const char *name, size_t length, const char *stem, const char *suffix, uint64_t *number)
{
    size_t head = strlen(stem), middle = sizeof PART_MIDDLE - 1, tail = strlen(suffix);
    if (length < head + middle + NUMBER_DIGITS_MIN + tail)
        return false;
    const char *digits = name + head + middle;
    size_t count = length - head - middle - tail;
    return memcmp(name, stem, head) == 0 && memcmp(name + head, PART_MIDDLE, middle) == 0 &&
           memcmp(digits + count, suffix, tail) == 0 && count <= NUMBER_DIGITS_MAX &&
           strspn(digits, "0123456789") >= count && number_parse_u64(digits, count, number);
}

const char *name_temp(const char *path, const char *run, struct arena *arena)
{
    size_t end = length_without_slashes(path);
    size_t start = base_start(path, end);
    size_t bytes = unicode_cut((const uint8_t *)path + start, end - start, TEMP_BASE_BYTES_MAX);
    return arena_printf(arena, "%.*s.%.*s" TEMP_MIDDLE "%s" TEMP_END, (int)start, path, (int)bytes,
                        path + start, run);
}

/* Where ".haul-" begins: before `run` when the name is of this run, else the last one. */
static const char *temp_middle(const char *name, size_t length, const char *run, bool *own)
{
    const size_t end_bytes = sizeof TEMP_END - 1, middle_bytes = sizeof TEMP_MIDDLE - 1;
    size_t tail = middle_bytes + strlen(run) + end_bytes;
    *own = false;
    if (length > tail && strncmp(name + length - tail, TEMP_MIDDLE, middle_bytes) == 0 &&
        strncmp(name + length - tail + middle_bytes, run, strlen(run)) == 0) {
        *own = true;
        return name + length - tail;
    }
    const char *middle = NULL;
    for (const char *at = strstr(name, TEMP_MIDDLE); at; at = strstr(at + 1, TEMP_MIDDLE))
        middle = at;
    return middle;
}

size_t name_temp_base(const char *name, const char *run, bool *own)
{
    size_t length = strlen(name);
    const size_t end_bytes = sizeof TEMP_END - 1;
    *own = false;
    if (name[0] != '.' || length <= end_bytes || strcmp(name + length - end_bytes, TEMP_END) != 0)
        return 0;
    const char *middle = temp_middle(name, length, run, own);
    return middle && middle > name ? (size_t)(middle - name) - 1 : 0;
}
