/* A FastAGI session, from accepting it to its end. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "internal.h"

#define MAX_ANSWER 8192 /* bytes of a line of Asterisk's that are looked at */

/* ---- life ---- */

static void session_free(struct session *s)
{
    struct fagi *f = s->f;

    if (s->ask)
        bus_ask_cancel(f->bus_client, s->ask);
    TAILQ_REMOVE(s->phase == LEAVING ? &f->leaving : &f->open, s, all);
    metric_set(f->counts.open, (double)--f->n_open);
    conn_close(&s->conn);
    buf_free(&s->request);
    buf_free(&s->set);
    free(s->ipbx);
    free(s->script);
    free(s->channel);
    free(s->uniqueid);
    free(s);
}

/* It is over: tells what became of it. */
static void session_end(struct session *s)
{
    metric_add(s->f->counts.outcomes[s->outcome], 1);
    if (s->ipbx)
        answer_publish(s);
    session_free(s);
}

void session_new(struct fagi *f, int fd, const struct sockaddr *peer)
{
    struct session *s;

    if (f->stopped || f->n_open >= f->max_sessions) {
        metric_add(f->counts.over_limit, 1);
        log_warning(f->log, "a session is refused: %s",
                    f->stopped ? "stopping" : "ctibus.fagi.max_sessions are open");
        close(fd);
        return;
    }
    s = calloc(1, sizeof(*s));
    if (!s) {
        close(fd);
        return;
    }
    s->f = f;
    s->outcome = OUTCOME_GONE;
    s->since = clock_mono_us();
    s->due = s->since + f->deadline_us;
    buf_init(&s->request, 0);
    buf_init(&s->set, 0);
    s->conn = conn_new(&f->conns, fd, s);
    if (!s->conn) {
        free(s);
        return;
    }
    TAILQ_INSERT_TAIL(&f->open, s, all);
    metric_set(f->counts.open, (double)++f->n_open);
    if (!loop_timer_running(f->janitor))
        loop_timer_start(f->janitor, 20, true);
}

/* ---- answering ---- */

/* f->line is what there is to say: Asterisk carries out all of it when it sees our end. */
static void session_answer(struct session *s, enum outcome outcome)
{
    struct fagi *f = s->f;
    uint64_t now = clock_mono_us();

    if (s->ask)
        bus_ask_cancel(f->bus_client, s->ask);
    s->ask = 0;
    s->outcome = outcome;
    s->took = now - s->since;
    s->due = now + LEAVE_US;
    TAILQ_REMOVE(&f->open, s, all);
    TAILQ_INSERT_TAIL(&f->leaving, s, all);
    s->phase = LEAVING;
    buf_free(&s->request);
    metric_observe(f->counts.seconds, (double)s->took / 1e6);
    conn_send(s->conn, buf_view(&f->line));
    conn_finish(s->conn);
}

static void session_fail(struct session *s, enum outcome outcome)
{
    buf_reset(&s->f->line);
    answer_put_fail(s);
    session_answer(s, outcome);
}

static void on_answer(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct session *s = arg;

    s->ask = 0;
    if (status != BUS_ok) {
        log_notice(s->f->log, "%s: script \"%s\" of %s fails: %.*s", s->ipbx, s->script, s->channel,
                   VIEW_ARG(schema_status_name(status)));
        session_fail(s, status == BUS_timeout ? OUTCOME_TIMEOUT : OUTCOME_FAIL);
        return;
    }
    buf_reset(&s->f->line);
    answer_put(s, body);
    session_answer(s, OUTCOME_OK);
}

/* ---- asking ---- */

/* Asks state, or waits for it as long as it makes sense. */
static void session_ask(struct session *s)
{
    struct fagi *f = s->f;
    uint64_t now = clock_mono_us();
    uint32_t left_ms = s->due > now + 1000 ? (uint32_t)((s->due - now) / 1000) : 1;

    s->ask =
        bus_ask(f->bus_client, METHOD_fagi_call, 6, buf_view(&s->request), left_ms, on_answer, s);
    if (s->ask) {
        s->phase = ASKED;
        buf_free(&s->request);
    } else if (!f->state_lost || now - f->state_lost < f->deadline_us) {
        s->phase = HOLDING;
    } else { /* it has been away for long: callers must not wait for it */
        session_fail(s, OUTCOME_FAIL);
    }
}

