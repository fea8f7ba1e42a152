/*
 * settings.c: a job's options as the rooms below see them.
 *
 * Values are kept as the text the user gave, in an arena, one slot for each row
 * of the option table; their kind is checked once, when they are set, so that
 * the getters cannot fail. Asking for a name the table does not have is a
 * mistake of ours and asserts. Presets come from the table and are not checked:
 * one that is not of its kind reads as absent.
 */
#include "base/settings.h"
#include "base/number.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NEAR_NAMES     3
#define NEAR_DISTANCE  2
#define WORD_BYTES_MAX 64 /* longer words have no near ones */
#define NAMES_BYTES    256

enum haul_code settings_init(struct settings *settings, const struct haul_option *table, size_t count,
                             struct haul_error *err)
{
    *settings = (struct settings){.table = table, .count = count};
    settings->values = arena_alloc_array(&settings->arena, count, sizeof *settings->values);
    return settings->values ? HAUL_OK : error_nomem(err, "the options");
}

/* A value may hold a password. */
void settings_release(struct settings *settings)
{
    for (size_t row = 0; row < settings->count; row++)
        if (settings->values && settings->values[row])
            explicit_bzero(settings->values[row], strlen(settings->values[row]));
    arena_release(&settings->arena);
    *settings = (struct settings){0};
}

/* The row of `name`, or settings->count. */
static size_t row_find(const struct settings *settings, const char *name)
{
    size_t row = 0;
    while (row < settings->count && strcmp(settings->table[row].name, name) != 0)
        row++;
    return row;
}

static enum haul_code error_unknown(const struct settings *settings, const char *name, struct haul_error *err)
{
    struct arena arena = {0};
    char near[NAMES_BYTES] = "";
    const char **names = arena_alloc_array(&arena, settings->count, sizeof *names);
    if (names) {
        for (size_t row = 0; row < settings->count; row++)
            names[row] = settings->table[row].name;
        settings_near(name, names, settings->count, near, sizeof near);
    }
    arena_release(&arena);
    if (near[0])
        return error_set(err, HAUL_USAGE, "there is no option \"%.100s\"; near ones: %s", name, near);
    return error_set(err, HAUL_USAGE, "there is no option \"%.100s\"; haul --help lists them", name);
}

/* 1 true, 0 false, -1 neither. */
static int flag_parse(const char *value)
{
    static const char *const words[] = {"false", "true", "no", "yes", "0", "1"};
    for (int i = 0; i < 6; i++)
        if (strcasecmp(value, words[i]) == 0)
            return i & 1;
    return -1;
}

static bool choice_has(const char *choices, const char *value)
{
    size_t length = strlen(value);
    for (const char *at = choices; at; at = strchr(at, '|')) {
        at += *at == '|';
        size_t word = strcspn(at, "|");
        if (word == length && memcmp(at, value, length) == 0)
            return true;
    }
    return false;
}

static enum haul_code value_check(const struct haul_option *option, const char *value, struct haul_error *err)
{
    int64_t number;
    const char *name = option->name;
    switch (option->kind) {
    case HAUL_OPTION_FLAG:
        if (flag_parse(value) >= 0)
            return HAUL_OK;
        return error_set(err, HAUL_USAGE, "--%s is true or false, not \"%.100s\"", name, value);
    case HAUL_OPTION_NUMBER:
        if (number_parse_i64(value, strlen(value), &number))
            return HAUL_OK;
        return error_set(err, HAUL_USAGE, "--%s is a whole number, not \"%.100s\"", name, value);
    case HAUL_OPTION_SIZE:
        if (settings_parse_size(value, &number, err))
            return error_prefix(err, "--%s", name);
        return HAUL_OK;
    case HAUL_OPTION_CHOICE:
        if (choice_has(option->values, value))
            return HAUL_OK;
        return error_set(err, HAUL_USAGE, "--%s is one of %s, not \"%.100s\"", name, option->values, value);
    case HAUL_OPTION_TEXT:
    case HAUL_OPTION_PATH:
        return HAUL_OK;
    }
    return error_set(err, HAUL_INTERNAL, "option %s has no kind", name);
}

enum haul_code settings_set(struct settings *settings, const char *name, const char *value,
                            struct haul_error *err)
{
    size_t row = row_find(settings, name);
    if (row == settings->count)
        return error_unknown(settings, name, err);
    if (!value)
        return error_set(err, HAUL_USAGE, "--%s needs a value", name);
    enum haul_code code = value_check(&settings->table[row], value, err);
    if (code)
        return code;
    char *copy = arena_text(&settings->arena, value);
    if (!copy)
        return error_nomem(err, "an option");
    settings->values[row] = copy;
    return HAUL_OK;
}

void settings_clear(struct settings *settings, const char *name)
{
    size_t row = row_find(settings, name);
    assert(row < settings->count);
    settings->values[row] = NULL;
}

