#include "users/deferred_actions.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/map.h"
#include "core/ami_request.h"
#include "database/db.h"
#include "users/feature_reader.h"
#include "users/feature_table.h"
#include "users/member_actions.h"
#include "json/json.h"

#define MAX_DEFERRED_ACTIONS 20000
#define AT_A_TIME 50
/* Actions that are none of Asterisk's: of deferred_actions_later(), and of XiVO's table. */
#define LATER "later"
#define ROW "userfeatures"
#define DEADLINE_MS 10000
/* One whose answer did not come is sent again, if no resync does that earlier. */
#define RETRY_MS 10000

struct deferred_action {
    char *key; /* SITE, a NUL, the subject */
    size_t key_len, site_len;
    char *action;  /* a JSON array: the name, then header, value... */
    unsigned turn; /* which wish about this subject: an answer to an earlier one says nothing */
    bool asked;    /* an answer is due */
    bool due;      /* it waits to be sent */
    TAILQ_ENTRY(deferred_action) link; /* of those that are due */
};

struct deferred_actions {
    struct state *s;
    struct map *by_key;
    TAILQ_HEAD(, deferred_action) due;
    size_t n_asked;
    struct loop_timer *retry;
    struct json_parser parser;
    struct metric *metric;
    unsigned turns;
};

/* An answer that is due. The wish may be another one by then, or gone. */
struct asked {
    struct deferred_actions *w;
    unsigned turn;
    size_t key_len;
    char key[];
};

static struct view site_of(const struct deferred_action *x)
{
    return view_of(x->key, x->site_len);
}

static struct view subject_of(const struct deferred_action *x)
{
    return view_of(x->key + x->site_len + 1, x->key_len - x->site_len - 1);
}

static void set_due(struct deferred_actions *w, struct deferred_action *x, bool due)
{
    if (x->due == due)
        return;
    x->due = due;
    if (due)
        TAILQ_INSERT_TAIL(&w->due, x, link);
    else
        TAILQ_REMOVE(&w->due, x, link);
}

static void forget(struct deferred_actions *w, struct deferred_action *x)
{
    set_due(w, x, false);
    map_del(w->by_key, view_of(x->key, x->key_len));
    free(x->key);
    free(x->action);
    free(x);
}

static void drop(struct deferred_actions *w, struct deferred_action *x)
{
    db_write(w->s->db, "DELETE FROM wanted WHERE site = ? AND subject = ?", "ss", site_of(x),
             subject_of(x));
    forget(w, x);
}

/* ---- sending ---- */

static void send_due(struct deferred_actions *w);

/* What is not there need not be deleted. */
static bool is_gone_already(const struct deferred_action *x, struct view message)
{
    return view_starts(view_cstr(x->action), VIEW("[\"DBDel\"")) &&
           view_starts(message, VIEW("Database entry"));
}

/* What an answer is about, or NULL: something else is wanted of that subject by now. */
static struct deferred_action *answered(const struct asked *a)
{
    struct deferred_action *x = map_get(a->w->by_key, view_of(a->key, a->key_len));

    if (!x || x->turn != a->turn)
        return NULL;
    x->asked = false;
    return x;
}

static void show_what_is_there(const struct asked *a)
{
    size_t site = strlen(a->key);

    feature_reader_refused(a->w->s, view_of(a->key, site),
                           view_of(a->key + site + 1, a->key_len - site - 1));
}

/* It is over when the Asterisk has said yes or no; else it stays for the next resync. */
static void on_answer(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct asked *a = arg;
    struct deferred_actions *w = a->w;
    struct deferred_action *x = answered(a);
    struct view response = msg_get_str(body, "response");
    struct view message = msg_get_str(body, "message");
    bool refused =
        x && status == BUS_ok && view_eq(response, VIEW("Error")) && !is_gone_already(x, message);

    w->n_asked--;
    if (refused)
        log_notice(w->s->log, "%.*s: refused: %.*s: %s", VIEW_ARG(site_of(x)), VIEW_ARG(message),
                   x->action);
    if (x && status == BUS_ok)
        drop(w, x);
    else if (x)
        loop_timer_start(w->retry, RETRY_MS, false);
    if (refused)
        show_what_is_there(a);
    free(a);
    send_due(w);
}

