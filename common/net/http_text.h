/* The pieces of the head of an HTTP/1 message (RFC 9110, section 5; RFC 9112, section 2.2). */
#ifndef CTIBUS_NET_HTTP_TEXT_H
#define CTIBUS_NET_HTTP_TEXT_H

#include "base/view.h"

/* Cuts off a line, without its end; false when it does not end with CR LF. */
bool http_take_line(struct view *rest, struct view *line);
/* A token: a method, the name of a header. */
bool http_is_token(struct view v);
/* No control characters but the tab. */
bool http_is_text(struct view v);
/* Has a list with commas this word, in any case? */
bool http_has_word(struct view list, struct view word);

#endif
