#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/netaddr.h"
#include "fax.h"
#include "internal.h"

#define ASK_DEADLINE_MS 5000
/* ---- life ---- */

const char *client_who(const struct client *c, char out[CLIENT_WHO])
{
    char address[64];

    snprintf(out, CLIENT_WHO, "of user %.60s at %s", c->user_id ? c->user_id : "(none)",
             client_address(c, address));
    return out;
}

void session_name(const struct gateway *gw, uint64_t n, char out[64])
{
    snprintf(out, 64, "%.30s-%llx-%llu", bus_instance(gw->bus),
             (unsigned long long)bus_epoch(gw->bus), (unsigned long long)n);
}

void client_session_name(const struct client *c, char out[64])
{
    session_name(c->gw, c->session, out);
}

const char *client_address(const struct client *c, char out[64])
{
    struct netaddr peer;

    memcpy(peer.byte, c->peer, sizeof(peer.byte));
    netaddr_print_port(&peer, c->port, out);
    return out;
}

/* Tells state that the session is over, or that its client has been lost and may come back. When
 * state is not there it needs no telling: it will ask for the sessions that are. */
static void close_session(struct client *c, bool lost)
{
    char name[64];

    if (!c->session)
        return;
    map_del(c->gw->by_session, view_of(&c->session, sizeof(c->session)));
    client_session_name(c, name);
    buf_reset(&c->gw->pairs);
    msg_put_pair(&c->gw->pairs, "session", view_cstr(name));
    msg_put_pair(&c->gw->pairs, "reason", lost ? VIEW("lost") : VIEW("closed"));
    if (bus_client_is_up(c->gw->bus_client))
        bus_ask(c->gw->bus_client, METHOD_session_close, 2, buf_view(&c->gw->pairs),
                ASK_DEADLINE_MS, NULL, NULL);
    c->session = 0;
}

void client_set_phase(struct client *c, enum client_phase phase)
{
    c->gw->n_live -= c->phase == LIVE;
    login_complete_end(c);
    c->phase = (uint8_t)phase;
    if (phase == LIVE) {
        c->gw->n_live++;
        c->gw->hooks->live(c);
        conn_ws_set_max(c->conn, c->gw->opt.max_line);
        c->since = clock_mono_us();
        login_free(&c->login);
    }
}

/* Everything but the connection. A client that was not logged in has no session to come back to. */
void client_free(struct client *c, bool lost)
{
    if (c->gw->current == c)
        c->gw->current = NULL;
    if (c->asked)
        bus_ask_cancel(c->gw->bus_client, c->asked);
    c->gw->hooks->leaving(c);
    close_session(c, lost && c->phase == LIVE);
    c->gw->n_live -= c->phase == LIVE;
    login_complete_end(c);
    login_free(&c->login);
    snapshot_free(&c->snapshot);
    LIST_REMOVE(c, all);
    c->gw->n_clients--;
    free(c->ask_reply_id);
    free(c->user_id);
    free(c);
}

void client_destroy(struct client *c)
{
    conn_close(&c->conn);
    client_free(c, false);
}

static void end(struct client *c, const char *why, bool lost)
{
    char who[CLIENT_WHO];

    log_debug(c->gw->log, "client %s closed: %s", client_who(c, who), why);
    conn_close_after_flush(&c->conn);
    client_free(c, lost);
}

void client_close(struct client *c, const char *why)
{
    end(c, why, false);
}

void client_lose(struct client *c, const char *why)
{
    end(c, why, true);
}

void login_free(struct login **lp)
{
    struct login *l = *lp;

    if (!l)
        return;
    delayed_free(&l->delayed);
    free(l->userlogin);
    json_object_put(l->capalist);
    free(l->presence);
    free(l->appliname);
    free(l->capaxlets);
    free(l->capas);
    free(l->capaid);
    free(l->reply_id);
    free(l->agent_number);
    free(l->state);
    free(l->loginkind);
    free(l->token);
    free(l->ident);
    free(l);
    *lp = NULL;
}

struct xod_obj *client_user(const struct client *c)
{
    return c->user_id ? xod_find(c->ipbx, LIST_users, view_cstr(c->user_id)) : NULL;
}

/* ---- asking state ---- */

bool client_ask(struct client *c, enum bus_method method, bool repeat, size_t n_pairs,
                struct view pairs, struct view reply_id, bus_answer_fn *answer)
{
    free(c->ask_reply_id);
    c->ask_reply_id = reply_id.len ? view_dup(reply_id) : NULL;
    c->asked =
        bus_ask_wait(c->gw->bus_client, method, repeat, n_pairs, pairs, ASK_DEADLINE_MS, answer, c);
    if (c->asked)
        conn_pause(c->conn);
    return c->asked != 0;
}

struct view client_reply_id(const struct client *c)
{
    return view_cstr(c->ask_reply_id);
}

void client_answered(struct client *c)
{
    c->asked = 0;
    c->since = clock_mono_us();
    c->gw->hooks->answered(c);
    if (!c->slowed && !c->yielding)
        conn_resume(c->conn);
}

struct client *client_of_session(struct gateway *g, struct view name)
{
    const char *dash = name.len ? memrchr(name.ptr, '-', name.len) : NULL;
    struct client *c = NULL;
    char own[64];
    uint64_t n;

    if (dash && view_to_u64(view_of(dash + 1, name.len - (size_t)(dash + 1 - name.ptr)), &n) == 0)
        c = map_get(g->by_session, view_of(&n, sizeof(n)));
    if (c)
        client_session_name(c, own);
    return c && view_eq(view_cstr(own), name) ? c : NULL; /* another instance counts, too */
}
