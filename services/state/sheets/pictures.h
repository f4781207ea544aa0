/*
 * Pictures of callers, for rows of sheets with {xivo-callerpicture}: fetched by the id of the
 * calling user from the address `ctibus.sheets.picture_url`, kept for some minutes, and put into
 * the sheet in base64, as XiVO's clients want them.
 */
#ifndef CTIBUS_STATE_SHEETS_PICTURES_H
#define CTIBUS_STATE_SHEETS_PICTURES_H

#include "sheets/sheet.h"

#define PICTURES_MAX_BYTES ((size_t)64 * 1024) /* of one */

struct pictures;
/* Sends a sheet; takes it. */
typedef void pictures_send_fn(void *arg, struct sheet *sheet);

/* Starts no thread before there is something to fetch. NULL without memory. */
struct pictures *pictures_new(struct state *s, pictures_send_fn *send, void *arg);
/* Sheets that wait are not sent any more. */
void pictures_destroy(struct pictures **p);
/* False: the sheet can be sent at once, with the picture in it if there is one. True: it is taken,
 * and given to send(arg, sheet) within main.sockettimeout seconds, after those of its channel that
 * wait already. */
bool pictures_take(struct pictures *p, struct sheet *sheet);

#endif
