/* The script `presence`: how many users are there, by kind (section userstatus) and presence. */
#include <stdlib.h>

#include "core/context.h"
#include "core/profile.h"
#include "core/publisher.h"
#include "fagi/parts.h"
#include "json/json.h"

/* The last answer: the dialplan asks more often than people change. */
struct fagi_presence {
    const struct xod_ipbx *ipbx; /* NULL: there is none */
    uint64_t seq;                /* of xod, at which it was made */
    struct buf text;
};

struct fagi_presence *fagi_presence_new(void)
{
    struct fagi_presence *p = calloc(1, sizeof(*p));

    if (p)
        buf_init(&p->text, 65536);
    return p;
}

void fagi_presence_destroy(struct fagi_presence **p)
{
    if (!p || !*p)
        return;
    buf_free(&(*p)->text);
    free(*p);
    *p = NULL;
}

void fagi_presence_forget(struct fagi_presence *p)
{
    p->ipbx = NULL;
}

/* An object of objects of zeros. */
static struct json_object *zeros(struct json_object *kinds)
{
    struct json_object *all = json_object_new_object();

    if (!kinds)
        return all;
    json_object_object_foreach(kinds, kind, states)
    {
        struct json_object *counts = json_object_new_object();
        if (json_object_is_type(states, json_type_object)) {
            json_object_object_foreach(states, state, value)
            {
                (void)value;
                json_object_object_add(counts, state, json_object_new_int(0));
            }
        }
        json_object_object_add(all, kind, counts);
    }
    return all;
}

static void count(struct state *s, struct json_object *all, const struct xod_obj *user)
{
    char scratch[32];
    struct view profile = value_text(xod_get(user, XOD(users, profileclient)), scratch);
    struct view kind = json_get_view(profile_find(s->cfg, profile), "userstatus");
    struct json_object *n =
        json_member(json_member(all, kind), xod_get_str(user, XOD(users, availstate)));

    if (n)
        json_object_int_inc(n, 1);
}

static void make(struct fagi_presence *p, struct state *s, const struct xod_ipbx *ipbx)
{
    struct json_object *all = zeros(config_section(s->cfg, "userstatus"));
    struct xod_obj *user;
    size_t pos = 0;

    while ((user = xod_next(ipbx, LIST_users, &pos)))
        if (xod_get_str(user, XOD(users, connection)).len)
            count(s, all, user);
    buf_reset(&p->text);
    json_put_object(&p->text, all);
    json_object_put(all);
    p->ipbx = ipbx;
    p->seq = publisher_seq(s->publisher);
}

void fagi_presence(struct fagi_presence *p, struct fagi_ask *a)
{
    const struct xod_ipbx *ipbx = a->ipbx->model->ipbx;
    struct buf pairs;

    if (p->ipbx != ipbx || p->seq != publisher_seq(a->s->publisher))
        make(p, a->s, ipbx);
    buf_init(&pairs, 0);
    fagi_put(&pairs, "XIVO_PRESENCE", buf_view(&p->text));
    pairs.failed |= p->text.failed;
    fagi_answer(&a->l, 1, &pairs);
    buf_free(&pairs);
}
