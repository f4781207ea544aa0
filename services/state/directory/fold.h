/* Texts and numbers as they are compared in a directory. */
#ifndef CTIBUS_STATE_DIRECTORY_FOLD_H
#define CTIBUS_STATE_DIRECTORY_FOLD_H

#include "base/buf.h"

/* Appends the text without regard to case, accents and compatibility forms (é = e, ß = ss), control
 * characters as blanks. Bytes that are not UTF-8 stay as they are, but for the case of ASCII. 0 or
 * what buf_append returns. */
int fold_text(struct buf *out, struct view v);

/* Appends the digits of a number, and a plus in front of them. 0 or what buf_append returns. */
int fold_number(struct buf *out, struct view v);
/* Whether a number as it is written somewhere is the folded one; the empty one is none. */
bool number_fits(struct view written, struct view folded);

#endif
