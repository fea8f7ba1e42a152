/* A TDS server for benchmarks: it answers with prepared bytes as fast as loopback takes
 * them, and swallows bulk loads, so that the client is what is measured.
 *
 *     tds-replay RULES TEXT STREAM...
 *
 * RULES has what a real server answered to each statement (bench/sqlserver.py records it):
 * u32 length, statement, u32 length, answer, and so on; statements and answers without
 * packet headers and ALL_HEADERS; statements are alike that differ in hexadecimal digits
 * only (names of staging tables) if none is the same. A statement that is not among them and holds TEXT
 * (in UTF-16) is answered with STREAM, a token stream without its DONE (of several the
 * first time the first, and so on); any other with a plain DONE. INSERT BULK takes the rows that follow and
 * answers with their count, which is found by stepping over the cells. No encryption, no password, one thread
 * for each connection. Prints its port, then rows and bytes of each load; ends with its standard input.
 *
 * Not part of haul: built by `ninja -C build bench/tds-replay` for the benchmark alone. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define HEADER      8u
#define COLUMNS_MAX 1024
#define STREAMS_MAX 8

struct bytes {
    const uint8_t *data;
    size_t size;
};

static struct bytes rules, streams[STREAMS_MAX];
static unsigned stream_count;
static atomic_uint asked_for;
static uint8_t wanted[512];
static size_t wanted_size;

struct client {
    int fd;
    uint32_t packet;       /* the size agreed on */
    uint8_t in[65536 * 4]; /* bytes read and not used */
    size_t have, used;
    uint8_t *message; /* the payload of the message read last */
    size_t size, room;
    uint8_t out[65536];
};

static _Noreturn void die(const char *what)
{
    perror(what);
    exit(1);
}

static struct bytes map(const char *path)
{
    int fd = open(path, O_RDONLY);
    struct stat info;
    if (fd < 0 || fstat(fd, &info))
        die(path);
    void *data =
        info.st_size ? mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0) : NULL;
    if (data == MAP_FAILED)
        die(path);
    close(fd);
    return (struct bytes){data, (size_t)info.st_size};
}

/* ---- in ---- */

static bool fill(struct client *c, size_t count)
{
    if (c->used) {
        memmove(c->in, c->in + c->used, c->have - c->used);
        c->have -= c->used;
        c->used = 0;
    }
    while (c->have < count) {
        ssize_t got = read(c->fd, c->in + c->have, sizeof c->in - c->have);
        if (got <= 0)
            return false;
        c->have += (size_t)got;
    }
    return true;
}

/* The next packet: its type, status, and payload (good until the next call). */
static bool read_packet(struct client *c, uint8_t *type, uint8_t *status, struct bytes *payload)
{
    if (c->have - c->used < HEADER && !fill(c, HEADER))
        return false;
    const uint8_t *head = c->in + c->used;
    size_t length = (size_t)head[2] << 8 | head[3];
    if (length < HEADER || (c->have - c->used < length && !fill(c, length)))
        return false;
    head = c->in + c->used;
    *type = head[0];
    *status = head[1];
    *payload = (struct bytes){head + HEADER, length - HEADER};
    c->used += length;
    return true;
}

static bool read_message(struct client *c, uint8_t *type)
{
    uint8_t status = 0;
    c->size = 0;
    while (!(status & 1)) {
        struct bytes piece;
        if (!read_packet(c, type, &status, &piece))
            return false;
        if (c->size + piece.size > c->room) {
            c->room = (c->size + piece.size) * 2;
            c->message = realloc(c->message, c->room);
            if (!c->message)
                die("realloc");
        }
        memcpy(c->message + c->size, piece.data, piece.size);
        c->size += piece.size;
    }
    return true;
}

/* ---- out ---- */

