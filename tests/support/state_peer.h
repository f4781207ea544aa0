/* A peer of a whole state that is a gateway of both kinds: it opens sessions, and registers as the
 * ami-gw that carries out actions, which it writes down. What it is asked before an answer comes to
 * it before that answer: so when one is there, all its actions are, too. Include after cmocka.h. */
#ifndef CTIBUS_TESTS_STATE_PEER_H
#define CTIBUS_TESTS_STATE_PEER_H

#include <json-c/json.h>

#include "support/whole_state.h"

struct state_peer {
    struct loop *loop;
    struct process p;
    struct bus_client *bus_client;
    int ups, kicks, answers;
    enum bus_status status;
    char answer[2048]; /* the last one, as JSON */
    char kicked[64];   /* the session of the last kick */
    /* the actions asked for, as `NAME {headers}` a line, and what they are answered with */
    char actions[4096];
    int n_actions;
    const char *response; /* NULL: nothing */
    const char *lacks;    /* an action that this Asterisk has not, or NULL */
    int asked;            /* times that a sheet asked it */
    const char *knows;    /* what it answers then, as JSON; NULL: nothing, ever */
};

static inline void peer_json(char *out, size_t size, const msgpack_object *o)
{
    struct buf text;
    struct value v;

    *out = '\0';
    if (!o || value_from_msg(&v, o) < 0)
        return;
    buf_init(&text, 0);
    value_put_json(&text, &v);
    snprintf(out, size, "%s", buf_cstr(&text));
    buf_free(&text);
    value_clear(&v);
}

static inline void peer_act(struct state_peer *x, uint64_t id, const msgpack_object *body)
{
    size_t n = strlen(x->actions);
    char headers[1024];
    bool lacking;
    struct buf out;

    peer_json(headers, sizeof(headers), msg_get(body, "headers"));
    snprintf(x->actions + n, sizeof(x->actions) - n, "%.*s %s\n",
             VIEW_ARG(msg_get_str(body, "action")), headers);
    x->n_actions++;
    if (!x->response)
        return;
    buf_init(&out, 0);
    lacking = x->lacks && view_eq(msg_get_str(body, "action"), view_cstr(x->lacks));
    msg_put_map(&out, 4);
    msg_put_pair(&out, "actionid", VIEW("act-1"));
    msg_put_cstr(&out, "no_such_action");
    msg_put_bool(&out, lacking);
    msg_put_pair(&out, "response", lacking ? VIEW("Error") : view_cstr(x->response));
    msg_put_pair(&out, "message", VIEW("so it is"));
    bus_client_reply(x->bus_client, id, BUS_ok, buf_view(&out));
    buf_free(&out);
}

static inline void peer_say(struct state_peer *x, uint64_t id)
{
    struct json_object *o = x->knows ? json_tokener_parse(x->knows) : NULL;
    struct buf out;
    struct value v;

    x->asked++;
    if (!o)
        return;
    buf_init(&out, 0);
    assert_int_equal(value_from_json(&v, o), 0);
    value_pack(&out, &v);
    bus_client_reply(x->bus_client, id, BUS_ok, buf_view(&out));
    value_clear(&v);
    buf_free(&out);
    json_object_put(o);
}

static inline void peer_on_request(void *arg, uint64_t id, enum bus_method method,
                                   const msgpack_object *body)
{
    struct state_peer *x = arg;

    if (method == METHOD_ami_action) {
        peer_act(x, id, body);
        return;
    }
    if (method == METHOD_sheet_call) {
        peer_say(x, id);
        return;
    }
    if (method == METHOD_kick) {
        x->kicks++;
        snprintf(x->kicked, sizeof(x->kicked), "%.*s", VIEW_ARG(msg_get_str(body, "session")));
    }
    bus_client_reply(x->bus_client, id, BUS_ok, view_of(NULL, 0));
}

static inline void peer_on_up(void *arg, const msgpack_object *body)
{
    ((struct state_peer *)arg)->ups++;
}

static inline void peer_on_answer(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct state_peer *x = arg;

    x->answers++;
    x->status = status;
    peer_json(x->answer, sizeof(x->answer), body);
}

