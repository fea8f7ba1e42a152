/* A copy that tells how far it is and stops itself after so many rows:
 * progress SOURCE TARGET [STOP_AT]. Exit 75 when it stopped: run it again. */
#include <haul.h>
#include <stdio.h>
#include <stdlib.h>

struct watch {
    struct haul_job *job;
    long long stop_at;
    int events;
};

static void on_event(void *user, const struct haul_event *event)
{
    struct watch *watch = user;
    watch->events++;
    if (event->message)
        fprintf(stderr, "%s\n", event->message);
    if (watch->stop_at >= 0 && event->rows >= watch->stop_at)
        haul_job_cancel(watch->job);
}

int main(int argc, char **argv)
{
    struct haul_error err = {0};
    struct watch watch = {.stop_at = argc > 3 ? atoll(argv[3]) : -1};
    struct haul_result result = {0};
    if (argc < 3)
        return 2;
    if (haul_job_new(&watch.job, &err) == HAUL_OK) {
        haul_job_on_event(watch.job, on_event, &watch);
        if (haul_job_set(watch.job, "source", argv[1], &err) == HAUL_OK &&
            haul_job_set(watch.job, "target", argv[2], &err) == HAUL_OK)
            haul_copy(watch.job, &result, &err);
    }
    printf("%lld rows, %d events%s%s\n", (long long)result.rows, watch.events, err.code ? ": " : "", err.message);
    haul_job_free(watch.job);
    return haul_exit_code(&err);
}
