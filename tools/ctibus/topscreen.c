#include "topscreen.h"

/* after our own: it defines macros with short names */
#include <ncurses.h>

/* A whole line at *line, if there is one, as far as the screen is wide; the text is used up. */
static void put(int *line, int attribute, struct buf *text)
{
    const char *shown = buf_cstr(text);

    if (*line < LINES && shown) {
        attron(attribute);
        mvaddnstr((*line)++, 0, shown, COLS);
        clrtoeol();
        attroff(attribute);
    }
    buf_reset(text);
}

bool top_screen_begin(void)
{
    if (!newterm(NULL, stdout, stdin))
        return false;
    cbreak();
    noecho();
    curs_set(0);
    nodelay(stdscr, TRUE);
    keypad(stdscr, TRUE);
    return true;
}

void top_screen_end(void)
{
    endwin();
}

int top_screen_key(void)
{
    int key = getch();

    return key == ERR ? 0 : key;
}

static void put_rows(int *line, struct buf *text, const char *title, const struct top_rows *r,
                     int lines)
{
    int width = COLS > TOP_NUMBERS + 20 ? COLS - TOP_NUMBERS : 20;

    top_put_heading(text, width, title);
    put(line, A_REVERSE, text);
    for (size_t i = 0; i < r->n && lines-- > 0; i++) {
        struct top_row row = *r->list[i];
        if ((size_t)width < sizeof(row.name))
            row.name[width] = '\0';
        top_put_row(text, width, &row);
        put(line, row.lost ? A_BOLD : A_NORMAL, text);
    }
}

static void put_services(int *line, struct buf *text, const struct toptable *t, double now)
{
    top_put_service_heading(text);
    put(line, A_REVERSE, text);
    for (size_t i = 0; i < t->n_services; i++) {
        bool good = top_put_service(text, t->services[i], now);
        put(line, good ? A_NORMAL : A_BOLD, text);
    }
}

void top_screen_draw(const struct toptable *t, double now, const char *note)
{
    struct buf text;
    int line = 0;
    int room;

    buf_init(&text, 4096);
    erase();
    buf_printf(&text, "ctibus top: %.0f s, %llu lost%s   q quits, r resets, p pauses",
               now - t->began, (unsigned long long)t->lost, note);
    put(&line, A_NORMAL, &text);
    put_services(&line, &text, t, now);
    room = LINES - line - 2;
    put_rows(&line, &text, "SOURCE", &t->sources, room / 3);
    put_rows(&line, &text, "TOPIC", &t->topics, room);
    refresh();
    buf_free(&text);
}
