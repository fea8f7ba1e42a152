/*
 * distrust.c: writers known to have written wrong bounds.
 *
 * - parquet-mr before 1.10.0 and parquet-cpp before 1.3.0 compared strings,
 *   decimals in bytes and unsigned integers as signed values; parquet-mr before
 *   1.8.0 wrote the bounds of another page for strings (PARQUET-251, which the
 *   same rule covers).
 * - The deprecated pair min and max never had an order but the signed one: it is
 *   kept for signed numbers and booleans only.
 * - min_value and max_value mean something only together with a column order,
 *   and the footer we write says TYPE_ORDER for every column: bounds under
 *   another order or under none go, so do those of INT96 and NaNs.
 * - parquet-mr before 1.2.9 did not count a dictionary page's header in its
 *   chunk's size (PARQUET-816): such chunks cannot be copied by their size.
 *
 * created_by is "NAME version X.Y.Z (build HASH)". No version is an early one; no
 * name, no suspicion.
 */
#include "format/parquet/distrust.h"
#include "format/parquet/statistics.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define CREATED_BY_BYTES 64

struct writer_version {
    char name[CREATED_BY_BYTES];
    long number[3];
};

static struct writer_version version_parse(struct slice created_by)
{
    struct writer_version version = {.name = ""};
    char text[CREATED_BY_BYTES] = "";
    size_t length = created_by.length < sizeof text - 1 ? created_by.length : sizeof text - 1;
    if (length > 0)
        memcpy(text, created_by.data, length);
    char *words = strstr(text, " version ");
    if (words)
        *words = '\0';
    (void)snprintf(version.name, sizeof version.name, "%s", text);
    if (!words)
        return version;
    char *at = words + strlen(" version ");
    for (int i = 0; i < 3; i++) {
        version.number[i] = strtol(at, &at, 10);
        if (*at != '.')
            break;
        at++;
    }
    return version;
}

static bool version_before(const struct writer_version *version, const char *name, long major, long minor,
                           long patch)
{
    const long limit[3] = {major, minor, patch};
    if (strcmp(version->name, name) != 0)
        return false;
    for (int i = 0; i < 3; i++)
        if (version->number[i] != limit[i])
            return version->number[i] < limit[i];
    return false;
}

struct distrust distrust_of(const struct file_metadata *meta)
{
    struct writer_version version = version_parse(meta->created_by);
    return (struct distrust){
        .meta = meta,
        .unsigned_wrong = version_before(&version, "parquet-mr", 1, 10, 0) ||
                          version_before(&version, "parquet-cpp", 1, 3, 0),
        .chunks_short = version_before(&version, "parquet-mr", 1, 2, 9),
    };
}

/* Signed comparison is the right one. */
static bool leaf_is_signed(const struct node *leaf)
{
    enum order order = statistics_order(leaf);
    bool number = order == ORDER_BOOL || order == ORDER_I32 || order == ORDER_I64 || order_is_float(order);
    return number && leaf->physical != PARQUET_BYTE_ARRAY && leaf->physical != PARQUET_FIXED &&
           leaf->physical != PARQUET_INT96;
}

bool distrust_allows(const struct distrust *distrust, const struct node *leaf, int index)
{
    const struct file_metadata *meta = distrust->meta;
    if ((size_t)index >= meta->column_orders.count ||
        !thrift_has(&meta->column_orders.items[index], COLUMN_ORDER_TYPE))
        return false;
    if (leaf->physical == PARQUET_INT96 || statistics_order(leaf) == ORDER_NONE)
        return false;
    return !distrust->unsigned_wrong || leaf_is_signed(leaf);
}

static bool is_nan(enum parquet_type type, struct slice bound)
{
    float narrow = 0;
    double wide = 0;
    if (type == PARQUET_FLOAT && bound.length == sizeof narrow)
        memcpy(&narrow, bound.data, sizeof narrow);
    if (type == PARQUET_DOUBLE && bound.length == sizeof wide)
        memcpy(&wide, bound.data, sizeof wide);
    return isnan(narrow) || isnan(wide);
}

#define BOUNDS                                                                                               \
    (1u << STATISTICS_MIN | 1u << STATISTICS_MAX | 1u << STATISTICS_MIN_EXACT | 1u << STATISTICS_MAX_EXACT)
#define BOUNDS_OLD (1u << STATISTICS_MIN_OLD | 1u << STATISTICS_MAX_OLD)

void distrust_clean(const struct distrust *distrust, const struct node *leaf, int index,
                    struct statistics *statistics)
{
    if (!distrust_allows(distrust, leaf, index) || is_nan(leaf->physical, statistics->min) ||
        is_nan(leaf->physical, statistics->max))
        statistics->has &= ~BOUNDS;
    if (!leaf_is_signed(leaf) || is_nan(leaf->physical, statistics->min_old) ||
        is_nan(leaf->physical, statistics->max_old))
        statistics->has &= ~BOUNDS_OLD;
}
