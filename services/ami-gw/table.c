#include "table.h"

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
#define FIELDS(list) list, sizeof(list) / sizeof(list[0])

/* Header names are compared without case: UniqueID and Uniqueid are one. */
#define CHANNEL_BLOCK                                                                              \
    F(channel, "Channel"), F(uniqueid, "Uniqueid"), F(linkedid, "Linkedid"),                       \
        F(state, "ChannelState"), F(callerid_num, "CallerIDNum"),                                  \
        F(callerid_name, "CallerIDName"), F(connected_num, "ConnectedLineNum"),                    \
        F(connected_name, "ConnectedLineName"), F(context, "Context"),                             \
        F2(exten, "Exten", "Extension")

static const struct table_field channel[] = {CHANNEL_BLOCK};
static const struct table_field hangup[] = {CHANNEL_BLOCK, F(cause, "Cause"),
                                            F(cause_text, "Cause-txt")};
static const struct table_field rename_fields[] = {F(old, "Channel"), F(new_name, "Newname"),
                                                   F(uniqueid, "Uniqueid")};
static const struct table_field dial_old[] = {
    F(channel, "Channel"),          F(uniqueid, "UniqueID"),
    F(destination, "Destination"),  F(dest_uniqueid, "DestUniqueID"),
    F(callerid_num, "CallerIDNum"), F(callerid_name, "CallerIDName"),
    F(status, "DialStatus")};
static const struct table_field dial_new[] = {F(channel, "Channel"),
                                              F(uniqueid, "Uniqueid"),
                                              F(linkedid, "Linkedid"),
                                              F(destination, "DestChannel"),
                                              F(dest_uniqueid, "DestUniqueid"),
                                              F(callerid_num, "CallerIDNum"),
                                              F(callerid_name, "CallerIDName"),
                                              F(dest_callerid_num, "DestCallerIDNum"),
                                              F(dest_callerid_name, "DestCallerIDName"),
                                              F(status, "DialStatus")};
static const struct table_field link_old[] = {F(channel, "Channel1"), F(uniqueid, "Uniqueid1"),
                                              F(other, "Channel2"), F(other_uniqueid, "Uniqueid2")};
static const struct table_field bridge[] = {F(bridge, "BridgeUniqueid"),
                                            F(count, "BridgeNumChannels"), F(channel, "Channel"),
                                            F(uniqueid, "Uniqueid"), F(linkedid, "Linkedid")};
static const struct table_field hint[] = {F(exten, "Exten"), F(context, "Context"), F(hint, "Hint"),
                                          F(status, "Status")};
static const struct table_field device[] = {F(hint, "Device"), F(status, "State")};
static const struct table_field peer[] = {F(peer, "Peer"), F(status, "PeerStatus"),
                                          F(address, "Address")};
static const struct table_field contact[] = {F(peer, "EndpointName"), F(status, "ContactStatus"),
                                             F(address, "URI")};

/* clang-format off: one row a line */
#define ROW(event, tel, rule, fields)                                                              \
    {                                                                                              \
        H(event), NONE, NONE, TEL_##tel, RULE_##rule, FIELDS(fields)                               \
    }
#define ROW_IF(event, when, is, tel, rule, fields)                                                 \
    {                                                                                              \
        H(event), H(when), H(is), TEL_##tel, RULE_##rule, FIELDS(fields)                           \
    }

const struct table_row table[] = {
    ROW("Newchannel", channel_new, PLAIN, channel),
    ROW("Newstate", channel_state, PLAIN, channel),
    ROW("NewCallerid", channel_callerid, PLAIN, channel),
    ROW("NewConnectedLine", channel_connected, PLAIN, channel),
    ROW("Rename", channel_rename, RENAME, rename_fields),
    ROW("Hangup", channel_hangup, PLAIN, hangup),
    ROW_IF("Hold", "Status", "On", channel_hold, PLAIN, channel), /* 1.8, 11 */
    ROW_IF("Hold", "Status", "Off", channel_unhold, PLAIN, channel),
    ROW("Hold", channel_hold, PLAIN, channel), /* 12 and later */
    ROW("Unhold", channel_unhold, PLAIN, channel),

    ROW_IF("Dial", "SubEvent", "Begin", dial_begin, PLAIN, dial_old), /* 1.8, 11 */
    ROW_IF("Dial", "SubEvent", "End", dial_end, PLAIN, dial_old),
    ROW("DialBegin", dial_begin, PLAIN, dial_new), /* 12 and later */
    ROW("DialState", dial_state, PLAIN, dial_new),
    ROW("DialEnd", dial_end, PLAIN, dial_new),

    ROW_IF("Bridge", "Bridgestate", "Link", call_link, PLAIN, link_old),     /* 1.8, 11 */
    ROW_IF("Bridge", "Bridgestate", "Unlink", call_unlink, PLAIN, link_old), /* 11 */
    ROW("Unlink", call_unlink, PLAIN, link_old),                             /* 1.8 */
    ROW("Link", call_link, PLAIN, link_old),                                 /* before 1.8 */
    ROW("BridgeEnter", bridge_enter, BRIDGE_ENTER, bridge),                  /* 12 and later */
    ROW("BridgeLeave", bridge_leave, BRIDGE_LEAVE, bridge),
    ROW("BridgeDestroy", bridge_destroy, BRIDGE_DESTROY, bridge),

    ROW("ExtensionStatus", device_hint, PLAIN, hint),
    ROW("DeviceStateChange", device_hint, DEVICE, device),
    ROW("PeerStatus", device_registration, PLAIN, peer),
    ROW("ContactStatus", device_registration, CONTACT, contact),

    /* In answers to listings only. */
    ROW("CoreShowChannel", channel_new, LISTED_CHANNEL, channel),
};
/* clang-format on */

const size_t table_size = sizeof(table) / sizeof(table[0]);

bool table_is_first(size_t row)
{
    return row == 0 || !view_eq(table[row - 1].event, table[row].event);
}
