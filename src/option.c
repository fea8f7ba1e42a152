/*
 * option.c: the one table of options. The parser, the help, the man page, the
 * shell completion and libhaul's haul_job_set are all made from it. A room
 * below reads its values through base/settings.h under the same names.
 */
#include "haul.h"
#include <string.h>

#define COPY    HAUL_FOR_COPY
#define LIST    HAUL_FOR_LIST
#define INSPECT HAUL_FOR_INSPECT
#define VERIFY  HAUL_FOR_VERIFY
#define COMBINE HAUL_FOR_COMBINE
#define PING    HAUL_FOR_PING
#define EXPORT  HAUL_FOR_EXPORT
#define IMPORT  HAUL_FOR_IMPORT
#define PURGE   HAUL_FOR_PURGE
#define BCP     HAUL_FOR_BCP
#define MOVE    (COPY | EXPORT | IMPORT)
#define WRITE   (MOVE | COMBINE)
#define ALL     (WRITE | LIST | INSPECT | VERIFY | PING | PURGE)
#define FILES   (COPY | COMBINE | EXPORT)             /* what Parquet is written by */
#define WORDS   (EXPORT | IMPORT | COMBINE | PURGE)   /* a server in words, not as a URI */
#define SERVERS (COPY | LIST | VERIFY | PING | WORDS) /* what may log in somewhere */
#define TEXTUAL (COPY | LIST | INSPECT | VERIFY)      /* what CSV is read and written by */

#define FLAG   HAUL_OPTION_FLAG
#define NUMBER HAUL_OPTION_NUMBER
#define SIZE   HAUL_OPTION_SIZE
#define TEXT   HAUL_OPTION_TEXT
#define CHOICE HAUL_OPTION_CHOICE
#define PATH   HAUL_OPTION_PATH

