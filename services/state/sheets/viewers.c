#include "sheets/viewers.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/map.h"
#include "sheets/call.h"

struct seen {
    TAILQ_ENTRY(seen) all;
    char *key;     /* site/channel */
    char call[64]; /* Uniqueid */
    struct recipients users;
};

struct viewers {
    struct map *by_key;
    TAILQ_HEAD(, seen) all; /* the oldest first */
};

struct viewers *viewers_new(void)
{
    struct viewers *v = calloc(1, sizeof(*v));

    if (!v)
        return NULL;
    TAILQ_INIT(&v->all);
    v->by_key = map_new();
    if (!v->by_key)
        viewers_destroy(&v);
    return v;
}

static void forget(struct viewers *v, struct seen *s)
{
    map_del(v->by_key, view_cstr(s->key));
    TAILQ_REMOVE(&v->all, s, all);
    recipients_clear(&s->users);
    free(s->key);
    free(s);
}

void viewers_destroy(struct viewers **v)
{
    struct seen *s;

    if (!*v)
        return;
    while ((s = TAILQ_FIRST(&(*v)->all)))
        forget(*v, s);
    map_destroy(&(*v)->by_key);
    free(*v);
    *v = NULL;
}

static struct seen *find(const struct viewers *v, const struct xod_ipbx *ipbx, struct view channel)
{
    char scratch[SITE_KEY];

    return map_get(v->by_key, site_key(ipbx, channel, scratch));
}

static struct seen *make(struct viewers *v, const struct xod_ipbx *ipbx, struct view channel)
{
    char scratch[SITE_KEY];
    struct view key = site_key(ipbx, channel, scratch);
    struct seen *s = key.len ? calloc(1, sizeof(*s)) : NULL;

    if (!s)
        return NULL;
    if (map_count(v->by_key) >= VIEWERS_MAX_SHEETS)
        forget(v, TAILQ_FIRST(&v->all));
    s->key = view_dup(key);
    if (!s->key || map_put(v->by_key, view_cstr(s->key), s) < 0) {
        free(s->key);
        free(s);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&v->all, s, all);
    return s;
}

void viewers_add(struct viewers *v, const struct xod_ipbx *ipbx, struct view channel,
                 struct view call, const struct recipients *to)
{
    struct seen *s = find(v, ipbx, channel);

    if (s && !view_eq(view_cstr(s->call), call)) {
        forget(v, s);
        s = NULL;
    }
    if (!s)
        s = make(v, ipbx, channel);
    if (s)
        snprintf(s->call, sizeof(s->call), "%.*s", VIEW_ARG(call));
    for (size_t i = 0; s && i < to->n && s->users.n < VIEWERS_MAX_USERS; i++)
        if (!viewers_has(&s->users, view_cstr(to->ids[i])))
            recipients_add(&s->users, view_cstr(to->ids[i]));
}

const struct recipients *viewers_of(const struct viewers *v, const struct xod_ipbx *ipbx,
                                    struct view channel)
{
    const struct seen *s = find(v, ipbx, channel);

    return s ? &s->users : NULL;
}

bool viewers_has(const struct recipients *viewers, struct view user_id)
{
    for (size_t i = 0; i < viewers->n; i++)
        if (view_eq(view_cstr(viewers->ids[i]), user_id))
            return true;
    return false;
}
