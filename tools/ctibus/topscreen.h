/* How `ctibus top` shows itself: on a terminal (ncurses), or as lines. */
#ifndef CTIBUS_TOOL_TOPSCREEN_H
#define CTIBUS_TOOL_TOPSCREEN_H

#include "toptable.h"

#define TOP_COLUMNS 80   /* of the text; a screen has as many as it has */
#define TOP_NUMBERS 44   /* of them behind the name of a row */
#define TOP_SILENT_S 6.0 /* a service that has not been heard for longer is silent */

/* A line without its end; a name is `width` columns, or longer. */
void top_put_heading(struct buf *out, int width, const char *title);
void top_put_row(struct buf *out, int width, const struct top_row *row);
void top_put_service_heading(struct buf *out);
/* True: it is ready, and was heard lately. */
bool top_put_service(struct buf *out, const struct top_service *s, double now);

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
