/* INFO: the Asterisks, and actions for them. */
#include <stdlib.h>

#include "base/array.h"
#include "console/info/info.h"
#include "core/ami_request.h"
#include "core/ipbx.h"
#include "core/resync.h"
#include "json/json.h"

#define ACTION_MS 10000

/* ---- links ---- */

static struct json_object *connection_of(struct info *i, const struct xod_ipbx *ipbx)
{
    struct json_object *section =
        json_member(config_section(i->state->cfg, "ipbxes"), xod_ipbx_name(ipbx));

    return json_get(section, "ipbx_connection");
}

static void put_address(struct info *i, struct columns *c, const struct xod_ipbx *ipbx)
{
    struct json_object *con = connection_of(i, ipbx);
    bool tls = json_get_bool(con, "tls", false);

    columns_printf(c, "%.*s:%lld%s", VIEW_ARG(json_get_view(con, "ipaddress")),
                   (long long)json_get_i64(con, "ipport", tls ? 5039 : 5038), tls ? " (TLS)" : "");
}

/* Its link, and since when. */
static void put_link(struct columns *c, const struct xod_ipbx *ipbx)
{
    const struct xod_obj *o = xod_find(ipbx, LIST_ipbx, xod_ipbx_name(ipbx));
    const struct value *since = o ? xod_get(o, XOD(ipbx, since)) : NULL;
    char date[INFO_DATE];

    columns_put(c, o ? xod_get_str(o, XOD(ipbx, link)) : view_of(NULL, 0));
    columns_put(c, view_cstr(info_date(since && since->type == V_FLOAT ? since->f : 0, date)));
}

enum info_end info_xivos(struct info *i, const struct info_words *w)
{
    static const char *const titles[] = {"IPBX",   "ADDRESS",  "LINK",   "SINCE", "USERS",
                                         "PHONES", "CHANNELS", "BANNER", NULL};
    static const enum xod_list lists[] = {LIST_users, LIST_phones, LIST_channels};
    struct columns c;

    columns_begin(&c, titles);
    for (size_t n = 0; n < i->state->n_ipbxes; n++) {
        struct xod_ipbx *ipbx = i->state->ipbxes[n].model->ipbx;
        const struct xod_obj *o = xod_find(ipbx, LIST_ipbx, xod_ipbx_name(ipbx));
        columns_put(&c, xod_ipbx_name(ipbx));
        put_address(i, &c, ipbx);
        put_link(&c, ipbx);
        for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
            columns_printf(&c, "%zu", xod_count(ipbx, lists[l]));
        columns_put(&c, o ? xod_get_str(o, XOD(ipbx, banner)) : view_of(NULL, 0));
    }
    info_table(i, &c);
    return INFO_OK;
}

enum info_end info_show_ami(struct info *i, const struct info_words *w)
{
    static const char *const titles[] = {"IPBX",    "ADDRESS", "LINK", "SINCE",
                                         "GATEWAY", "LOGIN",   NULL};
    struct columns c;

    columns_begin(&c, titles);
    for (size_t n = 0; n < i->state->n_ipbxes; n++) {
        const struct ipbx *s = &i->state->ipbxes[n];
        char date[INFO_DATE];
        columns_put(&c, xod_ipbx_name(s->model->ipbx));
        put_address(i, &c, s->model->ipbx);
        put_link(&c, s->model->ipbx);
        columns_put(&c, s->gateway ? bus_peer_instance(s->gateway) : VIEW("(none)"));
        columns_put(&c, view_cstr(info_date((double)s->login / 1e6, date)));
    }
    info_table(i, &c);
    return INFO_OK;
}

static enum info_end ask_all(struct info *i)
{
    enum info_end how = INFO_OK;

    for (size_t n = 0; n < i->state->n_ipbxes; n++) {
        struct ipbx *s = &i->state->ipbxes[n];
        bool asked = s->login && resync_ask(i->state, s) == 0;
        info_line(i, "%.*s: %s", VIEW_ARG(xod_ipbx_name(s->model->ipbx)),
                  asked ? "asked to list everything anew" : "the link is down");
        if (!asked)
            how = INFO_KO;
    }
    return how;
}

/* ---- actions ---- */

static void put_block(struct info *i, const msgpack_object *headers)
{
    uint32_t n = headers && headers->type == MSGPACK_OBJECT_ARRAY ? headers->via.array.size : 0;

    for (uint32_t h = 0; h < n; h++) {
        const msgpack_object *pair = &headers->via.array.ptr[h];
        if (pair->type == MSGPACK_OBJECT_ARRAY && pair->via.array.size == 2)
            info_line(i, "%.*s: %.*s", VIEW_ARG(msg_str(&pair->via.array.ptr[0])),
                      VIEW_ARG(msg_str(&pair->via.array.ptr[1])));
    }
}

