/* people_import_personal_contacts_csv, people_export_personal_contacts_csv. */
#include <stdlib.h>

#include "commands/commands.h"
#include "core/deferred_reply.h"
#include "people/contact_change.h"
#include "people/csv.h"
#include "sessions/sessions.h"
#include "json/json.h"

#define MAX_FAILED 1000 /* lines that are told of */
/* So that the line to the client, escaped as JSON, stays below what may wait for it. */
#define MAX_EXPORT ((size_t)1536 * 1024)

/* ---- import ---- */

static const char *check_names(const struct contact_change *k)
{
    struct people_csv csv;
    int rc = people_csv_begin(&csv, buf_view(&k->text));

    people_csv_end(&csv);
    return rc < 0 ? "csv_contacts" : NULL;
}

/* Adds a contact to what is written, if there is room. NULL, or why not. */
static const char *take(struct contact_change *k, struct db_txn *t, struct json_object *contact)
{
    const char *fault = NULL;
    struct buf json;

    buf_init(&json, 0);
    json_put_object(&json, contact);
    if (json.failed)
        fault = "no memory";
    else if (k->now.contacts >= CONTACTS_MAX ||
             (size_t)k->now.bytes + buf_len(&json) > CONTACTS_MAX_BYTES)
        fault = "too many contacts";
    if (!fault) {
        contacts_add(t, contact_change_site(k), contact_change_user(k), buf_view(&json));
        k->now.contacts++;
        k->now.bytes += (int64_t)buf_len(&json);
    }
    buf_free(&json);
    return fault;
}

static void put_failed(struct buf *out, size_t line, const char *fault)
{
    msg_put_map(out, 2);
    msg_put_cstr(out, "line");
    msg_put_i64(out, (int64_t)line);
    msg_put_cstr(out, "errors");
    msg_put_array(out, 1);
    msg_put_cstr(out, fault);
}

static void import(struct contact_change *k, struct db_txn *t)
{
    int64_t before = k->now.contacts;
    struct json_object *contact;
    struct people_csv csv;
    const char *fault;
    size_t n_failed = 0;
    struct buf failed;

    buf_init(&failed, 0);
    people_csv_begin(&csv, buf_view(&k->text));
    while (people_csv_next(&csv, &contact, &fault) > 0) {
        if (contact)
            fault = take(k, t, contact);
        json_object_put(contact);
        if (fault && n_failed < MAX_FAILED) {
            put_failed(&failed, csv.line, fault);
            n_failed++;
        }
    }
    people_csv_end(&csv);
    msg_put_cstr(&k->pairs, "created_count");
    msg_put_i64(&k->pairs, k->now.contacts - before);
    msg_put_elements(&k->pairs, "failed", n_failed, &failed);
    k->n = 2;
    buf_free(&failed);
}

static void import_csv(struct state *s, struct session *se, struct deferred_reply *l,
                       const msgpack_object *message)
{
    const msgpack_object *text = msg_get(message, "csv_contacts");
    struct contact_change *k;

    if (!text || text->type != MSGPACK_OBJECT_STR) {
        deferred_reply_error(&l, "csv_contacts");
        return;
    }
    k = contact_change_new(s, se, l);
    if (!k)
        return;
    if (buf_append_view(&k->text, msg_str(text)) < 0) {
        contact_change_refuse(k, "too_long");
        return;
    }
    k->check = check_names;
    k->fill = import;
    contact_change_run(k);
}

/* ---- export ---- */

struct exporting {
    struct deferred_reply *l;
    struct json_parser parser;
    struct json_object *contacts[CONTACTS_MAX];
    size_t n;
};

static bool take_row(void *arg, const struct db_row *row)
{
    struct exporting *x = arg;

    if (x->n == CONTACTS_MAX)
        return false;
    if (json_parse(&x->parser, db_text(row, 1), &x->contacts[x->n]) == 0 && x->contacts[x->n])
        x->n++;
    return true;
}

static void export_free(struct exporting *x)
{
    for (size_t i = 0; i < x->n; i++)
        json_object_put(x->contacts[i]);
    json_parser_fini(&x->parser);
    free(x);
}

static void on_rows(void *arg, int rc)
{
    struct exporting *x = arg;
    struct buf text;
    struct buf pairs;

    buf_init(&text, MAX_EXPORT);
    buf_init(&pairs, 0);
    if (rc < 0) {
        deferred_reply_error(&x->l, "database");
    } else if (people_csv_put(&text, x->contacts, x->n) < 0) {
        deferred_reply_error(&x->l, "too_long");
    } else {
        msg_put_pair(&pairs, "csv_contacts", buf_view(&text));
        deferred_reply_pairs(&x->l, 1, &pairs);
    }
    buf_free(&pairs);
    buf_free(&text);
    export_free(x);
}

static void export_csv(struct state *s, struct session *se, struct deferred_reply *l,
                       const msgpack_object *message)
{
    struct exporting *x = calloc(1, sizeof(*x));

    if (!x || json_parser_init(&x->parser) < 0) {
        free(x);
        deferred_reply_status(&l, BUS_busy);
        return;
    }
    x->l = l;
    if (contacts_read(s->db, xod_ipbx_name(se->ipbx), view_cstr(se->user_id), take_row, on_rows,
                      x) < 0) {
        export_free(x);
        deferred_reply_error(&l, "database");
    }
}

const struct command command_people_import_personal_contacts_csv = {
    "people_import_personal_contacts_csv", import_csv, false};
const struct command command_people_export_personal_contacts_csv = {
    "people_export_personal_contacts_csv", export_csv, true};
