#include "callers/callers.h"

#include <stdlib.h>

#include "access/access.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/queue.h"
#include "directory/directory.h"
#include "model/model.h"
#include "json/json.h"

#define KEPT 1024                  /* numbers */
#define KEPT_US UINT64_C(60000000) /* from the answer */
#define PER_SECOND 50              /* lookups */
#define MAX_NUMBER 64              /* bytes; what is longer is no telephone number */
#define MAX_CHANNELS_BYTES ((size_t)1 << 20)

/* Whose number it is. */
struct known {
    TAILQ_ENTRY(known) entries; /* the oldest first */
    struct callers *callers;
    char *name; /* NULL: nobody's */
    bool answered;
    uint64_t until; /* monotonic us */
    struct view ipbx, context, number;
    size_t key_len;
    char key[]; /* the three, with a NUL behind each */
};

struct callers {
    struct state *s;
    struct map *by_key;
    TAILQ_HEAD(, known) all;
    struct buf channels; /* to be looked at: IPBX, NUL, name, NUL */
    uint64_t second;     /* in which lookups are counted */
    unsigned lookups;
    bool looking; /* what is set is committed when all are looked at */
    bool changed;
};

/* ---- what is known ---- */

static void forget(struct callers *c, struct known *k)
{
    map_del(c->by_key, view_of(k->key, k->key_len));
    TAILQ_REMOVE(&c->all, k, entries);
    free(k->name);
    free(k);
}

/* NULL without memory. */
static struct known *remember(struct callers *c, struct view key)
{
    struct known *k = calloc(1, sizeof(*k) + key.len);
    struct view rest;

    if (!k)
        return NULL;
    memcpy(k->key, key.ptr, key.len);
    k->key_len = key.len;
    k->callers = c;
    rest = view_of(k->key, key.len);
    k->ipbx = view_cut(&rest, '\0');
    k->context = view_cut(&rest, '\0');
    k->number = view_cut(&rest, '\0');
    if (map_put(c->by_key, view_of(k->key, k->key_len), k) < 0) {
        free(k);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&c->all, k, entries);
    return k;
}

/* May one more be asked for? It makes room. */
static bool may_ask(struct callers *c)
{
    uint64_t now = clock_mono_us() / 1000000;
    struct known *oldest = TAILQ_FIRST(&c->all);

    if (now != c->second) {
        c->second = now;
        c->lookups = 0;
    }
    if (c->lookups == PER_SECOND)
        return false;
    if (map_count(c->by_key) >= KEPT) {
        if (!oldest->answered)
            return false;
        forget(c, oldest);
    }
    c->lookups++;
    return true;
}

/* ---- channels ---- */

/* The number that is to be looked up; empty: none. */
static struct view nameless_number(const struct xod_obj *channel)
{
    struct view number = xod_get_str(channel, XOD(channels, peer_number));
    struct view name = xod_get_str(channel, XOD(channels, peer_name));

    return number.len > MAX_NUMBER || (name.len && !view_eq(name, number)) ? view_of(NULL, 0)
                                                                           : number;
}

static void show(struct callers *c, struct xod_obj *channel, const struct known *k)
{
    struct view name = k && k->name ? view_cstr(k->name) : view_of(NULL, 0);

    if (view_eq(name, xod_get_str(channel, XOD(channels, peer_known))))
        return;
    xod_set_text(channel, XOD(channels, peer_known), name);
    c->changed = true;
}

static void commit(struct callers *c)
{
    if (c->changed)
        state_commit(c->s, false);
    c->changed = false;
}

/* All channels that wait for this name. */
static void show_all(struct callers *c, const struct known *k)
{
    const struct ipbx *ipbx = state_ipbx(c->s, k->ipbx);
    struct xod_obj *channel;

    for (size_t pos = 0; ipbx && (channel = xod_next(ipbx->model->ipbx, LIST_channels, &pos));)
        if (view_eq(nameless_number(channel), k->number) &&
            view_eq(xod_get_str(channel, XOD(channels, context)), k->context) &&
            phone_of_channel(ipbx->model, xod_obj_id(channel)))
            show(c, channel, k);
    if (!c->looking)
        commit(c);
}

