/* ipbxcommand: what a client wants the Asterisk to do; one function a command (ipbx/). */
#include "base/array.h"
#include "calls/ipbx_command.h"
#include "commands/commands.h"
#include "federation/peers.h"
#include "sessions/sessions.h"

static const struct {
    const char *name;
    ipbx_command_fn *fn;
} orders[] = {
    {"agentlogin", ipbx_agentlogin},
    {"agentlogout", ipbx_agentlogout},
    {"answer", ipbx_answer},
    {"atxfer", ipbx_atxfer},
    {"barge", ipbx_barge},
    {"cancel", ipbx_cancel},
    {"dial", ipbx_dial},
    {"dtmf", ipbx_dtmf},
    {"hangup", ipbx_hangup},
    {"hangupme", ipbx_hangupme},
    {"intercept", ipbx_intercept},
    {"listen", ipbx_listen},
    {"mailboxcount", ipbx_mailboxcount},
    {"meetme", ipbx_meetme},
    {"originate", ipbx_originate},
    {"parking", ipbx_parking},
    {"queueadd", ipbx_queueadd},
    {"queuepause", ipbx_queuepause},
    {"queuepause_all", ipbx_queuepause_all},
    {"queueremove", ipbx_queueremove},
    {"queueremove_all", ipbx_queueremove_all},
    {"queueunpause", ipbx_queueunpause},
    {"queueunpause_all", ipbx_queueunpause_all},
    {"record", ipbx_record},
    {"refuse", ipbx_refuse},
    {"sipnotify", ipbx_sipnotify},
    {"stoplisten", ipbx_stoplisten},
    {"transfer", ipbx_transfer},
    {"transfercancel", ipbx_transfercancel},
    {"whisper", ipbx_whisper},
};

static void ipbxcommand(struct state *s, struct session *se, struct deferred_reply *l,
                        const msgpack_object *message)
{
    struct view name = msg_get_str(message, "command");

    if (peers_take(s, se, l, message))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(orders); i++)
        if (view_eq(name, view_cstr(orders[i].name))) {
            ipbx_command_run(s, se, l, message, orders[i].name, orders[i].fn);
            return;
        }
    deferred_reply_status(&l, BUS_unknown_method);
}

const struct command command_ipbxcommand = {"ipbxcommand", ipbxcommand, false};