/* A letter means the first row that has it among the command's. */
static const struct haul_option table[] = {
    {"source", 0, TEXT, ALL, NULL, "SOURCE", NULL,
     "what is read: a file, a pattern, a folder, -, or a database"},
    {"target", 0, TEXT, WRITE | VERIFY, NULL, "TARGET", NULL,
     "what is written: a file, a folder/, -, or a database"},
    {"combine", 0, FLAG, COPY | COMBINE, NULL, NULL, "false", "keep the source's row groups as they are"},

    {"tables", 0, TEXT, COMBINE, NULL, "NAMES", NULL, "staging tables of the source, one a line"},
    {"tables-rows", 0, NUMBER, COMBINE, NULL, "N", NULL, "rows that these have together"},

    {"server", 's', TEXT, WORDS, "Server", "HOST", NULL,
     "SQL Server: host, host,port or 'host\\instance'; or any database's URI"},
    {"database", 'd', TEXT, WORDS, "Server", "NAME", NULL, "the database"},
    {"username", 'u', TEXT, WORDS, "Server", "NAME", NULL, "the login"},
    {"password", 'p', TEXT, WORDS, "Server", "TEXT", NULL,
     "its password; better left out: then it is asked for, or SQLCMDPASSWORD"},
    {"trusted-connection", 'T', FLAG, SERVERS, "Server", NULL, "false",
     "SQL Server: log in as who runs haul (Kerberos)"},
    {"engine", 'e', CHOICE, EXPORT | IMPORT, "Server", "tds|odbc|adbc|duckdb|pyodbc|mssql-python", "tds",
     "haul speaks TDS itself; PyButt's names mean the same"},
    {"encrypt", 0, FLAG, WORDS, "Server", NULL, "true", "encrypt all of the connection, on this machine too",
     "e"},
    {"no-encrypt", 'n', FLAG, COMBINE, "Server", NULL, "false", "encrypt the login only"},
    {"packet-size", 0, NUMBER, WORDS, "Server", "BYTES", NULL, "TDS packets, 512 to 32767 (32767)"},
    {"driver", 'D', TEXT, WORDS, "Server", "NAME", NULL, "accepted; no driver is needed"},

    {"encryption", 0, CHOICE, BCP, "Server", "optional|mandatory|strict", NULL, "what is encrypted (-Y)"},
    {"certificate-host", 0, TEXT, BCP, "Server", "NAME", NULL,
     "the name that the certificate must have (-H)"},
    {"server-certificate", 0, PATH, BCP, "Server", "FILE", NULL, "the certificate must be this one (-J)"},
    {"application-intent", 0, CHOICE, BCP, "Server", "ReadOnly|ReadWrite", NULL,
     "ReadOnly: go to a secondary (-K)"},
    {"login-timeout", 0, NUMBER, BCP, "Server", "SECONDS", NULL, "how long a login may take (-l)"},
    {"access-token", 0, FLAG, BCP, "Server", NULL, "false",
     "the password is an Entra ID access token (-G -P FILE)"},

    {"table", 't', TEXT, MOVE | COMBINE | INSPECT | VERIFY | PING, "What", "NAME", NULL,
     "the table, when one side is a database"},
    {"table-schema", 'S', TEXT, WORDS, "What", "NAME", NULL, "the table's schema (SQL Server: dbo)",
     "schema"},
    {"source-table", 0, TEXT, COPY | VERIFY, "What", "NAME", NULL,
     "the source's table, when both sides are databases"},
    {"target-table", 0, TEXT, COPY | VERIFY, "What", "NAME", NULL,
     "the target's table, when both sides are databases"},
    {"query", 'Q', TEXT, COPY | VERIFY, "What", "SQL", NULL,
     "read the rows of this query instead of a table"},
    {"where", 0, TEXT, COPY | VERIFY | EXPORT, "What", "SQL", NULL,
     "only rows that meet this condition (SQL sources)"},
    {"columns", 'C', TEXT, COPY | VERIFY | EXPORT, "What", "A,B,...", NULL,
     "only these columns, in this order"},
    {"parameters", 'a', TEXT, COPY | VERIFY | EXPORT, "What", "12,'fred',NULL", NULL,
     "values for a table that is a function, or for @p1, @p2, ... in --query (SQL Server)"},
    {"split", 0, CHOICE, COPY | VERIFY | EXPORT, "What", "auto|key|partition|checksum|none", "auto",
     "what the table is cut into parts by (SQL Server; key and none: PostgreSQL)"},
    {"key", 'P', TEXT, COPY | VERIFY | EXPORT, "What", "A,B,...", NULL,
     "--split key: the columns it is cut by; --mode merge: rows with equal values of these are the same",
     "pk-column"},
    {"consistent", 0, FLAG, COPY | VERIFY | EXPORT, "What", NULL, "false",
     "read all rows as of one moment, or fail (SQL Server; others do so by themselves)"},
    {"limit", 0, NUMBER, COPY | EXPORT, "What", "N", NULL, "at most N rows"},
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
    {"trust-cert", 'c', FLAG, SERVERS, "Login", NULL, "false",
     "take whatever certificate the server shows: not safe"},

    {"from", 0, TEXT, TEXTUAL | COMBINE | IMPORT, "Format", "FORMAT", NULL,
     "the source's format, whatever its name says"},
    {"to", 0, TEXT, COPY | COMBINE | VERIFY, "Format", "FORMAT", NULL,
     "the target's format, whatever its name says"},
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
    {"date-format", 0, TEXT, TEXTUAL, "Format", "PATTERN", NULL,
     "CSV: how the source spells dates, such as %d.%m.%Y or %m/%d/%Y"},
    {"timestamp-format", 0, TEXT, TEXTUAL, "Format", "PATTERN", NULL,
     "CSV: how the source spells moments, such as '%m/%d/%Y %I:%M %p'"},
    {"decimal-point", 0, TEXT, TEXTUAL, "Format", "CHAR", NULL, "CSV: the source's decimal point, . or ,"},
    {"thousands", 0, TEXT, TEXTUAL, "Format", "CHAR", NULL,
     "CSV: what stands between the source's thousands"},
    {"skip-lines", 0, NUMBER, TEXTUAL, "Format", "N", NULL, "CSV: lines of the source to pass over first"},
    {"trim", 0, FLAG, TEXTUAL, "Format", NULL, "false", "CSV: leave out blanks around the source's fields"},
    {"format-file", 0, PATH, TEXTUAL, "Format", "FILE", NULL,
     "BCP: the format file; a target's is made when it is not there"},
    {"storage", 0, CHOICE, TEXTUAL, "Format", "native|char|unicode|unicode-native", "native",
     "BCP: how fields are stored, without a format file"},
    {"field-end", 0, TEXT, TEXTUAL, "Format", "TEXT", "\\t", "BCP: what ends a field of text; 0x7c is hex"},
    {"row-end", 0, TEXT, TEXTUAL, "Format", "TEXT", "\\n", "BCP: what ends a row of text"},
    {"code-page", 0, TEXT, TEXTUAL, "Format", "PAGE", NULL,
     "BCP: of text: ACP, OEM, RAW or a number (65001, UTF-8)"},
    {"format-xml", 0, FLAG, TEXTUAL, "Format", NULL, "false", "BCP: a format file that is made is XML"},
    {"format-version", 0, CHOICE, TEXTUAL, "Format", "7.0|8.0|9.0|10.0|11.0|12.0|13.0|14.0|15.0|16.0|17.0",
     "14.0", "BCP: the version that a format file that is made says"},
    {"first-row", 0, NUMBER, TEXTUAL, "Format", "N", "1", "BCP: the first row of the source to read"},
    {"last-row", 0, NUMBER, TEXTUAL, "Format", "N", "0", "BCP: the last one; 0: the file's last"},
    {"compression", 0, TEXT, FILES, "Format", "CODEC[:LEVEL]", "zstd",
     "Parquet: zstd, snappy, gzip, lz4, brotli or none"},
    {"rowgroup-size", 'R', TEXT, FILES, "Format", "ROWS|BYTES", "1048576",
     "Parquet: rows of a row group, or bytes as 128MiB"},
    {"page-version", 0, CHOICE, FILES, "Format", "1|2", "1", "Parquet: data page version"},
    {"encoding", 0, CHOICE, FILES, "Format", "auto|plain|dictionary|delta|split", "auto",
     "Parquet: how values are encoded; auto measures"},
    {"bloom-filters", 0, FLAG, FILES, "Format", NULL, "false",
     "Parquet: a Bloom filter for each column chunk that is a dictionary"},
    {"int96", 0, CHOICE, COPY | IMPORT | INSPECT | VERIFY, "Format", "ns|us", "ns",
     "Parquet: what INT96 timestamps are read as; us has years beyond 2262, as Spark writes them"},
    {"timestamps", 0, CHOICE, COPY | EXPORT, "Format", "us|ns|exact", "us",
     "the unit of timestamps; exact keeps every digit and offset"},
    {"uuid", 0, CHOICE, COPY | EXPORT, "Format", "binary|text", "binary", "UUIDs as 16 bytes or as text"},

    {"direction", 0, CHOICE, BCP, "Bulk copy", "in|out|queryout|format", NULL, "which way"},
    {"data-file", 0, PATH, BCP, "Bulk copy", "FILE", NULL, "the data file"},
    {"keep-identity", 0, FLAG, BCP, "Bulk copy", NULL, "false", "identity values are those of the file (-E)"},
    {"keep-nulls", 0, FLAG, BCP, "Bulk copy", NULL, "false",
     "NULL stays NULL where a column has a default (-k)"},
    {"batch-rows", 0, NUMBER, BCP, "Bulk copy", "N", NULL, "rows that are committed as one (-b); else all"},
    {"load-hints", 0, TEXT, BCP, "Bulk copy", "HINT,...", NULL, "hints of the load (-h)"},
    {"csv", 0, FLAG, BCP, "Bulk copy", NULL, "false", "the file is CSV with a header"},
    {"parallel", 0, NUMBER, BCP, "Bulk copy", "N", NULL, "so many connections at once"},
    {"resume", 0, FLAG, BCP, "Bulk copy", NULL, "false", "a load that died goes on; needs a ledger table"},
    {"create", 0, FLAG, BCP, "Bulk copy", NULL, "false", "in: the table is made, from the file's columns"},
    {"progress", 0, FLAG, BCP, "Bulk copy", NULL, "false", "a line of progress on standard error"},

    {"output-file", 'o', PATH, COMBINE, "Target", "FILE", NULL, "what is written"},
    {"combined-manifest-filename", 'm', PATH, COMBINE, "Target", "NAME", NULL,
     "a manifest for the result, of a manifest's files (STEM_combined.json)"},
    {"output-path", 'o', PATH, EXPORT, "Target", "FOLDER", NULL, "the folder of the Parquet files"},
    {"imported-manifest-filename", 'o', PATH, IMPORT, "Target", "NAME", NULL,
     "the manifest of staging tables (SCHEMA_TABLE_import_manifest.json)"},
    {"mode", 'm', CHOICE, COPY | COMBINE, "Target", "create|append|truncate|replace|merge", "create",
     "what may be there already"},
    {"manifest-filename", 'm', PATH, COPY | EXPORT, "Target", "NAME", NULL,
     "a folder's manifest (SCHEMA_TABLE_manifest.json)"},
    {"files", 'f', NUMBER, COPY | EXPORT, "Target", "N", NULL, "a folder target: this many files",
     "file-count"},
    {"transaction-mode", 'M', CHOICE, COPY | IMPORT, "Target", "batch|rowgroup|file", "batch",
     "SQL targets: what is committed as one: --unit-rows rows, a row group, a file"},
    {"unit-rows", 0, NUMBER, COPY | IMPORT, "Target", "N", "100000", "SQL targets: rows committed as one",
     "batch-size b"},
    {"combine-after", 0, FLAG, IMPORT, "Target", NULL, "false",
     "bring the staging tables into the table at once, and drop them", "combine"},
    {"cci", 0, FLAG, IMPORT, "Target", NULL, "true",
     "SQL Server: a clustered columnstore index on staging tables"},
    {"measure", 0, FLAG, COPY, "Target", NULL, "false",
     "SQL Server: read the source once before, so that texts of a new table are nvarchar(n), not (max)"},
    {"hint", 0, TEXT, COPY | IMPORT, "Target", "HINT,...", NULL,
     "SQL Server: hints of the bulk load: TABLOCK, FIRE_TRIGGERS, ORDER(...), NO_CHECK_CONSTRAINTS, ..."},
    {"strict", 0, FLAG, MOVE, "Target", NULL, "false", "any loss is an error, before anything is committed"},
    {"max-errors", 0, NUMBER, MOVE, "Target", "N", "0",
     "rows that may be refused and set aside; -1 any number"},
    {"constraints-fatal", 0, FLAG, MOVE, "Target", NULL, "false",
     "a row that the target's constraints refuse ends the run, whatever --max-errors says"},
    {"reject-file", 0, PATH, MOVE, "Target", "FILE", NULL,
     "where refused rows go, with place, column and reason"},
    {"rejects-ok", 0, FLAG, MOVE, "Target", NULL, "false", "exit 0, not 3, when rows were set aside"},
    {"verify", 0, FLAG, COPY | EXPORT, "Target", NULL, "false",
     "read the target again afterwards and compare"},

    {"workers", 'w', NUMBER, WRITE | VERIFY, "Run", "N", NULL,
     "threads; default the CPUs, at most 4, and one for each 48MiB of memory", "worker-count"},
    {"memory", 0, SIZE, WRITE | VERIFY, "Run", "SIZE", NULL,
     "budget for data; default 512MiB, at most a quarter of the machine"},
    {"dry-run", 'n', FLAG, WRITE | PURGE, "Run", NULL, "false", "show the plan and do nothing"},
    {"run", 0, TEXT, WRITE, "Run", "NAME", NULL, "name of the run; a finished NAME is not done again"},
    {"restart", 0, FLAG, WRITE, "Run", NULL, "false", "discard an unfinished run and begin anew"},
    {"static-source", 0, FLAG, WRITE, "Run", NULL, "false",
     "promise: the source's rows do not change between attempts"},
    {"state", 0, PATH, WRITE, "Run", "DIR", NULL,
     "where plan and journal are kept; default beside the target"},
    {"ledger", 0, TEXT, COPY | IMPORT, "Run", "TABLE|none", NULL,
     "SQL targets: where committed units are noted"},
    {"retries", 'r', NUMBER, WRITE | PURGE, "Run", "N", "3",
     "tries again of a unit after an error that may pass"},

    {"fetch-size", 'F', NUMBER, EXPORT, "Accepted", "ROWS", NULL,
     "accepted; rows come as the server sends them"},
    {"mem-heartbeat", 0, TEXT, EXPORT | IMPORT, "Accepted", "SECONDS", NULL,
     "log the memory in use so often"},
    {"mem-threshold", 0, TEXT, EXPORT | IMPORT, "Accepted", "PERCENT", NULL,
     "memory at most so much of the machine (see --memory); 0: no matter"},
    {"mem-sleep", 0, TEXT, EXPORT | IMPORT, "Accepted", "SECONDS", NULL,
     "accepted; nothing has to wait for memory"},
    {"mem-max-wait", 0, TEXT, EXPORT | IMPORT, "Accepted", "SECONDS", NULL, "accepted; the same"},
    {"mem-cooldown", 0, TEXT, EXPORT | IMPORT, "Accepted", "SECONDS", NULL, "accepted; the same"},

    {"yes", 'y', FLAG, PURGE, "Run", NULL, "false", "do not ask on a terminal"},
    {"head", 0, NUMBER, INSPECT, "Show", "N", NULL, "print the first N rows"},
    {"verbose", 'v', FLAG, INSPECT | WORDS, "Show", NULL, "false",
     "inspect: schema, encodings, sizes and statistics of each column; else each step", "V"},
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

static bool has_word(const char *words, const char *word, size_t length)
{
    for (const char *at = words; at && *at;) {
        size_t bytes = strcspn(at, " ");
        if (bytes == length && memcmp(at, word, length) == 0)
            return true;
        at += bytes + (at[bytes] == ' ');
    }
    return false;
}

static bool is_of(const struct haul_option *option, unsigned commands)
{
    return !commands || (option->commands & commands);
}

const struct haul_option *haul_option_find(const char *name, size_t length, unsigned commands)
{
    const size_t count = sizeof table / sizeof table[0];
    for (size_t i = 0; i < count; i++)
        if (is_of(&table[i], commands) && strlen(table[i].name) == length &&
            memcmp(table[i].name, name, length) == 0)
            return &table[i];
    for (size_t i = 0; length > 1 && i < count; i++)
        if (is_of(&table[i], commands) && has_word(table[i].also, name, length))
            return &table[i];
    return NULL;
}

const struct haul_option *haul_option_letter(char letter, unsigned commands)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (is_of(&table[i], commands) && (table[i].letter == letter || has_word(table[i].also, &letter, 1)))
            return &table[i];
    return NULL;
}
