/* Where the devices of a line are registered: a PJSIP endpoint may have several contacts, a line of
 * chan-sccp several telephones, and it is as good as the best of them. */
#ifndef CTIBUS_AMI_GW_CONTACTS_H
#define CTIBUS_AMI_GW_CONTACTS_H

#include "base/view.h"

enum contact_state { CONTACT_GONE, CONTACT_AWAY, CONTACT_THERE };

struct contacts;
struct contacts *contacts_new(void); /* NULL without memory */
void contacts_destroy(struct contacts **c);
void contacts_clear(struct contacts *c);

/* One contact of a line is registered and answers (THERE), is registered and does not (AWAY), or is
 * no longer registered (GONE). Of one line 32 are kept, of all 131,072. False: it was not kept, or
 * one that is GONE was not known. */
bool contacts_set(struct contacts *c, struct view line, struct view contact,
                  enum contact_state state);
/* None of a line's contacts answers. */
void contacts_all_away(struct contacts *c, struct view line);
bool contacts_has(const struct contacts *c, struct view line, struct view contact);
/* The state of the line, and its best contact, of several the one that came to be so last; the view
 * lives until the next change. CONTACT_GONE: none is known. */
enum contact_state contacts_best(const struct contacts *c, struct view line, struct view *contact);

#endif
