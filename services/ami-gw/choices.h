/*
 * Actions that have another name, or another form, in each Asterisk: what state asks for by one
 * name of ours, and the first of the AMI actions for it that this Asterisk has. As data: a row an
 * action.
 */
#ifndef CTIBUS_AMI_GW_CHOICES_H
#define CTIBUS_AMI_GW_CHOICES_H

#include <msgpack.h>

#include "abilities.h"

#define CHOICE_HEADERS 6

struct choice_header {
    const char *name;
    const char *value; /* {word} stands for what was given under that word */
    bool optional;     /* left out when a word of it was not given; else the choice does not fit */
};

struct choice {
    const char *wanted; /* our name */
    const char *action; /* of AMI */
    const char
        *only; /* not for a `peer` of another technology, or a room of another `application` */
    struct choice_header headers[CHOICE_HEADERS];
};

extern const struct choice choices[];
extern const size_t choices_size;

/* Is it one of our names? */
bool choice_is_known(struct view wanted);
/* The first row that this Asterisk has, and for which all that it needs is given; NULL: none.
 * given: [[word, value], ...] */
const struct choice *choice_find(const struct abilities *f, struct view wanted,
                                 const msgpack_object *given);
/* Writes its headers. Values that cannot be written make *aa unusable, as ami_action_header says.
 */
void choice_write(const struct choice *c, const msgpack_object *given, struct ami_action *aa);

#endif