/* The same of a row of XiVO's table; what is lost is sent when its database is back. */
static void on_written(void *arg, enum pg_outcome outcome)
{
    struct asked *a = arg;
    struct deferred_action *x = answered(a);

    if (x && outcome != PG_LOST)
        drop(a->w, x);
    if (x && outcome == PG_REFUSED)
        show_what_is_there(a);
    free(a);
}

static struct view word(struct json_object *action, size_t i)
{
    return json_view(json_object_array_get_idx(action, i));
}

static size_t n_words(struct json_object *action)
{
    return json_object_is_type(action, json_type_array) ? json_object_array_length(action) : 0;
}

/* The action as ami.action takes it; false when it is none, which only a damaged database says. */
static bool put_action(struct buf *pairs, struct json_object *action)
{
    size_t n = n_words(action);
    struct ami_request r;

    if (n % 2 == 0)
        return false;
    ami_request_begin(&r, pairs, word(action, 0));
    for (size_t i = 1; i < n; i += 2)
        ami_request_header(&r, word(action, i), word(action, i + 1));
    return ami_request_end(&r).len > 0;
}

static struct asked *asked_new(struct deferred_actions *w, const struct deferred_action *x)
{
    struct asked *a = malloc(sizeof(*a) + x->key_len);

    if (!a)
        return NULL;
    *a = (struct asked){.w = w, .turn = x->turn, .key_len = x->key_len};
    memcpy(a->key, x->key, x->key_len);
    return a;
}

static bool ask(struct deferred_actions *w, struct deferred_action *x, const struct ipbx *ipbx,
                struct buf *pairs)
{
    struct asked *a = asked_new(w, x);

    if (!a)
        return false;
    if (ami_request_ask(w->s, ipbx->model->ipbx, 2, buf_view(pairs), DEADLINE_MS, on_answer, a)) {
        x->asked = true;
        w->n_asked++;
        return true;
    }
    free(a);
    return false;
}

static bool is_later(struct json_object *action)
{
    return n_words(action) == 4 && view_eq(word(action, 0), VIEW(LATER));
}

/* ROW, "id", USER, FLAG, "1" or "0"; and of a forward COLUMN, DESTINATION. */
static bool is_row(struct json_object *action)
{
    return (n_words(action) == 5 || n_words(action) == 7) && view_eq(word(action, 0), VIEW(ROW));
}

/* Asks for a change of a row. False: it is to be tried again. */
static bool write_row(struct deferred_actions *w, struct deferred_action *x,
                      const struct ipbx *ipbx, struct json_object *action)
{
    struct asked *a = asked_new(w, x);
    int rc;

    if (!a)
        return false;
    /* the words end with a NUL, as those of JSON do */
    rc = feature_table_write(w->s, ipbx->model->ipbx, word(action, 2).ptr, word(action, 3),
                             word(action, 4).ptr, n_words(action) == 7 ? word(action, 6).ptr : "",
                             on_written, a);
    if (rc == 0) {
        x->asked = true;
        return true;
    }
    free(a);
    if (rc == -ENOENT || !feature_table_is_used(w->s, ipbx->model->ipbx))
        drop(w, x);
    return rc == -ENOENT || rc == -ENOTCONN;
}

/* What it was about is listed now: it becomes wishes of its own, or nothing. */
static void carry_out(struct deferred_actions *w, struct deferred_action *x, struct ipbx *ipbx,
                      struct json_object *action)
{
    struct xod_obj *user = xod_find(ipbx->model->ipbx, LIST_users, word(action, 1));

    if (user)
        member_action(w->s, user, word(action, 2), word(action, 3));
    drop(w, x);
}

