/* Private to the translator: its memory, and one function for each rule of the table. */
#ifndef CTIBUS_AMI_GW_RULES_H
#define CTIBUS_AMI_GW_RULES_H

#include "base/map.h"
#include "bridges.h"
#include "call_links.h"
#include "contacts.h"
#include "table.h"
#include "translate.h"

struct translator {
    translate_fn *emit;
    void *arg;
    struct map *rows; /* event -> its first row */
    struct bridges *bridges;
    struct call_links *pairs;
    struct contacts *contacts;
    bool resync; /* the block is from a listing */
};

/* A rule gets the event with the fields that its row copied, completes and tells it, or not. */
typedef void rule_fn(struct translator *t, const struct table_row *row, const struct ami_block *b,
                     struct tel_out *o);

/* translate.c */
void rule_plain(struct translator *t, const struct table_row *row, const struct ami_block *b,
                struct tel_out *o);
/* Hands an event to the owner, marked if it is from a listing. */
void translator_emit(struct translator *t, struct tel_out *o);
/* Is this one of the ways in which Asterisks say that they do not know? The empty view, too. */
bool is_unknown(struct view v);
/* Is it a way to say yes? */
bool is_true(struct view v);
/* Sets a field unless the value is unknown. */
void tel_out_put_known(struct tel_out *o, enum tel_field f, struct view v);

/* rules_bridges.c: Asterisk 12 and later */
rule_fn rule_bridge_create, rule_bridge_enter, rule_bridge_leave, rule_bridge_destroy;
/* Whatever comes of a channel that enters or leaves: *o has channel, uniqueid and bridge. */
void bridge_entered(struct translator *t, struct bridge *br, struct tel_out *o);
void bridge_left(struct translator *t, struct bridge *br, struct tel_out *o);
/* The same where Asterisk did not tell of it. `channel` must not be of the member itself. */
void bridge_leave_untold(struct translator *t, struct bridge *br, struct view channel);

/* rules_calls.c */
rule_fn rule_link, rule_unlink, rule_hold, rule_music, rule_rename, rule_hangup;
rule_fn rule_listed_channel;
/* Tells the ends of calls that were held back: of this channel, or (empty) all. */
void release_unlinks(struct translator *t, struct view channel);
/* call/link or call/unlink. */
void emit_pair(struct translator *t, enum tel_event ev, struct view channel, struct view uniqueid,
               struct view other, struct view other_uniqueid);

/* rules_devices.c */
rule_fn rule_device, rule_peer, rule_contact, rule_listed_peer, rule_listed_endpoint, rule_registry;

/* rules_services.c */
rule_fn rule_variable, rule_listed_agent, rule_meetme, rule_paused, rule_parked, rule_waiting,
    rule_mailbox, rule_user_event;

#endif
