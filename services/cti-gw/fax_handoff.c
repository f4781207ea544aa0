/*
 * The second connection over which most clients send a fax: whose it is, and its bytes.
 *
 * Nobody is logged in there, so it must show that it is the client's. Newer clients begin with the
 * fax's id, which only the session that announced it knows, and a colon. Those of 2012 cannot: the
 * connection must then be the very one whose address and port was announced, shortly after that. It
 * may come to this gateway, before or after it is announced, or behind a balancer to another one:
 * then its bytes come in there, as a guest, and state passes on between the two that they do and
 * when they are in the spool, which all share.
 */
#include "fax.h"

#include <sys/stat.h>

#include "base/clock.h"
#include "fax_impl.h"

#define ASK_MS 5000
#define MAX_ASKING 64 /* connections whose first bytes are kept while state is asked about them */

/* To the gateway of its client, by way of state. The id of the request, 0: state is not there. */
static uint64_t say_arrived(struct gateway *g, struct view id, struct view reason,
                            bus_answer_fn *answer, void *arg)
{
    buf_reset(&g->pairs);
    msg_put_pair(&g->pairs, "fileid", id);
    msg_put_pair(&g->pairs, "reason", reason);
    return bus_client_is_up(g->bus_client) ? bus_ask(g->bus_client, METHOD_fax_arrived, 2,
                                                     buf_view(&g->pairs), ASK_MS, answer, arg)
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
    if (port && other->phase == CONNECTED && !other->login &&
        other->listener_kind == LISTENER_CLEAR &&
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

/* The one that names the very port of this connection, or NULL. */
static struct fax *expected_here(const struct faxes *f, const struct client *c)
{
    struct fax *x;

    LIST_FOREACH(x, &f->list, all)
    if (x->state == EXPECTED && x->port && x->port == c->port &&
        memcmp(x->peer, c->peer, sizeof(x->peer)) == 0)
        return x;
    return NULL;
}

/* The id that the connection begins with, and a colon behind it; or empty. */
static struct view named_id(struct view in)
{
    if (in.len <= ID_LEN || in.ptr[ID_LEN] != ':')
        return view_of(NULL, 0);
    for (size_t i = 0; i < ID_LEN; i++) {
        char c = in.ptr[i];
        if (!(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
            return view_of(NULL, 0);
    }
    return view_of(in.ptr, ID_LEN);
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

static void asked_no_more(struct client *c)
{
    if (c->fax_asking)
        c->gw->faxes->asking--;
    c->fax_asking = false;
}

static void on_claimed(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct client *c = arg;
    struct faxes *f = c->gw->faxes;
    struct view id = status == BUS_ok ? msg_get_str(body, "fileid") : view_of(NULL, 0);
    struct fax *x = id.len ? find(f, id) : NULL;

    asked_no_more(c);
    if (x)
        x->told = false; /* state waits for it no longer */
    if (id.len && !x && !(x = take_in(f, id)))
        say_arrived(c->gw, id, VIEW("unknown"), NULL, NULL); /* too many here */
    if (x && (x->state == EXPECTED || x->state == ELSEWHERE) && !x->source)
        attach(x, c);
    client_answered(c); /* what has come is shown again */
}

/* State knows the faxes that all gateways expect. False: it is not there, or is asked about too
 * many already. */
static bool ask_whose(struct client *c, struct view id)
{
    struct buf *pairs = &c->gw->pairs;
    char address[64];

    if (c->gw->faxes->asking >= MAX_ASKING)
        return false;
    buf_reset(pairs);
    msg_put_pair(pairs, "address", view_cstr(client_address(c, address)));
    msg_put_pair(pairs, "fileid", id);
    if (!client_ask(c, METHOD_fax_claim, false, 2, buf_view(pairs), view_of(NULL, 0), on_claimed))
        return false;
    c->fax_asking = true;
    c->gw->faxes->asking++;
    return true;
}

/* Can what has come say whose it is? Until then it waits, as an unfinished line does. */
static bool says_enough(struct view in)
{
    return in.len > ID_LEN || memchr(in.ptr, '\n', in.len);
}

enum fax_claim fax_claims(struct faxes *f, struct client *c, struct view in)
{
    struct view id = named_id(in);
    struct fax *x;

    if (c->fax)
        return FAX_CLAIMED;
    if (c->login || c->phase != CONNECTED || (c->listener_kind != LISTENER_CLEAR && !id.len))
        return FAX_NOT;
    /* It may have been announced before it was accepted here. */
    x = id.len ? find(f, id) : expected_here(f, c);
    if (x && (x->state != EXPECTED || x->source))
        x = NULL;
    if (!x && (c->fax_asked || !is_base64(in) || !says_enough(in)))
        return FAX_NOT;
    if (!x) {
        c->fax_asked = true;
        return ask_whose(c, id) ? FAX_ASKED : FAX_NOT;
    }
    attach(x, c);
    return FAX_CLAIMED;
}

bool fax_data(struct client *c, struct view in)
{
    struct fax *x = c->fax;
    size_t id = x->file ? 0 : named_id(in).len;
    const char *end;
    const char *wrong;

    if (id) /* and its colon */
        in = view_of(in.ptr + id + 1, in.len - id - 1);
    end = in.len ? memchr(in.ptr, '\n', in.len) : NULL;
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

    asked_no_more(c);
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
