/* What is done when a presence begins: a whole state with an ami-gw that writes down the actions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <fcntl.h>

#include "base/array.h"
#include "core/context.h"
#include "core/ipbx.h"
#include "model/model.h"
#include "sessions/sessions.h"
#include "support/state_peer.h"
#include "users/deferred_actions.h"

/* alice has the agent 2001 and a line, erin a line, dave neither. */
#define CONFIG                                                                                     \
    "{\"main\":{},\"ipbxes\":{\"xivo\":{\"ipbx_connection\":{\"ipaddress\":\"127.0.0.1\","         \
    "\"ipport\":5038,\"username\":\"u\",\"password\":\"p\"},\"urllists\":{"                        \
    "\"urllist_users\":[\"file:users.json\"],\"urllist_lines\":[\"file:lines.json\"],"             \
    "\"urllist_agents\":[\"file:agents.json\"],\"urllist_queues\":[\"file:queues.json\"]}}},"      \
    "\"profiles\":{\"client\":{\"name\":\"Client\",\"regcommands\":\"all\","                       \
    "\"userstatus\":\"std\"}},\"regcommands\":{\"all\":[\"availstate\"]},"                         \
    "\"userstatus\":{\"std\":{"                                                                    \
    "\"disconnected\":{\"actions\":{\"agentlogoff\":\"\"}},"                                       \
    "\"here\":{\"actions\":{\"enablednd\":\"false\"}},"                                            \
    "\"dnd\":{\"actions\":{\"enablednd\":\"true\"}},"                                              \
    "\"dndflag\":{\"actions\":{\"enablednd\":true,\"incallfilter\":1,\"callrecord\":\"1\","        \
    "\"enablevoicemail\":\"true\"}},"                                                              \
    "\"none\":{\"actions\":{\"enablednd\":false,\"incallfilter\":0,\"callrecord\":\"0\","          \
    "\"enablevoicemail\":\"\"}},"                                                                  \
    "\"out\":{\"actions\":{\"enableunc\":\"0612345678\",\"enablebusy\":1003,"                      \
    "\"enablerna\":\"true\"}},"                                                                    \
    "\"back\":{\"actions\":{\"enableunc\":\"\",\"enablebusy\":\"false\",\"enablerna\":null}},"     \
    "\"onlyon\":{\"actions\":{\"enableunc\":\"true\"}},"                                           \
    "\"pauseall\":{\"actions\":{\"queuepause_all\":\"\"}},"                                        \
    "\"goonall\":{\"actions\":{\"queueunpause_all\":\"\"}},"                                       \
    "\"pause\":{\"actions\":{\"queuepause\":\"sales\"}},"                                          \
    "\"goon\":{\"actions\":{\"queueunpause\":\"sales\"}},"                                         \
    "\"elsewhere\":{\"actions\":{\"queuepause\":\"nosuch\"}},"                                     \
    "\"join\":{\"actions\":{\"queueadd\":\"night\"}},"                                             \
    "\"leave\":{\"actions\":{\"queueremove\":\"sales\"}},"                                         \
    "\"nameless\":{\"actions\":{\"queueadd\":\"\",\"queueremove\":{\"a\":1}}},"                    \
    "\"strange\":{\"actions\":{\"makecoffee\":\"1\",\"enablednd\":\"true\"}},"                     \
    "\"wrong\":{\"actions\":[\"enablednd\"]},"                                                     \
    "\"narrow\":{\"allowed\":[\"here\"],\"actions\":{}}}}}"

#define USERS                                                                                      \
    "[{\"id\":\"1\",\"enableclient\":1,\"profileclient\":\"client\",\"agentid\":7,"                \
    "\"enablednd\":\"0\"},"                                                                        \
    "{\"id\":\"4\",\"enableclient\":1,\"profileclient\":\"client\",\"agentid\":\"\"},"             \
    "{\"id\":\"5\",\"enableclient\":1,\"profileclient\":\"client\",\"agentid\":\"99\"}]"
#define LINES                                                                                      \
    "[{\"id\":\"12\",\"protocol\":\"sip\",\"name\":\"alice\",\"iduserfeatures\":\"1\"},"           \
    "{\"id\":\"15\",\"protocol\":\"sip\",\"name\":\"erin\",\"iduserfeatures\":\"5\"}]"
