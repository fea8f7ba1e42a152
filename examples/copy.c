/* Ten lines that copy: cc copy.c $(pkg-config --cflags --libs haul) */
#include <haul.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    struct haul_error err = {0};
    struct haul_job *job = NULL;
    struct haul_result result = {0};
    if (argc != 3 || haul_job_new(&job, &err) || haul_job_set(job, "source", argv[1], &err) ||
        haul_job_set(job, "target", argv[2], &err) || haul_copy(job, &result, &err))
        fprintf(stderr, "%s\n", argc == 3 ? err.message : "copy SOURCE TARGET");
    printf("%lld rows\n", (long long)result.rows);
    haul_job_free(job);
    return haul_exit_code(&err);
}
