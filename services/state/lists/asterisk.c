#include "lists/asterisk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "access/access.h"
#include "bus/bus.h"
#include "core/resync.h"
#include "database/db.h"
#include "msg/msg.h"
#include "json/json.h"

#define URI "asterisk:"
#define DISCOVER_MS 120000 /* thousands of endpoints are asked about one by one */

/* The lists of one Asterisk. */
struct site {
    LIST_ENTRY(site) all;
    struct json_object *known;  /* name -> array; NULL: nothing is known */
    struct json_object *coming; /* the answer that is on its way, or NULL */
    bool asked;
    bool told; /* of a list that is not complete, in the answer that is coming */
    struct asterisk_lists *of;
    char name[]; /* of the IPBX */
};

struct asterisk_lists {
    struct state *s;
    void (*changed)(void *state, const char *uri);
    LIST_HEAD(, site) sites;
    struct json_parser parser;
};

/* ---- lifecycle ---- */

struct asterisk_lists *asterisk_lists_new(struct state *s,
                                          void (*changed)(void *state, const char *uri))
{
    struct asterisk_lists *a = calloc(1, sizeof(*a));

    if (!a)
        return NULL;
    a->s = s;
    a->changed = changed;
    LIST_INIT(&a->sites);
    if (json_parser_init(&a->parser) < 0) {
        free(a);
        return NULL;
    }
    return a;
}

void asterisk_lists_destroy(struct asterisk_lists **ap)
{
    struct asterisk_lists *a = ap ? *ap : NULL;
    struct site *site;

    if (!a)
        return;
    *ap = NULL;
    while ((site = LIST_FIRST(&a->sites))) {
        LIST_REMOVE(site, all);
        json_object_put(site->known);
        json_object_put(site->coming);
        free(site);
    }
    json_parser_fini(&a->parser);
    free(a);
}

static struct site *find(const struct asterisk_lists *a, struct view ipbx)
{
    struct site *site;

    LIST_FOREACH(site, &a->sites, all)
    if (view_eq(view_cstr(site->name), ipbx))
        return site;
    return NULL;
}

static struct site *make(struct asterisk_lists *a, struct view ipbx)
{
    struct site *site = find(a, ipbx);

    if (site)
        return site;
    site = calloc(1, sizeof(*site) + ipbx.len + 1);
    if (!site)
        return NULL;
    memcpy(site->name, ipbx.ptr, ipbx.len);
    site->of = a;
    LIST_INSERT_HEAD(&a->sites, site, all);
    return site;
}

/* ---- the database ---- */

static bool take_row(void *arg, const struct db_row *row)
{
    struct asterisk_lists *a = arg;
    struct json_object *known = NULL;
    struct site *site;

    if (json_parse(&a->parser, db_text(row, 1), &known) < 0 || !(site = make(a, db_text(row, 0)))) {
        json_object_put(known);
        return true;
    }
    json_object_put(site->known);
    site->known = known;
    return true;
}

int asterisk_lists_restore(struct asterisk_lists *a)
{
    return db_read_now(a->s->db, "SELECT site, lists FROM asterisk_lists", take_row, a, "");
}

static void keep(const struct site *site)
{
    const char *text = json_object_to_json_string_ext(site->known, JSON_C_TO_STRING_PLAIN);

    if (text)
        db_write(site->of->s->db,
                 "INSERT INTO asterisk_lists (site, lists) VALUES (?, ?)"
                 " ON CONFLICT (site) DO UPDATE SET lists = excluded.lists",
                 "ss", view_cstr(site->name), view_cstr(text));
}

/* ---- asking ---- */

bool asterisk_lists_is(const char *uri)
{
    return strcmp(uri, URI) == 0;
}

struct json_object *asterisk_lists_get(const struct asterisk_lists *a, struct view ipbx,
                                       const char *key)
{
    const struct site *site = find(a, ipbx);
    struct json_object *list;

    if (!site || !site->known || strncmp(key, "urllist_", 8) != 0)
        return NULL;
    list = json_get(site->known, key + 8);
    return json_object_is_type(list, json_type_array) ? list : NULL;
}

