/* INFO: who is logged in. */
#include "sessions/sessions.h"
#include "console/info/info.h"
#include "users/relations.h"

static struct view gateway_of(const struct session *se)
{
    return se->gateway ? bus_peer_instance(se->gateway) : VIEW("(lost)");
}

static struct view login_of(const struct session *se, char scratch[32])
{
    const struct xod_obj *user = session_user(se);

    return user ? value_text(xod_get(user, XOD(users, loginclient)), scratch) : view_of(NULL, 0);
}

static void put_session(struct columns *c, const struct session *se)
{
    const struct xod_obj *user = session_user(se);
    struct view none = view_of(NULL, 0);
    char scratch[32];

    columns_put(c, xod_ipbx_name(se->ipbx));
    columns_put(c, view_cstr(se->user_id));
    columns_put(c, login_of(se, scratch));
    columns_put(c, user ? value_text(xod_get(user, XOD(users, fullname)), scratch) : none);
    columns_put(c, view_cstr(se->capaid));
    columns_put(c, user ? xod_get_str(user, XOD(users, availstate)) : none);
    columns_put(c, se->agent ? VIEW("agent") : VIEW("user"));
    columns_put(c, gateway_of(se));
    columns_put(c, view_cstr(se->id));
}

enum info_end info_logged(struct info *i, const struct info_words *w)
{
    static const char *const titles[] = {"IPBX",     "USER", "LOGIN",   "NAME",    "PROFILE",
                                         "PRESENCE", "AS",   "GATEWAY", "SESSION", NULL};
    const struct session *se;
    struct columns c;

    columns_begin(&c, titles);
    for (size_t pos = 0; (se = sessions_next(i->state->sessions, &pos));)
        put_session(&c, se);
    info_table(i, &c);
    return INFO_OK;
}

enum info_end info_logged_ip(struct info *i, const struct info_words *w)
{
    static const char *const titles[] = {"IP", "PORT", "IPBX", "USER", "LOGIN", "GATEWAY", NULL};
    const struct session *se;
    struct columns c;

    columns_begin(&c, titles);
    for (size_t pos = 0; (se = sessions_next(i->state->sessions, &pos));) {
        struct netaddr address;
        char text[NETADDR_TEXT] = "";
        char scratch[32];
        uint16_t port = 0;
        if (netaddr_parse_port(view_cstr(se->address), &address, &port) == 0)
            netaddr_print(&address, text);
        columns_put(&c, view_cstr(text));
        columns_printf(&c, "%u", (unsigned)port);
        columns_put(&c, xod_ipbx_name(se->ipbx));
        columns_put(&c, view_cstr(se->user_id));
        columns_put(&c, login_of(se, scratch));
        columns_put(&c, gateway_of(se));
    }
    info_table(i, &c);
    return INFO_OK;
}

/* ---- ending them ---- */

static enum info_end ended(struct info *i, size_t n, const char *whose)
{
    state_commit(i->state, false);
    if (n == 0)
        return info_wrong(i, "no session of %s", whose);
    info_line(i, "%zu session%s ended", n, n == 1 ? "" : "s");
    return INFO_OK;
}

enum info_end info_kick(struct info *i, const struct info_words *w)
{
    const struct xod_obj *user = relations_named(i->state, w->word[1]);

    if (!user)
        return info_wrong(i, "%.*s: there is no such user", VIEW_ARG(w->word[1]));
    return ended(i, sessions_kick_user(i->state->sessions, user), "this user");
}

enum info_end info_disc(struct info *i, const struct info_words *w)
{
    struct netaddr address;
    uint64_t port;

    if (netaddr_parse(w->word[1], &address) < 0)
        return info_wrong(i, "%.*s: is no address", VIEW_ARG(w->word[1]));
    if (view_to_u64(w->word[2], &port) < 0 || port > 65535)
        return info_wrong(i, "%.*s: is no port", VIEW_ARG(w->word[2]));
    return ended(i, sessions_kick_address(i->state->sessions, &address, (uint16_t)port),
                 "a client at this address");
}
