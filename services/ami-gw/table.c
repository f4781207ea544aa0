#include "table.h"
#include "base/array.h"

#define H(s)                                                                                       \
    {                                                                                              \
        s, sizeof(s) - 1                                                                           \
    }
#define NONE                                                                                       \
    {                                                                                              \
        NULL, 0                                                                                    \
    }
#define F(field, header)                                                                           \
    {                                                                                              \
        TELF_##field, H(header), NONE                                                              \
    }
#define F2(field, header, other)                                                                   \
    {                                                                                              \
        TELF_##field, H(header), H(other)                                                          \
    }
#define FIELDS(list) list, ARRAY_SIZE(list)

/* ---- which header is which field; names are compared without case ---- */

#define CALLER                                                                                     \
    F(channel, "Channel"), F(uniqueid, "Uniqueid"), F(linkedid, "Linkedid"),                       \
        F(callerid_num, "CallerIDNum"), F(callerid_name, "CallerIDName")
#define CHANNEL_BLOCK                                                                              \
    CALLER, F(state, "ChannelState"), F(connected_num, "ConnectedLineNum"),                        \
        F(connected_name, "ConnectedLineName"), F(context, "Context"),                             \
        F2(exten, "Exten", "Extension")

static const struct table_field channel[] = {CHANNEL_BLOCK};
static const struct table_field hangup[] = {CHANNEL_BLOCK, F(cause, "Cause"),
                                            F(cause_text, "Cause-txt")};
static const struct table_field rename_fields[] = {F(old, "Channel"), F(new_name, "Newname"),
                                                   F(uniqueid, "Uniqueid")};
static const struct table_field step[] = {CHANNEL_BLOCK, F(application, "Application"),
                                          F(data, "AppData")};
static const struct table_field monitor[] = {CALLER, F(muted, "State")};
static const struct table_field spy[] = {F(channel, "SpyerChannel"), F(uniqueid, "SpyerUniqueid"),
                                         F(spied, "SpyeeChannel")};
static const struct table_field variable[] = {F(channel, "Channel"), F(uniqueid, "Uniqueid"),
                                              F(name, "Variable"), F(value, "Value")};

static const struct table_field dial_old[] = {
    F(channel, "Channel"),          F(uniqueid, "UniqueID"),
    F(destination, "Destination"),  F(dest_uniqueid, "DestUniqueID"),
    F(callerid_num, "CallerIDNum"), F(callerid_name, "CallerIDName"),
    F(status, "DialStatus")};
#define DESTINATION F(destination, "DestChannel"), F(dest_uniqueid, "DestUniqueid")
static const struct table_field dial_new[] = {CALLER,
                                              DESTINATION,
                                              F(dest_callerid_num, "DestCallerIDNum"),
                                              F(dest_callerid_name, "DestCallerIDName"),
                                              F(status, "DialStatus"),
                                              F(forward, "Forward")};

static const struct table_field link_old[] = {F(channel, "Channel1"), F(uniqueid, "Uniqueid1"),
                                              F(other, "Channel2"), F(other_uniqueid, "Uniqueid2")};
static const struct table_field bridge[] = {F(bridge, "BridgeUniqueid"),
                                            F(count, "BridgeNumChannels"), F(channel, "Channel"),
                                            F(uniqueid, "Uniqueid"), F(linkedid, "Linkedid")};
static const struct table_field merge[] = {
    F(bridge, "ToBridgeUniqueid"), F(other, "FromBridgeUniqueid"), F(count, "ToBridgeNumChannels")};
static const struct table_field transfer_old[] = {
    F(channel, "Channel"), F(uniqueid, "Uniqueid"), F(transferee, "TargetChannel"),
    F(target, "TransferExten"), F(context, "TransferContext")};
static const struct table_field attended_old[] = {F(channel, "Channel"), F(uniqueid, "Uniqueid"),
                                                  F(target, "TargetChannel")};
static const struct table_field blind[] = {F(channel, "TransfererChannel"),
                                           F(uniqueid, "TransfererUniqueid"),
                                           F(transferee, "TransfereeChannel"),
                                           F(target, "Extension"),
                                           F(context, "Context"),
                                           F(result, "Result")};
static const struct table_field attended[] = {
    F(channel, "OrigTransfererChannel"), F(uniqueid, "OrigTransfererUniqueid"),
    F(transferee, "TransfereeChannel"), F(target, "TransferTargetChannel"), F(result, "Result")};
