/*
 * Sessions: who is logged in, through which gateway. A user has a presence as long as one session
 * is open. The sessions of a gateway that is lost live on for the grace time, so that clients may
 * come back through another one unnoticed.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "internal.h"

#define MAX_SESSIONS 200000
#define CHECK_MS 500

struct sessions {
    struct state *s;
    struct map *by_id;
    struct loop_timer *timer;
    uint32_t grace_ms;
};

/* Ends what was lost for longer than the grace time. */
static void check(void *arg)
{
    struct sessions *ss = arg;
    uint64_t now = clock_mono_us();
    bool ended = false;
    size_t pos = 0;
    void *v;

    while (map_next(ss->by_id, &pos, NULL, &v)) {
        struct session *se = v;
        if (se->gateway || now - se->lost_at < (uint64_t)ss->grace_ms * 1000)
            continue;
        session_end(ss, se);
        ended = true;
    }
    if (ended)
        state_commit(ss->s, false);
}

struct sessions *sessions_new(struct state *s, uint32_t grace_ms)
{
    struct sessions *ss = calloc(1, sizeof(*ss));

    if (!ss)
        return NULL;
    ss->s = s;
    ss->grace_ms = grace_ms;
    ss->by_id = map_new();
    ss->timer = loop_timer_new(s->loop, check, ss);
    if (!ss->by_id || !ss->timer) {
        sessions_destroy(&ss);
        return NULL;
    }
    loop_timer_start(ss->timer, CHECK_MS, true);
    return ss;
}

void sessions_destroy(struct sessions **ss)
{
    size_t pos = 0;
    void *v;

    if (!ss || !*ss)
        return;
    loop_timer_destroy(&(*ss)->timer);
    while ((*ss)->by_id && map_next((*ss)->by_id, &pos, NULL, &v))
        free(v);
    map_destroy(&(*ss)->by_id);
    free(*ss);
    *ss = NULL;
}

static bool copy_to(char *to, size_t size, struct view v)
{
    if (v.len >= size || memchr(v.len ? v.ptr : "", '\0', v.len))
        return false;
    if (v.len)
        memcpy(to, v.ptr, v.len);
    to[v.len] = '\0';
    return true;
}

/* How many sessions a user has hangs on its object, so that a mass logout is not quadratic. */
static uintptr_t user_sessions(struct xod_obj *user, int change)
{
    uintptr_t n = (uintptr_t)xod_extra(user);

    if (change < 0)
        n = n ? n - 1 : 0;
    else
        n += (uintptr_t)change;
    xod_set_extra(user, (void *)n);
    return n;
}

/* A session in the table, or NULL: too many, no memory, or a name that is too long. */
static struct session *session_new(struct sessions *ss, struct view id, struct view user_id)
{
    struct session *se;

    if (map_count(ss->by_id) >= MAX_SESSIONS)
        return NULL;
    se = calloc(1, sizeof(*se));
    if (se && copy_to(se->id, sizeof(se->id), id) &&
        copy_to(se->user_id, sizeof(se->user_id), user_id) &&
        map_put(ss->by_id, view_cstr(se->id), se) == 0)
        return se;
    free(se);
    return NULL;
}

int session_open(struct sessions *ss, struct view id, struct xod_site *site, struct view user_id,
                 struct view capaid, struct bus_peer *gateway)
{
    struct session *se = session_find(ss, id);
    struct xod_obj *user = xod_find(site, LIST_users, user_id);
    char profile[sizeof(se->capaid)];

    if (!user || id.len == 0)
        return -ENOENT;
    if (se && (se->site != site || !view_eq(view_cstr(se->user_id), user_id)))
        return -EEXIST;
    if (!copy_to(profile, sizeof(profile), capaid))
        return -EINVAL;
    if (!se) {
        se = session_new(ss, id, user_id);
        if (!se)
            return -ENOMEM;
        user_sessions(user, 1);
    }
    memcpy(se->capaid, profile, sizeof(profile));
    se->site = site;
    se->gateway = gateway;
    se->stale = false;
    xod_set_str(user, XOD(users, connection), VIEW("yes"));
    return 0;
}

struct session *session_find(struct sessions *ss, struct view id)
{
    return map_get(ss->by_id, id);
}

struct xod_obj *session_user(const struct session *s)
{
    return xod_find(s->site, LIST_users, view_cstr(s->user_id));
}

static bool same_user(const struct session *a, const struct session *b)
{
    return a->site == b->site && strcmp(a->user_id, b->user_id) == 0;
}

void session_end(struct sessions *ss, struct session *se)
{
    struct xod_obj *user = session_user(se);

    map_del(ss->by_id, view_cstr(se->id));
    if (user && user_sessions(user, -1) == 0) {
        xod_set_null(user, XOD(users, connection));
        xod_set_str(user, XOD(users, availstate), VIEW("disconnected"));
    }
    free(se);
}

void session_kick(struct sessions *ss, struct bus_peer *gateway, struct view id)
{
    struct buf pairs;

    buf_init(&pairs, 1024);
    msg_put_pair(&pairs, "session", id);
    msg_put_pair(&pairs, "type", VIEW("force"));
    bus_server_ask(ss->s->server, gateway, METHOD_kick, 2, buf_view(&pairs), 2000, NULL, NULL);
    buf_free(&pairs);
}

void sessions_kick_others(struct sessions *ss, const struct session *keep)
{
    size_t pos = 0;
    void *v;

    while (map_next(ss->by_id, &pos, NULL, &v)) {
        struct session *se = v;
        if (se == keep || !same_user(se, keep))
            continue;
        if (se->gateway)
            session_kick(ss, se->gateway, view_cstr(se->id));
        else
            session_end(ss, se); /* its gateway is lost: it may not come back */
    }
}

void sessions_check_users(struct sessions *ss)
{
    size_t pos = 0;
    void *v;

    while (map_next(ss->by_id, &pos, NULL, &v)) {
        struct session *se = v;
        struct xod_obj *user = session_user(se);
        if (user && value_truth(xod_get(user, XOD(users, enableclient))))
            continue;
        if (se->gateway)
            session_kick(ss, se->gateway, view_cstr(se->id));
        session_end(ss, se);
    }
}

void sessions_renew_begin(struct sessions *ss, struct bus_peer *peer)
{
    size_t pos = 0;
    void *v;

    while (map_next(ss->by_id, &pos, NULL, &v))
        ((struct session *)v)->stale = ((struct session *)v)->gateway == peer;
}

void sessions_renew_end(struct sessions *ss, struct bus_peer *peer)
{
    size_t pos = 0;
    void *v;

    while (map_next(ss->by_id, &pos, NULL, &v)) {
        struct session *se = v;
        if (se->gateway == peer && se->stale)
            session_end(ss, se);
    }
}

void sessions_peer_gone(struct sessions *ss, struct bus_peer *peer)
{
    size_t pos = 0;
    void *v;

    while (map_next(ss->by_id, &pos, NULL, &v)) {
        struct session *se = v;
        if (se->gateway != peer)
            continue;
        se->gateway = NULL;
        se->lost_at = clock_mono_us();
    }
}

size_t sessions_count(const struct sessions *ss)
{
    return map_count(ss->by_id);
}
