/*
 * error.c: how a failure is told, and which exit code it becomes.
 *
 * One table says for each code its name in the JSON events, its exit code and
 * whether "may succeed later" counts. Exit codes tell a scheduler what to do:
 * 75 is the only one worth repeating, so a code that a repetition cannot mend
 * (a wrong option, a checksum that differs) never becomes 75, whatever the
 * retryable flag says. Most codes blame a side; those that are nobody's fault
 * but ours or the machine's are always 1.
 *
 * A message is one line of valid UTF-8: control characters and bytes that are
 * not UTF-8 (a file name may hold any) appear as \xNN, so that neither a
 * terminal nor a JSON line can be broken by foreign text.
 */
#include "base/error.h"
#include "base/unicode.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define EXIT_FAILED    1
#define EXIT_USAGE     2
#define EXIT_INTEGRITY 4
#define EXIT_SOURCE    5
#define EXIT_TARGET    6
#define EXIT_AGAIN     75
#define BY_SIDE        (-1)

struct code_row {
    const char *name;
    int exit_code; /* BY_SIDE: 5, 6 or 1 */
    bool again;    /* retryable makes it 75 */
};

static const struct code_row code_table[] = {
    [HAUL_OK] = {"ok", 0, false},
    [HAUL_USAGE] = {"usage", EXIT_USAGE, false},        /* the same command fails the same way */
    [HAUL_NOT_FOUND] = {"not_found", BY_SIDE, true},    /* a replica may lag: the caller says so */
    [HAUL_EXISTS] = {"exists", BY_SIDE, false},         /* it will still be there */
    [HAUL_PERMISSION] = {"permission", BY_SIDE, false}, /* somebody has to grant it first */
    [HAUL_SPACE] = {"space", BY_SIDE, true},            /* server storage may be made free meanwhile */
    [HAUL_IO] = {"io", BY_SIDE, true},
    [HAUL_NETWORK] = {"network", BY_SIDE, true},
    [HAUL_TLS] = {"tls", BY_SIDE,
                  true}, /* a handshake cut short is retryable, a bad certificate is not marked so */
    [HAUL_LOGIN] = {"login", BY_SIDE, true}, /* "too many connections", "starting up" */
    [HAUL_DATA] = {"data", BY_SIDE, false},  /* malformed stays malformed */
    [HAUL_VALUE] = {"value", BY_SIDE, false},
    [HAUL_CONSTRAINT] = {"constraint", BY_SIDE, true}, /* some engines report a deadlock victim as one */
    [HAUL_BUSY] = {"busy", BY_SIDE, true},
    [HAUL_CHANGED] =
        {"changed", EXIT_INTEGRITY,
         true}, /* a person decides; retryable: a source's snapshot is gone, and a new one may be read */
    [HAUL_INTEGRITY] = {"integrity", EXIT_INTEGRITY, false}, /* repeating would hide it */
    [HAUL_UNSUPPORTED] = {"unsupported", BY_SIDE, false},
    [HAUL_LIMIT] = {"limit", BY_SIDE, true}, /* a server's quota; our own budget is not marked retryable */
    [HAUL_NOMEM] = {"nomem", EXIT_FAILED, true},      /* the machine's, no side is to blame */
    [HAUL_REJECTS] = {"rejects", EXIT_FAILED, false}, /* the rows will be refused again */
    [HAUL_CANCELLED] = {"cancelled", EXIT_AGAIN, false},
    [HAUL_INTERNAL] = {"internal", EXIT_FAILED, false},
};
#define CODE_COUNT (sizeof code_table / sizeof code_table[0])
_Static_assert(CODE_COUNT == HAUL_INTERNAL + 1, "each code has a row");

const char *haul_code_name(enum haul_code code)
{
    return (size_t)code < CODE_COUNT ? code_table[code].name : "internal";
}

int haul_exit_code(const struct haul_error *err)
{
    if (!err)
        return 0;
    if ((size_t)err->code >= CODE_COUNT)
        return EXIT_FAILED;
    const struct code_row *row = &code_table[err->code];
    if (err->retryable && row->again)
        return EXIT_AGAIN;
    if (row->exit_code != BY_SIDE)
        return row->exit_code;
    if (err->side == HAUL_SIDE_SOURCE)
        return EXIT_SOURCE;
    return err->side == HAUL_SIDE_TARGET ? EXIT_TARGET : EXIT_FAILED;
}

/* The bytes one character of `text` (valid for `good` bytes) takes in a message; 0: shown as \xNN. */
static size_t character_bytes(const unsigned char *text, size_t good)
{
    if (good == 0 || text[0] < 0x20 || text[0] == 0x7f)
        return 0;
    size_t bytes = 1;
    while (bytes < good && (text[bytes] & 0xc0) == 0x80)
        bytes++;
    return bytes;
}