static inline void peer_start(struct state_peer *x, struct state_world *w, const char *name)
{
    static const struct bus_client_handler handler = {peer_on_up, NULL, peer_on_request};
    int err = 0;

    *x = (struct state_peer){.loop = w->loop, .response = "Success"};
    x->p = process_start(w->loop, name, name, NULL);
    x->bus_client =
        bus_client_new(x->p.bus, state_endpoint_request(w->s), "cti-gw", &handler, x, &err);
    UNTIL(w->loop, x->ups == 1);
}

static inline void peer_end(struct state_peer *x)
{
    if (!x->bus_client)
        return;
    bus_client_destroy(&x->bus_client);
    process_end(&x->p);
}

/* Asks with the pairs of a JSON object, and does not wait. */
static inline void peer_send(struct state_peer *x, enum bus_method method, const char *json)
{
    struct json_object *o = json_tokener_parse(json);
    struct buf pairs;

    if (!o)
        fail_msg("not JSON: %s", json);
    buf_init(&pairs, 0);
    json_object_object_foreach(o, key, item)
    {
        struct value v;
        assert_int_equal(value_from_json(&v, item), 0);
        msg_put_cstr(&pairs, key);
        value_pack(&pairs, &v);
        value_clear(&v);
    }
    assert_true(bus_ask(x->bus_client, method, (size_t)json_object_object_length(o),
                        buf_view(&pairs), 15000, peer_on_answer, x) > 0);
    buf_free(&pairs);
    json_object_put(o);
}

static inline enum bus_status peer_ask(struct state_peer *x, enum bus_method method,
                                       const char *json)
{
    x->answers = 0;
    peer_send(x, method, json);
    UNTIL(x->loop, x->answers == 1);
    return x->status;
}

/* Registers as the ami-gw of xivo in its n-th login; 0: its link is down. */
static inline void peer_login(struct state_peer *x, int n)
{
    char json[96];

    snprintf(json, sizeof(json), "{\"kind\":\"ami\",\"ipbx\":\"xivo\",\"login\":%d}", n);
    assert_int_equal(peer_ask(x, METHOD_worker_register, json), BUS_ok);
}

static inline enum bus_status peer_open(struct state_peer *x, const char *session, const char *user,
                                        const char *presence)
{
    char json[256];

    snprintf(json, sizeof(json),
             "{\"ipbxid\":\"xivo\",\"userid\":\"%s\",\"capaid\":\"client\",\"session\":\"%s\","
             "\"state\":\"%s\"}",
             user, session, presence);
    return peer_ask(x, METHOD_login_open, json);
}

static inline enum bus_status peer_close(struct state_peer *x, const char *session)
{
    char json[96];

    snprintf(json, sizeof(json), "{\"session\":\"%s\"}", session);
    return peer_ask(x, METHOD_session_close, json);
}

/* A client's command; message: a JSON object. */
static inline enum bus_status peer_command(struct state_peer *x, const char *session,
                                           const char *class, const char *message)
{
    char json[1024];

    snprintf(json, sizeof(json), "{\"session\":\"%s\",\"class\":\"%s\",\"message\":%s}", session,
             class, message);
    return peer_ask(x, METHOD_command, json);
}

static inline enum bus_status peer_presence(struct state_peer *x, const char *session,
                                            const char *to)
{
    char json[128];

    snprintf(json, sizeof(json), "{\"availstate\":\"%s\"}", to);
    return peer_command(x, session, "availstate", json);
}

/* The state ends (a crash is no different: what is answered as done is on disk) and starts anew at
 * the same endpoints. The peers stay, and find it again. */
static inline void state_restart(struct state_world *w)
{
    char publish[64], subscribe[64], request[64];

    snprintf(publish, sizeof(publish), "%s", state_endpoint_publish(w->s));
    snprintf(subscribe, sizeof(subscribe), "%s", state_endpoint_subscribe(w->s));
    snprintf(request, sizeof(request), "%s", state_endpoint_request(w->s));
    state_stop(w);
    while (state_start(w, publish, subscribe, request) < 0) {
        state_stop(w);
        loop_once(w->loop, 5);
    }
}

#endif
