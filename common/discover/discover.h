/*
 * What an Asterisk itself says of its phones, queues, agents, conference rooms, parking lots,
 * mailboxes and trunks, as lists in the form of XiVO's web services: for a site that has none of
 * these lists elsewhere.
 *
 * Pure: it says what is to be asked of AMI, takes the answers, and gives the lists. walk.h drives
 * it over a link. The facts about AMI (which action lists what, and its fields) are those of
 * tests/data/ami and of docs/asterisk.md.
 */
#ifndef CTIBUS_DISCOVER_DISCOVER_H
#define CTIBUS_DISCOVER_DISCOVER_H

#include <json-c/json.h>

#include "ami/ami.h"

/* Of each kind so many are taken; the others are left out, and discovery_dropped counts them. */
#define DISCOVERY_MAX 65536

struct discovery;
/* charset: how texts that are not UTF-8 are read. NULL without memory. */
struct discovery *discovery_new(enum ami_charset charset);
void discovery_destroy(struct discovery **d);

/* One action to send: its name, and one header where `header` is not NULL. The views live until the
 * next call. */
struct discovery_ask {
    struct view action;
    const char *header;
    struct view value;
    bool is_list; /* events follow its Response, up to the Complete */
    size_t step;  /* for discovery_answered */
};
/* The next action. False: there is none until those under way have been answered, or at all. */
bool discovery_next(struct discovery *d, struct discovery_ask *ask);
/* An event of a list, or the Response of an action that is no list. */
void discovery_take(struct discovery *d, const struct ami_block *b);
/* The action of this step was answered: well, or refused with `message`. Each that was given by
 * discovery_next must be answered once. */
void discovery_answered(struct discovery *d, size_t step, bool good, struct view message);

/* How far it is: actions answered, and those that are known to be needed. */
size_t discovery_done(const struct discovery *d);
size_t discovery_total(const struct discovery *d);

/* An action that was refused and matters: what is missing without it ("the context and caller id of
 * PJSIP endpoints"), which permissions of manager.conf's `read` or `write` it needs
 * ("system,reporting"), and what Asterisk said. Actions that this Asterisk does not have (other
 * drivers) are not among them. False: there are no more. */
struct discovery_refusal {
    const char *action, *missing, *permission;
    struct view message;
};
bool discovery_refusal(const struct discovery *d, size_t n, struct discovery_refusal *out);

/* Were the actions answered of which this list is made? While Asterisk starts, modules are missing,
 * and a permission may be taken away: what a list then has not need not be gone. */
bool discovery_is_complete(const struct discovery *d, const char *list);

size_t discovery_dropped(const struct discovery *d);

/* Did this Asterisk answer that it has no such action, so that the module is missing? */
bool discovery_lacks(const struct discovery *d, const char *action);
/* Is it a FreePBX, or made after it? Known by the contexts of its phones and hints, and by the
 * members of its queues, which every manager user may see. */
bool discovery_is_freepbx(const struct discovery *d);
/* Where a manager user is given rights: "manager.conf", which on FreePBX is made by a page of its
 * web interface; and what makes Asterisk read it. Static; manager.c. */
struct discovery_manager {
    const char *place, *then;
};
const struct discovery_manager *discovery_manager(bool is_freepbx);

/* The hints of the dialplan by EXTEN@CONTEXT: objects with exten, context and devices
 * ("PJSIP/1001&Custom:DND1001"). Borrowed. */
struct json_object *discovery_hints(const struct discovery *d);

/* The lists, by the names of `urllists` without "urllist_": users, lines, trunks, queues, agents,
 * meetmes, voicemails, parkinglot; each an array of objects in a fixed order, so that two
 * discoveries of the same Asterisk give the same text. Ids: users and mailboxes NUMBER@CONTEXT,
 * phones and trunks DRIVER-NAME (pjsip-1001), queues, rooms and lots their name, agents their
 * number. For the caller to put; NULL without memory: then not a part of them is given. */
struct json_object *discovery_lists(const struct discovery *d);

#endif
