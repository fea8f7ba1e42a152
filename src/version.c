/*
 * version.c: what this build can do and what it is linked with. The one file of
 * the lobby that asks the libraries themselves.
 */
#include "haul.h"
#include "registry.h"
#include <brotli/decode.h>
#include <expat.h>
#include <jansson.h>
#include <libdeflate.h>
#include <lz4.h>
#include <mysql.h>
#include <openssl/crypto.h>
#include <pg_config.h>
#include <sqlite3.h>
#include <stdio.h>
#include <xxhash.h>
#include <zlib.h>
#include <zstd.h>

#define TEXT(x)  #x
#define VALUE(x) TEXT(x)

const char *haul_version(void)
{
    return HAUL_VERSION;
}

/* As built: libpq tells its version as a number only. */
static const char *postgres_version(void)
{
    return PG_VERSION;
}

static const char *deflate_version(void)
{
    return LIBDEFLATE_VERSION_STRING; /* as built: it cannot be asked */
}

static const char *xxhash_version(void)
{
    return VALUE(XXH_VERSION_MAJOR) "." VALUE(XXH_VERSION_MINOR) "." VALUE(XXH_VERSION_RELEASE);
}

static const char *expat_version(void)
{
    return XML_ExpatVersion() + sizeof "expat_" - 1;
}

static const char *openssl_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION_STRING);
}

static void brotli_version(char *text, size_t bytes)
{
    unsigned version = BrotliDecoderVersion();
    snprintf(text, bytes, "%u.%u.%u", version >> 24, version >> 12 & 0xfff, version & 0xfff);
}

static void database_schemes(char *text, size_t bytes)
{
    const char *schemes[16];
    size_t count = registry_words(schemes, sizeof schemes / sizeof schemes[0]), length = 0;
    for (size_t i = 0; i < count && length < bytes; i++)
        length += (size_t)snprintf(text + length, bytes - length, "%s%s", i ? ", " : "", schemes[i]);
}

/* Each has a text, or a library's function that returns it, or one of ours that writes it. */
static const struct {
    const char *name, *text;
    const char *(*version)(void);
    void (*write)(char *text, size_t bytes);
} features[] = {{"formats", "parquet, csv, bcp", NULL, NULL},
                {"databases", NULL, NULL, database_schemes},
                {"codecs", "zstd, snappy, gzip, brotli, lz4", NULL, NULL},
                {"libpq", NULL, postgres_version, NULL},
                {"libmariadb", NULL, mysql_get_client_info, NULL},
                {"sqlite", NULL, sqlite3_libversion, NULL},
                {"openssl", NULL, openssl_version, NULL},
                {"zstd", NULL, ZSTD_versionString, NULL},
                {"lz4", NULL, LZ4_versionString, NULL},
                {"brotli", NULL, NULL, brotli_version},
                {"zlib", NULL, zlibVersion, NULL},
                {"libdeflate", NULL, deflate_version, NULL},
                {"xxhash", NULL, xxhash_version, NULL},
                {"jansson", NULL, jansson_version_str, NULL},
                {"expat", NULL, expat_version, NULL}};

bool haul_feature(size_t index, char *line, size_t line_bytes)
{
    if (index >= sizeof features / sizeof features[0])
        return false;
    char text[256] = "";
    if (features[index].write)
        features[index].write(text, sizeof text);
    const char *said = features[index].write  ? text
                       : features[index].text ? features[index].text
                                              : features[index].version();
    snprintf(line, line_bytes, "%-10s %s", features[index].name, said);
    return true;
}
