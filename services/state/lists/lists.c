/*
 * The lists of the configuration, from JSON arrays as XiVO's web services give them.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/map.h"
#include "core/remote_lists.h"
#include "directory/directory.h"
#include "lists/asterisk.h"
#include "lists/lists.h"
#include "lists/people.h"
#include "users/extensions.h"
#include "users/feature_reader.h"
#include "users/features.h"
#include "users/passwords.h"
#include "users/relations.h"
#include "json/json.h"

/* ---- reading ---- */

/* The file as JSON; NULL, with where and what is wrong in the log. */
static struct json_object *parse_file(struct state *s, const char *path)
{
    struct json_object *o = NULL;
    struct json_parser p;
    struct buf text;
    size_t line = 1;
    int rc;

    buf_init(&text, MAX_LIST_BYTES);
    rc = buf_read_file(&text, path);
    if (rc < 0 || json_parser_init(&p) < 0) {
        log_error(s->log, "%s: %s", path, strerror(rc < 0 ? -rc : ENOMEM));
        buf_free(&text);
        return NULL;
    }
    if (json_parse(&p, buf_view(&text), &o) < 0) {
        for (size_t i = 0; i < p.offset && i < buf_len(&text); i++)
            line += buf_data(&text)[i] == '\n';
        log_error(s->log, "%s:%zu: not JSON from here on", path, line);
    }
    json_parser_fini(&p);
    buf_free(&text);
    return o;
}

/* urllist_extenfeatures is one object: a list of one. */
static struct json_object *as_array(struct json_object *o)
{
    struct json_object *array = json_object_new_array();

    if (!array || json_object_array_add(array, o) < 0) {
        json_object_put(array);
        json_object_put(o);
        return NULL;
    }
    return array;
}

static struct json_object *read_file(struct state *s, const struct config *cfg, const char *uri,
                                     bool may_be_object)
{
    struct json_object *o = NULL;
    char *path;

    path = config_path(cfg, view_cstr(uri));
    if (!path)
        return NULL;
    o = parse_file(s, path);
    if (may_be_object && o && json_object_is_type(o, json_type_object))
        o = as_array(o);
    if (!o)
        log_error(s->log, "list %s cannot be read: what is known of it stays", path);
    else if (!json_object_is_type(o, json_type_array))
        log_error(s->log, "list %s: not a JSON array", path);
    free(path);
    if (o && !json_object_is_type(o, json_type_array)) {
        json_object_put(o);
        return NULL;
    }
    return o;
}

static bool commented(struct json_object *item)
{
    struct value v;
    bool yes = value_from_json(&v, json_get(item, "commented")) == 0 && value_truth(&v);

    value_clear(&v);
    return yes;
}

/* Takes all fields of the schema that the item has; the others become what they were at first. */
static void take_fields(struct xod_obj *o, struct json_object *item)
{
    const struct schema_list *l = schema_list(xod_obj_list(o));
    uint64_t config = schema_plane_mask(xod_obj_list(o), PLANE_CONFIG);

    for (unsigned f = 0; f < l->n_fields; f++) {
        struct json_object *v = json_get(item, l->fields[f].name);
        struct value value;
        if (!(config >> f & 1))
            continue;
        if (!v || value_from_json(&value, v) < 0 || xod_set(o, f, &value) == -EINVAL)
            xod_reset(o, f);
    }
}

struct view lists_id_of(const struct lists_source *src, struct json_object *item)
{
    struct json_object *context = json_get(item, "context");

    if (src->list == LIST_contexts) /* its id is its name, one level down */
        return context && json_object_is_type(context, json_type_object)
                   ? json_get_text(context, "name")
                   : json_get_text(item, "name");
    return json_get_text(item, src->id);
}

/* Deletes the objects of a list that it does not name. */
static void delete_others(struct state *s, struct xod_ipbx *ipbx, enum xod_list list,
                          const struct map *named)
{
    struct xod_obj *o;
    size_t pos = 0;

    while ((o = xod_next(ipbx, list, &pos))) {
        if (map_get(named, xod_obj_id(o)))
            continue;
        if (list == LIST_users)
            passwords_set(s->passwords, xod_ipbx_name(ipbx), xod_obj_id(o), VIEW(""));
        xod_del(o);
    }
}

