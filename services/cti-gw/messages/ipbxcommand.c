/* ipbxcommand: what the Asterisk is to do. A descriptor a command; state carries them out
 * (services/state/ipbx) and asks whether the profile's ipbxcommands name it. */
#include "internal.h"

static const char *const needs_channel_variables[] = {"channel", "variables", NULL};
static const char *const needs_channelids[] = {"channelids", NULL};
static const char *const needs_destination[] = {"destination", NULL};
static const char *const needs_destination_subcommand[] = {"destination", "subcommand", NULL};
static const char *const needs_function_functionargs[] = {"function", "functionargs", NULL};
static const char *const needs_mailbox[] = {"mailbox", NULL};
static const char *const needs_queue[] = {"queue", NULL};
static const char *const needs_source[] = {"source", NULL};
static const char *const needs_source_destination[] = {"source", "destination", NULL};
static const char *const needs_subcommand[] = {"subcommand", NULL};
static const char *const needs_tointercept[] = {"tointercept", NULL};
static const char *const needs_nothing[] = {NULL};

#define IPBX_COMMAND(name, fields, text)                                                           \
    static const struct condition is_##name[] = {{"command", #name}, {NULL, NULL}};                \
    CTI_MESSAGE(ipbx_##name, .class = "ipbxcommand", .required = (fields),                         \
                .conditions = is_##name, .permission = true, .handle = relay, .doc = (text))

IPBX_COMMAND(agentlogin, needs_nothing,
             "an agent (`agentids`, default the own) takes calls at a phone (`agentphonenumber`)");
IPBX_COMMAND(agentlogout, needs_nothing,
             "an agent (`agentids`, default the own) takes calls no longer");
IPBX_COMMAND(answer, needs_nothing,
             "the user's phone (`phoneids`, `uniqueid`, else the one that rings) picks up");
IPBX_COMMAND(atxfer, needs_destination, "the user's call (`source`) is transferred after asking");
IPBX_COMMAND(cancel, needs_nothing, "phones that ring (`channelids`, default the user's) stop");
IPBX_COMMAND(dial, needs_destination,
             "the user's main line rings, then the destination; `dial_success`");
IPBX_COMMAND(hangup, needs_channelids, "calls end");
IPBX_COMMAND(hangupme, needs_nothing, "all calls of the user end");
IPBX_COMMAND(intercept, needs_tointercept, "a call comes to the user (`catcher`)");
IPBX_COMMAND(listen, needs_destination_subcommand,
             "the user hears an agent's calls, or no longer; `agentlisten`");
IPBX_COMMAND(mailboxcount, needs_mailbox, "the mailbox is counted; `getlist`/`updatestatus` of it");
IPBX_COMMAND(meetme, needs_function_functionargs, "something is done in a conference room");
IPBX_COMMAND(originate, needs_source_destination,
             "the phone of the source rings, then the destination");
IPBX_COMMAND(parking, needs_source, "a call waits in a parking lot (`destination`)");
IPBX_COMMAND(queueadd, needs_queue,
             "a member (`member`, default the own agent or line) joins a queue or group");
IPBX_COMMAND(queuepause, needs_queue, "a member takes no calls of a queue, or of all");
IPBX_COMMAND(queuepause_all, needs_nothing, "a member takes no calls of any of its queues");
IPBX_COMMAND(queueremove, needs_queue, "a member leaves a queue or group");
IPBX_COMMAND(queueremove_all, needs_nothing, "a member leaves all queues that it may leave");
IPBX_COMMAND(queueunpause, needs_queue, "a member takes calls of a queue again, or of all");
IPBX_COMMAND(queueunpause_all, needs_nothing, "a member takes calls of all its queues again");
IPBX_COMMAND(record, needs_subcommand,
             "a call (`channel`, default the user's) is recorded, or no longer");
IPBX_COMMAND(refuse, needs_nothing,
             "a call that rings (`channelids`, default the user's) is refused as busy");
IPBX_COMMAND(sipnotify, needs_channel_variables, "a phone is sent a NOTIFY");
IPBX_COMMAND(stoplisten, needs_destination, "as `listen` with `stop`");
IPBX_COMMAND(transfer, needs_destination,
             "the other end of the user's call (`source`) goes to the destination");
IPBX_COMMAND(transfercancel, needs_nothing, "a transfer after asking is given up");