#define AGENTS "[{\"id\":7,\"number\":2001}]"
#define QUEUES                                                                                     \
    "[{\"id\":\"1\",\"name\":\"support\"},{\"id\":\"2\",\"name\":\"sales\"},"                      \
    "{\"id\":\"3\",\"name\":\"night\"}]"

struct world {
    struct state_world s;
    struct state_peer p;
    int log[2];
    char text[16384];
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    *state = w;
    assert_int_equal(state_make_folder(&w->s), 0);
    state_write(&w->s, "ctibus.json", CONFIG);
    state_write(&w->s, "users.json", USERS);
    state_write(&w->s, "lines.json", LINES);
    state_write(&w->s, "agents.json", AGENTS);
    state_write(&w->s, "queues.json", QUEUES);
    assert_int_equal(pipe2(w->log, O_NONBLOCK | O_CLOEXEC), 0);
    w->s.log = log_new(w->log[1], "test", LOG_INFO, false);
    w->s.loop = loop_new();
    w->s.cfg = state_config(&w->s);
    assert_int_equal(state_start(&w->s, NULL, NULL, NULL), 0);
    peer_start(&w->p, &w->s, "gw");
    peer_login(&w->p, 3);
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    peer_end(&w->p);
    state_unlink(&w->s, "agents.json");
    state_unlink(&w->s, "queues.json");
    state_teardown(&w->s);
    log_destroy(&w->s.log);
    close(w->log[0]);
    close(w->log[1]);
    free(w);
    return 0;
}

static bool logged(struct world *w, const char *what)
{
    size_t at = strlen(w->text);
    ssize_t n;

    assert_true(log_flush(w->s.log, 10000));
    n = read(w->log[0], w->text + at, sizeof(w->text) - 1 - at);
    if (n > 0)
        w->text[at + (size_t)n] = '\0';
    return strstr(w->text, what) != NULL;
}

static void member(struct world *w, const char *interface, const char *queue, const char *location)
{
    struct xod_obj *m;
    char id[64];

    snprintf(id, sizeof(id), "%s,%s", interface, queue);
    m = xod_add(w->s.ipbx, LIST_queuemembers, view_cstr(id));
    xod_set_str(m, XOD(queuemembers, interface), view_cstr(interface));
    xod_set_str(m, XOD(queuemembers, queue_name), view_cstr(queue));
    xod_set_str(m, XOD(queuemembers, location), view_cstr(location));
    ipbx_model_relink(state_ipbx(w->s.s, VIEW("xivo"))->model);
}

static const char *field(struct world *w, const char *user, unsigned f)
{
    static char text[64];
    char scratch[32];

    snprintf(text, sizeof(text), "%.*s",
             VIEW_ARG(value_text(xod_get(state_user(&w->s, user), f), scratch)));
    return text;
}

static bool on(struct world *w, const char *user, unsigned f)
{
    return value_truth(xod_get(state_user(&w->s, user), f));
}

/* What has been asked for since the last time. */
static const char *actions(struct world *w)
{
    static char text[sizeof(w->p.actions)];

    memcpy(text, w->p.actions, sizeof(text));
    w->p.actions[0] = '\0';
    return text;
}

/* The user's session, in the presence `here`, with nothing told so far. */
static void come_in(struct world *w, const char *user)
{
    assert_int_equal(peer_open(&w->p, "s", user, "here"), BUS_ok);
    actions(w);
}

/* What leaves when the presence becomes that. */
static const char *becomes(struct world *w, const char *to)
{
    assert_int_equal(peer_presence(&w->p, "s", to), BUS_ok);
    assert_string_equal(
        state_str(xod_find(w->s.ipbx, LIST_users,
                           view_cstr(session_find(w->s.s->sessions, VIEW("s"))->user_id)),
                  XOD(users, availstate)),
        to);
    return actions(w);
}

#define QUEUELOG(message)                                                                          \
    "QueueLog [[\"Queue\",\"NONE\"],[\"Event\",\"PRESENCE\"],[\"Interface\",\"Agent/2001\"],"      \
    "[\"Message\",\"" message "\"]]\n"
#define PAUSE(queue, who, paused)                                                                  \
    "QueuePause [[\"Queue\",\"" queue "\"],[\"Interface\",\"" who "\"],[\"Paused\",\"" paused      \
    "\"]]\n"

