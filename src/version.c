/*
 * version.c: what this build can do and what it is linked with. The one file of
 * the lobby that asks the libraries themselves.
 */
#include "haul.h"
#include <expat.h>
#include <jansson.h>
#include <libdeflate.h>
#include <lz4.h>
#include <mysql.h>
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

static const struct {
    const char *name, *text;
    const char *(*version)(void);
} features[] = {{"formats", "parquet, csv, bcp", NULL},
                {"databases", "postgresql, mysql, mariadb, sqlite", NULL},
                {"codecs", "zstd, snappy, gzip, brotli, lz4", NULL},
                {"libpq", NULL, postgres_version},
                {"libmariadb", NULL, mysql_get_client_info},
                {"sqlite", NULL, sqlite3_libversion},
                {"zstd", NULL, ZSTD_versionString},
                {"lz4", NULL, LZ4_versionString},
                {"zlib", NULL, zlibVersion},
                {"libdeflate", NULL, deflate_version},
                {"xxhash", NULL, xxhash_version},
                {"jansson", NULL, jansson_version_str},
                {"expat", NULL, expat_version}};

bool haul_feature(size_t index, char *line, size_t line_bytes)
{
    if (index >= sizeof features / sizeof features[0])
        return false;
    snprintf(line, line_bytes, "%-10s %s", features[index].name,
             features[index].text ? features[index].text : features[index].version());
    return true;
}
