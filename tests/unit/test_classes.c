/* The other classes that drive calls: the switchboard, transfers, campaigns, call forms, chat and
 * services. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "calls/transfers.h"
#include "support/ipbx_rows.h"

static void switchboard(void **state)
{
    static const struct ipbx_row rows[] = {
        {"hold_switchboard", "{\"queue_name\":\"red\"}", "\"ok\"",
         REDIRECT("PJSIP/bob-02", "3002")},
        {"hold_switchboard", "{\"queue_name\":\"hidden\"}",
         "\"queue_name\",\"error_string\":\"no_such_queue\"", ""},
        {"resume_switchboard", "{\"unique_id\":\"SIP/trunk-04\"}",
         "\"unique_id\",\"error_string\":\"no_such_channel\"", ""},
        {"resume_switchboard", "{\"unique_id\":\"PJSIP/bob-02\"}", "\"ok\"",
         REDIRECT("PJSIP/bob-02", "1001")},
        {"answer", "{\"unique_id\":\"x\"}", "\"ok\"",
         "phone.notify [[\"peer\",\"SCCP/1011\"],[\"variable\",\"Event=talk\"]]\n"},
        {"hangup", "{}", "\"ok\"", HANGUP("SIP/alice-01")},
        {"direct_transfer", "{\"number\":\"1005\"}", "\"ok\"", REDIRECT("PJSIP/bob-02", "1005")},
        {"direct_transfer", "{\"number\":\"\"}",
         "\"number\",\"error_string\":\"unreachable_extension\"", ""},
        {"blind_transfer_voicemail", "{\"voicemail\":\"1002\"}", "\"ok\"",
         REDIRECT("PJSIP/bob-02", "*991002")},
        {"blind_transfer_voicemail", "{\"voicemail\":\"77\"}",
         "\"voicemail\",\"error_string\":\"no_such_mailbox\"", ""},
        {"attended_transfer", "{\"number\":1005}", "\"ok\"",
         "Atxfer [[\"Channel\",\"SIP/alice-01\"],[\"Exten\",\"1005\"],"
         "[\"Context\",\"default\"],[\"Priority\",\"1\"]]\n"},
        {"cancel_transfer", "{}", "\"ok\"", "transfer.cancel [[\"channel\",\"SIP/alice-01\"]]\n"},
        {"complete_transfer", "{}", "\"ok\"", HANGUP("SIP/alice-01")},
        {"invite_confroom", "{\"invitee\":\"user:xivo/2\"}",
         "\"command\",\"error_string\":\"not_in_a_room\"", ""},
        {"invite_confroom", "{\"invitee\":\"user:xivo/4\"}",
         "\"invitee\",\"error_string\":\"no_line\"", ""},
    };
    static const struct ipbx_row invitation = {
        "invite_confroom", "{\"invitee\":\"user:xivo/2\"}", "\"ok\"",
        "Originate [[\"Channel\",\"PJSIP/bob\"],[\"Exten\",\"4001\"],[\"Context\",\"default\"],"
        "[\"Priority\",\"1\"],[\"Timeout\",\"30000\"],[\"Variable\",\"CONNECTEDLINE(name,i)=Room\"]"
        ","
        "[\"Variable\",\"CONNECTEDLINE(num)=4001\"]]\n"};
    struct ipbx_world *w = *state;

    ipbx_calls(w);
    ipbx_channel(w, "Local/x-09", NULL, "calling", NULL);
    xod_set_str(xod_find(w->s.ipbx, LIST_channels, VIEW("SIP/trunk-04")), XOD(channels, context),
                VIEW("other"));
    CHECK(w, rows);
    assert_non_null(
        strstr(w->p.answer, "\"warning\":{\"message\":\"The invited person has no line\"}"));
    assert_null(strstr(w->p.answer, "\"message\":{"));
    xod_relate(xod_find(w->s.ipbx, LIST_channels, VIEW("SIP/alice-01")),
               xod_find(w->s.ipbx, LIST_meetmes, VIEW("1")));
    ipbx_check(w, &invitation);
    assert_non_null(strstr(w->p.answer, "\"message\":{\"message\":\"The invitation is sent\"}"));
    assert_null(strstr(w->p.answer, "warning"));
}

/* ---- calls that were asked for ---- */

