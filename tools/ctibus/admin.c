/* ctibus sessions, kick, tokens and reload: what an administrator asks of state. */
#include <stdio.h>
#include <string.h>

#include "tool.h"

#define WAIT_MS 10000

/* explain: as of struct tool_question. */
static void ask_explained(struct tool *t, enum bus_method method, const char *key,
                          const char *value, bool (*answer)(void *arg, const msgpack_object *body),
                          const char *(*explain)(enum bus_status status))
{
    struct tool_question q = {
        .method = method, .deadline_ms = WAIT_MS, .answer = answer, .explain = explain, .arg = t};
    struct buf pairs;

    buf_init(&pairs, 4096);
    if (key)
        msg_put_pair(&pairs, key, view_cstr(value));
    q.n_pairs = key ? 1 : 0;
    q.pairs = buf_view(&pairs);
    tool_ask(t, &q);
    buf_free(&pairs);
}

static void ask(struct tool *t, enum bus_method method, const char *key, const char *value,
                bool (*answer)(void *arg, const msgpack_object *body))
{
    ask_explained(t, method, key, value, answer, NULL);
}

/* ---- sessions ---- */

static void put_plain(const msgpack_object *session)
{
    struct buf since;

    buf_init(&since, 64);
    tool_put_time(&since, msg_get_double(session, "since", 0));
    tool_say(stdout, "%-10.*s %-6.*s %-24.*s %-14.*s %-22.*s %-12.8s %.*s",
             VIEW_ARG(msg_get_str(session, "ipbx")), VIEW_ARG(msg_get_str(session, "user")),
             VIEW_ARG(msg_get_str(session, "name")), VIEW_ARG(msg_get_str(session, "presence")),
             VIEW_ARG(msg_get_str(session, "address")), buf_cstr(&since),
             VIEW_ARG(msg_get_str(session, "session")));
    buf_free(&since);
}

static bool on_sessions(void *arg, const msgpack_object *body)
{
    tool_print_list(arg, body, "sessions", put_plain);
    return true;
}

static int run_sessions(struct tool *t, int argc, char **argv)
{
    if (argc > 1)
        return tool_usage(t, &command_sessions);
    if (!t->json)
        printf("%-10s %-6s %-24s %-14s %-22s %-12s %s\n", "IPBX", "USER", "NAME", "PRESENCE",
               "ADDRESS", "SINCE", "SESSION");
    ask(t, METHOD_admin_sessions, argc > 0 ? "user" : NULL, argc > 0 ? argv[0] : NULL, on_sessions);
    return t->exit_code;
}

const struct command command_sessions = {
    .name = "sessions",
    .args = "[USER]",
    .help = "Lists the sessions (all, or those of one user by id or login): address, start,\n"
            "presence, and the name of the session, which contains its gateway's.",
    .examples =
        "$ ctibus sessions alice\n"
        "IPBX       USER   NAME                     PRESENCE       ADDRESS                ...\n"
        "xivo       1      Alice Martin             available      192.0.2.17:48124       ...",
    .run = run_sessions,
};

/* ---- kick, reload ---- */

static bool on_kicked(void *arg, const msgpack_object *body)
{
    struct tool *t = arg;
    int64_t n = msg_get_i64(body, "sessions", 0);

    if (n == 0)
        tool_fail(t, "nobody of that name is logged in");
    else if (t->json)
        printf("{\"sessions\":%lld}\n", (long long)n);
    else
        printf("%lld session%s told to end\n", (long long)n, n == 1 ? "" : "s");
    return false;
}

static int run_kick(struct tool *t, int argc, char **argv)
{
    if (argc != 1 || argv[0][0] == '-')
        return tool_usage(t, &command_kick);
    ask(t, METHOD_admin_kick, "who", argv[0], on_kicked);
    return t->exit_code;
}

const struct command command_kick = {
    .name = "kick",
    .args = "USER|SESSION",
    .help = "Disconnects all sessions of a user (by id or login), or one session.",
    .examples = "$ ctibus kick alice\n"
                "1 session told to end",
    .run = run_kick,
};

/* ---- tokens ---- */

static void put_token(const msgpack_object *token)
{
    struct buf used;

    buf_init(&used, 64);
    tool_put_time(&used, msg_get_double(token, "used", 0));
    tool_say(stdout, "%-10.*s %-6.*s %-24.*s %-20s %.*s", VIEW_ARG(msg_get_str(token, "ipbx")),
             VIEW_ARG(msg_get_str(token, "user")), VIEW_ARG(msg_get_str(token, "name")),
             buf_cstr(&used), VIEW_ARG(msg_get_str(token, "agent")));
    buf_free(&used);
}

