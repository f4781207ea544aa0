/* What the domain tells to be kept: calls and the events of queues, into the database. */
#include "calls/call_log.h"
#include "database/db.h"
#include "model/statistics.h"

static void on_call(void *arg, struct ipbx_model *d, const struct call_entry *e)
{
    struct state *s = arg;

    db_write(s->db,
             "INSERT INTO call_log (site, user, mode, start, duration, name, number, call, queue,"
             " answered_by, recorded) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
             "ssiffsssssi", xod_ipbx_name(d->ipbx), e->user_id, (int64_t)e->mode, e->start,
             e->duration, e->name, e->number, e->call, e->queue, e->answered_by,
             (int64_t)e->recorded);
}

static void on_queue(void *arg, struct ipbx_model *d, const struct queue_event *e)
{
    struct state *s = arg;

    db_write(s->db,
             "INSERT INTO queue_log (site, queue, kind, time, waited) VALUES (?, ?, ?, ?, ?)",
             "ssiff", xod_ipbx_name(d->ipbx), e->queue_id, (int64_t)e->kind, e->time, e->waited);
}

const struct ipbx_model_effects state_effects = {on_call, on_queue};

static bool take_row(void *arg, const struct db_row *row)
{
    struct ipbx *ipbx = state_ipbx(arg, db_text(row, 0));
    struct queue_event e = {.kind = (enum queue_event_kind)db_int(row, 2),
                            .queue_id = db_text(row, 1),
                            .time = db_float(row, 3),
                            .waited = db_float(row, 4)};

    if (ipbx) /* what cannot be taken is missing in the sums, no more */
        statistics_restore(ipbx->model, &e);
    return true;
}

int calls_recall(struct state *s, double now)
{
    return db_read_now(s->db,
                       "SELECT site, queue, kind, time, waited FROM queue_log WHERE time > ?"
                       " ORDER BY time, id",
                       take_row, s, "f", now - STATISTICS_KEEP_S);
}
