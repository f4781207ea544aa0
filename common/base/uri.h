/* URIs of the web: what they are, and how they may be shown. */
#ifndef CTIBUS_BASE_URI_H
#define CTIBUS_BASE_URI_H

#include "base/buf.h"

/* Does it begin with http:// or https://? */
bool uri_is_web(struct view uri);
/* Appends the URI as it may be logged: without user and password. */
void uri_put_public(struct buf *out, struct view uri);
/* A copy of it as it may be logged, for the caller to free; NULL without memory. */
char *uri_public(const char *uri);
/* Appends v as a part of a path or of a query: as %XX all but letters, digits and "-._~". */
void uri_put_escaped(struct buf *out, struct view v);

#endif