/* Loads one list; objects that it does not name go. -ENOMEM: it is loaded in part, and none goes.
 */
static int load_list(struct state *s, struct xod_ipbx *ipbx, const struct lists_source *src,
                     struct json_object *array)
{
    enum xod_list list = src->list;
    struct map *named = map_new();
    int rc = 0;

    if (!named)
        return -ENOMEM;
    for (size_t i = 0; rc == 0 && i < json_object_array_length(array); i++) {
        struct json_object *item = json_object_array_get_idx(array, i);
        struct view id = lists_id_of(src, item);
        struct xod_obj *o;
        if (!json_object_is_type(item, json_type_object) || id.len == 0 || commented(item))
            continue;
        o = xod_add(ipbx, list, id);
        if (!o || map_put(named, xod_obj_id(o), o) < 0) {
            rc = -ENOMEM;
            continue;
        }
        take_fields(o, item);
        if (src->finish)
            src->finish(s, o, item);
    }
    if (rc == 0)
        delete_others(s, ipbx, list, named);
    map_destroy(&named);
    return rc;
}

/* ---- users ---- */

static void finish_user(struct state *s, struct xod_obj *o, struct json_object *item)
{
    struct view first = json_get_text(item, "firstname");
    struct view last = json_get_text(item, "lastname");
    char full[512];

    if (xod_get_str(o, XOD(users, fullname)).len == 0) {
        snprintf(full, sizeof(full), "%.*s%s%.*s", VIEW_ARG(first),
                 first.len && last.len ? " " : "", VIEW_ARG(last));
        xod_set_str(o, XOD(users, fullname), view_cstr(full));
    }
    passwords_set(s->passwords, xod_ipbx_name(xod_obj_ipbx(o)), xod_obj_id(o),
                  json_get_text(item, "passwdclient"));
    features_apply(s->features, o);
}

/* ---- phones, trunks, mailboxes ---- */

/* XiVO calls the driver iax whose channels are IAX2/... */
static struct view driver_of(const struct config *cfg, struct view protocol)
{
    if (view_ieq(protocol, VIEW("iax")))
        return VIEW("IAX2");
    if (view_ieq(protocol, VIEW("sip")) && config_bool(cfg, "ctibus.ipbx.sip_is_pjsip"))
        return VIEW("PJSIP");
    return protocol;
}

/* PROTOCOL/name: what channel names begin with. */
static void set_identity(const struct config *cfg, struct xod_obj *o, unsigned field,
                         struct json_object *item)
{
    struct view protocol = driver_of(cfg, json_get_text(item, "protocol"));
    struct view name = json_get_text(item, "name");
    char identity[256];

    if (name.len == 0)
        return;
    snprintf(identity, sizeof(identity), "%.*s/%.*s", VIEW_ARG(protocol), VIEW_ARG(name));
    for (size_t i = 0; i < protocol.len && i < sizeof(identity); i++)
        if (identity[i] >= 'a' && identity[i] <= 'z')
            identity[i] = (char)(identity[i] & ~0x20);
    if (view_eq(protocol, VIEW("custom"))) /* the name of such a line is a whole dial string */
        snprintf(identity, sizeof(identity), "%.*s", VIEW_ARG(name));
    xod_set_str(o, field, view_cstr(identity));
}

static void finish_phone(struct state *s, struct xod_obj *o, struct json_object *item)
{
    if (!json_get(item, "identity"))
        set_identity(s->cfg, o, XOD(phones, identity), item);
}

static void finish_trunk(struct state *s, struct xod_obj *o, struct json_object *item)
{
    set_identity(s->cfg, o, XOD(trunks, identity), item);
}

static void finish_voicemail(struct state *s, struct xod_obj *o, struct json_object *item)
{
    struct view context = json_get_text(item, "context");
    char full[256];

    (void)s;
    snprintf(full, sizeof(full), "%.*s@%.*s", VIEW_ARG(json_get_text(item, "mailbox")),
             VIEW_ARG(context.len ? context : VIEW("default")));
    xod_set_str(o, XOD(voicemails, fullmailbox), view_cstr(full));
}

