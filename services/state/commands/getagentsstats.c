/* getagentsstats: how many calls each agent took since a moment of today, and how long they
 * lasted, from the call log. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "access/access.h"
#include "base/clock.h"
#include "commands/commands.h"
#include "core/deferred_reply.h"
#include "sessions/sessions.h"
#include "json/json.h"

#define MAX_AGENTS 10000            /* those behind are left out */
#define BACK_S (2.0 * 24 * 60 * 60) /* no longer ago: it is about the day */

/* Calls of queues, and all others that were talked in. ?1 site, ?2 earliest start, ?3 users. */
#define SUMS                                                                                       \
    "SELECT user, COUNT(CASE WHEN mode = 1 AND queue <> '' THEN 1 END),"                           \
    " SUM(CASE WHEN mode = 1 AND queue <> '' THEN duration ELSE 0 END),"                           \
    " COUNT(CASE WHEN mode = 0 OR (mode = 1 AND queue = '') THEN 1 END),"                          \
    " SUM(CASE WHEN mode = 0 OR (mode = 1 AND queue = '') THEN duration ELSE 0 END)"               \
    " FROM call_log WHERE site = ?1 AND start >= ?2 AND mode < 2"                                  \
    " AND user IN (SELECT value FROM json_each(?3)) GROUP BY user"

struct reading {
    struct deferred_reply *l;
    struct json_object *agents; /* id of each user that is asked about -> id of the agent */
    struct buf rows;
    size_t n;
};

static void reading_free(struct reading *r)
{
    json_object_put(r->agents);
    buf_free(&r->rows);
    free(r);
}

static void put_sums(struct buf *out, const char *calls, const char *talked,
                     const struct db_row *row, int at)
{
    msg_put_cstr(out, calls);
    msg_put_i64(out, db_int(row, at));
    msg_put_cstr(out, talked);
    msg_put_i64(out, llround(db_float(row, at + 1)));
}

/* On the thread of the database: touches nothing but the reading. */
static bool take_row(void *arg, const struct db_row *row)
{
    struct reading *r = arg;
    struct json_object *agent = json_member(r->agents, db_text(row, 0));

    if (!agent)
        return true;
    msg_put_map(&r->rows, 5);
    msg_put_pair(&r->rows, "id", json_view(agent));
    put_sums(&r->rows, "calls", "talked", row, 1);
    put_sums(&r->rows, "other_calls", "other_talked", row, 3);
    r->n++;
    return true;
}

static void on_read(void *arg, int rc)
{
    struct reading *r = arg;
    struct buf pairs;

    if (rc < 0 || r->rows.failed) {
        deferred_reply_status(&r->l, BUS_failed);
    } else {
        buf_init(&pairs, 0);
        msg_put_elements(&pairs, "agents", r->n, &r->rows);
        deferred_reply_pairs(&r->l, 1, &pairs);
        buf_free(&pairs);
    }
    reading_free(r);
}

/* The agents that the session sees; ids: of their users, a JSON array. */
static void find_agents(struct state *s, const struct session *se, struct json_object *agents,
                        struct json_object *ids)
{
    struct xod_obj *user;
    struct xod_obj *agent;
    struct access a;

    if (access_init(&a, session_user(se), access_is_separate(s->cfg)) < 0)
        return;
    for (size_t pos = 0; json_object_array_length(ids) < MAX_AGENTS &&
                         (user = xod_next(se->ipbx, LIST_users, &pos));)
        if ((agent = xod_related(user, LIST_agents, 0)) && access_sees(&a, agent)) {
            json_object_object_add(agents, xod_obj_id(user).ptr,
                                   json_object_new_string(xod_obj_id(agent).ptr));
            json_object_array_add(ids, json_object_new_string(xod_obj_id(user).ptr));
        }
    access_fini(&a);
}

static double earliest(const msgpack_object *message)
{
    double now = clock_wall();
    double from = msg_get_double(message, "from", now - BACK_S);

    return isfinite(from) && from > now - BACK_S ? from : now - BACK_S;
}

static void getagentsstats(struct state *s, struct session *se, struct deferred_reply *l,
                           const msgpack_object *message)
{
    struct json_object *ids = json_object_new_array();
    struct reading *r = calloc(1, sizeof(*r));
    struct buf whose;

    buf_init(&whose, (size_t)1 << 20);
    if (r) {
        r->l = l;
        r->agents = json_object_new_object();
        buf_init(&r->rows, (size_t)4 << 20);
    }
    if (ids && r && r->agents) {
        find_agents(s, se, r->agents, ids);
        json_put_object(&whose, ids);
    }
    json_object_put(ids);
    if (!r || !r->agents || buf_len(&whose) == 0 || whose.failed ||
        db_read(s->db, SUMS, take_row, on_read, r, "sfs", xod_ipbx_name(se->ipbx),
                earliest(message), buf_view(&whose)) < 0) {
        deferred_reply_status(&l, BUS_busy);
        if (r)
            reading_free(r);
    }
    buf_free(&whose);
}

const struct command command_getagentsstats = {"getagentsstats", getagentsstats, .reads = true};
