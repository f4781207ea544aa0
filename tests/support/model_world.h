/* An IPBX as it is recorded in tests/data/ami: a translator, the domain and the store, with the
 * phones, queues, rooms... of the recorded Asterisks, and what must hold of the store after every
 * event. */
#ifndef CTIBUS_TESTS_MODEL_WORLD_H
#define CTIBUS_TESTS_MODEL_WORLD_H

#include <stdlib.h>

#include "base/array.h"
#include "base/map.h"
#include "model/model.h"
#include "support/capture.h"
#include "support/invariants.h"
#include "translate.h"

struct model_world {
    struct translator *t;
    struct xod *x;
    struct xod_ipbx *ipbx;
    struct ipbx_model *d;
    struct msg_doc doc;
    struct buf scratch, topic, body;
    double now;
    xod_change_fn *note; /* told of every change, with this world */
    void *note_arg;
};

static inline void world_note(void *arg, const struct xod_change *c)
{
    struct model_world *w = arg;

    if (w->note)
        w->note(w->note_arg, c);
}

/* By way of the bus's bytes. */
static inline void world_apply(void *arg, const struct tel_out *o)
{
    struct model_world *w = arg;
    struct bus_msg m = {.time = w->now += 0.01};
    struct view ipbx;
    struct tel t;

    buf_reset(&w->topic);
    buf_reset(&w->body);
    buf_append_cstr(&w->topic, "tel/xivo/");
    buf_append_view(&w->topic, schema_tel_topic(o->event));
    tel_out_body(&w->body, o, AMI_CHARSET_UTF8);
    m.topic = buf_view(&w->topic);
    m.body = buf_view(&w->body);
    assert_int_equal(tel_read(&t, &m, &w->doc, &w->scratch, &ipbx), 0);
    ipbx_model_event(w->d, &t);
    xod_commit(w->x, world_note, w);
    check_site(w->ipbx);
}

static inline bool world_block(void *arg, const struct ami_block *b)
{
    struct model_world *w = arg;

    if (b->kind == AMI_EVENT && !ami_get(b, "ActionID").ptr)
        translator_event(w->t, b->name, b, false);
    return true;
}

/* A listing's events have the ActionID of who asked. */
static inline bool world_listed_block(void *arg, const struct ami_block *b)
{
    struct model_world *w = arg;

    if (b->kind == AMI_EVENT)
        translator_event(w->t, b->name, b, true);
    return true;
}

static inline void world_play(struct model_world *w, const char *version, const char *name)
{
    struct buf bytes;
    char path[128];

    snprintf(path, sizeof(path), "%s/%s.ami", version, name);
    capture_load(&bytes, path);
    capture_blocks(buf_view(&bytes), 0, world_block, w);
    buf_free(&bytes);
    translator_flush(w->t);
}

/* Lines of events, "|" for a line end, "||" for the end of an event. */
static inline void world_lines(struct model_world *w, const char *lines, ami_block_fn *fn)
{
    capture_lines(lines, fn, w);
    translator_flush(w->t);
}

static inline void world_say(struct model_world *w, const char *lines)
{
    world_lines(w, lines, world_block);
}

static inline void world_list(struct model_world *w, const char *lines)
{
    world_lines(w, lines, world_listed_block);
}

static inline void world_mark(struct model_world *w, enum tel_event ev, const char *kind)
{
    struct tel_out o;

    tel_out_init(&o, ev);
    tel_out_put(&o, TELF_kind, view_cstr(kind));
    world_apply(w, &o);
}

/* Time goes by without an event. */
static inline void world_tick(struct model_world *w, double seconds)
{
    w->now += seconds;
    ipbx_model_tick(w->d, w->now);
    xod_commit(w->x, world_note, w);
    check_site(w->ipbx);
}

/* ---- the recorded IPBX ---- */

static inline struct xod_obj *world_add(struct model_world *w, enum xod_list list, const char *id,
                                        unsigned field, const char *value)
{
    struct xod_obj *o = xod_add(w->ipbx, list, view_cstr(id));

    if (!o || xod_set_str(o, field, view_cstr(value)) < 0)
        abort();
    return o;
}