/* ---- services ---- */

static void services_become_what_the_presence_says(void **state)
{
    static const unsigned flags[] = {XOD(users, enablednd), XOD(users, incallfilter),
                                     XOD(users, callrecord), XOD(users, enablevoicemail)};
    struct world *w = *state;

    come_in(w, "4");
    becomes(w, "dnd");
    UNTIL(w->s.loop, on(w, "4", XOD(users, enablednd)));
    assert_false(on(w, "4", XOD(users, incallfilter)));
    becomes(w, "here");
    UNTIL(w->s.loop, !on(w, "4", XOD(users, enablednd)));
    becomes(w, "dndflag");
    for (size_t i = 0; i < 4; i++)
        UNTIL(w->s.loop, on(w, "4", flags[i]));
    becomes(w, "none");
    for (size_t i = 0; i < 4; i++)
        UNTIL(w->s.loop, !on(w, "4", flags[i]));
    assert_int_equal(w->p.n_actions, 0); /* of all this no Asterisk needs to know */
}

static void a_forward_goes_where_the_presence_says(void **state)
{
    struct world *w = *state;

    come_in(w, "4");
    becomes(w, "out");
    UNTIL(w->s.loop, on(w, "4", XOD(users, enablebusy)));
    assert_true(on(w, "4", XOD(users, enableunc)));
    assert_false(on(w, "4", XOD(users, enablerna))); /* it would lead nowhere */
    assert_string_equal(field(w, "4", XOD(users, destunc)), "0612345678");
    assert_string_equal(field(w, "4", XOD(users, destbusy)), "1003");
    assert_string_equal(field(w, "4", XOD(users, destrna)), "");
    becomes(w, "back");
    UNTIL(w->s.loop, !on(w, "4", XOD(users, enablebusy)));
    assert_false(on(w, "4", XOD(users, enableunc)));
    assert_string_equal(field(w, "4", XOD(users, destunc)), "0612345678"); /* it stays for later */
    becomes(w, "onlyon");
    UNTIL(w->s.loop, on(w, "4", XOD(users, enableunc)));
    assert_string_equal(field(w, "4", XOD(users, destunc)), "0612345678");
}

static void services_of_a_presence_are_kept(void **state)
{
    struct world *w = *state;

    come_in(w, "4");
    becomes(w, "dnd");
    UNTIL(w->s.loop, on(w, "4", XOD(users, enablednd)));
    state_restart(&w->s);
    assert_true(on(w, "4", XOD(users, enablednd)));
}

static void an_unknown_action_is_logged_and_the_others_are_done(void **state)
{
    struct world *w = *state;

    come_in(w, "4");
    becomes(w, "strange");
    UNTIL(w->s.loop, on(w, "4", XOD(users, enablednd)));
    assert_true(logged(w, "there is no action \"makecoffee\""));
    assert_false(logged(w, "no action \"enablednd\""));
    becomes(w, "wrong"); /* actions that are no object */
    assert_int_equal(w->p.n_actions, 0);
}

/* ---- queues ---- */

static void an_agent_is_paused_in_all_queues_or_in_one(void **state)
{
    struct world *w = *state;

    member(w, "Agent/2001", "support", "Agent/2001");
    member(w, "Agent/2001", "sales", "Local/2001@agents");
    member(w, "SIP/alice", "support", "SIP/alice"); /* her line: not meant, she is an agent */
    member(w, "SIP/erin", "sales", "SIP/erin");     /* another's */
    come_in(w, "1");
    assert_string_equal(becomes(w, "pauseall"),
                        QUEUELOG("pauseall") PAUSE("support", "Agent/2001", "true")
                            PAUSE("sales", "Local/2001@agents", "true"));
    assert_string_equal(becomes(w, "goonall"),
                        QUEUELOG("goonall") PAUSE("support", "Agent/2001", "false")
                            PAUSE("sales", "Local/2001@agents", "false"));
    assert_string_equal(becomes(w, "pause"),
                        QUEUELOG("pause") PAUSE("sales", "Local/2001@agents", "true"));
    assert_string_equal(becomes(w, "goon"),
                        QUEUELOG("goon") PAUSE("sales", "Local/2001@agents", "false"));
    assert_string_equal(becomes(w, "elsewhere"), QUEUELOG("elsewhere"));
}