static bool write_all(int fd, struct iovec *parts, int count)
{
    while (count) {
        ssize_t sent = writev(fd, parts, count);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        for (; count && (size_t)sent >= parts->iov_len; parts++, count--)
            sent -= (ssize_t)parts->iov_len;
        if (count) {
            parts->iov_base = (uint8_t *)parts->iov_base + sent;
            parts->iov_len -= (size_t)sent;
        }
    }
    return true;
}

#define BATCH 32

/* One message of two pieces (the second may be empty), in packets. */
static bool answer(struct client *c, struct bytes first, struct bytes last)
{
    uint8_t heads[BATCH][HEADER];
    struct iovec parts[BATCH * 3];
    size_t total = first.size + last.size, room = c->packet - HEADER, at = 0;
    uint8_t number = 1;
    do {
        int packets = 0, count = 0;
        for (; packets < BATCH && (at < total || (!total && !packets)); packets++) {
            size_t size = total - at < room ? total - at : room, whole = size + HEADER;
            uint8_t head[HEADER] = {
                4, at + size == total, (uint8_t)(whole >> 8), (uint8_t)whole, 0, 51, number++, 0};
            memcpy(heads[packets], head, HEADER);
            parts[count++] = (struct iovec){heads[packets], HEADER};
            size_t from_first = at < first.size ? first.size - at : 0;
            from_first = from_first < size ? from_first : size;
            if (from_first)
                parts[count++] = (struct iovec){(void *)(uintptr_t)(first.data + at), from_first};
            if (size > from_first)
                parts[count++] = (struct iovec){
                    (void *)(uintptr_t)(last.data + (at + from_first - first.size)), size - from_first};
            at += size;
        }
        if (!write_all(c->fd, parts, count))
            return false;
    } while (at < total);
    return true;
}

static size_t put_done(uint8_t *out, uint8_t token, uint16_t status, uint16_t command, uint64_t count)
{
    out[0] = token;
    memcpy(out + 1, &status, 2);
    memcpy(out + 3, &command, 2);
    memcpy(out + 5, &count, 8);
    return 13;
}

static bool answer_done(struct client *c, uint16_t status, uint16_t command, uint64_t count)
{
    size_t size = put_done(c->out, 0xFD, status, command, count);
    return answer(c, (struct bytes){c->out, size}, (struct bytes){0});
}

/* ---- login ---- */

static size_t put_text(uint8_t *out, const char *text)
{
    size_t n = strlen(text);
    out[0] = (uint8_t)n;
    for (size_t i = 0; i < n; i++) {
        out[1 + 2 * i] = (uint8_t)text[i];
        out[2 + 2 * i] = 0;
    }
    return 1 + 2 * n;
}

static size_t put_env(uint8_t *out, uint8_t kind, const char *now, const char *before)
{
    size_t size = 4;
    out[0] = 0xE3;
    out[3] = kind;
    size += put_text(out + size, now);
    size += put_text(out + size, before);
    uint16_t length = (uint16_t)(size - 3);
    memcpy(out + 1, &length, 2);
    return size;
}

static bool greet(struct client *c)
{
    static const uint8_t prelogin[] = {0, 0, 26, 0, 6,  1, 0, 32,   0,  1, 2, 0,   33, 0, 1, 3, 0, 34,
                                       0, 0, 4,  0, 34, 0, 1, 0xFF, 16, 0, 3, 232, 0,  0, 2, 0, 0};
    uint8_t type;
    c->packet = 4096;
    if (!read_message(c, &type) || type != 0x12 ||
        !answer(c, (struct bytes){prelogin, sizeof prelogin}, (struct bytes){0}))
        return false;
    if (!read_message(c, &type) || type != 0x10 || c->size < 94)
        return false;
    uint32_t asked;
    memcpy(&asked, c->message + 8, 4);
    asked = asked < 512 ? 4096 : asked > 32767 ? 32767 : asked;
    char number[12];
    snprintf(number, sizeof number, "%u", asked);
    uint8_t *out = c->out;
    size_t size = put_env(out, 1, "master", "master");
    static const uint8_t collation[] = {0xE3, 8, 0, 7, 5, 9, 4, 0xD0, 0, 0x34, 0};
    memcpy(out + size, collation, sizeof collation);
    size += sizeof collation;
    size += put_env(out + size, 2, "us_english", "");
    size_t ack = size;
    static const uint8_t version[] = {0xAD, 0, 0, 1, 0x74, 0, 0, 4};
    memcpy(out + size, version, sizeof version);
    size += sizeof version;
    size += put_text(out + size, "Microsoft SQL Server");
    static const uint8_t program[] = {16, 0, 3, 232};
    memcpy(out + size, program, sizeof program);
    size += sizeof program;
    uint16_t length = (uint16_t)(size - ack - 3);
    memcpy(out + ack + 1, &length, 2);
    size += put_env(out + size, 4, number, "4096");
    size += put_done(out + size, 0xFD, 0, 0, 0);
    if (!answer(c, (struct bytes){out, size}, (struct bytes){0}))
        return false;
    c->packet = asked;
    return true;
}