static void send_one(struct deferred_actions *w, struct deferred_action *x)
{
    struct ipbx *ipbx = state_ipbx(w->s, site_of(x));
    struct json_object *action = NULL;
    struct buf pairs;
    bool sent = false;

    if (!ipbx)
        return;
    buf_init(&pairs, 65536);
    if (json_parse(&w->parser, view_cstr(x->action), &action) == 0 && is_row(action)) {
        sent = write_row(w, x, ipbx, action);
    } else if (!state_gateway(w->s, ipbx->model->ipbx)) {
        sent = true; /* or the next resync does it */
    } else if (is_later(action)) {
        if (ipbx->model->resynced)
            carry_out(w, x, ipbx, action);
        sent = true;
    } else if (action && put_action(&pairs, action))
        sent = ask(w, x, ipbx, &pairs);
    else
        drop(w, x);
    json_object_put(action);
    buf_free(&pairs);
    if (!sent)
        loop_timer_start(w->retry, RETRY_MS, false);
}

/* Those of an Asterisk that is not there wait for its resync. */
static void send_due(struct deferred_actions *w)
{
    struct deferred_action *x;

    while (w->n_asked < AT_A_TIME && (x = TAILQ_FIRST(&w->due))) {
        set_due(w, x, false);
        send_one(w, x);
    }
}

void deferred_actions_resynced(struct state *s, const struct xod_ipbx *ipbx)
{
    struct deferred_actions *w = s->deferred_actions;
    size_t pos = 0;
    void *v;

    while (map_next(w->by_key, &pos, NULL, &v)) {
        struct deferred_action *x = v;
        if (!x->asked && (!ipbx || view_eq(site_of(x), xod_ipbx_name(ipbx))))
            set_due(w, x, true);
    }
    send_due(w);
}

static void retry(void *arg)
{
    deferred_actions_resynced(((struct deferred_actions *)arg)->s, NULL);
}

/* ---- wishes ---- */

static void put_key(struct buf *key, struct view ipbx, struct view subject)
{
    buf_init(key, 4096);
    buf_append_view(key, ipbx);
    buf_append_char(key, '\0');
    buf_append_view(key, subject);
}

static struct deferred_action *find(const struct deferred_actions *w, struct view ipbx,
                                    struct view subject)
{
    struct buf key;
    struct deferred_action *x;

    put_key(&key, ipbx, subject);
    x = key.failed ? NULL : map_get(w->by_key, buf_view(&key));
    buf_free(&key);
    return x;
}

static struct deferred_action *add(struct deferred_actions *w, struct view ipbx,
                                   struct view subject)
{
    struct deferred_action *x = calloc(1, sizeof(*x));
    struct buf key;

    if (!x)
        return NULL;
    put_key(&key, ipbx, subject);
    x->site_len = ipbx.len;
    x->key_len = buf_len(&key);
    x->key = key.failed ? NULL : view_dup(buf_view(&key));
    buf_free(&key);
    if (x->key && map_put(w->by_key, view_of(x->key, x->key_len), x) == 0)
        return x;
    free(x->key);
    free(x);
    return NULL;
}

/* Takes `action`, JSON. */
static struct deferred_action *wish(struct deferred_actions *w, struct view ipbx,
                                    struct view subject, char *action)
{
    struct deferred_action *x = action ? find(w, ipbx, subject) : NULL;

    if (!x && action && map_count(w->by_key) < MAX_DEFERRED_ACTIONS)
        x = add(w, ipbx, subject);
    if (!x) {
        free(action);
        return NULL;
    }
    free(x->action);
    x->action = action;
    x->turn = ++w->turns;
    x->asked = false;
    return x;
}

static void put_json(struct buf *out, const char *action, va_list ap)
{
    const char *name;

    buf_append_char(out, '[');
    json_put_string(out, view_cstr(action));
    while ((name = va_arg(ap, const char *))) {
        buf_append_char(out, ',');
        json_put_string(out, view_cstr(name));
        buf_append_char(out, ',');
        json_put_string(out, va_arg(ap, struct view));
    }
    buf_append_char(out, ']');
}