static bool on_tokens(void *arg, const msgpack_object *body)
{
    tool_print_list(arg, body, "tokens", put_token);
    return true;
}

static bool on_revoked(void *arg, const msgpack_object *body)
{
    const struct tool *t = arg;
    long long n = msg_get_i64(body, "revoked", 0);

    if (t->json)
        printf("{\"revoked\":%lld}\n", n);
    else
        printf("%lld browser%s must log in with the password again\n", n, n == 1 ? "" : "s");
    return false;
}

static bool on_new_token(void *arg, const msgpack_object *body)
{
    const struct tool *t = arg;
    struct view token = msg_get_str(body, "token");

    printf(t->json ? "{\"token\":\"%.*s\"}\n" : "%.*s\n", VIEW_ARG(token));
    return false;
}

/* One of the user's tokens is made, or all end. */
static int change_tokens(struct tool *t, const char *user, const char *what,
                         bool (*answer)(void *arg, const msgpack_object *body))
{
    struct tool_question q = {.method = METHOD_admin_tokens,
                              .deadline_ms = WAIT_MS,
                              .n_pairs = 2,
                              .answer = answer,
                              .arg = t};
    struct buf pairs;

    buf_init(&pairs, 4096);
    msg_put_pair(&pairs, "user", view_cstr(user));
    msg_put_cstr(&pairs, what);
    msg_put_bool(&pairs, true);
    q.pairs = buf_view(&pairs);
    tool_ask(t, &q);
    buf_free(&pairs);
    return t->exit_code;
}

static int run_tokens(struct tool *t, int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[0], "--revoke") == 0)
        return change_tokens(t, argv[1], "revoke", on_revoked);
    if (argc == 2 && strcmp(argv[0], "--new") == 0)
        return change_tokens(t, argv[1], "new", on_new_token);
    if (argc > 1 || (argc > 0 && argv[0][0] == '-'))
        return tool_usage(t, &command_tokens);
    if (!t->json)
        printf("%-10s %-6s %-24s %-20s %s\n", "IPBX", "USER", "NAME", "LAST USED", "BROWSER");
    ask(t, METHOD_admin_tokens, argc > 0 ? "user" : NULL, argc > 0 ? argv[0] : NULL, on_tokens);
    return t->exit_code;
}

const struct command command_tokens = {
    .name = "tokens",
    .args = "[USER] | --new USER | --revoke USER",
    .help = "Lists the browsers that stay logged in without a password (all, or those of\n"
            "one user by id or login); --revoke makes all of the user's log in again;\n"
            "--new prints a token, this once, for a screen that opens /wall#token=TOKEN.\n"
            "Sessions that are open stay open: see kick.",
    .examples = "$ ctibus tokens --new alice\n"
                "iXczchtewNrndvNaIP21JDtragrVbQ28YTTXzk3BSdl\n"
                "$ ctibus tokens\n"
                "IPBX       USER   NAME                     LAST USED            BROWSER\n"
                "xivo       1      Alice Martin             14:52:52.955         ctibus tokens\n"
                "$ ctibus tokens --revoke alice\n"
                "1 browser must log in with the password again",
    .run = run_tokens,
};

static bool on_reloaded(void *arg, const msgpack_object *body)
{
    return false;
}

static const char *why_not_reloaded(enum bus_status status)
{
    return status == BUS_not_found ? "there is no such list: users, lines, phones, trunks, queues, "
                                     "groups, agents, meetmes, voicemails, incalls, outcalls, "
                                     "contexts, phonebook, parkinglot and extenfeatures are"
           : status == BUS_failed  ? "it cannot be read, and what was known stays: `ctibus check` "
                                     "says what is wrong, and where"
                                   : NULL;
}

static int run_reload(struct tool *t, int argc, char **argv)
{
    if (argc > 1 || (argc > 0 && argv[0][0] == '-'))
        return tool_usage(t, &command_reload);
    ask_explained(t, METHOD_admin_reload, argc > 0 ? "list" : NULL, argc > 0 ? argv[0] : NULL,
                  on_reloaded, why_not_reloaded);
    return t->exit_code;
}

const struct command command_reload = {
    .name = "reload",
    .args = "[LIST]",
    .help = "Makes state read its configuration and all lists again, or one list (users,\n"
            "phones, queues ...), and publish the differences.",
    .examples = "$ ctibus reload users\n"
                "$ ctibus reload",
    .run = run_reload,
};
