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

#define IPBX_COMMAND(name, fields)                                                                 \
    static const struct condition is_##name[] = {{"command", #name}, {NULL, NULL}};                \
    CTI_MESSAGE(ipbx_##name, .class = "ipbxcommand", .required = (fields),                         \
                .conditions = is_##name, .permission = true, .handle = relay)

IPBX_COMMAND(agentlogin, needs_nothing);
IPBX_COMMAND(agentlogout, needs_nothing);
IPBX_COMMAND(answer, needs_nothing);
IPBX_COMMAND(atxfer, needs_destination);
IPBX_COMMAND(cancel, needs_nothing);
IPBX_COMMAND(dial, needs_destination);
IPBX_COMMAND(hangup, needs_channelids);
IPBX_COMMAND(hangupme, needs_nothing);
IPBX_COMMAND(intercept, needs_tointercept);
IPBX_COMMAND(listen, needs_destination_subcommand);
IPBX_COMMAND(mailboxcount, needs_mailbox);
IPBX_COMMAND(meetme, needs_function_functionargs);
IPBX_COMMAND(originate, needs_source_destination);
IPBX_COMMAND(parking, needs_source);
IPBX_COMMAND(queueadd, needs_queue);
IPBX_COMMAND(queuepause, needs_queue);
IPBX_COMMAND(queuepause_all, needs_nothing);
IPBX_COMMAND(queueremove, needs_queue);
IPBX_COMMAND(queueremove_all, needs_nothing);
IPBX_COMMAND(queueunpause, needs_queue);
IPBX_COMMAND(queueunpause_all, needs_nothing);
IPBX_COMMAND(record, needs_subcommand);
IPBX_COMMAND(refuse, needs_nothing);
IPBX_COMMAND(sipnotify, needs_channel_variables);
IPBX_COMMAND(stoplisten, needs_destination);
IPBX_COMMAND(transfer, needs_destination);
IPBX_COMMAND(transfercancel, needs_nothing);
