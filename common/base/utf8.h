/* UTF-8: checking, and mending by the rule of Unicode (chapter 3.9, U+FFFD for each maximal bad
 * part). */
#ifndef CTIBUS_BASE_UTF8_H
#define CTIBUS_BASE_UTF8_H

#include "base/buf.h"

/* True when v is well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). */
bool utf8_valid(struct view v);

/* Is there a control character in it: U+0000 to U+001F, DEL, U+0080 to U+009F? */
bool utf8_has_control(struct view v);

/* Appends v to out with each maximal bad part replaced by U+FFFD. 0 or what buf_append returns. */
int utf8_mend(struct buf *out, struct view v);

/* Appends v to out, reading each byte as a Latin-1 character. 0 or what buf_append returns. */
int utf8_from_latin1(struct buf *out, struct view v);

#endif
