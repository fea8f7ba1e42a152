/*
 * options.c: the command line into a job, by the library's option table:
 * --name value, --name=value, -x value, -xvalue, --flag, --no-flag, and the
 * positional SOURCE and TARGET. "--" ends the options; "-" is a positional.
 */
#include "cli.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct words {
    int count, at;
    char **text;
    char *list; /* combine's sources, one a line; malloc'ed */
    size_t list_length;
};

struct given { /* one option as it stands on the command line */
    const struct haul_option *option;
    const char *value;
};

static enum haul_code usage(struct haul_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static enum haul_code usage(struct haul_error *err, const char *format, ...)
{
    va_list args;
    memset(err, 0, sizeof *err);
    err->code = HAUL_USAGE;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    return HAUL_USAGE;
}

static enum haul_code value_of(struct words *words, const char *attached, struct given *given,
                               struct haul_error *err)
{
    if (given->option->kind == HAUL_OPTION_FLAG)
        given->value = attached ? attached : "true";
    else if (attached)
        given->value = attached;
    else if (words->at + 1 < words->count)
        given->value = words->text[++words->at];
    else
        return usage(err, "--%s needs a value: %s", given->option->name, given->option->values);
    return HAUL_OK;
}

/* The option of a name among the command's; *opposite: it stands as --no-NAME. */
static const struct haul_option *find_long(const struct command *command, const char *name, size_t length,
                                           bool *opposite)
{
    const struct haul_option *option = haul_option_find(name, length, command->bit);
    *opposite = false;
    if (option || strncmp(name, "no-", 3) != 0)
        return option && option->group ? option : NULL;
    option = haul_option_find(name + 3, length - 3, command->bit);
    *opposite = option && option->group && option->kind == HAUL_OPTION_FLAG;
    return *opposite ? option : NULL;
}

static enum haul_code parse_long(const struct command *command, struct haul_job *job, struct words *words,
                                 struct given *given, struct haul_error *err)
{
    const char *name = words->text[words->at] + 2, *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    bool opposite;
    char text[64];
    given->option = find_long(command, name, length, &opposite);
    given->value = "false";
    if (opposite)
        return HAUL_OK;
    if (given->option)
        return value_of(words, equals ? equals + 1 : NULL, given, err);
    snprintf(text, sizeof text, "%.*s", (int)(length < 63 ? length : 63), name);
    if (haul_option_find(name, length, 0))
        return usage(err, "--%s is not an option of haul %s; see haul help %s", text, command->name,
                     command->name);
    /* the library knows the near names */
    return haul_job_set(job, text, "", err) ? err->code : usage(err, "there is no option --%s", text);
}

static enum haul_code parse_letter(const struct command *command, struct words *words, struct given *given,
                                   struct haul_error *err)
{
    const char *word = words->text[words->at];
    given->option = haul_option_letter(word[1], command->bit);
    if (!given->option && word[1] == 'U' && haul_option_letter('u', command->bit))
        return usage(err, "there is no option -U for haul %s: user is -u, password is -p", command->name);
    if (!given->option)
        return usage(err, "there is no option -%c for haul %s; see haul help %s", word[1], command->name,
                     command->name);
    if (word[2] && given->option->kind == HAUL_OPTION_FLAG)
        return usage(err, "%s: -%c takes no value; write options apart", word, word[1]);
    return value_of(words, word[2] ? word + 2 : NULL, given, err);
}

/* The names of the positional arguments that a command takes. */
static const char *place_name(const struct command *command, int index)
{
    static const char *const names[] = {"source", "target"};
    int places = command->bit & (HAUL_FOR_COPY | HAUL_FOR_VERIFY) ? 2
                 : command->bit == HAUL_FOR_EXPORT                ? 0 /* it is all in options */
                                                                  : 1;               /* of combine each is a source */
    return index < places ? names[index] : NULL;
}

static enum haul_code list_add(struct words *words, const char *word, struct haul_error *err)
{
    size_t length = strlen(word);
    char *list = realloc(words->list, words->list_length + length + 2);
    if (!list)
        return usage(err, "too many files were named");
    words->list = list;
    if (words->list_length > 0)
        list[words->list_length++] = '\n';
    memcpy(list + words->list_length, word, length + 1);
    words->list_length += length;
    return strchr(word, '\n') ? usage(err, "a file whose name has a line break cannot be combined; rename it")
                              : HAUL_OK;
}

static enum haul_code positional(const struct command *command, struct haul_job *job, const char *word,
                                 int index, struct haul_error *err)
{
    const char *name = place_name(command, index);
    if (!name)
        return usage(err,
                     "\"%s\" is one name too many: %s; if the shell turned a pattern into names, quote it: "
                     "'part-*.parquet'",
                     word, command->usage);
    return haul_job_set(job, name, word, err);
}

static enum haul_code check_places(const struct command *command, int given, struct haul_error *err)
{
    const char *missing = place_name(command, given);
    if (missing)
        return usage(err, "no %s was given: %s; see haul help %s", missing, command->usage, command->name);
    return HAUL_OK;
}

static enum haul_code words_parse(const struct command *command, struct haul_job *job, struct words *words,
                                  bool *help, struct haul_error *err)
{
    bool only_places = false;
    int places = 0;
    *help = false;
    for (; words->at < words->count; words->at++) {
        const char *word = words->text[words->at];
        struct given given = {0};
        enum haul_code code = HAUL_OK;
        if (!only_places && strcmp(word, "--") == 0) {
            only_places = true;
            continue;
        }
        if (!only_places &&
            (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "-?") == 0)) {
            *help = true;
            return HAUL_OK;
        }
        bool place = only_places || word[0] != '-' || !word[1];
        places += place;
        if (place && command->bit == HAUL_FOR_COMBINE)
            code = list_add(words, word, err);
        else if (place)
            code = positional(command, job, word, places - 1, err);
        else if (word[1] == '-')
            code = parse_long(command, job, words, &given, err);
        else
            code = parse_letter(command, words, &given, err);
        if (code == HAUL_OK && given.option)
            code = haul_job_set(job, given.option->name, given.value, err);
        if (code)
            return code;
    }
    if (words->list && haul_job_set(job, "source", words->list, err))
        return err->code;
    return check_places(command, places, err);
}

enum haul_code options_parse(const struct command *command, struct haul_job *job, int count, char **text,
                             bool *help, struct haul_error *err)
{
    struct words words = {.count = count, .text = text};
    enum haul_code code = words_parse(command, job, &words, help, err);
    free(words.list);
    return code;
}