static void without_an_agent_the_main_line_is_meant(void **state)
{
    struct world *w = *state;

    member(w, "SIP/erin", "sales", "SIP/erin");
    come_in(w, "5"); /* whose agent is not in the list */
    assert_string_equal(becomes(w, "pauseall"), PAUSE("sales", "SIP/erin", "true"));
    assert_string_equal(becomes(w, "pause"), PAUSE("sales", "SIP/erin", "true"));
    assert_string_equal(becomes(w, "join"),
                        "QueueAdd [[\"Queue\",\"night\"],[\"Interface\",\"SIP/erin\"]]\n");
    assert_string_equal(becomes(w, "leave"),
                        "QueueRemove [[\"Queue\",\"sales\"],[\"Interface\",\"SIP/erin\"]]\n");
}

static void who_is_nobody_in_queues_does_nothing_there(void **state)
{
    static const char *const all[] = {"pauseall", "goonall", "pause", "goon", "join", "leave"};
    struct world *w = *state;

    come_in(w, "4"); /* no agent, no line */
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        assert_string_equal(becomes(w, all[i]), "");
    assert_false(logged(w, "there is no action"));
}

static void members_are_called_as_asterisk_calls_them(void **state)
{
    struct world *w = *state;

    come_in(w, "1");
    assert_string_equal(
        becomes(w, "join"),
        QUEUELOG("join") "QueueAdd [[\"Queue\",\"night\"],[\"Interface\",\"Agent/2001\"]]\n");
    member(w, "Agent/2001", "support", "Local/2001@agents");
    assert_string_equal(
        becomes(w, "leave"),
        QUEUELOG(
            "leave") "QueueRemove [[\"Queue\",\"sales\"],[\"Interface\",\"Local/2001@agents\"]]\n");
    assert_string_equal(becomes(w, "nameless"), QUEUELOG("nameless"));
}

/* ---- the ends of sessions ---- */

#define LOGOFF "agent.logoff [[\"agent\",\"2001\"]]\n"

static void set_agent(struct world *w, const char *status)
{
    xod_set_str(xod_find(w->s.ipbx, LIST_agents, VIEW("7")), XOD(agents, status),
                view_cstr(status));
}

static void an_agent_is_logged_off_with_the_last_session(void **state)
{
    struct world *w = *state;

    set_agent(w, "AGENT_IDLE");
    assert_int_equal(peer_open(&w->p, "s", "1", "dnd"), BUS_ok);
    assert_string_equal(actions(w), QUEUELOG("dnd"));
    UNTIL(w->s.loop, on(w, "1", XOD(users, enablednd)));
    assert_int_equal(peer_open(&w->p, "t", "1", "here"), BUS_ok); /* shares what is there */
    assert_string_equal(actions(w), "");
    assert_int_equal(peer_close(&w->p, "s"), BUS_ok);
    assert_string_equal(actions(w), "");
    assert_int_equal(peer_close(&w->p, "t"), BUS_ok);
    assert_string_equal(actions(w), QUEUELOG("disconnected") LOGOFF);
    assert_true(on(w, "1", XOD(users, enablednd)));
}

static void who_is_not_logged_on_is_not_logged_off(void **state)
{
    static const char *const off[] = {"AGENT_LOGGEDOFF", "undefined"};
    struct world *w = *state;

    for (size_t i = 0; i < 2; i++) {
        set_agent(w, off[i]);
        come_in(w, "1");
        assert_int_equal(peer_close(&w->p, "s"), BUS_ok);
        assert_string_equal(actions(w), QUEUELOG("disconnected"));
    }
    set_agent(w, "AGENT_ONCALL");
    come_in(w, "5"); /* of whom agent 7 is none */
    assert_int_equal(peer_close(&w->p, "s"), BUS_ok);
    assert_string_equal(actions(w), "");
}

