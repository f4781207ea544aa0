/* Looks people up in the directories of a user's context, by a part of the name, or by the number
 * where the text looks like one. */
#ifndef CTIBUS_STATE_PEOPLE_FIND_H
#define CTIBUS_STATE_PEOPLE_FIND_H

#include "core/context.h"
#include "directory/directory.h"

/* Somebody who was found. All of it is borrowed. */
struct person {
    const struct directory *dir; /* NULL: the entry knows the fields of displays by itself */
    const struct entry *entry;
    struct view source, id; /* directory/identity.h */
    bool favorite;
    const struct xod_obj *user, *line, *agent; /* NULL: it is none of ours, or hidden */
};
/* False: no more are wanted of this directory. A user comes once with each phone, the main line
 * first. Somebody may come twice. */
typedef bool people_found_fn(void *arg, const struct person *p);

/* Calls found for each, and end once (directory.h). A context that has no directories is no fault:
 * nobody is found. */
void people_find(struct state *s, const struct xod_obj *user, struct view text,
                 people_found_fn *found, directory_end_fn *end, void *arg);

/* A text that is only digits and what stands between them, three digits at least. */
bool people_is_number(struct view text);

#endif