static void log_found(const struct site *site)
{
    struct buf line;
    const char *sep = "";

    buf_init(&line, 1024);
    json_object_object_foreach(site->known, name, list)
    {
        buf_printf(&line, "%s%zu %s", sep, json_object_array_length(list), name);
        sep = ", ";
    }
    log_notice(site->of->s->log, "%s: its Asterisk has %s", site->name, buf_cstr(&line));
    buf_free(&line);
}

/* Objects of a list of which not all was answered are not taken for gone. */
static void keep_known(struct site *site, const char *name, bool complete)
{
    struct json_object *before = json_get(site->known, name);
    size_t n = json_object_is_type(before, json_type_array) ? json_object_array_length(before) : 0;

    if (complete || n == 0)
        return;
    json_object_object_add(site->coming, name, json_object_get(before));
    if (!site->told)
        log_warning(site->of->s->log,
                    "%s: its Asterisk does not list all of its %s, which are kept as they were: a "
                    "module or a permission is missing, or it has just started",
                    site->name, name);
    site->told = true;
}

/* All of them have come. What is new is not in the listing before: everything is listed again. */
static void take_lists(struct site *site)
{
    struct state *s = site->of->s;
    struct ipbx *ipbx = state_ipbx(s, view_cstr(site->name));

    if (site->known && json_object_equal(site->known, site->coming)) {
        json_object_put(site->coming);
        site->coming = NULL;
        return;
    }
    json_object_put(site->known);
    site->known = site->coming;
    site->coming = NULL;
    log_found(site);
    keep(site);
    site->of->changed(s, URI);
    if (ipbx)
        resync_ask(s, ipbx);
}

static void drop(struct site *site, enum bus_status status)
{
    site->asked = false;
    json_object_put(site->coming);
    site->coming = NULL;
    if (status != BUS_gone) /* which is told where gateways are watched */
        log_warning(site->of->s->log,
                    "%s: not all questions about the lists of its Asterisk were answered (%.*s): "
                    "what was known of them stays until the next resync",
                    site->name, VIEW_ARG(schema_status_name(status)));
}

static void on_lists(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct site *site = arg;
    struct asterisk_lists *a = site->of;
    struct json_object *list = NULL;
    char name[32];

    if (status != BUS_ok && status != BUS_more) {
        drop(site, status);
        return;
    }
    if (!site->coming) {
        site->coming = json_object_new_object();
        site->told = false;
    }
    snprintf(name, sizeof(name), "%.*s", VIEW_ARG(msg_get_str(body, "list")));
    if (json_parse(&a->parser, msg_get_str(body, "items"), &list) == 0 &&
        json_object_is_type(list, json_type_array) && site->coming)
        json_object_object_add(site->coming, name, list);
    else
        json_object_put(list);
    if (site->coming)
        keep_known(site, name, msg_get_bool(body, "complete", false));
    if (status == BUS_more)
        return;
    site->asked = false;
    if (site->coming)
        take_lists(site);
}

static bool is_wanted(const struct state *s, const struct ipbx *ipbx)
{
    struct json_object *section =
        json_get(config_section(s->cfg, "ipbxes"), xod_ipbx_name(ipbx->model->ipbx).ptr);
    struct json_object *lists = json_get(section, "urllists");

    if (!json_object_is_type(lists, json_type_object))
        return false;
    json_object_object_foreach(lists, key, uris)
    {
        (void)key;
        if (access_names(uris, VIEW(URI), NULL))
            return true;
    }
    return false;
}

void asterisk_lists_resynced(struct asterisk_lists *a, struct ipbx *ipbx)
{
    struct site *site;

    if (!ipbx->gateway || !ipbx->login || !is_wanted(a->s, ipbx))
        return;
    site = make(a, xod_ipbx_name(ipbx->model->ipbx));
    if (!site || site->asked)
        return;
    site->asked = bus_server_ask(a->s->server, ipbx->gateway, METHOD_ami_discover, 0,
                                 view_of(NULL, 0), DISCOVER_MS, on_lists, site) != 0;
}

void asterisk_lists_refresh(struct asterisk_lists *a)
{
    for (size_t i = 0; i < a->s->n_ipbxes; i++)
        asterisk_lists_resynced(a, &a->s->ipbxes[i]);
}