bool settings_given(const struct settings *settings, const char *name)
{
    size_t row = row_find(settings, name);
    assert(row < settings->count);
    return settings->values[row] != NULL;
}

const char *settings_text(const struct settings *settings, const char *name)
{
    size_t row = row_find(settings, name);
    assert(row < settings->count);
    return settings->values[row] ? settings->values[row] : settings->table[row].preset;
}

int64_t settings_number(const struct settings *settings, const char *name)
{
    const char *text = settings_text(settings, name);
    enum haul_option_kind kind = settings->table[row_find(settings, name)].kind;
    assert(kind == HAUL_OPTION_NUMBER || kind == HAUL_OPTION_SIZE);
    int64_t number = -1;
    if (!text)
        return -1;
    struct haul_error ignored = {0};
    if (kind == HAUL_OPTION_SIZE)
        return settings_parse_size(text, &number, &ignored) ? -1 : number;
    return number_parse_i64(text, strlen(text), &number) ? number : -1;
}

bool settings_flag(const struct settings *settings, const char *name)
{
    const char *text = settings_text(settings, name);
    return text && flag_parse(text) == 1;
}

struct size_unit {
    const char *name;
    int64_t bytes;
};

/* A letter alone means the binary unit, as in most tools; "KB" is what it says. */
static const struct size_unit size_units[] = {
    {"", 1},
    {"B", 1},
    {"K", (int64_t)1 << 10},
    {"KiB", (int64_t)1 << 10},
    {"KB", 1000},
    {"M", (int64_t)1 << 20},
    {"MiB", (int64_t)1 << 20},
    {"MB", 1000000},
    {"G", (int64_t)1 << 30},
    {"GiB", (int64_t)1 << 30},
    {"GB", 1000000000},
    {"T", (int64_t)1 << 40},
    {"TiB", (int64_t)1 << 40},
    {"TB", 1000000000000},
};

enum haul_code settings_parse_size(const char *text, int64_t *bytes, struct haul_error *err)
{
    size_t digits = strspn(text, "0123456789");
    int64_t count;
    if (digits > 0 && number_parse_i64(text, digits, &count)) {
        for (size_t i = 0; i < sizeof size_units / sizeof size_units[0]; i++)
            if (strcasecmp(text + digits, size_units[i].name) == 0 &&
                !__builtin_mul_overflow(count, size_units[i].bytes, bytes))
                return HAUL_OK;
    }
    return error_set(err, HAUL_USAGE,
                     "a size is a whole number of bytes or of KiB, MiB, GiB, TiB, not \"%.100s\"", text);
}

static char lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Edits (insert, delete, replace, swap neighbours) between two words, ignoring
 * case: Damerau-Levenshtein in its "optimal string alignment" form. */
static int word_distance(const char *a, const char *b)
{
    size_t a_length = strlen(a), b_length = strlen(b);
    if (a_length > WORD_BYTES_MAX || b_length > WORD_BYTES_MAX)
        return WORD_BYTES_MAX;
    int rows[3][WORD_BYTES_MAX + 1];
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = (int)j;
    for (size_t i = 1; i <= a_length; i++) {
        int *now = rows[i % 3], *before = rows[(i - 1) % 3], *earlier = rows[(i + 1) % 3];
        now[0] = (int)i;
        for (size_t j = 1; j <= b_length; j++) {
            int change = before[j - 1] + (lower(a[i - 1]) != lower(b[j - 1]));
            now[j] = least(change, least(before[j], now[j - 1]) + 1);
            bool swapped =
                i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
            if (swapped)
                now[j] = least(now[j], earlier[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

/* 0 is nearest; anything above NEAR_DISTANCE + 1 is not near. */
static int word_rank(const char *word, const char *name)
{
    size_t length = strlen(word);
    int distance = word_distance(word, name);
    if (distance <= NEAR_DISTANCE && (size_t)distance < length && (size_t)distance < strlen(name))
        return distance;
    bool prefix = length > 0 && strncasecmp(word, name, length) == 0;
    return prefix ? NEAR_DISTANCE + 1 : NEAR_DISTANCE + 2;
}

void settings_near(const char *word, const char *const *names, size_t count, char *out, size_t out_bytes)
{
    size_t end = 0, found = 0;
    out[0] = '\0';
    for (int rank = 0; rank <= NEAR_DISTANCE + 1; rank++) {
        for (size_t i = 0; i < count && found < NEAR_NAMES; i++) {
            if (word_rank(word, names[i]) != rank)
                continue;
            int length = snprintf(out + end, out_bytes - end, "%s%s", found ? ", " : "", names[i]);
            if (length < 0 || (size_t)length >= out_bytes - end) {
                out[end] = '\0';
                return;
            }
            end += (size_t)length;
            found++;
        }
    }
}
