/*
 * manifest.c: what a folder target keeps beside its files.
 *
 * Version 2: who wrote it, the columns with their types, the sums of the whole
 * (rows, hash, rejects, losses), and each part with its rows and hash,
 * so that a reader can prove the folder against it. It says nothing of time or
 * place: the same rows make the same manifest. The files are the sink's to add, in
 * the empty arrays "entries" (names, which PyButt reads) and "files" (what is known
 * of each); part p of P went to file p x N / P.
 */
#include "transfer/manifest.h"
#include <jansson.h>
#include <stdio.h>

#define TYPE_TEXT_BYTES 512

static bool put(json_t *object, const char *key, json_t *value)
{
    return value && json_object_set_new(object, key, value) == 0;
}

static bool put_number(json_t *object, const char *key, int64_t number)
{
    return put(object, key, json_integer((json_int_t)number));
}

static bool put_hash(json_t *object, struct hash128 hash, bool unhashed)
{
    char text[HASH_TEXT_BYTES];
    if (unhashed) /* adopted: nobody has seen the values */
        return true;
    hash_print(hash, text);
    return put(object, "hash", json_string(text));
}

/* Takes `one`. */
static bool append(json_t *array, json_t *one, bool whole)
{
    if (whole)
        return json_array_append_new(array, one) == 0;
    json_decref(one);
    return false;
}

static bool put_columns(json_t *root, const struct schema *schema)
{
    char type[TYPE_TEXT_BYTES];
    json_t *columns = json_array();
    bool done = put(root, "columns", columns);
    for (int i = 0; done && i < schema->count; i++) {
        const struct field *field = &schema->fields[i];
        field_print_type(field, type, sizeof type);
        json_t *one = json_object();
        done =
            append(columns, one,
                   one && put(one, "name", json_string(field->name)) && put(one, "type", json_string(type)) &&
                       (!field->sql_type || put(one, "sql_type", json_string(field->sql_type))));
    }
    return done;
}

static bool put_parts(json_t *root, const struct tally *tally)
{
    json_t *parts = json_array();
    bool done = put(root, "parts", parts);
    for (size_t i = 0; done && i < tally->count; i++) {
        const struct receipt *receipt = &tally->receipts[i];
        json_t *one = json_object();
        done = append(parts, one,
                      one && put_number(one, "part", (int64_t)receipt->unit.part) &&
                          put_number(one, "rows", receipt->rows) &&
                          put_hash(one, receipt->hash, receipt->unhashed) &&
                          put_number(one, "rejects", receipt->reject_count));
    }
    return done;
}

enum haul_code manifest_print(const struct plan *plan, const struct plan_facts *facts,
                              const struct tally *tally, char **json, struct haul_error *err)
{
    json_t *root = json_object();
    bool done = root && put_number(root, "version", MANIFEST_VERSION) &&
                put(root, "type", json_string("files")) && put(root, "entries", json_array()) &&
                put(root, "files", json_array()) && put(root, "run", json_string(plan->run)) &&
                put(root, "fingerprint", json_string(plan->fingerprint)) &&
                put_number(root, "rows", tally->rows) && put_hash(root, tally->hash, tally->unhashed) &&
                put(root, "consistency", json_string(facts->info->consistency)) &&
                (!facts->info->consistency_note ||
                 put(root, "consistency_note", json_string(facts->info->consistency_note))) &&
                put_number(root, "rejects", tally->rejects) && put_number(root, "losses", tally->losses) &&
                put_columns(root, &facts->terms->schema) && put_parts(root, tally);
    *json = done ? json_dumps(root, JSON_INDENT(1)) : NULL;
    json_decref(root);
    return *json ? HAUL_OK : error_nomem(err, "the manifest");
}
