/*
 * From AMI events to the canonical vocabulary, as data: one row a mapping. A new Asterisk needs a
 * new row, not new code. Which dialect an event belongs to shows by its name and headers, never by
 * the version in the banner (Asterisk 13 mixes both).
 */
#ifndef CTIBUS_AMI_GW_TABLE_H
#define CTIBUS_AMI_GW_TABLE_H

#include "ami/ami.h"
#include "schema/schema.h"

/* One field of the canonical event: the first of the headers that is there. */
struct table_field {
    uint8_t field; /* enum tel_field */
    struct view header;
    struct view other; /* empty: none */
};

/* What has to be done beside copying fields. Each is a function in rules.h. */
enum table_rule {
    RULE_PLAIN,
    RULE_BRIDGE_CREATE,
    RULE_BRIDGE_ENTER,
    RULE_BRIDGE_LEAVE,
    RULE_BRIDGE_DESTROY,
    RULE_LINK,   /* Asterisk before 12: two channels talk */
    RULE_UNLINK, /* they no longer do, or only for a feature digit */
    RULE_HOLD,   /* Asterisk before 12: Hold is only told where sip.conf says so */
    RULE_MUSIC,  /* ...and then the music that the other hears tells */
    RULE_RENAME,
    RULE_HANGUP,
    RULE_LISTED_CHANNEL,
    RULE_VARIABLE, /* those of XiVO only */
    RULE_DEVICE,   /* DeviceState words -> the numbers of hints */
    RULE_PEER,     /* PJSIP: the contacts of an endpoint; chan-sccp's lines */
    RULE_CONTACT,  /* endpoint name -> PJSIP/name, as good as its best contact */
    RULE_LISTED_PEER,
    RULE_LISTED_ENDPOINT,
    RULE_REGISTRY,
    RULE_LISTED_AGENT,
    RULE_MEETME, /* XiVO's Asterisks say NoAuthed, we authed */
    RULE_PAUSED, /* before 12: a pause without a reason has no Reason */
    RULE_PARKED,
    RULE_WAITING, /* box -> box@default */
    RULE_MAILBOX, /* box and context -> box@context; counts -> waiting */
    RULE_USER_EVENT,
    RULE_COUNT
};

struct table_row {
    struct view event;
    struct view when, is; /* only if this header has this value; empty `when`: always */
    enum tel_event tel;
    enum table_rule rule;
    const struct table_field *fields;
    size_t n_fields;
    int fixed; /* a field that this row sets by itself: enum tel_field + 1; 0: none */
    struct view word;
    int64_t num;
};

extern const struct table_row table[];
extern const size_t table_size;

/* The first row of an event name; the others of that name follow it. For building an index. */
bool table_is_first(size_t row);

#endif
