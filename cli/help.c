/*
 * help.c: help, version, completion and manual page, all made from the command
 * table and the library's option table, so that none of them can be out of date.
 */
#include "cli.h"
#include <string.h>

static const char about[] = "haul moves tables between databases and files, exactly.\n"
                            "\n"
                            "  haul copy postgresql://me@db/shop orders.parquet --table public.orders\n"
                            "  haul copy orders.csv orders.parquet\n"
                            "  haul copy 'part-*.parquet' sqlite:///copy.db --table orders --mode replace\n"
                            "  haul inspect orders.parquet --head 5\n"
                            "  haul verify sqlite:///shop.db orders.parquet --table orders\n"
                            "\n";

static const char exits[] =
    "Exit codes: 0 done; 1 failed; 2 usage; 3 done, with rows set aside; 4 integrity;\n"
    "5 source failed; 6 target failed; 75 run the same command again.\n";

int print_version(void)
{
    char line[256];
    printf("haul %s\n", haul_version());
    for (size_t i = 0; haul_feature(i, line, sizeof line); i++)
        printf("  %s\n", line);
    return print_out("");
}

/* The letter counts when no row before has it. */
static bool letter_counts(const struct haul_option *option, unsigned bit)
{
    return option->letter && haul_option_letter(option->letter, bit) == option;
}

static void print_option(const struct haul_option *option, unsigned bit)
{
    char left[160], letter[8] = "    ";
    const char *also = option->also && option->also[1] ? option->also : NULL;
    if (letter_counts(option, bit))
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(left, sizeof left, "%s--%s%s%.*s%s%s", letter, option->name, also ? ", --" : "",
             also ? (int)strcspn(also, " ") : 0, also ? also : "", option->values ? " " : "",
             option->values ? option->values : "");
    printf(strlen(left) > 30 ? "  %s\n%32s  %s" : "  %-30s%s  %s", left, "", option->help);
    if (option->preset && option->kind != HAUL_OPTION_FLAG)
        printf(" [%s]", option->preset);
    printf("\n");
}

static void print_options(unsigned bit)
{
    size_t count;
    const struct haul_option *table = haul_options(&count);
    const char *group = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!table[i].group || !(table[i].commands & bit))
            continue;
        if (!group || strcmp(group, table[i].group) != 0)
            printf("\n%s\n", table[i].group);
        group = table[i].group;
        print_option(&table[i], bit);
    }
}

int print_help(const struct command *command)
{
    if (command) {
        printf("%s\n%s.\n\n%s", command->usage, command->summary, command->examples);
        print_options(command->bit);
        return print_out("");
    }
    printf("%sCommands\n", about);
    for (size_t i = 0; i < command_count; i++)
        printf("  %-12s%s\n", commands[i].name, commands[i].summary);
    printf("\nhaul help COMMAND shows its options; haul --version what this build can do.\n%s", exits);
    return print_out("");
}

int run_help(const struct command *command, int count, char **words)
{
    (void)command;
    if (count == 0 || words[0][0] == '-')
        return print_help(NULL);
    const struct command *about_command = command_find(words[0]);
    if (about_command)
        return print_help(about_command);
    fprintf(stderr, "haul: there is no command \"");
    print_clean(stderr, words[0]);
    fprintf(stderr, "\"; haul help shows them\n");
    return 2;
}

/* ---- completion ---- */

static void print_words(unsigned bit)
{
    size_t count;
    const struct haul_option *table = haul_options(&count);
    for (size_t i = 0; i < count; i++)
        if (table[i].group && (table[i].commands & bit))
            printf(" --%s", table[i].name);
}

