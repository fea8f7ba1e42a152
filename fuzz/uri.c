/*
 * uri: any text as the name of a source or target.
 *
 * It goes to the registry, and, behind a scheme, a secret userinfo or a secret
 * parameter, to the URI parser of every engine. It is taken or refused with a
 * sentence, and the secret is in none of the sentences, nor in the name as it is
 * shown.
 */
#include "fuzz.h"

#include "job.h"
#include "registry.h"

#define SECRET         "kQ7zsecretZ1"
#define TEXT_BYTES_MAX 4096

enum haul_code uri_mssql(const char *uri, struct haul_error *err);
enum haul_code uri_mysql(const char *uri, struct haul_error *err);
enum haul_code uri_postgres(const char *uri, struct haul_error *err);

/* scheme://user:SECRET@rest */
static void check_shown(const char *rest)
{
    struct haul_job *job = NULL;
    struct haul_error err = {0};
    char uri[TEXT_BYTES_MAX + 128];
    (void)snprintf(uri, sizeof uri, "mysql://user:" SECRET "@%s?pwd=" SECRET "&x", rest);
    must(haul_job_new(&job, &err) == HAUL_OK);
    const char *shown = job_hidden(job, uri);
    must(shown && !strstr(shown, SECRET));
    haul_job_free(job);
}

/* Each engine gets its own schemes only: the registry sees to that. */
static void check_engine(const char *scheme, enum haul_code (*parse)(const char *, struct haul_error *),
                         const char *rest)
{
    static const char *const fronts[] = {"", "user:" SECRET "@", "user@host/base?password=" SECRET "&"};
    for (size_t i = 0; i < sizeof fronts / sizeof fronts[0]; i++) {
        char uri[TEXT_BYTES_MAX + 128];
        struct haul_error err = {0};
        (void)snprintf(uri, sizeof uri, "%s://%s%s", scheme, fronts[i], rest);
        must_be_told(parse(uri, &err), &err);
        must(!strstr(err.message, SECRET));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    char name[TEXT_BYTES_MAX + 1];
    length = length < TEXT_BYTES_MAX ? length : TEXT_BYTES_MAX;
    memcpy(name, data, length);
    name[length] = 0;
    if (strstr(name, SECRET))
        return 0;
    bool database = false;
    struct haul_error err = {0};
    if (!strchr(name, '/')) /* no file of this machine is looked at */
        must_be_told(registry_is_database(name, &database, &err), &err);
    check_shown(name);
    check_engine("mssql", uri_mssql, name);
    check_engine("mysql", uri_mysql, name);
    check_engine("postgresql", uri_postgres, name);
    return 0;
}
