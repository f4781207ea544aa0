/*
 * The way of services to the dialplan: DBPut and DBDel for Asterisk's own database, Setvar for
 * device states. They are deferred actions: the last one about a key is sent when the link is back.
 */
#include "users/feature_publish.h"
#include "users/deferred_actions.h"
#include "users/feature_keys.h"

#define MAX_KEY 512

static bool has(uint64_t fields, unsigned field)
{
    return fields >> field & 1;
}

/* ---- Asterisk's database ---- */

/* A forward that is on has its destination as its value; what is off has no key. */
static struct view value_of(const struct state *s, const struct xod_obj *user,
                            const struct feature_key *k, char scratch[32])
{
    if (!value_truth(xod_get(user, k->flag)))
        return view_of(NULL, 0);
    return k->destination == k->flag ? view_cstr(config_str(s->cfg, "ctibus.features.astdb.on"))
                                     : value_text(xod_get(user, k->destination), scratch);
}

static void put_key(struct state *s, struct xod_ipbx *ipbx, struct view path, struct view value)
{
    struct view key = path;
    struct view family = view_cut(&key, '/');
    struct buf subject;

    buf_init(&subject, MAX_KEY);
    feature_subject(&subject, path);
    if (value.len)
        deferred_actions_set(s, ipbx, buf_view(&subject), "DBPut", "Family", family, "Key", key,
                             "Val", value, NULL);
    else
        deferred_actions_set(s, ipbx, buf_view(&subject), "DBDel", "Family", family, "Key", key,
                             NULL);
    buf_free(&subject);
}

static void publish_astdb(struct state *s, const struct xod_obj *user, const struct xod_obj *phone,
                          const struct feature_key *k)
{
    char scratch[32];
    struct buf path;

    buf_init(&path, MAX_KEY);
    if (feature_key_put(&path, s, k->astdb, user, phone))
        put_key(s, xod_obj_ipbx(user), buf_view(&path), value_of(s, user, k, scratch));
    buf_free(&path);
}

/* ---- device states ---- */

static void publish_state(struct state *s, const struct xod_obj *user, const struct xod_obj *phone,
                          const struct feature_key *k)
{
    bool on = value_truth(xod_get(user, k->flag));
    struct buf device;

    buf_init(&device, MAX_KEY);
    buf_append_cstr(&device, "DEVICE_STATE(");
    if (feature_key_put(&device, s, k->state, user, phone)) {
        buf_append_char(&device, ')');
        deferred_actions_set(s, xod_obj_ipbx(user), buf_view(&device), "Setvar", "Variable",
                             buf_view(&device), "Value",
                             on ? view_cstr(config_str(s->cfg, "ctibus.features.devstate.on"))
                                : VIEW("NOT_INUSE"),
                             NULL);
    }
    buf_free(&device);
}

/* ---- both ---- */

/* Where a forward that is off would lead does not matter to calls. */
static bool matters(const struct xod_obj *user, const struct feature_key *k, uint64_t fields)
{
    return has(fields, k->flag) ||
           (has(fields, k->destination) && value_truth(xod_get(user, k->flag)));
}

/* A key by the user's id is one, whatever phones the user has. */
static bool is_of_each_phone(const struct state *s, const char *config_key)
{
    struct view template = view_cstr(config_str(s->cfg, config_key));

    return view_find(template, VIEW("{number}")) >= 0 ||
           view_find(template, VIEW("{context}")) >= 0;
}

typedef void publish_fn(struct state *s, const struct xod_obj *user, const struct xod_obj *phone,
                        const struct feature_key *k);

static void publish(struct state *s, const struct xod_obj *user, const struct feature_key *k,
                    const char *config_key, publish_fn *fn)
{
    struct xod_obj *phone = feature_phone(user, 0);
    size_t n = 0;

    fn(s, user, phone, k);
    while (is_of_each_phone(s, config_key) && (phone = feature_phone(user, ++n)))
        fn(s, user, phone, k);
}

void features_publish(struct state *s, const struct xod_obj *user, uint64_t fields)
{
    bool astdb = feature_way(s, "astdb");
    bool states = feature_way(s, "devstate");

    for (size_t i = 0; (astdb || states) && i < N_FEATURE_KEYS; i++) {
        const struct feature_key *k = &feature_keys[i];
        if (astdb && matters(user, k, fields))
            publish(s, user, k, k->astdb, publish_astdb);
        if (states && has(fields, k->flag))
            publish(s, user, k, k->state, publish_state);
    }
}
