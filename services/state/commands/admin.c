/*
 * admin_status, admin_kick, admin_reload: the web client's page for administrators. What they may
 * do is what `ctibus sessions`, `kick` and `reload` do; only profiles that name them may.
 */
#include "commands/commands.h"
#include "core/publisher.h"
#include "model/model.h"

#define MAX_LISTED 5000 /* sessions or phones in one answer */

/* ---- status ---- */

static void put_services(struct state *s, struct buf *out)
{
    struct bus_peer *p;
    struct buf list;
    size_t n = 0;

    buf_init(&list, 0);
    for (size_t pos = 0; (p = bus_server_next(s->server, &pos)); n++) {
        msg_put_map(&list, 2);
        msg_put_pair(&list, "service", bus_peer_service(p));
        msg_put_pair(&list, "instance", bus_peer_instance(p));
    }
    msg_put_elements(out, "services", n, &list);
    buf_free(&list);
}

static void put_sessions(struct state *s, struct buf *out)
{
    const struct session *se;
    struct buf list;
    size_t n = 0;

    buf_init(&list, 0);
    for (size_t pos = 0; n < MAX_LISTED && (se = sessions_next(s->sessions, &pos)); n++)
        session_put(&list, se);
    msg_put_elements(out, "sessions", n, &list);
    buf_free(&list);
}

/* No event and no listing has ever named it. */
static bool is_unknown(const struct xod_obj *phone)
{
    return xod_get_str(phone, XOD(phones, reg)).len == 0 &&
           view_eq(xod_get_str(phone, XOD(phones, hintstatus)), VIEW("4")) &&
           xod_get_str(phone, XOD(phones, identity)).len > 0;
}

static void put_phone(struct buf *out, const struct xod_obj *phone)
{
    char number[32], first[32], last[32];
    struct buf name;

    buf_init(&name, 1024);
    buf_printf(&name, "%.*s %.*s",
               VIEW_ARG(value_text(xod_get(phone, XOD(phones, firstname)), first)),
               VIEW_ARG(value_text(xod_get(phone, XOD(phones, lastname)), last)));
    msg_put_map(out, 4);
    msg_put_pair(out, "id", xod_obj_id(phone));
    msg_put_pair(out, "identity", xod_get_str(phone, XOD(phones, identity)));
    msg_put_pair(out, "number", value_text(xod_get(phone, XOD(phones, number)), number));
    msg_put_pair(out, "name", view_trim(buf_view(&name)));
    buf_free(&name);
}

static void put_unknown_phones(struct state *s, struct buf *out)
{
    struct buf list;
    size_t n = 0;

    buf_init(&list, 0);
    for (size_t i = 0; i < s->n_ipbxes; i++) {
        const struct xod_obj *phone;
        for (size_t pos = 0; n < MAX_LISTED && s->ipbxes[i].model->resynced &&
                             (phone = xod_next(s->ipbxes[i].model->ipbx, LIST_phones, &pos));)
            if (is_unknown(phone)) {
                put_phone(&list, phone);
                n++;
            }
    }
    msg_put_elements(out, "unknown_phones", n, &list);
    buf_free(&list);
}

/* The lists may have been read anew since. */
static size_t put_unlisted_of(struct buf *out, struct ipbx_model *d, bool *more)
{
    size_t n = 0;

    *more |= d->unlisted.n > UNLISTED_NAMES;
    for (size_t i = 0; i < d->unlisted.n && i < UNLISTED_NAMES; i++)
        if (phone_is_unlisted(d, view_cstr(d->unlisted.names[i]))) {
            msg_put_map(out, 2);
            msg_put_pair(out, "ipbx", xod_ipbx_name(d->ipbx));
            msg_put_pair(out, "peer", view_cstr(d->unlisted.names[i]));
            n++;
        }
    return n;
}

static void put_unlisted(struct state *s, struct buf *out)
{
    struct buf list;
    bool more = false;
    size_t n = 0;

    buf_init(&list, 0);
    for (size_t i = 0; i < s->n_ipbxes; i++)
        n += put_unlisted_of(&list, s->ipbxes[i].model, &more);
    msg_put_elements(out, "unlisted", n, &list);
    msg_put_cstr(out, "unlisted_more");
    msg_put_bool(out, more);
    buf_free(&list);
}

static uint64_t count(const struct state *s, enum xod_list list)
{
    uint64_t n = 0;

    for (size_t i = 0; i < s->n_ipbxes; i++)
        n += xod_count(s->ipbxes[i].model->ipbx, list);
    return n;
}

static void put_figures(struct state *s, struct buf *out)
{
    msg_put_cstr(out, "figures");
    msg_put_map(out, 6);
    msg_put_pair_u64(out, "changes", publisher_seq(s->publisher));
    msg_put_pair_u64(out, "sessions", sessions_count(s->sessions));
    msg_put_pair_u64(out, "users", count(s, LIST_users));
    msg_put_pair_u64(out, "phones", count(s, LIST_phones));
    msg_put_pair_u64(out, "agents", count(s, LIST_agents));
    msg_put_pair_u64(out, "channels", count(s, LIST_channels));
}

static void admin_status(struct state *s, struct session *se, struct deferred_reply *l,
                         const msgpack_object *message)
{
    struct buf pairs;

    buf_init(&pairs, 0);
    put_services(s, &pairs);
    put_figures(s, &pairs);
    put_sessions(s, &pairs);
    put_unknown_phones(s, &pairs);
    put_unlisted(s, &pairs);
    if (pairs.failed)
        deferred_reply_status(&l, BUS_busy);
    else
        deferred_reply_pairs(&l, 6, &pairs);
    buf_free(&pairs);
}

/* ---- kick, reload ---- */

static void admin_kick(struct state *s, struct session *se, struct deferred_reply *l,
                       const msgpack_object *message)
{
    struct session *whom = session_find(s->sessions, msg_get_str(message, "who"));

    if (!whom) {
        deferred_reply_error(&l, "no_such_session");
        return;
    }
    session_kick_or_end(s->sessions, whom);
    state_commit(s, false);
    deferred_reply_status(&l, BUS_ok);
}

static void admin_reload(struct state *s, struct session *se, struct deferred_reply *l,
                         const msgpack_object *message)
{
    if (!s->reload || s->reload(s->reload_arg) < 0)
        deferred_reply_error(&l, "failed");
    else
        deferred_reply_status(&l, BUS_ok);
}

const struct command command_admin_status = {"admin_status", admin_status, .reads = true};
const struct command command_admin_kick = {"admin_kick", admin_kick, false};
const struct command command_admin_reload = {"admin_reload", admin_reload, false};
