/* What the domain tells to be kept: calls and the events of queues, into the database. */
#include "internal.h"

static void on_call(void *arg, struct domain *d, const struct call_entry *e)
{
    struct state *s = arg;

    db_write(s->db,
             "INSERT INTO call_log (site, user, mode, start, duration, name, number)"
             " VALUES (?, ?, ?, ?, ?, ?, ?)",
             "ssiffss", xod_site_name(d->site), e->user_id, (int64_t)e->mode, e->start, e->duration,
             e->name, e->number);
}

static void on_queue(void *arg, struct domain *d, const struct queue_event *e)
{
    struct state *s = arg;

    db_write(s->db,
             "INSERT INTO queue_log (site, queue, kind, time, waited) VALUES (?, ?, ?, ?, ?)",
             "ssiff", xod_site_name(d->site), e->queue_id, (int64_t)e->kind, e->time, e->waited);
}

const struct domain_effects state_effects = {on_call, on_queue};
