/*
 * Sessions: who is logged in, through which gateway. A user has a presence as long as one session
 * is open. A session whose connection or whose gateway is lost lives on for the grace time, so that
 * its client may come back, through another gateway too, unnoticed.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"
#include "core/audit.h"
#include "lists/lists.h"
#include "sessions/presence.h"
#include "sessions/sessions.h"

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
        session_end(ss, se, NULL);
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
    if (!ss || !*ss)
        return;
    loop_timer_destroy(&(*ss)->timer);
    map_destroy_with(&(*ss)->by_id, free);
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

/* The user is there: counts this session, and is shown as connected. */
static void attach(struct sessions *ss, struct session *se)
{
    struct xod_obj *user = session_user(se);

    if (!user || se->attached)
        return;
    se->attached = true;
    if (user_sessions(user, 1) > 1)
        return;
    xod_set_str(user, XOD(users, connection), VIEW("yes"));
    if (*se->presence && strcmp(se->presence, "disconnected") != 0)
        xod_set_str(user, XOD(users, availstate), view_cstr(se->presence));
}

/* With the presence, when it came with the session: nobody has kept that. */
static void keep(struct sessions *ss, const struct session *se, struct db_txn *t)
{
    struct db_txn *own = t ? NULL : db_begin(ss->s->db);
    struct xod_obj *user = *se->presence ? session_user(se) : NULL;

    if (t || own)
        db_add(
            t ? t : own,
            "INSERT INTO session (id, site, user, capaid, agent, opened) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET site = excluded.site, user = excluded.user,"
            " capaid = excluded.capaid, agent = excluded.agent, opened = excluded.opened",
            "ssssif", view_cstr(se->id), xod_ipbx_name(se->ipbx), view_cstr(se->user_id),
            view_cstr(se->capaid), (int64_t)se->agent, clock_wall());
    if (user && (t || own))
        presence_add(t ? t : own, user, xod_get_str(user, XOD(users, availstate)));
    if (own)
        db_commit_take(&own, NULL, NULL);
}

/* May this user have a session of this profile? While the list of users is not known, anybody may
 * be one. */
static bool may_be(struct sessions *ss, struct xod_ipbx *ipbx, struct view user_id,
                   struct view capaid)
{
    struct xod_obj *user = xod_find(ipbx, LIST_users, user_id);
    char scratch[32];

    if (!user)
        return !lists_users_known(ss->s, xod_ipbx_name(ipbx));
    return value_truth(xod_get(user, XOD(users, enableclient))) &&
           view_eq(value_text(xod_get(user, XOD(users, profileclient)), scratch), capaid);
}

static void note_address(struct session *se, struct view told)
{
    struct netaddr address;
    uint16_t port;

    se->address[0] = '\0';
    if (netaddr_parse_port(told, &address, &port) == 0)
        netaddr_print_port(&address, port, se->address);
}

int session_open(struct sessions *ss, const struct session_info *told, struct bus_peer *gateway,
                 struct db_txn *t)
{
    struct session *se = session_find(ss, told->id);
    char profile[sizeof(se->capaid)];
    bool made = false;

    if (told->id.len == 0 || !may_be(ss, told->ipbx, told->user_id, told->capaid))
        return -ENOENT;
    if (se && (se->ipbx != told->ipbx || !view_eq(view_cstr(se->user_id), told->user_id)))
        return -EEXIST;
    if (!copy_to(profile, sizeof(profile), told->capaid))
        return -EINVAL;
    if (!se) {
        se = session_new(ss, told->id, told->user_id);
        if (!se)
            return -ENOMEM;
        se->since = clock_wall();
        made = true;
    }
    memcpy(se->capaid, profile, sizeof(profile));
    note_address(se, told->address);
    se->ipbx = told->ipbx;
    se->gateway = gateway;
    se->stale = false;
    if (told->presence.len && !*se->presence) /* else it is that of the database */
        copy_to(se->presence, sizeof(se->presence), told->presence);
    attach(ss, se);
    if (made)
        keep(ss, se, t);
    return 0;
}

struct session *session_find(struct sessions *ss, struct view id)
{
    return map_get(ss->by_id, id);
}

struct xod_obj *session_user(const struct session *s)
{
    return xod_find(s->ipbx, LIST_users, view_cstr(s->user_id));
}

static bool same_user(const struct session *a, const struct session *b)
{
    return a->ipbx == b->ipbx && strcmp(a->user_id, b->user_id) == 0;
}

static void leave(struct sessions *ss, struct session *se, struct db_txn *t)
{
    struct xod_obj *user = session_user(se);
    char capaid[sizeof(se->capaid)];

    if (!user || !se->attached || user_sessions(user, -1) > 0)
        return;
    memcpy(capaid, se->capaid, sizeof(capaid));
    xod_set_null(user, XOD(users, connection));
    presence_set(ss->s, user, VIEW("disconnected"), t);
    presence_actions(ss->s, user, view_cstr(capaid), VIEW("disconnected"));
}

void session_end(struct sessions *ss, struct session *se, struct db_txn *t)
{
    struct db_txn *own = t ? NULL : db_begin(ss->s->db);

    map_del(ss->by_id, view_cstr(se->id));
    leave(ss, se, t ? t : own);
    if (t || own)
        db_add(t ? t : own, "DELETE FROM session WHERE id = ?", "s", view_cstr(se->id));
    if (own)
        db_commit_take(&own, NULL, NULL);
    ctilog_session(ss->s, se->ipbx, view_cstr(se->user_id), view_cstr(se->id), false,
                   se->gateway ? VIEW("closed") : VIEW("lost"), view_of(NULL, 0));
    free(se);
}

