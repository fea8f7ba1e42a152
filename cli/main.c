/*
 * main.c: finds the command and runs it. The table of commands is here.
 */
#include "cli.h"
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

const struct command commands[] = {
    {"copy", HAUL_FOR_COPY, "haul copy SOURCE TARGET [options]", "move a table from a source to a target",
     "  haul copy orders.csv orders.parquet\n"
     "  haul copy sqlite:///shop.db orders.parquet --table orders --workers 2\n"
     "  haul copy 'part-*.parquet' sqlite:///copy.db --table orders --mode replace\n"
     "  haul copy - out.parquet --from csv < orders.csv\n"
     "  haul copy orders.parquet - --to csv | head\n"
     "  haul copy big.csv big.parquet --max-errors 100 --reject-file bad.jsonl\n",
     run_copy},
    {"combine", HAUL_FOR_COMBINE, "haul combine FILE... --output-file FILE [options]",
     "put Parquet files together in one, without decoding them",
     "  haul combine a.parquet b.parquet --output-file all.parquet\n"
     "  haul combine 'part-*.parquet' -o all.parquet --mode replace\n"
     "  haul combine out/ -o all.parquet --rowgroup-size 1000000\n"
     "  haul combine out/dbo_Orders_manifest.json -o all.parquet\n"
     "  haul combine out/dbo_Orders_import_manifest.json -s db.example.com -d Sales -t Orders -u me\n",
     run_copy},
    {"ping", HAUL_FOR_PING, "haul ping CONNECTION [options]",
     "say what is at a connection, and what may be done there",
     "  haul ping postgresql://me@db.example.org/shop\n"
     "  haul ping prod: --table public.orders\n",
     run_ping},
    {"export", HAUL_FOR_EXPORT,
     "haul export --server HOST --database NAME --table NAME --output-path FOLDER [options]",
     "write a table of a server to Parquet files with a manifest",
     "  haul export -s db.example.com -d Sales -t Orders -o out/ -u me\n"
     "  haul export -s 'db\\INSTANCE' -d Sales -t Orders -o out/ -T -w 4 -f 8 -P OrderID\n"
     "  haul export -s postgresql://me@db/shop -t orders -o out/ -w 4 -f 4\n",
     run_copy},
    {"import", HAUL_FOR_IMPORT, "haul import MANIFEST --server HOST --database NAME --table NAME [options]",
     "append a manifest's Parquet files to a table of a server",
     "  haul import out/dbo_Orders_manifest.json -s db.example.com -d Sales -t Orders -u me\n"
     "  haul import out/dbo_Orders_manifest.json -s db.example.com -d Sales -t Orders -T -M file\n",
     run_copy},
    {"purge", HAUL_FOR_PURGE, "haul purge MANIFEST [options]",
     "remove the files or staging tables that a manifest lists, and the manifest",
     "  haul purge out/dbo_Orders_manifest.json --dry-run\n"
     "  haul purge out/dbo_Orders_import_manifest.json -s db.example.com -d Sales -u me --yes\n",
     run_purge},
    {"list", HAUL_FOR_LIST, "haul list SOURCE [options]",
     "show the tables of a database, or the files of a folder",
     "  haul list postgresql://me@db.example.org/shop\n"
     "  haul list sqlite:///shop.db\n"
     "  haul list 'out/'\n",
     run_list},
    {"inspect", HAUL_FOR_INSPECT, "haul inspect FILE [options]", "show what is inside a file",
     "  haul inspect orders.parquet\n"
     "  haul inspect orders.parquet -v --head 5\n"
     "  haul inspect orders.csv\n",
     run_inspect},
    {"verify", HAUL_FOR_VERIFY, "haul verify SOURCE TARGET [options]",
     "read both sides and compare their values",
     "  haul verify sqlite:///shop.db orders.parquet --table orders\n"
     "  haul verify orders.csv orders.parquet\n"
     "  haul verify out/orders_manifest.json orders.db     by the hash that was kept, without reading the "
     "files\n"
     "  haul verify run.json orders.db --table orders      the same, by what `haul copy --summary run.json` "
     "wrote\n",
     run_verify},
    {"bcp", 0, "haul bcp {TABLE | \"QUERY\"} {in|out|queryout|format} FILE [bcp's options]",
     "SQL Server's bulk copy program, in its own words (docs/bcp.md)",
     "  haul bcp Sales.dbo.Orders out orders.dat -S host -U sa -c\n"
     "  haul bcp Sales.dbo.Orders in orders.dat -S host -T -n -h TABLOCK -b 100000\n"
     "  haul bcp Sales.dbo.Orders format nul -f orders.xml -x -c -S host -U sa\n"
     "  haul bcp \"SELECT 1 AS a\" queryout one.parquet -S host -U sa\n",
     run_bcp},
    {"help", 0, "haul help [COMMAND]", "show how a command is used", "  haul help copy\n", run_help},
    {"completion", 0, "haul completion bash|zsh", "print a shell's completion script",
     "  haul completion bash > ~/.local/share/bash-completion/completions/haul\n", run_completion},
    {"man", 0, "haul man", "print the manual page (troff)", "  haul man | man -l -\n", run_man},
};
const size_t command_count = sizeof commands / sizeof commands[0];

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < command_count; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int unknown_command(const char *name)
{
    fprintf(stderr, "haul: there is no command \"");
    print_clean(stderr, name);
    fprintf(stderr, "\"; there are:");
    for (size_t i = 0; i < command_count; i++)
        fprintf(stderr, " %s", commands[i].name);
    fprintf(stderr, "\n");
    return 2;
}

static int run(int count, char **words)
{
    if (count < 1)
        return print_help(NULL);
    if (strcmp(words[0], "--version") == 0 || strcmp(words[0], "-V") == 0)
        return print_version();
    if (strcmp(words[0], "--help") == 0 || strcmp(words[0], "-h") == 0)
        return print_help(NULL);
    const struct command *command = command_find(words[0]);
    return command ? command->run(command, count - 1, words + 1) : unknown_command(words[0]);
}

int main(int argc, char **argv)
{
    struct rlimit no_core = {0, 0};
    int count = argc > 0 ? argc - 1 : 0;
    char **words = words_take(count, argv + 1);
    signal(SIGPIPE, SIG_IGN);         /* a closed pipe is an error we can tell */
    setrlimit(RLIMIT_CORE, &no_core); /* rows and secrets stay out of core files */
    if (!words) {
        fprintf(stderr, "haul: there is no memory for the command's own words\n");
        return 1;
    }
    const char *name = argc > 0 && strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1
                       : argc > 0                        ? argv[0]
                                                         : "";
    int status = strcmp(name, "bcp") == 0 ? run_bcp(command_find("bcp"), count, words) : run(count, words);
    words_wipe(count, words);
    return status;
}