static void complete_bash(void)
{
    printf("_haul() {\n"
           "    local word=\"${COMP_WORDS[COMP_CWORD]}\" before=\"${COMP_WORDS[COMP_CWORD-1]}\" words=\"\"\n"
           "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        words=\"");
    for (size_t i = 0; i < command_count; i++)
        printf("%s%s", i ? " " : "", commands[i].name);
    printf(" --version --help\"\n    else\n        case \"$before\" in\n");
    size_t count;
    const struct haul_option *table = haul_options(&count);
    for (size_t i = 0; i < count; i++) {
        if (!table[i].group || table[i].kind != HAUL_OPTION_CHOICE)
            continue;
        printf("        --%s) COMPREPLY=($(compgen -W \"", table[i].name);
        for (const char *p = table[i].values; *p; p++)
            putchar(*p == '|' ? ' ' : *p);
        printf("\" -- \"$word\")); return ;;\n");
    }
    printf("        esac\n        case \"${COMP_WORDS[1]}\" in\n");
    for (size_t i = 0; i < command_count; i++) {
        if (!commands[i].bit)
            continue;
        printf("        %s) words=\"", commands[i].name);
        print_words(commands[i].bit);
        printf("\" ;;\n");
    }
    printf("        esac\n    fi\n"
           "    case \"$word\" in\n"
           "    -*) COMPREPLY=($(compgen -W \"$words\" -- \"$word\")) ;;\n"
           "    *) [ \"$COMP_CWORD\" -eq 1 ] && COMPREPLY=($(compgen -W \"$words\" -- \"$word\")) ;;\n"
           "    esac\n}\ncomplete -o default -F _haul haul\n");
}

static void complete_zsh(void)
{
    printf("#compdef haul\n_haul() {\n    if (( CURRENT == 2 )); then\n        local -a names=(");
    for (size_t i = 0; i < command_count; i++)
        printf(" '%s:%s'", commands[i].name, commands[i].summary);
    printf(")\n        _describe command names\n        return\n    fi\n    case \"$words[2]\" in\n");
    for (size_t i = 0; i < command_count; i++) {
        if (!commands[i].bit)
            continue;
        printf("    %s) if [[ \"$words[CURRENT]\" == -* ]]; then compadd --", commands[i].name);
        print_words(commands[i].bit);
        printf("; else _files; fi ;;\n");
    }
    printf("    *) _files ;;\n    esac\n}\n_haul \"$@\"\n");
}

int run_completion(const struct command *command, int count, char **words)
{
    if (count == 1 && strcmp(words[0], "bash") == 0)
        complete_bash();
    else if (count == 1 && strcmp(words[0], "zsh") == 0)
        complete_zsh();
    else {
        fprintf(stderr, "haul: %s\n", command->usage);
        return 2;
    }
    return print_out("");
}

/* ---- manual page ---- */

/* troff: a backslash and a leading dot or quote would be commands. */
static void print_troff(const char *text)
{
    bool line_start = true;
    for (const char *p = text; *p; p++) {
        if (line_start && (*p == '.' || *p == '\''))
            printf("\\&");
        printf(*p == '\\' ? "\\e" : *p == '-' ? "\\-" : "%c", *p);
        line_start = *p == '\n';
    }
}

static void man_command(const struct command *command)
{
    size_t count;
    const struct haul_option *table = haul_options(&count);
    printf(".SH HAUL %s\n.B ", command->name);
    print_troff(command->usage);
    printf("\n.PP\n");
    print_troff(command->summary);
    printf(".\n.PP\n.nf\n");
    print_troff(command->examples);
    printf(".fi\n");
    for (size_t i = 0; i < count; i++) {
        if (!table[i].group || !(table[i].commands & command->bit))
            continue;
        printf(".TP\n.B \\-\\-");
        print_troff(table[i].name);
        if (table[i].values) {
            printf(" ");
            print_troff(table[i].values);
        }
        printf("\n");
        print_troff(table[i].help);
        printf(table[i].preset && table[i].kind != HAUL_OPTION_FLAG ? " (default %s).\n" : ".\n",
               table[i].preset);
    }
}

int run_man(const struct command *command, int count, char **words)
{
    (void)command;
    (void)count;
    (void)words;
    printf(
        ".TH HAUL 1 \"\" \"haul %s\"\n.SH NAME\nhaul \\- move tables between databases and files, exactly\n"
        ".SH SYNOPSIS\n.B haul\nCOMMAND [arguments]\n.SH DESCRIPTION\n.nf\n",
        haul_version());
    print_troff(about);
    printf(".fi\n");
    for (size_t i = 0; i < command_count; i++)
        man_command(&commands[i]);
    printf(".SH EXIT STATUS\n");
    print_troff(exits);
    return print_out("");
}
