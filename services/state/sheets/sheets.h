/*
 * Sheets: what is shown to users when something happens to a call (screen pops).
 *
 *   rules.c       what the configuration says: which sheets are sent when
 *   forms.c       forms that it names
 *   call.c        calls: what is known of each, whom it has reached
 *   events.c      what an event of the domain means for sheets
 *   user_events.c the same of what the dialplan says
 *   values.c      the values that formats name
 *   recipients.c  who gets a sheet
 *   reverse.c     waiting for directories
 *   programs.c, program_wait.c   programs on the bus that are asked, and waiting for them
 *   format.c, xml.c, sheet.c   how it looks
 *   viewers.c     who has got which sheet
 *   resend.c      sheets that a console asks for
 *   sheets.c      all of it
 */
#ifndef CTIBUS_STATE_SHEETS_SHEETS_H
#define CTIBUS_STATE_SHEETS_SHEETS_H

#include "core/context.h"
#include "model/model.h"
#include "model/tel.h"
#include "sheets/viewers.h"

struct sheets;

/* Reads the configuration of `s` whenever it is needed. NULL without memory. */
struct sheets *sheets_new(struct state *s);
/* To be called after directories_destroy and bus_server_destroy: sheets that wait for directories
 * and for programs are sent by those. */
void sheets_destroy(struct sheets **sh);
/* Reads the files that the configuration names, anew. */
void sheets_load(struct sheets *sh);
/* The domain has applied this event, and the store is committed: sends what is to be sent. */
void sheets_event(struct sheets *sh, struct ipbx_model *d, const struct tel *t);
/* Sends the sheets of an event for a channel, whatever has been sent of its call before: to who has
 * got a sheet of it, or (nobody has) to who is called, as far as the event's conditions let them.
 * How many users that may reach; -ENOENT: there is no such channel; -ESRCH: the event has no
 * sheets. */
int sheets_resend(struct sheets *sh, struct ipbx_model *d, const char *event, struct view channel,
                  double now);
/* The request worker.register with kind sheet: answered. */
void sheets_register(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void sheets_peer_gone(struct sheets *sh, const struct bus_peer *p);
/* Who has got which. */
const struct viewers *sheets_viewers(const struct sheets *sh);

#endif
