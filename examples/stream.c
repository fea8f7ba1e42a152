/* Any source as an Arrow stream: counts its rows and names its columns. */
#include <haul.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    struct haul_error err = {0};
    struct haul_job *job = NULL;
    struct ArrowArrayStream stream = {0};
    struct ArrowSchema schema;
    struct ArrowArray batch;
    long long rows = 0;
    if (argc != 2 || haul_job_new(&job, &err) || haul_job_set(job, "source", argv[1], &err) ||
        haul_read(job, &stream, &err)) {
        fprintf(stderr, "%s\n", argc == 2 ? err.message : "stream SOURCE");
        haul_job_free(job);
        return 1;
    }
    haul_job_free(job); /* the stream does not need it */
    if (stream.get_schema(&stream, &schema) == 0) {
        for (int64_t i = 0; i < schema.n_children; i++)
            printf("%s %s\n", schema.children[i]->name, schema.children[i]->format);
        schema.release(&schema);
    }
    int failed;
    while ((failed = stream.get_next(&stream, &batch)) == 0 && batch.release) {
        rows += batch.length;
        batch.release(&batch);
    }
    if (failed)
        fprintf(stderr, "%s\n", stream.get_last_error(&stream));
    printf("%lld rows\n", rows);
    stream.release(&stream);
    return failed != 0;
}
