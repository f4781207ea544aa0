/* The company as ctibus loads it: users.json and its companions. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "office/company.h"
#include "office/office.h"
#include "office/site.h"

typedef struct json_object object;

static void put(object *o, const char *key, const char *value)
{
    json_object_object_add(o, key, json_object_new_string(value));
}

static void put_number(object *o, const char *key, int64_t value)
{
    json_object_object_add(o, key, json_object_new_int64(value));
}

static void put_id(object *o, const char *key, unsigned value)
{
    char text[16];

    snprintf(text, sizeof(text), "%u", value);
    put(o, key, text);
}

static void put_null(object *o, const char *key)
{
    json_object_object_add(o, key, NULL);
}

static object *add(object *list)
{
    object *o = json_object_new_object();

    json_object_array_add(list, o);
    return o;
}

static void full_name(const struct company_person *p, char out[88])
{
    snprintf(out, 88, "%s %s", p->first, p->last);
}

/* Of all but every tenth, who has none. */
static void put_email(object *o, const struct company_person *p, unsigned i)
{
    char text[64];

    if (i % 10 == 9)
        return put_null(o, "email");
    snprintf(text, sizeof(text), "%s@office.example", p->login);
    put(o, "email", text);
}

static object *users(const struct office_options *options)
{
    static const char *const zeros[] = {"enablednd", "incallfilter", "callrecord",
                                        "enableunc", "enablerna",    "enablebusy"};
    static const char *const empty[] = {"destunc", "destrna", "destbusy"};
    object *list = json_object_new_array();
    struct company_person p;

    for (unsigned i = 0; i < options->people; i++) {
        object *o = add(list);
        company_person(i, &p);
        put_id(o, "id", i + 1);
        put(o, "firstname", p.first);
        put(o, "lastname", p.last);
        put(o, "loginclient", p.login);
        put(o, "passwdclient", p.login);
        put_number(o, "enableclient", 1);
        put(o, "profileclient", p.profile);
        put(o, "mobilephonenumber", "");
        put_email(o, &p, i);
        if (p.agent)
            put_id(o, "agentid", p.agent - COMPANY_FIRST_AGENT + 1);
        else
            put_null(o, "agentid");
        put_id(o, "voicemailid", i + 1);
        put_number(o, "enablevoicemail", 1);
        for (size_t k = 0; k < sizeof(zeros) / sizeof(*zeros); k++)
            put_number(o, zeros[k], 0);
        for (size_t k = 0; k < sizeof(empty) / sizeof(*empty); k++)
            put(o, empty[k], "");
        put_number(o, "enablexfer", 1);
        put_number(o, "ringseconds", 30);
        put_number(o, "simultcalls", 5);
        put_null(o, "entityid");
    }
    return list;
}

static object *lines(const struct office_options *options)
{
    object *list = json_object_new_array();
    struct company_person p;

    for (unsigned i = 0; i < options->people; i++) {
        object *o = add(list);
        company_person(i, &p);
        put_id(o, "id", i + 1);
        put(o, "protocol", options->old ? "sip" : "pjsip");
        put(o, "name", p.login);
        put(o, "number", p.number);
        put(o, "context", "default");
        put_number(o, "iduserfeatures", i + 1);
        put_number(o, "rules_order", 1);
        put_number(o, "simultcalls", 5);
        put_number(o, "initialized", 1);
        put_null(o, "allowtransfer");
    }
    return list;
}

static object *agents(const struct office_options *options)
{
    object *list = json_object_new_array();
    struct company_person p;

    for (unsigned i = 0; i < options->people; i++) {
        company_person(i, &p);
        if (!p.agent)
            continue;
        object *o = add(list);
        put_id(o, "id", p.agent - COMPANY_FIRST_AGENT + 1);
        put_id(o, "number", p.agent);
        put(o, "firstname", p.first);
        put(o, "lastname", p.last);
        put(o, "context", "default");
        put_number(o, "ackcall", 0);
        put_number(o, "wrapuptime", company_queues[p.queue].wrapup_s);
    }
    return list;
}

static object *queues(const struct office_options *options)
{
    object *list = json_object_new_array();

    for (unsigned i = 0; i < COMPANY_QUEUES; i++) {
        object *o = add(list);
        put_id(o, "id", i + 1);
        put(o, "name", company_queues[i].name);
        put(o, "displayname", company_queues[i].display);
        put(o, "number", company_queues[i].number);
        put(o, "context", "default");
    }
    return list;
}

static object *groups(const struct office_options *options)
{
    return json_object_new_array();
}

static object *meetmes(const struct office_options *options)
{
    object *list = json_object_new_array(), *o = add(list);

    put(o, "id", "1");
    put(o, "confno", COMPANY_ROOM);
    put(o, "name", "Open room");
    put(o, "context", "default");
    json_object_object_add(o, "pin_needed", json_object_new_boolean(0));
    put_number(o, "admin_moderationmode", 0);
    return list;
}

static object *voicemails(const struct office_options *options)
{
    object *list = json_object_new_array();
    struct company_person p;
    char name[88];