static void what_is_not_allowed_does_nothing(void **state)
{
    struct world *w = *state;

    come_in(w, "1");
    becomes(w, "narrow");
    assert_int_equal(peer_presence(&w->p, "s", "dnd"), BUS_unallowed);
    assert_int_equal(peer_presence(&w->p, "s", "disconnected"), BUS_unallowed);
    assert_int_equal(peer_presence(&w->p, "s", "nosuch"), BUS_unallowed);
    assert_string_equal(field(w, "1", XOD(users, availstate)), "narrow");
    assert_string_equal(actions(w), "");
    becomes(w, "here");
    becomes(w, "dnd");
    UNTIL(w->s.loop, on(w, "1", XOD(users, enablednd)));
}

/* Two in a row: the second is asked from where the first leads to, though that is not on disk. */
static void a_presence_on_its_way_counts(void **state)
{
    struct world *w = *state;

    come_in(w, "4");
    w->p.answers = 0;
    for (int i = 0; i < 2; i++)
        peer_send(&w->p, METHOD_command,
                  i == 0 ? "{\"session\":\"s\",\"class\":\"availstate\","
                           "\"message\":{\"availstate\":\"narrow\"}}"
                         : "{\"session\":\"s\",\"class\":\"availstate\","
                           "\"message\":{\"availstate\":\"dnd\"}}");
    UNTIL(w->s.loop, w->p.answers == 2);
    assert_string_equal(field(w, "4", XOD(users, availstate)), "narrow");
    assert_false(on(w, "4", XOD(users, enablednd)));
}

/* ---- the link ---- */

/* The gateway logs in, and lists everything. */
static void link_comes_back(struct world *w, int login)
{
    int err = 0;
    struct bus_pub *pub = bus_pub_new(w->p.p.bus, state_endpoint_publish(w->s.s), NULL, NULL, &err);
    struct buf body;

    UNTIL(w->s.loop, bus_pub_wanted(pub, VIEW("tel/")));
    peer_login(&w->p, login);
    buf_init(&body, 0);
    msg_put_map(&body, 1);
    msg_put_pair(&body, "kind", VIEW("all"));
    bus_pub_send(pub, VIEW("tel/xivo/resync/end/"), buf_view(&body));
    UNTIL(w->s.loop, state_ipbx(w->s.s, VIEW("xivo"))->model->resynced);
    buf_free(&body);
    bus_pub_destroy(&pub);
}

/* Until what is wanted has been asked for and answered. */
static const char *made_up(struct world *w)
{
    UNTIL(w->s.loop, deferred_actions_count(w->s.s->deferred_actions) == 0);
    return actions(w);
}

static void what_is_done_without_a_link_takes_effect_when_it_is_back(void **state)
{
    struct world *w = *state;

    member(w, "Agent/2001", "support", "Agent/2001");
    peer_login(&w->p, 0);
    assert_int_equal(peer_open(&w->p, "s", "1", "here"), BUS_ok);
    becomes(w, "pauseall");
    becomes(w, "join");
    becomes(w, "dnd");
    UNTIL(w->s.loop, on(w, "1", XOD(users, enablednd)));
    assert_int_equal(w->p.n_actions, 0);
    assert_true(logged(w, "xivo: QueuePause of pause support Agent/2001 is sent when the link is"));
    assert_true(logged(w, "xivo: action QueueLog: not sent, the link to the Asterisk is down"));
    link_comes_back(w, 4);
    made_up(w);
    assert_int_equal(w->p.n_actions, 2);
    becomes(w, "here");
    assert_int_equal(w->p.n_actions, 3);
}

static void only_the_last_of_what_was_wanted_takes_effect(void **state)
{
    struct world *w = *state;

    member(w, "Agent/2001", "support", "Agent/2001");
    set_agent(w, "AGENT_IDLE");
    peer_login(&w->p, 0);
    come_in(w, "1");
    becomes(w, "pauseall");
    assert_int_equal(peer_close(&w->p, "s"), BUS_ok); /* would be logged off */
    come_in(w, "1");
    becomes(w, "goonall");
    link_comes_back(w, 4);
    assert_string_equal(made_up(w), PAUSE("support", "Agent/2001", "false"));
}

static void what_is_wanted_survives_a_restart_of_state(void **state)
{
    struct world *w = *state;

    member(w, "Agent/2001", "support", "Agent/2001");
    peer_login(&w->p, 0);
    come_in(w, "1");
    becomes(w, "pauseall");
    state_restart(&w->s);
    UNTIL(w->s.loop, bus_client_is_up(w->p.bus_client) && w->p.ups == 2);
    link_comes_back(w, 5);
    assert_string_equal(made_up(w), PAUSE("support", "Agent/2001", "true"));
    state_restart(&w->s);
    assert_int_equal(deferred_actions_count(w->s.s->deferred_actions),
                     0); /* what was answered is not wanted again */
}