static int take_phonebook(struct state *s, struct xod_ipbx *ipbx, struct json_object *array)
{
    return directories_phonebook(s->directories, ipbx, array);
}

static int take_extensions(struct state *s, struct xod_ipbx *ipbx, struct json_object *array)
{
    return extensions_set(s->extensions, ipbx, array);
}

/* ---- meetmes ---- */

/* XiVO has the PIN itself, and no word of whether there is one. Nobody is to see it. */
static void finish_meetme(struct state *s, struct xod_obj *o, struct json_object *item)
{
    struct json_object *pin = json_get(item, "pin");

    (void)s;
    if (!json_get(item, "pin_needed"))
        xod_set_bool(o, XOD(meetmes, pin_needed),
                     json_object_is_type(pin, json_type_boolean)
                         ? json_object_get_boolean(pin)
                         : json_get_text(item, "pin").len > 0);
}

/* ---- all ---- */

static const struct lists_source sources[] = {
    /* the users first: lists_users_known */
    {"urllist_users", LIST_users, "id", finish_user, NULL, false},
    {"urllist_lines", LIST_phones, "id", finish_phone, NULL, false},
    {"urllist_agents", LIST_agents, "id", NULL, NULL, false},
    {"urllist_queues", LIST_queues, "id", NULL, NULL, false},
    {"urllist_groups", LIST_groups, "id", NULL, NULL, false},
    {"urllist_meetmes", LIST_meetmes, "id", finish_meetme, NULL, false},
    {"urllist_voicemails", LIST_voicemails, "uniqueid", finish_voicemail, NULL, false},
    {"urllist_incalls", LIST_incalls, "id", NULL, NULL, false},
    {"urllist_outcalls", LIST_outcalls, "id", NULL, NULL, false},
    {"urllist_contexts", LIST_contexts, "name", NULL, NULL, false},
    {"urllist_trunks", LIST_trunks, "id", finish_trunk, NULL, false},
    {"urllist_parkinglot", LIST_parkinglots, "id", NULL, NULL, false},
    {"urllist_phonebook", LIST_COUNT, NULL, NULL, take_phonebook, false},
    {"urllist_extenfeatures", LIST_COUNT, NULL, NULL, take_extensions, true},
};

#define N_SOURCES ARRAY_SIZE(sources)

const struct lists_source *lists_source(size_t i)
{
    return i < N_SOURCES ? &sources[i] : NULL;
}

/* The i-th URI of a list, or NULL: it has no more. */
static const char *url_of(struct json_object *urllists, const struct lists_source *src, size_t i)
{
    struct json_object *urls = json_get(urllists, src->key);

    if (!urls || !json_object_is_type(urls, json_type_array))
        return NULL;
    return json_object_get_string(json_object_array_get_idx(urls, i));
}

static bool has_url(struct json_object *urllists, const struct lists_source *src, const char *uri)
{
    const char *url;

    for (size_t i = 0; (url = url_of(urllists, src, i)); i++)
        if (strcmp(url, uri) == 0)
            return true;
    return false;
}

/* What comes over HTTP or from the Asterisk, borrowed; NULL: it is not there yet. */
static struct json_object *remote_array(struct state *s, const struct xod_ipbx *ipbx,
                                        const struct lists_source *src, const char *url)
{
    return asterisk_lists_is(url)
               ? asterisk_lists_get(s->asterisk_lists, xod_ipbx_name(ipbx), src->key)
               : remote_lists_get(s->remote_lists, url);
}

static bool is_remote(const char *url)
{
    return asterisk_lists_is(url) || remote_lists_is_remote(url);
}

/* Whether all that is no file is there. */
static bool is_known(struct state *s, const struct xod_ipbx *ipbx, struct json_object *urllists,
                     const struct lists_source *src)
{
    const char *url;

    for (size_t i = 0; (url = url_of(urllists, src, i)); i++)
        if (is_remote(url) && !remote_array(s, ipbx, src, url))
            return false;
    return true;
}

