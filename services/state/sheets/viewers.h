/* Who has got which sheet, so that what one of them does with it can be told to the others. */
#ifndef CTIBUS_STATE_SHEETS_VIEWERS_H
#define CTIBUS_STATE_SHEETS_VIEWERS_H

#include "core/context.h"
#include "sheets/recipients.h"

#define VIEWERS_MAX_SHEETS 4096 /* the oldest goes */
#define VIEWERS_MAX_USERS 256   /* of a sheet: the others are told nothing */

struct viewers;

/* NULL without memory. */
struct viewers *viewers_new(void);
void viewers_destroy(struct viewers **v);

/* These users have got the sheet of a channel. `call` is its Uniqueid: names of channels come
 * again, and who saw the call before is none of the viewers of this one. */
void viewers_add(struct viewers *v, const struct xod_ipbx *ipbx, struct view channel,
                 struct view call, const struct recipients *to);
/* Those that have; NULL: there is no such sheet. Borrowed until the next viewers_add. */
const struct recipients *viewers_of(const struct viewers *v, const struct xod_ipbx *ipbx,
                                    struct view channel);
bool viewers_has(const struct recipients *viewers, struct view user_id);

#endif
