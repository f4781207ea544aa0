/*
 * Other protocols at a port for lines of text. A page in a browser can send HTTP requests to any
 * address that the browser's machine reaches; the lines of their bodies would be commands.
 */
#ifndef CTIBUS_STATE_CONSOLE_FOREIGN_H
#define CTIBUS_STATE_CONSOLE_FOREIGN_H

#include "base/view.h"

/* Why these bytes, however they were split, are no text: control characters other than tabulator,
 * CR and LF, as in TLS and other binary protocols. NULL when they can be text. */
const char *foreign_bytes(struct view bytes);

/* Why this line (with or without its end) was not meant for us: it is a request line of HTTP in
 * whatever case and method, or what is left of one, or begins like a header ("Host:"). NULL when it
 * can be a command: none has "/" or "*" as its second word, "HTTP/" and a digit as its last, or a
 * colon at the end of its first. */
const char *foreign_line(struct view line);

#endif
