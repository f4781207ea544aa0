#include "permissions.h"

#include "base/array.h"
#include "classes.h"

/* As ListCommands of the recordings says them. */
static const struct {
    const char *classes;
    const char *actions; /* by blanks */
} rows[] = {
    {"agent,all", "AgentCallbackLogin AgentLogoff Agents QueueAdd QueueLog QueuePause QueuePenalty "
                  "QueueRemove QueueReset"},
    {"call,all", "Atxfer BlindTransfer Bridge CancelAtxfer ConfbridgeKick ConfbridgeLock "
                 "ConfbridgeMute ConfbridgeUnlock ConfbridgeUnmute MeetmeMute MeetmeUnmute Monitor "
                 "Park ParkedCalls Parkinglots PauseMonitor PlayDTMF Redirect SendText Setvar "
                 "StopMonitor UnpauseMonitor"},
    {"call,reporting,all", "DeviceStateList ExtensionState ExtensionStateList Getvar MailboxCount "
                           "MailboxStatus VoicemailUsersList"},
    {"command,all", "Command"},
    {"config,reporting,all", "ShowDialPlan"},
    {"originate,all", "Originate"},
    {"reporting,all", "ConfbridgeList ConfbridgeListRooms MeetmeList"},
    {"system,all", "ConfbridgeStartRecord ConfbridgeStopRecord DBDel DBPut Filter MixMonitor "
                   "ModuleCheck ModuleLoad ModuleReload PJSIPNotify PJSIPShowContacts "
                   "PJSIPShowEndpoint PJSIPShowEndpoints SIPnotify"},
    {"system,call,all", "AbsoluteTimeout Hangup MixMonitorMute StopMixMonitor"},
    {"system,call,reporting,all", "Status"},
    {"system,config,all", "Reload"},
    {"system,reporting,all", "CoreSettings CoreShowChannels CoreStatus DBGet DBGetTree IAXpeers "
                             "IAXregistry "
                             "PJSIPShowRegistrationsOutbound SIPpeers SIPshowpeer "
                             "SIPshowregistry"},
    {"user,all", "UserEvent"},
};

static const struct {
    const char *module;
    const char *prefix; /* of its actions */
} modules[] = {{"app_queue", "Queue"},
               {"app_confbridge", "Confbridge"},
               {"app_voicemail", "Voicemail"},
               {"res_pjsip", "PJSIP"},
               {"chan_sip", "SIP"}};

static bool has_word(const char *list, char between, struct view word)
{
    struct view rest = view_cstr(list ? list : "");

    while (rest.len)
        if (view_ieq(view_trim(view_cut(&rest, between)), word))
            return true;
    return false;
}

static bool are_classes(const char *list)
{
    struct view rest = view_cstr(list);

    while (rest.len) {
        struct view word = view_trim(view_cut(&rest, ','));
        if (!view_ieq(word, VIEW("all")) && classes_of_mask(word) == 0)
            return false;
    }
    return true;
}

bool permissions_are_known(const struct permissions *p)
{
    struct view rest = view_cstr(p->without ? p->without : "");

    while (rest.len) {
        struct view word = view_trim(view_cut(&rest, ','));
        bool known = false;
        for (size_t i = 0; i < ARRAY_SIZE(modules); i++)
            known = known || view_ieq(word, view_cstr(modules[i].module));
        if (!known)
            return false;
    }
    return are_classes(p->read) && are_classes(p->write);
}

bool permissions_have(const struct permissions *p, struct view action)
{
    for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
        struct view prefix = view_cstr(modules[i].prefix);
        if (has_word(p->without, ',', view_cstr(modules[i].module)) && action.len >= prefix.len &&
            view_ieq(view_of(action.ptr, prefix.len), prefix))
            return false;
    }
    return true;
}

const char *permissions_of(struct view action)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (has_word(rows[i].actions, ' ', action))
            return rows[i].classes;
    return "<none>";
}

bool permissions_allow(const struct permissions *p, struct view action)
{
    struct view classes = view_cstr(permissions_of(action));

    if (view_eq(classes, VIEW("<none>")) || has_word(p->write, ',', VIEW("all")))
        return true;
    while (classes.len)
        if (has_word(p->write, ',', view_cut(&classes, ',')))
            return true;
    return false;
}

uint32_t permissions_events(const struct permissions *p)
{
    /* what its user gets with nothing in `read` is nothing */
    return *p->read ? classes_of_mask(view_cstr(p->read)) : 0;
}
