/* ctibus webhooks: where events are posted to, and what could not be delivered. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

#define WAIT_MS 10000

static const char *why_not(enum bus_status status)
{
    return status == BUS_noconn ? "no http-gw sends webhooks: is one running, and are there "
                                  "ctibus.webhooks in its configuration?"
                                : NULL;
}

/* what, and what narrows it: id (-1: none) and the name of a webhook (NULL: none). */
static int ask(struct tool *t, const char *what, int64_t id, const char *webhook,
               bool (*answer)(void *arg, const msgpack_object *body))
{
    struct tool_question q = {.method = METHOD_webhooks,
                              .deadline_ms = WAIT_MS,
                              .n_pairs = 1,
                              .answer = answer,
                              .explain = why_not,
                              .arg = t};
    struct buf pairs;

    buf_init(&pairs, 4096);
    msg_put_pair(&pairs, "what", view_cstr(what));
    if (id >= 0) {
        msg_put_pair_u64(&pairs, "id", (uint64_t)id);
        q.n_pairs++;
    }
    if (webhook) {
        msg_put_pair(&pairs, "webhook", view_cstr(webhook));
        q.n_pairs++;
    }
    q.pairs = buf_view(&pairs);
    tool_ask(t, &q);
    buf_free(&pairs);
    return t->exit_code;
}

/* ---- list ---- */

static void put_hook(const msgpack_object *o)
{
    double last = msg_get_double(o, "last", 0);
    struct buf when;

    buf_init(&when, 64);
    if (last > 0)
        tool_put_date(&when, last);
    else
        buf_append_cstr(&when, "never");
    tool_say(stdout, "%-16.*s %8llu %8llu %-20s %.*s%s%.*s", VIEW_ARG(msg_get_str(o, "name")),
             (unsigned long long)msg_get_u64(o, "waiting", 0),
             (unsigned long long)msg_get_u64(o, "sent", 0), buf_cstr(&when),
             VIEW_ARG(msg_get_str(o, "url")), msg_get_str(o, "why").len ? "  " : "",
             VIEW_ARG(msg_get_str(o, "why")));
    buf_free(&when);
}

static bool on_hooks(void *arg, const msgpack_object *body)
{
    const struct tool *t = arg;

    if (!t->json)
        printf("%-16s %8s %8s %-20s %s\n", "NAME", "WAITING", "SENT", "LAST ARRIVED", "URL");
    tool_print_list(t, body, "webhooks", put_hook);
    return false;
}

/* ---- dead letters ---- */

static void put_letter(const msgpack_object *o)
{
    struct buf when;

    buf_init(&when, 64);
    tool_put_date(&when, msg_get_double(o, "created", 0));
    tool_say(stdout, "%-8llu %-16.*s %-20.*s %-20s %5llu  %.*s",
             (unsigned long long)msg_get_u64(o, "id", 0), VIEW_ARG(msg_get_str(o, "webhook")),
             VIEW_ARG(msg_get_str(o, "name")), buf_cstr(&when),
             (unsigned long long)msg_get_u64(o, "tries", 0), VIEW_ARG(msg_get_str(o, "why")));
    buf_free(&when);
}

static bool on_dead(void *arg, const msgpack_object *body)
{
    const struct tool *t = arg;

    if (!t->json)
        printf("%-8s %-16s %-20s %-20s %5s  %s\n", "ID", "WEBHOOK", "EVENT", "WHEN", "TRIES",
               "WHY");
    tool_print_list(t, body, "dead", put_letter);
    return false;
}

static bool on_resent(void *arg, const msgpack_object *body)
{
    struct tool *t = arg;
    unsigned long long n = msg_get_u64(body, "resent", 0);

    if (n == 0)
        tool_fail(t,
                  "there is no such dead letter of a webhook that is there: ctibus webhooks dead");
    else if (t->json)
        printf("{\"resent\":%llu}\n", n);
    else
        printf("%llu wait%s again\n", n, n == 1 ? "s" : "");
    return false;
}

static bool on_dropped(void *arg, const msgpack_object *body)
{
    (void)arg;
    (void)body;
    return false;
}

/* A number names one letter, anything else a webhook. */
static int run_letters(struct tool *t, const char *what, const char *which,
                       bool (*answer)(void *arg, const msgpack_object *body))
{
    int64_t id = -1;

    if (which && view_to_i64(view_cstr(which), &id) == 0 && id >= 0)
        return ask(t, what, id, NULL, answer);
    return ask(t, what, -1, which && strcmp(which, "--all") != 0 ? which : NULL, answer);
}

static int run(struct tool *t, int argc, char **argv)
{
    const char *what = argc > 0 ? argv[0] : "list";

    if (strcmp(what, "list") == 0 && argc <= 1)
        return ask(t, "list", -1, NULL, on_hooks);
    if (strcmp(what, "dead") == 0 && argc <= 2)
        return run_letters(t, "dead", argc == 2 ? argv[1] : NULL, on_dead);
    if (strcmp(what, "resend") == 0 && argc == 2)
        return run_letters(t, "resend", argv[1], on_resent);
    if (strcmp(what, "drop") == 0 && argc == 2)
        return run_letters(t, "drop", argv[1], on_dropped);
    return tool_usage(t, &command_webhooks);
}

const struct command command_webhooks = {
    .name = "webhooks",
    .args = "[list] | dead [WEBHOOK] | resend ID|WEBHOOK|--all | drop ID|WEBHOOK|--all",
    .help = "Lists the webhooks with what waits for each and why; dead lists the posts that\n"
            "were given up, resend has them sent again, drop deletes them (at most 1,000 of\n"
            "them at a time).",
    .examples = "$ ctibus webhooks\n"
                "NAME              WAITING     SENT LAST ARRIVED         URL\n"
                "crm                     3      518 2026-11-30 14:52:52  "
                "https://crm.example.org/calls ...\n"
                "$ ctibus webhooks dead\n"
                "ID       WEBHOOK          EVENT                WHEN                 TRIES  WHY\n"
                "17       crm              call.ended           2026-11-28 09:12:40     31  ...\n"
                "...\n"
                "$ ctibus webhooks resend crm\n"
                "1 waits again\n"
                "$ ctibus webhooks drop --all",
    .run = run,
};