static void who_is_asked_answers(void **state)
{
#define ANSWERED                                                                                   \
    "cti/xivo/user/1/ {\"session\":\"s1\",\"line\":{\"class\":"                                    \
    "\"current_call_attended_transfer_answered\",\"line\":\"SIP/alice\"}}\n"
    struct ipbx_world *w = *state;
    struct tel t = ipbx_event(TEL_call_link);
    struct xod_obj *own;

    ipbx_calls(w);
    peer_command(&w->p, "s1", "attended_transfer", "{\"number\":\"1005\"}");
    UNTIL(w->s.loop, w->n_lines == 1);
    ipbx_forget(w);
    transfers_event(w->s.s->transfers, &t); /* still talks to bob */
    own = xod_find(w->s.ipbx, LIST_channels, VIEW("SIP/alice-01"));
    xod_set_str(own, XOD(channels, talkingto_id), VIEW("SIP/erin-10"));
    transfers_event(w->s.s->transfers, &t);
    transfers_event(w->s.s->transfers, &t); /* it is told once */
    /* only who is asked may be hung up to give it up */
    ipbx_channel(w, "SIP/erin-10", "51", "linked-called", "SIP/alice-01");
    peer_command(&w->p, "s1", "cancel_transfer", "{}");
    UNTIL(w->s.loop, strstr(w->lines, "cancel_transfer"));
    assert_non_null(strstr(w->p.actions, "transfer.cancel [[\"channel\",\"SIP/alice-01\"],"
                                         "[\"other\",\"SIP/erin-10\"]]\n"));
    assert_int_equal(w->n_lines, 2);
    assert_memory_equal(w->lines, ANSWERED, strlen(ANSWERED));
}

/* Given up before or after the destination has answered: the call is back. */
static void a_call_that_is_not_transferred_is_back(void **state)
{
    struct ipbx_world *w = *state;
    struct tel link = ipbx_event(TEL_call_link);
    struct tel unlink = ipbx_event(TEL_call_unlink);
    struct xod_obj *own;

    ipbx_calls(w);
    peer_command(&w->p, "s1", "attended_transfer", "{\"number\":\"1005\"}");
    UNTIL(w->s.loop, w->n_lines == 1);
    ipbx_forget(w);
    transfers_event(w->s.s->transfers, &link); /* of other calls */
    own = xod_find(w->s.ipbx, LIST_channels, VIEW("SIP/alice-01"));
    xod_set_null(own, XOD(channels, talkingto_id));
    transfers_event(w->s.s->transfers, &unlink);
    xod_set_str(own, XOD(channels, talkingto_id), VIEW("PJSIP/bob-02"));
    transfers_event(w->s.s->transfers, &link);
    transfers_event(w->s.s->transfers, &link); /* it is told once */
    peer_command(&w->p, "s1", "hangup", "{}");
    UNTIL(w->s.loop, strstr(w->lines, "\"hangup\""));
    assert_int_equal(w->n_lines, 2);
    assert_non_null(strstr(w->lines, "{\"class\":\"current_call_attended_transfer_cancelled\","
                                     "\"line\":\"SIP/alice\"}"));
}