static const struct table_field halves[] = {F2(one, "LocalOneChannel", "Channel1"),
                                            F2(two, "LocalTwoChannel", "Channel2"),
                                            F(context, "Context"), F(exten, "Exten")};
static const struct table_field originate[] = {
    CALLER,          F(context, "Context"), F(exten, "Exten"),       F(application, "Application"),
    F(data, "Data"), F(result, "Response"), F(actionid, "ActionID"), F(reason_code, "Reason"),
};

static const struct table_field hint[] = {F(exten, "Exten"), F(context, "Context"), F(hint, "Hint"),
                                          F(status, "Status")};
static const struct table_field device[] = {F(hint, "Device"), F(status, "State")};
static const struct table_field presence[] = {F(hint, "Presentity"), F(status, "Status"),
                                              F(subtype, "Subtype"), F(text, "Message")};
static const struct table_field peer[] = {F(peer, "Peer"), F(status, "PeerStatus"),
                                          F(address, "Address")};
static const struct table_field contact[] = {F(peer, "EndpointName"), F(status, "ContactStatus"),
                                             F(address, "URI")};
static const struct table_field listed_peer[] = {F(peer, "ObjectName"), F(status, "Status"),
                                                 F(address, "IPaddress")};
static const struct table_field registry[] = {F(peer, "ChannelType"), F(username, "Username"),
                                              F(host, "Domain"), F(status, "Status")};
static const struct table_field listed_registry[] = {F(username, "Username"), F(host, "Host"),
                                                     F(status, "State")};
static const struct table_field registration[] = {F(name, "ObjectName"), F(username, "ClientUri"),
                                                  F(host, "ServerUri"), F(status, "Status")};
static const struct table_field endpoint[] = {F(peer, "ObjectName"), F(address, "Contacts")};

static const struct table_field queue[] = {CALLER,
                                           F(connected_num, "ConnectedLineNum"),
                                           F(connected_name, "ConnectedLineName"),
                                           F(queue, "Queue"),
                                           F(position, "Position"),
                                           F(original_position, "OriginalPosition"),
                                           F(count, "Count"),
                                           F(wait, "Wait"),
                                           F(holdtime, "HoldTime")};
static const struct table_field queue_params[] = {F(queue, "Queue"),
                                                  F(max, "Max"),
                                                  F(strategy, "Strategy"),
                                                  F(count, "Calls"),
                                                  F(holdtime, "Holdtime"),
                                                  F(talktime, "TalkTime"),
                                                  F(completed, "Completed"),
                                                  F(abandoned, "Abandoned"),
                                                  F(servicelevel, "ServiceLevel"),
                                                  F(weight, "Weight")};
static const struct table_field queue_summary[] = {F(queue, "Queue"),
                                                   F(logged_in, "LoggedIn"),
                                                   F(available, "Available"),
                                                   F(count, "Callers"),
                                                   F(holdtime, "HoldTime"),
                                                   F(talktime, "TalkTime"),
                                                   F(longest, "LongestHoldTime")};
static const struct table_field member[] = {F(queue, "Queue"),
                                            F2(interface, "Interface", "Location"),
                                            F2(name, "MemberName", "Name"),
                                            F(state_interface, "StateInterface"),
                                            F(membership, "Membership"),
                                            F(penalty, "Penalty"),
                                            F(calls_taken, "CallsTaken"),
                                            F(last_call, "LastCall"),
                                            F(last_pause, "LastPause"),
                                            F(login_time, "LoginTime"),
                                            F2(in_call, "InCall", "IsInCall"),
                                            F(wrapuptime, "Wrapuptime"),
                                            F(status, "Status"),
                                            F(paused, "Paused"),
                                            F2(reason, "PausedReason", "Reason"),
                                            F(ringinuse, "Ringinuse")};

static const struct table_field agent[] = {CALLER, F(agent, "Agent"), F(logintime, "Logintime"),
                                           F(exten, "Loginchan")};
static const struct table_field listed_agent[] = {CALLER, F(agent, "Agent"), F(name, "Name"),
                                                  F(status, "Status"), F(other, "TalkingToChan")};
/* Before 12 AgentConnect, AgentComplete and AgentDump have the member's channel as Channel and the
 * caller's Uniqueid as Uniqueid. */
