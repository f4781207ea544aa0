/* Something happened to a call: what the parts of sheets/ tell each other. */
#ifndef CTIBUS_STATE_SHEETS_TRIGGER_H
#define CTIBUS_STATE_SHEETS_TRIGGER_H

#include "core/context.h"
#include "model/tel.h"
#include "sheets/call.h"
#include "sheets/forms.h"
#include "sheets/sheets.h"

#define MAX_USERS 256 /* who are called at once: the others are left out */

struct sheets {
    struct state *state;
    struct calls *calls;
    struct forms *forms;
    struct viewers *viewers;
    struct pictures *pictures;
    struct programs *programs;
    struct metric *sent;
};

enum sheet_trigger_often {
    ONCE,      /* to a user of a call; to all once */
    EACH_RING, /* each time to who is called; to all once */
    EACH_TIME
};

/* Something happened to a call. All of it is borrowed. */
struct sheet_trigger {
    struct ipbx_model *d;
    const char *event; /* as the configuration names it */
    double time;       /* seconds since 1970 */
    struct call *call; /* NULL: none that is known */
    /* who is called */
    const struct xod_obj *users[MAX_USERS];
    size_t n_users;
    const struct xod_obj *agent; /* who is called as one; NULL: as what the first user is */
    enum sheet_trigger_often often;
    /* of a UserEvent that names no call: what clients know the sheet by */
    struct view channel;
    struct json_object
        *dp; /* variables of this sheet alone, beside those of the call; NULL: none */
};

/* Adds who is called; once, NULL is nobody. */
void sheet_trigger_add(struct sheet_trigger *o, const struct xod_obj *user);

/* ---- sheets.c ---- */
/* Sends the sheets of the event. */
void sheets_happened(struct sheets *sh, const struct sheet_trigger *o);

/* ---- values.c ---- */
/* Takes from the channel that called what sheets show of it; it may be gone when they are sent. */
void values_learn(struct call *call, const struct xod_obj *channel);
/* The families of values for an sheet_trigger. The caller puts it; NULL without memory. */
struct json_object *values_of(const struct sheet_trigger *o);

/* ---- events.c ---- */
/* The call that `channel` is of, be it behind Local channels; made if there is none yet. NULL:
 * there is no such channel. */
struct call *event_call(struct sheets *sh, struct ipbx_model *d, const struct xod_obj *channel);
/* The same by what an event says: Uniqueid, or name. */
struct call *event_call_named(struct sheets *sh, struct ipbx_model *d, struct view uniqueid,
                              struct view name);
/* A call that came from outside goes on to `user` (NULL: not known yet). */
void event_incoming(struct sheets *sh, struct ipbx_model *d, struct call *call,
                    const struct xod_obj *user, double time);

/* ---- user_events.c ---- */
void user_event(struct sheets *sh, struct ipbx_model *d, const struct tel *t);

#endif