void sessions_state_up(struct fagi *f)
{
    struct session *s, *next;

    TAILQ_FOREACH_SAFE(s, &f->open, all, next)
    if (s->phase == HOLDING)
        session_ask(s);
}

static void session_begin(struct session *s)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof(peer);
    struct fagi *f = s->f;
    struct view script;
    const struct ipbx *ipbx;

    if (getpeername(conn_fd(s->conn), (struct sockaddr *)&peer, &len) < 0)
        peer.ss_family = AF_UNSPEC;
    script = agi_env_get(&f->env, "network_script");
    ipbx = ipbxes_find(f->sites, (struct sockaddr *)&peer, &script);
    s->ipbx = view_dup(ipbx ? view_cstr(ipbx->name) : VIEW("-"));
    if (!s->ipbx || request_make(s, script, ipbx) < 0) {
        session_fail(s, OUTCOME_FAIL);
    } else if (!ipbx) {
        log_warning(f->log,
                    "script \"%s\" of %s: no ipbx of the configuration has the address that it "
                    "comes from; name one before the script: agi://HOST/IPBX/%s",
                    s->script, s->channel, s->script);
        session_fail(s, OUTCOME_FAIL);
    } else {
        session_ask(s);
    }
}

/* ---- input ---- */

static size_t read_environment(struct session *s, struct view in)
{
    struct fagi *f = s->f;
    ssize_t len = agi_env_len(in, &s->seen);

    if (len == 0)
        return 0;
    if (len > 0 && agi_env_read(&f->env, view_of(in.ptr, (size_t)len)) == 0) {
        session_begin(s);
        return (size_t)len;
    }
    log_warning(f->log, "what a connection sends is no FastAGI: closed");
    s->outcome = OUTCOME_MALFORMED;
    session_end(s);
    return in.len;
}

static void read_answer(struct session *s, struct view line)
{
    enum agi_answer a = agi_answer_read(&s->answers, line);

    if (a == AGI_PART || !s->ipbx) /* the rest of an environment that came too late is no answer */
        return;
    metric_add(s->f->counts.answers[a], 1);
    if (a == AGI_DONE || a == AGI_HANGUP)
        return;
    s->errors++;
    log_notice(s->f->log, "%s: script \"%s\" of %s: Asterisk answers %.*s", s->ipbx ? s->ipbx : "-",
               s->script ? s->script : "", s->channel ? s->channel : "",
               (int)(line.len < 200 ? line.len : 200), line.ptr);
}

/* What comes after the environment: HANGUP at any time, and answers. */
static size_t read_answers(struct session *s, struct view in)
{
    struct view rest = in;

    while (rest.len) {
        const char *nl = memchr(rest.ptr, '\n', rest.len);
        if (!nl)
            break;
        read_answer(s, view_of(rest.ptr, (size_t)(nl - rest.ptr)));
        rest = view_of(nl + 1, rest.len - (size_t)(nl + 1 - rest.ptr));
    }
    return rest.len > MAX_ANSWER ? in.len : in.len - rest.len;
}

static size_t on_data(void *owner, struct conn *c, struct view in)
{
    struct session *s = owner;
    size_t used = 0;

    if (s->phase == READING) {
        used = read_environment(s, in);
        if (used == 0 || used == in.len)
            return used; /* s may be gone */
        in = view_of(in.ptr + used, in.len - used);
    }
    return used + read_answers(s, in);
}

static void on_closed(void *owner, struct conn *c, int why)
{
    struct session *s = owner;

    s->conn = NULL;
    session_end(s);
}

const struct conn_handler session_handler = {.data = on_data, .closed = on_closed};

/* ---- the clock ---- */

void sessions_tick(struct fagi *f, uint64_t now)
{
    struct session *s;

    while ((s = TAILQ_FIRST(&f->open)) && s->due <= now) {
        log_warning(f->log, "%s: script \"%s\" of %s is not answered in time: FAIL",
                    s->ipbx ? s->ipbx : "-", s->script ? s->script : "",
                    s->channel ? s->channel : "(environment not complete)");
        session_fail(s, OUTCOME_TIMEOUT);
    }
    while ((s = TAILQ_FIRST(&f->leaving)) && s->due <= now)
        session_end(s);
}

void sessions_close(struct fagi *f)
{
    struct session *s;

    while ((s = TAILQ_FIRST(&f->open)) || (s = TAILQ_FIRST(&f->leaving)))
        session_free(s);
}
