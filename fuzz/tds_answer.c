/*
 * tds_answer: any bytes as a server's answer.
 *
 * The bytes come through a socket pair, as payload cut into packets of the size
 * the first bytes say, or (first byte odd) as raw packets. Every token is read;
 * rows go into batches, moments in each of the three forms (session.spid says which). Whatever it is ends as
 * rows or a sentence, and the same payload cut into other packets gives the same.
 */
#include "fuzz.h"

#include "batch/hash.h"
#include "database/mssql/rows.h"

#include <sys/socket.h>
#include <unistd.h>

#define PAYLOAD_MAX 60000
#define BATCHES_MAX 64

struct outcome {
    enum haul_code code;
    int64_t rows;
    struct hash128 hash;
};

static enum haul_code hash_rows(const struct schema *schema, const struct batch *batch,
                                struct outcome *outcome, struct haul_error *err)
{
    struct hasher hasher = {0};
    struct hash128 sum = {0};
    enum haul_code code = hasher_init(&hasher, schema, false, NULL, err);
    if (!code)
        code = hash_batch(&hasher, batch, &sum, err);
    outcome->hash = hash_add(outcome->hash, sum);
    outcome->rows += batch->array.length;
    hasher_release(&hasher);
    return code;
}

static enum haul_code read_rows(struct session *session, const struct context *context,
                                struct outcome *outcome, struct haul_error *err)
{
    struct ms_rows rows = {0};
    struct schema schema = {0};
    enum haul_code code = ms_columns_schema(&session->columns, (enum ms_moments)session->spid, &schema, err);
    if (!code)
        code = ms_rows_open(&rows, session, &schema, context, err);
    for (int i = 0; !code && i < BATCHES_MAX && !rows.ended; i++) {
        struct batch batch = {0};
        code = ms_rows_fill(&rows, 64, &batch, err);
        if (!code && batch.array.release)
            code = hash_rows(&schema, &batch, outcome, err);
        batch_release(&batch);
    }
    ms_rows_release(&rows);
    schema_release(&schema);
    return code;
}

static struct outcome read_answer(struct session *session, const struct context *context)
{
    struct outcome outcome = {0};
    struct haul_error err = {0};
    enum ms_event event = MS_DONE;
    enum haul_code code = ms_send_batch(session, "select 1", &err);
    while (!code && event == MS_DONE)
        code = ms_next(session, &event, &err);
    if (!code && event == MS_COLUMNS)
        code = read_rows(session, context, &outcome, &err);
    must_be_told(code, &err);
    outcome.code = code;
    return outcome;
}

static void send_packets(int fd, const struct food *food, size_t step)
{
    uint8_t packet[32768];
    size_t at = 0;
    do {
        size_t size = food->length - at < step ? food->length - at : step;
        packet[0] = 4;
        packet[1] = at + size == food->length;
        packet[2] = (uint8_t)((size + 8) >> 8);
        packet[3] = (uint8_t)(size + 8);
        memset(packet + 4, 0, 4);
        memcpy(packet + 8, food->data + at, size);
        if (send(fd, packet, size + 8, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            return;
        at += size;
    } while (at < food->length);
}

/* step 0: the bytes are packets themselves. */
static struct outcome visit(const struct food *food, size_t step)
{
    int fds[2], room = 4 << 20;
    struct haul_error err = {0};
    struct context context;
    struct reject_limit limit = {.max = -1};
    struct collector collector = {.limit = &limit};
    struct server server = {.name = "db", .host = "db"};
    struct session session = {.server = &server, .logged_in = true, .spid = (int)(food->length % 3)};
    context_init(&context);
    context.collector = &collector;
    session.context = context;
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    (void)setsockopt(fds[1], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
    must(!memory_open(&context.memory, (size_t)64 << 20, 1, &err));
    must(!ms_wire_init(&session.wire, &err));
    must(!socket_adopt(&session.wire.sock, fds[0], "db", &err));
    if (step)
        send_packets(fds[1], food, step);
    else
        (void)!send(fds[1], food->data, food->length, MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(fds[1], SHUT_WR);
    struct outcome outcome = read_answer(&session, &context);
    ms_disconnect(&session);
    collector_release(&collector);
    memory_close(context.memory);
    close(fds[1]);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct food food = {data, length > PAYLOAD_MAX ? PAYLOAD_MAX : length};
    bool raw = food_byte(&food) & 1;
    size_t step = 200 + food_u16(&food) % 4000;
    if (raw || !food.length) {
        (void)visit(&food, 0);
        return 0;
    }
    struct outcome small = visit(&food, step), large = visit(&food, 32000);
    if (small.code == HAUL_OK &&
        large.code == HAUL_OK) /* where batches end may differ, what is in them not */
        must(small.rows == large.rows && hash_equal(small.hash, large.hash));
    must((small.code == HAUL_OK) == (large.code == HAUL_OK));
    return 0;
}
