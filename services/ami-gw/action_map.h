/*
 * Actions that have another name, or another form, in each Asterisk: what state asks for by one
 * name of ours, and the first of the AMI actions for it that this Asterisk has. As data: a row an
 * action. A request by the AMI name of an action that this Asterisk lacks (Monitor) is mapped to
 * another of the same kind (MixMonitor) where there is one.
 */
#ifndef CTIBUS_AMI_GW_ACTION_MAP_H
#define CTIBUS_AMI_GW_ACTION_MAP_H

#include <msgpack.h>

#include "capabilities.h"

#define CHOICE_HEADERS 6
#define CHOICE_WORDS 64

struct choice_header {
    const char *name;
    const char *value; /* {word} stands for what was given under that word */
    bool optional;     /* left out when a word of it was not given; else the choice does not fit */
};

struct action_choice {
    const char *wanted; /* our name */
    const char *action; /* of AMI */
    const char
        *only; /* not for a `peer` of another technology, or a room of another `application` */
    struct choice_header headers[CHOICE_HEADERS];
};

extern const struct action_choice action_map[];
extern const size_t action_map_size;

/* What was given: words of ours and their values; a word may come several times. Views into the
 * request. */
struct choice_words {
    size_t n;
    struct {
        struct view word, value;
    } word[CHOICE_WORDS];
    char scratch[128]; /* of a value that had to be made */
};

/* Is it one of our names? */
bool choice_is_known(struct view wanted);
/* Has this Asterisk any action for it? */
bool choice_exists(const struct capabilities *a, struct view wanted);
/* Takes what was given. headers: [[word, value], ...] or {word: value or [value, ...]}; what is no
 * text, or over CHOICE_WORDS, is left out. */
void choice_take(struct choice_words *given, const msgpack_object *headers);
/* The first row that this Asterisk has, and for which all that it needs is given; NULL: none. */
const struct action_choice *choice_find(const struct capabilities *a, struct view wanted,
                                        const struct choice_words *given);
/* The same for the AMI name of an action that this Asterisk lacks: *given, its headers, becomes
 * words of ours. NULL: it is to be sent as it is. */
const struct action_choice *choice_instead(const struct capabilities *a, struct view action,
                                           struct choice_words *given);
/* Writes its headers. Values that cannot be written make *aa unusable, as ami_action_header says.
 */
void choice_write(const struct action_choice *c, const struct choice_words *given,
                  struct ami_action *aa);

#endif
