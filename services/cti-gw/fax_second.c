/*
 * The second connection over which most clients send a fax: whose it is, and its bytes.
 *
 * A client announces its address and port. It may come to this gateway, before or after that is
 * said, or behind a balancer to another one: then its bytes come in there, as a guest, and state
 * passes on between the two that they do and when they are in the spool, which all share.
 */
#include "fax.h"

#include <sys/stat.h>

#include "base/clock.h"
#include "fax_impl.h"

#define ASK_MS 5000

/* To the gateway of its client, by way of state. The id of the request, 0: state is not there. */
static uint64_t say_arrived(struct gateway *g, struct view id, struct view reason,
                            bus_answer_fn *answer, void *arg)
{
    buf_reset(&g->pairs);
    msg_put_pair(&g->pairs, "fileid", id);
    msg_put_pair(&g->pairs, "reason", reason);
    return bus_asker_is_up(g->asker)
               ? bus_ask(g->asker, METHOD_fax_arrived, 2, buf_view(&g->pairs), ASK_MS, answer, arg)
               : 0;
}

void fax_withdraw(struct fax *x)
{
    if (x->told)
        say_arrived(x->of->g, view_cstr(x->id), view_of(NULL, 0), NULL, NULL);
    x->told = false;
}

static void attach(struct fax *x, struct client *c)
{
    fax_withdraw(x);
    x->source = c;
    x->state = RECEIVING;
    x->since = clock_mono_us();
    c->fax = x;
}

static struct fax *find(const struct faxes *f, struct view id)
{
    struct fax *x;

    LIST_FOREACH(x, &f->list, all)
    if (view_eq(view_cstr(x->id), id))
        return x;
    return NULL;
}

enum fax_place fax_expect(struct faxes *f, struct client *c, struct view id, uint16_t port)
{
    struct fax *x = find(f, id);
    struct client *other;

    if (!x || x->session != c->session || x->state != ANNOUNCED)
        return FAX_NOWHERE;
    x->state = EXPECTED;
    x->port = port;
    x->since = clock_mono_us();
    LIST_FOREACH(other, &f->g->clients, all)
    if (other->phase == CONNECTED && !other->login && other->door == DOOR_CLEAR &&
        memcmp(other->peer, x->peer, sizeof(x->peer)) == 0 && other->port == port)
        break;
    x->told = !other;
    if (!other)
        return FAX_TO_COME;
    if (!other->fax) {
        attach(x, other);
        return FAX_HERE;
    }
    /* Somebody else at this address has named it before. Whose it is nobody can say, and nothing
     * has come yet, since its owner waits for this answer: neither gets it. */
    fax_give_up(other->fax, "filenotfound");
    fax_give_up(x, "filenotfound");
    client_close(other, "two faxes name this connection");
    return FAX_NOWHERE;
}

/* ---- the second connection ---- */

/* The only fax that is expected from this address, or NULL: there is none, or more than one. */
static struct fax *only_expected(const struct faxes *f, const struct client *c)
{
    struct fax *x, *only = NULL;

    LIST_FOREACH(x, &f->list, all)
    {
        if (x->state != EXPECTED || memcmp(x->peer, c->peer, sizeof(x->peer)) != 0)
            continue;
        if (only)
            return NULL;
        only = x;
    }
    return only;
}

/* The one that names the very port of this connection, or NULL. */
static struct fax *expected_here(const struct faxes *f, const struct client *c)
{
    struct fax *x;

    LIST_FOREACH(x, &f->list, all)
    if (x->state == EXPECTED && x->port == c->port &&
        memcmp(x->peer, c->peer, sizeof(x->peer)) == 0)
        return x;
    return NULL;
}

/* Only base64 can be the fax: neither a login nor a TLS handshake is taken for it. */
static bool is_base64(struct view in)
{
    const char c = in.ptr[0];

    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
}

/* Of a client of another gateway: its bytes go to the same spool, under the same name. */
static struct fax *take_in(struct faxes *f, struct view id)
{
    struct fax *x = id.len <= ID_LEN ? fax_new(f) : NULL;

    if (!x)
        return NULL;
    x->guest = true;
    snprintf(x->id, sizeof(x->id), "%.*s", VIEW_ARG(id));
    fax_name_files(x);
    return x;
}