/* Before 12 nothing is linked to who transfers as long as the third phone rings. */
static void a_transfer_is_given_up_while_it_rings(void **state)
{
    struct ipbx_world *w = *state;

    ipbx_calls(w);
    peer_command(&w->p, "s1", "attended_transfer", "{\"number\":\"1005\"}");
    UNTIL(w->s.loop, w->n_lines == 1);
    ipbx_channel(w, "Local/1005@default-7;1", NULL, "ready", NULL);
    ipbx_channel(w, "Local/1005@default-7;2", NULL, "calling", NULL);
    ipbx_channel(w, "Local/1006@default-8;1", NULL, "ready", NULL); /* another's */
    ipbx_channel(w, "Local/1005@default-6;1", "21", "linked-called", "PJSIP/bob-02");
    peer_command(&w->p, "s1", "cancel_transfer", "{}");
    UNTIL(w->s.loop, strstr(w->lines, "cancel_transfer"));
    assert_non_null(strstr(w->p.actions, "transfer.cancel [[\"channel\",\"SIP/alice-01\"],"
                                         "[\"other\",\"Local/1005@default-7;1\"]]\n"));
}

/* By keys at the phone; the hold tells. */
static void a_transfer_that_no_command_began_is_given_up_too(void **state)
{
    struct ipbx_world *w = *state;
    struct xod_obj *own;

    ipbx_calls(w);
    peer_command(&w->p, "s1", "cancel_transfer", "{}");
    assert_string_equal(w->p.actions, ""); /* there is none */
    own = xod_find(w->s.ipbx, LIST_channels, VIEW("SIP/alice-01"));
    xod_set_str(own, XOD(channels, holds), VIEW("PJSIP/bob-02"));
    xod_set_str(own, XOD(channels, talkingto_id), VIEW("SIP/erin-10"));
    ipbx_channel(w, "SIP/erin-10", "51", "linked-called", "SIP/alice-01");
    peer_command(&w->p, "s1", "cancel_transfer", "{}");
    UNTIL(w->s.loop, strstr(w->lines, "cancel_transfer"));
    assert_non_null(strstr(w->p.actions, "transfer.cancel [[\"channel\",\"SIP/alice-01\"],"
                                         "[\"other\",\"SIP/erin-10\"]]\n"));
}

static void a_campaign(void **state)
{
    struct ipbx_world *w = *state;
    struct json_object *ours = config_section(w->s.cfg, "ctibus");

    peer_command(&w->p, "s1", "callcampaign", "{\"command\":[\"fetchlist\"]}");
    assert_string_equal(w->p.answer, "{\"payload\":{\"command\":\"fetchlist\",\"list\":[]}}");
    json_object_object_add(ours, "callcampaign", json_tokener_parse("[\"1002\",{\"number\":3}]"));
    peer_command(&w->p, "s1", "callcampaign", "{\"command\":[\"fetchlist\"]}");
    assert_string_equal(w->p.answer, "{\"payload\":{\"command\":\"fetchlist\","
                                     "\"list\":[\"1002\",{\"number\":3}]}}");
    peer_command(&w->p, "s1", "callcampaign",
                 "{\"commandid\":4,\"command\":[\"startcall\",\"10 02\"]}");
    assert_string_equal(w->p.answer,
                        "{\"payload\":{\"command\":\"callstarted\",\"number\":\"1002\"}}");
    UNTIL(w->s.loop, w->n_lines == 2);
    assert_non_null(strstr(w->p.actions, "[\"Exten\",\"1002\"]"));
    assert_non_null(strstr(w->lines, "\"replyid\":4,\"command\":\"dial\",\"response\":\"ok\""));
    peer_command(&w->p, "s1", "callcampaign", "{\"command\":[\"stopcall\",\"1002\"]}");
    assert_string_equal(w->p.answer,
                        "{\"payload\":{\"command\":\"callstopped\",\"number\":\"1002\"}}");
    assert_int_equal(peer_command(&w->p, "s1", "callcampaign", "{\"command\":[\"startcall\"]}"),
                     BUS_malformed);
    assert_int_equal(peer_command(&w->p, "s1", "callcampaign", "{\"command\":\"fetchlist\"}"),
                     BUS_malformed);
}

