/*
 * report_ping.c: `haul ping`: what a database says, as text in two columns or as
 * JSON (docs/json.md).
 */
#include "batch/ping.h"
#include "job.h"
#include "report.h"
#include <jansson.h>
#include <stdlib.h>

static const char *right_name(enum ping_right right)
{
    static const char *const names[] = {"not known", "no", "yes"};
    return names[right];
}

/* NULL is JSON's null. */
static int set_text(json_t *root, const char *key, const char *text)
{
    return json_object_set_new(root, key, text ? json_string(text) : json_null());
}

static int set_right(json_t *root, const char *key, enum ping_right right)
{
    return json_object_set_new(root, key,
                               right == RIGHT_UNKNOWN ? json_null() : json_boolean(right == RIGHT_YES));
}

static json_t *tls_json(const struct ping *ping)
{
    json_t *tls = ping->tls ? json_object() : json_null();
    if (!ping->tls || !tls)
        return tls;
    set_text(tls, "protocol", ping->tls);
    set_text(tls, "cipher", ping->cipher);
    set_text(tls, "certificate", ping->certificate);
    set_text(tls, "issuer", ping->issuer);
    set_text(tls, "until", ping->until);
    json_object_set_new(tls, "verified", json_boolean(ping->verified));
    return tls;
}

static json_t *table_json(const struct ping *ping)
{
    json_t *table = ping->table ? json_object() : json_null();
    if (!ping->table || !table)
        return table;
    set_text(table, "name", ping->found ? ping->found : ping->table);
    json_object_set_new(table, "exists", json_boolean(ping->found != NULL));
    set_right(table, "read", ping->read);
    set_right(table, "insert", ping->insert);
    return table;
}

static enum haul_code print_json(const struct ping *ping, char **report, struct haul_error *err)
{
    json_t *root = json_object();
    json_object_set_new(root, "version", json_integer(1));
    set_text(root, "product", ping->product);
    set_text(root, "product_version", ping->version);
    set_text(root, "connection", ping->server);
    set_text(root, "user", ping->user);
    set_text(root, "database", ping->database);
    set_text(root, "schema", ping->schema);
    set_text(root, "state", ping->state);
    json_object_set_new(root, "latency_ms", ping->latency_ms < 0 ? json_null() : json_real(ping->latency_ms));
    json_object_set_new(root, "tls", tls_json(ping));
    json_object_set_new(root, "table", table_json(ping));
    set_right(root, "create_table", ping->create);
    set_right(root, "create_ledger", ping->ledger);
    *report = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    return *report ? HAUL_OK : error_nomem(err, "a report");
}

static enum haul_code line(struct buffer *out, const char *name, const char *text, struct haul_error *err)
{
    return text ? buffer_printf(out, err, "%-12s %s\n", name, text) : HAUL_OK;
}

static enum haul_code print_tls(const struct ping *ping, struct buffer *out, struct haul_error *err)
{
    if (!ping->tls)
        return ping->user ? line(out, "TLS", "none", err) : HAUL_OK;
    if (buffer_printf(out, err, "%-12s %s, %s; %s\n", "TLS", ping->tls, ping->cipher ? ping->cipher : "",
                      ping->verified ? "certificate verified" : "certificate not verified"))
        return err->code;
    if (!ping->certificate)
        return HAUL_OK;
    return buffer_printf(out, err, "%-12s %s; issued by %s, good until %s\n", "certificate",
                         ping->certificate, ping->issuer, ping->until);
}

static enum haul_code print_rights(const struct ping *ping, struct buffer *out, struct haul_error *err)
{
    if (ping->table && ping->found &&
        buffer_printf(out, err, "%-12s %s: read %s, insert %s\n", "table", ping->found,
                      right_name(ping->read), right_name(ping->insert)))
        return err->code;
    if (ping->table && !ping->found &&
        buffer_printf(out, err, "%-12s %s is not there\n", "table", ping->table))
        return err->code;
    return buffer_printf(out, err, "%-12s new tables %s, haul's ledger %s\n", "may make",
                         right_name(ping->create), right_name(ping->ledger));
}

static enum haul_code print_text(const struct ping *ping, struct buffer *out, struct haul_error *err)
{
    if (buffer_printf(out, err, "%s %s\n", ping->product, ping->version ? ping->version : "") ||
        line(out, "connection", ping->server, err) || line(out, "user", ping->user, err) ||
        line(out, "database", ping->database, err) || line(out, "schema", ping->schema, err) ||
        line(out, "state", ping->state, err))
        return err->code;
    if (ping->latency_ms >= 0 && buffer_printf(out, err, "%-12s %.2f ms\n", "latency", ping->latency_ms))
        return err->code;
    return print_tls(ping, out, err) ? err->code : print_rights(ping, out, err);
}

enum haul_code report_ping(const struct haul_job *job, const struct ping *ping, char **report,
                           struct haul_error *err)
{
    struct buffer out = {0};
    if (report_as_json(job))
        return print_json(ping, report, err);
    enum haul_code code = print_text(ping, &out, err);
    if (!code)
        code = report_take(&out, report, err);
    buffer_release(&out);
    return code;
}