static void message_store(char *out, const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t at = 0, end = 0, good = 0;
    while (at < length) {
        if (at >= good)
            good = at + unicode_valid_prefix(bytes + at, length - at);
        size_t size = character_bytes(bytes + at, good - at);
        size_t shown = size ? size : 4;
        if (end + shown >= HAUL_ERROR_MESSAGE_BYTES)
            break;
        if (size)
            memcpy(out + end, bytes + at, size);
        else
            (void)snprintf(out + end, 5, "\\x%02X", bytes[at]);
        end += shown;
        at += size ? size : 1;
    }
    out[end] = '\0';
}

/* `text` has HAUL_ERROR_MESSAGE_BYTES, and may name err->message among its arguments. */
__attribute__((format(printf, 2, 0))) static void text_format(char *text, const char *format, va_list args)
{
    if (vsnprintf(text, HAUL_ERROR_MESSAGE_BYTES, format, args) < 0)
        text[0] = '\0';
    size_t length = strlen(text);
    if (length < HAUL_ERROR_MESSAGE_BYTES - 1)
        return;
    for (size_t tail = 1; tail <= 3; tail++) { /* a character cut in two is dropped */
        const uint8_t *lead = (const uint8_t *)text + length - tail;
        if (*lead >= 0xc0 && !unicode_is_valid(lead, tail))
            text[length - tail] = '\0';
    }
}

static void error_fill(struct haul_error *err, enum haul_code code, const char *text)
{
    err->code = code;
    err->side = HAUL_SIDE_NONE;
    err->retryable = false;
    memset(err->sqlstate, 0, sizeof err->sqlstate);
    err->vendor_code = 0;
    message_store(err->message, text, strlen(text));
}

enum haul_code error_set(struct haul_error *err, enum haul_code code, const char *format, ...)
{
    char text[HAUL_ERROR_MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    text_format(text, format, args);
    va_end(args);
    error_fill(err, code, text);
    return code;
}

struct errno_row {
    int errnum;
    enum haul_code code;
    bool retryable;
};

static const struct errno_row errno_table[] = {
    {ENOENT, HAUL_NOT_FOUND, false},    {ENOTDIR, HAUL_NOT_FOUND, false},
    {EEXIST, HAUL_EXISTS, false},       {ENOTEMPTY, HAUL_EXISTS, false},
    {EACCES, HAUL_PERMISSION, false},   {EPERM, HAUL_PERMISSION, false},
    {EROFS, HAUL_PERMISSION, false},    {ENOSPC, HAUL_SPACE, false},
    {EDQUOT, HAUL_SPACE, false},        {EFBIG, HAUL_SPACE, false},
    {ENOMEM, HAUL_NOMEM, false},        {EBUSY, HAUL_BUSY, false},
    {EAGAIN, HAUL_BUSY, false},         {ETXTBSY, HAUL_BUSY, false},
    {EMFILE, HAUL_LIMIT, false},        {ENFILE, HAUL_LIMIT, false},
    {EISDIR, HAUL_USAGE, false},        {ENAMETOOLONG, HAUL_USAGE, false},
    {ECONNREFUSED, HAUL_NETWORK, true}, {ECONNRESET, HAUL_NETWORK, true},
    {ECONNABORTED, HAUL_NETWORK, true}, {ETIMEDOUT, HAUL_NETWORK, true},
    {EHOSTUNREACH, HAUL_NETWORK, true}, {ENETUNREACH, HAUL_NETWORK, true},
    {ENETDOWN, HAUL_NETWORK, true},
};

enum haul_code error_set_errno(struct haul_error *err, int errnum, const char *format, ...)
{
    char what[HAUL_ERROR_MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    text_format(what, format, args);
    va_end(args);

    struct errno_row row = {errnum, HAUL_IO, false};
    for (size_t i = 0; i < sizeof errno_table / sizeof errno_table[0]; i++)
        if (errno_table[i].errnum == errnum)
            row = errno_table[i];
    const char *why = strerrordesc_np(errnum); /* not translated: a message reads the same everywhere */
    error_set(err, row.code, "%s: %s", what, why ? why : "unknown error");
    err->vendor_code = errnum;
    err->retryable = row.retryable;
    return row.code;
}

enum haul_code error_prefix(struct haul_error *err, const char *format, ...)
{
    char text[HAUL_ERROR_MESSAGE_BYTES], whole[2 * HAUL_ERROR_MESSAGE_BYTES + 2];
    va_list args;
    va_start(args, format);
    text_format(text, format, args);
    va_end(args);
    int length = snprintf(whole, sizeof whole, "%s: %s", text, err->message);
    message_store(err->message, whole, length < 0 ? 0 : (size_t)length);
    return err->code;
}

enum haul_code error_nomem(struct haul_error *err, const char *what)
{
    return error_set(err, HAUL_NOMEM, "no memory for %s", what);
}
