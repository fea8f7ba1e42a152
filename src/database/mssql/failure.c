/*
 * failure.c: what the server's messages mean to us.
 *
 * The number decides; numbers that are not in the table are judged by their
 * class. Retryable is what is known to be rolled back or never begun: the list
 * of guarantees (section 2.10), not those of other drivers.
 */
#include "database/mssql/session.h"

#include <stdio.h>
#include <strings.h>

struct failure_row {
    int32_t number;
    enum haul_code code;
    bool retryable;
};

static const struct failure_row failures[] = {
    {64, HAUL_NETWORK, true},       {121, HAUL_NETWORK, true},     {233, HAUL_NETWORK, true},
    {997, HAUL_NETWORK, true},      {10053, HAUL_NETWORK, true},   {10054, HAUL_NETWORK, true},
    {10060, HAUL_NETWORK, true},    {1203, HAUL_BUSY, true},       {1204, HAUL_BUSY, true},
    {1205, HAUL_BUSY, true},        {1222, HAUL_BUSY, true},       {4221, HAUL_BUSY, true},
    {10928, HAUL_BUSY, true},       {10929, HAUL_BUSY, true},      {40020, HAUL_BUSY, true},
    {40143, HAUL_BUSY, true},       {40166, HAUL_BUSY, true},      {40197, HAUL_BUSY, true},
    {40501, HAUL_BUSY, true},       {40540, HAUL_BUSY, true},      {40613, HAUL_BUSY, true},
    {41301, HAUL_BUSY, true},       {41302, HAUL_BUSY, true},      {41305, HAUL_BUSY, true},
    {41325, HAUL_BUSY, true},       {41839, HAUL_BUSY, true},      {42108, HAUL_BUSY, true},
    {42109, HAUL_BUSY, true},       {49918, HAUL_BUSY, true},      {49919, HAUL_BUSY, true},
    {49920, HAUL_BUSY, true},       {17197, HAUL_NETWORK, true},   {18401, HAUL_BUSY, true},
    {601, HAUL_BUSY, true},         {701, HAUL_BUSY, true},        {802, HAUL_BUSY, true},
    {845, HAUL_BUSY, true},         {921, HAUL_BUSY, true},        {922, HAUL_BUSY, true},
    {976, HAUL_BUSY, true},         {983, HAUL_BUSY, true},        {6005, HAUL_BUSY, true},
    {8645, HAUL_BUSY, true},        {8651, HAUL_BUSY, true},       {10061, HAUL_NETWORK, true},
    {17142, HAUL_BUSY, true},       {3960, HAUL_BUSY, true},       {18456, HAUL_LOGIN, false},
    {18452, HAUL_LOGIN, false},     {18470, HAUL_LOGIN, false},    {18486, HAUL_LOGIN, false},
    {18487, HAUL_LOGIN, false},     {18488, HAUL_LOGIN, false},    {4060, HAUL_LOGIN, false},
    {40532, HAUL_LOGIN, false},     {40615, HAUL_LOGIN, false},    {229, HAUL_PERMISSION, false},
    {230, HAUL_PERMISSION, false},  {262, HAUL_PERMISSION, false}, {300, HAUL_PERMISSION, false},
    {916, HAUL_PERMISSION, false},  {208, HAUL_NOT_FOUND, false},  {207, HAUL_NOT_FOUND, false},
    {911, HAUL_NOT_FOUND, false},   {2812, HAUL_NOT_FOUND, false}, {245, HAUL_VALUE, false},
    {220, HAUL_VALUE, false},       {8114, HAUL_VALUE, false},     {8115, HAUL_VALUE, false},
    {2628, HAUL_VALUE, false},      {8152, HAUL_VALUE, false},     {4815, HAUL_VALUE, false},
    {515, HAUL_CONSTRAINT, false},  {547, HAUL_CONSTRAINT, false}, {2601, HAUL_CONSTRAINT, false},
    {2627, HAUL_CONSTRAINT, false}, {9002, HAUL_SPACE, false},     {1105, HAUL_SPACE, false},
    {1101, HAUL_SPACE, false},      {2714, HAUL_EXISTS, false},    {102, HAUL_USAGE, false},
    {156, HAUL_USAGE, false},
};