static void a_form_is_kept(void **state)
{
    struct ipbx_world *w = *state;

    assert_int_equal(peer_command(&w->p, "s1", "call_form_result",
                                  "{\"infos\":{\"buttonname\":\"saveandclose\","
                                  "\"variables\":{\"XIVOFORM_a\":\"'; DROP TABLE\"}}}"),
                     BUS_ok);
    assert_int_equal(peer_command(&w->p, "s1", "call_form_result", "{\"infos\":\"x\"}"),
                     BUS_malformed);
}

static void chat(void **state)
{
    struct ipbx_world *w = *state;

    peer_command(&w->p, "s1", "chitchat", "{\"to\":\"xivo/2\",\"text\":\"hello\"}");
    assert_string_equal(w->p.answer, "{\"warning_string\":\"not_connected\"}");
    assert_int_equal(peer_open(&w->p, "s2", "2", "available"), BUS_ok);
    assert_int_equal(peer_open(&w->p, "s4", "4", "available"), BUS_ok);
    ipbx_forget(w);
    peer_command(&w->p, "s1", "chitchat", "{\"to\":\"xivo/2\",\"text\":\"hello\"}");
    assert_string_equal(w->p.answer, "{}");
    UNTIL(w->s.loop, w->n_lines == 1);
    assert_string_equal(w->lines, "cti/xivo/user/2/ {\"line\":{\"class\":\"chitchat\","
                                  "\"from\":\"xivo/1\",\"to\":\"xivo/2\",\"text\":\"hello\"}}\n");
    ipbx_forget(w);
    peer_command(&w->p, "s1", "chitchat", "{\"to\":[\"xivo\",2],\"text\":\"again\"}");
    UNTIL(w->s.loop, w->n_lines == 1);
    assert_non_null(strstr(w->lines, "\"from\":\"xivo/1\",\"to\":\"xivo/2\",\"text\":\"again\""));
    /* dave is hidden: as if he were not there */
    peer_command(&w->p, "s1", "chitchat", "{\"to\":\"xivo/4\",\"text\":\"hello\"}");
    assert_string_equal(w->p.answer, "{\"warning_string\":\"not_connected\"}");
    peer_command(&w->p, "s1", "chitchat", "{\"to\":\"other/2\",\"text\":\"hello\"}");
    assert_string_equal(w->p.answer, "{\"warning_string\":\"not_connected\"}");
}

/* XiVO's devices for the lamps of function keys. */
static void lamps_follow_the_services(void **state)
{
#define LAMP(device, value)                                                                        \
    "Setvar [[\"Variable\",\"DEVICE_STATE(Custom:" device ")\"],[\"Value\",\"" value "\"]]\n"
    struct ipbx_world *w = *state;

    peer_command(&w->p, "s1", "featuresput", "{\"function\":\"enablednd\",\"value\":true}");
    assert_string_equal(w->p.answer, "{\"status\":\"OK\"}");
    assert_string_equal(w->p.actions, LAMP("*7351***225", "INUSE"));
    ipbx_forget(w);
    peer_command(&w->p, "s1", "featuresput",
                 "{\"function\":\"fwd\",\"value\":{\"enableunc\":true,\"destunc\":\"1002\"}}");
    assert_string_equal(w->p.actions,
                        LAMP("*7351***221", "INUSE") LAMP("*7351***221*1002", "INUSE"));
    ipbx_forget(w);
    peer_command(&w->p, "s1", "featuresput",
                 "{\"function\":\"fwd\",\"value\":{\"destunc\":\"*97\"}}");
    assert_string_equal(w->p.actions,
                        LAMP("*7351***221*1002", "NOT_INUSE") LAMP("*7351***221", "INUSE")
                            LAMP("*7351***221***297", "INUSE"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, ipbx_setup, ipbx_teardown)
    const struct CMUnitTest tests[] = {
        T(switchboard),
        T(who_is_asked_answers),
        T(a_call_that_is_not_transferred_is_back),
        T(a_transfer_is_given_up_while_it_rings),
        T(a_transfer_that_no_command_began_is_given_up_too),
        T(a_campaign),
        T(a_form_is_kept),
        T(chat),
        T(lamps_follow_the_services),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
