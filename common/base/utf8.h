/* UTF-8: checking, and mending by the rule of Unicode (chapter 3.9, U+FFFD for each maximal bad
 * part). */
#ifndef CTIBUS_BASE_UTF8_H
#define CTIBUS_BASE_UTF8_H

#include "base/buf.h"

/* True when v is well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). */
bool utf8_valid(struct view v);

/* Bytes of the well-formed sequence that v begins with; 0: it begins with none. */
size_t utf8_length(struct view v);

/* Bytes of the control character that v has at i: 1 (U+0000 to U+001F, DEL) or 2 (U+0080 to
 * U+009F); 0: it has none there. */
size_t utf8_control_at(struct view v, size_t i);
/* Is there one in it? */
bool utf8_has_control(struct view v);

/* The first bytes of v, at most `max` of them, without a part of a character at their end. */
struct view utf8_cut(struct view v, size_t max);

/* Appends v to out with each maximal bad part replaced by U+FFFD. 0 or what buf_append returns. */
int utf8_mend(struct buf *out, struct view v);

/* Appends v to out, reading each byte as a Latin-1 character. 0 or what buf_append returns. */
int utf8_from_latin1(struct buf *out, struct view v);

#endif