/* ---- bulk loads ---- */

enum step { FIXED, BYTE, SHORT, PLP, LONG, VARIANT };

struct load {
    enum step steps[COLUMNS_MAX];
    uint8_t sizes[COLUMNS_MAX];
    int columns;
    uint64_t rows;
};

/* Where a bulk stream stands: bytes are asked for and taken over packets. */
struct cursor {
    struct client *client;
    struct bytes piece;
    bool ended, broken;
    uint64_t total;
};

static bool next_piece(struct cursor *s)
{
    uint8_t type, status = 1;
    if (s->ended || !read_packet(s->client, &type, &status, &s->piece)) {
        s->broken = !s->ended || s->broken;
        return false;
    }
    s->ended = status & 1;
    s->total += s->piece.size;
    return true;
}

static void skip(struct cursor *s, size_t count)
{
    while (count > s->piece.size) {
        count -= s->piece.size;
        s->piece.size = 0;
        if (!next_piece(s)) {
            s->broken = true;
            return;
        }
    }
    s->piece.data += count;
    s->piece.size -= count;
}

static uint64_t number(struct cursor *s, size_t count)
{
    uint64_t value = 0;
    if (s->piece.size >= count) {
        memcpy(&value, s->piece.data, count);
        s->piece.data += count;
        s->piece.size -= count;
        return value;
    }
    for (size_t i = 0; i < count && !s->broken; i++) {
        while (!s->piece.size && next_piece(s))
            ;
        if (!s->piece.size) {
            s->broken = true;
            return 0;
        }
        value |= (uint64_t)*s->piece.data++ << 8 * i;
        s->piece.size--;
    }
    return value;
}

static void read_type(struct cursor *s, struct load *load, int i)
{
    static const struct {
        uint8_t token, size;
    } fixed[] = {{0x30, 1}, {0x32, 1}, {0x34, 2}, {0x38, 4}, {0x3A, 4}, {0x3B, 4},
                 {0x3C, 8}, {0x3D, 8}, {0x3E, 8}, {0x7A, 4}, {0x7F, 8}};
    uint8_t token = (uint8_t)number(s, 1);
    load->steps[i] = BYTE;
    for (size_t k = 0; k < sizeof fixed / sizeof *fixed; k++)
        if (fixed[k].token == token) {
            load->steps[i] = FIXED;
            load->sizes[i] = fixed[k].size;
            return;
        }
    if (token == 0x6A || token == 0x6C)
        skip(s, 3);
    else if (token == 0xA7 || token == 0xAF || token == 0xE7 || token == 0xEF || token == 0xA5 ||
             token == 0xAD) {
        load->steps[i] = number(s, 2) == 0xFFFF ? PLP : SHORT;
        skip(s, token == 0xA5 || token == 0xAD ? 0 : 5);
    } else if (token == 0x23 || token == 0x63 || token == 0x22) {
        load->steps[i] = LONG;
        skip(s, token == 0x22 ? 4 : 9);
        skip(s, 2 * number(s, 2));
    } else if (token == 0x62) {
        load->steps[i] = VARIANT;
        skip(s, 4);
    } else if (token != 0x28)
        skip(s, 1);
}

