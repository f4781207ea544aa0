/* Telephone numbers as they are compared, however they are written. */
#ifndef CTIBUS_STATE_DIRECTORY_NUMBER_H
#define CTIBUS_STATE_DIRECTORY_NUMBER_H

#include "base/view.h"
#include "config/config.h"

/* Of ctibus.dialplan; what is longer is cut. */
struct number_rules {
    char country[8];       /* "33", or empty */
    char international[8]; /* "00" */
    char trunk[8];         /* "0", or empty */
};

struct number_rules number_rules(const struct config *cfg);

#define NUMBER_ROOM 64

/* The digits of a number in one form, with a plus where the country is known: +33123456789 of "0033
 * 1 23 45 67 89", of "+33 (0)1 23...", and with country 33 of "01 23 45 67 89". Returns its length,
 * 0: it has no digit, or more than NUMBER_ROOM - 1. Ended by a NUL. */
size_t number_normal(const struct number_rules *rules, struct view written, char out[NUMBER_ROOM]);
/* Whether a number that is written somewhere is this one (of number_normal); the empty one is none.
 */
bool number_is(const struct number_rules *rules, struct view written, struct view normal);
/* Whether both have nine digits or more, and the same last nine: most likely the same number, where
 * the rules do not tell. */
bool number_is_alike(struct view written, struct view normal);

#endif
