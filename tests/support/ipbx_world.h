/* A whole state with a small IPBX, a client's session of alice (user 1), an ami-gw that writes down
 * the actions, and an ear for the lines that state sends to clients. Include after cmocka.h. */
#ifndef CTIBUS_TESTS_IPBX_WORLD_H
#define CTIBUS_TESTS_IPBX_WORLD_H

#include "base/array.h"
#include "core/context.h"
#include "model/model.h"
#include "support/state_peer.h"

/* alice (agent 2001, two lines, mailbox 1001), bob, carol without a line; dave lives in another
 * context. */
#define IPBX_USERS                                                                                 \
    "[{\"id\":\"1\",\"fullname\":\"Alice \\\"A\\\" <x>\",\"enableclient\":1,"                      \
    "\"profileclient\":\"client\",\"agentid\":7,\"voicemailid\":1},"                               \
    "{\"id\":\"2\",\"fullname\":\"Bob\",\"enableclient\":1,\"profileclient\":\"client\","          \
    "\"voicemailid\":2},"                                                                          \
    "{\"id\":\"3\",\"fullname\":\"Carol\",\"enableclient\":1,\"profileclient\":\"client\"},"       \
    "{\"id\":\"4\",\"fullname\":\"Dave\",\"enableclient\":1,\"profileclient\":\"client\"},"        \
    "{\"id\":\"5\",\"fullname\":\"Erin\",\"enableclient\":1,\"profileclient\":\"bare\"}]"
#define IPBX_LINES                                                                                 \
    "[{\"id\":\"11\",\"protocol\":\"sip\",\"name\":\"alice\",\"number\":\"1001\","                 \
    "\"context\":\"default\",\"iduserfeatures\":\"1\",\"rules_order\":\"1\"},"                     \
    "{\"id\":\"12\",\"protocol\":\"sccp\",\"name\":\"1011\",\"number\":\"1011\","                  \
    "\"context\":\"default\",\"iduserfeatures\":\"1\",\"rules_order\":\"2\"},"                     \
    "{\"id\":\"21\",\"protocol\":\"pjsip\",\"name\":\"bob\",\"number\":1002,"                      \
    "\"context\":\"default\",\"iduserfeatures\":2,\"rules_order\":1},"                             \
    "{\"id\":\"41\",\"protocol\":\"sip\",\"name\":\"dave\",\"number\":1004,"                       \
    "\"context\":\"other\",\"iduserfeatures\":4,\"rules_order\":1},"                               \
    "{\"id\":\"51\",\"protocol\":\"sip\",\"name\":\"erin\",\"number\":1005,"                       \
    "\"context\":\"default\",\"iduserfeatures\":5,\"rules_order\":1}]"
#define IPBX_AGENTS                                                                                \
    "[{\"id\":7,\"number\":2001,\"context\":\"default\",\"lastname\":\"A\"},"                      \
    "{\"id\":8,\"number\":2002,\"context\":\"default\",\"lastname\":\"B\"},"                       \
    "{\"id\":9,\"number\":2009,\"context\":\"other\",\"lastname\":\"C\"}]"
#define IPBX_QUEUES                                                                                \
    "[{\"id\":\"1\",\"name\":\"blue\",\"displayname\":\"Blue\",\"number\":3001,"                   \
    "\"context\":\"default\"},{\"id\":\"2\",\"name\":\"red\",\"number\":3002,"                     \
    "\"context\":\"default\"},{\"id\":\"3\",\"name\":\"hidden\",\"number\":3003,"                  \
    "\"context\":\"other\"}]"
#define IPBX_GROUPS "[{\"id\":\"1\",\"name\":\"all\",\"number\":3100,\"context\":\"default\"}]"
#define IPBX_MEETMES                                                                               \
    "[{\"id\":\"1\",\"confno\":4001,\"name\":\"Room\",\"context\":\"default\"},"                   \
    "{\"id\":\"2\",\"confno\":4002,\"name\":\"Bridge\",\"context\":\"default\"}]"
#define IPBX_VOICEMAILS                                                                            \
    "[{\"uniqueid\":1,\"mailbox\":1001,\"context\":\"default\",\"fullname\":\"Alice\"},"           \
    "{\"uniqueid\":2,\"mailbox\":1002,\"context\":\"default\",\"fullname\":\"Bob\"}]"