    for (unsigned i = 0; i < options->people; i++) {
        object *o = add(list);
        company_person(i, &p);
        full_name(&p, name);
        put_id(o, "uniqueid", i + 1);
        put(o, "mailbox", p.number);
        put(o, "context", "default");
        put(o, "fullname", name);
        put(o, "email", "");
    }
    return list;
}

static void incall(object *list, const char *exten, const char *to, unsigned id)
{
    object *o = add(list);

    put_id(o, "id", (unsigned)json_object_array_length(list));
    put(o, "exten", exten);
    put(o, "context", "from-extern");
    put(o, "destination", to);
    put_id(o, "actionarg1", id);
}

static object *incalls(const struct office_options *options)
{
    object *list = json_object_new_array();
    struct company_person p;

    for (unsigned i = 0; i < COMPANY_QUEUES; i++)
        incall(list, company_queues[i].did, "queue", i + 1);
    for (unsigned i = 0; i < options->people; i++) {
        company_person(i, &p);
        incall(list, p.did, "user", i + 1);
    }
    return list;
}

static void context(object *list, const char *name, const char *display, const char *type,
                    object *numbers)
{
    object *o = add(list), *c = json_object_new_object(), *t = json_object_new_object();

    put(c, "name", name);
    put(c, "displayname", display);
    json_object_object_add(o, "context", c);
    json_object_object_add(o, "contextnumbers", numbers);
    put(t, "name", type);
    json_object_object_add(o, "contexttype", t);
    json_object_object_add(o, "deletable", json_object_new_boolean(0));
}

static object *contexts(const struct office_options *options)
{
    object *list = json_object_new_array(), *numbers = json_object_new_object();
    object *ranges = json_object_new_array(), *range = add(ranges);

    put(range, "numberbeg", "1001");
    put(range, "numberend", "1899");
    if (options->people > 899) {
        range = add(ranges);
        put(range, "numberbeg", "10900");
        put(range, "numberend", "19999");
    }
    json_object_object_add(numbers, "user", ranges);
    context(list, "default", "Default", "internal", numbers);
    context(list, "from-extern", "Incoming", "incall", json_object_new_object());
    return list;
}

static object *trunks(const struct office_options *options)
{
    object *list = json_object_new_array(), *o = add(list);

    put(o, "id", "1");
    put(o, "protocol", options->old ? "sip" : "pjsip");
    put(o, "name", COMPANY_TRUNK);
    put(o, "context", "from-extern");
    put(o, "host", "dynamic");
    put(o, "type", "friend");
    return list;
}

static object *parkinglots(const struct office_options *options)
{
    object *list = json_object_new_array(), *o = add(list);

    put(o, "id", "1");
    put(o, "name", "default");
    put(o, "extension", COMPANY_LOT_EXTEN);
    put(o, "context", "parkedcalls");
    put_number(o, "positions", COMPANY_LOT_SPACES);
    put_number(o, "duration", 45);
    put(o, "description", "The parking lot");
    return list;
}

static object *site(const struct office_options *options)
{
    return site_new();
}

static FILE *open_file(const char *dir, const char *name)
{
    char path[4096];

    if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path)) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    return fopen(path, "w");
}

static int close_file(FILE *f)
{
    int rc = ferror(f) ? -EIO : 0;

    if (fclose(f) != 0 && rc == 0)
        rc = -errno;
    return rc;
}

static int write_json(const char *dir, const char *name, object *tree)
{
    FILE *f = tree ? open_file(dir, name) : NULL;
    int rc = -ENOMEM;

    if (tree && !f)
        rc = -errno;
    if (f) {
        fprintf(f, "%s\n",
                json_object_to_json_string_ext(tree, JSON_C_TO_STRING_PRETTY |
                                                         JSON_C_TO_STRING_SPACED |
                                                         JSON_C_TO_STRING_NOSLASHESCAPE));
        rc = close_file(f);
    }
    json_object_put(tree);
    return rc;
}

static int write_contacts(const char *dir)
{
    FILE *f = open_file(dir, "contacts.csv");

    if (!f)
        return -errno;
    fputs("name,firstname,lastname,company,phone,mobile,email\n", f);
    for (size_t i = 0; i < company_n_outsiders; i++) {
        const struct company_outsider *c = &company_outsiders[i];
        fprintf(f, "%s,%s,%s,\"%s\",%s,%s,%s\n", c->name, c->first, c->last, c->firm, c->phone,
                c->mobile, c->mail);
    }
    return close_file(f);
}

int office_write_lists(const struct office_options *options, const char *dir)
{
    static const struct {
        const char *name;
        object *(*make)(const struct office_options *options);
    } files[] = {{"users.json", users},
                 {"lines.json", lines},
                 {"agents.json", agents},
                 {"queues.json", queues},
                 {"groups.json", groups},
                 {"meetmes.json", meetmes},
                 {"voicemails.json", voicemails},
                 {"incalls.json", incalls},
                 {"contexts.json", contexts},
                 {"trunks.json", trunks},
                 {"parkinglots.json", parkinglots},
                 {"ctibus.json", site}};
    int rc = 0;

    for (size_t i = 0; i < sizeof(files) / sizeof(*files) && rc == 0; i++)
        rc = write_json(dir, files[i].name, files[i].make(options));
    return rc < 0 ? rc : write_contacts(dir);
}
