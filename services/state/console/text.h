/*
 * Text for a console: whatever stands in a value, it is one line, and none of it drives a terminal.
 * And lines as they come in.
 */
#ifndef CTIBUS_STATE_CONSOLE_TEXT_H
#define CTIBUS_STATE_CONSOLE_TEXT_H

#include "base/buf.h"

/* Appends v with each control character (of Unicode's both ranges, but the tabulator) as a '?', and
 * bad UTF-8 mended. 0, or what buf_append returns. */
int text_put(struct buf *out, struct view v);
/* Columns that v takes: its characters. */
size_t text_width(struct view v);

/* Cuts the first line off *in, without its end (LF or CR LF) and the blanks around it. `spelled`:
 * the two characters \n end one, too. False: there is no whole one, and *in stays. */
bool text_cut_line(struct view *in, bool spelled, struct view *line);

#endif