/* ---- asking ---- */

static void on_fields(void *arg, struct json_object *fields)
{
    struct known *k = arg;
    struct view name = json_get_text(fields, "fullname");

    k->answered = true;
    k->until = clock_mono_us() + KEPT_US;
    if (name.len == 0)
        return;
    k->name = view_dup(name);
    show_all(k->callers, k);
}

/* Colleagues are found where the phone sees them. */
static bool sees(void *arg, const struct xod_obj *o)
{
    return access_sees(arg, o);
}

static void ask(struct callers *c, struct ipbx *ipbx, struct known *k)
{
    /* the only context of the phone, ended by its NUL */
    struct access access = {.contexts = (char *)k->context.ptr, .len = k->context.len + 1};
    struct directory_ask what = {
        .ipbx = ipbx->model->ipbx,
        .context = k->context,
        .text = k->number,
        .sees = access_is_separate(c->s->cfg) ? sees : NULL,
        .sees_arg = &access,
    };

    directory_reverse(c->s->directories, &what, on_fields, k);
}

static void look_at(struct callers *c, struct ipbx *ipbx, struct xod_obj *channel)
{
    struct view number = nameless_number(channel);
    struct view context = xod_get_str(channel, XOD(channels, context));
    struct known *k = NULL;
    struct buf key;

    if (number.len && phone_of_channel(ipbx->model, xod_obj_id(channel))) {
        buf_init(&key, 4096);
        buf_printf(&key, "%.*s%c%.*s%c%.*s%c", VIEW_ARG(xod_ipbx_name(ipbx->model->ipbx)), 0,
                   VIEW_ARG(context), 0, VIEW_ARG(number), 0);
        k = map_get(c->by_key, buf_view(&key));
        if (k && k->answered && clock_mono_us() >= k->until) {
            forget(c, k);
            k = NULL;
        }
        if (!k && !key.failed && may_ask(c) && (k = remember(c, buf_view(&key))))
            ask(c, ipbx, k);
        buf_free(&key);
    }
    show(c, channel, k);
}

void callers_change(void *callers, const struct xod_change *change)
{
    struct callers *c = callers;

    if (xod_obj_list(change->obj) != LIST_channels || change->op == XOD_DEL ||
        !(change->fields & (XOD_BIT(channels, peer_number) | XOD_BIT(channels, peer_name) |
                            XOD_BIT(channels, context))))
        return;
    if (xod_get_str(change->obj, XOD(channels, peer_number)).len == 0 &&
        xod_get_str(change->obj, XOD(channels, peer_known)).len == 0)
        return;
    buf_append_view(&c->channels, xod_ipbx_name(xod_obj_ipbx(change->obj)));
    buf_append_char(&c->channels, '\0');
    buf_append_view(&c->channels, xod_obj_id(change->obj));
    buf_append_char(&c->channels, '\0');
}

void callers_look(struct callers *c)
{
    struct view rest = buf_view(&c->channels);

    if (rest.len == 0)
        return;
    c->looking = true;
    while (rest.len && !c->channels.failed) {
        struct ipbx *ipbx = state_ipbx(c->s, view_cut(&rest, '\0'));
        struct view name = view_cut(&rest, '\0');
        struct xod_obj *channel = ipbx ? xod_find(ipbx->model->ipbx, LIST_channels, name) : NULL;
        if (channel && config_bool(c->s->cfg, "ctibus.caller_names"))
            look_at(c, ipbx, channel);
    }
    c->looking = false;
    buf_reset(&c->channels);
    commit(c);
}

/* ---- all ---- */

struct callers *callers_new(struct state *s)
{
    struct callers *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->s = s;
    TAILQ_INIT(&c->all);
    buf_init(&c->channels, MAX_CHANNELS_BYTES);
    c->by_key = map_new();
    if (!c->by_key)
        callers_destroy(&c);
    return c;
}

void callers_destroy(struct callers **cp)
{
    struct callers *c = *cp;
    struct known *k;

    if (!c)
        return;
    *cp = NULL;
    while ((k = TAILQ_FIRST(&c->all)))
        forget(c, k);
    map_destroy(&c->by_key);
    buf_free(&c->channels);
    free(c);
}