#define IPBX_PARKING                                                                               \
    "[{\"id\":1,\"name\":\"default\",\"extension\":700,\"context\":\"default\"},"                  \
    "{\"id\":2,\"name\":\"lot2\",\"extension\":800,\"context\":\"default\"}]"

#define IPBX_CONFIG                                                                                \
    "{\"main\":{\"parting_astid_context\":[\"context\"]},"                                         \
    "\"ipbxes\":{\"xivo\":{\"ipbx_connection\":{\"ipaddress\":\"127.0.0.1\",\"ipport\":5038,"      \
    "\"username\":\"u\",\"password\":\"p\"},\"urllists\":{"                                        \
    "\"urllist_users\":[\"file:users.json\"],\"urllist_lines\":[\"file:lines.json\"],"             \
    "\"urllist_agents\":[\"file:agents.json\"],\"urllist_queues\":[\"file:queues.json\"],"         \
    "\"urllist_groups\":[\"file:groups.json\"],\"urllist_meetmes\":[\"file:meetmes.json\"],"       \
    "\"urllist_voicemails\":[\"file:voicemails.json\"],"                                           \
    "\"urllist_extenfeatures\":[\"file:extenfeatures.json\"],"                                     \
    "\"urllist_parkinglot\":[\"file:parking.json\"]}},"                                            \
    "\"lyon\":{\"peer\":{\"publish\":\"tcp://127.0.0.1:1\",\"request\":\"tcp://127.0.0.1:2\","     \
    "\"publickey\":\"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID\",\"profile\":\"client\"}}},"        \
    "\"profiles\":{\"client\":{\"name\":\"Client\",\"regcommands\":\"all\","                       \
    "\"ipbxcommands\":\"all\",\"userstatus\":\"std\"},"                                            \
    "\"bare\":{\"name\":\"Bare\",\"regcommands\":\"all\",\"ipbxcommands\":\"few\","                \
    "\"userstatus\":\"std\"}},"                                                                    \
    "\"regcommands\":{\"all\":" IPBX_CLASSES "},"                                                  \
    "\"ipbxcommands\":{\"few\":[\"hangupme\"],\"all\":[\"dial\",\"originate\",\"transfer\","       \
    "\"atxfer\",\"transfercancel\",\"intercept\",\"parking\",\"hangup\",\"hangupme\","             \
    "\"refuse\",\"dtmf\",\"cancel\",\"answer\",\"sipnotify\",\"mailboxcount\",\"meetme\","         \
    "\"record\","                                                                                  \
    "\"listen\",\"stoplisten\",\"whisper\",\"barge\",\"agentlogin\",\"agentlogout\",\"queueadd\"," \
    "\"queueremove\","                                                                             \
    "\"queuepause\",\"queueunpause\",\"queuepause_all\",\"queueunpause_all\","                     \
    "\"queueremove_all\"]},"                                                                       \
    "\"userstatus\":{\"std\":{\"available\":{\"longname\":\"Here\",\"allowed\":[\"available\"]},"  \
    "\"disconnected\":{\"longname\":\"Out\"}}},"                                                   \
    "\"ctibus\":{\"agents\":{\"queues\":{\"2001\":[\"blue\",\"red\"],\"*\":[\"blue\"]}}}}"

#ifndef IPBX_CLASSES
#define IPBX_CLASSES "[\"ipbxcommand\",\"chitchat\"]"
#endif

static const char *const ipbx_files[][2] = {
    {"users.json", IPBX_USERS},
    {"lines.json", IPBX_LINES},
    {"agents.json", IPBX_AGENTS},
    {"queues.json", IPBX_QUEUES},
    {"groups.json", IPBX_GROUPS},
    {"meetmes.json", IPBX_MEETMES},
    {"voicemails.json", IPBX_VOICEMAILS},
    {"parking.json", IPBX_PARKING},
    {"extenfeatures.json", "{\"vmboxslt\":{\"exten\":\"_*99.\"}}"},
};
#define IPBX_FILES ARRAY_SIZE(ipbx_files)

