/* Whose number a call comes from, as the directories know it; and the sheets that wait for that. */
#ifndef CTIBUS_STATE_SHEETS_REVERSE_H
#define CTIBUS_STATE_SHEETS_REVERSE_H

#include "directory/directory.h"
#include "sheets/sheet.h"

#define REVERSE_MAX_SHEETS 16 /* that wait for one: what comes then is sent without */

struct reverse;
/* Sends a sheet; takes it. */
typedef void reverse_send_fn(void *arg, struct sheet *sheet);

/* Asks, as directory_reverse. Sheets that wait are given to send(arg, sheet) when there is an
 * answer, which the directories' own deadline makes sure of. NULL without memory. */
struct reverse *reverse_begin(struct directories *d, const struct directory_ask *ask,
                              reverse_send_fn *send, void *arg);
/* Has the same been asked? */
bool reverse_is_of(const struct reverse *l, const struct directory_ask *ask);
/* Is there no answer yet? */
bool reverse_waits(const struct reverse *l);
/* The sheet (taken) gets what is known of the number and is sent, now or later. */
void reverse_add(struct reverse *l, struct sheet *sheet);
/* The call is over: sheets that wait are still sent. *l becomes NULL. */
void reverse_leave(struct reverse **l);

#endif