#define SERVED                                                                                     \
    F(queue, "Queue"), F2(name, "MemberName", "AgentName"), F(holdtime, "HoldTime"),               \
        F(talktime, "TalkTime"), F(reason, "Reason")
static const struct table_field served_old[] = {SERVED,
                                                F2(member, "Member", "Interface"),
                                                F(destination, "Channel"),
                                                F(dest_uniqueid, "BridgedChannel"),
                                                F(uniqueid, "Uniqueid"),
                                                F(ringtime, "Ringtime")};
static const struct table_field served[] = {SERVED, CALLER, DESTINATION, F(member, "Interface"),
                                            F(ringtime, "RingTime")};
static const struct table_field called_old[] = {
    SERVED,
    F(member, "AgentCalled"),
    F(channel, "ChannelCalling"),
    F(uniqueid, "Uniqueid"),
    F(callerid_num, "CallerIDNum"),
    F(callerid_name, "CallerIDName"),
    F(destination, "DestinationChannel"),
};
static const struct table_field not_answered[] = {
    SERVED, CALLER, DESTINATION, F2(member, "Interface", "Member"), F(ringtime_ms, "RingTime")};

static const struct table_field meetme[] = {CALLER, F2(room, "Meetme", "Conference"),
                                            F2(usernum, "Usernum", "User"), F(admin, "Admin"),
                                            F(pseudochan, "PseudoChan")};
static const struct table_field meetme_listed[] = {CALLER,
                                                   F(room, "Conference"),
                                                   F(usernum, "UserNumber"),
                                                   F(admin, "Admin"),
                                                   F(muted, "Muted"),
                                                   F(talking, "Talking")};
#define ROOM                                                                                       \
    CALLER, F2(room, "Meetme", "Conference"), F2(usernum, "Usernum", "User"),                      \
        F(duration, "Duration")
static const struct table_field meetme_muted[] = {ROOM, F(muted, "Status")};
static const struct table_field meetme_talking[] = {ROOM, F(talking, "Status")};
static const struct table_field meetme_paused[] = {ROOM, F(paused, "Status")};
static const struct table_field room[] = {ROOM, F(admin, "Admin"), F(muted, "Muted"),
                                          F(talking, "TalkingStatus")};
static const struct table_field confbridge_listed[] = {
    CALLER, F(room, "Conference"), F(admin, "Admin"), F(muted, "Muted"), F(talking, "Talking")};

#define PARKEE                                                                                     \
    F2(channel, "ParkeeChannel", "Channel"), F2(uniqueid, "ParkeeUniqueid", "Uniqueid"),           \
        F(linkedid, "ParkeeLinkedid"), F2(callerid_num, "ParkeeCallerIDNum", "CallerIDNum"),       \
        F2(callerid_name, "ParkeeCallerIDName", "CallerIDName"), F(lot, "Parkinglot"),             \
        F2(space, "ParkingSpace", "Exten"), F2(timeout, "ParkingTimeout", "Timeout"),              \
        F2(duration, "ParkingDuration", "Duration")
static const struct table_field parked[] = {PARKEE, F2(parker, "ParkerDialString", "From")};
static const struct table_field unparked[] = {PARKEE, F(parker, "ParkerDialString"),
                                              F2(retriever, "RetrieverChannel", "From")};

static const struct table_field waiting[] = {F(mailbox, "Mailbox"), F(waiting, "Waiting"),
                                             F(new_count, "New"), F(old_count, "Old")};
static const struct table_field listed_mailbox[] = {
    F(mailbox, "VoiceMailbox"), F(context, "VMContext"), F(new_count, "NewMessageCount"),
    F(old_count, "OldMessageCount")};
static const struct table_field counted_mailbox[] = {
    F(mailbox, "Mailbox"), F(new_count, "NewMessages"), F(old_count, "OldMessages")};

static const struct table_field user[] = {F(channel, "Channel"), F(uniqueid, "Uniqueid"),
                                          F(name, "UserEvent")};
static const struct table_field fax[] = {F(channel, "Channel"),
                                         F(uniqueid, "Uniqueid"),
                                         F(linkedid, "Linkedid"),
                                         F2(callerid_num, "CallerIDNum", "CallerID"),
                                         F(callerid_name, "CallerIDName"),
                                         F(status, "Status"),
                                         F(station, "RemoteStationID"),
                                         F(pages, "PagesTransferred"),
                                         F(file, "FileName"),
                                         F(kind, "Operation")};