struct ipbx_world {
    struct state_world s;
    struct state_peer p;
    struct bus_sub *sub;
    struct msg_doc doc;
    char lines[8192]; /* told to clients: TOPIC BODY, a line each */
    int n_lines, n_echoes;
};

static inline void ipbx_on_line(void *arg, const struct bus_msg *m)
{
    struct ipbx_world *w = arg;
    size_t n = strlen(w->lines);
    char body[2048];

    if (view_find(m->topic, VIEW("/echo/")) >= 0 || view_starts(m->topic, VIEW("cti/echo"))) {
        w->n_echoes++;
        return;
    }
    if (msg_parse(&w->doc, m->body) < 0)
        return;
    peer_json(body, sizeof(body), &w->doc.root);
    snprintf(w->lines + n, sizeof(w->lines) - n, "%.*s %s\n", VIEW_ARG(m->topic), body);
    w->n_lines++;
}

static inline void ipbx_forget(struct ipbx_world *w)
{
    w->p.actions[0] = w->lines[0] = '\0';
    w->p.n_actions = w->n_lines = 0;
}

static inline int ipbx_setup(void **state)
{
    static const struct bus_sub_handler handler = {ipbx_on_line, NULL};
    struct ipbx_world *w = calloc(1, sizeof(*w));
    int err = 0;

    *state = w;
    assert_int_equal(state_make_folder(&w->s), 0);
    state_write(&w->s, "ctibus.json", IPBX_CONFIG);
    for (size_t i = 0; i < IPBX_FILES; i++)
        state_write(&w->s, ipbx_files[i][0], ipbx_files[i][1]);
    w->s.loop = loop_new();
    w->s.cfg = state_config(&w->s);
    assert_int_equal(state_start(&w->s, NULL, NULL, NULL), 0);
    peer_start(&w->p, &w->s, "gw");
    peer_login(&w->p, 3);
    assert_int_equal(msg_doc_init(&w->doc), 0);
    w->sub = bus_sub_new(w->p.p.bus, state_endpoint_subscribe(w->s.s), &handler, w, &err);
    assert_non_null(w->sub);
    assert_int_equal(bus_sub_add(w->sub, VIEW("cti/")), 0);
    while (w->n_echoes == 0)
        peer_ask(&w->p, METHOD_echo, "{\"plane\":\"cti\"}");
    assert_int_equal(bus_sub_remove(w->sub, VIEW("cti/")), 0);
    assert_int_equal(bus_sub_add(w->sub, VIEW("cti/xivo/user/")), 0);
    assert_int_equal(bus_sub_add(w->sub, VIEW("cti/echo/")), 0);
    for (w->n_echoes = 0; w->n_echoes == 0;)
        peer_ask(&w->p, METHOD_echo, "{\"plane\":\"cti\"}");
    assert_int_equal(peer_open(&w->p, "s1", "1", "available"), BUS_ok);
    UNTIL(w->s.loop, w->s.s->settled); /* lines for clients wait for that */
    ipbx_forget(w);
    return 0;
}

static inline int ipbx_teardown(void **state)
{
    struct ipbx_world *w = *state;

    bus_sub_destroy(&w->sub);
    msg_doc_fini(&w->doc);
    peer_end(&w->p);
    for (size_t i = 2; i < IPBX_FILES; i++)
        state_unlink(&w->s, ipbx_files[i][0]);
    state_teardown(&w->s);
    free(w);
    return 0;
}

/* A channel of a phone (its id; NULL: of none) as the domain would have made it. */
static inline struct xod_obj *ipbx_channel(struct ipbx_world *w, const char *name,
                                           const char *phone, const char *commstatus,
                                           const char *peer)
{
    struct xod_obj *c = xod_add(w->s.ipbx, LIST_channels, view_cstr(name));

    xod_set_str(c, XOD(channels, commstatus), view_cstr(commstatus));
    xod_set_str(c, XOD(channels, context), VIEW("default"));
    xod_set_str(c, XOD(channels, uniqueid), view_cstr(name));
    if (peer)
        xod_set_str(c, XOD(channels, talkingto_id), view_cstr(peer));
    if (phone)
        xod_relate(c, xod_find(w->s.ipbx, LIST_phones, view_cstr(phone)));
    state_commit(w->s.s, false);
    return c;
}

#endif