/* State began while the link was down, or the Asterisk takes long to list. */
static void what_depends_on_a_listing_waits_for_it(void **state)
{
    struct world *w = *state;

    come_in(w, "1");
    becomes(w, "goonall");
    becomes(w, "pauseall");
    becomes(w, "pause");
    assert_int_equal(deferred_actions_count(w->s.s->deferred_actions), 2);
    state_restart(&w->s);
    UNTIL(w->s.loop, bus_client_is_up(w->p.bus_client) && w->p.ups == 2);
    member(w, "Agent/2001", "support", "Agent/2001");
    link_comes_back(w, 5);
    assert_string_equal(made_up(w), PAUSE("support", "Agent/2001", "true"));
}

static void a_logoff_before_the_listing_waits_for_it(void **state)
{
    struct world *w = *state;

    for (int again = 0; again < 2; again++) {
        come_in(w, "1");
        assert_int_equal(peer_close(&w->p, "s"), BUS_ok);
        assert_int_equal(deferred_actions_count(w->s.s->deferred_actions), 1);
    }
    come_in(w, "1"); /* back before anything was done: stays logged on */
    assert_int_equal(deferred_actions_count(w->s.s->deferred_actions), 0);
    assert_int_equal(peer_close(&w->p, "s"), BUS_ok);
    actions(w);
    set_agent(w, "AGENT_IDLE");
    link_comes_back(w, 5);
    assert_string_equal(made_up(w), LOGOFF);
}

static void a_refusal_is_logged_and_final(void **state)
{
    struct world *w = *state;

    come_in(w, "1");
    w->p.response = "Error";
    becomes(w, "join");
    UNTIL(w->s.loop, logged(w, "xivo: refused: so it is: [\"QueueAdd\""));
    assert_int_equal(deferred_actions_count(w->s.s->deferred_actions), 0);
}

static void what_is_not_answered_is_sent_again(void **state)
{
    struct world *w = *state;

    w->p.response = NULL;
    assert_int_equal(peer_open(&w->p, "s", "1", "here"), BUS_ok);
    becomes(w, "join");
    becomes(w, "dnd");
    UNTIL(w->s.loop, on(w, "1", XOD(users, enablednd)));
    assert_int_equal(w->p.n_actions, 4);
    w->s.p.bus->gone_ms = 1000;
    peer_end(&w->p);
    UNTIL(w->s.loop,
          strcmp(state_str(xod_find(w->s.ipbx, LIST_ipbx, VIEW("xivo")), XOD(ipbx, link)),
                 "down") == 0);
    assert_int_equal(deferred_actions_count(w->s.s->deferred_actions), 1);
    peer_start(&w->p, &w->s, "gw");
    link_comes_back(w, 1);
    assert_string_equal(made_up(w),
                        "QueueAdd [[\"Queue\",\"night\"],[\"Interface\",\"Agent/2001\"]]\n");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(services_become_what_the_presence_says),
        T(a_forward_goes_where_the_presence_says),
        T(services_of_a_presence_are_kept),
        T(an_unknown_action_is_logged_and_the_others_are_done),
        T(an_agent_is_paused_in_all_queues_or_in_one),
        T(without_an_agent_the_main_line_is_meant),
        T(who_is_nobody_in_queues_does_nothing_there),
        T(members_are_called_as_asterisk_calls_them),
        T(an_agent_is_logged_off_with_the_last_session),
        T(who_is_not_logged_on_is_not_logged_off),
        T(what_is_not_allowed_does_nothing),
        T(a_presence_on_its_way_counts),
        T(what_is_done_without_a_link_takes_effect_when_it_is_back),
        T(only_the_last_of_what_was_wanted_takes_effect),
        T(what_is_wanted_survives_a_restart_of_state),
        T(what_depends_on_a_listing_waits_for_it),
        T(a_logoff_before_the_listing_waits_for_it),
        T(a_refusal_is_logged_and_final),
        T(what_is_not_answered_is_sent_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
