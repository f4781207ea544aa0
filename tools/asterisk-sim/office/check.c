/* What the office holds, for the status and for tests. */
#include <stdlib.h>

#include "office/tell.h"
#include "json/json.h"

static unsigned check_leg(const struct leg *l, struct buf *out)
{
    const struct world *w = l->office->world;
    const struct chan *c = map_get(w->model.by_uniqueid, view_cstr(l->uniqueid));
    const char *bridge = l->link ? l->link->uniqueid : "";
    unsigned wrong = 0;

    if (!c || strcmp(c->field[CH_NAME], l->name) != 0) {
        buf_printf(out, "%s: not told\n", l->name);
        return 1;
    }
    if (atoi(c->field[CH_STATE]) != l->state && ++wrong)
        buf_printf(out, "%s: state %d, told %s\n", l->name, l->state, c->field[CH_STATE]);
    if (!l->office->old && strcmp(c->field[CH_BRIDGE], bridge) != 0 && ++wrong)
        buf_printf(out, "%s: bridge %s, told %s\n", l->name, bridge, c->field[CH_BRIDGE]);
    if (l->job == JOB_TALKS && !l->link && ++wrong)
        buf_printf(out, "%s: talks with nobody\n", l->name);
    if (l->job == JOB_NONE && !timer_runs(&l->step) && !l->asker && !l->twin && ++wrong)
        buf_printf(out, "%s: waits for nothing\n", l->name);
    if (l->job == JOB_RINGS && !timer_runs(&l->step) && l->other && !timer_runs(&l->other->step) &&
        ++wrong)
        buf_printf(out, "%s: rings for ever\n", l->name);
    if (l->served && !l->waiting && l->job != JOB_TALKS && l->job != JOB_CONSULT && ++wrong)
        buf_printf(out, "%s: served, but talks with nobody\n", l->name);
    return wrong;
}

static unsigned check_person(const struct office *o, const struct person *p, struct buf *out)
{
    const struct hint *h = model_hint(&o->world->model, view_cstr(p->is.number), VIEW("default"));
    unsigned wrong = 0, legs = 0;
    const struct leg *l;

    LIST_FOREACH(l, &p->legs, of_person) legs++;
    if (legs != p->n_legs && ++wrong)
        buf_printf(out, "%s: %u legs, counted %u\n", p->device, legs, p->n_legs);
    if (p->told != person_state(p) && ++wrong)
        buf_printf(out, "%s: state %d, told %d\n", p->device, person_state(p), p->told);
    if ((!h || atoi(h->field[HINT_STATUS]) != hint_status(p->told)) && ++wrong)
        buf_printf(out, "%s: hint %s\n", p->device, h ? h->field[HINT_STATUS] : "none");
    return wrong;
}

static bool talks_through(const struct member *m)
{
    const struct leg *l;

    LIST_FOREACH(l, &m->office->legs, all)
    if (l->served == m)
        return true;
    return false;
}

static unsigned check_queue(const struct queue *q, struct buf *out)
{
    const struct member *m;
    const struct leg *l;
    unsigned callers = 0, wrong = 0;

    STAILQ_FOREACH(l, &q->callers, waits)
    {
        callers++;
        if ((l->queue != q || !l->waiting || l->job != JOB_QUEUE) && ++wrong)
            buf_printf(out, "%s: waits in %s wrongly\n", l->name, q->is->name);
        if (l->served && !l->served->rings && ++wrong)
            buf_printf(out, "%s: nobody rings for it\n", l->name);
    }
    if (callers != q->n_callers && ++wrong)
        buf_printf(out, "%s: %u callers, counted %u\n", q->is->name, callers, q->n_callers);
    LIST_FOREACH(m, &q->members, of_queue)
    if (m->busy && !talks_through(m) && ++wrong)
        buf_printf(out, "%s in %s: busy with nobody\n", m->name, q->is->name);
    LIST_FOREACH(m, &q->members, of_queue)
    if (m->rings && !(m->rings->other && m->rings->other->served == m) && ++wrong)
        buf_printf(out, "%s in %s: rings for nobody\n", m->name, q->is->name);
    return wrong;
}

