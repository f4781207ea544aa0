/*
 * The way of services to the dialplan: DBPut and DBDel for Asterisk's own database, Setvar for
 * device states, changes of XiVO's table. They are deferred actions: the last one about a key is
 * sent when the link, or the database, is back.
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

/* ---- XiVO's table ---- */

/* Flag and destination together: calls never find the one without the other. */
static void publish_row(struct state *s, const struct xod_obj *user, const struct feature_key *k)
{
    bool forward = k->destination != k->flag;
    struct view flag = value_truth(xod_get(user, k->flag)) ? VIEW("1") : VIEW("0");
    struct buf subject;
    char scratch[32];

    buf_init(&subject, MAX_KEY);
    feature_row_subject(&subject, user, k);
    deferred_actions_set(s, xod_obj_ipbx(user), buf_view(&subject), "userfeatures", "id",
                         xod_obj_id(user), feature_column(k->flag).ptr, flag,
                         forward ? feature_column(k->destination).ptr : NULL,
                         value_text(xod_get(user, k->destination), scratch), NULL);
    buf_free(&subject);
}

/* ---- all ---- */

/* Where a forward that is off would lead does not matter to calls. */
static bool matters(const struct xod_obj *user, const struct feature_key *k, uint64_t fields)
{
    return has(fields, k->flag) ||
           (has(fields, k->destination) && value_truth(xod_get(user, k->flag)));
}

typedef void publish_fn(struct state *s, const struct xod_obj *user, const struct xod_obj *phone,
                        const struct feature_key *k);

/* `except`: a phone that has it already, or NULL. */
static void publish(struct state *s, const struct xod_obj *user, const struct feature_key *k,
                    const char *config_key, publish_fn *fn, const struct xod_obj *except)
{
    struct xod_obj *phone = feature_phone(user, 0);
    bool each = feature_key_of_each_phone(s, config_key);

    if (each ? phone != except || !phone : !except)
        fn(s, user, phone, k);
    for (size_t n = 1; each && (phone = feature_phone(user, n)); n++)
        if (phone != except)
            fn(s, user, phone, k);
}

static void publish_keys(struct state *s, const struct xod_obj *user, uint64_t fields,
                         const struct xod_obj *except)
{
    bool astdb = feature_way(s, xod_obj_ipbx(user), "astdb");
    bool states = feature_way(s, xod_obj_ipbx(user), "devstate");

    for (size_t i = 0; (astdb || states) && i < N_FEATURE_KEYS; i++) {
        const struct feature_key *k = &feature_keys[i];
        if (astdb && matters(user, k, fields))
            publish(s, user, k, k->astdb, publish_astdb, except);
        if (states && has(fields, k->flag))
            publish(s, user, k, k->state, publish_state, except);
    }
}

void features_publish(struct state *s, const struct xod_obj *user, uint64_t fields)
{
    publish_keys(s, user, fields, NULL);
    for (size_t i = 0; i < N_FEATURE_KEYS && feature_way(s, xod_obj_ipbx(user), "userfeatures");
         i++)
        if (has(fields, feature_keys[i].flag) || has(fields, feature_keys[i].destination))
            publish_row(s, user, &feature_keys[i]);
}

void features_publish_others(struct state *s, const struct xod_obj *user, uint64_t fields,
                             const struct xod_obj *phone)
{
    publish_keys(s, user, fields, phone);
}

void features_publish_phone(struct state *s, const struct xod_obj *user,
                            const struct feature_key *k, const struct xod_obj *phone)
{
    if (feature_way(s, xod_obj_ipbx(user), "astdb"))
        publish_astdb(s, user, phone, k);
    if (feature_way(s, xod_obj_ipbx(user), "devstate"))
        publish_state(s, user, phone, k);
}