static void put_events(struct info *i, const msgpack_object *events)
{
    uint32_t n = events && events->type == MSGPACK_OBJECT_ARRAY ? events->via.array.size : 0;

    for (uint32_t e = 0; e < n; e++) {
        info_line(i, "%s", "");
        put_block(i, &events->via.array.ptr[e]);
    }
}

static void put_output(struct info *i, const msgpack_object *lines)
{
    uint32_t n = lines && lines->type == MSGPACK_OBJECT_ARRAY ? lines->via.array.size : 0;

    for (uint32_t l = 0; l < n; l++)
        info_line(i, "%.*s", VIEW_ARG(msg_str(&lines->via.array.ptr[l])));
}

/* A console's command answers with its words alone, others with all of their blocks. */
static enum info_end put_answer(struct info *i, const msgpack_object *body)
{
    const msgpack_object *output = msg_get(body, "output");
    bool words = output && output->type == MSGPACK_OBJECT_ARRAY && output->via.array.size > 0;
    bool good = view_eq(msg_get_str(body, "response"), VIEW("Success"));

    if (!words && msg_get(body, "headers"))
        put_block(i, msg_get(body, "headers"));
    else if (!words)
        info_line(i, "%.*s", VIEW_ARG(msg_get_str(body, "message")));
    put_events(i, msg_get(body, "events"));
    put_output(i, output);
    i->cut = i->cut || msg_get_bool(body, "truncated", false);
    return good ? INFO_OK : INFO_KO;
}

static void on_answer(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct info_wait *wait = arg;
    enum info_end how = INFO_KO;

    if (wait->info && status == BUS_ok)
        how = put_answer(wait->info, body);
    else if (wait->info)
        info_line(wait->info, "%.*s", VIEW_ARG(schema_status_name(status)));
    info_wait_end(wait, how);
    free(wait);
}

/* HEADER=VALUE, where words without a = go on with the value before them. False: it begins with
 * one of those. */
static bool put_headers(struct ami_request *r, const struct info_words *w)
{
    struct buf value;

    buf_init(&value, 65536);
    for (size_t at = 3; at < w->n;) {
        struct view text = w->word[at];
        struct view name = view_cut(&text, '=');
        if (name.len == w->word[at].len || name.len == 0)
            break;
        buf_reset(&value);
        buf_append_view(&value, text);
        while (++at < w->n && !(w->word[at].len && memchr(w->word[at].ptr, '=', w->word[at].len))) {
            buf_append_char(&value, ' ');
            buf_append_view(&value, w->word[at]);
        }
        ami_request_header(r, name, buf_view(&value));
    }
    buf_free(&value);
    return r->n_headers > 0 || w->n == 3;
}

/* The action and its headers. False: it cannot be read. */
static bool put_action(struct ami_request *r, struct buf *body, const struct info_words *w)
{
    ami_request_begin(r, body, w->word[2]);
    if (!view_ieq(w->word[2], VIEW("Command")))
        return put_headers(r, w);
    ami_request_header(r, VIEW("Command"), w->n > 3 ? view_trim(w->rest[3]) : view_of(NULL, 0));
    return w->n > 3;
}

static bool ask(struct info *i, struct ipbx *s, struct view body)
{
    struct info_wait *wait = calloc(1, sizeof(*wait));

    if (!wait)
        return false;
    if (!ami_request_ask(i->state, s->model->ipbx, 2, body, ACTION_MS, on_answer, wait)) {
        free(wait);
        return false;
    }
    info_wait_begin(i, wait);
    return true;
}

enum info_end info_ami(struct info *i, const struct info_words *w)
{
    struct ipbx *s = state_ipbx(i->state, w->word[1]);
    enum info_end how = INFO_LATER;
    struct ami_request r;
    struct buf body;

    if (w->n == 2 && view_eq(w->word[1], VIEW("inits")))
        return ask_all(i);
    if (!s)
        return info_wrong(i, "%.*s: there is no such ipbx", VIEW_ARG(w->word[1]));
    if (w->n < 3)
        return info_wrong(i, "which action?");
    if (!state_gateway(i->state, s->model->ipbx))
        return info_wrong(i, "the link is down");
    buf_init(&body, 0);
    if (!put_action(&r, &body, w))
        how = info_wrong(i, "behind the action stands HEADER=VALUE, behind Command what Asterisk's "
                            "console is told");
    else if (!ask(i, s, ami_request_end(&r)))
        how = info_wrong(i, "it could not be sent");
    buf_free(&body);
    return how;
}