unsigned office_check(const struct office *o, struct buf *out)
{
    unsigned wrong = 0;
    const struct leg *l;

    LIST_FOREACH(l, &o->legs, all) wrong += check_leg(l, out);
    if (o->n_legs != o->world->model.n && ++wrong)
        buf_printf(out, "%zu legs, told %zu\n", o->n_legs, o->world->model.n);
    for (unsigned i = 0; i < o->n_people; i++)
        wrong += check_person(o, &o->people[i], out);
    for (size_t i = 0; i < COMPANY_QUEUES; i++)
        wrong += check_queue(&o->queues[i], out);
    return wrong;
}

static void put_queue(struct buf *out, const struct queue *q)
{
    const struct member *m;
    const char *sep = "";

    json_put_string(out, view_cstr(q->is->name));
    buf_printf(out, ":{\"callers\":%u,\"completed\":%u,\"abandoned\":%u,\"members\":{",
               q->n_callers, q->completed, q->abandoned);
    LIST_FOREACH(m, &q->members, of_queue)
    {
        buf_append_cstr(out, sep);
        json_put_string(out, view_cstr(m->interface));
        buf_printf(out, ":{\"status\":%d,\"paused\":%s}", m->status, m->paused ? "true" : "false");
        sep = ",";
    }
    buf_append_cstr(out, "}}");
}

static void put_parked(struct buf *out, const struct office *o)
{
    const char *sep = "";

    buf_append_cstr(out, ",\"parked\":{");
    for (unsigned i = 0; i < COMPANY_LOT_SPACES; i++) {
        if (!o->spaces[i])
            continue;
        buf_printf(out, "%s\"%u\":", sep, COMPANY_LOT_FIRST + i);
        json_put_string(out, view_cstr(o->spaces[i]->name));
        sep = ",";
    }
    buf_append_char(out, '}');
}

static void put_talks(struct buf *out, const struct office *o)
{
    const struct leg *l, *peer;
    const char *sep = "";

    buf_append_cstr(out, ",\"talks\":{");
    LIST_FOREACH(l, &o->legs, all)
    {
        peer = l->job == JOB_TALKS ? link_peer(l) : NULL;
        if (!peer)
            continue;
        buf_append_cstr(out, sep);
        json_put_string(out, view_cstr(l->name));
        buf_append_char(out, ':');
        json_put_string(out, view_cstr(peer->name));
        sep = ",";
    }
    buf_append_char(out, '}');
}

static void put_spies(struct buf *out, const struct office *o)
{
    const struct leg *l;
    const char *sep = "";

    buf_append_cstr(out, ",\"spies\":{");
    LIST_FOREACH(l, &o->legs, all)
    {
        if (!l->spied)
            continue;
        buf_append_cstr(out, sep);
        json_put_string(out, view_cstr(l->name));
        buf_append_char(out, ':');
        json_put_string(out, view_cstr(l->spied->name));
        sep = ",";
    }
    buf_append_char(out, '}');
}

void office_status(const struct office *o, struct buf *out)
{
    const struct leg *l;
    const char *sep = "";

    buf_printf(out, ",\"office\":{\"calls\":%llu,\"refused\":%llu,\"queues\":{",
               (unsigned long long)o->calls, (unsigned long long)o->refused);
    for (size_t i = 0; i < COMPANY_QUEUES; i++) {
        if (i > 0)
            buf_append_char(out, ',');
        put_queue(out, &o->queues[i]);
    }
    buf_append_char(out, '}');
    put_parked(out, o);
    put_talks(out, o);
    put_spies(out, o);
    buf_append_cstr(out, ",\"room\":{");
    LIST_FOREACH(l, &o->room.legs, in_room)
    {
        buf_append_cstr(out, sep);
        json_put_string(out, view_cstr(l->name));
        buf_printf(out, ":%s", l->muted ? "true" : "false");
        sep = ",";
    }
    buf_append_cstr(out, "},\"messages\":{");
    sep = "";
    for (unsigned i = 0; i < o->n_people; i++) {
        const struct person *p = &o->people[i];
        if (p->new_messages == 0)
            continue;
        buf_printf(out, "%s\"%s\":%u", sep, p->is.number, p->new_messages);
        sep = ",";
    }
    buf_append_cstr(out, "}}");
}