/* Adds the items of one URI to those before it. 0, -ENOMEM, or -EINVAL (logged). */
static int add_url(struct state *s, const struct config *cfg, const struct xod_ipbx *ipbx,
                   const struct lists_source *src, const char *url, struct json_object *all)
{
    struct json_object *one;
    int rc = 0;

    if (people_is(url))
        return people_join(s, cfg, url, src->list == LIST_users, all);
    one = is_remote(url) ? json_object_get(remote_array(s, ipbx, src, url))
                         : read_file(s, cfg, url, src->may_be_object);
    if (!one)
        return -EINVAL;
    for (size_t j = 0; rc == 0 && j < json_object_array_length(one); j++)
        if (json_object_array_add(all, json_object_get(json_object_array_get_idx(one, j))) < 0)
            rc = -ENOMEM;
    json_object_put(one);
    return rc;
}

/* Nothing is loaded of a list that is not known as a whole: the objects of the missing part would
 * go. */
static int load_urls(struct state *s, const struct config *cfg, struct xod_ipbx *ipbx,
                     struct json_object *urllists, const struct lists_source *src)
{
    struct json_object *all;
    const char *url;
    int rc = 0;

    if (!is_known(s, ipbx, urllists, src))
        return 0;
    all = json_object_new_array();
    if (!all)
        return -ENOMEM;
    for (int people = 0; people < 2; people++) /* over all the others, wherever they stand */
        for (size_t i = 0; rc == 0 && (url = url_of(urllists, src, i)); i++)
            if (people_is(url) == (people == 1))
                rc = add_url(s, cfg, ipbx, src, url, all);
    if (rc == 0)
        rc = src->take ? src->take(s, ipbx, all) : load_list(s, ipbx, src, all);
    if (rc == -ENOMEM)
        log_warning(s->log, "%s of %s: out of memory: the list is read in part, and again soon",
                    src->key, xod_ipbx_name(ipbx).ptr);
    json_object_put(all);
    return rc;
}

/* Anybody can log in as they. cti-gw refuses to serve other machines then, but sees only files. */
static void warn_of_guessable(struct state *s, struct xod_ipbx *ipbx)
{
    struct xod_obj *first = NULL;
    struct xod_obj *o;
    size_t n = 0;
    size_t pos = 0;

    while ((o = xod_next(ipbx, LIST_users, &pos))) {
        const char *password = passwords_get(s->passwords, xod_ipbx_name(ipbx), xod_obj_id(o));
        struct view login = xod_get_str(o, XOD(users, loginclient));
        if (!password || login.len == 0 || !view_eq(view_cstr(password), login))
            continue;
        n++;
        first = first ? first : o;
    }
    if (n > 0)
        log_warning(s->log, "users of %.*s: the password of %zu is the login name, as of %.*s",
                    VIEW_ARG(xod_ipbx_name(ipbx)), n,
                    VIEW_ARG(xod_get_str(first, XOD(users, loginclient))));
}

static void log_counts(struct state *s, struct xod_ipbx *ipbx)
{
    struct buf line;

    buf_init(&line, 1024);
    for (size_t i = 0; i < N_SOURCES; i++)
        if (!sources[i].take)
            buf_printf(&line, "%s%zu %s", i ? ", " : "", xod_count(ipbx, sources[i].list),
                       schema_list(sources[i].list)->name);
    log_notice(s->log, "lists of %.*s: %s", VIEW_ARG(xod_ipbx_name(ipbx)), buf_cstr(&line));
    warn_of_guessable(s, ipbx);
    buf_free(&line);
}

static struct json_object *ipbx_of(const struct config *cfg, const struct ipbx *ipbx)
{
    return json_get(config_section(cfg, "ipbxes"), xod_ipbx_name(ipbx->model->ipbx).ptr);
}

/* Which of the lists; either may be NULL: any. */
struct wanted {
    const char *key; /* of urllists */
    const char *uri; /* that is among its URIs */
};

static bool is_wanted(const struct wanted *w, const struct lists_source *src,
                      struct json_object *urllists)
{
    return (!w->key || strcmp(w->key, src->key) == 0) &&
           (!w->uri || has_url(urllists, src, w->uri));
}

