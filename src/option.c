/*
 * option.c: the one table of options. The parser, the help, the man page, the
 * shell completion and libhaul's haul_job_set are all made from it. A room
 * below reads its values through base/settings.h under the same names.
 */
#include "haul.h"

#define COPY    HAUL_FOR_COPY
#define LIST    HAUL_FOR_LIST
#define INSPECT HAUL_FOR_INSPECT
#define VERIFY  HAUL_FOR_VERIFY
#define COMBINE HAUL_FOR_COMBINE
#define PING    HAUL_FOR_PING
#define ALL     (COPY | LIST | INSPECT | VERIFY | COMBINE | PING)
#define SERVERS (COPY | LIST | VERIFY | PING) /* what may log in somewhere */
#define WRITE   (COPY | COMBINE)
#define TEXTUAL (COPY | LIST | INSPECT | VERIFY) /* what CSV is read and written by */

#define FLAG   HAUL_OPTION_FLAG
#define NUMBER HAUL_OPTION_NUMBER
#define SIZE   HAUL_OPTION_SIZE
#define TEXT   HAUL_OPTION_TEXT
#define CHOICE HAUL_OPTION_CHOICE
#define PATH   HAUL_OPTION_PATH

static const struct haul_option table[] = {
    {"source", 0, TEXT, ALL, NULL, "SOURCE", NULL,
     "what is read: a file, a pattern, a folder, -, or a database"},
    {"target", 0, TEXT, WRITE | VERIFY, NULL, "TARGET", NULL,
     "what is written: a file, a folder/, -, or a database"},
    {"combine", 0, FLAG, WRITE, NULL, NULL, "false", "keep the source's row groups as they are"},

    {"table", 't', TEXT, COPY | INSPECT | VERIFY | PING, "What", "NAME", NULL,
     "the table, when one side is a database"},
    {"source-table", 0, TEXT, COPY | VERIFY, "What", "NAME", NULL,
     "the source's table, when both sides are databases"},
    {"target-table", 0, TEXT, COPY | VERIFY, "What", "NAME", NULL,
     "the target's table, when both sides are databases"},
    {"query", 'Q', TEXT, COPY | VERIFY, "What", "SQL", NULL,
     "read the rows of this query instead of a table"},
    {"where", 0, TEXT, COPY | VERIFY, "What", "SQL", NULL,
     "only rows that meet this condition (SQL sources)"},
    {"columns", 'C', TEXT, COPY | VERIFY, "What", "A,B,...", NULL, "only these columns, in this order"},
    {"limit", 0, NUMBER, COPY, "What", "N", NULL, "at most N rows"},
    {"schema", 0, TEXT, COPY | INSPECT | VERIFY, "What", "NAME:TYPE,...", NULL,
     "types of columns whose type the source does not say"},

    {"password-file", 0, PATH, SERVERS, "Login", "FILE", NULL, "the password is the one line of this file"},
    {"password-command", 0, TEXT, SERVERS, "Login", "COMMAND", NULL,
     "the password is the one line that this prints"},
    {"source-password-file", 0, PATH, COPY | VERIFY, "Login", "FILE", NULL,
     "the same for the source, when both sides are databases"},
    {"source-password-command", 0, TEXT, COPY | VERIFY, "Login", "COMMAND", NULL,
     "the same for the source, when both sides are databases"},
    {"target-password-file", 0, PATH, COPY | VERIFY, "Login", "FILE", NULL,
     "the same for the target, when both sides are databases"},
    {"target-password-command", 0, TEXT, COPY | VERIFY, "Login", "COMMAND", NULL,
     "the same for the target, when both sides are databases"},
    {"tls-ca", 0, PATH, SERVERS, "Login", "FILE", NULL,
     "certificates (PEM) of the authorities that vouch for the server"},
    {"trust-cert", 0, FLAG, SERVERS, "Login", NULL, "false",
     "take whatever certificate the server shows: not safe"},

    {"from", 0, TEXT, ALL & ~PING, "Format", "FORMAT", NULL, "the source's format, whatever its name says"},
    {"to", 0, TEXT, WRITE | VERIFY, "Format", "FORMAT", NULL, "the target's format, whatever its name says"},
    {"delimiter", 0, TEXT, TEXTUAL, "Format", "TEXT", NULL,
     "CSV: what separates fields; \\t is a tab (sniffed)"},
    {"quote", 0, TEXT, TEXTUAL, "Format", "CHAR", NULL, "CSV: the quote, or none (\")"},
    {"escape", 0, TEXT, TEXTUAL, "Format", "CHAR", NULL, "CSV: what escapes a quote (the quote doubled)"},
    {"header", 0, CHOICE, TEXTUAL, "Format", "yes|no|auto|match|skip", "auto",
     "CSV: does the first line hold the names"},
    {"null", 0, TEXT, TEXTUAL, "Format", "TEXT", NULL, "CSV: the unquoted text that means NULL (empty)"},
    {"charset", 0, TEXT, TEXTUAL, "Format", "NAME", NULL,
     "CSV: the source's encoding, such as utf-16le or windows-1252 (utf-8)"},
    {"comment", 0, TEXT, TEXTUAL, "Format", "CHAR", NULL, "CSV: lines that begin with it are left out"},
    {"skip-lines", 0, NUMBER, TEXTUAL, "Format", "N", NULL, "CSV: lines of the source to pass over first"},
    {"trim", 0, FLAG, TEXTUAL, "Format", NULL, "false", "CSV: leave out blanks around the source's fields"},
    {"compression", 0, TEXT, WRITE, "Format", "CODEC[:LEVEL]", "zstd",
     "Parquet: zstd, snappy, gzip, lz4, brotli or none"},
    {"rowgroup-size", 'R', TEXT, WRITE, "Format", "ROWS|BYTES", "1048576",
     "Parquet: rows of a row group, or bytes as 128MiB"},
    {"page-version", 0, CHOICE, WRITE, "Format", "1|2", "1", "Parquet: data page version"},
    {"encoding", 0, CHOICE, WRITE, "Format", "auto|plain|dictionary|delta|split", "auto",
     "Parquet: how values are encoded; auto measures"},
    {"timestamps", 0, CHOICE, COPY, "Format", "us|ns|exact", "us",
     "the unit of timestamps; exact keeps every digit and offset"},
    {"uuid", 0, CHOICE, COPY, "Format", "binary|text", "binary", "UUIDs as 16 bytes or as text"},

    {"output-file", 'o', PATH, COMBINE, "Target", "FILE", NULL, "what is written"},
    {"mode", 'm', CHOICE, WRITE, "Target", "create|append|truncate|replace", "create",
     "what may be there already"},
    {"files", 'f', NUMBER, COPY, "Target", "N", NULL, "a folder target: this many files"},
    {"unit-rows", 0, NUMBER, COPY, "Target", "N", "100000", "SQL targets: rows committed as one"},
    {"strict", 0, FLAG, COPY, "Target", NULL, "false", "any loss is an error, before anything is committed"},
    {"max-errors", 0, NUMBER, COPY, "Target", "N", "0",
     "rows that may be refused and set aside; -1 any number"},
    {"reject-file", 0, PATH, COPY, "Target", "FILE", NULL,
     "where refused rows go, with place, column and reason"},
    {"rejects-ok", 0, FLAG, COPY, "Target", NULL, "false", "exit 0, not 3, when rows were set aside"},
    {"verify", 0, FLAG, COPY, "Target", NULL, "false", "read the target again afterwards and compare"},

    {"workers", 'w', NUMBER, WRITE | VERIFY, "Run", "N", NULL,
     "threads; default the CPUs, at most 4, and one for each 48MiB of memory"},
    {"memory", 0, SIZE, WRITE | VERIFY, "Run", "SIZE", NULL,
     "budget for data; default 512MiB, at most a quarter of the machine"},
    {"dry-run", 'n', FLAG, WRITE, "Run", NULL, "false", "show the plan and do nothing"},
    {"run", 0, TEXT, WRITE, "Run", "NAME", NULL, "name of the run; a finished NAME is not done again"},
    {"restart", 0, FLAG, WRITE, "Run", NULL, "false", "discard an unfinished run and begin anew"},
    {"static-source", 0, FLAG, WRITE, "Run", NULL, "false",
     "promise: the source's rows do not change between attempts"},
    {"state", 0, PATH, WRITE, "Run", "DIR", NULL,
     "where plan and journal are kept; default beside the target"},
    {"ledger", 0, TEXT, COPY, "Run", "TABLE|none", NULL, "SQL targets: where committed units are noted"},
    {"retries", 'r', NUMBER, WRITE, "Run", "N", "3", "tries again of a unit after an error that may pass"},

    {"head", 0, NUMBER, INSPECT, "Show", "N", NULL, "print the first N rows"},
    {"verbose", 'v', FLAG, INSPECT, "Show", NULL, "false",
     "schema, encodings, sizes and statistics of each column"},
    {"json", 0, FLAG, ALL, "Show", NULL, "false", "print JSON"},
    {"summary", 0, PATH, WRITE, "Show", "FILE", NULL, "write one JSON object about the run at its end"},
    {"log", 0, CHOICE, WRITE | VERIFY, "Show", "text|json", "text",
     "how to tell of progress on standard error"},
    {"quiet", 'q', FLAG, ALL, "Show", NULL, "false", "tell nothing but errors"},
};

const struct haul_option *haul_options(size_t *count)
{
    *count = sizeof table / sizeof table[0];
    return table;
}
