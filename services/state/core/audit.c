/* What clients did: published for who listens, and kept for the operator. */
#include "core/audit.h"
#include "base/array.h"
#include "base/clock.h"
#include "bus/topic.h"

static void begin_topic(struct buf *topic, struct xod_ipbx *ipbx, const char *what,
                        struct view detail)
{
    buf_init(topic, 1024);
    buf_append_cstr(topic, "cti/");
    topic_put(topic, xod_ipbx_name(ipbx));
    buf_append_cstr(topic, what);
    topic_put(topic, detail);
}

static void write_row(struct state *s, struct xod_ipbx *ipbx, struct view user, struct view class,
                      struct view outcome, struct view detail)
{
    db_write(s->db,
             "INSERT INTO cti_log (site, user, time, class, outcome, detail)"
             " VALUES (?, ?, ?, ?, ?, ?)",
             "ssfsss", xod_ipbx_name(ipbx), user, clock_wall(), class, outcome, detail);
}

void ctilog_session(struct state *s, struct xod_ipbx *ipbx, struct view user_id, struct view id,
                    bool opened, struct view why, struct view address)
{
    struct buf topic;
    struct buf body;

    begin_topic(&topic, ipbx, "session/", opened ? VIEW("open") : VIEW("close"));
    buf_init(&body, 4096);
    msg_put_map(&body, address.len ? 4 : 3);
    msg_put_pair(&body, "userid", user_id);
    msg_put_pair(&body, "session", id);
    msg_put_pair(&body, "reason", why);
    if (address.len)
        msg_put_pair(&body, "address", address);
    bus_pub_send(s->pub, buf_view(&topic), buf_view(&body));
    write_row(s, ipbx, user_id, opened ? VIEW("login") : VIEW("logout"), VIEW("ok"), why);
    buf_free(&topic);
    buf_free(&body);
}

void ctilog_command(struct state *s, struct xod_ipbx *ipbx, struct view user_id, struct view class,
                    enum bus_status outcome, uint64_t us, bool quiet)
{
    struct buf topic;
    struct buf body;

    begin_topic(&topic, ipbx, "command/", class);
    buf_init(&body, 4096);
    msg_put_map(&body, 4);
    msg_put_pair(&body, "userid", user_id);
    msg_put_pair(&body, "class", class);
    msg_put_pair(&body, "outcome", schema_status_name(outcome));
    msg_put_pair_u64(&body, "us", us);
    bus_pub_send(s->pub, buf_view(&topic), buf_view(&body));
    if (!quiet)
        write_row(s, ipbx, user_id, class, schema_status_name(outcome), view_of(NULL, 0));
    buf_free(&topic);
    buf_free(&body);
}

static void on_detail(void *arg, int rc)
{
    struct deferred_reply *l = arg;

    deferred_reply_status(&l, rc == 0 ? BUS_ok : BUS_failed);
}

void ctilog_detail(struct state *s, struct xod_ipbx *ipbx, struct view user_id, struct view class,
                   struct view detail, struct deferred_reply *l)
{
    struct db_txn *t = db_begin(s->db);

    if (!t) {
        deferred_reply_status(&l, BUS_busy);
        return;
    }
    db_add(t,
           "INSERT INTO cti_log (site, user, time, class, outcome, detail)"
           " VALUES (?, ?, ?, ?, ?, ?)",
           "ssfsss", xod_ipbx_name(ipbx), user_id, clock_wall(), class, VIEW("ok"), detail);
    db_commit_take(&t, on_detail, l);
}

/* A bounded number at a time, so that the thread is soon free for others; what is left is for the
 * next minute. */
void ctilog_expire(struct state *s, double now)
{
    static const struct {
        const char *key, *sql;
    } logs[] = {
        {"ctibus.retention.calls_days", "DELETE FROM call_log WHERE id IN (SELECT id FROM call_log"
                                        " WHERE start < ? ORDER BY start LIMIT 10000)"},
        {"ctibus.retention.queues_days",
         "DELETE FROM queue_log WHERE id IN (SELECT id FROM queue_log"
         " WHERE time < ? ORDER BY time LIMIT 10000)"},
        {"ctibus.retention.clients_days", "DELETE FROM cti_log WHERE id IN (SELECT id FROM cti_log"
                                          " WHERE time < ? ORDER BY time LIMIT 10000)"},
    };

    /* 0 is no time at all, here: what was kept before is to go */
    db_write(s->db,
             "DELETE FROM chat WHERE id IN (SELECT id FROM chat WHERE time < ? ORDER BY time"
             " LIMIT 10000)",
             "f", now - (double)config_int(s->cfg, "ctibus.retention.chat_days") * 86400);
    for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
        int64_t days = config_int(s->cfg, logs[i].key);
        if (days > 0)
            db_write(s->db, logs[i].sql, "f", now - (double)days * 86400);
    }
}
