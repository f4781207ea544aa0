/* What clients of 2015 and later ask of people: one answer of rows, from the user's own contacts
 * and from the directories. */
#ifndef CTIBUS_STATE_PEOPLE_SEARCH_H
#define CTIBUS_STATE_PEOPLE_SEARCH_H

#include "core/deferred_reply.h"
#include "sessions/sessions.h"

enum people_scope {
    PEOPLE_ALL,       /* whom the text fits, in the directories and among the own contacts */
    PEOPLE_FAVORITES, /* the favorites among them */
    PEOPLE_CONTACTS,  /* own contacts only */
};

/* Answers l with the columns and the rows, and with `term`, the text, if it is a search for
 * something. text is copied. */
void people_search(struct state *s, const struct session *se, struct deferred_reply *l,
                   enum people_scope scope, struct view text);

#endif