static void skip_cell(struct cursor *s, const struct load *load, int i)
{
    uint64_t size;
    switch (load->steps[i]) {
    case FIXED:
        skip(s, load->sizes[i]);
        break;
    case BYTE:
        skip(s, number(s, 1));
        break;
    case SHORT:
        size = number(s, 2);
        skip(s, size == 0xFFFF ? 0 : size);
        break;
    case PLP:
        if (number(s, 8) == UINT64_MAX)
            break;
        while (!s->broken && (size = number(s, 4)) != 0)
            skip(s, size);
        break;
    case LONG:
        size = number(s, 1);
        if (size) {
            skip(s, size + 8);
            skip(s, number(s, 4));
        }
        break;
    case VARIANT:
        skip(s, number(s, 4));
        break;
    }
}

static bool swallow(struct client *c)
{
    struct load load = {0};
    struct cursor s = {.client = c};
    if (number(&s, 1) != 0x81)
        return false;
    load.columns = (int)number(&s, 2);
    if (load.columns > COLUMNS_MAX)
        return false;
    for (int i = 0; i < load.columns; i++) {
        skip(&s, 6);
        read_type(&s, &load, i);
        skip(&s, 2 * number(&s, 1));
    }
    while (!s.broken && (s.piece.size || next_piece(&s))) {
        if (number(&s, 1) != 0xD1)
            break;
        for (int i = 0; i < load.columns; i++)
            skip_cell(&s, &load, i);
        load.rows += !s.broken;
    }
    while (!s.ended && next_piece(&s))
        ;
    printf("%llu %llu\n", (unsigned long long)load.rows, (unsigned long long)s.total);
    fflush(stdout);
    return !s.broken && answer_done(c, 0x10, 0xF0, load.rows);
}

/* ---- requests ---- */

static bool holds(const uint8_t *text, size_t size, const char *ascii)
{
    uint8_t needle[128];
    size_t n = strlen(ascii);
    for (size_t i = 0; i < n; i++) {
        needle[2 * i] = (uint8_t)ascii[i];
        needle[2 * i + 1] = 0;
    }
    return memmem(text, size, needle, 2 * n) != NULL;
}

static bool is_hex(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
}

static bool alike(const uint8_t *one, const uint8_t *other, size_t size, bool digits_too)
{
    for (size_t i = 0; i < size; i++)
        if (one[i] != other[i] && (!digits_too || !is_hex(one[i]) || !is_hex(other[i])))
            return false;
    return true;
}

static bool find_rule(const uint8_t *text, size_t size, bool loosely, struct bytes *found)
{
    for (size_t at = 0; at + 8 <= rules.size;) {
        uint32_t asked, said;
        memcpy(&asked, rules.data + at, 4);
        const uint8_t *statement = rules.data + at + 4;
        memcpy(&said, statement + asked, 4);
        *found = (struct bytes){statement + asked + 4, said};
        if (asked == size && alike(statement, text, size, loosely))
            return true;
        at += 8 + (size_t)asked + said;
    }
    return false;
}

static bool answer_stream(struct client *c, bool rpc)
{
    uint8_t end[64];
    size_t size = put_done(end, rpc ? 0xFF : 0xFD, (uint16_t)(rpc ? 0x11 : 0x10), 0xC1, 0);
    if (rpc) {
        static const uint8_t status[] = {0x79, 0, 0, 0, 0};
        memcpy(end + size, status, sizeof status);
        size += sizeof status;
        size += put_done(end + size, 0xFE, 0, 0, 0);
    }
    return answer(c, streams[atomic_fetch_add(&asked_for, 1) % stream_count], (struct bytes){end, size});
}