/* Those of the lists of an IPBX that are wanted. */
static int load_ipbx(struct state *s, const struct config *cfg, struct ipbx *of,
                     const struct wanted *wanted)
{
    struct xod_ipbx *ipbx = of->model->ipbx;
    struct json_object *section = ipbx_of(cfg, of);
    struct json_object *urls = json_get(section, "urllists");
    bool any = false;
    int rc = 0;

    for (size_t i = 0; section && i < N_SOURCES; i++) {
        int one;
        if (!is_wanted(wanted, &sources[i], urls))
            continue;
        any = true;
        one = load_urls(s, cfg, ipbx, urls, &sources[i]);
        if (one < 0)
            rc = one;
        else if (is_known(s, ipbx, urls, &sources[i]))
            of->lists_read |= UINT32_C(1) << i;
        if (one == -EINVAL)
            remote_lists_failed(s->remote_lists);
    }
    if (!any)
        return 0;
    relations_link(ipbx);
    ipbx_model_relink(of->model);
    feature_reader_all(s, of);
    if (!wanted->uri)
        log_counts(s, ipbx);
    return rc;
}

void lists_want(struct remote_lists *remote, const struct config *cfg)
{
    struct json_object *ipbxes = config_section(cfg, "ipbxes");
    const char *url;

    remote_lists_begin(remote, cfg);
    json_object_object_foreach(ipbxes, name, section)
    {
        struct json_object *urls = json_get(section, "urllists");
        (void)name;
        for (size_t j = 0; json_get(section, "ipbx_connection") && j < N_SOURCES; j++)
            for (size_t k = 0; (url = url_of(urls, &sources[j], k)); k++)
                if (remote_lists_is_remote(url))
                    remote_lists_want(remote, url);
    }
    remote_lists_end(remote);
}

bool lists_users_known(struct state *s, struct view ipbx)
{
    struct ipbx *of = state_ipbx(s, ipbx);
    struct json_object *section = of ? ipbx_of(s->cfg, of) : NULL;

    return !section || (of->lists_read & 1 &&
                        is_known(s, of->model->ipbx, json_get(section, "urllists"), &sources[0]));
}

bool lists_all_users_known(struct state *s)
{
    for (size_t i = 0; i < s->n_ipbxes; i++)
        if (!lists_users_known(s, xod_ipbx_name(s->ipbxes[i].model->ipbx)))
            return false;
    return true;
}

static bool has_remote(struct json_object *urllists, const struct lists_source *src)
{
    const char *url;

    for (size_t i = 0; (url = url_of(urllists, src, i)); i++)
        if (remote_lists_is_remote(url))
            return true;
    return false;
}

/* Lists in files and of an Asterisk of which nothing is known yet; those over HTTP are counted by
 * their URIs. */
static unsigned count_unread(const struct config *cfg, const struct ipbx *of)
{
    struct json_object *urls = json_get(ipbx_of(cfg, of), "urllists");
    unsigned n = 0;

    for (size_t i = 0; i < N_SOURCES; i++)
        n += url_of(urls, &sources[i], 0) && !has_remote(urls, &sources[i]) &&
             !(of->lists_read >> i & 1);
    return n;
}

static int load_ipbxes(struct state *s, const struct config *cfg, const struct wanted *wanted)
{
    unsigned unread = 0;
    int rc = 0;

    for (size_t i = 0; i < s->n_ipbxes; i++) {
        int one = load_ipbx(s, cfg, &s->ipbxes[i], wanted);
        if (one < 0)
            rc = one;
        unread += count_unread(cfg, &s->ipbxes[i]);
    }
    remote_lists_unread(s->remote_lists, unread);
    return rc;
}

int lists_load(struct state *s, const struct config *cfg)
{
    lists_want(s->remote_lists, cfg);
    return load_ipbxes(s, cfg, &(struct wanted){NULL, NULL});
}

int lists_load_uri(struct state *s, const struct config *cfg, const char *uri)
{
    return load_ipbxes(s, cfg, &(struct wanted){.uri = uri});
}

int lists_load_key(struct state *s, const struct config *cfg, const char *key)
{
    return load_ipbxes(s, cfg, &(struct wanted){.key = key});
}

const char *lists_url(const struct config *cfg, const struct ipbx *ipbx, const char *key, size_t i)
{
    struct json_object *urls = json_get(ipbx_of(cfg, ipbx), "urllists");

    return url_of(urls, &(struct lists_source){.key = key}, i);
}