/* A server that is not Microsoft's may give one number of its own, beyond all of theirs, to most of its
 * errors, and words that are PostgreSQL's: they are taken for the number that SQL Server would give. */
#define NUMBER_FOREIGN 1000000

static const struct foreign_row {
    const char *words;
    int32_t number;
} foreign_words[] = {
    {"does not exist", 208},       {"permission denied", 229},
    {"must be owner", 229},        {"lock timeout", 1222},
    {"deadlock detected", 1205},   {"could not serialize access", 3960},
    {"duplicate key value", 2627}, {"violates not-null", 515},
    {"violates check", 547},       {"violates foreign key", 547},
    {"already exists", 2714},      {"value too long", 8152},
    {"out of range", 8115},        {"No space left", 1105},
    {"too many clients", 10928},   {"remaining connection slots", 10928},
};

static int32_t number_of(const struct ms_message *message)
{
    if (message->number < NUMBER_FOREIGN)
        return message->number;
    for (size_t i = 0; i < sizeof foreign_words / sizeof *foreign_words; i++)
        if (strcasestr(message->text, foreign_words[i].words))
            return foreign_words[i].number;
    return message->number;
}

static bool is_azure(const struct server *server)
{
    return strcasestr(server->host, ".database.windows.net") ||
           strcasestr(server->host, ".database.usgovcloudapi.net") ||
           strcasestr(server->host, ".database.chinacloudapi.cn");
}

static struct failure_row judge(const struct session *session, const struct ms_message *message)
{
    int32_t number = number_of(message);
    struct failure_row row = {number, HAUL_IO, false};
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++)
        if (failures[i].number == number)
            row = failures[i];
    if (number == 4060) /* on premises it is a wrong name, on Azure it may pass */
        row.retryable = is_azure(session->server);
    if (row.code == HAUL_IO && message->class >= 20)
        row = (struct failure_row){number, HAUL_NETWORK, true};
    if (row.code == HAUL_IO && !session->logged_in)
        row.code = HAUL_LOGIN;
    return row;
}

static const char *advice(int32_t number)
{
    switch (number) {
    case 18456:
        return "; check user and password";
    case 4060:
        return "; check the database's name, and that the user may open it";
    case 208:
        return "; \"haul list\" shows the tables";
    case 40615:
        return "; add this address to the server's firewall rules";
    default:
        return "";
    }
}

enum haul_code ms_read_message(struct session *session, struct ms_message *message, struct haul_error *err)
{
    struct wire *wire = &session->wire;
    char server[260];
    uint16_t length;
    uint32_t number, line;
    if (ms_wire_u16(wire, &length, err) || ms_wire_u32(wire, &number, err) ||
        ms_wire_u8(wire, &message->state, err) || ms_wire_u8(wire, &message->class, err) ||
        ms_read_text_u16(wire, message->text, sizeof message->text, err) ||
        ms_read_text_u8(wire, server, sizeof server, err) ||
        ms_read_text_u8(wire, message->procedure, sizeof message->procedure, err) ||
        ms_wire_u32(wire, &line, err))
        return err->code;
    message->number = (int32_t)number;
    message->line = (int32_t)line;
    return HAUL_OK;
}

void ms_fail(const struct session *session, const struct ms_message *message, struct haul_error *err)
{
    struct failure_row row = judge(session, message);
    char place[320] = "";
    if (message->procedure[0])
        snprintf(place, sizeof place, ", procedure %.128s", message->procedure);
    error_set(err, row.code, "%s: the server says: %.700s (error %d, level %d, state %d%s, line %d)%s",
              session->server->name, message->text, message->number, message->class, message->state, place,
              message->line, advice(row.number));
    err->vendor_code = row.number;
    err->retryable = row.retryable;
}
