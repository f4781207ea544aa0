/*
 * A simulated company: people with phones, queues, a conference room, a parking lot, mailboxes and
 * a trunk, whose calls follow the dialplan as an Asterisk would, and on which actions take effect.
 * It tells its events to a world (world.h), whose model the listings of channels and hints come
 * from.
 *
 * It has no clock and no sockets of its own: office_run says what time it is.
 */
#ifndef OFFICE_OFFICE_H
#define OFFICE_OFFICE_H

#include "answers.h"
#include "world.h"

#define OFFICE_MIN_PEOPLE 2
#define OFFICE_MAX_PEOPLE 8999

struct office_options {
    unsigned people;    /* 30 is the company that config/office describes */
    double per_minute;  /* calls that begin by themselves; 0: none */
    uint64_t seed;      /* the same seed, the same day */
    const char *guests; /* logins, by comma: their phones wait for a person; NULL: nobody's */
    unsigned answer_s;  /* after which these phones answer by themselves; 0: 15 */
    uint64_t epoch_s;   /* when the day begins; 0: now */
    bool old;           /* the dialect of 1.8, and SIP instead of PJSIP */
};

struct office;

/* The world is borrowed and becomes the office's: its dialect and its hints are set. NULL without
 * memory, or when the options are out of their ranges. */
struct office *office_new(const struct office_options *options, struct world *world);
void office_destroy(struct office **o);

/* Lets everything happen that is due by now_us, microseconds since the beginning; at most `most`
 * things (0: all). True when more is due. */
bool office_run(struct office *o, uint64_t now_us, unsigned most);
/* When the next thing happens, UINT64_MAX when nothing ever does. */
uint64_t office_next(const struct office *o);

/* Sets a variable of the channel with this unique id, and tells so; nothing when there is none. */
void office_set_variable(struct office *o, struct view uniqueid, struct view name,
                         struct view value);
/* NULL: it has none of that name. */
const char *office_variable(const struct office *o, struct view uniqueid, struct view name);

/* The action of this name, when the office has one of its own; NULL: it is another's. */
const struct action *office_action(const struct office *o, struct view name);

/* Appends `,"office":{...}` for the status: what it holds itself, apart from what its events say.
 */
void office_status(const struct office *o, struct buf *out);

/* What is wrong inside, in words, appended to out: states that contradict each other, and what the
 * world's model says otherwise. 0 when nothing is. */
unsigned office_check(const struct office *o, struct buf *out);

/* Writes the lists and ctibus.json that describe the company into the folder `dir`, which is there.
 * 0 or -errno. */
int office_write_lists(const struct office_options *options, const char *dir);

#endif
