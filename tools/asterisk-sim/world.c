#include "world.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "classes.h"
#include "office/office.h"
#include "say.h"

int world_init(struct world *w)
{
    int rc = model_init(&w->model);

    capture_init(&w->capture);
    w->rewrite = (struct rewrite){0};
    w->listing = (struct listing){0};
    ami_parser_init(&w->parser);
    w->sink = NULL;
    w->newexten = NULL;
    w->office = NULL;
    w->turn = NULL;
    w->events_played = w->loops = 0;
    w->in_loop = 0;
    w->done = false;
    w->start_us = clock_mono_us();
    w->gone = map_new();
    w->variables = map_new();
    if (rc == 0 && w->gone && w->variables)
        return 0;
    world_free(w);
    return -ENOMEM;
}

/* Empties a map whose values are the memory of their keys. */
static void forget_all(struct map *m)
{
    struct view key;
    void *value;
    size_t pos = 0;

    while (map_next(m, &pos, &key, &value)) {
        map_del(m, key);
        free(value);
    }
}

void world_free(struct world *w)
{
    if (w->gone)
        forget_all(w->gone);
    if (w->variables)
        forget_all(w->variables);
    map_destroy(&w->gone);
    map_destroy(&w->variables);
    model_free(&w->model);
    listing_free(&w->listing);
    rewrite_free(&w->rewrite);
    capture_free(&w->capture);
}

/* What is done with each event. */
struct playing {
    struct world *w;
    enum model_op op;
    uint32_t classes; /* 0: ask the event */
    struct view event;
};

static bool is_gone(const struct world *w, const struct ami_block *b)
{
    if (map_count(w->gone) == 0)
        return false;
    for (unsigned i = 0; i < b->n; i++) {
        const struct ami_header *h = &b->headers[i];
        bool linked = h->name.len >= 8 &&
                      view_ieq(view_of(h->name.ptr + h->name.len - 8, 8), VIEW("Linkedid"));
        if (!linked && h->value.len && map_get(w->gone, h->value))
            return true;
    }
    return false;
}

static bool take(void *arg, const struct ami_block *b)
{
    struct playing *p = arg;

    if (is_gone(p->w, b))
        return false;
    model_apply(&p->w->model, p->op == OP_NONE ? model_op_of(b->name) : p->op, b);
    if (p->classes == 0)
        p->classes = classes_of_event(ami_get(b, "Privilege"));
    if (p->w->sink)
        p->w->sink(p->w->sink_arg, p->event, p->classes);
    if (p->w->newexten && ami_is_event(b, "Newexten"))
        p->w->newexten(p->w->newexten_arg, b);
    return false;
}

static void run(struct playing *p)
{
    ami_parse(&p->w->parser, p->event, take, p);
}

void world_emit(struct world *w, struct view event)
{
    struct playing p = {.w = w, .op = OP_NONE, .event = event};

    run(&p);
}

void world_play(struct world *w, size_t i)
{
    const struct sim_event *e = &w->capture.events[i];
    struct playing p = {.w = w, .op = (enum model_op)e->op, .classes = e->classes};

    rewrite_event(&w->rewrite, &w->capture, e);
    p.event = capture_event(&w->capture, e);
    w->events_played++;
    w->in_loop = i + 1;
    if (e->op != OP_NONE || map_count(w->gone) > 0 || w->newexten)
        run(&p);
    else if (w->sink)
        w->sink(w->sink_arg, p.event, e->classes);
}

void world_begin_loop(struct world *w)
{
    rewrite_next_loop(&w->rewrite, clock_wall_us() / 1000000);
    w->loops++;
    w->in_loop = 0;
}

static void emit(struct world *w, struct buf *event)
{
    if (!event->failed)
        world_emit(w, buf_view(event));
    buf_reset(event);
}

/* Ends a channel with all that Asterisk says about it. */
static void end_channel(struct world *w, struct chan *c, int cause)
{
    struct bridge *br = model_bridge(&w->model, view_cstr(c->field[CH_BRIDGE]));
    struct buf event;

    buf_init(&event, 0);
    if (c->peer) {
        say_unlink(&event, c, c->peer);
        emit(w, &event);
    }
    if (br) {
        say_leave(&event, c, br);
        emit(w, &event);
    }
    say_hangup(&event, w->capture.old, c, cause);
    emit(w, &event);
    buf_free(&event);
}

void world_hangup(struct world *w, struct chan *c, int cause)
{
    char *uniqueid = view_dup(view_cstr(c->field[CH_UNIQUEID]));

    end_channel(w, c, cause);
    if (uniqueid && !w->done && map_put(w->gone, view_cstr(uniqueid), uniqueid) == 0)
        return;
    free(uniqueid);
}