static void keep(struct state *s, struct xod_ipbx *ipbx, struct view subject, const char *action,
                 const struct buf *text)
{
    struct deferred_actions *w = s->deferred_actions;
    struct deferred_action *x =
        text->failed ? NULL : wish(w, xod_ipbx_name(ipbx), subject, view_dup(buf_view(text)));

    if (!x) {
        log_warning(s->log, "%s: too much is wanted of this Asterisk: %s of %.*s is left out",
                    xod_ipbx_name(ipbx).ptr, action, VIEW_ARG(subject));
        return;
    }
    db_write(s->db,
             "INSERT INTO wanted (site, subject, action) VALUES (?, ?, ?)"
             " ON CONFLICT (site, subject) DO UPDATE SET action = excluded.action",
             "sss", site_of(x), subject_of(x), view_cstr(x->action));
    if (strcmp(action, ROW) != 0 && !state_gateway(s, ipbx))
        log_notice(s->log, "%s: %s of %.*s is sent when the link is back", xod_ipbx_name(ipbx).ptr,
                   action, VIEW_ARG(subject));
    set_due(w, x, true);
    send_due(w);
}

void deferred_actions_set(struct state *s, struct xod_ipbx *ipbx, struct view subject,
                          const char *action, ...)
{
    struct buf text;
    va_list ap;

    buf_init(&text, 65536);
    va_start(ap, action);
    put_json(&text, action, ap);
    va_end(ap);
    keep(s, ipbx, subject, action, &text);
    buf_free(&text);
}

void deferred_actions_later(struct state *s, struct xod_ipbx *ipbx, struct view subject,
                            struct view user_id, struct view name, struct view param)
{
    const struct view words[] = {VIEW(LATER), user_id, name, param};
    struct buf text;

    buf_init(&text, 65536);
    for (size_t i = 0; i < 4; i++) {
        buf_append_char(&text, i ? ',' : '[');
        json_put_string(&text, words[i]);
    }
    buf_append_char(&text, ']');
    keep(s, ipbx, subject, "an action of a presence", &text);
    buf_free(&text);
}

bool deferred_actions_wanted(const struct state *s, const struct xod_ipbx *ipbx,
                             struct view subject)
{
    return find(s->deferred_actions, xod_ipbx_name(ipbx), subject) != NULL;
}

void deferred_actions_drop(struct state *s, const struct xod_ipbx *ipbx, struct view subject)
{
    struct deferred_action *x = find(s->deferred_actions, xod_ipbx_name(ipbx), subject);

    if (x)
        drop(s->deferred_actions, x);
}

/* ---- life ---- */

static bool take_row(void *arg, const struct db_row *row)
{
    wish(arg, db_text(row, 0), db_text(row, 1), view_dup(db_text(row, 2)));
    return true;
}

static double count(void *arg)
{
    return (double)deferred_actions_count(arg);
}

struct deferred_actions *deferred_actions_new(struct state *s, int *err)
{
    struct deferred_actions *w = calloc(1, sizeof(*w));

    *err = -ENOMEM;
    if (!w || json_parser_init(&w->parser) < 0) {
        free(w);
        return NULL;
    }
    w->s = s;
    TAILQ_INIT(&w->due);
    w->by_key = map_new();
    w->retry = loop_timer_new(s->loop, retry, w);
    w->metric = metrics_callback(s->metrics, METRIC_state_wanted, NULL, count, w);
    if (w->by_key && w->retry && w->metric)
        *err = db_read_now(s->db, "SELECT site, subject, action FROM wanted", take_row, w, "");
    if (*err < 0)
        deferred_actions_destroy(&w);
    return w;
}

void deferred_actions_destroy(struct deferred_actions **wp)
{
    struct deferred_actions *w = wp ? *wp : NULL;
    size_t pos = 0;
    void *v;

    if (!w)
        return;
    *wp = NULL;
    if (w->metric)
        metrics_remove(w->s->metrics, &w->metric);
    while (w->by_key && map_next(w->by_key, &pos, NULL, &v))
        forget(w, v);
    map_destroy(&w->by_key);
    loop_timer_destroy(&w->retry);
    json_parser_fini(&w->parser);
    free(w);
}

size_t deferred_actions_count(const struct deferred_actions *w)
{
    return map_count(w->by_key);
}