static void on_claimed(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct client *c = arg;
    struct faxes *f = c->gw->faxes;
    struct view id = status == BUS_ok ? msg_get_str(body, "fileid") : view_of(NULL, 0);
    struct fax *x = id.len ? find(f, id) : NULL;

    if (x)
        x->told = false; /* state waits for it no longer */
    if (id.len && !x && !(x = take_in(f, id)))
        say_arrived(c->gw, id, VIEW("unknown"), NULL, NULL); /* too many here */
    if (!id.len && status != BUS_not_found) /* state is gone: what is known here must do */
        x = only_expected(f, c);
    if (x && (x->state == EXPECTED || x->state == ELSEWHERE) && !x->source)
        attach(x, c);
    client_answered(c); /* what has come is shown again */
}

/* State knows the faxes that all gateways expect. False: it is not there. */
static bool ask_whose(struct client *c)
{
    struct buf *pairs = &c->gw->pairs;
    char address[64];

    buf_reset(pairs);
    msg_put_pair(pairs, "address", view_cstr(client_address(c, address)));
    return client_ask(c, METHOD_fax_claim, 1, buf_view(pairs), view_of(NULL, 0), on_claimed);
}

enum fax_claim fax_claims(struct faxes *f, struct client *c, struct view in)
{
    struct fax *x;

    if (c->fax)
        return FAX_CLAIMED;
    if (c->login || c->phase != CONNECTED || c->door != DOOR_CLEAR)
        return FAX_NOT;
    /* It may have been announced before it was accepted here. */
    x = expected_here(f, c);
    if (!x && (c->fax_asked || !is_base64(in)))
        return FAX_NOT;
    c->fax_asked = true;
    if (!x && ask_whose(c))
        return FAX_ASKED;
    if (!x) /* the port may be another one on this side of a router */
        x = only_expected(f, c);
    if (x)
        attach(x, c);
    return x ? FAX_CLAIMED : FAX_NOT;
}

bool fax_data(struct client *c, struct view in)
{
    struct fax *x = c->fax;
    const char *end = memchr(in.ptr, '\n', in.len);
    const char *wrong;

    x->since = clock_mono_us();
    wrong = fax_open_file(x) ? fax_decode(x, end ? view_of(in.ptr, (size_t)(end - in.ptr)) : in)
                             : "exists-pathspool";
    if (wrong)
        fax_give_up(x, wrong);
    else if (end)
        fax_received(x);
    return wrong || end;
}

void fax_source_gone(struct client *c)
{
    struct fax *x = c->fax;

    if (!x)
        return;
    x->source = NULL;
    c->fax = NULL;
    if (x->file)
        fax_received(x); /* the end of the connection ends the file, too */
    else
        fax_give_up(x, "fileempty");
}

/* ---- between gateways ---- */

static void on_handed_over(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct fax *x = arg;

    x->asked = 0;
    if (status == BUS_ok) /* the file is the other's now */
        x->pdf[0] = '\0';
    else
        log_notice(x->of->g->log,
                   "fax %s, which came for another gateway, is no longer wanted there", x->id);
    fax_free(x);
}

void fax_hand_over(struct fax *x, const char *reason)
{
    if (x->source)
        x->source->fax = NULL;
    x->source = NULL;
    fax_close_file(x);
    x->state = SENDING;
    x->asked =
        say_arrived(x->of->g, view_cstr(x->id), view_cstr(reason ? reason : ""), on_handed_over, x);
    if (!x->asked)
        fax_free(x);
}

bool fax_is_elsewhere(struct faxes *f, struct view id)
{
    struct fax *x = find(f, id);

    if (!x || x->guest || x->state != EXPECTED)
        return false;
    x->state = ELSEWHERE;
    x->told = false;
    x->since = clock_mono_us();
    return true;
}

bool fax_arrived(struct faxes *f, struct view id, struct view reason)
{
    struct fax *x = find(f, id);
    char why[32];
    struct stat st;

    if (!x || x->guest || (x->state != EXPECTED && x->state != ELSEWHERE))
        return false;
    snprintf(why, sizeof(why), "%.*s", (int)(reason.len < 31 ? reason.len : 31),
             reason.len ? reason.ptr : "");
    if (*why) {
        fax_give_up(x, why);
    } else if (stat(x->pdf, &st) < 0) {
        log_error(f->g->log,
                  "fax: %s is not there: is ctibus.fax.spool the same folder for all "
                  "gateways?",
                  x->pdf);
        fax_give_up(x, "filenotfound");
    } else {
        fax_is_here(x, (size_t)st.st_size);
    }
    return true;
}