static inline void world_furnish(struct model_world *w)
{
    static const char *const people[] = {"alice", "bob", "carol", "dave", "erin"};

    for (size_t i = 0; i < ARRAY_SIZE(people); i++) {
        char id[32], text[32];
        struct xod_obj *o;
        snprintf(id, sizeof(id), "1%zu", i + 1);
        snprintf(text, sizeof(text), "SIP/%s", people[i]);
        o = world_add(w, LIST_phones, id, XOD(phones, identity), text);
        snprintf(text, sizeof(text), "100%zu", i + 1);
        xod_set_str(o, XOD(phones, number), view_cstr(text));
        xod_set_str(o, XOD(phones, context), VIEW("default"));
        snprintf(text, sizeof(text), "100%zu@default", i + 1);
        world_add(w, LIST_voicemails, id, XOD(voicemails, fullmailbox), text);
    }
    xod_set_str(world_add(w, LIST_trunks, "1", XOD(trunks, identity), "SIP/pstn"),
                XOD(trunks, context), VIEW("from-extern"));
    world_add(w, LIST_queues, "1", XOD(queues, name), "support");
    world_add(w, LIST_queues, "2", XOD(queues, name), "sales");
    world_add(w, LIST_queues, "3", XOD(queues, name), "agentq");
    world_add(w, LIST_queues, "4", XOD(queues, name), "empty");
    world_add(w, LIST_groups, "1", XOD(groups, name), "group");
    world_add(w, LIST_agents, "1", XOD(agents, number), "2001");
    world_add(w, LIST_agents, "2", XOD(agents, number), "2002");
    world_add(w, LIST_meetmes, "1", XOD(meetmes, confno), "4001");
    world_add(w, LIST_meetmes, "2", XOD(meetmes, confno), "4002");
    world_add(w, LIST_parkinglots, "1", XOD(parkinglots, name), "default");
    ipbx_model_relink(w->d);
    xod_commit(w->x, NULL, NULL);
}

static inline struct model_world *world_new(void)
{
    struct model_world *w = calloc(1, sizeof(*w));

    buf_init(&w->scratch, 4096);
    buf_init(&w->topic, 4096);
    buf_init(&w->body, 0);
    w->t = translator_new(world_apply, w);
    w->x = xod_new();
    w->ipbx = xod_ipbx(w->x, VIEW("xivo"), true);
    w->d = ipbx_model_new(w->ipbx);
    if (!w->t || !w->d || msg_doc_init(&w->doc) < 0)
        abort();
    world_furnish(w);
    return w;
}

static inline void world_destroy(struct model_world *w)
{
    ipbx_model_destroy(&w->d);
    xod_destroy(&w->x);
    translator_destroy(&w->t);
    msg_doc_fini(&w->doc);
    buf_free(&w->scratch);
    buf_free(&w->topic);
    buf_free(&w->body);
    free(w);
}

/* Of a test that needs no more than a world: *state. */
static inline int world_setup(void **state)
{
    *state = world_new();
    return 0;
}

static inline int world_teardown(void **state)
{
    world_destroy(*state);
    return 0;
}

/* ---- looking ---- */

static inline struct xod_obj *world_find(struct model_world *w, enum xod_list list, const char *id)
{
    return xod_find(w->ipbx, list, view_cstr(id));
}

/* A field as JSON, in a place of its own that lives until the eighth next call. */
static inline const char *world_json(struct model_world *w, enum xod_list list, const char *id,
                                     unsigned field)
{
    static char places[8][2048];
    static unsigned next;
    char *place = places[next++ % 8];
    struct xod_obj *o = world_find(w, list, id);
    struct buf out;

    if (!o)
        return "no such object";
    buf_init(&out, 0);
    value_put_json(&out, xod_get(o, field));
    snprintf(place, sizeof(places[0]), "%s", buf_cstr(&out));
    for (char *p = place; *p; p++)
        if (*p == '"')
            *p = '\'';
    buf_free(&out);
    return place;
}

#endif