static struct bridge *any_bridge(struct model *m)
{
    struct view key;
    void *value;
    size_t pos = 0;

    return map_next(m->bridges, &pos, &key, &value) ? value : NULL;
}

void world_end_loop(struct world *w)
{
    struct bridge *br;
    struct buf event;

    forget_all(w->gone);
    forget_all(w->variables);
    for (size_t n = w->model.n; n > 0; n--)
        end_channel(w, w->model.chans[0], 16);
    buf_init(&event, 0);
    for (size_t n = map_count(w->model.bridges); n > 0 && (br = any_bridge(&w->model)); n--) {
        say_bridge_destroy(&event, br);
        emit(w, &event);
    }
    buf_free(&event);
}

/* "UNIQUEID NAME", or "none NAME" for a global one. */
static void variable_key(struct buf *key, struct view uniqueid, struct view name)
{
    buf_init(key, 0);
    buf_append_view(key, uniqueid.len ? uniqueid : VIEW("none"));
    buf_append_char(key, ' ');
    buf_append_view(key, name);
}

static void keep_variable(struct world *w, struct view uniqueid, struct view name,
                          struct view value)
{
    struct buf key;
    char *old, *entry = NULL;
    size_t len;

    variable_key(&key, uniqueid, name);
    len = buf_len(&key);
    buf_append_char(&key, '\0');
    buf_append_view(&key, value);
    if (!key.failed)
        entry = view_dup(buf_view(&key));
    old = entry ? map_del(w->variables, view_of(entry, len)) : NULL;
    free(old);
    if (entry && map_put(w->variables, view_of(entry, len), entry) < 0)
        free(entry);
    buf_free(&key);
}

void world_set_variable(struct world *w, const struct chan *c, struct view name, struct view value)
{
    struct view uniqueid = view_cstr(c ? c->field[CH_UNIQUEID] : "none");
    struct buf event;

    if (w->office && c) { /* its channels keep their own, and forget them at their end */
        office_set_variable(w->office, uniqueid, name, value);
        return;
    }
    keep_variable(w, uniqueid, name, value);
    buf_init(&event, 0);
    say(&event, "Event", "VarSet");
    say(&event, "Privilege", "dialplan,all");
    if (c && !w->capture.old) {
        say_channel(&event, c);
    } else {
        say(&event, "Channel", c ? c->field[CH_NAME] : "none");
        say_header(&event, VIEW("Uniqueid"), uniqueid);
    }
    say_header(&event, VIEW("Variable"), name);
    say_header(&event, VIEW("Value"), value);
    say_end(&event);
    emit(w, &event);
    buf_free(&event);
}

struct variable_search {
    struct view uniqueid;
    struct view name;
    struct view value;
};

static bool match_variable(void *arg, const struct ami_block *b)
{
    struct variable_search *s = arg;

    if (view_eq(ami_get(b, "Uniqueid"), s->uniqueid) && view_eq(ami_get(b, "Variable"), s->name))
        s->value = ami_get(b, "Value");
    return false;
}

struct view world_variable(struct world *w, const struct chan *c, struct view name)
{
    struct variable_search s = {.name = name,
                                .uniqueid = view_cstr(c ? c->field[CH_UNIQUEID] : "none")};
    struct buf key;
    const char *entry;
    size_t len;

    if (w->office && c)
        return view_cstr(office_variable(w->office, s.uniqueid, name));
    variable_key(&key, s.uniqueid, name);
    len = buf_len(&key);
    entry = map_get(w->variables, buf_view(&key));
    buf_free(&key);
    if (entry)
        return view_cstr(entry + len + 1);
    for (size_t i = w->in_loop; i > 0 && !s.value.ptr; i--) {
        struct view event = capture_event(&w->capture, &w->capture.events[i - 1]);
        if (view_starts(event, VIEW("Event: VarSet\r\n")) && view_find(event, name) >= 0)
            ami_parse(&w->parser, event, match_variable, &s);
    }
    return s.value;
}

static bool seed_hint(void *arg, const struct ami_block *b)
{
    model_seed_hint(arg, b);
    return false;
}

int world_prepare(struct world *w)
{
    int rc = rewrite_init(&w->rewrite, &w->capture);

    if (rc == 0)
        rc = listing_seed(&w->listing, &w->model);
    for (size_t i = 0; i < w->capture.n && rc == 0; i++) {
        const struct sim_event *e = &w->capture.events[i];
        if (e->op != OP_HINT)
            continue;
        ami_parse(&w->parser, capture_event(&w->capture, e), seed_hint, &w->model);
    }
    return rc;
}