/* ---- the rows ---- */

/* One row a line. */
/* clang-format off */
#define ROW(event_, tel_, rule_, fields_, ...) \
    {.event = H(event_), .tel = TEL_##tel_, .rule = RULE_##rule_, .fields = fields_, .n_fields = ARRAY_SIZE(fields_), __VA_ARGS__}
#define IF(header, value) .when = H(header), .is = H(value)
#define NUM(field, n) .fixed = TELF_##field + 1, .num = n
#define WORD(field, s) .fixed = TELF_##field + 1, .word = H(s)

const struct table_row table[] = {
    /* channels */
    ROW("Newchannel", channel_new, PLAIN, channel, ),
    ROW("Newstate", channel_state, PLAIN, channel, ),
    ROW("NewCallerid", channel_callerid, PLAIN, channel, ),
    ROW("NewConnectedLine", channel_connected, PLAIN, channel, ), /* 12 and later */
    ROW("Newexten", channel_exten, PLAIN, step, IF("Application", "AGI")),
    ROW("Newexten", channel_exten, PLAIN, step, IF("Application", "EAGI")),
    ROW("Newexten", channel_exten, PLAIN, step, IF("Application", "DeadAGI")),
    ROW("Rename", channel_rename, RENAME, rename_fields, ),
    ROW("Hangup", channel_hangup, HANGUP, hangup, ),
    ROW("Hold", channel_hold, HOLD, channel, IF("Status", "On")), /* before 12 */
    ROW("Hold", channel_unhold, HOLD, channel, IF("Status", "Off")),
    ROW("Hold", channel_hold, PLAIN, channel, ), /* 12 and later */
    ROW("Unhold", channel_unhold, PLAIN, channel, ),
    ROW("MusicOnHold", channel_hold, MUSIC, channel, IF("State", "Start")), /* before 12 */
    ROW("MusicOnHold", channel_unhold, MUSIC, channel, IF("State", "Stop")),
    ROW("MonitorStart", channel_monitor, PLAIN, monitor, NUM(on, 1)),
    ROW("MonitorStop", channel_monitor, PLAIN, monitor, NUM(on, 0)),
    ROW("MixMonitorStart", channel_monitor, PLAIN, monitor, NUM(on, 1)),
    ROW("MixMonitorStop", channel_monitor, PLAIN, monitor, NUM(on, 0)),
    ROW("MixMonitorMute", channel_monitor, PLAIN, monitor, NUM(on, 1)),
    ROW("ChanSpyStart", channel_spy, PLAIN, spy, NUM(on, 1)),
    ROW("ChanSpyStop", channel_spy, PLAIN, spy, NUM(on, 0)),
    ROW("VarSet", channel_variable, VARIABLE, variable, ),
    ROW("Getvar", channel_variable, VARIABLE, variable, ), /* the answer to the action */

    /* calls */
    ROW("Dial", dial_begin, PLAIN, dial_old, IF("SubEvent", "Begin")), /* before 12 */
    ROW("Dial", dial_end, PLAIN, dial_old, IF("SubEvent", "End")),
    ROW("DialBegin", dial_begin, PLAIN, dial_new, ), /* 12 and later */
    ROW("DialState", dial_state, PLAIN, dial_new, ),
    ROW("DialEnd", dial_end, PLAIN, dial_new, ),
    ROW("Bridge", call_link, LINK, link_old, IF("Bridgestate", "Link")),       /* 1.8, 11 */
    ROW("Bridge", call_unlink, UNLINK, link_old, IF("Bridgestate", "Unlink")), /* 11 */
    ROW("Unlink", call_unlink, UNLINK, link_old, ),                            /* 1.8 */
    ROW("Link", call_link, LINK, link_old, ),                                  /* before 1.8 */
    ROW("BridgeCreate", bridge_create, BRIDGE_CREATE, bridge, ),               /* 12 and later */
    ROW("BridgeEnter", bridge_enter, BRIDGE_ENTER, bridge, ),
    ROW("BridgeLeave", bridge_leave, BRIDGE_LEAVE, bridge, ),
    ROW("BridgeDestroy", bridge_destroy, BRIDGE_DESTROY, bridge, ),
    ROW("BridgeMerge", bridge_merge, PLAIN, merge, ),
    ROW("Transfer", call_transfer, PLAIN, attended_old, IF("TransferType", "Attended"), WORD(kind, "attended")), /* before 12 */
    ROW("Transfer", call_transfer, PLAIN, transfer_old, WORD(kind, "blind")),
    ROW("BlindTransfer", call_transfer, PLAIN, blind, WORD(kind, "blind")), /* 12 and later */
    ROW("AttendedTransfer", call_transfer, PLAIN, attended, WORD(kind, "attended")),
    ROW("LocalBridge", local_optimized, PLAIN, halves, WORD(status, "bridge")), /* 11 and later */
    ROW("LocalOptimizationBegin", local_optimized, PLAIN, halves, WORD(status, "begin")),
    ROW("LocalOptimizationEnd", local_optimized, PLAIN, halves, WORD(status, "end")),
    ROW("OriginateResponse", originate_response, PLAIN, originate, ),

    /* devices */
    ROW("ExtensionStatus", device_hint, PLAIN, hint, ),
    ROW("DeviceStateChange", device_hint, DEVICE, device, ),
    ROW("PresenceStateChange", device_custom, PLAIN, presence, ), /* 12 and later */
    ROW("PeerStatus", device_registration, PEER, peer, ),
    ROW("ContactStatus", device_registration, CONTACT, contact, ),
    ROW("Registry", trunk_registration, REGISTRY, registry, ),

    /* queues */
    ROW("Join", queue_join, PLAIN, queue, ), /* before 12 */
    ROW("Leave", queue_leave, PLAIN, queue, ),
    ROW("QueueCallerJoin", queue_join, PLAIN, queue, ), /* 12 and later */
    ROW("QueueCallerLeave", queue_leave, PLAIN, queue, ),
    ROW("QueueCallerAbandon", queue_abandon, PLAIN, queue, ),
    ROW("QueueMemberStatus", member_status, PLAIN, member, ),
    ROW("QueueMemberPenalty", member_status, PLAIN, member, ),
    ROW("QueueMemberRinginuse", member_status, PLAIN, member, ),
    ROW("QueueMemberAdded", member_added, PLAIN, member, ),
    ROW("QueueMemberRemoved", member_removed, PLAIN, member, ),
    ROW("QueueMemberPaused", member_paused, PAUSED, member, ), /* before 12 */
    ROW("QueueMemberPause", member_paused, PLAIN, member, ),
    ROW("AgentCalled", agent_called, PLAIN, served, IF("DestChannel", "")), /* 12 and later */
    ROW("AgentCalled", agent_called, PLAIN, called_old, ),
    ROW("AgentConnect", agent_connect, PLAIN, served, IF("DestChannel", "")),
    ROW("AgentConnect", agent_connect, PLAIN, served_old, ),
    ROW("AgentComplete", agent_complete, PLAIN, served, IF("DestChannel", "")),
    ROW("AgentComplete", agent_complete, PLAIN, served_old, ),
    ROW("AgentDump", agent_dump, PLAIN, served, IF("DestChannel", "")),
    ROW("AgentDump", agent_dump, PLAIN, served_old, ),
    ROW("AgentRingNoAnswer", agent_ringnoanswer, PLAIN, not_answered, ),
    ROW("Agentlogin", agent_login, PLAIN, agent, ), /* before 12 */
    ROW("Agentlogoff", agent_logoff, PLAIN, agent, ),
    ROW("Agentcallbacklogin", agent_login, PLAIN, agent, ), /* XiVO's Asterisks */
    ROW("Agentcallbacklogoff", agent_logoff, PLAIN, agent, ),
    ROW("AgentLogin", agent_login, PLAIN, agent, ), /* 12 and later */
    ROW("AgentLogoff", agent_logoff, PLAIN, agent, ),

    /* conferences */
    ROW("MeetmeJoin", conference_join, MEETME, meetme, WORD(application, "MeetMe")),
    ROW("MeetmeLeave", conference_leave, PLAIN, room, ),
    ROW("MeetmeMute", conference_mute, PLAIN, meetme_muted, ),
    ROW("MeetmeTalking", conference_talk, PLAIN, meetme_talking, ),
    ROW("MeetmeNoAuthed", conference_auth, MEETME, meetme, ), /* XiVO's Asterisks */
    ROW("MeetmePause", conference_pause, PLAIN, meetme_paused, ),
    ROW("MeetmeEnd", conference_end, PLAIN, room, ),
    ROW("ConfbridgeStart", conference_start, PLAIN, room, ),
    ROW("ConfbridgeJoin", conference_join, PLAIN, room, WORD(application, "ConfBridge")),
    ROW("ConfbridgeLeave", conference_leave, PLAIN, room, ),
    ROW("ConfbridgeMute", conference_mute, PLAIN, room, NUM(muted, 1)),
    ROW("ConfbridgeUnmute", conference_mute, PLAIN, room, NUM(muted, 0)),
    ROW("ConfbridgeTalking", conference_talk, PLAIN, room, ),
    ROW("ConfbridgeRecord", conference_record, PLAIN, room, NUM(on, 1)),
    ROW("ConfbridgeStopRecord", conference_record, PLAIN, room, NUM(on, 0)),
    ROW("ConfbridgeLock", conference_lock, PLAIN, room, NUM(on, 1)),
    ROW("ConfbridgeUnlock", conference_lock, PLAIN, room, NUM(on, 0)),
    ROW("ConfbridgeEnd", conference_end, PLAIN, room, ),

    /* parking, voicemail, the dialplan's own, fax */
    ROW("ParkedCall", parking_parked, PARKED, parked, ),
    ROW("UnParkedCall", parking_unparked, PLAIN, unparked, ),
    ROW("ParkedCallTimeOut", parking_timeout, PARKED, parked, ),
    ROW("ParkedCallGiveUp", parking_giveup, PARKED, parked, ),
    ROW("ParkedCallSwap", parking_swap, PARKED, parked, ),
    ROW("MessageWaiting", voicemail_waiting, WAITING, waiting, ),
    ROW("MailboxCount", voicemail_waiting, MAILBOX, counted_mailbox, ), /* the answer to the action */
    ROW("UserEvent", user_event, USER_EVENT, user, ),
    ROW("FaxSent", fax_sent, PLAIN, fax, ), /* before 12 */
    ROW("FaxReceived", fax_received, PLAIN, fax, ),
    ROW("SendFAXStatus", fax_status, PLAIN, fax, WORD(kind, "send")),
    ROW("ReceiveFAXStatus", fax_status, PLAIN, fax, WORD(kind, "receive")),
    ROW("SendFAX", fax_sent, PLAIN, fax, ),
    ROW("ReceiveFAX", fax_received, PLAIN, fax, ),
    ROW("FAXStatus", fax_status, PLAIN, fax, ),

    /* in answers to listings only */
    ROW("CoreShowChannel", channel_new, LISTED_CHANNEL, channel, ),
    ROW("QueueParams", queue_params, PLAIN, queue_params, ),
    ROW("QueueMember", member_status, PLAIN, member, ),
    ROW("QueueEntry", queue_entry, PLAIN, queue, ),
    ROW("QueueSummary", queue_summary, PLAIN, queue_summary, ),
    ROW("Agents", agent_logoff, LISTED_AGENT, listed_agent, IF("Status", "AGENT_LOGGEDOFF")),
    ROW("Agents", agent_login, LISTED_AGENT, listed_agent, ),
    ROW("MeetmeList", conference_join, MEETME, meetme_listed, WORD(application, "MeetMe")),
    ROW("ConfbridgeList", conference_join, PLAIN, confbridge_listed, WORD(application, "ConfBridge")),
    ROW("VoicemailUserEntry", voicemail_waiting, MAILBOX, listed_mailbox, ),
    ROW("PeerEntry", device_registration, LISTED_PEER, listed_peer, ),
    ROW("EndpointList", device_registration, LISTED_ENDPOINT, endpoint, ),
    ROW("RegistryEntry", trunk_registration, REGISTRY, listed_registry, ), /* chan_sip and chan_iax2 */
    ROW("OutboundRegistrationDetail", trunk_registration, REGISTRY, registration, WORD(peer, "PJSIP")),
};
/* clang-format on */

const size_t table_size = ARRAY_SIZE(table);

bool table_is_first(size_t row)
{
    return row == 0 || !view_eq(table[row - 1].event, table[row].event);
}
