/* Texts as they are compared in a directory. */
#ifndef CTIBUS_STATE_DIRECTORY_FOLD_H
#define CTIBUS_STATE_DIRECTORY_FOLD_H

#include "base/buf.h"

/* Appends the text without regard to case, accents and compatibility forms (é = e, ß = ss), control
 * characters as blanks. Bytes that are not UTF-8 stay as they are, but for the case of ASCII. 0 or
 * what buf_append returns. */
int fold_text(struct buf *out, struct view v);

#endif
