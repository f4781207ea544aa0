/* Tables of commands: the message in; the answer, the actions and the later line out. Include after
 * cmocka.h. */
#ifndef CTIBUS_TESTS_IPBX_ROWS_H
#define CTIBUS_TESTS_IPBX_ROWS_H

#define IPBX_CLASSES                                                                               \
    "[\"ipbxcommand\",\"answer\",\"hangup\",\"hold_switchboard\",\"resume_switchboard\","          \
    "\"direct_transfer\",\"attended_transfer\",\"complete_transfer\",\"cancel_transfer\","         \
    "\"attended_transfer_voicemail\",\"blind_transfer_voicemail\",\"invite_confroom\","            \
    "\"callcampaign\",\"call_form_result\",\"chitchat\",\"featuresput\"]"
#include "base/array.h"
#include "support/ipbx_world.h"

struct ipbx_row {
    const char *class;   /* NULL: ipbxcommand */
    const char *message; /* without command id */
    const char *reply;   /* ipbxreply and error_string */
    const char *actions;
};

static inline void ipbx_check(struct ipbx_world *w, const struct ipbx_row *r)
{
    char want[256];
    bool sent = *r->actions;

    ipbx_forget(w);
    peer_command(&w->p, "s1", r->class ? r->class : "ipbxcommand", r->message);
    assert_int_equal(w->p.status, BUS_ok);
    snprintf(want, sizeof(want), "\"ipbxreply\":%s}", r->reply);
    if (!strstr(w->p.answer, want))
        fail_msg("%s: answered %s", r->message, w->p.answer);
    if (sent) {
        UNTIL(w->s.loop, strstr(w->lines, "\"response\":\"ok\""));
    }
    if (strcmp(w->p.actions, r->actions) != 0)
        fail_msg("%s:\n%s\nnot\n%s", r->message, w->p.actions, r->actions);
}

static inline void ipbx_check_all(struct ipbx_world *w, const struct ipbx_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ipbx_check(w, &rows[i]);
}
#define CHECK(w, rows) ipbx_check_all(w, rows, ARRAY_SIZE(rows))

/* alice talks to bob, and carol's call rings at her other phone. */
static inline void ipbx_calls(struct ipbx_world *w)
{
    struct xod_obj *o;

    ipbx_channel(w, "SIP/alice-01", "11", "linked-caller", "PJSIP/bob-02");
    ipbx_channel(w, "PJSIP/bob-02", "21", "linked-called", "SIP/alice-01");
    ipbx_channel(w, "SCCP/1011-03", "12", "ringing", "SIP/trunk-04");
    ipbx_channel(w, "SIP/trunk-04", NULL, "calling", "SCCP/1011-03");
    o = ipbx_channel(w, "SIP/dave-05", "41", "linked-caller", NULL);
    xod_set_str(o, XOD(channels, context), VIEW("other"));
    state_commit(w->s.s, false);
}

#define REDIRECT(channel, exten)                                                                   \
    "Redirect [[\"Channel\",\"" channel "\"],[\"Exten\",\"" exten                                  \
    "\"],[\"Context\",\"default\"],[\"Priority\",\"1\"]]\n"
#define HANGUP(channel) "Hangup [[\"Channel\",\"" channel "\"]]\n"

/* What Asterisk says of a call. */
static inline struct tel ipbx_event(enum tel_event e)
{
    return (struct tel){.event = e, .time = 1000};
}

static inline void ipbx_put(struct tel *t, enum tel_field f, const char *text)
{
    tel_set_add(&t->set, f);
    t->str[f] = view_cstr(text);
}

#endif