/* A transaction begins (8) or ends (9, 10): its ENVCHANGE and a DONE. */
static bool answer_transaction(struct client *c, uint8_t kind)
{
    static const uint8_t begun[] = {0xE3, 11, 0, 8, 8, 1, 0, 0, 0, 0, 0, 0, 0, 0},
                         ended[] = {0xE3, 11, 0, 9, 0, 8, 1, 0, 0, 0, 0, 0, 0, 0};
    memcpy(c->out, kind == 8 ? begun : ended, 14);
    c->out[3] = kind;
    size_t size = 14 + put_done(c->out + 14, 0xFD, 0, 0, 0);
    return answer(c, (struct bytes){c->out, size}, (struct bytes){0});
}

static bool serve(struct client *c, uint8_t type)
{
    struct bytes found;
    uint32_t head = 0;
    if (type == 6)
        return answer_done(c, 0x20, 0, 0);
    if (c->size >= 4)
        memcpy(&head, c->message, 4);
    head = head < c->size ? head : 0;
    const uint8_t *text = c->message + head;
    size_t size = c->size - head;
    if (type == 0x0E && size)
        return answer_transaction(c, text[0] == 5 ? 8 : text[0] == 7 ? 9 : 10);
    size_t start = size < 64 ? size : 64; /* a plan that a client keeps may quote the words further on */
    if (type == 1 && (holds(text, start, "INSERT BULK") || holds(text, start, "insert bulk")))
        return answer_done(c, 0, 0, 0) && swallow(c);
    if (find_rule(text, size, false, &found) || find_rule(text, size, true, &found))
        return answer(c, found, (struct bytes){0});
    if (memmem(text, size, wanted, wanted_size))
        return answer_stream(c, type == 3);
    if (type == 1 && holds(text, size, "BEGIN TRAN"))
        return answer_transaction(c, 8);
    if (type == 1 && holds(text, size, "COMMIT"))
        return answer_transaction(c, 9);
    if (getenv("TDS_REPLAY_SHOW")) {
        fprintf(stderr, "no rule (type %d):", type);
        for (size_t i = 0; i < size && i < 200; i += type == 1 ? 2 : 1)
            fputc(text[i] >= ' ' && text[i] < 127 ? text[i] : '.', stderr);
        fputc('\n', stderr);
    }
    return answer_done(c, type == 3 ? 0 : 0x10, 0xC3, 1);
}

static void *run(void *argument)
{
    struct client *c = argument;
    uint8_t type;
    if (greet(c))
        while (read_message(c, &type) && serve(c, type))
            ;
    close(c->fd);
    free(c->message);
    free(c);
    return NULL;
}

static void *watch_input(void *unused)
{
    char byte;
    while (read(0, &byte, 1) > 0)
        ;
    exit(unused ? 1 : 0);
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc > 3 + STREAMS_MAX || strlen(argv[2]) * 2 > sizeof wanted) {
        fprintf(stderr, "usage: tds-replay RULES TEXT STREAM...\n");
        return 2;
    }
    rules = map(argv[1]);
    for (stream_count = 0; argv[3 + stream_count]; stream_count++)
        streams[stream_count] = map(argv[3 + stream_count]);
    for (const char *p = argv[2]; *p; p++, wanted_size += 2)
        wanted[wanted_size] = (uint8_t)*p;
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof here;
    if (listener < 0 || bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 64) ||
        getsockname(listener, (struct sockaddr *)&here, &length))
        die("listen");
    printf("%d\n", ntohs(here.sin_port));
    fflush(stdout);
    pthread_t thread;
    if (pthread_create(&thread, NULL, watch_input, NULL))
        die("thread");
    for (;;) {
        struct client *c = calloc(1, sizeof *c);
        if (!c || (c->fd = accept(listener, NULL, NULL)) < 0)
            die("accept");
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (pthread_create(&thread, NULL, run, c))
            die("thread");
        pthread_detach(thread);
    }
}
