/*
 * How fast clients are read from. What they ask for by themselves (lists above all) costs the
 * gateway time, and the network. Nothing is refused: old clients do not ask twice. Whose user is
 * over the budget is read from later, and nobody is served for long while others wait.
 */
#include "base/budgets.h"
#include "base/clock.h"
#include "internal.h"

enum { LINES, LOG_LINES, KINDS };

#define TURN 200 /* lines of one client, one after the other; then it is the turn of others */
#define LOG_A_MINUTE 20

void pace_configure(struct gateway *g)
{
    budgets_set(g->budgets, LINES, g->opt.limits.lines_per_s, g->opt.limits.lines_burst);
    budgets_set(g->budgets, LOG_LINES, LOG_A_MINUTE / 60.0, LOG_A_MINUTE);
}

static void go_on(struct client *c)
{
    if (!c->asked && !c->slowed && !c->yielding)
        conn_resume(c->conn);
}

static void others_had_theirs(void *arg)
{
    struct gateway *g = arg;
    struct client *c;

    while ((c = LIST_FIRST(&g->yielding))) {
        pace_leave(c);
        go_on(c);
    }
}

int pace_open(struct gateway *g)
{
    LIST_INIT(&g->yielding);
    g->budgets = budgets_new(KINDS);
    g->pace = loop_task_new(g->loop, others_had_theirs, g);
    if (!g->budgets || !g->pace)
        return -1;
    pace_configure(g);
    return 0;
}

void pace_close(struct gateway *g)
{
    loop_task_destroy(&g->pace);
    budgets_destroy(&g->budgets);
}

void pace_leave(struct client *c)
{
    if (c->yielding)
        LIST_REMOVE(c, of_yielding);
    c->yielding = false;
}

static bool has_lines(struct client *c)
{
    return budgets_has(c->gw->budgets, user_push_key(c), LINES, clock_mono_us());
}

bool pace_allows(struct client *c)
{
    c->gw->cost = 1;
    if (has_lines(c))
        return true;
    if (!c->slowed)
        metric_add(c->gw->slowed, 1);
    c->slowed = true;
    conn_pause(c->conn);
    return false;
}

void pace_cost(struct client *c, double lines)
{
    c->gw->cost += lines;
}

bool pace_handled(struct client *c, double *cost)
{
    budgets_charge(c->gw->budgets, user_push_key(c), LINES, c->gw->cost, clock_mono_us());
    *cost += c->gw->cost;
    if (*cost < TURN || c->asked)
        return false;
    conn_pause(c->conn);
    if (!c->yielding)
        LIST_INSERT_HEAD(&c->gw->yielding, c, of_yielding);
    c->yielding = true;
    loop_task_post(c->gw->pace);
    return true;
}

void pace_tick(struct client *c)
{
    if (!c->slowed || !has_lines(c))
        return;
    c->slowed = false;
    go_on(c);
}

bool pace_allows_log(struct client *c)
{
    return budgets_take(c->gw->budgets, user_push_key(c), LOG_LINES, 1, clock_mono_us());
}
