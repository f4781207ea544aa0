#include "lists/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "core/remote_lists.h"
#include "csv/staff.h"
#include "lists/lists.h"
#include "json/json.h"

/* Of a list that has a fault in every item, so many are told. */
#define MAX_TOLD 20

struct checking {
    const struct config *cfg;
    config_error_fn *tell;
    void *arg;
    bool wrong;
    /* of the list at hand */
    const char *file;
    struct view key; /* of urllists */
    unsigned told;
    bool csv;    /* it is one of people: its fields have the names of columns */
    bool unread; /* a file of it could not be read, so not all of its ids are known */
    /* of the IPBX */
    struct json_object *ids;      /* of this list, as keys; so the others */
    struct json_object *logins;   /* of users */
    struct json_object *user_ids; /* NULL: not all users are in files */
};

static void fault(struct checking *c, const char *where, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void fault(struct checking *c, const char *where, const char *fmt, ...)
{
    struct config_error e = {(char *)c->file, (char *)where, NULL};
    char reason[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(reason, sizeof(reason), fmt, ap);
    va_end(ap);
    c->wrong = true;
    e.reason = c->told < MAX_TOLD ? reason : (char *)"more of the same kind follow";
    if (c->told == MAX_TOLD)
        e.key = (char *)"";
    if (c->told++ <= MAX_TOLD)
        c->tell(c->arg, &e);
}

/* ---- one item ---- */

/* A name that is nearly this one. */
static bool is_near(const char *a, const char *b)
{
    return strlen(a) >= 3 && view_distance(view_cstr(a), view_cstr(b)) == 1;
}

/* XiVO's lists have many keys that are not used here; one that is nearly one of ours is a slip. */
static void check_keys(struct checking *c, const char *where, enum xod_list list,
                       struct json_object *item)
{
    static const char *const others[] = {"id", "passwdclient", "commented", "uniqueid"};
    const struct schema_list *l = schema_list(list);

    json_object_object_foreach(item, key, value)
    {
        bool known = schema_field_find(list, view_cstr(key)) >= 0;
        (void)value;
        for (size_t i = 0; i < ARRAY_SIZE(others); i++)
            known = known || strcmp(key, others[i]) == 0;
        for (unsigned f = 0; !known && f < l->n_fields; f++)
            if (is_near(key, l->fields[f].name) && !json_get(item, l->fields[f].name)) {
                fault(c, where, "%s is not known: did you mean %s?", key, l->fields[f].name);
                break;
            }
        for (size_t i = 0; !known && i < ARRAY_SIZE(others); i++)
            if (is_near(key, others[i]) && !json_get(item, others[i]))
                fault(c, where, "%s is not known: did you mean %s?", key, others[i]);
    }
}

/* Texts of items end with a NUL. */
static bool has(struct json_object *set, struct view what)
{
    return json_object_object_get_ex(set, what.ptr, NULL);
}

static void add(struct json_object *set, struct view what)
{
    json_object_object_add(set, what.ptr, NULL);
}

static void check_once(struct checking *c, const char *where, struct json_object *seen,
                       struct view what, const char *kind)
{
    if (!seen || what.len == 0)
        return;
    if (has(seen, what))
        fault(c, where, "%s %.*s is there twice (numbers and texts are alike): the last one counts",
              kind, VIEW_ARG(what));
    else
        add(seen, what);
}

static void check_profile(struct checking *c, const char *where, struct json_object *user)
{
    struct json_object *profiles = config_section(c->cfg, "profiles");
    bool known = profiles || !config_get(c->cfg, "profiles"); /* else that is the fault */
    struct view login = json_get_text(user, "loginclient");
    struct view profile = json_get_text(user, "profileclient");

    if (known && profile.len && !json_member(profiles, profile))
        fault(c, where, "%s %.*s is none of `profiles`: %.*s cannot log in",
              c->csv ? "profile" : "profileclient", VIEW_ARG(profile), VIEW_ARG(login));
}

static void check_user(struct checking *c, const char *where, struct json_object *user)
{
    struct view login = json_get_text(user, "loginclient");

    if (!json_get_bool(user, "enableclient", true) || login.len == 0)
        return;
    if (c->logins && has(c->logins, login))
        fault(c, where, "login %.*s is that of another user, too: only one of them can log in",
              VIEW_ARG(login));
    else if (c->logins)
        add(c->logins, login);
    check_profile(c, where, user);
    if (json_get_text(user, "passwdclient").len == 0)
        fault(c, where, "%.*s has no %s, and cannot log in: `ctibus passwd` makes one",
              VIEW_ARG(login), c->csv ? "password" : "passwdclient");
}

static void check_protocol(struct checking *c, const char *where, struct json_object *item)
{
    static const char *const known[] = {"sip",     "pjsip", "iax",     "iax2",   "sccp",
                                        "dahdi",   "mgcp",  "skinny",  "custom", "local",
                                        "unistim", "h323",  "ooh323",  "ustm",   "dongle",
                                        "motif",   "zap",   "console", "misdn",  "capi"};
    struct view protocol = json_get_text(item, "protocol");
    char word[32];

    if (json_get(item, "identity"))
        return;
    if (protocol.len == 0) {
        fault(c, where, "has no protocol: sip, pjsip, iax, sccp, dahdi or custom");
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (view_ieq(protocol, view_cstr(known[i])))
            return;
    snprintf(word, sizeof(word), "%.*s", VIEW_ARG(protocol));
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (is_near(word, known[i])) {
            fault(c, where, "protocol %s is not known: did you mean %s?", word, known[i]);
            return;
        }
    fault(c, where,
          "protocol %s is not known: it must be what the names of channels begin with, "
          "as pjsip",
          word);
}

static void check_line(struct checking *c, const char *where, struct json_object *line)
{
    struct view user = json_get_text(line, "iduserfeatures");

    check_protocol(c, where, line);
    if (json_get_text(line, "name").len == 0 && !json_get(line, "identity"))
        fault(c, where, "has no name: that of its endpoint or peer");
    if (user.len && !view_eq(user, VIEW("0")) && c->user_ids && !has(c->user_ids, user))
        fault(c, where, "iduserfeatures %.*s is the id of no user", VIEW_ARG(user));
}

static void check_item(struct checking *c, size_t i, const struct lists_source *src,
                       struct json_object *item)
{
    char where[64];
    struct view id;

    snprintf(where, sizeof(where), "item %zu", i + 1);
    if (!json_object_is_type(item, json_type_object)) {
        fault(c, where, "is not an object");
        return;
    }
    id = lists_id_of(src, item);
    if (id.len == 0)
        fault(c, where, "has no %s, and is left out", src->id);
    check_once(c, where, c->ids, id, src->id);
    check_keys(c, where, src->list, item);
    if (src->list == LIST_users)
        check_user(c, where, item);
    else if (src->list == LIST_phones)
        check_line(c, where, item);
}

/* ---- one file ---- */

static size_t line_of(struct view text, size_t offset)
{
    size_t line = 1;

    for (size_t i = 0; i < offset && i < text.len; i++)
        line += text.ptr[i] == '\n';
    return line;
}

/* The array, or NULL (told). */
static struct json_object *parse(struct checking *c, struct view text)
{
    struct json_object *o = NULL;
    struct json_parser p;
    struct view twice;
    char where[32];

    if (view_starts(text, VIEW("\357\273\277"))) {
        fault(c, "line 1", "begins with a byte order mark: save it as UTF-8 without one");
        return NULL;
    }
    if (json_parser_init(&p) < 0)
        return NULL;
    if (json_parse(&p, text, &o) < 0) {
        snprintf(where, sizeof(where), "line %zu", line_of(text, p.offset));
        fault(c, where, "is not JSON from here on");
    } else if (json_find_duplicate(text, &twice) == 1) {
        snprintf(where, sizeof(where), "line %zu", line_of(text, (size_t)(twice.ptr - text.ptr)));
        fault(c, where, "\"%.*s\" is there twice in one object: the last one counts",
              VIEW_ARG(twice));
    }
    json_parser_fini(&p);
    return o;
}

static void check_array(struct checking *c, const struct lists_source *src, struct json_object *o)
{
    if (o && src->take)
        return; /* of another form */
    if (o && !json_object_is_type(o, json_type_array)) {
        fault(c, "", "must be a JSON array");
        return;
    }
    for (size_t i = 0; o && i < json_object_array_length(o); i++)
        check_item(c, i, src, json_object_array_get_idx(o, i));
}

static void on_staff_fault(void *arg, size_t line, const char *what)
{
    char where[32];

    snprintf(where, sizeof(where), "line %zu", line);
    fault(arg, where, "%s", what);
}

/* A row without a number is that of the user of this login whom a list before has. */
static void check_person(struct checking *c, struct json_object *row, struct json_object *joined,
                         struct json_object *numbers)
{
    struct view login = json_get_text(row, "loginclient");
    struct view number = json_get_text(row, "number");
    char where[32];

    snprintf(where, sizeof(where), "line %lld", (long long)json_get_i64(row, "line", 0));
    check_once(c, where, numbers, number, "number");
    if (number.len || !c->logins || !has(c->logins, login)) {
        check_user(c, where, row);
        if (number.len == 0 && joined)
            add(joined, login);
    } else {
        check_once(c, where, joined, login, "login");
        check_profile(c, where, row);
    }
}

/* Rows of people, who need no id. */
static void check_people(struct checking *c, struct view text)
{
    struct json_object *rows = staff_read(text, on_staff_fault, c);
    struct json_object *numbers = json_object_new_object();
    struct json_object *joined = json_object_new_object();

    for (size_t i = 0; rows && i < json_object_array_length(rows); i++)
        check_person(c, json_object_array_get_idx(rows, i), joined, numbers);
    json_object_put(joined);
    json_object_put(numbers);
    json_object_put(rows);
}

static void check_file(struct checking *c, const struct lists_source *src, const char *uri)
{
    bool csv = strncmp(uri, "csv:", 4) == 0;
    char *path = config_path(c->cfg, view_cstr(csv ? uri + 4 : uri));
    struct json_object *o;
    struct buf text;
    int rc;

    if (!path)
        return;
    c->file = path;
    c->told = 0;
    c->csv = csv;
    buf_init(&text, MAX_LIST_BYTES);
    rc = buf_read_file(&text, path);
    if (rc < 0) {
        c->unread = true;
        fault(c, "", "%s (%s names it): correct the name, or make the file", strerror(-rc),
              src->key);
    } else if (csv) {
        check_people(c, buf_view(&text));
    } else {
        o = parse(c, buf_view(&text));
        c->unread = c->unread || !json_object_is_type(o, json_type_array);
        check_array(c, src, o);
        json_object_put(o);
    }
    buf_free(&text);
    free(path);
}

/* ---- all ---- */

static bool is_file(const char *uri)
{
    return strncmp(uri, "file:", 5) == 0 || strncmp(uri, "csv:", 4) == 0;
}

static void check_list(struct checking *c, struct json_object *urllists,
                       const struct lists_source *src)
{
    struct json_object *uris = json_get(urllists, src->key);
    size_t n = json_object_is_type(uris, json_type_array) ? json_object_array_length(uris) : 0;
    bool all = n > 0;

    c->unread = false;
    c->ids = json_object_new_object();
    for (size_t i = 0; i < n; i++) {
        const char *uri = json_object_get_string(json_object_array_get_idx(uris, i));
        all = all && uri && is_file(uri);
        if (uri && is_file(uri))
            check_file(c, src, uri);
    }
    if (src->list == LIST_users && all && !c->unread) {
        c->user_ids = c->ids;
        c->ids = NULL;
    }
    json_object_put(c->ids);
    c->ids = NULL;
}

/* Of XiVO's configuration, and not read: the hardware of its provisioning. */
static const char devices[] = "urllist_devices";

/* "urllist_user" */
static void check_names(struct checking *c, struct json_object *urllists)
{
    const struct lists_source *src;
    char key[128];

    c->told = 0;
    json_object_object_foreach(urllists, name, uris)
    {
        bool known = strcmp(name, devices) == 0;
        (void)uris;
        for (size_t i = 0; (src = lists_source(i)); i++)
            known = known || strcmp(src->key, name) == 0;
        if (known || strncmp(name, "urllist", 7) != 0)
            continue;
        snprintf(key, sizeof(key), "urllists.%.80s", name);
        for (size_t i = 0; !known && (src = lists_source(i)); i++)
            if (is_near(name, src->key)) {
                fault(c, key, "is not known: did you mean %s?", src->key);
                known = true;
            }
        if (!known)
            fault(c, key,
                  "is not known; urllist_users, _lines, _trunks, _queues, _groups, _agents, "
                  "_meetmes, _voicemails, _parkinglot, _incalls, _outcalls, _contexts, "
                  "_phonebook and _extenfeatures are");
    }
}

bool lists_check(const struct config *cfg, config_error_fn *tell, void *arg)
{
    struct json_object *ipbxes = config_section(cfg, "ipbxes");
    struct checking c = {.cfg = cfg, .tell = tell, .arg = arg};
    const struct lists_source *src;

    if (!ipbxes)
        return true;
    json_object_object_foreach(ipbxes, name, ipbx)
    {
        struct json_object *urllists = json_get_object(ipbx, "urllists");
        if (!urllists)
            continue;
        c.file = name;
        check_names(&c, urllists);
        c.logins = json_object_new_object();
        c.user_ids = NULL;
        for (size_t i = 0; (src = lists_source(i)); i++)
            check_list(&c, urllists, src);
        json_object_put(c.logins);
        json_object_put(c.user_ids);
    }
    return !c.wrong;
}
