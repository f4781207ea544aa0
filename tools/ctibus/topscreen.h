/* How `ctibus top` shows itself: on a terminal (ncurses), or as lines. */
#ifndef CTIBUS_TOOL_TOPSCREEN_H
#define CTIBUS_TOOL_TOPSCREEN_H

#include "toptable.h"

/* The whole as text, for pipes: a paragraph an interval. */
void top_put_text(struct buf *out, const struct toptable *t, double now);
/* As one line of JSON. */
void top_put_json(struct buf *out, const struct toptable *t, double now);

/* The terminal is ours from here to top_screen_end. False: it is none that ncurses knows. */
bool top_screen_begin(void);
void top_screen_end(void);
/* note: how it is, in words behind its first line. */
void top_screen_draw(const struct toptable *t, double now, const char *note);
/* The next key that was pressed, or 0. */
int top_screen_key(void);

#endif
