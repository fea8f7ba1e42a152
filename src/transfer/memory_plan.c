/*
 * memory_plan.c: how many workers, how much memory, how big a part.
 *
 * The budget is --memory; without it 512 MiB, but never more than a quarter of
 * what the machine or the cgroup we live in has. Parts are sized before the run
 * from facts that do not depend on its timing, so that the same plan makes the
 * same bytes: the sink's wish (a row group), made smaller for a small table (by
 * rows, or by bytes where rows are not known) so that each worker gets about four
 * parts. For a SQL sink a part is a whole
 * number of units.
 */
#include "transfer/memory_plan.h"
#include "base/file.h"
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORKERS_PRESET_MAX 4
#define MEMORY_PRESET      ((int64_t)512 << 20)
#define WORKER_BYTES       ((int64_t)48 << 20) /* fewer workers rather than less for each: 10 MB values pass */
#define PART_ROWS_MIN      131072
#define PART_BYTES_MIN     ((int64_t)8 << 20) /* of source bytes, where rows are not known */
#define PART_ROWS_SQL      1048576
#define PARTS_PER_WORKER   4

static int cpus_count(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return count > 0 ? count : 1;
}

/* The number a cgroup file holds; -1 for "max" or when there is no such file. */
static int64_t limit_read(const char *path)
{
    struct haul_error ignored = {0};
    struct file file = {.fd = -1};
    char text[32] = "";
    size_t got = 0;
    if (file_open(&file, path, FILE_READ, &ignored))
        return -1;
    enum haul_code code = file_read(&file, text, sizeof text - 1, &got, &ignored);
    file_close(&file);
    if (code || got == 0 || text[0] < '0' || text[0] > '9')
        return -1;
    return strtoll(text, NULL, 10);
}

static int64_t machine_bytes(void)
{
    static const char *const limits[] = {"/sys/fs/cgroup/memory.max",
                                         "/sys/fs/cgroup/memory/memory.limit_in_bytes"};
    int64_t pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGE_SIZE);
    int64_t bytes = pages > 0 && page > 0 ? pages * page : MEMORY_PRESET * 4;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        int64_t limit = limit_read(limits[i]);
        if (limit > 0 && limit < bytes)
            bytes = limit;
    }
    return bytes;
}

enum haul_code memory_plan_make(const struct settings *settings, struct memory_plan *plan,
                                struct haul_error *err)
{
    int64_t workers = settings_number(settings, "workers");
    int64_t bytes = settings_number(settings, "memory");
    if (settings_given(settings, "workers") && (workers < 1 || workers > WORKERS_MAX))
        return error_set(err, HAUL_USAGE, "--workers is a number from 1 to %d", WORKERS_MAX);
    if (settings_given(settings, "memory") && bytes < MEMORY_BYTES_MIN)
        return error_set(err, HAUL_USAGE, "--memory is at least %lldMiB",
                         (long long)(MEMORY_BYTES_MIN >> 20));
    if (!settings_given(settings, "memory")) {
        bytes = machine_bytes() / 4;
        bytes = bytes > MEMORY_PRESET ? MEMORY_PRESET : bytes;
        bytes = bytes < MEMORY_BYTES_MIN ? MEMORY_BYTES_MIN : bytes;
    }
    if (!settings_given(settings, "workers")) {
        int64_t room = bytes / WORKER_BYTES > 0 ? bytes / WORKER_BYTES : 1;
        workers = cpus_count();
        workers = workers > WORKERS_PRESET_MAX ? WORKERS_PRESET_MAX : workers;
        workers = workers > room ? room : workers;
    }
    *plan = (struct memory_plan){.workers = (int)workers, .bytes_max = bytes};
    return HAUL_OK;
}

/* --transaction-mode: a SQL unit that is a row group, or a file, is a whole part. */
static bool unit_is_part(const struct settings *settings, struct split_request *request)
{
    const char *mode = settings_text(settings, "transaction-mode");
    if (strcmp(mode, "batch") == 0)
        return false;
    request->part_rows = strcmp(mode, "file") == 0 ? INT64_MAX : 1; /* the least a part can be: a row group */
    request->part_bytes = -1;
    return true;
}

/* As many parts as files were asked for. */
static void files_limit(const struct settings *settings, const struct source_info *info,
                        struct split_request *request)
{
    int64_t files = settings_given(settings, "files") ? settings_number(settings, "files") : 1;
    if (files < 2 || info->rows < 1)
        return;
    int64_t even = (info->rows - 1) / files + 1;
    request->part_rows = even < request->part_rows ? even : request->part_rows;
}

int64_t memory_plan_unit_rows(const struct settings *settings, const struct sink_terms *terms)
{
    bool wished = terms->unit_rows > 0 && !settings_given(settings, "unit-rows");
    return wished ? terms->unit_rows : settings_number(settings, "unit-rows");
}

/* Rows, up to a multiple of a unit; a unit may be all there are (INT64_MAX). */
static int64_t whole_units(int64_t rows, int64_t unit_rows)
{
    const int64_t units = rows / unit_rows + (rows % unit_rows != 0);
    int64_t whole;
    return __builtin_mul_overflow(units, unit_rows, &whole) ? INT64_MAX : whole;
}

struct split_request memory_plan_split(const struct memory_plan *plan, const struct settings *settings,
                                       const struct source_info *info, const struct sink_terms *terms)
{
    struct split_request request = {
        .part_rows = terms->part_rows, .part_bytes = terms->part_bytes, .threads = plan->workers};
    int64_t unit_rows = memory_plan_unit_rows(settings, terms);
    if (!terms->part_is_unit && unit_is_part(settings, &request))
        return request;
    if (request.part_rows <= 0)
        request.part_rows = PART_ROWS_SQL;
    bool users_own = terms->adopts || (terms->part_is_unit && settings_given(settings, "rowgroup-size"));
    if (info->rows > 0 && !users_own) {
        int64_t even = info->rows / ((int64_t)plan->workers * PARTS_PER_WORKER) + 1;
        even = even < PART_ROWS_MIN ? PART_ROWS_MIN : even;
        request.part_rows = even < request.part_rows ? even : request.part_rows;
    }
    if (terms->part_is_unit && !terms->adopts)
        files_limit(settings, info, &request);
    if (!terms->part_is_unit && unit_rows > 0)
        request.part_rows = whole_units(request.part_rows, unit_rows);
    bool all = request.part_rows == INT64_MAX && plan->workers == 1;
    if (request.part_bytes <= 0 || all)
        request.part_bytes = -1;
    if (info->rows < 0 && info->bytes > 0 && !users_own && !all) {
        int64_t even = info->bytes / ((int64_t)plan->workers * PARTS_PER_WORKER) + 1;
        even = even < PART_BYTES_MIN ? PART_BYTES_MIN : even;
        request.part_bytes = request.part_bytes < 0 || even < request.part_bytes ? even : request.part_bytes;
    }
    return request;
}
