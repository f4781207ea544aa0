#include "topscreen.h"

/* after our own: it defines macros with short names */
#include <ncurses.h>

static void put(int *line, int attribute, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* A whole line at *line, if there is one. */
static void put(int *line, int attribute, const char *fmt, ...)
{
    va_list ap;

    if (*line >= LINES)
        return;
    attron(attribute);
    move((*line)++, 0);
    va_start(ap, fmt);
    vw_printw(stdscr, fmt, ap);
    va_end(ap);
    clrtoeol();
    attroff(attribute);
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

static void put_rows(int *line, const char *title, const struct top_rows *r, int lines)
{
    put(line, A_REVERSE, "%-48s %10s %12s %10s %10s %8s", title, "per s", "total", "lag ms",
        "worst ms", "lost");
    for (size_t i = 0; i < r->n && lines-- > 0; i++) {
        const struct top_row *row = r->list[i];
        put(line, row->lost ? A_BOLD : A_NORMAL, "%-48.48s %10.1f %12llu %10.2f %10.2f %8llu",
            row->name, row->rate, (unsigned long long)row->total, row->lag * 1000,
            row->worst * 1000, (unsigned long long)row->lost);
    }
}

static void put_services(int *line, const struct toptable *t, double now)
{
    put(line, A_REVERSE, "%-48s %-7s %10s %s", "SERVICE", "ready", "up s", "says");
    for (size_t i = 0; i < t->n_services; i++) {
        const struct top_service *s = t->services[i];
        bool silent = now - s->heard > 6;
        put(line, s->ready && !silent ? A_NORMAL : A_BOLD, "%-48.48s %-7s %10.0f %s", s->name,
            silent     ? "silent"
            : s->ready ? "yes"
                       : "no",
            s->uptime, s->more);
    }
}

void top_screen_draw(const struct toptable *t, double now, const char *note)
{
    int line = 0;
    int room;

    erase();
    put(&line, A_NORMAL, "ctibus top: %.0f s, %llu lost%s   q quits, r resets, p pauses",
        now - t->began, (unsigned long long)t->lost, note);
    put_services(&line, t, now);
    room = LINES - line - 2;
    put_rows(&line, "SOURCE", &t->sources, room / 3);
    put_rows(&line, "TOPIC", &t->topics, room);
    refresh();
}
