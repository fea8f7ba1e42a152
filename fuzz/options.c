/*
 * options: any command line, one word a line.
 *
 * It is taken or refused with a sentence; what was taken can be asked for, and
 * the names of both sides are judged by the registry. Nothing is run.
 */
#include "fuzz.h"

#include "cli.h"
#include "format/codec.h"
#include "job.h"
#include "registry.h"

#define WORDS_MAX 64

static const struct command kinds[] = {
    {.name = "copy", .bit = HAUL_FOR_COPY, .usage = "haul copy SOURCE TARGET"},
    {.name = "list", .bit = HAUL_FOR_LIST, .usage = "haul list SOURCE"},
    {.name = "inspect", .bit = HAUL_FOR_INSPECT, .usage = "haul inspect SOURCE"},
    {.name = "verify", .bit = HAUL_FOR_VERIFY, .usage = "haul verify SOURCE TARGET"},
    {.name = "combine", .bit = HAUL_FOR_COMBINE, .usage = "haul combine FILE..."},
    {.name = "ping", .bit = HAUL_FOR_PING, .usage = "haul ping CONNECTION"},
    {.name = "export", .bit = HAUL_FOR_EXPORT, .usage = "haul export"},
    {.name = "import", .bit = HAUL_FOR_IMPORT, .usage = "haul import MANIFEST"},
};

static void ask(struct haul_job *job)
{
    const struct settings *settings = &job->settings;
    for (size_t i = 0; i < settings->count; i++) {
        const struct haul_option *option = &settings->table[i];
        if (option->kind == HAUL_OPTION_FLAG)
            (void)settings_flag(settings, option->name);
        else if (option->kind == HAUL_OPTION_NUMBER || option->kind == HAUL_OPTION_SIZE)
            (void)settings_number(settings, option->name);
        else if (option->kind == HAUL_OPTION_CHOICE)
            must(!option->preset || settings_text(settings, option->name));
    }
}

static void judge(struct haul_job *job, const char *side)
{
    const char *name = settings_text(&job->settings, side);
    struct haul_error err = {0};
    bool database = false;
    if (name)
        must_be_told(registry_is_database(name, &database, &err), &err);
    err = (struct haul_error){0};
    enum codec_id codec;
    int level;
    const char *compression = settings_text(&job->settings, "compression");
    if (compression)
        must_be_told(codec_parse(compression, &codec, &level, &err), &err);
}

static int cut_words(char *text, char **words)
{
    int count = 0;
    for (char *line = text; line && count < WORDS_MAX; count++) {
        char *end = strchr(line, '\n');
        if (end)
            *end++ = 0;
        words[count] = line;
        line = end;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct food food = {data, length};
    const struct command *command = &kinds[food_byte(&food) % (sizeof kinds / sizeof kinds[0])];
    struct buffer text = food_rest(&food);
    struct haul_error err = {0};
    struct haul_job *job = NULL;
    char *words[WORDS_MAX];
    bool help = false;
    must(!buffer_append(&text, "", 1, &err));
    int count = cut_words((char *)text.data, words);
    must(!haul_job_new(&job, &err));
    enum haul_code code = options_parse(command, job, count, words, &help, &err);
    must_be_told(code, &err);
    must(code == HAUL_OK || code == HAUL_USAGE);
    ask(job);
    judge(job, "source");
    judge(job, "target");
    haul_job_free(job);
    buffer_release(&text);
    return 0;
}