/* ---- after a restart ---- */

static bool take_session(void *arg, const struct db_row *row)
{
    struct sessions *ss = arg;
    struct xod_ipbx *ipbx = xod_ipbx(ss->s->xod, db_text(row, 1), false);
    struct session *se = ipbx ? session_new(ss, db_text(row, 0), db_text(row, 2)) : NULL;

    if (!se) { /* of an IPBX that is no longer named, for one: nobody will ever end it */
        db_write(ss->s->db, "DELETE FROM session WHERE id = ?", "s", db_text(row, 0));
        return true;
    }
    se->ipbx = ipbx;
    copy_to(se->capaid, sizeof(se->capaid), db_text(row, 3));
    se->agent = (int)db_int(row, 4);
    copy_to(se->presence, sizeof(se->presence), db_text(row, 5));
    se->since = db_float(row, 6);
    se->lost_at = clock_mono_us();
    attach(ss, se);
    return true;
}

int sessions_restore(struct sessions *ss)
{
    return db_read_now(
        ss->s->db,
        "SELECT session.id, session.site, session.user, capaid, agent, availstate, opened"
        " FROM session LEFT JOIN presence ON presence.site = session.site"
        " AND presence.user = session.user",
        take_session, ss, "");
}

void session_put(struct buf *out, const struct session *se)
{
    const struct xod_obj *user = session_user(se);
    struct view none = view_of(NULL, 0);

    msg_put_map(out, 7);
    msg_put_pair(out, "ipbx", xod_ipbx_name(se->ipbx));
    msg_put_pair(out, "user", view_cstr(se->user_id));
    msg_put_pair(out, "name", user ? xod_get_str(user, XOD(users, fullname)) : none);
    msg_put_pair(out, "presence", user ? xod_get_str(user, XOD(users, availstate)) : none);
    msg_put_pair(out, "address", view_cstr(se->address));
    msg_put_cstr(out, "since");
    msg_put_double(out, se->since);
    msg_put_pair(out, "session", view_cstr(se->id));
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

void session_kick_or_end(struct sessions *ss, struct session *se)
{
    if (se->gateway)
        session_kick(ss, se->gateway, view_cstr(se->id));
    else
        session_end(ss, se, NULL); /* its gateway is lost: it may not come back */
}

void sessions_kick_others(struct sessions *ss, const struct session *keep)
{
    size_t pos = 0;
    void *v;

    while (map_next(ss->by_id, &pos, NULL, &v))
        if (v != keep && same_user(v, keep))
            session_kick_or_end(ss, v);
}

size_t sessions_kick_user(struct sessions *ss, const struct xod_obj *user)
{
    size_t pos = 0;
    size_t n = 0;
    void *v;

    while (map_next(ss->by_id, &pos, NULL, &v))
        if (session_user(v) == user) {
            session_kick_or_end(ss, v);
            n++;
        }
    return n;
}

size_t sessions_kick_address(struct sessions *ss, const struct netaddr *address, uint16_t port)
{
    char text[NETADDR_TEXT];
    size_t pos = 0;
    size_t n = 0;
    void *v;

    netaddr_print_port(address, port, text);
    while (map_next(ss->by_id, &pos, NULL, &v))
        if (strcmp(((struct session *)v)->address, text) == 0) {
            session_kick_or_end(ss, v);
            n++;
        }
    return n;
}

const struct session *sessions_next(const struct sessions *ss, size_t *pos)
{
    void *v;

    return map_next(ss->by_id, pos, NULL, &v) ? v : NULL;
}

void sessions_check_users(struct sessions *ss)
{
    size_t pos = 0;
    void *v;

    while (map_next(ss->by_id, &pos, NULL, &v)) {
        struct session *se = v;
        if (may_be(ss, se->ipbx, view_cstr(se->user_id), view_cstr(se->capaid))) {
            attach(ss, se);
            continue;
        }
        if (se->gateway)
            session_kick(ss, se->gateway, view_cstr(se->id));
        session_end(ss, se, NULL);
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
            session_end(ss, se, NULL);
    }
}

static void mark_lost(struct session *se)
{
    se->gateway = NULL;
    se->lost_at = clock_mono_us();
}

void session_lose(struct sessions *ss, struct session *se, struct db_txn *t)
{
    if (ss->grace_ms > 0)
        mark_lost(se);
    else
        session_end(ss, se, t);
}

void sessions_peer_gone(struct sessions *ss, struct bus_peer *peer)
{
    size_t pos = 0;
    void *v;

    while (map_next(ss->by_id, &pos, NULL, &v)) {
        struct session *se = v;
        if (se->gateway == peer)
            mark_lost(se);
    }
}

bool sessions_all_there(const struct sessions *ss)
{
    size_t pos = 0;
    void *v;

    while (map_next(ss->by_id, &pos, NULL, &v))
        if (!((struct session *)v)->gateway)
            return false;
    return true;
}

size_t sessions_count(const struct sessions *ss)
{
    return map_count(ss->by_id);
}
